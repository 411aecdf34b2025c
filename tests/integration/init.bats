#!/usr/bin/env bats
# --init: process 1 is hull's own. It forwards signals, reaps, ends with the program, and is told
# apart from without it by nothing else: status, cause of death, errors, terminal, hooks.

load ../lib

setup() {
	need_root
	hull_setup
	PTY=$(dirname "$HULL")/tests/pty
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] ||
		timeout 20 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 3>&- || true
	hull_teardown
}

# init_run [OPTION...]: the bundle with --init, never for longer than twenty seconds.
init_run() {
	capture timeout -k 5 20 "$HULL" --root "$STATE" run --init "$@" -b "$BUNDLE" "$ID"
}

# init_start: in the background, until the program has said "ready"; $PID is process 1.
init_start() {
	rm -f "$T/pid"
	: >"$T/stdout" # not of the one before
	"$HULL" --root "$STATE" run --init --pid-file "$T/pid" -b "$BUNDLE" "$ID" \
		>"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for grep -qx ready "$T/stdout" || fail "not ready: $(<"$T/stderr")"
	PID=$(<"$T/pid")
}

expect_told() {
	[[ $stderr =~ ^$ID:\ $1$ ]] || report "expected on standard error: $ID: $1"
}

# ---- the end ----

@test "--init: the program is the child of process 1, and its status is the container's" {
	script 'echo $$ $PPID; exit 7'
	init_run
	expect 7 "2 1"
	program /bin/true
	init_run
	expect 0
	[[ -z $stderr ]] || report "silence expected"
	assert_clean
}

@test "--init: a signal ends the program, and hull says which" {
	script 'kill -KILL $$; sleep 20'
	init_run --keep
	expect 137
	expect_told "killed by SIGKILL after .*"
	[[ $(hull state "$ID" | jq -r '.hull.exit | .cause, .signal, .code') == $'signal\nSIGKILL\n137' ]] ||
		fail "$(hull state "$ID")"
	capture hull delete "$ID"
	expect 0
	script 'kill -SEGV $$; sleep 20'
	init_run
	expect 139
	expect_told "killed by SIGSEGV after .*"
	script 'exit 137' # is no signal
	init_run
	expect 137
	[[ -z $stderr ]] || report "silence expected"
	assert_clean
}

@test "--init: all others end with the program" {
	script 'sleep 60 & (sleep 60 &) ; exit 3'
	init_run
	expect 3
	assert_clean
}

@test "--init: process 1 killed from outside ends the container" {
	script 'echo ready; sleep 60'
	init_start
	kill -KILL "$PID"
	hull_wait
	expect 137
	assert_clean
}

# ---- signals, orphans ----

@test "--init: signals reach the program, one that does not handle them is ended by them" {
	script 'trap "echo usr1" USR1; trap "echo hup; exit 9" HUP; echo ready; while :; do sleep 0.1; done'
	init_start
	kill -USR1 "$HULL_PID"
	wait_for grep -qx usr1 "$T/stdout" || fail "no SIGUSR1: $(<"$T/stdout")"
	kill -HUP "$PID" # to process 1 itself
	hull_wait
	expect 9 $'ready\nusr1\nhup'
	# Without an init this is what a process 1 ignores.
	script 'echo ready; exec sleep 60'
	init_start
	kill -TERM "$HULL_PID"
	hull_wait
	expect 143
	expect_told "killed by SIGTERM after .*, which hull got from 'bash' .*"
	assert_clean
}

@test "--init: process 1 cannot be killed or stopped from inside, and forwards what it gets" {
	script 'trap "echo term; exit 4" TERM; kill -KILL 1; kill -STOP 1
		grep State: /proc/1/status; kill -TERM 1; while :; do sleep 0.1; done'
	config '.process.capabilities |= map_values(. + ["CAP_KILL"])'
	init_run
	expect 4
	expect_match "State:.*(sleeping|running)"
	expect_line term
	assert_clean
}

