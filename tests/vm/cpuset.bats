#!/usr/bin/env bats
# The controller cpuset, where there are two processors to choose from: a guest of its own has them
# (see `run`).
# shellcheck disable=SC2034,SC2153 # variables of and for lib.bash

load lib

setup() {
	guest_setup
	(($(nproc) == 2)) || skip "this guest has one processor"
}

teardown() { guest_teardown; }

@test "cpuset: processors and memory nodes" {
	resources '{ "cpu": { "cpus": "1", "mems": "0" } }'
	script "$(show cpuset.cpus cpuset.mems cpuset.cpus.effective cpuset.mems.effective)"'
		grep Cpus_allowed_list: /proc/self/status | tr "\t" " "'
	hull_run
	expect 0
	expect_value cpuset.cpus 1
	expect_value cpuset.mems 0
	expect_value cpuset.cpus.effective 1
	expect_value cpuset.mems.effective 0
	expect_seen 'Cpus_allowed_list: 1'
}

@test "cpuset: a partition through unified has its processor alone" {
	CGROUP=$CGROUPS/hull-test-$ID
	config --arg path "/hull-test-$ID" '.linux.cgroupsPath = $path'
	resources '{ "cpu": { "cpus": "1" }, "unified": { "cpuset.cpus.partition": "root" } }'
	script "$(show cpuset.cpus.partition)while :; do sleep 1; done"
	hull_start
	wait_for eval 'sleep 0.3; grep -q partition "$T/stdout"'
	output=$(<"$T/stdout")
	left=$(<"$CGROUPS/cpuset.cpus.effective")
	kill -KILL "$PID"
	hull_wait
	expect_value cpuset.cpus.partition root
	[[ $left == 0 ]] || fail "the others may use '$left'"
	observed "the others' cpuset.cpus.effective $left"
	assert_clean
}
