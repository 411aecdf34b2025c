# 8. Linux namespaces, mappings, time
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

# own_namespaces: for each type, whether the program's is another than that of the caller.
list_namespaces='for t in pid net mnt ipc uts user cgroup time; do readlink /proc/self/ns/$t; done'

compare_namespaces() {
	local host
	host=$(sh -c "$list_namespaces")
	script "$list_namespaces"
	run
	expect 0
	differ=$(paste -d' ' <(echo "$host") <(echo "$output") |
		awk '{ split($1, t, ":"); print t[1] "=" ($1 == $2 ? "the caller'"'"'s" : "new") }' | tr '\n' ' ')
	[[ $(wc -w <<<"$output") == 8 ]] || fail "of eight namespaces: $output"
}

rule S-118 SHOULD - "namespaces pid network mount ipc uts user cgroup time" "all eight; /proc/self/ns inside and outside"
S_118() {
	config '.linux.namespaces += [{"type": "user"}, {"type": "time"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	compare_namespaces
	same "namespaces" "$differ" "pid=new net=new mnt=new ipc=new uts=new user=new cgroup=new time=new "
}

rule S-119 MUST - "an unknown type is an error" "type foo, none"
S_119() {
	refuses '.linux.namespaces += [{"type": "foo"}]' 'linux.namespaces[6].type'
	refuses '.linux.namespaces += [{}]' 'linux.namespaces[6].type'
}

ns_path() {
	config --arg type "$1" --arg path "$2" \
		'.linux.namespaces |= map(if .type == $type then .path = $path else . end)'
}

rule S-120 MUST crun "path of a namespace is absolute" "a relative path to one that is there"
S_120() {
	cd "$BUNDLE"
	touch ipc
	unshare --ipc="$BUNDLE/ipc" true
	mounted_on_purpose
	ns_path ipc ipc
	refused 'linux.namespaces[4].path'
	umount "$BUNDLE/ipc"
}

rule S-121 MUST - "the process is put into the namespace at path; one of another type is an error" \
	"a network namespace with a sysctl of its own; a uts namespace for it; a file that is none"
S_121() {
	touch "$T/net" "$T/uts" "$T/none"
	unshare --net="$T/net" sysctl -qw net.ipv4.ip_unprivileged_port_start=77
	unshare --uts="$T/uts" true
	mounted_on_purpose
	ns_path network "$T/net"
	script 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start'
	prints 77
	ns_path network "$T/uts"
	refused 'linux.namespaces[1].path'
	ns_path network "$T/none"
	refused 'linux.namespaces[1].path'
	ns_path network "$T/nothing"
	refused 'linux.namespaces[1].path'
	umount "$T/net" "$T/uts"
}

rule S-122 MUST - "without a path a new one; a type that is absent: the caller's" \
	"pid, mount and ipc alone"
S_122() {
	config '.linux.namespaces = [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}] | del(.hostname) |
		.mounts |= map(select(.type != "sysfs"))'
	compare_namespaces
	same "namespaces" "$differ" "pid=new net=the caller's mnt=new ipc=new uts=the caller's \
user=the caller's cgroup=the caller's time=the caller's "
}

rule S-123 MUST - "no type is given twice" "pid twice"
S_123() {
	refuses '.linux.namespaces += [{"type": "pid"}]' 'linux.namespaces[6]'
}

with_userns() {
	config '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = $maps | .linux.gidMappings = $maps' \
		--argjson maps "$1"
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$T"
}

rule S-124 MUST - "mappings: containerID, hostID and size are required; there may be several" \
	"two ranges, seen in uid_map and gid_map; each member missing; a size of 0"
S_124() {
	with_userns '[{"containerID": 0, "hostID": 100000, "size": 1000}, {"containerID": 5000, "hostID": 300000, "size": 7}]'
	script 'cat /proc/self/uid_map /proc/self/gid_map | tr -s " " | sed "s/^ //"'
	prints $'0 100000 1000\n5000 300000 7\n0 100000 1000\n5000 300000 7'
	[[ $RT == hull ]] || return 0
	local member
	for member in containerID hostID size; do
		refuses "del(.linux.uidMappings[1].$member)" "linux.uidMappings[1].$member"
	done
	refuses '.linux.gidMappings[0].size = 0' 'linux.gidMappings[0].size'
}

rule S-125 "SHOULD NOT" - "owners of the referenced file systems are not changed for a mapping" \
	"a file of the image and of a bind: their owners on the host, before and after"
S_125() {
	with_userns '[{"containerID": 0, "hostID": 100000, "size": 1000}]'
	mkdir "$T/src"
	touch "$T/src/file" "$BUNDLE/rootfs/file"
	chown 3:4 "$T/src/file" "$BUNDLE/rootfs/file"
	add_mount "{\"destination\": \"/mnt\", \"source\": \"$T/src\", \"options\": [\"bind\"]}"
	script 'stat -c %u:%g /file /mnt/file'
	prints $'65534:65534\n65534:65534'
	same "on the host" "$(stat -c %u:%g "$T/src/file" "$BUNDLE/rootfs/file" | tr '\n' ' ')" "3:4 3:4 "
}

rule S-126 MUST - "mappings without a user namespace are an error" "uidMappings alone, gidMappings alone"
S_126() {
	refuses '.linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 1}]' linux.uidMappings
	refuses '.linux.gidMappings = [{"containerID": 0, "hostID": 0, "size": 1}]' linux.gidMappings
}

own_userns() {
	local its
	its=$(readlink "/proc/$1/ns/user") && [[ $its != $(readlink /proc/self/ns/user) ]]
}

rule S-127 INFO - "a user namespace by path, and mappings (engines send both)" \
	"the mappings that it has"
S_127() {
	local maps='[{"containerID": 0, "hostID": 100000, "size": 1000}]'
	unshare --user sleep 1000 &
	local holder=$!
	wait_for own_userns "$holder"
	echo 0 100000 1000 >"/proc/$holder/uid_map"
	echo 0 100000 1000 >"/proc/$holder/gid_map"
	with_userns "$maps"
	ns_path user "/proc/$holder/ns/user"
	script 'tr -s " " </proc/self/uid_map'
	prints " 0 100000 1000"
	kill "$holder"
}

rule S-128 MUST - "timeOffsets: of boottime and monotonic, seconds and nanoseconds" \
	"1000 s and 5 ns of one, 2000 s of the other, seen in /proc/self/timens_offsets"
S_128() {
	config '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {
		"boottime": {"secs": 1000, "nanosecs": 5}, "monotonic": {"secs": 2000}}'
	script 'tr -s " " </proc/self/timens_offsets'
	prints $'monotonic 2000 0\nboottime 1000 5'
	refuses '.linux.timeOffsets.boottime.nanosecs = 1000000000' linux.timeOffsets.boottime
}

rule S-129 MUST crun "another clock is an error" "timeOffsets of foo, and of realtime"
S_129() {
	config '.linux.namespaces += [{"type": "time"}]'
	refuses '.linux.timeOffsets = {"foo": {"secs": 1}}' linux.timeOffsets
	refuses '.linux.timeOffsets = {"realtime": {"secs": 1}}' linux.timeOffsets
}

rule S-130 MUST - "timeOffsets need a new time namespace" "none; one by path"
S_130() {
	refuses '.linux.timeOffsets = {"boottime": {"secs": 1}}' linux.timeOffsets
	refuses '.linux.namespaces += [{"type": "time", "path": "/proc/self/ns/time"}] |
		.linux.timeOffsets = {"boottime": {"secs": 1}}' linux.timeOffsets
}
