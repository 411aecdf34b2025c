#!/usr/bin/env bats
# A container from its start to its removal: names, state, signals, what is kept and what is
# removed, and that a failure on the way leaves nothing.

load ../lib

setup() {
	need_root
	hull_setup
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

@test "--pid-file has the number of the container's first process" {
	program /bin/sleep 60
	hull_start
	[[ $PID =~ ^[0-9]+$ ]]
	grep -qszxF "HULL_TEST=$ID" "/proc/$PID/environ"
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

@test "state tells of a running container" {
	program /bin/sleep 60
	hull_start
	capture hull state "$ID"
	expect 0
	[[ $(jq -r '.id, .status, .pid, .bundle' <<<"$output") == "$ID"$'\nrunning\n'"$PID"$'\n'"$BUNDLE" ]] ||
		report "another state expected"
	[[ $(jq -r .ociVersion <<<"$output") =~ ^1\. ]]
	kill -KILL "$PID"
	hull_wait
	capture hull state "$ID"
	expect 1
	expect_error "$ID"
}

@test "the config.json of the start is kept for the caller alone, and goes with the state" {
	program /bin/sleep 60
	hull_start
	cp "$BUNDLE/config.json" "$T/as-started"
	config '.process.args = ["/bin/true"]'
	cmp "$STATE/$ID/config.json" "$T/as-started"
	[[ $(stat -c %a "$STATE/$ID/config.json") == 600 ]]
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

@test "a name that is in use is refused, and the container lives on" {
	program /bin/sleep 60
	hull_start
	local first=$PID
	capture hull run -b "$BUNDLE" "$ID"
	expect 1
	expect_error "$ID"
	kill -0 "$first"
	kill -KILL "$first"
	hull_wait
	expect 137
	assert_clean
}

@test "names that are no file names are refused" {
	local name
	for name in . .. a/b 'a b' ''; do
		capture hull run -b "$BUNDLE" "$name"
		expect 1
		[[ -n $stderr ]] || report "no message"
	done
	assert_clean
}

@test "signals reach the program" {
	script 'trap "echo got TERM; exit 5" TERM; trap "echo got USR1" USR1; echo ready
		while :; do sleep 0.1; done'
	hull_start
	wait_for grep -q ready "$T/stdout"
	kill -USR1 "$HULL_PID"
	wait_for grep -q USR1 "$T/stdout"
	kill -TERM "$HULL_PID"
	hull_wait
	expect 5
	expect_line "got TERM"
	assert_clean
}

@test "--keep leaves the container until it is deleted" {
	program /bin/true
	hull_run --keep
	expect 0
	capture hull state "$ID"
	expect 0
	[[ $(jq -r .status <<<"$output") == stopped ]] || report "stopped expected"
	capture hull delete "$ID"
	expect 0
	assert_clean
}

@test "a running container is deleted only by force" {
	program /bin/sleep 60
	hull_start
	capture hull delete "$ID"
	expect 1
	kill -0 "$PID"
	capture hull delete --force "$ID"
	expect 0
	hull_wait
	assert_clean
}

@test "what a killed hull leaves is removed by delete --force" {
	program /bin/sleep 60
	hull_start
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	capture hull delete --force "$ID"
	expect 0
	assert_clean
}

@test "deleting what is not there: an error, except by force" {
	capture hull delete "$ID"
	expect 1
	expect_error "$ID"
	capture hull delete --force "$ID"
	expect 0
}

@test "what hull has not made in a state directory is not removed, and said to be there" {
	mkdir -p "$STATE/$ID"
	chmod 700 "$STATE" "$STATE/$ID"
	echo mine >"$STATE/$ID/notes"
	capture hull delete --force "$ID"
	expect 1
	expect_error "cannot remove the state directory of '$ID': directory not empty"
	[[ $(<"$STATE/$ID/notes") == mine ]]
	rm -r "${STATE:?}/$ID"
}

# ---- failures ----

# Runs the bundle, which must fail with a message that matches, and leave nothing.
fails() {
	hull_run
	expect 1 ""
	expect_error "$1"
	assert_clean
}

@test "a program that is not there" {
	program /no/such/program
	fails '/no/such/program.*no such file or directory'
}

@test "a program without the right to be executed" {
	program /etc/passwd
	fails '/etc/passwd.*permission denied'
}

@test "a directory as the program" {
	program /etc
	fails 'is a directory'
}

@test "a script whose interpreter is missing" {
	printf '#!/bin/bash\n' >"$BUNDLE/rootfs/script"
	chmod +x "$BUNDLE/rootfs/script"
	program /script
	fails '/bin/bash'
}

@test "a script with Windows line endings" {
	printf '#!/bin/sh\r\necho\r\n' >"$BUNDLE/rootfs/script"
	chmod +x "$BUNDLE/rootfs/script"
	program /script
	fails 'Windows|CR'
}

@test "a mount whose source is missing" {
	add_mount '{ "destination": "/data", "source": "/no/such/source", "options": ["bind"] }'
	fails '/no/such/source'
}

@test "a mount with an option that the kernel refuses" {
	add_mount '{ "destination": "/data", "type": "tmpfs", "source": "x", "options": ["size=10q"] }'
	fails 'size'
}

@test "a root that is missing" {
	config '.root.path = "nowhere"'
	fails 'nowhere'
}

@test "a limit whose controller this host lacks" {
	! grep -qw memory "$CGROUPS/cgroup.controllers" || skip "the host has it"
	config '.linux.resources.memory.limit = 100000000'
	fails 'memory'
}

@test "a broken config.json" {
	echo '{ "ociVersion": }' >"$BUNDLE/config.json"
	fails 'config\.json:1:'
}

@test "a command that is unknown, and one that is nearly known" {
	capture hull rnu -b "$BUNDLE" "$ID"
	expect 1
	expect_error "unknown command 'rnu'"
	expect_error "did you mean 'run'"
}

# ---- a program that is called as hull's own child before execve ----

# called_as_child BODY: a shell that has taken that name, in the kernel's eyes, too.
called_as_child() {
	script "printf hull:init >/proc/self/comm; $1"
	config --arg log "$T/poststart" '.hooks.poststart = [{path: "/bin/sh",
		args: ["sh", "-c", "echo began >>\($log)"], timeout: 20}]'
}

@test "a program that takes the name of hull's child runs: state, poststart hooks, delete" {
	called_as_child 'trap "exit 7" TERM; echo there; while :; do sleep 0.1; done'
	hull_start --keep
	wait_for grep -qx there "$T/stdout" || fail "not there"
	[[ $(<"/proc/$PID/comm") == hull:init ]] || fail "no such name: $(<"/proc/$PID/comm")"
	[[ $(hull state "$ID" | jq -r .status) == running ]] || fail "$(hull state "$ID")"
	wait_for test -s "$T/poststart" || fail "the poststart hook has not run"
	capture timeout 10 "$HULL" --root "$STATE" delete "$ID"
	expect_error "running"
	kill -TERM "$HULL_PID"
	hull_wait
	[[ $status == 7 && $(<"$T/poststart") == began ]] || report "status 7 expected"
	capture hull delete "$ID"
	expect 0
	assert_clean
}

@test "a program that takes the name of hull's child and is killed has run all the same" {
	called_as_child 'echo there; kill -KILL $$; sleep 20'
	config '.linux.namespaces |= map(select(.type != "pid"))'
	capture timeout -k 5 20 "$HULL" --root "$STATE" run --keep -b "$BUNDLE" "$ID"
	expect 137 there
	grep -q "killed by SIGKILL" "$T/stderr" || report "its death expected"
	[[ $stderr != *"while it was started"* && $(<"$T/poststart") == began ]] || report "it had run"
	[[ $(hull state "$ID" | jq -r '.hull.exit.cause') == signal ]] || fail "$(hull state "$ID")"
	capture hull delete "$ID"
	expect 0
	assert_clean
}

@test "a program whose file has the name of hull's child" {
	printf '#!/bin/sh\ncat /proc/$$/comm\nkill -SEGV $$\nsleep 20\n' >"$BUNDLE/rootfs/hull:init"
	chmod +x "$BUNDLE/rootfs/hull:init"
	program /hull:init
	config '.linux.namespaces |= map(select(.type != "pid"))'
	capture timeout -k 5 20 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 139 hull:init
	grep -q "killed by SIGSEGV" "$T/stderr" || report "its death expected"
	assert_clean
}
