#!/usr/bin/env bats
# SCMP_ACT_NOTIFY: an agent outside is told of system calls and answers them (S-212 to S-220). The
# agent is tests/integration/agent.c.
# shellcheck disable=SC2030,SC2031 # each test is a process of its own, and means its own variables

load ../lib
bats_require_minimum_version 1.5.0

setup() {
	hull_setup
	need_root
	TESTS=$(dirname "$HULL")/tests
	SOCKET=$T/agent.sock
	USER_ID=54321
	profile mkdir mkdirat
}

teardown() {
	[[ -z ${USER_HULL:-} ]] || capture user_do timeout 20 "$T/hull" delete --force "$ID"
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	[[ -z ${AGENT:-} ]] || kill -KILL "$AGENT" 2>/dev/null || true
	[[ -z ${HULL_PID:-} ]] || kill -KILL "$HULL_PID" 2>/dev/null || true
	hull_teardown
}

# ---- helpers ------------------------------------------------------------------------------------

# profile NAME...: the agent hears of these, all else is allowed.
profile() {
	config --arg path "$SOCKET" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		listenerPath: $path, syscalls: [{names: $ARGS.positional, action: "SCMP_ACT_NOTIFY"}]}' \
		--args -- "$@"
}

# config() with what stands behind `--args --` at the end.
config() {
	local before=() after=()
	while (($#)) && [[ $1 != --args ]]; do
		before+=("$1")
		shift
	done
	after=("$@")
	jq "${before[@]}" "$BUNDLE/config.json" "${after[@]}" >"$BUNDLE/config.json.new"
	mv "$BUNDLE/config.json.new" "$BUNDLE/config.json"
}

# agent [OPTION...]: starts it; see agent.c for its options.
agent() {
	"$TESTS/agent" "$SOCKET" "$T/log" "$@" >/dev/null 2>"$T/agent.err" </dev/null 3>&- &
	AGENT=$!
	wait_for grep -qx listening "$T/log" || fail "no agent: $(<"$T/agent.err")"
}

# hull_do COMMAND [ARGUMENT...]: never for longer than thirty seconds.
hull_do() {
	capture timeout -k 5 30 "$HULL" --root "$STATE" "$@" 3>&-
}

bounded_run() {
	hull_do run -b "$BUNDLE" "$ID"
}

# told N [FILTER]: the agent has got the state number N, for which the jq filter is true.
told() {
	wait_for test -s "$T/log.$1" || fail "no state $1: $(<"$T/log")"
	jq -e "${2:-true}" "$T/log.$1" >/dev/null || fail "$2: $(<"$T/log.$1")"
}

heard() {
	wait_for grep -qx "$1" "$T/log" || fail "no '$1' in: $(<"$T/log")"
}

connections() {
	grep -c '^connection' "$T/log" || true
}

# ---- the state ----------------------------------------------------------------------------------

@test "S-217, S-218: run sends the container process state, with the descriptor in the first message" {
	config '.annotations = {"org.example": "x"} | .linux.seccomp.listenerMetadata = "a \"b\" \u0001 c"'
	agent
	script 'mkdir /tmp/made && sleep 20'
	hull_start
	told 1
	heard 'connection 1: 1 descriptors with message 1, 0 later, [0-9]* bytes, anon_inode:seccomp notify'
	[[ $(jq -c 'keys_unsorted' "$T/log.1") == '["ociVersion","fds","pid","metadata","state"]' ]] ||
		fail "$(<"$T/log.1")"
	told 1 ".ociVersion == \"1.3.0\" and .fds == [\"seccompFd\"] and .pid == $PID"
	told 1 '.metadata == "a \"b\" \u0001 c"'
	told 1 ".state | .ociVersion == \"1.3.0\" and .id == \"$ID\" and .status == \"creating\""
	told 1 ".state | .pid == $PID and .bundle == \"$BUNDLE\" and .annotations == {\"org.example\": \"x\"}"
	heard 'call mkdir\(at\)\?'
	kill -KILL "$PID"
	hull_wait
	expect 137
	heard 'end 1' # nobody has the listener any more
	assert_clean
}

@test "without metadata there is none, and a relative path is the bundle's" {
	config '.linux.seccomp.listenerPath = "../agent.sock"'
	agent
	script 'mkdir /tmp/made; ls -d /tmp/made'
	bounded_run
	expect 0 /tmp/made
	told 1 'has("metadata") | not'
	assert_clean
}

@test "the agent's answers are the program's" {
	agent mkdir=17 mkdirat=17 uname=0
	profile mkdir mkdirat uname
	script 'mkdir /tmp/made; ls /tmp; uname && mkdir -p /tmp/a'
	bounded_run
	expect 1
	expect_error 'File exists'
	assert_clean
}

@test "create says nothing to the agent; start does, once" {
	agent
	script 'mkdir /tmp/made && sleep 20'
	hull_do create --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	expect 0 ""
	[[ $(connections) == 0 ]] || fail "$(<"$T/log")"
	hull_do start "$ID"
	expect 0 ""
	told 1 ".pid == $(<"$T/pid") and .state.pid == .pid and .state.status == \"creating\""
	told 1 ".state | .id == \"$ID\" and .bundle == \"$BUNDLE\""
	heard 'call mkdir\(at\)\?'
	hull_do delete --force "$ID"
	expect 0
	heard 'end 1'
	[[ $(connections) == 1 ]] || fail "$(<"$T/log")"
	assert_clean
}

@test "S-212, S-219: exec has a connection of its own, to a running container" {
	agent
	config '.linux.seccomp.listenerMetadata = "of the container"'
	program /bin/sleep 30
	hull_start
	told 1
	hull_do exec "$ID" mkdir /tmp/made
	expect 0
	told 2 ".state | .pid == $PID and .status == \"running\" and .id == \"$ID\""
	told 2 ".pid != $PID and .metadata == \"of the container\""
	heard 'end 2'
	hull_do exec -d --pid-file "$T/exec.pid" "$ID" sleep 30
	expect 0
	told 3 ".pid == $(<"$T/exec.pid")"
	echo '{"cwd": "/", "args": ["/bin/mkdir", "/tmp/second"], "user": {"uid": 0, "gid": 0}}' >"$T/process"
	hull_do exec -p "$T/process" "$ID"
	expect 0
	told 4 '.state.status == "running"'
	[[ $(connections) == 4 ]] || fail "$(<"$T/log")"
	hull_do delete --force "$ID"
	expect 0
	capture wait "$HULL_PID"
	assert_clean
}

@test "with --init and detached, and in an existing pid namespace" {
	agent mkdir=17 mkdirat=17
	script 'mkdir /tmp/made; sleep 20'
	hull_do run --init --detach --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	expect 0
	told 1 ".pid == $(<"$T/pid") and .state.pid == .pid"
	heard 'call mkdir\(at\)\?'
	grep -qx 'Seccomp_filters:.1' "/proc/$(<"$T/pid")/status" || fail "process 1 has the program's filter"
	hull_do delete --force "$ID"
	expect 0
	heard 'end 1'
	hull_do create --init -b "$BUNDLE" "$ID"
	expect 0
	hull_do start "$ID"
	expect 0
	told 2
	hull_do delete --force "$ID"
	expect 0
	config '.linux.namespaces |= map(if .type == "pid" then .path = "/proc/self/ns/pid" else . end)'
	script 'mkdir /tmp/made || echo no'
	bounded_run
	expect 0 no
	told 3 '.state.pid == .pid'
	assert_clean
}

user_do() {
	(cd / && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
		env -i PATH="$PATH" XDG_RUNTIME_DIR="$T/run" "$@")
}

@test "without privilege: run, and exec" {
	config '.linux.namespaces += [{type: "user"}] | del(.linux.cgroupsPath) |
		.linux.uidMappings = [{containerID: 0, hostID: 54321, size: 1}] |
		.linux.gidMappings = .linux.uidMappings'
	script 'mkdir /tmp/made || sleep 20'
	agent mkdir=1 mkdirat=1
	mkdir "$T/run"
	cp "$HULL" "$T/hull"
	chown -hR "$USER_ID:$USER_ID" "$BUNDLE" "$T/run" "$SOCKET"
	chmod 700 "$T/run"
	chmod 755 "$T" "$T/hull"
	USER_HULL=yes
	capture user_do timeout 20 "$T/hull" run -d --pid-file "$T/run/pid" -b "$BUNDLE" "$ID" 3>&-
	expect 0
	told 1 ".pid == $(<"$T/run/pid")"
	heard 'call mkdir\(at\)\?'
	capture user_do timeout 20 "$T/hull" exec "$ID" mkdir /tmp/made 3>&-
	expect_error 'Operation not permitted'
	told 2 '.state.status == "running"'
	capture user_do timeout 20 "$T/hull" delete --force "$ID" 3>&-
	expect 0
	heard 'end 1'
	assert_clean
}

# ---- which filter -------------------------------------------------------------------------------

@test "the rest of the profile is in force, with all flags" {
	config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
		"SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] |
		.linux.seccomp.syscalls += [{names: ["chmod", "fchmodat"], action: "SCMP_ACT_ERRNO", errnoRet: 55},
			{names: ["sync"], action: "SCMP_ACT_KILL_PROCESS"}]'
	agent mkdir=17 mkdirat=17
	script 'mkdir /tmp/made; chmod 700 /tmp; grep -E "^Seccomp(_filters)?:" /proc/self/status; sync; echo $?'
	bounded_run
	expect 0 $'Seccomp:\t2\nSeccomp_filters:\t2\n159'
	grep -q 'File exists' "$T/stderr" || report "mkdir"
	grep -q 'No anode' "$T/stderr" || report "chmod"
	assert_clean
}

@test "a filter of the cache serves another agent" {
	agent
	script 'mkdir /tmp/made'
	for word in one two; do
		config --arg word "$word" '.linux.seccomp.listenerMetadata = $word'
		rm -rf "$BUNDLE/rootfs/tmp/made"
		bounded_run
		expect 0
	done
	told 1 '.metadata == "one"'
	told 2 '.metadata == "two"'
	[[ $(find "$STATE" -name 'bpf-*' | wc -l) == 1 ]] || fail "the filter was compiled twice"
	assert_clean
}

@test "S-214: without SCMP_ACT_NOTIFY the path means nothing" {
	config '.linux.seccomp.syscalls[0].action = "SCMP_ACT_ERRNO"'
	script 'mkdir /tmp/made'
	bounded_run
	expect_error 'Operation not permitted'
	assert_clean
}

# ---- calls that hull makes itself ---------------------------------------------------------------

@test "S-220: what hull could have needed can be asked about" {
	# The last ones are those of bypass4netns.
	local names=(write sendmsg recvfrom sendto read mmap munmap close prctl rt_sigprocmask clone3
		openat connect bind setsockopt getsockname getpeername fcntl ioctl exit_group)
	local name
	agent
	script 'mkdir /tmp/made; echo here'
	for name in "${names[@]}"; do
		profile "$name"
		rm -rf "$BUNDLE/rootfs/tmp/made"
		bounded_run
		expect 0 here
	done
	profile "${names[@]/read/mkdir}"
	for option in "" --init; do
		rm -rf "$BUNDLE/rootfs/tmp/made"
		hull_do create $option --pid-file "$T/pid" -b "$BUNDLE" "$ID"
		expect 0
		hull_do start "$ID"
		expect 0
		wait_for test -d "$BUNDLE/rootfs/tmp/made" || fail "the program does not run"
		hull_do delete --force "$ID"
		expect 0
	done
	assert_clean
}

@test "all calls but three can be asked about" {
	agent
	config '.linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY" |
		.linux.seccomp.syscalls = [{names: ["sendmmsg", "read", "seccomp"], action: "SCMP_ACT_ALLOW"}]'
	script 'echo here'
	bounded_run
	expect 0 here
	heard 'call execve'
	heard 'call write'
	heard 'call exit_group'
	config '.linux.seccomp.syscalls[0].names = ["sendmmsg", "seccomp"]'
	bounded_run
	expect_error "SCMP_ACT_NOTIFY cannot be the default for recvfrom and read: nobody could answer yet"
	expect_error 'linux.seccomp.defaultAction: '
	[[ $(connections) == 1 ]] || fail "it was told of a container that is refused"
	assert_clean
}

@test "execve: the agent may forbid it, or say nothing, but not for ever" {
	profile execve exit_group
	agent execve=13 exit_group=-1
	bounded_run
	expect_error 'exec: "/bin/true": permission denied'
	assert_clean
	kill -KILL "$AGENT"
	rm "$SOCKET" "$T/log"
	agent execve=-1
	for command in "run" "run --detach" "run --init" create; do
		SECONDS=0
		# shellcheck disable=SC2086 # an option
		hull_do $command -b "$BUNDLE" "$ID"
		if [[ $command == create ]]; then
			expect 0
			hull_do start "$ID"
		fi
		expect 1
		expect_error "the agent at '$SOCKET' does not let the program be executed"
		expect_error "has not answered within 10 s"
		((SECONDS < 20)) || fail "$SECONDS s"
		assert_clean
	done
}

@test "startContainer hooks have no agent" {
	config '.hooks.startContainer = [{path: "/bin/mkdir", args: ["mkdir", "/tmp/hook"]}] |
		.process.capabilities = {}'
	agent
	bounded_run
	expect_error 'Function not implemented'
	expect_error 'warning.*startContainer hooks run before the seccomp listener is there'
	[[ ! -e $BUNDLE/rootfs/tmp/hook ]] || report "the hook has made it"
	! grep -q '^call' "$T/log" || fail "$(<"$T/log")"
	assert_clean
}

# ---- agents that are no good --------------------------------------------------------------------

@test "S-213: nobody listens, no socket, no stream: nothing is started" {
	local command
	for command in run create; do
		hull_do $command -b "$BUNDLE" "$ID"
		expect 1
		expect_error "cannot connect to the seccomp agent's socket '$SOCKET'"
		expect_error "linux.seccomp.listenerPath"
		expect_error "must listen there before hull is called"
		assert_clean
		echo >"$SOCKET"
		hull_do $command -b "$BUNDLE" "$ID"
		expect_error "the seccomp agent's socket '$SOCKET' is no socket"
		assert_clean
		rm "$SOCKET"
	done
	# One whose owner is gone.
	agent
	kill -KILL "$AGENT"
	bounded_run
	expect_error 'connection refused'
	expect_error 'nobody listens on it any more'
	assert_clean
	rm "$SOCKET"
	perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die' "$SOCKET"
	bounded_run
	expect_error "cannot connect to the seccomp agent's socket"
	assert_clean
}

@test "start without an agent leaves the container to be started later" {
	agent
	script 'mkdir /tmp/made; sleep 20'
	hull_do create -b "$BUNDLE" "$ID"
	expect 0
	kill -KILL "$AGENT"
	hull_do start "$ID"
	expect 1
	expect_error "cannot connect to the seccomp agent's socket"
	rm "$SOCKET" "$T/log"
	agent
	hull_do start "$ID"
	expect 0
	told 1
	heard 'call mkdir\(at\)\?'
	hull_do delete --force "$ID"
	expect 0
	assert_clean
}

# held NAME: a hook that waits until the agent has said so: what comes first is not left to chance.
held() {
	printf '#!/bin/sh\nfor i in $(seq 200); do grep -q "%s" "%s" && exit 0; sleep 0.05; done; exit 1\n' \
		"$1" "$T/log" >"$T/held"
	chmod +x "$T/held"
	config --arg path "$T/held" '.hooks.createRuntime = [{path: $path, env: ["PATH=/usr/bin:/bin"]}]'
}

@test "an agent that hangs up stops the start" {
	agent hang-up
	held 'hung up 1'
	for command in run "run --detach"; do
		# shellcheck disable=SC2086 # an option
		hull_do $command -b "$BUNDLE" "$ID"
		expect 1
		expect_error "cannot send the seccomp listener to the agent at '$SOCKET'"
		expect_error 'it has hung up before it was told of the container'
		assert_clean
	done
}

@test "an agent that never reads does not hold up the start" {
	agent mute
	bounded_run
	expect 0
	# What goes beyond the room of the connection.
	config '.linux.seccomp.listenerMetadata = "x" * 2000000'
	for command in run "run --detach --init"; do
		SECONDS=0
		# shellcheck disable=SC2086 # an option
		hull_do $command -b "$BUNDLE" "$ID"
		expect 1
		expect_error "cannot send the seccomp listener to the agent at '$SOCKET': connection timed out"
		expect_error 'it does not read what it is sent'
		((SECONDS < 15)) || fail "$SECONDS s"
		assert_clean
	done
	hull_do create -b "$BUNDLE" "$ID"
	expect 0
	hull_do start "$ID"
	expect 1
	expect_error 'it does not read what it is sent'
	assert_clean
}

@test "exec: an agent that never reads ends the exec, and nothing else" {
	agent
	program /bin/sleep 30
	config '.linux.seccomp.listenerMetadata = "x" * 2000000'
	hull_start
	told 1
	kill -KILL "$AGENT"
	rm "$SOCKET" "$T/log"
	agent mute
	hull_do exec "$ID" touch /tmp/made
	expect 255
	expect_error 'it does not read what it is sent'
	[[ ! -e $BUNDLE/rootfs/tmp/made ]] || fail "it has run"
	[[ $(container_processes | wc -l) == 1 ]] || fail "left: $(container_processes)"
	hull_do state "$ID"
	[[ $(jq -r .status <<<"$output") == running ]] || report "the container"
	hull_do delete --force "$ID"
	capture wait "$HULL_PID"
	assert_clean
}

@test "an agent with a full queue does not hold up the start" {
	agent deaf
	bounded_run
	expect 0
	SECONDS=0
	bounded_run
	expect 1
	expect_error 'more connections waiting than it takes'
	((SECONDS < 15)) || fail "$SECONDS s"
	assert_clean
}

@test "a large state comes whole, and slowly" {
	agent
	config '.linux.seccomp.listenerMetadata = "0123456789" * 100000'
	bounded_run
	expect 0
	told 1 '.metadata | length == 1000000'
	heard 'connection 1: 1 descriptors with message 1, 0 later, .*'
	kill -KILL "$AGENT"
	rm "$SOCKET" "$T/log"
	agent crumbs
	config '.linux.seccomp.listenerMetadata = "short"'
	bounded_run
	expect 0
	heard 'connection 1: 1 descriptors with message 1, 0 later, .*'
	told 1 '.metadata == "short"'
	assert_clean
}

@test "an agent that has dropped the listener is one that says no" {
	agent drop
	program /bin/sh -c 'read x; mkdir /tmp/made'
	mkfifo "$T/in"
	exec 9<>"$T/in"
	timeout -k 5 30 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" <"$T/in" >"$T/stdout" 2>"$T/stderr" 3>&- 9>&- &
	HULL_PID=$!
	heard 'end 1'
	echo >&9
	exec 9>&-
	hull_wait
	expect_error 'Function not implemented'
	assert_clean
}

@test "a program that waits for an answer can be ended" {
	agent mkdir=-1 mkdirat=-1
	config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
	script 'mkdir /tmp/made'
	hull_start
	heard 'call mkdir\(at\)\?'
	SECONDS=0
	hull_do delete --force "$ID"
	expect 0
	((SECONDS < 5)) || fail "$SECONDS s"
	capture wait "$HULL_PID"
	assert_clean
}

# ---- what the image can reach -------------------------------------------------------------------

@test "the program has neither the listener nor the connection, and hull has nothing either" {
	agent
	profile getpid
	config '.linux.seccomp.syscalls += [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]'
	script 'ls -l /proc/self/fd /proc/1/fd; mkdir /tmp/made; exec sleep 20'
	hull_start
	told 1
	heard 'call mkdir\(at\)\?'
	! grep -E 'seccomp|socket' "$T/stdout" || fail "$(<"$T/stdout")"
	[[ $(find "/proc/$HULL_PID/fd" -lname '*seccomp*' | wc -l) == 0 ]] || fail "hull keeps the listener"
	heard 'connection 1: .*' # which hull has hung up
	[[ $(find "/proc/$PID/fd" -lname 'anon_inode*' -o -lname 'socket*' | wc -l) == 0 ]] || fail "inside"
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

@test "hooks and the program cannot reach the agent: no descriptor, and no path" {
	agent
	held ''
	config --arg out "$T/fds" '.hooks.createContainer = [{path: "/bin/sh",
		args: ["sh", "-c", "ls -l /proc/self/fd >" + $out]}]'
	ln -s "$SOCKET" "$BUNDLE/rootfs/tmp/agent.sock"
	script 'ls -lL /tmp/agent.sock'
	bounded_run
	expect_error 'No such file or directory'
	! grep -E 'seccomp|socket' "$T/fds" || fail "$(<"$T/fds")"
	assert_clean
}

# ended PID: the child is gone, or a zombie of whoever inherits it.
ended() {
	[[ $(ps -o stat= -p "$1") != [^Z]* ]]
}

@test "a hull that is killed between the parts of the filter takes the child along" {
	local child
	profile mkdir mkdirat exit_group close sendto
	agent mute
	config '.linux.seccomp.listenerMetadata = "x" * 2000000'
	"$HULL" --root "$STATE" run --pid-file "$T/pid" -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -s "$T/pid" || fail "not started"
	child=$(<"$T/pid")
	wait_for grep -qx 'Seccomp_filters:.1' "/proc/$child/status" || fail "no filter"
	kill -KILL "$HULL_PID"
	capture wait "$HULL_PID"
	wait_for ended "$child" || fail "the child is left"
	hull_do delete --force "$ID"
	expect 0
	assert_clean
}
