# --net: none, private, host, bridge and container. Everything happens in network namespaces that a
# test makes, of which one stands for the host: the machine's own network is never touched.
load ../lib

setup() {
	hull_setup
	need_root
	HOST=$T/host
	make_netns "$HOST"
	config 'del(.linux.cgroupsPath)'
}

teardown() {
	local id
	for id in a b c d; do
		timeout 20 "$HULL" --root "$STATE" delete --force "$ID-$id" 2>/dev/null 3>&- || true
	done
	drop_namespaces "${HOST:-}"
	hull_teardown
}

# at COMMAND...: in the namespace that stands for the host. hull_at ARG...: hull there. run_at OPTION...: the test's bundle.
at() {
	timeout 40 nsenter --net="$HOST" "$@" 3>&-
}

hull_at() {
	capture at "$HULL" --root "$STATE" "$@"
}

run_at() {
	hull_at run "$@" -b "$BUNDLE" "$ID"
}

# start_at NAME [OPTION...]: a container that goes on by itself; sh in it waits.
start_at() {
	local name=$1
	shift
	script 'trap "exit 0" TERM; while :; do sleep 0.1; done'
	hull_at run --detach "$@" -b "$BUNDLE" "$ID-$name"
	expect 0
}

inside() {
	local name=$1
	shift
	capture timeout 20 "$HULL" --root "$STATE" exec "$ID-$name" "$@"
}

links() {
	at ip -o link show | sed -E 's/^[0-9]+: ([^:@]*).*/\1/' | sort | tr '\n' ' '
}

# Nothing of a bridge is left, neither in the kernel nor in the file.
assert_no_bridge() {
	[[ $(links) == "lo " ]] || fail "left: $(links)"
	[[ ! -e $STATE/@network/leases ]] || fail "$(<"$STATE/@network/leases")"
	assert_clean
}

# --- none, private, host ---

@test "none and private: a new namespace with lo up, whatever config.json says" {
	local mode filter
	script 'readlink /proc/self/ns/net; ip -o link | cut -d: -f2; ip -o link show lo | grep -o "[<,]UP[,>]"'
	for mode in none private; do
		for filter in '.' '.linux.namespaces |= map(select(.type != "network"))'; do
			config "$filter"
			run_at --net "$mode"
			expect 0
			expect_line " lo"
			expect_match ',UP,'
			[[ ${lines[0]} != "$(at readlink /proc/self/ns/net)" ]] || fail "the host's"
		done
	done
	assert_clean
}

@test "host: no namespace of its own, and no sysctl of it" {
	script 'readlink /proc/self/ns/net'
	config '.mounts |= map(select(.type != "sysfs" and (.type | startswith("cgroup") | not)))'
	run_at --net host
	expect 0 "$(at readlink /proc/self/ns/net)"
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	run_at --net=host
	expect 1 ""
	expect_error 'would change the host'
	[[ $(at cat /proc/sys/net/ipv4/ip_forward) == 0 ]]
	assert_clean
}

@test "what --net and --subnet cannot be" {
	local arg
	for arg in '' non none=x host: bridge= bridge:x container container: container= bridge=a/b bridge=a%d \
		bridge=.. bridge=0123456789abcdef; do
		run_at --net "$arg"
		expect 1 ""
		expect_error "net cannot be|cannot be the name of a bridge|the value of --net is empty"
	done
	for arg in 10.1.2.0 10.1.2.0/ 10.1.2.0/7 10.1.2.0/31 10.1.2.1/24 127.0.0.0/24 224.0.0.0/24 0.0.0.0/8 \
		10.1.2/24 10.1.2.0/24x fd00::/64 10.1.2.0/-1; do
		run_at --net bridge --subnet "$arg"
		expect 1 ""
		expect_error "--subnet cannot be"
	done
	run_at --net none --subnet 10.1.2.0/24
	expect_error 'for a bridge only'
	run_at --net "container:$ID"
	expect_error 'its own network'
	assert_no_bridge
}

# --- container ---

