#!/usr/bin/env bats
# hull features: that it is what the specification's schema wants, and true; and the commands that
# hull does not have.

load ../lib

setup() {
	hull_setup
}

teardown() {
	hull_teardown
}

# validates FILE: against the schema of the features; python says why not.
validates() {
	/usr/bin/python3 -W ignore - "$TOP/tests/inputs/spec-data/schema" "$1" <<-'EOF'
		import json, pathlib, sys
		import jsonschema
		base, instance = pathlib.Path(sys.argv[1]), sys.argv[2]
		schema = json.loads((base / "features-schema.json").read_text())
		uri = (base / "features-schema.json").as_uri()
		resolver = jsonschema.RefResolver(uri, schema)
		jsonschema.Draft4Validator(schema, resolver=resolver).validate(json.load(open(instance)))
	EOF
}

@test "features is valid by the schema of the specification" {
	capture "$HULL" features
	expect 0
	[[ -z $stderr ]] || report "nothing expected on standard error"
	validates "$T/stdout"
	# The check itself: it takes good samples and refuses bad ones, of linux too.
	validates "$TOP/tests/inputs/spec-data/schema/test/features/good/runc.json"
	! validates "$TOP/tests/inputs/spec-data/schema/test/features/bad/missing-ociVersionMax.json" ||
		fail "a bad sample is accepted"
	jq '.linux.seccomp.actions += ["SCMP_ACT_NO"]' "$T/stdout" >"$T/bad"
	! validates "$T/bad" || fail "an unknown action is accepted"
}

# feature FILTER EXPECTED
feature() {
	[[ $(jq -c "$1" "$T/stdout") == "$2" ]] || report "$1: $2 expected"
}

@test "features claims what hull carries out, and nothing that it refuses" {
	capture "$HULL" features
	feature '[.ociVersionMin, .ociVersionMax]' '["1.0.0","1.3.0"]'
	feature '.hooks' \
		'["prestart","createRuntime","createContainer","startContainer","poststart","poststop"]'
	feature '.linux.namespaces | sort' \
		'["cgroup","ipc","mount","network","pid","time","user","uts"]'
	feature '[.linux.cgroup.v1, .linux.cgroup.v2]' '[false,true]'
	feature '.linux.capabilities | length, index("CAP_SYS_ADMIN") != null' $'41\ntrue'
	feature '[.mountOptions | index("ro", "rro", "rbind") != null] | all' 'true'
	feature '.linux.memoryPolicy.modes | length, index("MPOL_BIND") != null' $'7\ntrue'
	feature '.linux.memoryPolicy.flags' \
		'["MPOL_F_STATIC_NODES","MPOL_F_RELATIVE_NODES","MPOL_F_NUMA_BALANCING"]'
	feature '.linux.intelRdt | [.enabled, .schemata, .monitoring]' '[true,true,true]'
	feature '.annotations["org.opencontainers.runc.checkpoint.enabled"]' '"false"'
	feature '.potentiallyUnsafeConfigAnnotations' '["dev.hull.","org.systemd.property."]'
	feature .linux.cgroup.systemd true
	feature .linux.cgroup.systemdUser true
}

# plans FILTER: whether the bundle, changed so, can be planned.
plans() {
	make_bundle "$T/other"
	jq "$1" "$T/other/config.json" >"$T/changed"
	mv "$T/changed" "$T/other/config.json"
	"$HULL" plan -b "$T/other" >"$T/plan" 2>&1
}

@test "every mount option that features names can be planned" {
	local options
	need_root
	capture "$HULL" features
	options=$(jq -c '[.mountOptions[] | select(test("bind|remount|idmap") | not)]' "$T/stdout")
	[[ $(jq length <<<"$options") -gt 40 ]] || report "more options expected"
	make_bundle "$T/all"
	jq --argjson o "$options" \
		'.mounts += [$o[] | {destination: "/tmp", type: "tmpfs", source: "x", options: [.]}]' \
		"$T/all/config.json" >"$T/changed"
	mv "$T/changed" "$T/all/config.json"
	capture "$HULL" plan -b "$T/all"
	expect 0
}

# claims_as_planned FILTER CHANGE: a feature is claimed if and only if its use can be planned.
claims_as_planned() {
	local claimed=no planned=no
	[[ $(jq "$1" "$T/features") != true ]] || claimed=yes
	! plans "$2" || planned=yes
	[[ $claimed == "$planned" ]] || fail "$1: claimed $claimed, planned $planned" "$(<"$T/plan")"
}

@test "features and the plan agree on what is there" {
	need_root
	"$HULL" features >"$T/features"
	plans '.' || fail "$(<"$T/plan")"
	claims_as_planned '.linux.netDevices.enabled' '.linux.netDevices = {"eth0": {}}'
	claims_as_planned '.linux.intelRdt.enabled' '.linux.intelRdt = {"closID": "x"}'
	claims_as_planned '.linux.memoryPolicy.modes | index("MPOL_INTERLEAVE") != null' \
		'.linux.memoryPolicy = {"mode": "MPOL_INTERLEAVE", "nodes": "0"}'
	claims_as_planned '.linux.seccomp.actions | index("SCMP_ACT_LOG") != null' \
		'.linux.seccomp = {"defaultAction": "SCMP_ACT_LOG"}'
	claims_as_planned '.linux.mountExtensions.idmap.enabled' \
		'.mounts += [{"destination": "/mnt", "type": "none", "source": "/tmp",
			"options": ["rbind", "idmap"],
			"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
			"gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}]}]'
}

@test "--version: the name before the word, and the specification's version" {
	local option
	for option in --version -v; do
		capture "$HULL" "$option"
		expect 0
		[[ ${lines[0]} =~ ^hull\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]] || report "another first line"
		expect_line "spec: 1.3.0"
	done
}

@test "checkpoint and restore: one line and a failure, also when they are asked for help" {
	local args
	for args in 'checkpoint --help' 'restore --help' 'checkpoint --image-path /x id' \
		'restore --lsm-mount-context' 'checkpoint'; do
		# shellcheck disable=SC2086 # words
		capture hull $args
		expect 1 ""
		expect_error "hull makes no checkpoints"
		[[ $stderr != *$'\n'* ]] || report "one line expected"
	done
}

@test "global options that engines pass are accepted" {
	capture hull --rootless=true --criu /usr/sbin/criu --log-format=json --log "$T/log" list -q
	expect 0 ""
	capture hull --rootless auto --debug list -q
	expect 0
	capture hull --systemd-cgroup list -q
	expect 0 ""
}