@test "--init: orphans are reaped" {
	script 'for i in 1 2 3 4 5 6 7 8; do (sleep 0.1 & exec true) & done; wait; sleep 0.5
		for f in /proc/[0-9]*/stat; do cat $f; done | cut -d" " -f3 | grep -c Z; echo end'
	init_run
	expect 0 $'0\nend'
	# The control: the program without an init has to do it itself, and does not.
	script 'for i in 1 2 3 4 5 6 7 8; do (sleep 0.1 & exec true) & done; wait; exec /bin/sleep 5'
	hull_start
	wait_for has_zombies || fail "no zombies without an init: the test shows nothing"
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

has_zombies() {
	[[ $(ps -o stat= --ppid "$PID") == *Z* ]]
}

# ---- what fails ----

@test "--init: a program that cannot be executed is told of as without it" {
	local text
	printf '#!/no/interpreter\n' >"$BUNDLE/rootfs/script"
	chmod +x "$BUNDLE/rootfs/script"
	for text in /missing nowhere /script /etc/passwd; do
		program "$text"
		capture timeout 20 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
		local want=$stderr code=$status
		init_run
		expect "$code"
		[[ -n $want && $stderr == "$want" ]] || report "expected: $want"
	done
	assert_clean
}

deadly='{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["rmdir","mkdir"],"action":"SCMP_ACT_KILL_PROCESS"}]}'

@test "--init: the filter is the program's, and the death by it is explained" {
	config --argjson seccomp "$deadly" '.linux.seccomp = $seccomp'
	script 'exec /bin/mkdir /tmp/x'
	capture timeout 20 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	local want=${stderr#*after } code=$status
	init_run
	expect 159
	[[ $code == 159 && ${want#*: } == "${stderr#*after *: }" ]] || report "expected: $want"
	script 'grep Seccomp_filters: /proc/1/status /proc/self/status | tr -d "\t"'
	init_run
	expect 0 $'/proc/1/status:Seccomp_filters:1\n/proc/self/status:Seccomp_filters:1'
	assert_clean
}

@test "--init: a filter that forbids execve" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["execve"], action: "SCMP_ACT_KILL_PROCESS"}]}'
	capture timeout 20 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	local want=$stderr
	init_run
	expect 1
	[[ $want == *"does not allow the start"* && $stderr == "$want" ]] || report "expected: $want"
	assert_clean
}

@test "--init: needs a new pid namespace" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	init_run
	expect 1
	expect_error "--init needs a new pid namespace"
	expect_error 'hint: add ."type": "pid".'
	assert_clean
}

@test "--init: a limit of one process is too low, and says so" {
	config '.process.user = {uid: 4711, gid: 4711} | .process.capabilities = {}'
	capture timeout -k 5 20 prlimit --nproc=0:0 "$HULL" --root "$STATE" run --init -b "$BUNDLE" "$ID"
	expect 1
	expect_error "cannot make the program's process"
	expect_error "hint +with --init a container has one process more"
	assert_clean
}

# ---- terminal, hooks, state, descriptors ----

@test "--init: the program leads the terminal's session, in the foreground" {
	# Its own number, session, foreground group: fields 1, 6 and 8.
	script 'read -r pid name letter parent group session tty foreground rest </proc/self/stat
		echo "session $((session == $$)) foreground $((foreground == $$)) $(tty)"
		trap "echo interrupted; exit 6" INT; echo ready; while :; do sleep 0.1; done'
	config '.process.terminal = true'
	capture timeout 30 "$PTY" wait:ready mode:raw $'type:\x03' wait:interrupted -- \
		"$HULL" --root "$STATE" run --init -b "$BUNDLE" "$ID" 3>&-
	expect 6
	output=${output//$'\r'/}
	expect_line "session 1 foreground 1 /dev/pts/0"
	assert_clean
}

@test "--init: hooks and state see process 1, and running once the program does" {
	config --arg log "$T/log" '.hooks = {
		createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "jq -r .status >>\($log)"], env: ["PATH=/bin:/usr/bin"]}],
		poststart: [{path: "/bin/sh", args: ["sh", "-c", "jq -r .status >>\($log)"], env: ["PATH=/bin:/usr/bin"]}],
		startContainer: [{path: "/bin/sh", args: ["sh", "-c", "echo start >/tmp/hook"]}]}'
	script 'cat /tmp/hook; echo ready; while :; do sleep 0.1; done'
	init_start
	grep -qx start "$T/stdout" || fail "the container's own hook has not run"
	wait_for grep -qx hull:pid1 "/proc/$PID/comm" || fail "$(<"/proc/$PID/comm")"
	wait_for grep -qx running "$T/log" || fail "$(<"$T/log")"
	[[ $(hull state "$ID" | jq -r '.status, .pid') == $'running\n'"$PID" ]] || fail "$(hull state "$ID")"
	capture hull delete "$ID"
	expect_error running
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	hull_wait
	[[ $(<"$T/log") == $'creating\nrunning' ]] || fail "$(<"$T/log")"
	assert_clean
}

