#!/usr/bin/env bats
# How a container ended: what hull says of it on standard error and in the log, and what --keep
# keeps. (Memory and its limits are in ../vm/death.bats.)

load ../lib

setup() {
	need_root
	hull_setup
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

# kept FILTER: what `hull state` knows of the end.
kept() {
	hull state "$ID" | jq -r ".hull.exit | $1"
}

# expect_told REGEX: the one line on standard error.
expect_told() {
	[[ $stderr =~ ^$ID:\ $1$ ]] || report "expected on standard error: $ID: $1"
}

# ---- exit codes ----

@test "an exit code is nothing to talk about, but it is kept" {
	program /bin/sh -c 'exit 3'
	hull_run --keep
	expect 3
	[[ -z $stderr ]] || report "silence expected"
	[[ $(kept '.cause, .code') == $'exit\n3' ]] || fail "$(kept .)"
	[[ $(kept .finished) =~ ^20.*Z$ && $(kept .durationMs) =~ ^[0-9]+$ ]] || fail "$(kept .)"
	[[ $(kept 'has("signal"), has("oom"), has("sender")' | sort -u) == false ]] || fail "$(kept .)"
	hull delete "$ID"
	assert_clean
}

@test "status 0 is kept, and only --debug speaks of it" {
	hull_run --keep
	expect 0
	[[ -z $stderr && $(kept .code) == 0 ]] || report "silence and a 0 expected"
	hull delete "$ID"
	capture hull --debug run -b "$BUNDLE" "$ID"
	expect 0
	grep -qE "^$ID: exited with status 0 after [0-9.]+ (ms|s)$" "$T/stderr" || report "no word"
	assert_clean
}

# ---- signals ----

@test "a signal that hull forwarded: who sent it" {
	program /bin/sh -c 'trap "trap - TERM; kill -TERM \$\$" TERM; while :; do sleep 0.1; done'
	config '.linux.namespaces |= map(select(.type != "pid"))'
	hull_start --keep
	sleep 0.3 # until the trap is set; what comes before ends it just the same
	kill -TERM "$HULL_PID"
	hull_wait
	expect 143
	expect_told "killed by SIGTERM after .*, which hull got from '.+' \(pid $BASHPID, user 0\)"
	[[ $(kept '.cause, .signal, .sender.kind') == $'signal\nSIGTERM\nprocess' ]] || fail "$(kept .)"
	[[ $(kept .sender.uid) == 0 && $(kept .sender.pid) =~ ^[0-9]+$ ]] || fail "$(kept .)"
}

@test "a sender with a hostile name reaches no terminal as it is" {
	program /bin/sh -c 'while :; do sleep 0.1; done'
	config '.linux.namespaces |= map(select(.type != "pid"))'
	hull_start --keep
	# shellcheck disable=SC2016 # for the inner shell
	# It stays until hull has looked at it: the name of who is gone cannot be told.
	bash -c 'printf "\033[31mx\ry" >/proc/$$/comm; kill -TERM "$1"; read -rt 10 <>"$2"' \
		- "$HULL_PID" <(:) >"$T/sender" 2>&1 3>&- &
	local sender=$!
	hull_wait
	kill "$sender" 2>/dev/null || true
	expect 143
	expect_told '.*\\x1b\[31mx\\x0dy.*'
	[[ $(kept .sender.name) == '\x1b[31mx\x0dy' ]] || fail "$(kept .)"
}

@test "a signal that came past hull: the sender is not known, and that is said" {
	program /bin/sleep 60
	hull_start --keep
	kill -KILL "$PID"
	hull_wait
	expect 137
	expect_told 'killed by SIGKILL after .*; who sent it is not known'
	[[ $(kept '.code, .signal, .sender.kind') == $'137\nSIGKILL\nunknown' ]] || fail "$(kept .)"
}

@test "what was forwarded before is not taken for what killed" {
	program /bin/sh -c 'trap : USR1; echo ready; while :; do sleep 0.1; done'
	hull_start --keep
	wait_for grep -qx ready "$T/stdout"
	kill -USR1 "$HULL_PID"
	sleep 0.2
	kill -KILL "$PID"
	hull_wait
	expect 137
	[[ $(kept '.sender.kind, .sender.pid') == $'unknown\nnull' ]] || fail "$(kept .)"
}

@test "hull delete --force is named" {
	program /bin/sleep 60
	hull_start
	hull delete --force "$ID"
	hull_wait
	expect 137
	expect_told 'killed by SIGKILL after .* by hull delete --force'
	assert_clean
}

@test "hull kill is named, and who called it" {
	program /bin/sleep 60
	hull_start --keep
	# What was sent before, and did not end it, is forgotten.
	hull kill "$ID" URG
	bash -c '"$@"; true' caller "$HULL" --root "$STATE" kill "$ID" KILL
	hull_wait
	expect 137
	expect_told "killed by SIGKILL after .* by hull kill, called by 'bash' \(pid [0-9]+, user 0\)"
	[[ $(kept '.sender.kind, .sender.name') == $'kill\nbash' ]] || fail "$(kept .)"
	# The note goes with the state.
	hull delete "$ID"
	assert_clean
}

@test "what hull kill has sent before is not taken for what killed" {
	program /bin/sleep 60
	hull_start --keep
	hull kill "$ID" URG
	kill -KILL "$PID"
	hull_wait
	[[ $(kept .sender.kind) == unknown ]] || fail "$(kept .)"
}

@test "a fault of the program has no sender" {
	program /bin/sh -c 'kill -SEGV $$'
	config '.linux.namespaces |= map(select(.type != "pid"))'
	hull_run --keep
	expect 139
	expect_told 'killed by SIGSEGV after [0-9]+ ms( \(core dumped\))?'
	[[ $(kept 'has("sender")') == false ]] || fail "$(kept .)"
}

# ---- seccomp ----

readonly deadly='{ "defaultAction": "SCMP_ACT_ALLOW",
	"syscalls": [{ "names": ["rmdir", "mkdir"], "action": "SCMP_ACT_KILL_PROCESS" }] }'