@test "container: the network of another container, as long as that runs" {
	start_at a --net none
	script 'readlink /proc/self/ns/net'
	run_at --net "container:$ID-a"
	expect 0
	expect 0 "$(readlink "/proc/$(hull state "$ID-a" | jq .pid)/ns/net")"
	# From a user namespace of its own, too.
	config '.linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}] |
		.linux.gidMappings = .linux.uidMappings |
		.mounts |= map(select(.type != "sysfs" and (.type | startswith("cgroup") | not)))'
	run_at --net "container:$ID-a"
	expect 0 "$(readlink "/proc/$(hull state "$ID-a" | jq .pid)/ns/net")"
	hull_at kill "$ID-a" KILL
	wait_for is_stopped a
	run_at --net "container:$ID-a"
	expect 1 ""
	expect_error "container '$ID-a': it is not running"
	hull_at delete "$ID-a"
	run_at --net "container:$ID-a"
	expect 1 ""
	expect_error "container '$ID-a' does not exist"
	assert_clean
}

is_stopped() {
	[[ $(hull state "$ID-$1" | jq -r .status) == stopped ]]
}

@test "container: a number that another process has by now is no network of a container" {
	start_at a --net none
	local state=$STATE/$ID-a/state.json pid=$$
	jq -c --argjson pid "$pid" '.pid = $pid' "$state" >"$T/forged"
	cp "$state" "$T/kept"
	cat "$T/forged" >"$state"
	program /bin/true
	run_at --net "container:$ID-a"
	expect 1 ""
	expect_error "it is not running"
	cat "$T/kept" >"$state"
}

# --- bridge ---

@test "bridge: an address, a default route, resolv.conf, and the host answers; then all is gone" {
	script 'ip -o -4 addr show dev eth0 | sed "s/.*inet//; s/scope.*//; s/ *$//"
		ip route | grep default | sed "s/ *$//"
		ping -c 1 -W 5 10.117.0.1 | grep -o "1 packets received"
		grep -c nameserver /etc/resolv.conf; ls -ln /etc/resolv.conf | cut -c 1-10
		ip -o link show eth0 | grep -o "mtu 1500"'
	mkdir -p "$BUNDLE/rootfs/etc"
	echo "of the image" >"$BUNDLE/rootfs/etc/resolv.conf"
	run_at --net bridge
	expect 0 " 10.117.0.2/24 brd 10.117.0.255
default via 10.117.0.1 dev eth0
1 packets received
$(grep nameserver /etc/resolv.conf | grep -cv 'nameserver *127')
-rw-r--r--
mtu 1500"
	[[ $(<"$BUNDLE/rootfs/etc/resolv.conf") == "of the image" ]] || fail "the image was changed"
	assert_no_bridge
}

@test "bridge: containers reach each other; the bridge goes with the last one" {
	start_at a --net bridge
	start_at b --net bridge=hull0
	[[ $(links) == "hull0 hull0a750002 hull0a750003 lo " ]] || fail "$(links)"
	inside a ping -c 1 -W 5 10.117.0.3
	expect 0
	inside b ping -c 1 -W 5 10.117.0.2
	expect 0
	at busybox ping -c 1 -W 5 10.117.0.3 >/dev/null
	hull_at delete --force "$ID-a"
	expect 0
	[[ $(links) == "hull0 hull0a750003 lo " ]] || fail "$(links)"
	# The address is free again.
	start_at c --net bridge
	inside c ip -o -4 addr show dev eth0
	expect_match '10\.117\.0\.2/24'
	inside c ping -c 1 -W 5 10.117.0.3
	expect 0
	hull_at delete --force "$ID-b"
	hull_at delete --force "$ID-c"
	assert_no_bridge
}

@test "bridge: with a user namespace, an overlay and a read-only root" {
	config '.root.readonly = true | .linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}] |
		.linux.gidMappings = .linux.uidMappings'
	script 'ping -c 1 -W 5 10.117.0.1 | grep -o "1 packets received"; grep -q nameserver /etc/resolv.conf && echo names'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	rm -f "$BUNDLE/rootfs/etc/resolv.conf"
	run_at --net bridge --overlay
	expect 0 $'1 packets received\nnames'
	[[ ! -e $BUNDLE/rootfs/etc/resolv.conf ]] || fail "made in the image"
	assert_no_bridge
}

