#!/usr/bin/env bats
# Containers with a terminal (S-093 to S-095, S-139, R-015, R-090): what the program sees of it, and
# what the caller's own terminal goes through. tests/integration/pty.c is the person at the keyboard.

load ../lib

setup() {
	need_root
	hull_setup
	PTY=$(dirname "$HULL")/tests/pty
	config '.process.terminal = true'
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] ||
		timeout 20 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

strip_cr() {
	output=${output//$'\r'/}
	mapfile -t lines <<<"$output"
}

# on_pty STEP...: hull runs the bundle on a terminal; $output is what that shows, without CR.
on_pty() {
	on_pty_command "$@" -- "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
}

on_pty_command() {
	capture timeout 60 "$PTY" "$@" 3>&-
	strip_cr
	[[ $status != 99 ]] || report "a step did not come true"
}

# Standard input is $1 (printf's format), and nothing is a terminal but the container's.
on_pipe() {
	local input=$1
	capture timeout 20 bash -c "printf '$input' |
		'$HULL' --root '$STATE' run -b '$BUNDLE' '$ID' 2>'$T/stderr' | cat; exit \${PIPESTATUS[1]}" 3>&-
}

# ---- what the program sees ----

@test "S-093: the program's standard streams are a terminal of the container's own devpts" {
	script 'tty; test -t 0 && test -t 1 && test -t 2 && echo yes; ls -1 /dev/pts; echo own >/dev/tty
		ls /proc/self/fd | wc -l'
	on_pty
	expect 0 $'/dev/pts/0\nyes\n0\nptmx\nown\n4'
	assert_clean
}

@test "S-139: /dev/console is the terminal" {
	script 'echo hello >/dev/console; stat -c %t:%T /dev/console /dev/pts/0 | uniq | wc -l
		grep -c " /dev/console .* devpts " /proc/self/mountinfo'
	on_pty
	expect 0 $'hello\n1\n1'
}

@test "the terminal belongs to the program's user" {
	config '.process.user = { "uid": 1000, "gid": 1000 }'
	script 'stat -c %u /dev/pts/0; echo again >/dev/pts/0'
	on_pty
	expect 0 $'1000\nagain'
}

@test "the terminal is the program's also in a joined pid namespace" {
	unshare --pid --fork --mount-proc sleep 60 3>&- &
	local helper=$!
	wait_for pgrep -P "$helper"
	local inside
	inside=$(pgrep -P "$helper")
	config --arg path "/proc/$inside/ns/pid" \
		'(.linux.namespaces[] | select(.type == "pid")) += { "path": $path }'
	script 'tty; echo own >/dev/tty; cut -d" " -f7 /proc/self/stat | grep -qx 0 || echo controlled'
	on_pty
	kill -KILL "$inside" "$helper" || true
	wait "$helper" || true
	expect 0 $'/dev/pts/0\nown\ncontrolled'
}

@test "S-095: consoleSize is the size where the caller has no terminal" {
	config '.process.consoleSize = { "height": 33, "width": 101 }'
	script 'stty size'
	on_pipe ''
	expect 0 "33 101"
}

@test "S-094: consoleSize means nothing without a terminal" {
	config '.process.terminal = false | .process.consoleSize = { "height": 33, "width": 99999 }'
	program /bin/true
	hull_run
	expect 0 ""
}

@test "the caller's window is the program's, and stays so" {
	config '.process.consoleSize = { "height": 33, "width": 101 }'
	script 'stty size; trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.1; done'
	on_pty wait:ready size:40,132
	expect 0 $'24 80\nready\n40 132'
	assert_clean
}

# ---- input and output ----

@test "keys reach the program, and ^C is a signal of its own terminal's" {
	script 'trap "echo interrupted" INT; echo ready; until read line; do :; done; echo "got <$line>"; exit 5'
	on_pty wait:ready mode:raw $'type:\x03' wait:interrupted $'type:words\r' 'wait:got <words>'
	expect 5
	assert_clean
}

@test "lines end with one LF in pipes and files" {
	script 'echo one; echo two'
	on_pipe ''
	expect 0 $'one\ntwo'
	[[ $output != *$'\r'* ]] || report "CR in a pipe"
}

@test "standard input that ends is the end of input" {
	program /bin/cat
	on_pipe 'one\ntwo\n'
	expect 0 $'one\ntwo\none\ntwo'
	on_pipe 'no newline'
	expect 0 "no newlineno newline"
	on_pipe ''
	expect 0 ""
	assert_clean
}

@test "a shell that edits its line finds the end of input, too" {
	program /bin/sh -i
	on_pipe 'echo $((6 * 7))\n'
	expect 0
	expect_match '^42'
}

@test "all output is shown, however late it is read" {
	script 'head -c 300000 /dev/zero | tr "\0" x'
	capture timeout 30 bash -c "'$HULL' --root '$STATE' run -b '$BUNDLE' '$ID' </dev/null |
		{ sleep 1; wc -c; }" 3>&-
	expect 0 300000
}

@test "when nobody takes the output the terminal is hung up" {
	script 'trap "echo hup >/hup; exit 0" HUP; while echo y; do :; done; echo broken >/hup'
	capture timeout 30 bash -c "'$HULL' --root '$STATE' run -b '$BUNDLE' '$ID' </dev/null | head -1" 3>&-
	expect 0 y
	[[ -s $BUNDLE/rootfs/hup ]] || report "not hung up"
	assert_clean
}

# onto FILE [OPTION of hull...]: the bundle runs, and what its terminal shows goes to that file.
onto() {
	local file=$1
	shift
	status=0
	timeout -k 5 20 "$HULL" --root "$STATE" "$@" run ${init:+"$init"} -b "$BUNDLE" "$ID" \
		</dev/null >"$file" 2>"$T/stderr" 3>&- || status=$?
	stderr=$(<"$T/stderr")
}

@test "output that cannot be written is said, and no success" {
	script 'trap "" HUP; echo hello'
	onto /dev/full
	expect 1
	[[ $stderr == *"6 bytes of the program's output could not be written"*"no space left"* ]] ||
		report "not said"
	[[ $(grep -c written "$T/stderr") == 1 ]] || report "not said once"
	onto /dev/full --log "$T/log" --log-format json
	expect 1
	jq -e 'select(.level == "warning") | .msg | test("6 bytes .* ENOSPC")' "$T/log" ||
		fail "$(<"$T/log")"
	assert_clean
}

@test "a program that fails after its output got lost keeps its status" {
	script 'trap "" HUP; echo hello; exit 3'
	onto /dev/full
	expect 3
	expect_error '6 bytes .* could not be written'
}

@test "a program whose output is lost is hung up, and does not run on unheard" {
	script 'while echo hello; do :; done; exit 5'
	onto /dev/full
	expect 5
	expect_error '[0-9]+ bytes .* could not be written'
	# SIGHUP ends whoever does not care, but for a process 1.
	script 'echo hello; exec sleep 10'
	init=--init onto /dev/full
	expect 129
	expect_error '6 bytes .* could not be written'
	assert_clean
}

@test "all that a program has written before is counted" {
	: >"$T/stdout"
	script 'trap "" HUP; echo >/ready; until [ -e /go ]; do sleep 0.02; done
		head -c 3000 /dev/zero | tr "\0" x; echo >/written'
	"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" </dev/null >/dev/full 2>"$T/stderr" 3>&- &
	HULL_PID=$!
	wait_for test -e "$BUNDLE/rootfs/ready" || fail "$(<"$T/stderr")"
	# While hull stands still nothing is read, and the terminal's buffer takes all.
	kill -STOP "$HULL_PID"
	touch "$BUNDLE/rootfs/go"
	wait_for test -e "$BUNDLE/rootfs/written" || { kill -CONT "$HULL_PID" && fail "not written"; }
	kill -CONT "$HULL_PID"
	hull_wait
	expect 1
	expect_error '3000 bytes .* could not be written'
}

@test "a file that may grow no more: what does not fit is counted, and no signal ends the program" {
	script 'trap "" HUP; head -c 100000 /dev/zero | tr "\0" x; exit 0'
	capture timeout -k 5 20 bash -c "ulimit -f 64; '$HULL' --root '$STATE' run -b '$BUNDLE' '$ID' \
		</dev/null >'$T/file'" 3>&-
	expect 1
	expect_error '[0-9]+ bytes .* could not be written: file too large'
	[[ $(stat -c %s "$T/file") == 65536 ]] || report "not filled"
	assert_clean
}

@test "a reader that has gone is like SIGPIPE: nothing is said, but it is no success" {
	script 'trap "" HUP; sleep 0.3; echo hello'
	capture timeout -k 5 20 bash -c "'$HULL' --root '$STATE' run -b '$BUNDLE' '$ID' </dev/null |
		true; exit \${PIPESTATUS[0]}" 3>&-
	expect 141
	[[ -z $stderr ]] || report "said"
	script 'trap "" HUP; sleep 0.3; echo hello; exit 4'
	capture timeout -k 5 20 bash -c "'$HULL' --root '$STATE' run -b '$BUNDLE' '$ID' </dev/null |
		true; exit \${PIPESTATUS[0]}" 3>&-
	expect 4
	assert_clean
}

@test "the caller's descriptors do not become non-blocking" {
	program /bin/true
	local before='flags=$(grep ^flags /proc/$$/fdinfo/0 /proc/$$/fdinfo/1)'
	on_pty_command -- sh -c "$before; old=\$flags
		'$HULL' --root '$STATE' run -b '$BUNDLE' '$ID'; $before; [ \"\$old\" = \"\$flags\" ] && echo same"
	expect 0 same
}

# ---- the caller's terminal ----

# around_hull STEP...: the attributes of the terminal before and after must be the same.
around_hull() {
	on_pty_command "$@" -- sh -c "stty -g >'$T/before'
		'$HULL' --root '$STATE' run --pid-file '$T/pid' -b '$BUNDLE' '$ID'
		echo \"status \$?\"; stty -g >'$T/after'"
	cmp "$T/before" "$T/after" || report "the terminal was left changed"
}

@test "R-090: raw mode ends with the program, whatever its end" {
	script 'echo ready; read line; exit 3'
	around_hull wait:ready mode:raw $'type:\r'
	expect_match '^status 3$'
	script 'echo ready; sleep 60'
	around_hull wait:ready mode:raw "do:kill -KILL \$(cat '$T/pid')"
	expect_match '^status 137$'
	around_hull wait:ready mode:raw "do:$HULL --root $STATE delete --force $ID"
	assert_clean
}

@test "R-090: raw mode ends after a start that failed" {
	program /bin/nothing
	around_hull
	expect_match '^status 1$'
	expect_match 'nothing'
	printf '#!/bin/nothing\n' >"$BUNDLE/rootfs/script"
	chmod +x "$BUNDLE/rootfs/script"
	program /script
	around_hull
	expect_match '^status 1$'
	assert_clean
}

@test "a SIGSEGV that somebody sends is no fault" {
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0:handle_sigbus=0
	script 'echo ready; read line; exit 4'
	on_pty wait:ready mode:raw 'do:kill -SEGV $PTY_PID' 'do:kill -BUS $PTY_PID' $'type:\r'
	expect 4
}

@test "R-090: a stop of hull gives the terminal back, and its continuation takes it again" {
	script 'trap "echo continued" CONT; echo ready; while :; do sleep 0.1; done'
	on_pty_command \
		"type:$HULL --root $STATE run --pid-file $T/pid -b $BUNDLE $ID"$'\r' \
		wait:ready mode:raw \
		"do:kill -TSTP \$(pgrep -P \$PTY_PID hull)" wait:Stopped mode:cooked \
		$'type:fg\r' mode:raw wait:continued \
		"do:kill -STOP \$(pgrep -P \$PTY_PID hull)" wait:Stopped mode:cooked \
		$'type:fg\r' mode:raw \
		"do:kill -KILL \$(cat '$T/pid')" mode:cooked $'type:exit 6\r' -- \
		bash --norc --noprofile --noediting -i
	expect 6
	assert_clean
}

@test "hull in the background leaves the terminal alone, and takes it when it is fetched" {
	script 'echo ready; read line; echo "got <$line>"'
	on_pty_command "type:$HULL --root $STATE run -b $BUNDLE $ID &"$'\r' $'wait:ready\r' \
		$'type:echo $((20 + 3))\r' $'wait:23\r' mode:cooked $'type:fg\r' mode:raw \
		$'type:words\r' 'wait:got <words>' mode:cooked $'type:exit 6\r' -- \
		bash --norc --noprofile --noediting -i
	expect 6
	assert_clean
}

@test "an orphaned process group in the background is not stopped" {
	script 'echo ready; exit 8'
	on_pty_command -- sh -c "set -m; '$HULL' --root '$STATE' run -b '$BUNDLE' '$ID' & set +m; wait \$!"
	expect 8
	expect_line ready
}

@test "a terminal that is stopped does not hold up the end" {
	script 'echo ready; read line; seq 3000; exit 7'
	on_pty wait:ready mode:raw flow:off $'type:\r'
	expect 7
	assert_clean
}

@test "a terminal that is hung up hangs up the program's" {
	script 'trap "echo hup >/hup; exit 0" HUP; echo ready; while :; do sleep 0.1; done'
	on_pty wait:ready mode:raw close
	expect 0
	[[ -s $BUNDLE/rootfs/hup ]] || report "not hung up"
	assert_clean
}

# ---- --console-socket ----

# on_socket PATH: an engine listens there while hull runs with that path.
on_socket() {
	capture timeout 30 "$(dirname "$HULL")/tests/console" "$1" "$HULL" --root "$STATE" run \
		--console-socket "$1" -b "$BUNDLE" "$ID" 3>&-
	strip_cr
}

@test "--console-socket: the terminal goes to who listens, with its name and the config's size" {
	config '.process.consoleSize = { "height": 33, "width": 101 }'
	script 'tty; stty size; exit 9'
	on_socket "$T/socket"
	expect 9 $'/dev/ptmx, descriptors: 1\n/dev/pts/0\n33 101'
	assert_clean
}

@test "--console-socket: the path may be longer than an address" {
	local long
	printf -v long '%0100d' 0
	mkdir -p "$T/$long/$long"
	program tty
	cd "$T/$long/$long" || return
	capture timeout 30 "$(dirname "$HULL")/tests/console" s "$HULL" --root "$STATE" run \
		--console-socket "$PWD/s" -b "$BUNDLE" "$ID" 3>&-
	expect 0
	expect_match '^/dev/ptmx, descriptors: 1$'
	assert_clean
}

@test "--console-socket: what is wrong with it is said before anything is made" {
	hull_run --console-socket "$T/missing"
	expect 1
	expect_error "cannot connect to the console socket '$T/missing'"
	expect_error "must listen there before"
	hull_run --console-socket "$BUNDLE/config.json"
	expect_error "the console socket '$BUNDLE/config.json' is no socket"
	# It is killed while it waits, and leaves its socket behind.
	timeout -s KILL 0.5 "$(dirname "$HULL")/tests/console" "$T/socket" true 3>&- || true
	[[ -S $T/socket ]]
	hull_run --console-socket "$T/socket"
	expect_error "nobody listens on it any more"
	config '.process.terminal = false'
	hull_run --console-socket "$T/socket"
	expect_error "--console-socket is given, but there is no terminal"
	assert_clean
}

@test "--console-socket: a listener that takes nobody does not hold hull up" {
	timeout 60 "$(dirname "$HULL")/tests/console" "$T/socket" sleep 50 3>&- &
	local listener=$!
	wait_for test -S "$T/socket"
	kill -STOP "$listener"
	kill -STOP "$(pgrep -P "$listener")"
	capture timeout 40 bash -c "for i in 1 2 3 4; do
		'$HULL' --root '$STATE' run --console-socket '$T/socket' -b '$BUNDLE' '$ID' </dev/null || exit; done" 3>&-
	kill -KILL "$(pgrep -P "$listener")" "$listener"
	expect 1
	expect_error "more connections waiting than it takes"
	assert_clean
}

# ---- refused ----

@test "R-015: /dev/console of the image is no way out of it" {
	config '.mounts |= map(select(.destination != "/dev" and .destination != "/dev/shm" and
		.destination != "/dev/mqueue"))'
	program /bin/true
	echo canary >"$T/canary"
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	ln -s "../../../../../../../../$T/canary" "$BUNDLE/rootfs/dev/console"
	hull_run
	expect 1
	expect_error "/dev/console' of the image is a symbolic link"
	rm "$BUNDLE/rootfs/dev/console"
	mkdir "$BUNDLE/rootfs/dev/console"
	hull_run
	expect_error "/dev/console' of the image is a directory"
	rmdir "$BUNDLE/rootfs/dev/console"
	mkfifo "$BUNDLE/rootfs/dev/console"
	script 'echo hello >/dev/console'
	on_pipe ''
	expect 0 hello
	[[ $(<"$T/canary") == canary ]]
	assert_clean
}

@test "R-015: what lies over the devpts is not taken for one" {
	mkdir "$T/fake"
	mkfifo "$T/fake/ptmx"
	add_mount "{\"destination\": \"/dev/pts\", \"type\": \"bind\", \"source\": \"$T/fake\", \"options\": [\"bind\"]}"
	hull_run
	expect 1
	expect_error "a terminal needs a mount of type devpts"
	config '.mounts[-1].destination = "/dev/pts/ptmx" | .mounts[-1].source += "/ptmx"'
	hull_run
	expect 1
	expect_error "cannot make a terminal in '/dev/pts'"
	assert_clean
}
