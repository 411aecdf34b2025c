# 17. Features
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

features() {
	rt features >"$T/features" 2>"$T/stderr" || cannot "it has no features"
	[[ -s $T/features ]] || cannot "it has no features"
}

feature() {
	jq -r "$1" "$T/features"
}

# claims FILTER EXPECTED
claims() {
	same "$1" "$(jq -c "$1" "$T/features")" "$2"
}

rule S-228 MUST - "ociVersionMin and ociVersionMax are there, in order, and both are accepted" \
	"a bundle of each version; the schema of the features"
S_228() {
	features
	valid features-schema.json "$T/features"
	local min max
	min=$(feature .ociVersionMin) max=$(feature .ociVersionMax)
	printf '%s\n%s\n' "$min" "$max" | sort -VC || fail "$min is above $max"
	accepts ".ociVersion = \"$min\""
	accepts ".ociVersion = \"$max\""
	saw "$min to $max"
}

# known_since VERSION NAME...: none of these properties is there when ociVersionMax is older.
known_since() {
	local since=$1 name
	shift
	printf '%s\n%s\n' "$since" "$(feature .ociVersionMax | sed 's/[-+].*//')" | sort -VC && return
	for name in "$@"; do
		[[ $(jq "$name == null" "$T/features") == true ]] || fail "$name is newer than ociVersionMax"
	done
}

rule S-229 "MUST NOT" crun "no property that ociVersionMax does not have" \
	"the names of all members, and since when they exist"
S_229() {
	features
	known_since 1.2.0 .potentiallyUnsafeConfigAnnotations .linux.mountExtensions
	known_since 1.3.0 .linux.netDevices .linux.memoryPolicy .linux.intelRdt.schemata .linux.intelRdt.monitoring
	same "unknown names" "$(jq -r '(keys - ["annotations", "hooks", "linux", "mountOptions", "ociVersionMax",
		"ociVersionMin", "potentiallyUnsafeConfigAnnotations"]) + (.linux | keys - ["apparmor", "capabilities",
		"cgroup", "intelRdt", "memoryPolicy", "mountExtensions", "namespaces", "netDevices", "seccomp",
		"selinux"]) | join(" ")' "$T/features")" ""
}

rule S-230 MUST - "null means unknown, and is not false or []" "hull: no null anywhere, and explicit values"
S_230() {
	features
	same "nulls" "$(jq '[.. | select(. == null)] | length' "$T/features")" 0
	claims '.linux.cgroup.v1 | type' '"boolean"'
	claims '.linux.namespaces | type' '"array"'
}

rule S-231 SHOULD - "the same on every host" "in namespaces without /sys and /run, as another user: compared"
S_231() {
	features
	unshare --mount --propagation private sh -c \
		'mount -t tmpfs x /sys; mount -t tmpfs x /run; exec "$0" features' "$PROGRAM" >"$T/without" 2>"$T/stderr" </dev/null ||
		fail "without /sys: $(<"$T/stderr")"
	diff "$T/features" "$T/without" >"$T/diff" || fail "differs without /sys: $(head -n 3 "$T/diff")"
	saw "without /sys and /run: the same"
	chmod 755 "$T"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$PROGRAM" features >"$T/nobody" 2>"$T/stderr" </dev/null ||
		fail "as nobody: $(<"$T/stderr")"
	diff "$T/features" "$T/nobody" >"$T/diff" || fail "differs as nobody: $(head -n 3 "$T/diff")"
	saw "as nobody: the same"
}

# all_of FILTER CHANGE: the bundle runs with the change, in which $w is a list of the features, and
# nothing is said of its words on standard error.
all_of() {
	local list
	list=$(jq -c "$1" "$T/features")
	[[ $(jq length <<<"$list") -gt 0 ]] || fail "$1 is empty"
	changed .
	config --argjson w "$list" --arg src "$T/src" "$2"
	run
	((status == 0)) || report "of $1 something is not known"
	! grep -iE 'warning.*unknown' "$T/stderr" >"$T/said" || report "$1: $(<"$T/said")"
	unchanged
	saw "$1: $(jq length <<<"$list")"
}

