#!/usr/bin/env bats
# Nobody waits for ever for a process that was stopped, and nobody comes in between who would be hit by
# what is under way: the injector (tests/faults) stops one process behind one system call.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a process of its own, and means its own variables

load ../lib

setup() {
	need_root
	need_no_sanitizer "a process that is traced cannot be looked through for leaks"
	INJECT=${INJECT:-$(dirname "$(realpath "$HULL")")/tests/faults/inject}
	[[ -x $INJECT ]] || skip "the injector is for x86-64"
	hull_setup
}

teardown() {
	[[ -z ${STOPPED:-} ]] || kill -KILL "$STOPPED" 2>/dev/null || true
	for id in "${ID:-none}" "${ID:-none}-second"; do
		[[ ! -e ${STATE:-/none}/$id ]] ||
			timeout 30 "$HULL" --root "$STATE" delete --force "$id" >/dev/null 2>&1 3>&- || true
	done
	[[ -z ${OTHER:-} ]] || kill -KILL "$OTHER" 2>/dev/null || true
	[[ -z ${OWN:-} ]] || remove_cgroup "$CGROUPS/$OWN"
	hull_teardown
}

# injected AIM COMMAND...: hull, one of whose processes is stopped there.
injected() {
	local aim=$1
	shift
	timeout -k 5 60 "$INJECT" -t 50 -g 100 -e busybox -e true -o "$T/injected" "$aim" \
		"$HULL" --root "$STATE" "$@" 3>&-
}

# join_pid_namespace: that of a process which outlives the test.
join_pid_namespace() {
	unshare --pid --fork --mount-proc --kill-child sleep 100 3>&- >/dev/null 2>&1 &
	OTHER=$!
	wait_for pgrep -P "$OTHER" -x sleep >/dev/null
	config --arg path "/proc/$(pgrep -P "$OTHER" -x sleep)/ns/pid" \
		'(.linux.namespaces[] | select(.type == "pid")).path = $path'
}

new_user_namespace() {
	chown -R 100000:100000 "$BUNDLE/rootfs"
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(select(.type != "proc"))'
}

was_hit() {
	grep -q '^hit' "$T/injected" || fail "nothing was stopped" "$(<"$T/injected")"
}

# hull_is_at AIM COMMAND...: the same behind the test; $STOPPED is hull, once it is stopped.
hull_is_at() {
	injected "$@" >"$T/out" 2>"$T/err" </dev/null &
	INJECTOR=$!
	wait_for is_stopped_hull || fail "hull is not stopped" "$(<"$T/err")"
}

is_stopped_hull() {
	local pid
	for pid in $(pgrep -x hull); do
		[[ $(awk '{ print $3 }' "/proc/$pid/stat" 2>/dev/null) == [tT] ]] || continue
		tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "--root $STATE " || continue
		STOPPED=$pid
		return 0
	done
	return 1
}

@test "who has moved into an existing pid namespace is not waited for: it may be stopped" {
	join_pid_namespace
	local last
	script 'echo it runs; exit 7'
	# Before Linux 6.17 it has made a helper for /proc before.
	capture injected list run -b "$BUNDLE" "$ID"
	last=$(awk '$1 == "0f1" && $2 == "clone3" { print $3 }' "$T/injected" | tail -n 1)
	capture injected "stop:0f1:clone3:$last" run -b "$BUNDLE" "$ID"
	was_hit
	[[ $output == "it runs" ]] || report "the program should have run"
	grep -qx 'exit 7' "$T/injected" || fail "status 7 expected" "$(<"$T/injected")"
	assert_clean
}

@test "a child that is stopped before it has its namespaces fails the start in time" {
	join_pid_namespace
	new_user_namespace
	capture injected stop:0v1c1:unshare:1 run -b "$BUNDLE" "$ID"
	was_hit
	grep -qx 'exit 1' "$T/injected" || fail "status 1 expected" "$(<"$T/injected")"
	[[ $stderr == *"did not make its namespaces in 10 s"* ]] || report "another error expected"
	assert_clean
}

@test "a helper that is stopped while it makes the network namespace fails the start in time" {
	capture injected stop:0c1:unshare:1 run -b "$BUNDLE" "$ID"
	was_hit
	grep -qx 'exit 1' "$T/injected" || fail "status 1 expected" "$(<"$T/injected")"
	[[ $stderr == *"cannot make the container's network namespace: connection timed out"* ]] ||
		report "another error expected"
	assert_clean
}

# leave ID: run --detach; $PID is its process.
leave() {
	capture timeout 20 "$HULL" --root "$STATE" run --detach --pid-file "$T/pid" -b "$BUNDLE" "$1" 3>&-
	[[ $status != 0 ]] || PID=$(<"$T/pid")
}

is_dead() {
	[[ $(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null) != [SRD] ]]
}

# stopped_delete: of a container in $OWN, with its first process dead.
stopped_delete() {
	program /bin/sleep 60
	config --arg path "/$OWN/x" '.linux.cgroupsPath = $path'
	leave "$ID"
	expect 0
	hull_is_at stop:0:pidfd_send_signal:1 delete --force "$ID"
	wait_for is_dead "$PID"
}

no_other_begins() {
	leave "$ID-second"
	expect 1
	expect_error "cannot use cgroup '/$OWN/x'"
	kill -CONT "$STOPPED"
	wait "$INJECTOR"
	was_hit
	grep -qx 'exit 0' "$T/injected" || fail "delete failed" "$(<"$T/injected")" "$(<"$T/err")"
	leave "$ID-second"
	expect 0
	! is_dead "$PID" || fail "it was killed"
}

@test "while delete is at work in a cgroup that existed before, nobody else begins there" {
	OWN=hull-own-$ID
	mkdir -p "$CGROUPS/$OWN/x"
	stopped_delete
	no_other_begins
}

@test "the same of a cgroup that goes with the container" {
	OWN=hull-own-$ID
	stopped_delete
	no_other_begins
}
