#!/usr/bin/env bats
# hull update: what it takes, what it refuses, and with which words. The limits themselves need
# controllers and are tested in the guest (tests/vm/update.bats); two files of cgroup v2 that need
# none, and device rules, are tested here.
# shellcheck disable=SC2034 # INPUT is for H in lib.bash

load ../lib

setup() {
	need_root
	hull_setup
	program /bin/sleep 60
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

@test "update --resources: from a file and from standard input, by the rules of config.json" {
	hull_start
	INPUT='{"unified": {"cgroup.max.descendants": "7"}}'
	H update --resources - "$ID"
	expect 0 ""
	[[ -z $stderr ]] || report "nothing expected on standard error"
	[[ $(<"$CGROUP/cgroup.max.descendants") == 7 ]]
	echo '{"unified": {"cgroup.max.descendants": "8"}}' >"$T/r.json"
	(cd "$T" && "$HULL" --root "$STATE" update --resources=r.json "$ID")
	[[ $(<"$CGROUP/cgroup.max.descendants") == 8 ]]
	H update -r "$T/r.json" "$ID"
	expect 0 ""
}

@test "update --resources: what docker sends without an opinion changes nothing" {
	hull_start
	INPUT='{"memory":{"limit":0,"reservation":0,"kernel":0},"cpu":{"shares":0,"quota":0,"period":0,
		"cpus":"","mems":""},"blockIO":{"weight":0}}'
	H update --resources - "$ID"
	expect 0 ""
	[[ -z $stderr ]] || report "nothing expected on standard error"
	INPUT='{}'
	H update --resources - "$ID"
	expect 0 ""
}

@test "update: problems have their place, and nothing is changed" {
	hull_start
	INPUT='{"unified": {"cgroup.max.descendants": "7"},
 "cpu": {"shares": "x", "quotta": 5}}'
	H update --resources - "$ID"
	expect 1 ""
	expect_error 'standard input: 1 problem and 1 warning, nothing was changed'
	expect_error 'standard input:2:20  cpu.shares: expected an integer'
	expect_error "did you mean 'quota'"
	[[ $(<"$CGROUP/cgroup.max.descendants") == max ]]
	INPUT='{"cpu": '
	H update --resources - "$ID"
	expect 1 ""
	expect_error 'standard input:'
	H update --resources "$T/none" "$ID"
	expect 1 ""
	expect_error "cannot open '$T/none'"
	INPUT='{"unified": {"cgroup.freeze": "1"}}'
	H update --resources - "$ID"
	expect 1 ""
	expect_error "is no limit"
	expect_error 'standard input: 1 problem, nothing was changed'
}

@test "update: options are checked, and named" {
	hull_start
	local args
	while IFS='|' read -r args expected; do
		# shellcheck disable=SC2086 # words
		H update $args "$ID"
		expect 1 ""
		expect_error "$expected"
	done <<-'LIST'
		--cpu-idle 7|--cpu-idle: expected an integer from 0 to 1, found 7
		--cpuset-cpus all|--cpuset-cpus: expected a list of CPUs
		--memory 12q|--memory takes a number of bytes, not '12q'
		--memory 99999999999g|--memory takes a number of bytes
		--pids-limit many|--pids-limit takes a number, not 'many'
		--pids-limit -2|--pids-limit: expected
		--memory 5m --memory-swap 1m|below memory.limit
		--cpu-rt-runtime 5|exists only in cgroup v1
		--l3-cache-schema x|has no class of service
		--memory 5m --resources x|cannot be given together
	LIST
	H update --kernel-memory 5 --kernel-memory-tcp 5 "$ID"
	expect 0 ""
}

@test "update: a controller that this host lacks is named" {
	local controller
	hull_start
	for controller in memory pids cpu; do
		grep -qw "$controller" "$CGROUPS/cgroup.controllers" || break
		controller=
	done
	[[ -n $controller ]] || skip "this host has all controllers: see tests/vm/update.bats"
	INPUT='{"memory": {"limit": 67108864}, "pids": {"limit": 50}, "cpu": {"shares": 100}}'
	H update --resources - "$ID"
	expect 1 ""
	expect_error "the cgroup controller '(memory|pids|cpu)' is not available"
	[[ $stderr != *"no such file"* ]] || report "the controller, not its file"
}

@test "update: containers that do not run" {
	program /bin/true
	H run --keep -b "$BUNDLE" "$ID"
	H update --cpu-share 5 "$ID"
	expect 1 ""
	expect_error "container not running"
	H update --cpu-share 5 "$ID-2"
	expect 1 ""
	expect_error "does not exist"
	hull delete "$ID"
}

@test "update: new device rules take the place of the old ones, a hundred times" {
	local i
	config '.linux.resources.devices = [{"allow": false, "access": "rwm"}]'
	script 'while :; do
		if (: >/dev/kmsg9) 2>/dev/null; then echo open; else echo closed; fi; sleep 0.1; done'
	config '.linux.devices = [{"path": "/dev/kmsg9", "type": "c", "major": 1, "minor": 11}]'
	hull_start
	wait_for grep -q closed "$T/stdout"
	for ((i = 0; i < 100; i++)); do
		INPUT='{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 1,
			"minor": 11, "access": "rwm"}]}'
		H update --resources - "$ID"
		expect 0 ""
	done
	wait_for grep -q open "$T/stdout"
	: >"$T/stdout"
	INPUT='{"devices": [{"allow": false}]}'
	H update --resources - "$ID"
	expect 0 ""
	wait_for eval '[[ $(tail -n 1 "$T/stdout") == closed ]]'
	: >"$T/stdout"
	INPUT='{"devices": [{"allow": true}]}'
	H update --resources - "$ID"
	expect 0 ""
	wait_for eval '[[ $(tail -n 1 "$T/stdout") == open ]]'
}

@test "update: when the kernel refuses one value, all old ones stand, and the device rules" {
	config '.linux.resources = { devices: [{"allow": false, "access": "rwm"}],
		unified: { "cgroup.max.descendants": "5", "cgroup.max.depth": "3" } }'
	config '.linux.devices = [{"path": "/dev/kmsg9", "type": "c", "major": 1, "minor": 11}]'
	script 'while :; do
		if (: >/dev/kmsg9) 2>/dev/null; then echo open; else echo closed; fi; sleep 0.1; done'
	hull_start
	wait_for grep -q closed "$T/stdout"
	INPUT='{"unified": {"cgroup.max.descendants": "7", "cgroup.max.depth": "-8"},
		"devices": [{"allow": true}]}'
	H update --resources - "$ID"
	expect 1 ""
	expect_error "cannot write '-8' to the cgroup's 'cgroup.max.depth'"
	expect_error 'standard input:1:.*unified'
	[[ $(<"$CGROUP/cgroup.max.descendants") == 5 ]] || fail "descendants: $(<"$CGROUP/cgroup.max.descendants")"
	[[ $(<"$CGROUP/cgroup.max.depth") == 3 ]]
	sleep 0.3
	! grep -q open "$T/stdout" || fail "the device rules have changed"
	# The control: it is the one value alone that stood in the way.
	INPUT='{"unified": {"cgroup.max.descendants": "7", "cgroup.max.depth": "8"},
		"devices": [{"allow": true}]}'
	H update --resources - "$ID"
	expect 0 ""
	[[ $(<"$CGROUP/cgroup.max.descendants") == 7 ]]
	wait_for grep -q open "$T/stdout"
}
