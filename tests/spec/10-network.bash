# 10. Network devices
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

# own_network: the runtime is called in a network namespace that takes the part of the host's, with a
# pair of devices, dev0 and peer0.
own_network() {
	touch "$T/host"
	unshare --net="$T/host" ip link set lo up
	AT=(nsenter --net="$T/host")
	at ip link add dev0 type veth peer name peer0
	at ip link set peer0 up
	mounted_on_purpose
}

at() {
	nsenter --net="$T/host" "$@"
}

devices() {
	config --argjson d "$1" '.linux.netDevices = $d'
}

rule S-144 MUST - "netDevices are moved into the container's network namespace, and renamed" \
	"dev0 as eth0, and as itself; afterwards the host has none"
S_144() {
	own_network
	devices '{"dev0": {"name": "eth0"}}'
	script 'cat /sys/class/net/eth0/address; ls /sys/class/net; exec sleep 1000'
	local address
	address=$(at cat /sys/class/net/dev0/address 2>/dev/null || at ip -j link show dev0 | jq -r '.[0].address')
	address=$(at ip -j link show dev0 | jq -r '.[0].address')
	creates
	starts
	wait_for grep -q eth0 "$T/out" || fail "no eth0: $(<"$T/out")"
	[[ $(head -n 1 "$T/out") == "$address" ]] || fail "another device"
	! at ip link show dev0 >/dev/null 2>&1 || fail "the host still has it"
	kills KILL
	becomes stopped
	deletes
	at ip link add dev0 type veth peer name peer1
	devices '{"dev0": {}}'
	script 'ls /sys/class/net'
	prints $'dev0\nlo'
}

# taken: a network namespace to be joined, which has a device of that name.
taken() {
	touch "$T/net"
	unshare --net="$T/net" ip link add "$1" type veth peer name other0
	mounted_on_purpose
	config --arg path "$T/net" '.linux.namespaces |=
		map(if .type == "network" then .path = $path else . end)'
}

rule S-145 MUST - "a name that is there already is an error" "eth0 in the namespace that is joined"
S_145() {
	own_network
	taken eth0
	devices '{"dev0": {"name": "eth0"}}'
	refused linux.netDevices
	at ip link show dev0 >"$T/link" 2>&1 || fail "the device is lost"
	saw "the host has the device"
}

rule S-146 MUST crun,runc "a name with %d: the kernel chooses the number" "name eth%d"
S_146() {
	own_network
	devices '{"dev0": {"name": "eth%d"}}'
	script 'ls /sys/class/net'
	prints $'eth0\nlo'
}

rule S-147 MUST - "permanent addresses of global scope stay, of every family" \
	"an IPv4 and an IPv6 address, each with a prefix"
S_147() {
	own_network
	at ip address add 10.9.8.7/24 dev dev0
	at ip -6 address add fd00:77::5/64 dev dev0 nodad
	at ip link set dev0 up
	devices '{"dev0": {"name": "eth0"}}'
	script 'ip -o addr show dev eth0 | grep -oE "(inet|inet6) (10|fd)[^ ]*"'
	prints $'inet 10.9.8.7/24\ninet6 fd00:77::5/64'
}

rule S-148 MUST - "other attributes of the device stay" "MTU 1234, a hardware address, txqueuelen 77"
S_148() {
	own_network
	at ip link set dev0 mtu 1234 address 02:00:00:00:00:77 txqueuelen 77
	devices '{"dev0": {}}'
	script 'cd /sys/class/net/dev0 && cat mtu address tx_queue_len'
	prints $'1234\n02:00:00:00:00:77\n77'
}

rule S-149 MUST - "the device is up after the move" "one that is down on the host"
S_149() {
	own_network
	devices '{"dev0": {"name": "eth0"}}'
	script 'ip link show eth0 | grep -o "[<,]UP[,>]" | tr -d "<,>"'
	prints UP
}

rule S-150 "MUST NOT" - "the device is not managed later, nor moved back before deletion" \
	"set down inside: it stays so; after delete it is where the namespace, which is joined, has it"
S_150() {
	own_network
	taken other1
	devices '{"dev0": {"name": "eth0"}}'
	config '.process.capabilities |= map_values(. + ["CAP_NET_ADMIN"])'
	script 'ip link set eth0 down; sleep 0.5; ip link show eth0 | grep -c "[<,]UP[,>]"'
	prints_down
	nsenter --net="$T/net" ip link show eth0 >/dev/null || fail "it is gone"
	! at ip link show dev0 >/dev/null 2>&1 || fail "it was moved back"
	saw "after the end it is in the joined namespace"
}

prints_down() {
	run
	[[ $output == 0 ]] || report "eth0 is up again, or not there"
	saw "down stays down"
}

rule S-151 INFO - "netDevices without a network namespace of the container's (an error elsewhere, too)" \
	"no namespace of that type"
S_151() {
	own_network
	devices '{"dev0": {"name": "eth0"}}'
	config '.linux.namespaces |= map(select(.type != "network")) | .mounts |= map(select(.type != "sysfs"))'
	refused linux.netDevices
}
