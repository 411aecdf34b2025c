#!/usr/bin/env bats
# hull events: the numbers of a container in runc's shape. Those that need controllers are tested in
# the guest (tests/vm/stat.bats).

load ../lib

setup() {
	need_root
	hull_setup
	script 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; echo ready; exec sleep 60'
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

@test "events --stats: one object, on one line, with what runc has in it" {
	hull_start
	wait_for grep -q ready "$T/stdout"
	H events --stats "$ID"
	expect 0
	[[ -z $stderr ]] || report "nothing expected on standard error"
	[[ $output != *$'\n'* ]] || report "one line expected"
	[[ $(jq -r '.type, .id' <<<"$output") == "stats"$'\n'"$ID" ]] || report "type and id"
	[[ $(jq -c '.data | keys_unsorted' <<<"$output") == \
		'["cpu","cpuset","memory","pids","blkio","hugetlb","intel_rdt","network_interfaces"]' ]] ||
		report "other members"
	# cpu.stat counts without a controller: nanoseconds, so more than a million for a loop.
	jq -e '.data.cpu.usage.total > 1000000' <<<"$output" || report "CPU time"
	jq -e '.data.cpu.usage | .user + .kernel <= .total + 1000000' <<<"$output"
	if [[ -e $CGROUP/cpu.pressure ]]; then
		jq -e '.data.cpu.psi.some | [.avg10, .avg60, .avg300, .total] | map(numbers) | length == 4' \
			<<<"$output" || report "pressure"
	fi
}

@test "events goes on until the container has ended" {
	hull_start
	timeout 30 "$HULL" --root "$STATE" events --interval 100ms "$ID" \
		>"$T/events" 2>"$T/events.err" </dev/null 3>&- &
	local watcher=$!
	wait_for eval '(($(wc -l <"$T/events") >= 3))' || fail "$(<"$T/events.err")"
	hull kill "$ID" KILL
	wait "$watcher" # with status 0
	[[ ! -s $T/events.err ]] || fail "$(<"$T/events.err")"
	[[ $(jq -r .type "$T/events" | sort -u) == stats ]] || fail "$(<"$T/events")"
}

@test "events of a paused container" {
	hull_start
	hull pause "$ID"
	H events --stats "$ID"
	expect 0
	hull resume "$ID"
}

@test "events: containers that do not run, and times that are none" {
	program /bin/true
	H run --keep -b "$BUNDLE" "$ID"
	H events --stats "$ID"
	expect 1 ""
	expect_error "container not running"
	H events --stats "$ID-2"
	expect 1 ""
	expect_error "does not exist"
	local time
	for time in 0 0s -1s 5x s '1m 3s' 99999999999999999999s; do
		H events --interval "$time" "$ID"
		expect 1 ""
		expect_error "is not a time"
	done
	hull delete "$ID"
}
