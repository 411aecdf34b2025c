#!/usr/bin/env bats
# What tries to outlive its container: a process whose first thread has ended, one that has closed
# its cgroup to hull, one whose state is gone, unreadable, or looked at from elsewhere.
# shellcheck disable=SC2012,SC2153,SC2154 # names of tasks are numbers; set by lib.bash

# shellcheck disable=SC2030,SC2031 # each test is a process of its own, and means its own variables
load ../lib

setup() {
	need_root
	hull_setup
}

teardown() {
	local pid
	[[ -z ${HULL_PID:-} ]] || kill -KILL "$HULL_PID" 2>/dev/null || true
	for pid in $(container_processes); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	[[ -z ${FULL:-} ]] || umount "$FULL" || true
	if [[ -n ${DELEGATED:-} ]]; then
		chmod 755 "$DELEGATED/own" 2>/dev/null || true
		remove_cgroup "$DELEGATED"
	fi
	hull_teardown
}

# ---- helpers ------------------------------------------------------------------------------------

# An id that nobody has.
USER_ID=54322

# make_threads: /bin/threads in the image; its first thread ends, another one goes on.
make_threads() {
	cat >"$T/threads.c" <<-'EOF'
		#include <pthread.h>
		#include <unistd.h>
		static void *work(void *unused)
		{
			(void)unused;
			sleep(120);
			_exit(0);
		}
		int main(void)
		{
			pthread_t thread;
			pthread_create(&thread, 0, work, 0);
			pthread_exit(0);
		}
	EOF
	cc -static -pthread -o "$BUNDLE/rootfs/bin/threads" "$T/threads.c"
}

# first_thread_ended PID
first_thread_ended() {
	[[ $(awk '{ print $3 }' "/proc/$1/stat") == Z && $(ls "/proc/$1/task" | wc -l) == 2 ]]
}

without_pid_namespace() {
	config '.linux.namespaces |= map(select(.type != "pid"))'
}

# status_is STATUS [COMMAND...]: what `hull state` says, run by COMMAND.
status_is() {
	local wanted=$1
	shift
	capture timeout 20 "$@" "$HULL" --root "$STATE" state "$ID"
	expect 0
	[[ $(jq -r .status <<<"$output") == "$wanted" ]] || report "expected: $wanted"
}

# delete_it [OPTION]: by root, or as_user() by the user.
delete_it() {
	capture timeout 30 "$HULL" --root "$STATE" delete "$@" "$ID"
}

as_user() {
	config --argjson id "$USER_ID" '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: $id, size: 1}]
		| .linux.gidMappings = .linux.uidMappings | del(.linux.cgroupsPath)'
	cp "$HULL" "$T/hull"
	mkdir -p "$T/run"
	chown -hR "$USER_ID:$USER_ID" "$T"
	chmod 755 "$T" "$T/hull"
	chmod 700 "$T/run"
}

user_do() {
	(cd / && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
		env -i PATH="$PATH" XDG_RUNTIME_DIR="$T/run" "$@")
}

# delegate: gives the user a cgroup, and the container one in it, which its program sees.
delegate() {
	DELEGATED=$CGROUPS/hull-test-$ID
	mkdir "$DELEGATED"
	chown -R "$USER_ID:$USER_ID" "$DELEGATED"
	config --arg path "/${DELEGATED##*/}/own" '.linux.cgroupsPath = $path
		| .linux.namespaces |= map(select(.type != "cgroup"))
		| .mounts |= map(select(.type != "cgroup" and .type != "cgroup2"))
		| .mounts += [{destination: "/sys/fs/cgroup", type: "cgroup", options: ["nosuid"]}]'
}

# in_delegated COMMAND...: by the user, from inside of that cgroup.
in_delegated() {
	(echo "$BASHPID" >"$DELEGATED/cgroup.procs" && user_do "$@")
}

assert_user_clean() {
	[[ -z $(container_processes) ]] || fail "processes are left: $(container_processes)"
	[[ ! -e $DELEGATED/own ]] || fail "the cgroup is left"
	[[ ! -e $T/run/hull/$ID ]] || fail "the state is left"
}

# ---- threads ------------------------------------------------------------------------------------

@test "a process whose first thread has ended is running, and can be killed" {
	make_threads
	program /bin/threads
	hull_start
	wait_for first_thread_ended "$PID"
	status_is running
	delete_it
	expect_error 'it is running'
	delete_it --force
	expect 0
	hull_wait
	expect 137
	assert_clean
}

@test "no process whose first thread has ended outlives its container" {
	make_threads
	without_pid_namespace
	script '/bin/threads & sleep 0.5; exit 0'
	capture timeout 30 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0
	assert_clean
}

@test "kill --all reaches a process whose first thread has ended" {
	make_threads
	without_pid_namespace
	program /bin/threads
	hull_start
	wait_for first_thread_ended "$PID"
	capture timeout 20 "$HULL" --root "$STATE" kill --all "$ID" KILL
	expect 0
	hull_wait
	expect 137
	assert_clean
}

@test "user: a process whose first thread has ended is not forgotten" {
	make_threads
	program /bin/threads
	as_user
	user_do timeout -s KILL 60 "$T/hull" run --pid-file "$T/run/pid" -b "$BUNDLE" "$ID" \
		>"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -s "$T/run/pid" || fail "not started: $(<"$T/stderr")"
	PID=$(<"$T/run/pid")
	wait_for first_thread_ended "$PID"
	capture user_do timeout 20 "$T/hull" delete "$ID"
	expect_error 'it is running'
	capture user_do timeout 20 "$T/hull" delete --force "$ID"
	expect 0
	wait "$HULL_PID" || true
	assert_clean
	[[ ! -e $T/run/hull/$ID ]] || fail "the state is left"
}

