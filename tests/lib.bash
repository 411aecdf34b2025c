# Helpers of the tests in bats: a bundle of one's own for each test, hull run on it, and the proof
# that nothing is left behind. A test file starts with
#
#	load ../lib
#	setup() { hull_setup; }
#	teardown() { hull_teardown; }
#
# and a test reads like this:
#
#	@test "the host name is the config's" {
#		program /bin/hostname
#		config '.hostname = "web"'
#		hull_run
#		expect 0 "web"
#		assert_clean
#	}
#
# HULL is the program under test; without it, build/hull.
# shellcheck disable=SC2034 # variables are for the tests

# What stays the same is asked once a file: bats loads this file also in the process that starts each
# of its tests. A process costs a test more than anything else here, and jq costs as much as twenty:
# what nearly every test does is therefore done by bash alone.
TOP=${BASH_SOURCE[0]%/*}/..
if [[ ! $TOP/tests/lib.bash -ef ${HULL_TEST_TOP:-}/tests/lib.bash ]]; then
	HULL_TEST_TOP=$(cd "$TOP" && pwd)
	HULL_TEST_BASE=
	[[ $(stat -f -c %T /dev/shm 2>/dev/null) != tmpfs ]] || HULL_TEST_BASE=/dev/shm
	HULL_TEST_NOTHING=
	if [[ ${BATS_RUN_TMPDIR:-} ]]; then
		HULL_TEST_NOTHING=$BATS_RUN_TMPDIR/nothing
		[[ -p $HULL_TEST_NOTHING ]] || mkfifo "$HULL_TEST_NOTHING"
	fi
	export HULL_TEST_TOP HULL_TEST_BASE HULL_TEST_NOTHING
fi
TOP=$HULL_TEST_TOP
HULL=${HULL:-$TOP/build/hull}

# ---- before and after a test -------------------------------------------------------------------

# Makes $T, a directory of the test on a tmpfs where there is one; $STATE, hull's state directory;
# $ID, a container's name that nobody else has; $BUNDLE, a bundle that runs /bin/true.
hull_setup() {
	T=$(mktemp -d "${HULL_TEST_BASE:-$BATS_TEST_TMPDIR}/hull-test.XXXXXX")
	STATE=$T/state
	BUNDLE=$T/bundle
	# Not by process id: files that run at the same time are each in a pid namespace of its own.
	ID=test-${T##*.}
	CGROUPS=$(cgroup_root)
	CGROUP=$CGROUPS/hull-test/$ID
	make_bundle "$BUNDLE"
	host_mounts >"$T/mountinfo"
}

# Whatever a failed test left is removed, so that the next one starts clean.
hull_teardown() {
	local pid
	[[ -n ${T:-} ]] || return 0
	for pid in $(container_processes); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	remove_cgroup "$CGROUP"
	remove_cgroup "$CGROUPS/hull/$ID"
	compgen -G "$CGROUPS/hull-test/*/" >/dev/null || rmdir "$CGROUPS/hull-test" 2>/dev/null || true
	# Never a recursive removal through a mount that is still there.
	if [[ $(</proc/self/mountinfo) == *" $T/"* ]]; then
		echo "# left mounted below $T, not removed" >&3
	else
		rm -rf "$T"
	fi
}

cgroup_root() {
	if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
		echo /sys/fs/cgroup
	else
		echo /sys/fs/cgroup/unified
	fi
}

remove_cgroup() {
	local tries
	[[ -d $1 ]] || return 0
	echo 1 >"$1/cgroup.kill"
	for tries in 1 2 3 4 5; do
		find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null
		[[ -d $1 ]] || return 0
		sleep 0.1
	done
}

# hull_without NAME...: $HULL_WITHOUT is hull without these protections.
hull_without() {
	local log=$BATS_RUN_TMPDIR/without.log
	HULL_WITHOUT=$("$TOP/tests/without" "$@" 2>"$log" 3>&-) || fail "$(tail -n 20 "$log")"
}

need_root() {
	((EUID == 0)) || skip "needs root"
}

# need_no_sanitizer WHY: skips where hull is built with one.
need_no_sanitizer() {
	! has_sanitizer || skip "not with a sanitizer: $1"
}

# has_sanitizer: hull names its library (ldd(1) would tell it by several processes).
has_sanitizer() {
	grep -qaF libasan.so "$HULL"
}

# need_controller NAME...: skips where the host's cgroup v2 lacks it; the guest has them all.
need_controller() {
	local name
	for name in "$@"; do
		grep -qw "$name" "$CGROUPS/cgroup.controllers" ||
			skip "no cgroup v2 controller '$name' on this host"
	done
}

# ---- the bundle --------------------------------------------------------------------------------

