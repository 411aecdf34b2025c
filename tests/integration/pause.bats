#!/usr/bin/env bats
# hull pause and resume, by the freezer, which every cgroup v2 has; and what other commands make of
# a container that is paused.

load ../lib

setup() {
	need_root
	hull_setup
	script 'while :; do echo x; sleep 0.05; done'
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

# capture() writes where hull_start has the container's output.
capture() {
	status=0
	timeout 30 "$@" >"$T/pause.stdout" 2>"$T/pause.stderr" </dev/null || status=$?
	output=$(<"$T/pause.stdout")
	stderr=$(<"$T/pause.stderr")
}
hull() { "$HULL" --root "$STATE" "$@"; }

# status_is WORD: in state and in list.
status_is() {
	H state "$ID"
	[[ $(jq -r .status <<<"$output") == "$1" ]] || report "state: $1 expected"
	H list --format json
	[[ $(jq -r '.[0].status' <<<"$output") == "$1" ]] || report "list: $1 expected"
}

is_growing() {
	local before
	before=$(wc -c <"$T/stdout")
	sleep 0.3
	(($(wc -c <"$T/stdout") > before))
}

@test "pause stops all, resume lets them go on, and the state says so" {
	hull_start
	wait_for is_growing
	status_is running
	H pause "$ID"
	expect 0 ""
	[[ -z $stderr ]] || report "nothing expected on standard error"
	grep -q 'frozen 1' "$CGROUP/cgroup.events"
	! is_growing || fail "it goes on"
	status_is paused
	[[ $(jq -r '.[0].pid' <<<"$output") == "$PID" ]] || report "the pid"
	H resume "$ID"
	expect 0 ""
	wait_for is_growing
	status_is running
}

@test "pause twice and resume twice are errors, as in runc" {
	hull_start
	H resume "$ID"
	expect 1 ""
	expect_error "container not paused"
	H pause "$ID"
	expect 0
	H pause "$ID"
	expect 1 ""
	expect_error "container not running"
	status_is paused
	H resume "$ID"
	expect 0
	H resume "$ID"
	expect 1 ""
	expect_error "container not paused"
}

@test "a paused container is not deleted without force, and with it is" {
	hull_start
	H pause "$ID"
	expect 0
	H delete "$ID"
	expect 1 ""
	expect_error "it is running"
	H delete --force "$ID"
	expect 0 ""
	hull_wait
	assert_clean
}

@test "a paused container can be killed" {
	hull_start
	H pause "$ID"
	expect 0
	H kill "$ID" KILL
	expect 0 ""
	hull_wait
	expect 137
	assert_clean
}

@test "TERM waits for resume" {
	script 'trap "exit 7" TERM; echo x; while :; do sleep 0.05; done'
	hull_start
	wait_for grep -q x "$T/stdout"
	H pause "$ID"
	expect 0
	H kill "$ID"
	expect 0
	status_is paused
	H resume "$ID"
	expect 0
	hull_wait
	expect 7
	assert_clean
}

@test "pause and resume of containers that have ended or never were" {
	program /bin/true
	hull run --keep -b "$BUNDLE" "$ID"
	H pause "$ID"
	expect 1 ""
	expect_error "container not running"
	H resume "$ID"
	expect 1 ""
	H pause "$ID-2"
	expect 1 ""
	expect_error "does not exist"
	hull delete "$ID"
}

@test "a cgroup above that is frozen: paused, and resume says why it cannot help" {
	# A parent of its own: /hull-test is other tests' too.
	local above=$CGROUPS/hull-test/$ID-above
	config --arg path "/hull-test/$ID-above/$ID" '.linux.cgroupsPath = $path'
	hull_start
	echo 1 >"$above/cgroup.freeze"
	wait_for grep -q 'frozen 1' "$above/$ID/cgroup.events"
	status_is paused
	H resume "$ID"
	echo 0 >"$above/cgroup.freeze"
	expect 1 ""
	expect_error "frozen by a cgroup above"
}

@test "a created container: paused, resumed, listed, killed, and deleted without force" {
	hull create -b "$BUNDLE" "$ID" >"$T/stdout" 2>"$T/stderr" </dev/null 3>&-
	status_is created
	H pause "$ID"
	expect 0 ""
	status_is paused
	H resume "$ID"
	expect 0 ""
	status_is created
	H ps --format json "$ID"
	expect 0
	[[ $(jq length <<<"$output") == 1 ]] || report "one process expected"
	H kill "$ID" KILL
	expect 0 ""
	wait_for status_is stopped
	H delete "$ID"
	expect 0 ""
	assert_clean
}
