#!/usr/bin/env bats
# hull kill: which processes get which signal, also those that a first process cannot answer for,
# and that nobody else ever gets one.

load ../lib

setup() {
	need_root
	hull_setup
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

# A program that tells which signals it gets, and ends with TERM.
start_listener() {
	script 'trap "echo got TERM; exit 5" TERM; trap "echo got USR1" USR1; trap "echo got HUP" HUP
		echo ready; while :; do sleep 0.1; done'
	hull_start
	wait_for grep -q ready "$T/stdout"
}

without_pid_namespace() {
	config '.linux.namespaces |= map(select(.type != "pid"))'
}

# The first process is killed behind the back of its hull, which was killed before: what else the
# container has goes on.
orphan() {
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	kill -KILL "$PID"
	wait_for test ! -d "/proc/$PID"
}

@test "kill: without a signal it is TERM" {
	start_listener
	capture hull kill "$ID"
	expect 0 ""
	[[ -z $stderr ]] || report "nothing expected on standard error"
	hull_wait
	expect 5
	expect_line "got TERM"
	assert_clean
}

@test "kill: a number, a name, a name with SIG, in small letters, and --signal" {
	local n=0 arg
	start_listener
	for arg in 10 USR1 SIGUSR1 sigusr1; do
		capture hull kill "$ID" "$arg"
		expect 0 ""
		n=$((n + 1))
		wait_for eval '[[ $(grep -c USR1 "$T/stdout") == '$n' ]]'
	done
	capture hull kill --signal HUP "$ID"
	expect 0 ""
	hull kill "$ID" TERM
	hull_wait
	expect 5
}

# capture() writes where hull_start has the container's output.
capture() {
	status=0
	"$@" >"$T/kill.stdout" 2>"$T/kill.stderr" </dev/null || status=$?
	output=$(<"$T/kill.stdout")
	stderr=$(<"$T/kill.stderr")
}

@test "kill: signals that there are not" {
	start_listener
	capture hull kill "$ID" TREM
	expect 1 ""
	expect_error "unknown signal 'TREM'; did you mean 'TERM'"
	capture hull kill "$ID" 65
	expect 1 ""
	expect_error "unknown signal '65'"
	capture hull kill --signal TERM "$ID" TERM
	expect 1 ""
	expect_error "given twice"
	kill -0 "$PID"
}

@test "kill: the words that engines look for" {
	capture hull kill "$ID" KILL
	expect 1 ""
	expect_error "container '$ID' does not exist"
	program /bin/true
	capture hull run --keep -b "$BUNDLE" "$ID"
	capture hull kill "$ID" TERM
	expect 1 ""
	expect_error "container not running"
	capture hull --log "$T/log" --log-format json kill "$ID" KILL
	expect 1 ""
	[[ $(jq -r .msg "$T/log") == *"container not running"* ]] || report "$(<"$T/log")"
	capture hull kill --all "$ID" 9
	expect 0 ""
}

@test "kill KILL ends all processes of a container without a pid namespace" {
	without_pid_namespace
	script 'sleep 61 & sleep 62 & setsid sleep 63 & wait'
	hull_start
	wait_for eval '(($(container_processes | wc -l) >= 4))'
	capture hull kill "$ID" KILL
	expect 0 ""
	hull_wait
	expect 137
	assert_clean
}

@test "kill KILL ends a frozen container, and what it has moved into cgroups of its own" {
	without_pid_namespace
	script 'sleep 61 & echo $! >/tmp/child; wait'
	hull_start
	wait_for eval '(($(container_processes | wc -l) >= 2))'
	mkdir -p "$CGROUP/a/b"
	pgrep -P "$PID" >"$CGROUP/a/b/cgroup.procs"
	echo 1 >"$CGROUP/cgroup.freeze"
	wait_for grep -q 'frozen 1' "$CGROUP/cgroup.events"
	capture timeout 20 "$HULL" --root "$STATE" kill "$ID" KILL
	expect 0 ""
	hull_wait
	expect 137
	assert_clean
}

@test "kill KILL has succeeded when nobody is left, also in more cgroups than signals reach" {
	script 'sleep 61 & wait'
	hull_start
	mkdir -p "$CGROUP/$(printf 'd/%.0s' {1..260})"
	capture timeout 20 "$HULL" --root "$STATE" kill "$ID" KILL
	expect 0 ""
	hull_wait
	expect 137
	assert_clean
}

@test "kill --all reaches every process once, below too, and spares the others" {
	without_pid_namespace
	script 'for i in 1 2 3; do
			sh -c "trap \"echo got USR1\" USR1; echo ready; while :; do sleep 0.1; done" &
		done; trap "echo got USR1" USR1; echo ready; while :; do sleep 0.1; done'
	hull_start
	wait_for eval '[[ $(grep -c ready "$T/stdout") == 4 ]]'
	mkdir "$CGROUP/below"
	pgrep -P "$PID" -f trap | head -n 1 >"$CGROUP/below/cgroup.procs"
	sleep 64 3>&- &
	local other=$!
	capture hull kill --all "$ID" USR1
	expect 0 ""
	wait_for eval '[[ $(grep -c "got USR1" "$T/stdout") == 4 ]]'
	sleep 0.3
	[[ $(grep -c "got USR1" "$T/stdout") == 4 ]] || report "$(<"$T/stdout")"
	kill -KILL "$other" # which is still there
	capture hull kill -a "$ID" KILL
	expect 0 ""
	hull_wait
	assert_clean
}

@test "kill --all works when the first process has ended" {
	without_pid_namespace
	script 'sleep 61 & sleep 62 & wait'
	hull_start
	wait_for eval '(($(container_processes | wc -l) >= 3))'
	orphan
	[[ -n $(container_processes) ]]
	capture hull kill "$ID" 9
	expect 1 ""
	expect_error "container not running"
	capture hull kill --all "$ID" 9
	expect 0 ""
	wait_for eval '[[ -z $(container_processes) ]]'
	capture hull delete "$ID"
	expect 0 ""
	assert_clean
}

# The state says that there is no cgroup, as for a user who may not have one.
forget_cgroup() {
	jq 'del(.hull.cgroup, .hull.cgroupKept)' "$STATE/$ID/state.json" >"$T/s"
	cp "$T/s" "$STATE/$ID/state.json"
}

@test "without a cgroup: the first process, and all only by the end of their pid namespace" {
	start_listener
	forget_cgroup
	capture hull kill --all "$ID" USR1
	expect 1 ""
	expect_error "has no cgroup"
	capture hull ps --format json "$ID"
	expect 1 ""
	expect_error "has no cgroup"
	capture hull pause "$ID"
	expect 1 ""
	expect_error "has no cgroup"
	capture hull kill "$ID" USR1
	expect 0 ""
	wait_for grep -q USR1 "$T/stdout"
	capture hull kill --all "$ID" KILL
	expect 0 ""
	hull_wait
	expect 137
}

@test "without a cgroup and a pid namespace nobody says that all were killed" {
	without_pid_namespace
	script 'sleep 61 & wait'
	hull_start
	wait_for eval '(($(container_processes | wc -l) == 2))'
	forget_cgroup
	capture hull kill --all "$ID" KILL
	expect 1 ""
	expect_error "has no cgroup"
	kill -0 "$PID"
	capture hull kill "$ID" KILL
	expect 0 ""
	hull_wait
	expect 137
}

@test "a process that has got the number of the first one is spared" {
	program /bin/sleep 60
	hull_start
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	sleep 65 3>&- &
	local other=$! stat
	# What the state says of the process, but with another one's number; then another boot's.
	jq --argjson pid "$other" '.pid = $pid' "$STATE/$ID/state.json" >"$T/s"
	cp "$T/s" "$STATE/$ID/state.json"
	capture hull kill "$ID" KILL
	expect 1 ""
	expect_error "container not running"
	read -r stat <"/proc/$other/stat"
	# shellcheck disable=SC2086 # its fields
	set -- ${stat##*) }
	jq --argjson start "${20}" '.hull.pidStart = $start | .hull.bootId = "another"' "$T/s" \
		>"$STATE/$ID/state.json"
	capture hull kill "$ID" KILL
	expect 1 ""
	expect_error "container not running"
	kill -KILL "$other" # which is still there
	kill -KILL "$PID"
}

@test "kill --regex and delete --regex take all that match, and only those" {
	local i last
	program /bin/sleep 60
	for i in a b other; do
		config --arg path "/hull-test/$ID-$i" '.linux.cgroupsPath = $path'
		"$HULL" --root "$STATE" run --pid-file "$T/pid-$i" -b "$BUNDLE" "$ID-$i" \
			>"$T/stdout-$i" 2>"$T/stderr-$i" </dev/null 3>&- &
		last=$!
		wait_for test -s "$T/pid-$i" || fail "$(<"$T/stderr-$i")"
		wait_for has_executed "$(<"$T/pid-$i")"
	done
	capture hull kill --regex "^$ID-[ab]\$" KILL
	expect 0 ""
	wait_for test ! -e "$STATE/$ID-a"
	wait_for test ! -e "$STATE/$ID-b"
	kill -0 "$(<"$T/pid-other")"
	capture hull kill --regex '[' KILL
	expect 1 ""
	expect_error "not a regular expression"
	capture hull kill --regex '^nobody$' KILL
	expect 0 ""
	capture hull delete --regex "^$ID-oth"
	expect 1 ""
	expect_error "it is running"
	capture hull delete --force --regex "^$ID-oth"
	expect 0 ""
	wait "$last" || true
	[[ ! -e $STATE/$ID-other ]] || report "the state is left"
}
