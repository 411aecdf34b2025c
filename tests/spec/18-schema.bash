# 18. Limits that only the JSON schema states
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

rule S-240 SCHEMA - "ioPriority requires class alone (the text: priority, too)" "class without priority"
S_240() {
	config '.process.ioPriority = {"class": "IOPRIO_CLASS_BE"}'
	run
	if ((status == 0)); then
		saw "accepted, as by the schema"
	else
		is_refusal process.ioPriority
		saw "refused, as by the text"
	fi
	refuses '.process.ioPriority = {"priority": 3}' process.ioPriority.class
}

rule S-241 SCHEMA - "rlimits: RLIMIT_ and capitals; execCPUAffinity: digits, commas, minus, blanks" \
	"RLIMIT_nofile; \"a\"; \"0, 1\""
S_241() {
	refuses '.process.rlimits = [{"type": "RLIMIT_nofile", "soft": 1, "hard": 1}]' 'process.rlimits[0].type'
	refuses '.process.execCPUAffinity = {"initial": "a"}' process.execCPUAffinity.initial
}

rule S-242 SCHEMA - "fileMode up to 0777, ids and umask of 32 bits, weight of 16; pids.limit is required (not by the text)" \
	"an umask and an id that are too large, a weight of 65536; pids {}; a mode with more bits is taken: podman sends the whole st_mode"
S_242() {
	refuses '.process.user.umask = 4294967296' process.user.umask
	refuses '.process.user.gid = 4294967296' process.user.gid
	refuses '.linux.resources = {"blockIO": {"weight": 65536}}' linux.resources.blockIO.weight
	accepts '.linux.resources = {"pids": {}}'
	accepts '.linux.devices = [{"path": "/dev/c", "type": "c", "major": 1, "minor": 3, "fileMode": 8630}]'
	saw "pids {} and fileMode 020666 accepted"
}

rule S-243 SCHEMA - "timeout of a hook: an integer of at least 1; a netDevice: an object with a string name" \
	"0, 1.5, a string; a string instead of the object, a number as the name"
S_243() {
	refuses '.hooks = {"poststop": [{"path": "/bin/true", "timeout": 0}]}' 'hooks.poststop[0].timeout'
	refuses '.hooks = {"poststop": [{"path": "/bin/true", "timeout": 1.5}]}' 'hooks.poststop[0].timeout'
	refuses '.hooks = {"poststop": [{"path": "/bin/true", "timeout": "5"}]}' 'hooks.poststop[0].timeout'
	refuses '.linux.netDevices = {"lo": "eth0"}' linux.netDevices.lo
	refuses '.linux.netDevices = {"lo": {"name": 23}}' linux.netDevices.lo.name
}

# examples GLOB: their names, without those of other systems.
examples() {
	local file
	for file in "$TOP"/tests/inputs/spec-data/schema/test/config/$1; do
		[[ ${file##*/} == freebsd* || ${file##*/} == zos* ]] || echo "$file"
	done
}

# finds NAME FIELD FILTER: hull check of a good example, changed by the filter, has one error, in that
# field and about this machine, not about the document; or none.
finds() {
	local found
	jq "$3" "$TOP/tests/inputs/spec-data/schema/test/config/good/$1.json" >"$BUNDLE/config.json"
	capture rt check -b "$BUNDLE"
	found=$(sed -nE '/warning/d; s/^ *config\.json:[0-9]+:[0-9]+ +([^ ]*): .*/\1/p' <<<"$output$stderr")
	[[ $found =~ ^$2$ ]] || report "check of good/$1.json: $2 expected, got $found"
	((status == 0 || status == 2)) || report "check of good/$1.json"
}

rule S-244 SCHEMA - "memBwSchema begins with MB:, page sizes are such as 2MB; the examples of the specification" \
	"both broken; the good and the bad examples for Linux through hull check (to the good ones a process and a network namespace are added, where missing; 0.5.0-dev is taken for 1.3.0)"
S_244() {
	local file n=0 ready='.process //= {cwd: "/", args: ["/bin/true"], user: {uid: 0, gid: 0}} |
		.linux.namespaces //= [{type: "network"}] | .root.path = "rootfs"'
	refuses '.linux.resources = {"hugepageLimits": [{"pageSize": "64kB", "limit": 1}]}' \
		'linux.resources.hugepageLimits[0].pageSize'
	refuses '.linux.intelRdt = {"memBwSchema": "0=5"}' linux.intelRdt.memBwSchema
	[[ $RT == hull ]] || return 0
	for file in $(examples 'bad/*.json'); do
		cp "$file" "$BUNDLE/config.json"
		capture rt check -b "$BUNDLE"
		((status == 2)) || report "check takes ${file##*/}"
		n=$((n + 1))
	done
	saw "$n bad ones refused"
	finds minimal '' "$ready"
	finds minimal-for-start '' "$ready"
	finds linux-netdevice '(linux.netDevices.*)?' "$ready"
	finds linux-rdma '(linux.resources.rdma.*)?' "$ready"
	finds spec-example linux.resources.memory.swappiness '.ociVersion = "1.3.0"'
	[[ $(examples 'good/*.json' | wc -l) == 5 ]] || fail "there are other good ones"
	saw "5 good ones: nothing found, but swappiness, which cgroup v2 has not, and what this machine has not"
	unit test_spec_inputs test_schema_examples
}

rule S-245 SCHEMA - "memoryPolicy.mode is not required by the schema (but by the text); nodes has no pattern" \
	"no mode; nodes \"0-\", \"x\""
S_245() {
	refuses '.linux.memoryPolicy = {"nodes": "0"}' linux.memoryPolicy.mode
	refuses '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0-"}' linux.memoryPolicy.nodes
	refuses '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "x"}' linux.memoryPolicy.nodes
}