@test "seccomp: the system call, the rule and its place, where the kernel log can be read" {
	[[ $(stat -Lc %i /proc/self/ns/pid) == 4026531836 ]] || skip "not in the host's pid namespace"
	config --argjson seccomp "$deadly" '.linux.seccomp = $seccomp'
	program /bin/mkdir /x
	hull_run --keep
	expect 159
	[[ $stderr != *"kernel log does not tell"* ]] || skip "no records of seccomp in /dev/kmsg here"
	expect_told "killed by seccomp after .*: 'mkdir' called mkdir \([0-9]+\), rule: linux\.seccomp\.syscalls\[0\]\.names\[1\] SCMP_ACT_KILL_PROCESS \(config\.json:[0-9]+:[0-9]+\)"
	[[ $(kept '.cause, .code, .seccomp.syscall') == $'seccomp\n159\nmkdir' ]] || fail "$(kept .)"
	sed -n "$(kept .line)p" "$BUNDLE/config.json" | grep -q '"mkdir"' || fail "$(kept .)"
}

@test "seccomp: without the kernel log it is said that it does not tell" {
	config --argjson seccomp "$deadly" '.linux.seccomp = $seccomp'
	program /bin/mkdir /x
	# shellcheck disable=SC2016 # for the inner shell
	capture timeout 20 unshare -m sh -c 'mount --bind /dev/null /dev/kmsg && exec "$@"' - \
		"$HULL" --root "$STATE" run --keep -b "$BUNDLE" "$ID"
	expect 159
	expect_error "^$ID: killed by seccomp after .*: its profile forbids a system call that it made; which one, the kernel log does not tell$"
	[[ $(kept '.cause, (has("seccomp"))') == $'seccomp\nfalse' ]] || fail "$(kept .)"
}

@test "seccomp: SIGSYS without a profile is a signal like others" {
	program /bin/sleep 60
	hull_start --keep
	kill -SYS "$PID"
	sleep 0.3
	kill -KILL "$PID"
	hull_wait
	[[ $(kept .cause) == signal ]] || fail "$(kept .)"
}

@test "seccomp: a profile that forbids the start itself names the rule" {
	[[ $(stat -Lc %i /proc/self/ns/pid) == 4026531836 ]] || skip "not in the host's pid namespace"
	config '.linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW",
		"syscalls": [{ "names": ["execve"], "action": "SCMP_ACT_KILL_PROCESS" }] }'
	hull_run --keep
	expect 1
	expect_error 'the seccomp profile does not allow the start'
	[[ $(kept .cause) == start ]] || fail "$(kept .)"
	grep -q '^  cause' "$T/stderr" || skip "no records of seccomp in /dev/kmsg here"
	expect_error 'cause +it forbids execve \([0-9]+\) by linux\.seccomp\.syscalls\[0\]\.names\[0\], SCMP_ACT_KILL_PROCESS$'
	expect_error '^  config\.json:[0-9]+:[0-9]+  linux\.seccomp\.syscalls\[0\]\.names\[0\]: the seccomp profile'
	hull delete "$ID"
	assert_clean
}

# ---- starts ----

@test "a start that failed: with --keep its step and message stand in the state" {
	program /no/such/program
	hull_run --keep
	expect 1
	[[ $(kept '.cause, .step') == $'start\nexec' ]] || fail "$(kept .)"
	[[ $(kept .message) == *"/no/such/program"* && $(kept .line) =~ ^[0-9]+$ ]] || fail "$(kept .)"
	[[ $(hull state "$ID" | jq -r .status) == stopped ]]
	hull delete "$ID"
	assert_clean
}

@test "a start that failed leaves nothing without --keep" {
	program /no/such/program
	hull_run
	expect 1
	assert_clean
}

# ---- the log ----

@test "the log gets one record, as JSON with all that is known" {
	program /bin/sleep 60
	hull --log "$T/log" --log-format json run --pid-file "$T/pid" -b "$BUNDLE" "$ID" \
		2>"$T/stderr" 3>&- &
	HULL_PID=$!
	wait_for test -s "$T/pid"
	PID=$(<"$T/pid")
	wait_for is_started
	kill -KILL "$PID"
	status=0
	wait "$HULL_PID" || status=$?
	((status == 137)) || fail "$status"
	[[ $(wc -l <"$T/log") == 1 ]] || fail "$(<"$T/log")"
	[[ $(jq -r '.level, .exit.cause, .exit.signal' "$T/log") == $'warning\nsignal\nSIGKILL' ]] || fail "$(<"$T/log")"
	[[ $(jq -r .msg "$T/log") == "$ID: killed by SIGKILL after "* ]] || fail "$(<"$T/log")"
	[[ ! -s $T/stderr ]] || fail "standard error is the container's: $(<"$T/stderr")"
}

@test "the log is empty after an ordinary exit" {
	program /bin/sh -c 'exit 3'
	capture hull --log "$T/log" --log-format json run -b "$BUNDLE" "$ID"
	expect 3
	[[ ! -s $T/log ]] || fail "$(<"$T/log")"
}
