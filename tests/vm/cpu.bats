#!/usr/bin/env bats
# The controllers cpu and pids, and bad lists for cpuset (cpuset.bats): each limit is set in config.json, read back from the inside,
# and its effect seen. Runs in the guest. Emulation is slow, so effects are counters of the kernel
# and proportions, never times.
# shellcheck disable=SC2034,SC2153 # variables of and for lib.bash

load lib

setup() { guest_setup; }

teardown() {
	local name
	for name in a b; do
		[[ ! -e ${STATE:-/none}/$ID-$name ]] ||
			hull delete --force "$ID-$name" >/dev/null 2>&1 || true
	done
	guest_teardown
}

# ---- cpu ----

@test "cpu: a quota throttles, and what was saved up of it is used in bursts" {
	resources '{ "cpu": { "quota": 5000, "period": 50000, "burst": 5000 } }'
	script "$(show cpu.max cpu.max.burst)"'
		for x in 1 2 3; do
			i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); done; sleep 0.3
		done
		'"$(counter nr_throttled cpu.stat; counter nr_bursts cpu.stat)"
	hull_run
	expect 0
	expect_value cpu.max "5000 50000"
	expect_value cpu.max.burst 5000
	expect_above nr_throttled 0
	expect_above nr_bursts 0
}

# beside CPU_A CPU_B FACTOR: two containers that only count, on one processor: the second one gets
# more than FACTOR times as much.
beside() {
	local name cgroup=$CGROUPS/hull-test/$ID a b values=("$1" "$2")
	script 'while :; do :; done'
	for name in a b; do
		config --arg path "/hull-test/$ID/$name" '.linux.cgroupsPath = $path'
		[[ $name == a ]] || values=("${values[1]}")
		config --argjson cpu "${values[0]}" '.linux.resources = { cpu: $cpu }'
		hull run --detach -b "$BUNDLE" "$ID-$name" >/dev/null 2>&1 </dev/null 3>&-
	done
	ROW_SET="a: cpu $1, b: cpu $2"
	shown cpu.weight "$(cat "$cgroup"/{a,b}/cpu.weight | paste -sd :)"
	shown cpu.idle "$(cat "$cgroup"/{a,b}/cpu.idle | paste -sd :)"
	sleep 0.5
	a=$(used a) b=$(used b)
	sleep 2
	a=$(($(used a) - a)) b=$(($(used b) - b))
	observed "used a:b = $((a / 1000)):$((b / 1000)) ms"
	((b > a * $3)) || fail "the second was to get $3 times as much: $a, $b"
	hull delete --force "$ID-a"
	hull delete --force "$ID-b"
}

used() {
	sed -n 's/^usage_usec //p' "$CGROUPS/hull-test/$ID/$1/cpu.stat"
}

@test "cpu: shares become a weight, and the weight a share" {
	beside '{ "shares": 1024 }' '{ "shares": 8192 }' 2
	[[ ${ROW_SHOWN[0]} == 'cpu.weight 39:313' ]] || fail "${ROW_SHOWN[@]}"
}

@test "cpu: idle gets what the others leave" {
	beside '{ "shares": 512, "idle": 1 }' '{ "shares": 2, "idle": 0 }' 1
	[[ ${ROW_SHOWN[1]} == 'cpu.idle 1:0' ]] || fail "${ROW_SHOWN[@]}"
}

# ---- cpuset ----

@test "cpuset: lists that are none, and processors that are not there" {
	resources '{ "cpu": { "cpus": "0-x" } }'
	hull_run
	refused "cpu.cpus: expected a list of CPUs"
	resources '{ "cpu": { "cpus": "0,4000" } }'
	hull_run
	refused "cannot write '0,4000' to the cgroup's 'cpuset.cpus'"
	resources '{ "cpu": { "mems": "7" } }'
	hull_run
	refused "cannot write '7' to the cgroup's 'cpuset.mems'"
	assert_clean
}

# ---- pids ----

@test "pids: fork fails at the limit" {
	resources '{ "pids": { "limit": 6 } }'
	script "$(show pids.max)"'
		sh -c "for i in 1 2 3 4 5 6 7 8; do sleep 600 & done" 2>&1
		read -r name count </sys/fs/cgroup/pids.events; echo "$name $count"'
	hull_run
	expect 0
	expect_value pids.max 6
	expect_match "can't fork: Resource temporarily unavailable"
	expect_above max 0
	assert_clean
}

@test "pids: one process alone may run, and below zero nothing starts" {
	resources '{ "pids": { "limit": 1 } }'
	script 'read -r n </sys/fs/cgroup/pids.max; echo "pids.max $n"; echo alone'
	hull_run
	expect 0
	expect_value pids.max 1
	expect_seen alone
	resources '{ "pids": { "limit": 0 } }'
	hull_run
	refused .
	assert_clean
}
