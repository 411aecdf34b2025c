#!/usr/bin/env bats
# Attacks by the caller, by other users of the host, and by the moment of hull's death. Each has a
# control; see lib.bash.

# shellcheck disable=SC2030,SC2031 # attacks set what start has found
# shellcheck disable=SC2034 # stderr is for expect_error
load lib

setup() {
	attack_setup
}

teardown() {
	if [[ -n ${STATE:-} && -e $STATE/$ID ]]; then
		timeout -s KILL 20 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 </dev/null || true
	fi
	attack_teardown
}

set_user_id() {
	local program=("${RUNTIME[@]}")
	SUID=$(mktemp -d) # where everybody may look, and set-user-ID works
	chmod 755 "$SUID"
	install -m 4755 "${program[-1]}" "$SUID/hull"
	program[-1]=$SUID/hull
	capture timeout 10 setpriv --reuid 1000 --regid 1000 --clear-groups "${program[@]}" --version
	rm -r "$SUID"
	[[ $status == 0 && $output == *version* ]]
}

@test "R-023: hull as a set-user-ID program" {
	compare SECURE set_user_id
}

foreign_state() {
	mkdir -p "$STATE"
	chown 1000 "$STATE"
	program /bin/true
	start
	[[ $status == 0 ]]
}

@test "R-026: the state directory belongs to another user" {
	compare OWNER foreign_state
}

# Killed after the cgroup is made: the state must lead delete --force to it.
killed() {
	program /bin/true
	capture timeout -s KILL 20 "$INJECT" -o "$T/result" kill:0:socketpair:1 \
		"${RUNTIME[@]}" --root "$STATE" run -b "$BUNDLE" "$ID"
	grep -q 'hit socketpair' "$T/result" || fail "not killed" "$(<"$T/result")"
	hull delete --force "$ID" 2>/dev/null || true
	[[ -d $CGROUP ]] || return 1
	rmdir "$CGROUP"
}

# bats test_tags=guest
@test "R-080: hull is killed when the cgroup is made" {
	[[ -x $INJECT ]] || skip "needs the injector"
	compare INTENT killed
}

# Killed while its child waits for a hook: the child must not stay and wait for ever.
orphaned() {
	local hook
	config '.hooks.createRuntime = [{ "path": "/bin/sleep", "args": ["sleep", "41.7"] }]'
	"${RUNTIME[@]}" --root "$STATE" run -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null 3>&- &
	HULL_PID=$!
	wait_for pgrep -f "^sleep 41.7" >/dev/null || fail "no hook runs"
	[[ -n $(<"$CGROUP/cgroup.procs") ]] || fail "there is no child"
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	wait_for is_empty "$CGROUP" || orphan=yes
	hook=$(pgrep -f "^sleep 41.7" || true)
	hull delete --force "$ID"
	config 'del(.hooks)'
	[[ -z $hook ]] || fail "the hook is left"
	[[ ${orphan:-} == yes ]]
}

is_empty() {
	[[ -z $(cat "$1/cgroup.procs") ]]
}

@test "R-070: hull is killed while its child waits for it" {
	compare WATCH orphaned
}

# As a person at a terminal sees it: whatever ends, the terminal is as it was.
left_raw() {
	local end=$1
	config '.process.terminal = true'
	script 'echo ready; read line; exit 0'
	# Each step has ten seconds of its own.
	capture timeout -s KILL 50 "$BUILD/tests/pty" wait:ready mode:raw "$end" mode:cooked -- \
		"${RUNTIME[@]}" --root "$STATE" run -b "$BUNDLE" "$ID"
	grep -q '^pty:.*mode' "$T/stderr"
}

@test "R-090: the caller's terminal after the end of the program" {
	compare RESTORE left_raw $'type:\r'
}

@test "R-090: the caller's terminal after the death of the program" {
	compare RESTORE left_raw "do:kill -KILL \$(cat '$CGROUP/cgroup.procs')"
}

# words COMMAND...: hull's other commands, by $RUNTIME, and never for long.
words() {
	capture timeout -s KILL 20 "${RUNTIME[@]}" --root "$STATE" "$@"
	[[ $status != 137 ]] || echo "# it hung, or was killed" >&3
}

# Each is read as 0, or as "none", which leaves the caller's, by who is not strict.
root_by_another_name() {
	local user became=()
	program /bin/sleep 60
	words run --detach -b "$BUNDLE" "$ID"
	expect 0 ""
	for user in root 0x1 -1 4294967295 4294967296 18446744073709551616 :1 '' ' ' +0 a1 1:-1; do
		words exec -u "$user" "$ID" /bin/sh -c 'id -u; id -g'
		[[ $status != 0 ]] || became+=("'$user'")
	done
	words exec -u 1 "$ID" id -u
	expect 0 1
	words exec -u 1:2 "$ID" id -g
	expect 0 2
	words delete --force "$ID"
	expect 0
	((${#became[@]})) || return 1
	echo "# taken for users: ${became[*]}" >&3
}

@test "R-017: exec as a user that is no number" {
	compare NUMBERS root_by_another_name
}

# Who waits behind the gate dies while start waits for its word: start must notice. (Its patience
# with who is there and does not answer ends after ten seconds.)
waits_for_the_dead() {
	local pid starter hangs=
	program /bin/sleep 60
	words create --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	expect 0 ""
	pid=$(<"$T/pid")
	kill -STOP "$pid"
	"${RUNTIME[@]}" --root "$STATE" start "$ID" >"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	starter=$!
	wait_for grep -q poll "/proc/$starter/wchan" || fail "start does not come to the gate"
	kill -KILL "$pid"
	timeout 7 tail --pid="$starter" -s 0.1 -f /dev/null || hangs=yes
	kill -KILL "$starter" 2>/dev/null || true
	status=0
	wait "$starter" || status=$?
	stderr=$(<"$T/stderr")
	if [[ -z $hangs ]]; then
		expect 1
		expect_error "cannot start a container that has stopped"
	fi
	words delete --force "$ID"
	expect 0 ""
	[[ -n $hangs ]]
}

@test "R-085: who waits behind the gate dies while start waits for its word" {
	compare START_WATCH waits_for_the_dead
}
