#!/usr/bin/env bats
# What the caller names beside the bundle: pid file, log, state directory; and what another hull or
# an image can do there to hold hull up. Nothing is replaced that is no file of hull's, nothing is
# waited for without an end.

load ../lib

setup() {
	need_root
	hull_setup
	HELPER=
}

teardown() {
	if [[ -n $HELPER ]]; then
		kill -CONT "$HELPER" 2>/dev/null || true
		kill -KILL "$HELPER" 2>/dev/null || true
		wait "$HELPER" 2>/dev/null || true
	fi
	hull_teardown
}

# within COMMAND...: capture, but never for more than 30 seconds.
within() {
	capture timeout -s KILL 30 "$@"
	[[ $status != 137 ]] || report "hung"
}

@test "--pid-file replaces a file, and nothing else" {
	local name
	script 'echo started'
	echo old >"$T/file"
	within "$HULL" --root "$STATE" run --pid-file "$T/file" -b "$BUNDLE" "$ID"
	expect 0 started
	mkdir "$T/dir"
	mkfifo "$T/fifo"
	mknod "$T/null" c 1 3
	ln -s "$T/elsewhere" "$T/dangling"
	ln -s /dev/null "$T/link"
	for name in dir fifo null dangling link; do
		stat -c '%F %i' "$T/$name" >"$T/before"
		within "$HULL" --root "$STATE" run --pid-file "$T/$name" -b "$BUNDLE" "$ID"
		expect 1 ""
		expect_error "the pid file '$T/$name' exists and is no regular file"
		[[ $(stat -c '%F %i' "$T/$name") == "$(<"$T/before")" ]] || fail "$name changed"
		assert_clean
	done
	[[ ! -e $T/elsewhere ]]
}

@test "--log to a pipe that nobody reads is an error, and a full one is not waited for" {
	mkfifo "$T/log"
	within "$HULL" --log "$T/log" --root "$STATE" run -b /no/such "$ID"
	expect 1
	expect_error "cannot open the log '$T/log'"
	expect_error "a pipe that nobody reads"
	exec 8<>"$T/log"
	timeout 10 dd if=/dev/zero of="$T/log" bs=4096 oflag=nonblock 2>/dev/null || true
	within "$HULL" --log "$T/log" --root "$STATE" run -b /no/such "$ID"
	exec 8>&-
	expect 1
	expect_error "/no/such"
}

@test "--log to a pipe that is read" {
	mkfifo "$T/log"
	timeout 30 cat "$T/log" >"$T/read" 3>&- &
	HELPER=$!
	exec 8>"$T/log" # once it is opened for reading, too
	within "$HULL" --log "$T/log" --root "$STATE" run -b /no/such "$ID"
	exec 8>&-
	wait "$HELPER"
	grep -q /no/such "$T/read"
}

@test "R-041: a link in place of the state directory is refused" {
	mkdir -m 700 "$T/elsewhere"
	ln -s "$T/elsewhere" "$T/link"
	within "$HULL" --root "$T/link" run -b "$BUNDLE" "$ID"
	expect 1
	expect_error "cannot open the state directory '$T/link'"
	expect_error "not a link to one"
	[[ -z $(ls -A "$T/elsewhere") ]]
	assert_clean
}

@test "a hull that is stopped with a lock holds nobody up for ever" {
	mkdir -p "$STATE/$ID"
	chmod 700 "$STATE" "$STATE/$ID"
	flock "$STATE/$ID" sleep 60 3>&- &
	HELPER=$!
	wait_for pgrep -P "$HELPER" -x sleep
	within "$HULL" --root "$STATE" delete --force "$ID"
	pkill -P "$HELPER" -x sleep || true
	expect 1
	expect_error "the state of '$ID' is locked by process $HELPER, which did not release it"
}

@test "no file of the kernel's is read as the image's passwd" {
	# What procfs has there would be a line of it.
	ln -sfn /proc/sys/kernel/hostname "$BUNDLE/rootfs/etc/passwd"
	config '.hostname = "x:x:0:0::/kernels"'
	script 'cat /etc/passwd; echo "$HOME"'
	hull_run
	expect 0 "x:x:0:0::/kernels
/"
}

@test "nothing but a regular file is opened as the image's passwd" {
	rm -f "$BUNDLE/rootfs/etc/passwd"
	mkfifo "$BUNDLE/rootfs/etc/passwd"
	# Whoever opens the pipe lets this one go on.
	timeout 60 bash -c 'echo >"$1"; echo opened >"$2"' bash "$BUNDLE/rootfs/etc/passwd" \
		"$T/opened" 3>&- &
	HELPER=$!
	script 'echo $HOME'
	within "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 /
	sleep 0.2
	[[ ! -e $T/opened ]] || fail "the pipe was opened"
	kill "$HELPER"
	assert_clean
}

# broken_state VERSION NAME: all that is known is that hull runs $ID in the cgroup hull-test/NAME,
# where a process, $HELPER, lives.
broken_state() {
	local cgroup=$CGROUPS/hull-test/$2
	mkdir -p "$cgroup" "$STATE/$ID"
	chmod 700 "$STATE" "$STATE/$ID"
	bash -c 'echo $$ >"$1/cgroup.procs"; exec sleep 60' bash "$cgroup" 3>&- &
	HELPER=$!
	wait_for grep -qx "$HELPER" "$cgroup/cgroup.procs"
	jq -n --argjson version "$1" --arg cgroup "/hull-test/$2" \
		'{version: $version, hull: {cgroup: $cgroup, cgroupKept: "/hull-test"}}' \
		>"$STATE/$ID/state.json"
}

@test "R-081: nobody is killed in a cgroup that only a broken state names" {
	broken_state 1 "other-$$"
	within "$HULL" --root "$STATE" delete --force "$ID"
	expect_error "names the cgroup '/hull-test/other-$$', which may be another's"
	kill -0 "$HELPER"
	# Gone, it stands in nobody's way.
	kill -KILL "$HELPER"
	wait "$HELPER" || true
	rmdir "$CGROUPS/hull-test/other-$$"
	within "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	assert_clean
}

@test "R-081: a broken state that names the container's own cgroup is enough to clean up" {
	broken_state 2 "$ID"
	within "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	wait "$HELPER" || status=$?
	[[ $status == 137 ]]
	assert_clean
}