@test "bridge: resolv.conf of the image is a link out of it, and one to a file of the host's name" {
	echo untouched >"$T/victim"
	ln -sf "../../../../../../../..$T/victim" "$BUNDLE/rootfs/etc/resolv.conf"
	script 'cat /etc/resolv.conf | grep -c nameserver'
	run_at --net bridge --overlay
	expect 0
	[[ $(<"$T/victim") == untouched ]]
	assert_no_bridge
}

@test "bridge: what config.json mounts on /etc/resolv.conf stays" {
	echo "nameserver 192.0.2.53" >"$T/mine"
	add_mount '{"destination": "/etc/resolv.conf", "type": "bind", "source": "'"$T"'/mine", "options": ["bind", "ro"]}'
	program /bin/cat /etc/resolv.conf
	run_at --net bridge --overlay
	expect 0 "nameserver 192.0.2.53"
	assert_no_bridge
}

@test "bridge: servers on the host's loopback are left out, and the bridge stands in" {
	printf '# mine\nsearch example.org\nnameserver 127.0.0.53\nnameserver ::1\n' >"$T/resolv"
	program /bin/cat /etc/resolv.conf
	capture at unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"' sh "$T/resolv" \
		"$HULL" --root "$STATE" run --net bridge --overlay -b "$BUNDLE" "$ID"
	expect 0 $'# mine\nsearch example.org\nnameserver 10.117.0.1'
	echo "nameserver 192.0.2.53" >>"$T/resolv"
	capture at unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"' sh "$T/resolv" \
		"$HULL" --root "$STATE" run --net bridge --overlay -b "$BUNDLE" "$ID"
	expect 0 $'# mine\nsearch example.org\nnameserver 192.0.2.53'
	assert_no_bridge
}

@test "bridge: the host's servers cannot be read: an error, not a container without them" {
	{ head -c 70000 /dev/zero | tr '\0' '#' && echo; } >"$T/resolv"
	capture at unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"' sh "$T/resolv" \
		"$HULL" --root "$STATE" run --net bridge --overlay -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error "cannot read the host's '/etc/resolv.conf'"
	assert_no_bridge
}

@test "bridge: subnets: a given one, one that is free, two bridges" {
	at ip link add far0 type veth peer name far1
	at ip addr add 10.117.0.99/24 dev far0
	at ip link set far0 up
	start_at a --net bridge
	inside a ip -o -4 addr show dev eth0
	expect_match '10\.117\.1\.2/24'
	start_at b --net bridge=br-other --subnet 192.168.77.0/29
	inside b ip -o -4 addr show dev eth0
	expect_match '192\.168\.77\.2/29'
	hull_at delete --force "$ID-b"
	hull_at delete --force "$ID-a"
	at ip link del far0
	assert_no_bridge
}

@test "bridge: an overlapping subnet, another subnet, a full one: errors with hints" {
	at ip link add far0 type veth peer name far1
	at ip addr add 10.1.2.3/16 dev far0
	at ip link set far0 up
	run_at --net bridge --subnet 10.1.200.0/24
	expect 1 ""
	expect_error 'overlaps a route of the host, to 10.1.0.0/16'
	at ip link del far0
	assert_no_bridge
	start_at a --net bridge --subnet 10.9.9.0/30
	run_at --net bridge --subnet 10.9.8.0/24
	expect_error "has another subnet already: 10.9.9.0/30"
	run_at --net bridge
	expect 1 ""
	expect_error "no address is left on the bridge 'hull0'"
	hull_at delete --force "$ID-a"
	assert_no_bridge
}

@test "bridge: a device of that name that is none, and one without an address" {
	at ip link add hull0 type veth peer name far1
	run_at --net bridge
	expect 1 ""
	expect_error "there is a network device 'hull0' that is no bridge"
	at ip link del hull0
	at ip link add mine type bridge
	run_at --net bridge=mine
	expect 1 ""
	expect_error "the bridge 'mine' has no IPv4 address"
	at ip link del mine
	assert_no_bridge
}

