# 11. Cgroups path and ownership
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

# cgroup_of: the path of the created container's cgroup below the mount point.
cgroup_of() {
	sed -n 's/^0:://p' "/proc/$(state .pid)/cgroup"
}

rule S-152 MUST - "cgroupsPath: absolute below the mount point; the same value leads to the same place" \
	"/hull-test/ID; the same relative, twice"
S_152() {
	creates
	[[ $(cgroup_of) == "/hull-test/$ID" ]] || fail "absolute: $(cgroup_of)"
	saw "absolute: /hull-test/ID"
	capture rt delete --force "$ID"
	config --arg path "hull-test/$ID" '.linux.cgroupsPath = $path'
	creates
	local first
	first=$(cgroup_of)
	[[ $first == *"hull-test/$ID"* ]] || fail "relative: $first"
	capture rt delete --force "$ID"
	creates
	same "relative, the second time" "$(cgroup_of)" "$first"
}

rule S-153 MAY/MUST - "a path that a runtime holds for invalid is an error" "hull: a path with .."
S_153() {
	only_hull "what is invalid is each runtime's own choice"
	refuses '.linux.cgroupsPath = "/hull-test/../../x"' linux.cgroupsPath
}

rule S-154 MUST - "cgroups that are not there are made" "a path three levels deep; it is gone after delete"
S_154() {
	config --arg path "/hull-test/$ID/deep/er" '.linux.cgroupsPath = $path'
	creates
	[[ -d $CGROUP/deep/er ]] || fail "not there"
	same "cgroup" "$(cgroup_of)" "/hull-test/$ID/deep/er"
	starts
	becomes stopped
	deletes
	[[ ! -d $CGROUP/deep/er ]] || fail "it is left"
}

rule S-155 MAY/MUST crun "a cgroup that is not fit (with processes, frozen) may be refused" \
	"one with a process, which stays; one that is frozen"
S_155() {
	local pid
	mkdir -p "$CGROUP"
	sleep 1000 &
	pid=$!
	echo "$pid" >"$CGROUP/cgroup.procs"
	create
	is_refusal linux.cgroupsPath
	saw "with a process: $(told linux.cgroupsPath)"
	same "the process's cgroup" "$(sed -n 's/^0:://p' "/proc/$pid/cgroup")" "/hull-test/$ID"
	kill "$pid"
	wait "$pid" || true
	echo 1 >"$CGROUP/cgroup.freeze"
	create
	is_refusal linux.cgroupsPath
	echo 0 >"$CGROUP/cgroup.freeze"
	saw "frozen: $(told linux.cgroupsPath)"
}

rule S-156 "SHOULD NOT" - "no change of owners in cgroup v1" "hull uses cgroup v2 alone, and says so in features"
S_156() {
	only_hull "in a view of the machine with cgroup v2 alone"
	same "features: cgroup v1" "$(rt features | jq .linux.cgroup.v1)" false
}

# delegated JSON: a user namespace from 100000 on, user 7, and a mount of the cgroup with these options.
delegated() {
	config --argjson options "$1" '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings | .process.user = {uid: 7, gid: 7} |
		.mounts |= map(if .type == "cgroup" then .options = $options else . end)'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$T"
	program /bin/sleep 1000
}

rw='["nosuid", "noexec", "nodev", "relatime"]'

owner() {
	stat -c %u "$CGROUP/$1"
}

rule S-157 SHOULD crun "the cgroup gets another owner only with a new cgroup namespace and a writable cgroup mount" \
	"both; a mount that is ro; no mount; no cgroup namespace"
S_157() {
	delegated "$rw"
	creates
	[[ $(owner .) != 0 ]] || fail "both: owner 0"
	saw "both: $(owner .)"
	capture rt delete --force "$ID"
	not_owned '.mounts |= map(if .type == "cgroup" then .options += ["ro"] else . end)' "ro"
	not_owned '.mounts |= map(select(.type != "cgroup"))' "no mount"
	not_owned '.linux.namespaces |= map(select(.type != "cgroup"))' "no cgroup namespace"
}

not_owned() {
	changed "$1"
	creates
	same "$2" "$(owner .)" 0
	capture rt delete --force "$ID"
	unchanged
}

rule S-158 MAY crun "its owner is the host's id of process.user.uid" "user 7, mapped to 100007"
S_158() {
	delegated "$rw"
	creates
	same "owner" "$(owner .)" 100007
}

# owned_files: those of the cgroup that belong to another than root.
owned_files() {
	find "$CGROUP" -maxdepth 1 -type f ! -uid 0 -printf '%f\n' | sort | tr '\n' ' '
}

rule S-159 SHOULD - "of the files, those of /sys/kernel/cgroup/delegate; one that is missing is no error" \
	"all files of the cgroup that have another owner (some of the list are not there without controllers)"
S_159() {
	delegated "$rw"
	creates
	same "files" "$(owned_files)" "$(cd "$CGROUP" && sort /sys/kernel/cgroup/delegate |
		while read -r file; do [[ ! -e $file ]] || echo "$file"; done | sort | tr '\n' ' ')"
	SAW="those of the list that there are"
}

rule S-160 MUST - "without that file: cgroup.procs, cgroup.subtree_control, cgroup.threads" \
	"a directory mounted over /sys/kernel/cgroup"
S_160() {
	delegated "$rw"
	config '.mounts |= map(select(.type != "sysfs"))' # the kernel gives none where it is partly hidden
	mount -t tmpfs x /sys/kernel/cgroup
	mounted_on_purpose
	creates
	same "files" "$(owned_files)" "cgroup.procs cgroup.subtree_control cgroup.threads "
}

rule S-161 "SHOULD NOT" - "no other file gets another owner" "cgroup.freeze, cgroup.kill, cgroup.max.depth, cgroup.type"
S_161() {
	delegated "$rw"
	creates
	local file
	[[ $(owner .) != 0 ]] || fail "the cgroup itself has owner 0"
	for file in cgroup.freeze cgroup.kill cgroup.max.depth cgroup.type cgroup.controllers; do
		same "$file" "$(owner "$file")" 0
	done
}
