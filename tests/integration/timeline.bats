#!/usr/bin/env bats
# When each step of a start began and ended: what --debug shows, and the file of --timeline.

load ../lib

setup() {
	need_root
	hull_setup
	FILE=$T/timeline.json
}

teardown() {
	hull_teardown
}

# expect_shown REGEX: a line on standard error.
expect_shown() {
	grep -qE -- "$1" "$T/stderr" || report "expected on standard error: $1"
}

# refused PATH REGEX: nothing starts, and a complaint matches.
refused() {
	rm -f "$T/ran"
	capture timeout 10 "$HULL" --root "$STATE" run --timeline "$1" -b "$BUNDLE" "$ID"
	expect 1
	expect_error "$2"
	[[ -z $output ]] || report "it was started"
	assert_clean
}

@test "--debug shows each step of parent and child, in the order of their beginning" {
	capture hull --debug run -b "$BUNDLE" "$ID"
	expect 0
	expect_shown '^  at us   took  who     step$'
	expect_shown '^ +[0-9]+ +[0-9]+  parent  parse +config\.json [0-9]+ bytes$'
	expect_shown '^ +[0-9]+ +[0-9]+  parent  clone +pid [0-9]+$'
	expect_shown '^ +[0-9]+ +[0-9]+  child   mounts +[0-9]+; slowest /[a-z/]* [0-9]+ us$'
	expect_shown '^ +[0-9]+ +[0-9]+  child   exec +/bin/true$'
	expect_shown '^ +[0-9]+ +[0-9]+  child   run +exit status 0$'
	expect_shown '^ +[0-9]+ +[0-9]+  parent  clean$'
	expect_shown '^total [0-9]+\.[0-9]{2} ms; hull [0-9.]+ ms, program [0-9.]+ ms$'
	awk '/^  at us/ { on = 1; next } /^total/ { on = 0 }
		on { if ($1 < last) exit 1; last = $1; n++ } END { exit n < 20 }' "$T/stderr" ||
		report "not in order, or too few"
}

@test "without --debug and --timeline nothing is shown" {
	hull_run
	expect 0
	[[ -z $stderr ]] || report "silence expected"
}

@test "a failed step of the child stands in its place, and what undoes it below" {
	add_mount '{ "destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["size=10q"] }'
	capture hull --debug run -b "$BUNDLE" "$ID"
	expect 1
	expect_shown '^ +[0-9]+      -  child   mounts(, later)? +FAILED: .*/data'
	expect_shown '^ +[0-9]+ +[0-9]+  parent  clean$'
	! grep -qE 'child   (pivot|run)' "$T/stderr" || report "steps that were not made"
	[[ $(grep -nE 'FAILED|  clean$' "$T/stderr" | cut -d: -f1 | sort -n | tail -1) == \
		$(grep -n '  clean$' "$T/stderr" | cut -d: -f1) ]] || report "clean is not last"
	assert_clean
}

@test "a failed step of the parent" {
	config '.root.path = "missing"'
	capture hull --debug run --timeline "$FILE" -b "$BUNDLE" "$ID"
	expect 1
	expect_shown '^ +[0-9]+ +[0-9]+  parent  [a-z ]+ +FAILED: '
	jq -e '[.traceEvents[] | select(.args.failed)] | length == 1' "$FILE"
}

@test "a config.json that cannot be read: the timeline ends there" {
	echo '{' >"$BUNDLE/config.json"
	capture hull run --timeline "$FILE" -b "$BUNDLE" "$ID"
	expect 1
	[[ $(jq -r '.traceEvents[] | select(.args.failed).name' "$FILE") == parse ]] || fail "$(<"$FILE")"
}

@test "a program that cannot be executed" {
	program /no/such/program
	capture hull --debug run -b "$BUNDLE" "$ID"
	expect 1
	expect_shown '^ +[0-9]+      -  child   exec +FAILED: .*/no/such/program'
}

