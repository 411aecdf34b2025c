# The bundles of tests/faults/run that have something outside the container: a place on a bridge,
# devices of the host, an agent, a class of service, a scope of systemd. For each bundle there may be
#	ready_NAME    before each start
#	left_NAME     prints what of it is left, in a word
#	held_NAME     after a start that succeeded: was it there for the container?
#	undo_NAME     before the next start: what even delete has left
#	global_NAME   options of hull's, before the command
# The sweep has a network namespace of its own, which stands for the host's.
# shellcheck shell=bash disable=SC2154,SC2034,SC2317,SC2016 # of run; called by their names

all+=(bridge devices devices_in agent resctrl resctrl_named systemd)

# own_of KIND: calls that function of this bundle, if it has one.
own_of() {
	local function=$1_${name#*:}
	! declare -F "$function" >/dev/null || "$function"
}

# ---- --net bridge ------------------------------------------------------------------------------

bundle_bridge() {
	bundle_plain
}

options_bridge() {
	printf '%s\n' --net bridge
}

left_bridge() {
	local links
	links=$(ip -o link show | cut -d: -f2)
	[[ $links == ' lo' ]] || echo "network:${links//$'\n'/}"
	[[ ! -s $work/state/@network/leases ]] || echo lease
}

undo_bridge() {
	local link
	for link in $(ip -o link show | sed -E 's/^[0-9]+: ([^:@]*).*/\1/'); do
		[[ $link == lo ]] || ip link del "$link" 2>/dev/null
	done
	rm -f "$work/state/@network/leases"
}

# ---- linux.netDevices --------------------------------------------------------------------------

device_there=''

bundle_devices() {
	bundle_plain | jq '.linux.netDevices = { "dev0": { "name": "net0" } }'
}

# Into a namespace that outlives the container.
bundle_devices_in() {
	hold_namespaces
	bundle_joined | jq '.linux.netDevices = { "dev0": { "name": "net0" } }'
}

# It is one end of a cable, with what must come back with it.
ready_devices() {
	undo_devices
	ip -batch - <<-END
		link add dev0 txqueuelen 77 type veth peer name peer0
		link set peer0 up
		link set dev0 mtu 1400 address 02:00:00:00:00:07 alias one addrgenmode none
		addr add 192.0.2.1/24 broadcast 192.0.2.255 label dev0:x dev dev0
		addr add 2001:db8::1/64 nodad dev dev0
		link set dev0 up
		route add 10.9.0.0/16 via 192.0.2.7 dev dev0
	END
	device_before=$(device dev0)
	rm -f "$work/noted"
}

ready_devices_in() {
	ready_devices
}

# device NAME [COMMAND...]: all of it, but for what the kernel does in its own time.
device() {
	local name=$1
	shift
	"$@" ip -d -o link show dev "$name" 2>/dev/null |
		sed -E 's/^[0-9]+: ([^@:]*)[^<]*/\1 /; s/,?(NO-CARRIER|LOWER_UP)//g; s/state [A-Z]+//; s/qdisc [a-z]+//
			s/link-netnsid [0-9]+//; s/numtxqueues.*//'
	"$@" ip -o addr show dev "$name" 2>/dev/null | sed -E 's/^[0-9]+: //; s/ tentative//'
	"$@" ip route show dev "$name" 2>/dev/null | sed 's/ linkdown//'
}

in_held() {
	nsenter --net="/proc/$held/ns/net" "$@"
}

# It comes back with an error, but may stay with a program that has begun. From a namespace of the
# container's own that a killed hull leaves, the kernel takes it.
left_devices() {
	local now
	now=$(device dev0)
	if [[ $now ]]; then
		[[ $now == "$device_before" && $result != "${expected_result:-exit 7}" ]] || echo device
	else
		[[ -s $work/report || $aimed == kill:* ]] || echo device
	fi
}

# From one that stays it comes back also when hull was killed, but for one that was given away: of that
# the state notes nothing more.
left_devices_in() {
	local now
	now=$(device dev0)
	[[ ! -e $work/state/c/devices ]] || : >"$work/noted"
	if [[ $now ]]; then
		[[ $now == "$device_before" && $result != "${expected_result:-exit 7}" ]] || echo device
	else
		[[ $(device net0 in_held) == "$device_there" ]] &&
			[[ -s $work/report || ($aimed == kill:* && ! -e $work/noted) ]] || echo device
	fi
}

# As the undisturbed start has left it there.
held_devices_in() {
	[[ $device_there ]] || device_there=$(device net0 in_held)
	[[ $device_there && $(device net0 in_held) == "$device_there" ]]
}

undo_devices() {
	ip link del peer0 2>/dev/null
}

undo_devices_in() {
	undo_devices
}

# ---- an agent of seccomp -----------------------------------------------------------------------

# It answers the program's mkdir by an error that nobody else would.
bundle_agent() {
	bundle_plain | jq --arg path "$work/agent/socket" '
		.linux.seccomp.syscalls |= (map(.names -= ["mkdir"])
			+ [{ "names": ["mkdir"], "action": "SCMP_ACT_NOTIFY" }])
		| .linux.seccomp.listenerPath = $path | .linux.seccomp.listenerMetadata = "faults"'
}

# It lives for a minute.
ready_agent() {
	local tries
	undo_agent
	mkdir "$work/agent"
	"$work/bin/agent" "$work/agent/socket" "$work/agent/log" mkdir=122 </dev/null >/dev/null 2>&1 3>&- &
	agent=$!
	for tries in {1..500}; do
		! grep -qs listening "$work/agent/log" || return 0
		sleep 0.01
	done
	echo "# no agent" >&2
}

undo_agent() {
	[[ -z ${agent:-} ]] || { kill -KILL "$agent" && wait "$agent" 2>/dev/null; }
	agent=
	rm -rf "$work/agent"
}

# ---- linux.intelRdt ----------------------------------------------------------------------------

# The class is the container's own. The tree is of plain files; what the kernel does to it, inject.c
# does: it says that it is resctrl, fills what is made there, and empties what goes, whose files it
# keeps in $work/classes.
classes=/sys/fs/resctrl

bundle_resctrl() {
	[[ -d $classes ]] || make_resctrl >&2
	bundle_plain | jq '.linux.intelRdt = { "schemata": ["L3:0=f"], "enableMonitoring": true }'
}

# Where this kernel has no place for it, there is one in the view of the sweep.
make_resctrl() {
	mkdir "$work/cgroup"
	mount --move /sys/fs/cgroup "$work/cgroup"
	mount -t tmpfs none /sys/fs
	mkdir /sys/fs/cgroup "$classes" "$work/classes"
	mount --move "$work/cgroup" /sys/fs/cgroup
	mkdir "$classes/info" "$classes/mon_groups"
	echo ok >"$classes/info/last_cmd_status"
	echo "L3:0=ff" >"$classes/schemata"
	: >"$classes/tasks"
}

inject_resctrl() {
	printf '%s\n' -r "$classes" -k "$work/classes"
}

left_resctrl() {
	[[ ! -e $classes/c ]] || echo class
}

# One that could not be removed is still there.
held_resctrl() {
	was_in c.tasks && was_in c.mon_groups.c.tasks && [[ $(class_file c.schemata) == L3:0=f ]]
}

was_in() {
	[[ $(class_file "$1") ]]
}

class_file() {
	local files=("$work/classes/$1" "$classes/${1//.//}")
	cat "${files[@]}" 2>/dev/null
}

ready_resctrl() {
	undo_resctrl
	rm -f "$work/noted"
}

undo_resctrl() {
	rm -rf "$classes/c" "$classes/gold" "$work/classes"/*
}

# One that closID names stays for others, once the container is there.
bundle_resctrl_named() {
	[[ -d $classes ]] || make_resctrl >&2
	bundle_plain | jq '.linux.intelRdt = { "closID": "gold", "schemata": ["L3:0=f"], "enableMonitoring": true }'
}

inject_resctrl_named() {
	inject_resctrl
}

ready_resctrl_named() {
	ready_resctrl
}

# While the state says that it is the container's, whoever removes that removes the class.
left_resctrl_named() {
	[[ -e $classes/gold ]] || return
	[[ ! -e $classes/gold/mon_groups/c ]] || echo group
	! grep -qsE '"rdtOwned": ?true' "$work/state/c/state.json" || : >"$work/noted"
	[[ -s $work/report || ($aimed == kill:* && ! -e $work/noted) ]] || echo class
}

held_resctrl_named() {
	was_in gold.tasks && was_in gold.mon_groups.c.tasks && [[ $(class_file gold.schemata) == L3:0=f ]]
}

undo_resctrl_named() {
	undo_resctrl
}

# ---- a scope of systemd ------------------------------------------------------------------------

# The systemd is that of the integration tests, which makes cgroups as the real one does.
bundle_systemd() {
	[[ -n ${bus:-} ]] || begin_bus >&2
	bundle_plain | jq --arg path "${parent#/}:hull:c" '.linux.cgroupsPath = $path'
}

begin_bus() {
	local tries
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$work/bus
	timeout 6000 python3 "$top/tests/integration/systemd.py" "$work/bus" /sys/fs/cgroup "$work/calls" \
		</dev/null >"$work/bus.out" 2>&1 3>&- &
	bus=$!
	for tries in {1..500}; do
		[[ ! -S $work/bus ]] || return 0
		sleep 0.02
	done
	echo "# no systemd" >&2
}

global_systemd() {
	echo --systemd-cgroup
}