# by_itself: each word of the features is one that another item tries for what it does.
by_itself() {
	local prefix='s/^(SCMP_ARCH|SCMP_CMP|SECCOMP_FILTER_FLAG)_//' missing
	missing=$(comm -23 \
		<(feature '.hooks[], .mountOptions[], .linux.namespaces[], (.linux.seccomp | .actions[], .operators[],
			.archs[], .knownFlags[]), (.linux.memoryPolicy | .modes[], .flags[])' | sed -E "$prefix" | sort -u) \
		<(awk '/^[A-Za-z_0-9]+\(\) *\{/ { inside = !/^S_232/ } inside; /^}/ { inside = 0 }' \
			"$SPEC"/[0-9][0-9]-*.bash | tr -c 'A-Za-z0-9_' '\n' | sed -E "$prefix" | sort -u))
	same "words that no other item tries" "$missing" ""
}

# decoded MASK: its capabilities by name, in capitals, one a line.
decoded() {
	capsh --decode="$1" | sed 's/.*=//' | tr 'a-z,' 'A-Z\n' | sort
}

# each_capability: those are given whose place in the list has a bit, for one bit after the other: so
# no two of them can be taken for each other.
each_capability() {
	local bit list have
	have=$(decoded "$(awk '/^CapBnd/ { print $2 }' /proc/self/status)")
	script 'exec awk "/^CapEff/ { print \$2 }" /proc/self/status'
	for bit in 1 2 4 8 16 32; do
		list=$(jq -c --argjson bit "$bit" \
			'[.linux.capabilities | to_entries[] | select(.key / $bit | floor % 2 == 1) | .value]' "$T/features")
		config --argjson w "$list" '.process.capabilities = {bounding: $w, permitted: $w, effective: $w}'
		run
		[[ $status == 0 && $(decoded "$output") == "$(comm -12 <(echo "$have") <(jq -r '.[]' <<<"$list" | sort))" ]] ||
			report "capabilities with bit $bit"
	done
	saw "each capability is the right one"
}

rule S-232 MUST - "what is listed is known: hooks, mount options, namespaces, capabilities, all of seccomp" \
	"a bundle with all words of each list; hull: no word that no other item tries, and each capability seen from inside"
S_232() {
	features
	mkdir -p "$T/src"
	all_of .hooks '.hooks = ($w | map({(.): [{path: (if . == "startContainer" then "/bin/busybox"
		else "/bin/true" end), args: ["true"]}]}) | add)'
	all_of .mountOptions '.mounts += ($w | map(. as $o | {destination: "/m/\($o)"} +
		if test("idmap") then {source: $src, options: ["bind", $o],
			uidMappings: [{containerID: 0, hostID: 0, size: 9}], gidMappings: [{containerID: 0, hostID: 0, size: 9}]}
		elif test("^r?bind$") then {source: $src, options: [$o]}
		elif $o == "remount" then {destination: "/dev/shm", type: "tmpfs", source: "shm", options: [$o, "nosuid"]}
		else {type: "tmpfs", source: "x", options: [$o]} end))'
	all_of .linux.namespaces '.linux.namespaces = ($w | map({type: .})) |
		.linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	all_of .linux.capabilities '.process.capabilities.bounding = $w'
	all_of .linux.seccomp.actions '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: ($w |
		map(select(. != "SCMP_ACT_NOTIFY" and . != "SCMP_ACT_ALLOW")) | to_entries |
		map({names: [["swapoff", "swapon", "acct", "reboot", "syslog", "vhangup", "quotactl", "pivot_root"][.key]],
			action: .value}))}'
	all_of .linux.seccomp.operators '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: ($w |
		map({names: ["swapoff"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 1, op: .}]}))}'
	all_of .linux.seccomp.archs '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: $w,
		syscalls: [{names: ["swapoff"], action: "SCMP_ACT_ERRNO"}]}'
	if [[ $(feature '.linux.seccomp.supportedFlags | length') != 0 ]]; then
		all_of .linux.seccomp.supportedFlags '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
			flags: ($w - ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]),
			syscalls: [{names: ["swapoff"], action: "SCMP_ACT_ERRNO"}]}'
	fi
	[[ $RT == hull ]] || return 0
	by_itself
	each_capability
}

