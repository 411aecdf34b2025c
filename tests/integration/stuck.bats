#!/usr/bin/env bats
# What must not hold hull up for ever, or be left behind by it: a message that cannot be sent, a
# tracer that does not let go of the dead, a container that only its processes make up.

load ../lib

setup() {
	need_root
	hull_setup
}

teardown() {
	local pid
	for pid in ${TRACER:-} ${STAGE:-} ${HULL_PID:-}; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	hull_teardown
}

# ---- helpers ------------------------------------------------------------------------------------

# trace PID: a process of the host's traces it, and never asks what became of it; $TRACER.
trace() {
	cat >"$T/tracer.c" <<-'EOF'
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/ptrace.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			if (argc < 2 || ptrace(PTRACE_SEIZE, atoi(argv[1]), 0, 0) < 0)
				return 1;
			puts("traced");
			fflush(stdout);
			sleep(120);
			return 0;
		}
	EOF
	cc -o "$T/tracer" "$T/tracer.c"
	"$T/tracer" "$1" >"$T/tracer.out" 2>&1 </dev/null 3>&- &
	TRACER=$!
	wait_for grep -q traced "$T/tracer.out" || fail "not traced"
}

# ---- messages -----------------------------------------------------------------------------------

# fail_each CALL: the bundle once for each such call of each process, which fails; none may hang.
fail_each() {
	local aim inject=${HULL%/*}/tests/faults/inject
	[[ -x $inject ]] || skip "no injector beside $HULL"
	local run=("$HULL" --root "$STATE" run -b "$BUNDLE" "$ID")
	capture timeout -k 5 30 "$inject" -t 5 -o "$T/calls" list "${run[@]}"
	grep -E "^[^ ]+ $1 [0-9]+\$" "$T/calls" >"$T/aims" || fail "no $1 there"
	while read -r aim; do
		capture timeout -k 5 30 "$inject" -t 5 -o "$T/result" "${aim// /:}" "${run[@]}"
		[[ $(tail -n 1 "$T/result") != hang ]] || fail "hangs: $aim"
		timeout 30 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 </dev/null
	done <"$T/aims"
	assert_clean
}

@test "a word between parent and child that cannot be sent ends the start" {
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 512, hard: 1024}]'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	fail_each sendto
}

@test "a failure that the child cannot tell ends the start" {
	# hull waits for its READY
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 512, hard: 1024}]'
	program /no/such/program
	fail_each sendto
}

@test "a container lacks its cgroup for no call that failed" {
	local aim runs=0 inject=${HULL%/*}/tests/faults/inject
	[[ -x $inject ]] || skip "no injector beside $HULL"
	config 'del(.linux.cgroupsPath) | .linux.namespaces -= [{type: "cgroup"}]
		| .mounts |= map(select(.type != "cgroup" and .type != "cgroup2"))'
	program /bin/cat /proc/self/cgroup
	local run=("$HULL" --root "$STATE" run -b "$BUNDLE" "$ID")
	capture timeout -k 5 30 "$inject" -t 5 -o "$T/calls" list "${run[@]}"
	grep -qx "0::/hull/$ID" <<<"$output" || report "no cgroup even without a fault"
	grep -E '^0 (openat|openat2|fstatfs|mkdirat|flock|faccessat2|fcntl) [0-9]+$' "$T/calls" >"$T/aims"
	while read -r aim; do # 24: EMFILE
		runs=$((runs + 1))
		capture timeout -k 5 30 "$inject" -t 5 -o "$T/result" "${aim// /:}:24" "${run[@]}"
		[[ -z $output ]] || grep -qx "0::/hull/$ID" <<<"$output" || report "degraded: $aim"
		timeout 30 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 </dev/null
	done <"$T/aims"
	((runs > 5))
	assert_clean
}

# ---- the stage ----------------------------------------------------------------------------------

# stop_stage: starts the bundle and stops the stage; $HULL_PID, $STAGE. Fails when it came too late.
stop_stage() {
	local tries children
	"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" >"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$! STAGE=
	for tries in {1..2000}; do
		read -ra children <"/proc/$HULL_PID/task/$HULL_PID/children" || ((${#children[@]})) || continue
		# There may be one that makes namespaces ahead: the stage is the last.
		STAGE=${children[-1]}
		[[ ! /proc/$STAGE/ns/mnt -ef /proc/$HULL_PID/ns/mnt ]] || continue
		kill -STOP "$STAGE" || break
		sleep 0.1
		# clone3 waits for the stage, which is at the trees and so has asked to die with hull.
		grep -q '^435 ' "/proc/$HULL_PID/syscall" &&
			(($(wc -l <"/proc/$STAGE/mountinfo") > $(wc -l <"/proc/$HULL_PID/mountinfo") + 1)) &&
			return 0
		break
	done 2>/dev/null
	kill -KILL "$STAGE" "$HULL_PID" 2>/dev/null || true
	wait "$HULL_PID" || true
	timeout 30 "$HULL" --root "$STATE" delete --force "$ID" </dev/null
	return 1
}

@test "the stage ends with a hull that is killed, and lets go of the state" {
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .mounts += [range(200) | {destination: "/tmp/\(.)", type: "bind", source: "/dev/null",
			options: ["bind"]}]'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	local tries
	for tries in {1..20}; do
		! stop_stage || break
		((tries < 20)) || fail "the stage was not caught"
	done
	ends_with_hull "$STAGE"
}

# ---- tracers ------------------------------------------------------------------------------------

@test "hull ends when a tracer holds the container's dead process" {
	program /bin/sleep 60
	hull_start
	trace "$PID"
	kill -KILL "$PID"
	ends_in 30 "$HULL_PID"
	hull_wait
	expect_error "a tracer holds its first process"
	kill -KILL "$TRACER"
	wait_for assert_clean
}

@test "without a pid namespace the container's own tracer ends with it" {
	config '.linux.namespaces -= [{type: "pid"}]'
	program /bin/sleep 60
	hull_start
	trace "$PID"
	echo "$TRACER" >"$CGROUP/cgroup.procs"
	kill -KILL "$PID"
	ends_in 9 "$HULL_PID"
	hull_wait
	expect 137
	assert_clean
}

# ---- what only its processes make up ------------------------------------------------------------

@test "without privilege, pid namespace and cgroup: what the program left is ended" {
	local user=54322
	config --argjson id "[{\"containerID\": 0, \"hostID\": $user, \"size\": 1}]" '
		.linux.namespaces = (.linux.namespaces - [{type: "pid"}] + [{type: "user"}])
		| .linux.uidMappings = $id | .linux.gidMappings = $id | del(.linux.cgroupsPath)
		| .mounts = [{destination: "/proc", type: "bind", source: "/proc", options: ["rbind"]}]'
	script 'for i in 1 2 3; do setsid sleep 60 >/dev/null 2>&1 & done; sleep 0.2; exit 7'
	mkdir -m 700 "$T/run"
	chown -hR $user:$user "$T"
	chmod 755 "$T"
	cp "$HULL" "$T/hull"
	chmod 755 "$T/hull"
	capture timeout -k 5 30 setpriv --reuid $user --regid $user --clear-groups \
		env -i -C / PATH="$PATH" XDG_RUNTIME_DIR="$T/run" "$T/hull" run -b "$BUNDLE" "$ID"
	expect 7
	assert_clean
}
