#!/usr/bin/env bats
# Many commands at once, on different ids and on the same: none hangs, none crashes, whoever fails
# says why in words that engines know, and in the end `delete --force` leaves nothing. What is done
# follows from fixed seeds; how it meets does not.
# shellcheck disable=SC2030,SC2031 # workers are subshells
# shellcheck disable=SC2153 # CGROUPS is from the other file

load ../lib

setup() {
	need_root
	hull_setup
	BASE=$ID
	IDS=("$BASE-a" "$BASE-b" "$BASE-c")
	program /bin/sleep 60
	for ID in "${IDS[@]}"; do
		make_small_bundle
	done
	# One of them is where hull puts it.
	jq 'del(.linux.cgroupsPath)' "$T/config" >"$T/$ID/config.json"
}

teardown() {
	[[ -z ${BASE:-} ]] || kill_workers
	for ID in "${IDS[@]}"; do
		timeout -s KILL 20 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 </dev/null || true
		of_id "$ID"
		remove_cgroup "$CGROUP"
		remove_cgroup "$CGROUPS/hull/$ID"
	done
	hull_teardown
}

kill_workers() {
	local pid
	for pid in "${WORKERS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# of_id ID: what lib.bash looks for is that of this container.
of_id() {
	ID=$1
	CGROUP=$CGROUPS/hull-test/$ID
}

# All share one image: its mount points are made and found at once, too.
make_small_bundle() {
	mkdir "$T/$ID"
	jq --arg root "$BUNDLE/rootfs" --arg id "$ID" '.root.path = $root
		| .linux.cgroupsPath = "/hull-test/" + $id
		| .process.env |= map(select(startswith("HULL_TEST=") | not)) + ["HULL_TEST=" + $id]' \
		"$BUNDLE/config.json" >"$T/config"
	cp "$T/config" "$T/$ID/config.json"
}

# one ARG...: a command of the worker $WORKER; a line of its log tells the status and the words.
# Whoever hangs is killed together with the shell that would write down the status.
one() {
	local code=$T/code.$WORKER words=$T/words.$WORKER
	echo hung >"$code"
	# shellcheck disable=SC2016 # for the inner shell
	timeout -s KILL 12 bash -c '"$@"; echo $? >"$0"' "$code" "$HULL" --root "$STATE" "$@" \
		>"$words" 2>&1 </dev/null || true
	printf '%s %s: %s\n' "$(<"$code")" "$*" "$(tr '\n' ' ' <"$words")" >>"$T/log.$WORKER"
}

# verb NAME ID: with what the command needs.
verb() {
	case $1 in
	create) one create -b "$T/$2" "$2" ;;
	exec) one exec "$2" /bin/true ;;
	detached) one exec --detach "$2" /bin/sleep 60 ;;
	kill) one kill "$2" KILL ;;
	term) one kill --all "$2" TERM ;;
	force) one delete --force "$2" ;;
	list) one list ;;
	*) one "$1" "$2" ;;
	esac
}

# storm COMMAND...: four workers; for COMMAND their number is $WORKER.
storm() {
	local pid
	WORKERS=()
	for WORKER in 0 1 2 3; do
		"$@" >/dev/null 2>&1 </dev/null 3>&- &
		WORKERS+=($!)
	done
	for pid in "${WORKERS[@]}"; do
		wait "$pid" || fail "a worker failed"
	done
	WORKERS=()
	cat "$T"/log.* >"$T/log"
}

# What a command may say when another one was faster.
EXPECTED="container '[^']*' exists already"
EXPECTED+="|container '[^']*' does not exist"
EXPECTED+="|container '[^']*' cannot be started now"
EXPECTED+="|container not running"
EXPECTED+="|container '[^']*' has no cgroup of its own"
EXPECTED+="|cannot start an already running container"
EXPECTED+="|cannot start a container (that has stopped|in the creating state)"
EXPECTED+="|cannot exec in a stopped container"
EXPECTED+="|cannot exec in container '[^']*', which is not there yet"
EXPECTED+="|cannot delete container '[^']*': (it is running|its start has not come to an end)"
EXPECTED+="|the container was killed (by SIG(KILL|TERM) )?while it was started"
EXPECTED+="|the container's process was killed before it had its namespaces"

# assert_orderly: no command hung, died by a signal, or said anything but what it may.
assert_orderly() {
	local strange
	# The program of an exec is killed with its container; that is the exec's status, too.
	strange=$(grep -aE '^(hung|12[4-9]|1[3-9][0-9]|2[0-4][0-9]) |Sanitizer|runtime error|broken' "$T/log" |
		grep -avE '^1(37|43) exec [^:]*: $' || true)
	[[ -z $strange ]] || fail "hung or crashed:" "$strange"
	strange=$(grep -avE "^0 |^1(37|43) exec |^(1|255) [^:]*: error: ($EXPECTED)" "$T/log" || true)
	[[ -z $strange ]] || fail "other errors:" "$strange"
}

# has_succeeded NAME: at least once.
has_succeeded() {
	grep -q "^0 $1" "$T/log"
}

assert_succeeded() {
	local name
	for name in "$@"; do
		has_succeeded "$name" || fail "no '$name' succeeded:" "$(sort "$T/log" | cut -c 1-100)"
	done
}

assert_all_clean() {
	for ID in "${IDS[@]}"; do
		capture timeout -s KILL 20 "$HULL" --root "$STATE" delete --force "$ID"
		expect 0 ""
	done
	for ID in "${IDS[@]}"; do
		of_id "$ID"
		wait_for assert_clean 2>/dev/null || assert_clean
	done
	[[ -z $(ls -A "$STATE") ]] || fail "in the state directory: $(ls -A "$STATE")"
}

random_verbs() {
	local i verbs=(create create create start start start exec exec detached kill term delete force
		state list)
	RANDOM=$((4711 + WORKER + 10 * ROUND))
	for ((i = 0, SECONDS = 0; i < 60 && SECONDS < 8; i++)); do
		verb "${verbs[RANDOM % ${#verbs[@]}]}" "${IDS[RANDOM % 2 + 1]}"
	done
}

@test "the same ids: whatever happens at once, nothing is left" {
	local ROUND name all=(create start exec kill delete state list)
	# One round is enough, but where all is slow.
	for ROUND in 0 1 2 3; do
		storm random_verbs
		for name in "${all[@]}"; do
			has_succeeded "$name" || continue 2
		done
		break
	done
	assert_orderly
	assert_succeeded "${all[@]}"
	assert_all_clean
}

# Nobody else does anything with its id.
own_verbs() {
	local id=${IDS[WORKER % 3]} name
	((WORKER < 3)) || id=
	for ((SECONDS = 0, i = 0; i < 3 && SECONDS < 8; i++)); do
		for name in create state list start exec detached kill force; do
			[[ -z $id && $name != list ]] || verb "$name" "$id"
		done
	done
}

@test "different ids: what happens to one is nothing to the others" {
	local failed
	storm own_verbs
	failed=$(grep -av '^0 ' "$T/log" || true)
	[[ -z $failed ]] || fail "failed:" "$failed"
	! grep -a broken "$T/log" || fail "somebody's state was taken for broken"
	[[ $(grep -c '^0 exec' "$T/log") -ge 6 ]] || fail "too few:" "$(<"$T/log")"
	assert_all_clean
}