@test "bridge: one that was there before is used, and stays" {
	at ip link add mine type bridge
	at ip addr add 10.5.5.1/24 dev mine
	at ip link set mine up
	script 'ip -o -4 addr show dev eth0 | grep -o "10.5.5.2/24"; ping -c 1 -W 5 10.5.5.1 | grep -o "1 packets received"'
	run_at --net bridge=mine
	expect 0 $'10.5.5.2/24\n1 packets received'
	[[ $(links) == "lo mine " ]] || fail "$(links)"
	at ip -o -4 addr show dev mine | grep -q 10.5.5.1/24
	at ip link del mine
	assert_no_bridge
}

@test "bridge: one that others have made in the place of hull's stays" {
	start_at a --net bridge=br7
	at ip link del br7
	at ip link add br7 type bridge
	at ip addr add 10.77.0.1/24 dev br7
	at ip link set br7 up
	hull_at delete --force "$ID-a"
	expect 0
	[[ $(links) == "br7 lo " ]] || fail "$(links)"
	script 'ip -o -4 addr show eth0'
	run_at --net bridge=br7
	expect 0
	expect_match '10\.77\.0\.'
	[[ $(links) == "br7 lo " ]] || fail "$(links)"
}

@test "bridge: that of another state directory is refused" {
	start_at a --net bridge
	capture at "$HULL" --root "$T/other" run --net bridge -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error "another --root"
	hull_at delete --force "$ID-a"
	assert_no_bridge
}

@test "bridge: one that two state directories found: other addresses, and each removes its own cable" {
	at ip link add mine type bridge
	at ip addr add 10.5.5.1/24 dev mine
	at ip link set mine up
	start_at a --net bridge=mine
	script 'ip -o -4 addr show dev eth0 | grep -o "10.5.5.[0-9]*/24"; ping -c 1 -W 5 10.5.5.2 | grep -o "1 packets received"'
	capture at "$HULL" --root "$T/other" run --net bridge=mine -b "$BUNDLE" "$ID"
	expect 0 $'10.5.5.3/24\n1 packets received'
	[[ $(links) == "hull0a050502 lo mine " ]] || fail "$(links)"
	# A lease of the other's, for the same address, is no right to this one's cable.
	mkdir -p "$T/other/@network"
	sed "s/ $ID-a\$/ $ID-b/" "$STATE/@network/leases" >"$T/other/@network/leases"
	capture at "$HULL" --root "$T/other" run --net bridge=mine -b "$BUNDLE" "$ID"
	expect 0 $'10.5.5.3/24\n1 packets received'
	[[ $(links) == "hull0a050502 lo mine " ]] || fail "$(links)"
	hull_at delete --force "$ID-a"
	[[ $(links) == "lo mine " ]] || fail "$(links)"
	at ip link del mine
	assert_no_bridge
}

@test "bridge: a start that fails leaves nothing, at any step" {
	program /no/such/program
	run_at --net bridge
	expect 1 ""
	assert_no_bridge
	program /bin/true
	config '.linux.sysctl = {"net.ipv4.no_such_key": "1"}'
	run_at --net bridge
	expect 1 ""
	assert_no_bridge
	config 'del(.linux.sysctl) | .root.path = "nowhere"'
	run_at --net bridge
	expect 1 ""
	assert_no_bridge
}

@test "bridge: one that cannot be removed is removed by the next delete" {
	start_at a --net bridge
	hull_at kill "$ID-a" KILL
	wait_for has_no_cable
	capture at setpriv --bounding-set -net_admin --inh-caps -net_admin \
		"$HULL" --root "$STATE" delete "$ID-a"
	expect 1 ""
	expect_error "cannot remove the bridge 'hull0'"
	[[ $(links) == "hull0 lo " ]] || fail "$(links)"
	hull_at delete "$ID-a"
	expect 0
	assert_no_bridge
}

has_no_cable() {
	[[ $(links) == "hull0 lo " ]]
}

@test "bridge: hull is killed, and delete --force removes everything" {
	script 'while :; do sleep 0.1; done'
	nsenter --net="$HOST" "$HULL" --root "$STATE" run --net bridge --pid-file "$T/pid" -b "$BUNDLE" "$ID" \
		>/dev/null 2>&1 </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -s "$T/pid"
	wait_for has_executed "$(<"$T/pid")"
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	[[ $(links) == "hull0 hull0a750002 lo " ]] || fail "$(links)"
	hull_at delete --force "$ID"
	expect 0
	assert_no_bridge
}

