# Existing namespaces of all kinds (S-121), network namespaces of other user namespaces, and the
# clocks of a time namespace (S-128 to S-130).
load ../lib

setup() {
	hull_setup
	need_root
}

teardown() {
	[[ -z ${OWNER:-} ]] || kill -KILL "$OWNER" 2>/dev/null || true
	drop_namespaces "$T"/{net,ipc,uts,time,cgroup,pid,mnt,user}
	hull_teardown
}

# join TYPE PATH: this namespace and no other of its kind.
join() {
	config --arg t "$1" --arg p "$2" '.linux.namespaces |= map(select(.type != $t)) + [{"type": $t, "path": $p}]'
}

# make NAME OPTION: a namespace that is kept at $T/NAME.
make() {
	touch "$T/$1"
	timeout 20 unshare "--$2=$T/$1" true 3>&-
	host_mounts >"$T/mountinfo"
}

@test "S-121: existing namespaces of every kind that need no process" {
	local kind
	while read -r kind option type; do
		make "$kind" "$option"
		join "$type" "$T/$kind"
	done <<-'END'
		net net network
		ipc ipc ipc
		uts uts uts
		cgroup cgroup cgroup
		time time time
	END
	script 'for kind in net ipc uts cgroup time; do readlink /proc/self/ns/$kind; done'
	hull_run
	expect 0
	for kind in net ipc uts cgroup time; do
		expect_line "$kind:[$(stat -Lc %i "$T/$kind")]"
	done
	for kind in net ipc uts cgroup time; do
		umount "$T/$kind"
	done
	host_mounts >"$T/mountinfo"
	assert_clean
}

@test "S-121: a path of another kind is an error for every kind, and nothing is started" {
	local type other
	for type in network ipc uts cgroup time pid mount user; do
		other=/proc/self/ns/net
		[[ $type != network ]] || other=/proc/self/ns/ipc
		make_config
		join "$type" "$other"
		[[ $type != mount ]] || config 'del(.mounts, .linux.maskedPaths, .linux.readonlyPaths)'
		hull_run
		expect 1 ""
		expect_error "'$other' is not an? $type namespace"
		expect_error 'config.json.*linux.namespaces\[[0-9]+\].path'
		assert_clean
	done
}

# The test's config.json as it was in the beginning.
make_config() {
	jq --arg cgroup "/hull-test/$ID" --arg mark "HULL_TEST=$ID" \
		'.linux.cgroupsPath = $cgroup | .process.env += [$mark]' \
		"$TOP/tests/base.json" >"$BUNDLE/config.json"
}

# A user namespace with a network namespace of its own; $OWNER is the process that holds them.
make_owner() {
	unshare --user --map-root-user --net sleep 100 >/dev/null 2>&1 </dev/null 3>&- &
	OWNER=$!
	wait_for owner_is_there
	nsenter --user --net --target "$OWNER" --preserve-credentials \
		ip link add far0 type veth peer name far1
}

owner_is_there() {
	[[ $(readlink "/proc/$OWNER/ns/net") != "$(readlink /proc/self/ns/net)" &&
		$(<"/proc/$OWNER/uid_map") == *0*0*1* ]]
}

CAPS='{"bounding": ["CAP_NET_ADMIN"], "effective": ["CAP_NET_ADMIN"], "permitted": ["CAP_NET_ADMIN"]}'

@test "a network namespace of another user namespace is joined, by root with all rights over it" {
	make_owner
	join network "/proc/$OWNER/ns/net"
	config --argjson c "$CAPS" '.process.capabilities = $c'
	script 'readlink /proc/self/ns/net; ip link set far0 up && ip -o link show far0 | grep -o "[<,]UP[,>]"'
	hull_run
	expect 0 "$(readlink "/proc/$OWNER/ns/net")"$'\n,UP,'
	assert_clean
}

@test "the same from a new user namespace: it is joined, and its capabilities do not reach there" {
	make_owner
	join network "/proc/$OWNER/ns/net"
	config --argjson c "$CAPS" '.process.capabilities = $c |
		.linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}] |
		.linux.gidMappings = .linux.uidMappings |
		.mounts |= map(select(.type != "sysfs" and (.type | startswith("cgroup") | not)))'
	script 'readlink /proc/self/ns/net; ip link set far0 up 2>/dev/null || echo refused'
	hull_run
	expect 0 "$(readlink "/proc/$OWNER/ns/net")"$'\nrefused'
	assert_clean
}

@test "a network namespace together with the user namespace that owns it" {
	make_owner
	join network "/proc/$OWNER/ns/net"
	join user "/proc/$OWNER/ns/user"
	config --argjson c "$CAPS" '.process.capabilities = $c |
		.mounts |= map(select(.type != "devpts" and .type != "cgroup" and .type != "cgroup2"))'
	script 'readlink /proc/self/ns/net; readlink /proc/self/ns/user; ip link set far0 up && echo up'
	hull_run
	expect 0 "$(readlink "/proc/$OWNER/ns/net")"$'\n'"$(readlink "/proc/$OWNER/ns/user")"$'\nup'
	assert_clean
}

# --- clocks ---

@test "S-128: both clocks, forward and back, to the nanosecond" {
	config '.linux.namespaces += [{"type": "time"}] |
		.linux.timeOffsets = {"monotonic": {"secs": 1000, "nanosecs": 999999999},
			"boottime": {"secs": -1, "nanosecs": 5}}'
	script 'tr -s " " " " </proc/self/timens_offsets'
	hull_run
	expect 0 $'monotonic 1000 999999999\nboottime -1 5'
	config '.linux.timeOffsets = {}'
	hull_run
	expect 0 $'monotonic 0 0\nboottime 0 0'
	assert_clean
}

@test "S-128: an offset that the kernel cannot have is an error with its place" {
	local offsets
	for offsets in '{"boottime": {"secs": -9000000000}}' '{"monotonic": {"secs": 9000000000000000}}'; do
		config --argjson o "$offsets" '.linux.namespaces = (.linux.namespaces + [{"type": "time"}] | unique_by(.type)) |
			.linux.timeOffsets = $o'
		hull_run
		expect 1 ""
		expect_error 'linux.timeOffsets'
		assert_clean
	done
}

@test "S-129, S-130: an unknown clock, no time namespace, an existing one: each an error" {
	make time time
	config '.linux.timeOffsets = {"boottime": {"secs": 1}}'
	hull_run
	expect 1 ""
	expect_error 'offsets need a time namespace'
	join time "$T/time"
	hull_run
	expect 1 ""
	expect_error 'offsets need a new time namespace'
	join time ""
	config '.linux.timeOffsets = {"realtime": {"secs": 1}}'
	hull_run
	expect 1 ""
	expect_error "unknown clock 'realtime'"
	assert_clean
}
