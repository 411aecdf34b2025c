# 1. Documents, JSON, versions, extensibility
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

rule S-001 MUST - "every rule that is a MUST for the platform is kept" "all lines of this page"
S_001() {
	saw "see there" # `run` sums the others up
}

rule S-002 MUST - "config.json, by that name, in the root of the bundle, is JSON in UTF-8" \
	"a host name of two bytes in UTF-8; the same cut in half; no config.json, but Config.json"
S_002() {
	shows '.annotations = {"com.example.place": "Zürich"}' 'echo ran' ran
	changed '.annotations = {"com.example.place": "Z@rich"}'
	sed -i 's/Z@rich/Z\xc3rich/' "$BUNDLE/config.json"
	refused "config.json"
	unchanged
	mv "$BUNDLE/config.json" "$BUNDLE/Config.json"
	fails "config.json" run -b "$BUNDLE" "$ID"
}

rule S-003 "MUST NOT" runc,crun "an object has no two members of one name" "two members hostname"
S_003() {
	sed -i '1s/{/{"hostname": "first",/' "$BUNDLE/config.json"
	refused hostname
}

rule S-004 MUST - "the order of members means nothing" "all objects of the config turned round"
S_004() {
	script 'hostname; pwd'
	config 'walk(if type == "object" then to_entries | reverse | from_entries else . end)'
	prints $'test\n/'
}

rule S-005 MUST crun,runc "ociVersion is there and a version as SemVer 2.0.0 has it" \
	"none, \"abc\", \"\", \"1.0\", \"01.0.0\", the number 1"
S_005() {
	refuses 'del(.ociVersion)' ociVersion
	refuses '.ociVersion = "abc"' ociVersion
	refuses '.ociVersion = ""' ociVersion
	refuses '.ociVersion = "1.0"' ociVersion
	refuses '.ociVersion = "01.0.0"' ociVersion
	refuses '.ociVersion = 1' ociVersion
}

rule S-006 MUST crun,runc "configs of all older minor versions run, one of another major version does not" \
	"1.0.0, 1.0.2 (hull: 1.1.0, 1.2.1 and 1.3.0 too) run; 2.0.0 and 0.9.0 are refused"
S_006() {
	accepts '.ociVersion = "1.0.0"'
	accepts '.ociVersion = "1.0.2"'
	if [[ $RT == hull ]]; then
		accepts '.ociVersion = "1.1.0"'
		accepts '.ociVersion = "1.2.1"'
		accepts '.ociVersion = "1.3.0"'
	fi
	refuses '.ociVersion = "2.0.0"' ociVersion
	refuses '.ociVersion = "0.9.0"' ociVersion
}

rule S-007 MUST - "a property that is not known is ignored, at every level" \
	"one more member in every object of the config, with lists and objects inside"
S_007() {
	script 'hostname'
	config 'walk(if type == "object" then . + {"com.example.unknown": [1, {"a": null}]} else . end)'
	prints test
}

rule S-008 MUST - "an annotation that is not known is no error" "annotations of a stranger's"
S_008() {
	script 'echo ran'
	config '.annotations = {"com.example.unknown": "x", "plain": "y"}'
	prints ran
}

rule S-009 MUST crun,runc "annotations: a map of strings; a name is not empty, a value may be" \
	"an empty value; an empty name, a number, a list instead of the map"
S_009() {
	accepts '.annotations = {"com.example.empty": ""}'
	refuses '.annotations = {"": "x"}' annotations
	refuses '.annotations = {"com.example.number": 1}' annotations
	refuses '.annotations = ["x"]' annotations
}

rule S-010 SHOULD - "names below org.opencontainers are reserved; a rule for authors, so no error" \
	"a reserved name that means nothing, and one that does; state shows both"
S_010() {
	config '.annotations = {"org.opencontainers.nothing": "a", "org.opencontainers.image.os": "linux"}'
	creates
	same "state shows" "$(state '[.annotations[]] | sort | join(" ")')" "a linux"
}

rule S-011 MAY - "org.opencontainers.image.stopSignal: for the caller of kill" \
	"the caller reads USR1 from state, and kill sends it"
S_011() {
	script 'trap "echo got USR1; exit 3" USR1; echo ready; while :; do sleep 0.05; done'
	config '.annotations = {"org.opencontainers.image.stopSignal": "SIGUSR1"}'
	creates
	starts
	wait_for grep -q ready "$T/out"
	kills "$(state '.annotations["org.opencontainers.image.stopSignal"]')"
	becomes stopped
	is "the program" "got USR1" < <(tail -n 1 "$T/out")
}

rule S-012 MUST - "every value that is invalid or not supported is an error" \
	"one wrong value at a time, in all parts of the config"
S_012() {
	local filter field n=0
	while read -r field filter; do
		refuses "$filter" "$field"
		n=$((n + 1))
	done <<-'VALUES'
		process.cwd .process.cwd = "tmp"
		process.args .process.args = []
		process.user.uid .process.user.uid = -1
		process.user.uid .process.user.uid = 4294967296
		process.env .process.env = "A=b"
		process.rlimits .process.rlimits = [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}]
		process.noNewPrivileges .process.noNewPrivileges = "true"
		process.oomScoreAdj .process.oomScoreAdj = 1001
		root.readonly .root.readonly = "yes"
		mounts[0].destination .mounts[0].destination = 1
		mounts[0].options .mounts[0].options = "ro"
		linux.namespaces .linux.namespaces[0].type = "foo"
		linux.uidMappings .linux.uidMappings = [{"containerID": 0, "hostID": -1, "size": 1}]
		linux.devices .linux.devices = [{"path": "/dev/x", "type": "x", "major": 1, "minor": 3}]
		linux.rootfsPropagation .linux.rootfsPropagation = "foo"
		linux.seccomp .linux.seccomp = {"defaultAction": "SCMP_ACT_FOO"}
		linux.personality .linux.personality = {"domain": "BSD"}
		linux.resources.pids .linux.resources = {"pids": {"limit": "many"}}
		linux.sysctl .linux.sysctl = {"net.ipv4.ip_forward": 1}
		hooks.poststop .hooks = {"poststop": [{"path": 1}]}
		hostname .hostname = 1
		linux.maskedPaths .linux.maskedPaths = ["proc/kcore"]
	VALUES
	SAW="all $n refused"
}

rule S-013 MAY crun "only ociVersion and root are required" \
	"create of these two alone; run of these two and a process"
S_013() {
	script 'echo ran'
	changed '{ociVersion, root}'
	creates
	same "status" "$(state .status)" created
	capture rt delete --force "$ID"
	gone
	unchanged
	config '{ociVersion, root, process}'
	prints ran
}