# ---- the state ----------------------------------------------------------------------------------

@test "annotations larger than any other state are read back" {
	program /bin/sleep 60
	head -c 5000000 /dev/zero | tr '\0' x >"$T/large"
	config --rawfile large "$T/large" '.annotations = {large: $large}'
	hull_start
	status_is running
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	delete_it --force
	expect 0
	assert_clean
}

@test "a running container is running from another pid namespace too" {
	program /bin/sleep 60
	hull_start
	status_is running unshare --pid --fork --mount-proc
	capture timeout 20 unshare --pid --fork --mount-proc "$HULL" --root "$STATE" delete "$ID"
	expect_error 'it is running'
	kill -0 "$PID" || fail "it was killed"
	capture timeout 20 unshare --pid --fork --mount-proc "$HULL" --root "$STATE" kill "$ID" KILL
	expect_error 'was started in another pid or time namespace'
	kill -0 "$PID" || fail "it was killed"
	capture timeout 20 unshare --pid --fork --mount-proc \
		"$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	hull_wait
	expect 137
	assert_clean
}

@test "a running container is running from another time namespace too" {
	program /bin/sleep 60
	hull_start
	status_is running unshare --time --boottime 100000 --fork
	capture timeout 20 unshare --time --boottime 100000 --fork \
		"$HULL" --root "$STATE" delete "$ID"
	expect_error 'it is running'
	kill -0 "$PID" || fail "it was killed"
	delete_it --force
	expect 0
	hull_wait
	assert_clean
}

@test "a container that has ended has ended from another pid namespace too" {
	program /bin/sleep 60
	hull_start
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	kill -KILL "$PID"
	wait_for test ! -e "/proc/$PID"
	status_is stopped unshare --pid --fork --mount-proc
	capture timeout 20 unshare --pid --fork --mount-proc "$HULL" --root "$STATE" delete "$ID"
	expect 0
	assert_clean
}

@test "without a cgroup nothing is forgotten from another pid namespace" {
	program /bin/sleep 60
	hull_start
	jq 'del(.hull.cgroup)' "$STATE/$ID/state.json" >"$T/state.json"
	cp "$STATE/$ID/state.json" "$T/whole.json"
	cp "$T/state.json" "$STATE/$ID/state.json"
	capture timeout 20 unshare --pid --fork --mount-proc \
		"$HULL" --root "$STATE" delete --force "$ID"
	expect_error 'was started in another pid or time namespace'
	[[ -e $STATE/$ID ]] || fail "the state is gone"
	cp "$T/whole.json" "$STATE/$ID/state.json"
	delete_it --force
	expect 0
	hull_wait
	assert_clean
}

@test "a container whose state was removed ends with its processes and its cgroup" {
	without_pid_namespace
	script 'sleep 120 & sleep 2; exit 3'
	hull_start
	rm -r "${STATE:?}/$ID"
	hull_wait
	expect 3
	grep -q "warning: the state of '$ID' was removed while" <<<"$stderr" || report "not said"
	assert_clean
}

@test "delete --force finds room for what it must write" {
	FULL=$T/full
	mkdir "$FULL"
	mount -t tmpfs -o size=1m,mode=700 full "$FULL"
	host_mounts >"$T/mountinfo"
	STATE=$FULL/state
	program /bin/sleep 60
	config --arg out "$T/poststop" '.hooks.poststop = [
		{path: "/bin/sh", args: ["sh", "-c", "echo ran >\($out)"]}]'
	hull_start
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	! cat /dev/zero >"$FULL/fill" 2>/dev/null || fail "not full"
	delete_it --force
	expect 0
	[[ $(<"$T/poststop") == ran ]] || fail "its hook has not run"
	assert_clean
	umount "$FULL"
	FULL=
}

# ---- the cgroup ---------------------------------------------------------------------------------

@test "a cgroup that could be neither made nor removed is not forgotten" {
	local n
	for n in 7 8 9 10 11 12; do
		capture timeout 30 bash -c "ulimit -n $n; exec \"\$@\"" - \
			"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
		[[ $status != 0 ]] || break
		[[ ! -e $CGROUP || -e $STATE/$ID ]] || fail "ulimit -n $n: forgotten: $stderr"
		delete_it --force
		expect 0
		assert_clean
	done
}

@test "user: a program that closes its cgroup to hull cannot outlive its end in it" {
	as_user
	without_pid_namespace
	delegate
	config '.mounts |= map(select(.type != "proc" and .type != "mqueue"))
		| del(.linux.maskedPaths, .linux.readonlyPaths)'
	script 'sleep 120 & chmod 000 /sys/fs/cgroup/cgroup.* /sys/fs/cgroup; exit 4'
	capture in_delegated timeout -s KILL 60 "$T/hull" run -b "$BUNDLE" "$ID"
	expect 4
	assert_user_clean
}

@test "user: a container that has closed its cgroup to hull is removed by delete --force" {
	as_user
	delegate
	script 'chmod 000 /sys/fs/cgroup/cgroup.* /sys/fs/cgroup; echo done; exec sleep 120'
	in_delegated timeout -s KILL 60 "$T/hull" run --pid-file "$T/run/pid" -b "$BUNDLE" "$ID" \
		>"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for grep -q 'done' "$T/stdout" || fail "not started: $(<"$T/stderr")"
	capture user_do timeout 30 "$T/hull" delete --force "$ID"
	expect 0
	wait "$HULL_PID" || true
	assert_user_clean
}