# make_bundle DIR: config.json from tests/base.json, and a root filesystem of its own. Both are
# copied from what the first test of a run has made.
make_bundle() {
	local shared=$BATS_RUN_TMPDIR/bundle text
	if [[ ! -e $shared/config.json ]]; then
		mkdir -p "$shared"
		"$TOP/bundles/mkrootfs" "$shared/rootfs"
		jq '.linux.cgroupsPath = "@CGROUP@" | .process.env += ["@MARK@"]' \
			"$TOP/tests/base.json" >"$shared/config.json.new"
		mv "$shared/config.json.new" "$shared/config.json"
	fi
	cp -a "$shared" "$1"
	text=$(<"$shared/config.json")
	text=${text/@CGROUP@//hull-test/$ID}
	printf '%s\n' "${text/@MARK@/HULL_TEST=$ID}" >"$1/config.json"
}

# config [--arg NAME VALUE]... FILTER: changes config.json by a jq filter.
config() {
	local text
	text=$(jq "$@" "$BUNDLE/config.json") || return
	printf '%s\n' "$text" >"$BUNDLE/config.json"
}

# program ARG...: what runs inside. As text, where jq has written config.json: by their indentation
# these are the process's args, and no one else's.
program() {
	local text all='' argument from=$'\n    "args": [\n' to=$'\n    ]'
	text=$(<"$BUNDLE/config.json")
	for argument; do
		if ! json_string "$argument"; then
			text=
			break
		fi
		all+=${all:+$',\n'}"      $JSON"
	done
	# With long texts bash takes longer than jq.
	if [[ $all && ${#text} -lt 10000 && $text == *"$from"*"$to"* ]]; then
		printf '%s\n' "${text%%"$from"*}$from$all$to${text#*"$from"*"$to"}" >"$BUNDLE/config.json"
	else
		text=$(jq '.process.args = $ARGS.positional' "$BUNDLE/config.json" --args -- "$@") || return
		printf '%s\n' "$text" >"$BUNDLE/config.json"
	fi
}

# json_string TEXT: $JSON; fails where it would have to know about more than ASCII.
json_string() {
	local LC_ALL=C
	JSON=${1//\\/\\\\}
	JSON=${JSON//\"/\\\"}
	JSON=${JSON//$'\n'/\\n}
	JSON=\"${JSON//$'\t'/\\t}\"
	[[ $JSON != *[![:print:]]* ]]
}

# script TEXT: a shell script that runs inside.
script() {
	program /bin/sh -c "$1"
}

# add_mount JSON: one more mount, the last one.
add_mount() {
	config --argjson mount "$1" '.mounts += [$mount]'
}

# ---- running -----------------------------------------------------------------------------------

# hull ARG...: the program with the test's own state directory.
hull() {
	"$HULL" --root "$STATE" "$@"
}

# hull_run [OPTION of run...]: runs the test's bundle; $status, $output and $stderr tell the result.
hull_run() {
	capture hull run "$@" -b "$BUNDLE" "$ID"
}

# capture COMMAND...: like bats' run, with a time limit of its own and standard error kept apart.
capture() {
	status=0
	"$@" >"$T/stdout" 2>"$T/stderr" </dev/null || status=$?
	output=$(<"$T/stdout")
	stderr=$(<"$T/stderr")
	mapfile -t lines <"$T/stdout"
}

# H ARG...: hull, with its output beside that of the container, and $INPUT on standard input.
H() {
	status=0
	timeout 60 "$HULL" --root "$STATE" "$@" >"$T/H.stdout" 2>"$T/H.stderr" <<<"${INPUT:-}" ||
		status=$?
	output=$(<"$T/H.stdout")
	stderr=$(<"$T/H.stderr")
}

# hull_start [OPTION of run...]: runs the bundle in the background; $HULL_PID is hull's process and
# $PID the container's first one. Its output goes to $T/stdout and $T/stderr.
hull_start() {
	rm -f "$T/pid" # of the one before
	# Not through hull(): the process must be hull's own, and signals to it must reach it.
	"$HULL" --root "$STATE" run --pid-file "$T/pid" "$@" -b "$BUNDLE" "$ID" \
		>"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -s "$T/pid" || fail "not started: $(<"$T/stderr")"
	PID=$(<"$T/pid")
	# The pid file is there before the program is.
	wait_for is_started || fail "not running: $(<"$T/stderr")"
}

# is_started: the program runs, or has run to its end.
is_started() {
	[[ ! -d /proc/$HULL_PID ]] || has_executed "$PID"
}

# has_executed PID: the process has called execve since it was made, or is gone: PF_FORKNOEXEC in
# its flags, the seventh field behind the name. (The name itself is anybody's choice.)
has_executed() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	# shellcheck disable=SC2086 # its fields
	set -- ${stat##*) }
	((!($7 & 0x40)))
}

# hull_wait: waits for what hull_start started.
hull_wait() {
	status=0
	wait "$HULL_PID" || status=$?
	output=$(<"$T/stdout")
	stderr=$(<"$T/stderr")
}

# ends_in SECONDS PID: the process ends in that time.
ends_in() {
	timeout "$1" tail --pid="$2" -f /dev/null </dev/null 3>&- || fail "still there after $1 s"
}

# ends_with_hull PID: hull is killed, and the process ends with it and lets go of the state.
ends_with_hull() {
	kill -KILL "$HULL_PID"
	ends_in 5 "$1"
	wait "$HULL_PID" || true
	capture timeout 10 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	assert_clean
}

# wait_for COMMAND...: until it succeeds, at most thirty seconds, and more on a slow machine. In between
# bash waits itself, for what nobody will ever write into a pipe that it has open for writing, too: a
# process each time would cost more than the looking. ($! stays what it was: no process substitution.)
wait_for() {
	local tries pause nothing
	"$@" && return 0
	exec {nothing}<>"${HULL_TEST_NOTHING:-/dev/null}"
	for tries in {1..1500}; do
		pause=0.02
		((tries > 4)) || pause=0.005
		if [[ $HULL_TEST_NOTHING ]]; then
			read -rt "$pause" -u "$nothing" || true
		else
			sleep "$pause"
		fi
		if "$@" {nothing}>&-; then
			exec {nothing}>&-
			return 0
		fi
	done
	exec {nothing}>&-
	return 1
}

# untraced FUNCTION...: bats looks at each command, so that it can name one that fails, and takes
# longer for that than a loop does for its work.
untraced() {
	local -
	set +T
	"$@"
}

# ---- saying what must be -----------------------------------------------------------------------

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# What a failed expectation shows.
report() {
	fail "$1" "--- status: ${status:-}" "--- output:" "${output:-}" "--- stderr:" "${stderr:-}"
}

# expect STATUS [OUTPUT]: the exit status and, where it is given, exactly this standard output.
expect() {
	[[ $status == "$1" ]] || report "exit status $1 expected"
	(($# < 2)) || [[ $output == "$2" ]] || report "expected output: $2"
}

# expect_line TEXT: one of the lines of standard output is exactly this.
expect_line() {
	[[ $'\n'$output$'\n' == *$'\n'"$1"$'\n'* ]] || report "expected a line: $1"
}

# expect_match REGEX: a line of standard output matches. expect_error: the same of standard error.
expect_match() {
	a_line_matches "$1" "$output" || report "expected to match: $1"
}

expect_error() {
	[[ $status != 0 ]] || report "expected a failure"
	a_line_matches "$1" "$stderr" || report "expected on standard error: $1"
}

# a_line_matches REGEX TEXT: as grep -E, without a process; ^, $ and [^x] mean a line's.
a_line_matches() {
	untraced search_lines "$@"
}

search_lines() {
	local line
	while IFS= read -r line; do
		[[ ! $line =~ $1 ]] || return 0
	done <<<"$2"
	return 1
}

# The processes of the test's container: they carry its mark in their environment.
container_processes() {
	local files
	# One grep for all: a process each would be most of what a test costs.
	files=$(grep -lszxF "HULL_TEST=$ID" /proc/[0-9]*/environ) || true
	files=${files//\/proc\//}
	[[ ! $files ]] || printf '%s\n' "${files//\/environ/}"
}

# The machine's mounts, but for those below directories of other tests, which may run beside.
host_mounts() {
	list_mounts
	printf '%s' "$MOUNTS"
}

# list_mounts: the same in $MOUNTS.
list_mounts() {
	untraced collect_mounts
}

collect_mounts() {
	local line at
	MOUNTS=
	while read -r line; do
		at=${line#* * * * }
		at=${at%% *}
		[[ $at == *hull-test.* && $at/ != "$T"/* ]] || MOUNTS+=$line$'\n'
	done </proc/self/mountinfo
}

# make_netns FILE: a network namespace that is kept by a bind mount, with lo up. drop_namespaces FILE...:
# for the teardown: of any kind, those that were made.
make_netns() {
	touch "$1"
	timeout 20 unshare --net="$1" ip link set lo up 3>&-
	host_mounts >"$T/mountinfo"
}

drop_namespaces() {
	local file
	for file in "$@"; do
		[[ -z $file ]] || ! mountpoint -q "$file" || umount -l "$file"
	done
}

# Nothing is left: no process, no cgroup, no mount, no state.
assert_clean() {
	local left
	left=$(container_processes)
	[[ -z $left ]] || fail "processes are left: $left"
	[[ ! -e $CGROUP ]] || fail "the cgroup is left: $CGROUP"
	[[ ! -e $CGROUPS/hull/$ID ]] || fail "the cgroup is left: $CGROUPS/hull/$ID"
	list_mounts
	[[ $(<"$T/mountinfo") == "${MOUNTS%$'\n'}" ]] ||
		fail "mounts have changed:" "$(diff "$T/mountinfo" <(host_mounts))"
	[[ ! -e $STATE/$ID ]] || fail "the state is left: $STATE/$ID"
}
