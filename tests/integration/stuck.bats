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
	for pid in ${TRACER:-} ${HELPER:-} ${HULL_PID:-}; do
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

# ends_in SECONDS PID: the process ends in that time.
ends_in() {
	timeout "$1" tail --pid="$2" -f /dev/null </dev/null 3>&- || fail "still there after $1 s"
}

# ---- messages -----------------------------------------------------------------------------------

# fail_each CALL: the bundle once for each such call of each process, which fails; none may hang.
fail_each() {
	local aim inject=${HULL%/*}/tests/faults/inject
	[[ -x $inject ]] || skip "no injector beside $HULL"
	local run=("$HULL" --root "$STATE" run -b "$BUNDLE" "$ID")
	capture timeout -k 5 30 "$inject" -t 5 -o "$T/calls" list "${run[@]}"
	grep -E "^[0-9]+ $1 [0-9]+\$" "$T/calls" >"$T/aims" || fail "no $1 there"
	while read -r aim; do
		capture timeout -k 5 30 "$inject" -t 5 -o "$T/result" "${aim// /:}" "${run[@]}"
		[[ $(tail -n 1 "$T/result") != hang ]] || fail "hangs: $aim"
		hull delete --force "$ID" >/dev/null 2>&1 </dev/null
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
