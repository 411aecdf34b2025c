#!/usr/bin/env bats
# Signals to hull while its container starts (R-088, R-091): those that do not end the start are the
# program's, once it is there; until then they neither end nor disturb anybody.

load ../lib

setup() {
	need_root
	hull_setup
	: >"$T/log"
}

teardown() {
	[[ -z ${HULL_PID:-} ]] || kill -KILL "$HULL_PID" 2>/dev/null || true
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] ||
		timeout 20 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 3>&- || true
	hull_teardown
}

# slow KIND: a hook of that kind, which notes that it runs and waits for $T/go, at most ten seconds.
slow() {
	local hook=$T/hook body="echo begun >>'$T/log'"
	body+="; for i in \$(seq 500); do [ ! -e '$T/go' ] || exit 0; sleep 0.02; done; exit 1"
	printf '#!/bin/bash\n%s\n' "$body" >"$hook"
	chmod +x "$hook"
	config --arg kind "$1" --arg path "$hook" \
		'.hooks[$kind] = [{path: $path, env: ["PATH=/usr/bin:/bin"]}]'
}

# A program that says which signals it got in the first moments of its life.
counting() {
	script 'trap "n=\"\$n alrm\"" ALRM; trap "n=\"\$n usr1\"" USR1; trap "n=\"\$n rt\"" 37
		trap "n=\"\$n cont\"" CONT; trap "n=\"\$n tstp\"" TSTP
		for i in 1 2 3 4 5 6; do sleep 0.1; done; for s in $n; do echo $s; done | sort'
}

# begin [OPTION of run...]: runs the bundle in the background, up to its hook.
begin() {
	rm -f "$T/go"
	: >"$T/log"
	"$HULL" --root "$STATE" run "$@" -b "$BUNDLE" "$ID" >"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for grep -q begun "$T/log" || fail "no hook runs: $(<"$T/stderr")"
}

# go_on: the hook ends, and hull too, in the end.
go_on() {
	: >"$T/go"
	wait_for is_gone || fail "hull does not end"
	hull_wait
	HULL_PID=
	output=${output//$'\r'/}
}

is_gone() {
	[[ ! -e /proc/$HULL_PID ]] || is_in_state Z
}

is_in_state() {
	[[ $(cat "/proc/$HULL_PID/stat" 2>/dev/null) == *") $1 "* ]]
}

send() {
	local signal
	for signal in "$@"; do
		kill "-$signal" "$HULL_PID"
	done
}

# Twice what is pending is pending once.
each_once() {
	local kind
	for kind in createRuntime createContainer; do
		config 'del(.hooks)'
		slow $kind
		begin "$@"
		send USR1 USR1 ALRM RTMIN+3 ALRM
		sleep 0.1
		go_on
		expect 0 $'alrm\nrt\nusr1'
		assert_clean
	done
}

@test "R-091: signals during a start reach the program, each once" {
	counting
	each_once
}

@test "R-091: signals during a start, without a pid namespace" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	counting
	each_once
}

@test "R-091: signals during a start, with --init" {
	counting
	each_once --init
}

@test "R-091: signals during a start, with a terminal" {
	config '.process.terminal = true'
	counting
	each_once
}

@test "R-091: signals during a hook in the container" {
	config '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c",
		"echo begun >/tmp/log; while [ ! -e /tmp/go ]; do sleep 0.02; done"]}]'
	counting
	add_mount "$(jq -n --arg dir "$T" '{destination: "/tmp", type: "bind", source: $dir, options: ["bind"]}')"
	begin
	send USR1 ALRM RTMIN+3
	go_on
	expect 0 $'alrm\nrt\nusr1'
	assert_clean
}

@test "R-091: a program without a handler dies by what came early, and the sender is named" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	program /bin/sleep 20
	slow createRuntime
	begin
	send USR1
	go_on
	expect 138 ""
	grep -q "killed by SIGUSR1 after .*, which hull got from 'bash'" "$T/stderr" || report "no sender"
	assert_clean
}

@test "R-090: a stop while hooks of the host run stops hull at once, and not the program" {
	counting
	slow createRuntime
	begin
	send TSTP
	wait_for is_in_state T || fail "hull does not stop"
	send CONT USR1
	wait_for is_in_state S
	go_on
	expect 0 $'cont\nusr1'
	assert_clean
}

@test "R-090: a stop that is continued before the program runs is no stop" {
	counting
	slow createContainer
	begin
	send TSTP CONT
	go_on
	expect 0 cont
	assert_clean
}

@test "R-090: a stop that comes early reaches the program, and then stops hull" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	counting
	slow createContainer
	begin
	send TSTP
	sleep 0.1
	wait_for is_in_state S || fail "hull stops before there is a program"
	: >"$T/go"
	wait_for is_in_state T || fail "hull does not stop"
	send CONT
	go_on
	expect 0 $'cont\ntstp'
	assert_clean
}

@test "R-090: the size of the window is the program's, whenever it changed" {
	config '.process.terminal = true'
	slow createRuntime
	script 'for i in 1 2 3 4 5; do sleep 0.1; done; echo done'
	begin
	send WINCH WINCH
	go_on
	expect 0 "done"
	assert_clean
}

# ---- what nobody hears ----

# told COMMAND...: hull has said it, at the latest after another signal.
told() {
	kill -TERM "$HULL_PID"
	sleep 0.2
	grep -q "process 1 of '$ID' has no handler for SIGTERM, and goes on" "$T/stderr"
}

@test "a signal that process 1 has no handler for: hull says so, the second time and once" {
	program /bin/sleep 60
	hull_start
	! told || fail "the first may come too early"
	wait_for told || fail "$(<"$T/stderr")"
	told && told
	grep -q "hint .*hull kill $ID KILL ends it; with --init " "$T/stderr" || fail "$(<"$T/stderr")"
	kill -KILL "$PID"
	hull_wait
	expect 137
	[[ $(grep -c "no handler" <<<"$stderr") == 1 ]] || report "once"
	assert_clean
}

# heard_thrice: by a program that counts them; hull says nothing.
heard_thrice() {
	local n
	script 'trap "n=\$((n + 1)); echo \$n" TERM; echo begun; until [ "$n" = 3 ]; do sleep 0.1; done'
	hull_start
	wait_for grep -q begun "$T/stdout"
	for n in 1 2 3; do
		kill -TERM "$HULL_PID"
		wait_for grep -qx "$n" "$T/stdout"
	done
	hull_wait
	expect 0
	[[ -z $stderr ]] || report "nothing expected"
}

# The list of groups is that long that hull's buffer ends behind NSpid, before the sets of signals.
@test "a signal that somebody in very many groups hears is not spoken of" {
	config '.process.user.additionalGids = [range(4294960000; 4294960320)]'
	heard_thrice
	assert_clean
}

@test "a signal that somebody hears, or that ends the program, is not spoken of" {
	heard_thrice
	script 'echo runs; exec sleep 60'
	"$HULL" --root "$STATE" run --init -b "$BUNDLE" "$ID" >"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for grep -q runs "$T/stdout" || fail "$(<"$T/stderr")"
	kill -TERM "$HULL_PID"
	hull_wait
	expect 143
	[[ $stderr != *handler* ]] || report "with --init it ends"
	assert_clean
}