rule S-233 "SHOULD NOT" - "no options of one file system in mountOptions" "the list, against options of tmpfs, overlay, devpts, proc"
S_233() {
	features
	same "of them in the list" "$(jq -r '[.mountOptions[] | select(test("=") or (. as $o | ["size", "mode", "uid",
		"gid", "nr_inodes", "huge", "newinstance", "ptmxmode", "hidepid", "subset", "lowerdir", "upperdir",
		"workdir", "index", "xino"] | index($o) != null))] | join(" ")' "$T/features")" ""
}

rule S-234 MAY - "linux.cgroup: v1, v2, systemd, systemdUser, rdma" \
	"all five; v2 is true, and that of systemd is what --systemd-cgroup says"
S_234() {
	features
	claims '.linux.cgroup.v2' true
	claims '.linux.cgroup | [.v1, .systemd, .systemdUser, .rdma] | map(type) | unique' '["boolean"]'
	[[ $RT == hull ]] || return 0
	local taken=false
	! rt --systemd-cgroup list -q >/dev/null 2>&1 || taken=true
	same "--systemd-cgroup" "$(feature .linux.cgroup.systemd)" "$taken"
}

rule S-235 MAY - "linux.seccomp: enabled, actions, operators, archs, knownFlags, supportedFlags" \
	"all six; what is supported is known"
S_235() {
	features
	claims '.linux.seccomp.enabled' true
	claims '.linux.seccomp | [.actions, .operators, .archs, .knownFlags] | map(length > 0) | all' true
	claims '.linux.seccomp | .supportedFlags - .knownFlags' '[]'
}

rule S-236 MAY - "apparmor, selinux, intelRdt, memoryPolicy, mountExtensions, netDevices" \
	"all of them; and whether the plan knows them, with what hull says of each"
S_236() {
	features
	claims '.linux | [.apparmor.enabled, .selinux.enabled, .intelRdt.enabled, .intelRdt.schemata,
		.intelRdt.monitoring, .mountExtensions.idmap.enabled, .netDevices.enabled] | map(type) | unique' '["boolean"]'
	claims '.linux.memoryPolicy | [.modes, .flags] | map(type) | unique' '["array"]'
	claims '.linux | [.apparmor.enabled, .selinux.enabled, .intelRdt.enabled, .intelRdt.schemata,
		.intelRdt.monitoring, .mountExtensions.idmap.enabled, .netDevices.enabled] | all' true
	claims '.linux.memoryPolicy | [.modes, .flags] | map(length)' '[7,3]'
}

rule S-237 MAY - "annotations; potentiallyUnsafeConfigAnnotations, a prefix where it ends in a dot" \
	"those of hull that mean anything begin with a listed prefix"
S_237() {
	features
	claims '.annotations | type' '"object"'
	claims '.potentiallyUnsafeConfigAnnotations | map(type) | unique' '["string"]'
	[[ $RT != hull ]] || claims '.potentiallyUnsafeConfigAnnotations | index("dev.hull.") != null' true
}

rule S-238 INFO - "the schema of the features lacks memoryPolicy, and intelRdt's schemata and monitoring" \
	"hull has them all the same, and satisfies the schema"
S_238() {
	features
	valid features-schema.json "$T/features"
	claims '.linux | [has("memoryPolicy"), (.intelRdt | has("schemata"), has("monitoring"))] | all' true
	! grep -q memoryPolicy "$TOP/tests/inputs/spec-data/schema/features-linux.json" || fail "the schema has it now"
}

rule S-239 INFO - "idmap and ridmap in mountOptions (runc leaves them out)" "both are there"
S_239() {
	features
	claims '[.mountOptions[] | select(test("^r?idmap$"))] | sort' '["idmap","ridmap"]'
}