@test "hooks have their place, also when one fails" {
	config '.hooks = { "prestart": [{ "path": "/bin/true" }], "createContainer": [{ "path": "/bin/true" }] }'
	capture hull --debug run -b "$BUNDLE" "$ID"
	expect 0
	expect_shown '^ +[0-9]+ +[0-9]+  parent  hooks$'
	config '.hooks = { "prestart": [{ "path": "/bin/false" }] }'
	capture hull --debug run -b "$BUNDLE" "$ID"
	expect 1
	expect_shown '^ +[0-9]+ +[0-9-]+  parent  hooks +FAILED: '
	config '.hooks = { "createContainer": [{ "path": "/bin/false" }] }'
	capture hull --debug run -b "$BUNDLE" "$ID"
	expect 1
	expect_shown '^ +[0-9]+      -  child   hooks +FAILED: '
	capture hull run --keep -b "$BUNDLE" "$ID"
	[[ $(hull state "$ID" | jq -r .hull.exit.cause) == hook ]] || fail "$(hull state "$ID")"
	hull delete "$ID"
	assert_clean
}

@test "--timeline writes Chrome's trace format" {
	program /bin/sh -c 'sleep 0.3; exit 3'
	capture hull run --timeline "$FILE" -b "$BUNDLE" "$ID"
	expect 3
	[[ -z $stderr ]] || report "silence expected"
	jq -e '.traceEvents | all(.ph and .pid and .tid and .name)' "$FILE"
	jq -e '[.traceEvents[] | select(.ph == "M").args.name] == ["parent", "child"]' "$FILE"
	jq -e '[.traceEvents[] | select(.ph == "X")] | length >= 20 and
		all((.ts | type) == "number" and (.dur | type) == "number")' "$FILE"
	# The program took 0.3 seconds, in microseconds; and it ended with 3.
	jq -e '.traceEvents[] | select(.name == "run") | .dur >= 250000 and .args.detail == "exit status 3"' "$FILE"
	assert_clean
}

@test "a time namespace with offsets does not shift the child's steps" {
	[[ -e /proc/self/ns/time ]] || skip "no time namespaces"
	config '.linux.namespaces += [{ "type": "time" }] |
		.linux.timeOffsets = { "monotonic": { "secs": 86400, "nanosecs": 0 } }'
	capture hull run --timeline "$FILE" -b "$BUNDLE" "$ID"
	expect 0
	jq -e '[.traceEvents[] | select(.ph == "X") | .ts, .dur] | all(. < 60000000)' "$FILE" ||
		fail "$(<"$FILE")"
	jq -e '[.traceEvents[] | select(.name == "run")] | length == 1' "$FILE"
}

@test "an existing file is replaced as a whole" {
	head -c 100000 /dev/zero >"$FILE"
	capture hull run --timeline "$FILE" -b "$BUNDLE" "$ID"
	expect 0
	jq -e .traceEvents "$FILE" >/dev/null
}

@test "only a regular file is written to: no pipe, no device, no directory, no link" {
	program /bin/echo started
	mkfifo "$T/fifo"
	refused "$T/fifo" "cannot write the timeline to '$T/fifo': it is not a regular file"
	refused /dev/null "cannot write the timeline to '/dev/null': it is not a regular file"
	refused "$T" "cannot write the timeline to '$T': it is not a regular file"
	echo kept >"$T/target"
	ln -s "$T/target" "$T/link"
	refused "$T/link" "it is not a regular file"
	ln -s "$T/made" "$T/dangling"
	refused "$T/dangling" "it is not a regular file"
	[[ $(<"$T/target") == kept && ! -e $T/made ]] || fail "a link was followed"
}

@test "a file that cannot be written is refused before anything starts" {
	program /bin/echo started
	refused "$T/no/such/directory" "cannot write the timeline to '$T/no/such/directory'"
	refused /sys/no-such "cannot write the timeline to '/sys/no-such'"
}