@test "bridge: hull is killed during the start; the next one removes what was left, too" {
	config --arg t "$T" '.hooks = {"createRuntime": [{"path": "/bin/sh",
		"args": ["sh", "-c", "echo $$ >\($t)/hook; exec sleep 20"]}]}'
	nsenter --net="$HOST" "$HULL" --root "$STATE" run --net bridge -b "$BUNDLE" "$ID-a" \
		>/dev/null 2>&1 </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -s "$T/hook"
	[[ -s $STATE/@network/leases ]]
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	kill -KILL "$(<"$T/hook")" 2>/dev/null || true
	# Others have removed its state: nobody but the file of leases knows of it.
	wait_for rm_state a
	config 'del(.hooks)'
	script 'ip -o -4 addr show dev eth0 | grep -o "10.117.0.2/24"'
	run_at --net bridge
	expect 0 "10.117.0.2/24"
	assert_no_bridge
}

rm_state() {
	rm -rf "${STATE:?}/$ID-$1" && [[ ! -e $STATE/$ID-$1 ]]
}

@test "bridge: create, start and delete; check and plan take --net, too" {
	script 'ping -c 1 -W 5 10.117.0.1 | grep -o "1 packets received"; sleep 20'
	hull_at create --net bridge --pid-file "$T/pid" -b "$BUNDLE" "$ID-a"
	expect 0
	nsenter --net="/proc/$(<"$T/pid")/ns/net" ip -o -4 addr show dev eth0 | grep -q 10.117.0.2/24
	hull_at start "$ID-a"
	expect 0
	hull_at delete --force "$ID-a"
	assert_no_bridge
	hull_at plan --net bridge=br7 --subnet 10.1.2.0/24 -b "$BUNDLE"
	expect_line "network     eth0, a cable to the bridge br7, subnet 10.1.2.0/24"
	hull_at check --net nothing -b "$BUNDLE"
	expect 2
	expect_match "cannot be 'nothing'"
}

@test "container: the cable is both's: it goes with the last one" {
	start_at a --net bridge
	start_at b --net "container:$ID-a"
	hull_at delete --force "$ID-a"
	expect 0
	inside b ping -c 1 -W 5 10.117.0.1
	expect 0
	# Its address is not given to another one.
	start_at c --net bridge
	inside c ip -o -4 addr show dev eth0
	expect_match '10\.117\.0\.3/24'
	hull_at delete --force "$ID-c"
	[[ $(links) == "hull0 hull0a750002 lo " ]] || fail "$(links)"
	hull_at delete --force "$ID-b"
	expect 0
	assert_no_bridge
}

@test "container: what joins a bridge and fails takes nothing away" {
	start_at a --net bridge
	program /no/such/program
	run_at --net "container:$ID-a"
	expect 1 ""
	inside a ping -c 1 -W 5 10.117.0.1
	expect 0
	hull_at delete --force "$ID-a"
	assert_no_bridge
}

@test "bridge: deleted from another network namespace, it goes with the next one" {
	start_at a --net bridge
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID-a"
	expect 0
	start_at b --net bridge=br7
	[[ $(links) == "br7 hull0a750002 lo " ]] || fail "$(links)"
	hull_at delete --force "$ID-b"
	expect 0
	assert_no_bridge
}

@test "bridge: deleted from another network namespace than that of process 1, it goes at once" {
	script 'while :; do sleep 0.1; done'
	capture timeout 60 unshare --pid --fork --mount-proc --net bash -c 'ip link set lo up
		"$0" --root "$1" run --detach --net bridge -b "$2" "$3" || exit
		ip -o link show hull0 >/dev/null || exit
		unshare --net "$0" --root "$1" delete --force "$3" || exit
		! ip -o link show hull0 2>/dev/null || exit 9
		for i in {1..300}; do # the cable goes with the namespace at its other end, in a while
			[[ $(ip -o link | cut -d: -f2) != " lo" ]] || break
			sleep 0.1
		done
		ip -o link | cut -d: -f2' "$HULL" "$STATE" "$BUNDLE" "$ID" 3>&-
	expect 0 " lo"
	assert_no_bridge
}

