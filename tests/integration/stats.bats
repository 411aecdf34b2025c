#!/usr/bin/env bats
# hull stats: what containers use at the moment. Numbers that need controllers are tested in the
# guest (tests/vm/stat.bats).

load ../lib

setup() {
	need_root
	hull_setup
	PTY=$(dirname "$HULL")/tests/pty
}

teardown() {
	local name
	for name in "$ID" "$ID-idle"; do
		[[ ! -e ${STATE:-/none}/$name ]] ||
			timeout 30 "$HULL" --root "$STATE" delete --force "$name" >/dev/null 2>&1 3>&- || true
	done
	hull_teardown
}

# Two containers: one that only counts, one that only sleeps.
two() {
	config '.linux.cgroupsPath += "/busy"'
	script 'while :; do :; done'
	capture timeout 30 "$HULL" --root "$STATE" run --detach -b "$BUNDLE" "$ID" 3>&-
	expect 0
	config --arg path "/hull-test/$ID/idle" '.linux.cgroupsPath = $path'
	program /bin/sleep 300
	capture timeout 30 "$HULL" --root "$STATE" run --detach -b "$BUNDLE" "$ID-idle" 3>&-
	expect 0
}

stats() {
	capture timeout 30 "$HULL" --root "$STATE" stats "$@" 3>&-
}

@test "stats: none, and containers that there are not" {
	stats
	expect 0 ""
	stats --once "$ID"
	expect_error "container '$ID' does not exist"
	stats --interval soon
	expect_error "'soon' is not a time"
	stats --format xml
	expect_error "table or json"
}

@test "stats --once: all containers, or the chosen ones, as a table" {
	two
	stats --once
	expect 0
	expect_match '^ID +STATUS +CPU +OF LIMIT +THROTTLED +MEMORY'
	[[ $(wc -l <<<"$output") == 3 ]] || report "three lines expected"
	# The share of a processor that it gets depends on who else wants it.
	expect_match "^$ID +running +[0-9]+\.[0-9][0-9] "
	expect_match "^$ID-idle +running +0\.0[0-9] "
	stats --once "$ID-idle"
	expect 0
	[[ $(wc -l <<<"$output") == 2 && $output == *"$ID-idle "* ]] || report "one container expected"
}

@test "stats --format json: one object a line, and rates between two looks" {
	two
	stats --once --format json --interval 500ms "$ID" "$ID-idle"
	expect 0
	[[ $(wc -l <<<"$output") == 2 ]]
	jq -es --arg id "$ID" '.[0] | .id == $id and .status == "running" and
		(.cpu.cores > 0.05 and .cpu.cores < 1.2 and .cpu.usageUsec > 0) and
		(.pids | type) == "object" and (.pressure | type) == "object"' <<<"$output" >/dev/null ||
		report "a busy container"
	jq -es '.[1].cpu.cores < 0.02' <<<"$output" >/dev/null || report "an idle container"
}

@test "stats --format json goes on until the chosen containers have ended" {
	two
	timeout 60 "$HULL" --root "$STATE" stats --format json --interval 100ms "$ID-idle" \
		>"$T/lines" 2>"$T/lines.err" </dev/null 3>&- &
	local watcher=$!
	wait_for eval '(($(wc -l <"$T/lines") >= 3))'
	hull kill "$ID-idle" KILL
	wait "$watcher"
	[[ ! -s $T/lines.err ]] || fail "$(<"$T/lines.err")"
	[[ $(tail -n 1 "$T/lines" | jq -r .status) == stopped ]] || fail "$(<"$T/lines")"
}

@test "stats on a terminal: redrawn until q, and the terminal is as it was" {
	two
	capture timeout 60 "$PTY" size:10,200 wait:"$ID-idle" wait:"$ID-idle" type:q -- \
		bash -c 'before=$(stty -g); "$@"; echo "status $?"; [[ $(stty -g) == "$before" ]] &&
			echo "as it was"' - "$HULL" --root "$STATE" stats --interval 200ms 3>&-
	expect 0
	expect_match "status 0"
	expect_match "as it was"
	# The other screen and back, the cursor too.
	[[ $output == *$'\e[?1049h'*"q: quit"*$'\e[?25h'*$'\e[?1049l'* ]] || report "no screen of its own"
}

@test "stats on a terminal: a signal ends it, and the terminal is as it was" {
	two
	capture timeout 60 "$PTY" size:10,200 wait:"$ID-idle" 'do:pkill -TERM -P $PTY_PID -x hull' -- \
		bash -c 'before=$(stty -g); "$@"; echo "status $?"; [[ $(stty -g) == "$before" ]] &&
			echo "as it was"' - "$HULL" --root "$STATE" stats 3>&-
	expect 0
	expect_match "status 143"
	expect_match "as it was"
	[[ $output == *$'\e[?25h'*$'\e[?1049l'* ]] || report "the cursor is gone"
}

@test "stats: a stopped container has a line and no numbers" {
	capture timeout 30 "$HULL" --root "$STATE" run --keep -b "$BUNDLE" "$ID" 3>&-
	stats --once
	expect 0
	expect_match "^$ID +stopped +- +- "
	stats --once --format json
	[[ $output == "{\"id\":\"$ID\",\"status\":\"stopped\"}" ]] || report "no more than that"
	hull delete "$ID"
}