@test "--init: a poststart hook does not run when the program was not executed" {
	config --arg log "$T/log" '.hooks.poststart = [{path: "/bin/sh", args: ["sh", "-c", "echo ran >>\($log)"]}]'
	printf '#!/no/interpreter\n' >"$BUNDLE/rootfs/script"
	chmod +x "$BUNDLE/rootfs/script"
	program /script
	init_run
	expect 1
	[[ ! -e $T/log ]] || fail "it has run"
	program /bin/true
	init_run
	expect 0
	[[ $(<"$T/log") == ran ]] || fail "it has not run"
	assert_clean
}

@test "--init: LISTEN_PID is the program's number, kept descriptors are the program's alone" {
	echo passed >"$T/file"
	script 'for i in 1 2 3 4 5 6 7 8 9 10; do grep -qx hull:pid1 /proc/1/comm && break; sleep 0.2; done
		echo $LISTEN_FDS $((LISTEN_PID == $$)) $(cat <&3); ls /proc/1/fd | wc -l'
	config '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])'
	capture timeout -k 5 20 sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<"$0"' "$T/file" \
		"$HULL" --root "$STATE" run --init -b "$BUNDLE" "$ID"
	[[ $status == 0 ]] || report "status"
	[[ $output == $'1 1 passed\n0' ]] || report "expected other descriptors"
	assert_clean
}

@test "--init: with a user namespace, and for another user" {
	script 'id -u; grep -E "^(CapPrm|CapEff|CapAmb|NoNewPrivs|Uid)" /proc/1/status | tr -s "\t " " "'
	config '.process.user = {uid: 1000, gid: 1000} | .process.capabilities = {}'
	init_run
	expect 0 $'1000\nUid: 1000 1000 1000 1000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\nCapAmb: 0000000000000000\nNoNewPrivs: 1'
	config '.process.user = {uid: 0, gid: 0} | .linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	script 'echo $$; exit 5'
	init_run
	expect 5 2
	assert_clean
}

# ---- attacks ----

# What root in the container can see of process 1 when it may trace it. The strings are of hull's
# environment, arguments and config.json.
@test "R-001, R-060: root that may trace process 1 finds no descriptor and nothing of the host there" {
	need_no_sanitizer "the memory that it would read is terabytes of shadow"
	local secret=secret-$RANDOM$RANDOM$RANDOM
	mkdir "$BUNDLE/rootfs/out"
	cat >"$BUNDLE/rootfs/attack" <<-'EOT'
		#!/bin/sh
		# Until it has seen the execve: what it sees that by is closed then.
		for i in 1 2 3 4 5 6 7 8 9 10; do grep -qx hull:pid1 /proc/1/comm && break; sleep 0.2; done
		ls /proc/1/fd | wc -l
		tr '\0' '\n' </proc/1/environ | grep -c .
		tr '\0' '\n' </proc/1/cmdline | grep -c .
		while read -r range mode rest; do
			from=$((0x${range%-*} / 4096)) to=$((0x${range#*-} / 4096))
			case $rest in *"[v"*) continue ;; esac
			dd if=/proc/1/mem bs=4096 skip=$from count=$((to - from)) 2>/dev/null
		done </proc/1/maps >/out/memory
		cp /proc/1/exe /out/before
		(echo x >/proc/1/exe) 2>/dev/null && echo written
		dd if=/out/memory of=/proc/1/exe conv=notrunc 2>/dev/null && echo written
		cmp /proc/1/exe /out/before && echo same
	EOT
	chmod +x "$BUNDLE/rootfs/attack"
	program /attack
	config --arg secret "annotated-$secret" '.annotations.x = $secret | .root.readonly = false |
		.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_KILL", "CAP_DAC_OVERRIDE"])'
	HULL_SECRET=environ-$secret init_run
	expect 0 $'0\n0\n0\nsame'
	local dump=$BUNDLE/rootfs/out/memory text
	# The control: it is process 1's memory.
	grep -qaF hull:pid1 "$dump" || fail "no memory was read: the test shows nothing"
	for text in "$secret" "$T" "$ID"; do
		! grep -qaF -- "$text" "$dump" || fail "found in process 1: $(grep -oaF -m3 -b -- "$text" "$dump")"
	done
	assert_clean
}