# The host has so many routes that it takes a while to find a free subnet; meanwhile somebody makes
# a bridge of that name.
@test "bridge: made by others at the same moment: it is theirs, and stays" {
	local i k
	at ip link add far0 type veth peer name far1
	at ip addr add 192.0.2.1/24 dev far0
	at ip link set far0 up
	at ip link set far1 up
	for i in {0..254}; do
		for k in {0..248..8}; do
			echo "route add 10.117.$i.$k/29 dev far0"
		done
	done >"$T/routes"
	at ip -batch "$T/routes"
	timeout 60 nsenter --net="$HOST" "$HULL" --root "$STATE" run --net bridge -b "$BUNDLE" "$ID" \
		>"$T/out" 2>&1 </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -d "$STATE/@network"
	sleep 0.1
	at ip link add hull0 type bridge
	! wait "$HULL_PID" || fail "it had a bridge before: $(<"$T/out")"
	grep -q "cannot make the bridge 'hull0'" "$T/out" || fail "$(<"$T/out")"
	grep -q 'hint.*at the same moment' "$T/out" || fail "$(<"$T/out")"
	at ip link show hull0 >/dev/null || fail "the others' bridge is gone"
	at ip link del hull0
	at ip link del far0
	assert_no_bridge
}

twelve_have() {
	(($(cat "$T"/out* | grep -c "^10") == 12))
}

@test "bridge: 12 at once, each with an address of its own, and nothing is left" {
	local i pids=()
	script 'ip -o -4 addr show dev eth0 | grep -o "10[.0-9]*/24"; while [ ! -e /go ]; do sleep 0.05; done
		ping -c 1 -W 5 10.117.0.1 >/dev/null && echo reached'
	for i in {1..12}; do
		timeout 60 nsenter --net="$HOST" "$HULL" --root "$STATE" run --net bridge -b "$BUNDLE" \
			"$ID-$i" >"$T/out$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	# All are there at the same time, however long it takes.
	wait_for twelve_have || wait_for twelve_have || wait_for twelve_have || fail "$(cat "$T"/out*)"
	touch "$BUNDLE/rootfs/go"
	wait "${pids[@]}" # and not for all that bats has
	[[ $(cat "$T"/out* | grep -c reached) == 12 ]] || fail "$(cat "$T"/out*)"
	[[ $(cat "$T"/out* | grep -v reached | sort -u | wc -l) == 12 ]] || fail "$(cat "$T"/out*)"
	assert_no_bridge
}

@test "bridge: the file of leases is broken: an error that names it, and nothing is made" {
	mkdir -m 700 "$STATE" "$STATE/@network"
	echo "lease hull0 nonsense" >"$STATE/@network/leases"
	run_at --net bridge
	expect 1 ""
	expect_error 'line 1 of the file of addresses is broken'
	expect_error '@network/leases'
	[[ $(links) == "lo " ]]
	rm "$STATE/@network/leases"
	assert_no_bridge
}

@test "a container without a bridge is deleted whatever is with the file of leases" {
	mkdir -p "$STATE/@network"
	start_at a
	printf 'x\nlease br0 1 10.1.2.3 %s-\n' "$ID" >"$STATE/@network/leases"
	hull_at delete --force "$ID-a"
	expect 0
	start_at a
	printf 'lease br0 1 10.1.2.3 %s-a\nx\n' "$ID" >"$STATE/@network/leases"
	hull_at delete --force "$ID-a"
	expect 1 ""
	expect_error "line 2 of the file of addresses is broken"
	rm "$STATE/@network/leases"
	hull_at delete --force "$ID-a"
	expect 0
	assert_no_bridge
}

@test "a container without a bridge does not wait for the lock of the leases" {
	mkdir -p "$STATE/@network"
	start_at a
	capture timeout 20 flock "$STATE/@network" timeout 8 nsenter --net="$HOST" "$HULL" --root "$STATE" \
		delete --force "$ID-a" 3>&-
	expect 0
	assert_no_bridge
}

@test "bridge: without CAP_NET_ADMIN nothing is made" {
	capture at setpriv --bounding-set -net_admin --inh-caps -net_admin \
		"$HULL" --root "$STATE" run --net bridge -b "$BUNDLE" "$ID"
	expect_error 'may not make or use a bridge'
	assert_no_bridge
}
