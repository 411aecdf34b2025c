#!/usr/bin/env bats
# hull list, ps and state: what is shown of containers, also of those whose state is broken.
# shellcheck disable=SC2030,SC2031 # each test is a process of its own, and means its own variables

load ../lib

setup() {
	need_root
	hull_setup
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

@test "list: nothing, with and without a state directory" {
	capture hull list -q
	expect 0 ""
	capture hull list
	expect 0 "ID          PID         STATUS      BUNDLE      CREATED     OWNER"
	capture hull list --format json
	expect 0 "[]"
	[[ ! -e $STATE ]] || report "list has made the state directory"
	mkdir -m 700 "$STATE" "$STATE/@seccomp"
	capture hull list --quiet
	expect 0 ""
	capture hull list -f xml
	expect 1 ""
	expect_error "takes table, wide or json"
}

@test "list --format wide: ages, memory, and why it ended" {
	local line
	program /bin/sh -c 'exit 3'
	capture hull run --keep -b "$BUNDLE" "$ID-exit"
	program /bin/sh -c 'kill -TERM $$'
	config '.linux.namespaces |= map(select(.type != "pid")) | .mounts |= map(select(.type != "proc"))
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	capture hull run --keep -b "$BUNDLE" "$ID-signal"
	mkdir "$STATE/$ID-broken"
	make_bundle "$T/other"
	capture hull create -b "$T/other" "$ID-created"
	expect 0
	capture hull list --format wide
	expect 0
	hull delete --force "$ID-created"
	[[ -z $stderr ]] || report "nothing expected on standard error"
	[[ ${lines[0]} =~ ^ID\ +STATUS\ +PID\ +AGE\ +MEM\ +BUNDLE$ ]] || report "the heading"
	expect_match "^$ID-broken +broken +- +[0-9]+ s +- *\$"
	expect_match "^$ID-created +created \(waits for start\) +[0-9]+ +[0-9]+ s +(-|[0-9.]+ [KMG]/(-|[0-9.]+ [KMG])) +$T/other\$"
	expect_match "^$ID-exit +stopped: exit 3 +- +[0-9]+ s +- +$T/bundle\$"
	expect_match "^$ID-signal +stopped: SIGTERM +- +[0-9]+ s +- +$T/bundle\$"
	for line in exit signal broken; do
		hull delete --force "$ID-$line"
	done
	capture hull list -f wide -q
	expect 0 ""
}

# ps_shows REGEX...: each matches a line of ps, now.
ps_shows() {
	local regex
	capture hull ps --format wide "$ID"
	for regex in "$@"; do
		a_line_matches "$regex" "$output" || return
	done
}

@test "ps --format wide: nobody hides behind a long list of groups" {
	config '.process.user.additionalGids = [range(1000000000; 1000003000)]'
	script 'exec sleep 30'
	hull run --detach -b "$BUNDLE" "$ID" >/dev/null 2>&1 3>&-
	# It runs, but may not have come to its sleep yet.
	wait_for ps_shows '^1 +[0-9]+ +0 +S +[0-9.]+ [KM] .*sleep 30' || report "a process that sleeps"
	expect 0
	[[ ${#lines[@]} == 2 ]] || fail "$output"
	capture hull delete --force "$ID"
	expect 0
}

@test "ps --format wide: a tree with both numbers, the container's users, and what came by exec" {
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 10}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$T"
	script 'sleep 61 & exec sleep 60'
	hull_start
	capture hull exec --detach --user 7 "$ID" /bin/sleep 62
	expect 0
	wait_for ps_shows '^1 +[0-9]+ +0 +S +.*[sm] +sleep 60$' \
		'^[0-9]+ +[0-9]+ +0 +S +.* {3}sleep 61$' '^[0-9]+ +[0-9]+ +7 +S +.*[sm] +/bin/sleep 62$' ||
		report "three processes that sleep"
	expect 0
	[[ ${lines[0]} =~ ^PID\ +HOST\ +USER\ +S\ +RSS\ +CPU\ +UP\ +COMMAND$ ]] || report "the heading"
	((${#lines[@]} == 4)) || report "three processes"
	[[ ${lines[1]} =~ ^1\ +$PID\ +0\ +S\ +[0-9.]+\ [KM]\ +0:00\ +[0-9]+\ [sm]\ +sleep\ 60$ ]] ||
		report "the first one"
	capture hull ps --format wide "$ID" -o pid
	expect_error "are for --format table alone"
	hull delete --force "$ID"
	hull_wait
}

@test "list: running, stopped and broken containers" {
	config '.annotations.note = "a"'
	program /bin/true
	capture hull run --keep -b "$BUNDLE" "$ID-stopped"
	expect 0
	mkdir "$STATE/$ID-broken" "$STATE/$ID-half"
	echo '{"version": 1, "id"' >"$STATE/$ID-broken/state.json"
	program /bin/sleep 60
	hull_start
	capture hull list
	expect 0
	[[ -z $stderr ]] || report "nothing expected on standard error"
	[[ ${lines[0]} =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER$ ]] || report "the heading"
	expect_match "^$ID +$PID +running +$BUNDLE +20[0-9-]+T[0-9:.]+Z +root\$"
	expect_match "^$ID-stopped +0 +stopped +$BUNDLE +20[0-9-]+T[0-9:.]+Z +root\$"
	expect_match "^$ID-broken +0 +broken +20[0-9-]+T[0-9:.]+Z +root\$"
	expect_match "^$ID-half +0 +broken +20[0-9-]+T[0-9:.]+Z +root\$"
	capture hull list -q
	expect 0 "$ID"$'\n'"$ID-broken"$'\n'"$ID-half"$'\n'"$ID-stopped"
	capture hull list --format=json
	expect 0
	[[ $(jq -c '[.[] | [.status, .pid, .owner]]' <<<"$output") == \
		"[[\"running\",$PID,\"root\"],[\"broken\",0,\"root\"],[\"broken\",0,\"root\"],[\"stopped\",0,\"root\"]]" ]] ||
		report "other entries expected"
	[[ $(jq -c '.[0] | [.id, .bundle, .rootfs, .annotations.note, .ociVersion]' <<<"$output") == \
		"[\"$ID\",\"$BUNDLE\",\"$BUNDLE/rootfs\",\"a\",\"1.3.0\"]" ]] || report "other members"
	[[ $(jq -r '.[1].hull.problem' <<<"$output") == *"state file is broken"* ]] || report "why"
	hull delete --force "$ID-broken"
	hull delete --force "$ID-half"
	hull delete "$ID-stopped"
	capture hull list -q
	expect 0 "$ID"
}

# capture() writes where hull_start has the container's output.
capture() {
	status=0
	"$@" >"$T/list.stdout" 2>"$T/list.stderr" </dev/null || status=$?
	output=$(<"$T/list.stdout")
	stderr=$(<"$T/list.stderr")
	mapfile -t lines <"$T/list.stdout"
}

@test "list: a name and a path that could move the cursor are shown as escapes" {
	local evil=$T/$'evil\e[31m'
	program /bin/true
	mv "$BUNDLE" "$evil"
	capture hull run --keep -b "$evil" "$ID"
	expect 0
	capture hull list
	expect 0
	[[ $output != *$'\e'* && $output == *'evil\x1b[31m'* ]] || report "an escape expected"
	hull delete "$ID"
}

@test "ps: json is the numbers of all processes, and nothing else" {
	local expected
	script 'sleep 61 & sleep 62 & wait'
	hull_start
	wait_for eval '(($(container_processes | wc -l) == 3))'
	mkdir "$CGROUP/below"
	pgrep -P "$PID" | head -n 1 >"$CGROUP/below/cgroup.procs"
	expected=$(container_processes | sort -n | jq -sc .)
	capture hull ps --format json "$ID"
	expect 0 "$expected"
	[[ -z $stderr ]] || report "nothing expected on standard error"
	capture hull ps "$ID"
	expect 0
	[[ ${lines[0]} =~ PID && ${#lines[@]} == 4 ]] || report "a heading and three lines expected"
	expect_match " $PID .*sh -c sleep 61"
	expect_match 'sleep 62'
	capture hull ps "$ID" -o pid,comm
	expect 0
	[[ ${lines[0]} =~ ^\ *PID\ COMMAND$ && ${#lines[@]} == 4 ]] || report "other columns"
	expect_match "^ *$PID sh\$"
	capture hull ps "$ID" -o comm
	expect 1 ""
	expect_error "no column PID"
	capture hull ps "$ID" --no-such-option
	expect 1 ""
	capture env PATH=/nowhere "$HULL" --root "$STATE" ps "$ID"
	expect 1 ""
	expect_error "cannot run ps"
}

@test "ps: of containers that have ended or never were" {
	program /bin/true
	capture hull run --keep -b "$BUNDLE" "$ID"
	capture hull ps --format json "$ID"
	expect 0 "[]"
	capture hull ps "$ID-2"
	expect 1 ""
	expect_error "does not exist"
	hull delete "$ID"
}

@test "state: the words for a container that there is not" {
	capture hull state "$ID"
	expect 1 ""
	expect_error "container '$ID' does not exist"
	mkdir -m 700 "$STATE"
	capture hull state "$ID"
	expect 1 ""
	expect_error "container '$ID' does not exist"
}
