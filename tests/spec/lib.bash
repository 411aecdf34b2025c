# The language in which the items of the specification are written (NN-chapter.bash), on top of
# ../lib.bash. An item is a line that says what it is about, and a function that acts on a bundle of
# its own with one runtime, $RT (hull, crun or runc), and fails where the rule is not kept:
#
#	rule S-036 MUST crun,runc "start fails where there is no process" "create and start without process"
#	S_036() {
#		config 'del(.process)'
#		creates
#		fails "process" start "$ID"
#	}
#
# The third word names the runtimes that were measured, in other versions, not to do it. `item` runs
# one function, `run` all of them. Further words about an item:
#
#	departs S-039 REASON    hull does otherwise on purpose: the function has to fail
#	in_guest S-163...       it needs what only the guest has
# shellcheck disable=SC2034,SC2119,SC2120,SC2153 # variables are for the items, and `run` has options

# shellcheck source=../lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/../lib.bash"
SPEC=$TOP/tests/spec

# ---- what the chapters say about their items ---------------------------------------------------

items=()
declare -A level measured says did reason_of guest

rule() {
	items+=("$1")
	level[$1]=$2 measured[$1]=$3 says[$1]=$4 did[$1]=$5
}

departs() {
	reason_of[$1]=$2
}

in_guest() {
	local name
	for name in "$@"; do
		guest[$name]=yes
	done
}

# ---- before and after an item ------------------------------------------------------------------

# Like hull_setup, with names that no other item has, in this run or another.
item_setup() {
	T=$(mktemp -d "${HULL_TEST_BASE:-${TMPDIR:-/tmp}}/hull-test.XXXXXX")
	STATE=$T/state
	BUNDLE=$T/bundle
	ID=spec-${T##*.}
	CGROUPS=$(cgroup_root)
	CGROUP=$CGROUPS/hull-test/$ID
	item_bundle
	: >"$T/log"
	mkdir "$T/hooks" "$STATE"
	host_mounts >"$T/mountinfo"
}

# crun 1.8 knows no version of the specification after 1.0. In the guest, where all is slow, the image
# is shared: no item there writes to it.
item_bundle() {
	mkdir -p "$BUNDLE/rootfs"
	if [[ -n ${SPEC_BIND:-} ]]; then
		mount --bind "$SPEC_SHARED/rootfs" "$BUNDLE/rootfs"
	else
		[[ -e $SPEC_SHARED/rootfs/etc/hull-rootfs ]] || "$TOP/bundles/mkrootfs" "$SPEC_SHARED/rootfs"
		cp -a "$SPEC_SHARED/rootfs/." "$BUNDLE/rootfs"
	fi
	local base=$SPEC_SHARED/config.$RT.json text # with a name of its own at first: each item is process 1, so not $$
	if [[ ! -e $base ]]; then
		jq --arg rt "$RT" '.linux.cgroupsPath = "@CGROUP@" | .process.env += ["@MARK@"] |
			if $rt == "hull" then . else .ociVersion = "1.0.2" end' "$TOP/tests/base.json" >"$base.${T##*.}"
		mv "$base.${T##*.}" "$base"
	fi
	text=$(<"$base")
	text=${text/@CGROUP@//hull-test/$ID}
	printf '%s\n' "${text/@MARK@/HULL_TEST=$ID}" >"$BUNDLE/config.json"
}

item_teardown() {
	[[ -n ${T:-} ]] || return 0
	local id
	for id in "$ID" "$ID-2"; do
		timeout -k 2 10 "$PROGRAM" --root "$STATE" delete --force "$id" >/dev/null 2>&1 </dev/null || true
	done
	remove_cgroup "$CGROUPS/hull-test/$ID-2"
	awk -v own="$T/" 'index($5, own) == 1 { print $5 }' /proc/self/mountinfo | tac |
		xargs -r umount -l 2>/dev/null
	hull_teardown 3>/dev/null
}

# saw TEXT...: what the table tells of the item, after what was told before.
SAW=
saw() {
	SAW+=${SAW:+; }$*
}

# only_hull WHY: it cannot be asked of the others.
only_hull() {
	[[ $RT == hull ]] || cannot "$1"
}

cannot() {
	SAW=$1
	exit 77
}

# ---- the runtime -------------------------------------------------------------------------------

# rt ARG...: the runtime, with a state directory of the item's own, and never for long; through the
# command $AT, if there is one.
AT=()
rt() {
	timeout -k 2 "${SPEC_BIND:+20}50" "${AT[@]}" "$PROGRAM" --root "$STATE" "$@"
}

# run [OPTION...]: the bundle, to its end: $status, $output and $stderr.
run() {
	capture rt run "$@" -b "$BUNDLE" "$ID"
}

# creates [ID], starts [ID]: which must succeed. What the program writes goes to $T/out.
creates() {
	create "$@"
	((status == 0)) || report "create failed: $stderr"
}

create() {
	status=0
	rt create -b "$BUNDLE" "${1:-$ID}" >>"$T/out" 2>"$T/stderr" </dev/null || status=$?
	output='' stderr=$(<"$T/stderr")
}

starts() {
	capture rt start "${1:-$ID}"
	((status == 0)) || report "start failed: $stderr"
}

# deletes: once the program has ended.
deletes() {
	capture rt delete "$ID"
	((status == 0)) || report "delete failed: $stderr"
}

# kills SIGNAL
kills() {
	capture rt kill "$ID" "$1"
	((status == 0)) || report "kill failed: $stderr"
}

# state FILTER: of `state`, by jq.
state() {
	rt state "$ID" 2>/dev/null </dev/null | jq -r "$1"
}

# By its text: this is asked again and again, and in the guest jq takes half a second.
has_status() {
	[[ $(rt state "$ID" 2>/dev/null </dev/null) == *'"status": "'"$1"'"'* ]]
}

becomes() {
	wait_for has_status "$1" || fail "the status does not become $1 but is '$(state .status)'"
}

# sleeper: the container's program stays until it is killed, also by TERM.
sleeper() {
	script 'trap "exit 0" TERM; while :; do sleep 0.1; done'
}

# The machine's mounts are these by now: the item has made some itself.
mounted_on_purpose() {
	host_mounts >"$T/mountinfo"
}

exists() {
	rt state "$ID" >/dev/null 2>&1 </dev/null
}

# gone [ID]: neither a state nor processes, cgroups or mounts of the container are left.
gone() {
	! exists || fail "there is still a container"
	assert_clean
}

# ---- what must be ------------------------------------------------------------------------------

# plain TEXT: without the names of this item.
plain() {
	sed -E "s|$T|/T|g; s|$ID|ID|g; s/\x1b\[[0-9;]*m//g" <<<"$1"
}

# told FIELD: hull's message about it, without the place in the file.
told() {
	local line
	line=$(grep -m1 -F -- "$1" <<<"$stderr") || true
	[[ $line != *"  config "* ]] || line=$(head -n 1 <<<"$stderr")
	plain "$line" | sed -E 's/^ *(error: )?//; s/^config\.json(:[0-9]+:[0-9]+)? *:? *//;
		s/config\.json:[0-9:]+/config.json/g'
}

# refused FIELD: the bundle cannot be run: an error, which by hull names the place in config.json,
# also from create; and by hull nothing is left behind. (Of what others leave S-043 tells.)
refused() {
	local field=$1
	if [[ $RT == hull ]]; then
		create
		is_refusal "$field"
		gone
	fi
	run
	is_refusal "$field"
	[[ $RT != hull ]] || gone
	saw "refused: $(told "$field")"
}

is_refusal() {
	((status != 0)) || report "accepted: $1"
	((status != 124)) || report "did not end"
	[[ $RT == hull ]] || return 0
	grep -qF -- "$1" <<<"$stderr" || report "refused without naming $1"
	grep -qE 'config\.json:[0-9]+:[0-9]+' <<<"$stderr" || report "refused without the line"
}

# refuses FILTER FIELD, accepts FILTER: the same of the bundle changed so, and only for this once.
refuses() {
	changed "$1"
	refused "$2"
	unchanged
}

accepts() {
	changed "$1"
	run
	((status == 0)) || report "refused: $1"
	unchanged
}

changed() {
	cp "$BUNDLE/config.json" "$T/unchanged.json"
	config "$1"
}

unchanged() {
	cp "$T/unchanged.json" "$BUNDLE/config.json"
}

# prints TEXT: the bundle runs, and this is all that it writes.
prints() {
	run
	expect 0 "$1"
	saw "printed '${1//$'\n'/ / }'"
}

# shows FILTER SCRIPT TEXT: the bundle changed so, with that script, prints it; for this once.
shows() {
	changed "$1"
	script "$2"
	prints "$3"
	unchanged
}

# fails TEXT ARG...: the runtime called so fails; by hull with TEXT in its message.
fails() {
	local text=$1
	shift
	capture rt "$@"
	((status != 0)) || report "'$1' succeeded"
	((status != 124)) || report "'$1' did not end"
	[[ $RT != hull ]] || grep -qF -- "$text" <<<"$stderr" || report "'$1' failed without saying '$text'"
	saw "$1 failed: $(told "$text")"
}

# is WHAT EXPECTED: got on standard input.
is() {
	local got
	got=$(cat)
	[[ $got == "$2" ]] || fail "$1: '$2' expected, got '$got'"
	saw "$1: ${2//$'\n'/ / }"
}

# same WHAT GOT EXPECTED
same() {
	[[ $2 == "$3" ]] || fail "$1: '$3' expected, got '$2'"
	saw "$1: ${3//$'\n'/ / }"
}

# ---- hooks -------------------------------------------------------------------------------------

# hook KIND NAME BODY [JSON]: one more hook, a script that notes in $T/log; JSON: more members.
hook() {
	local file=$T/hooks/$2
	printf '#!/bin/bash\nlog=%s/log\n%s\n' "$T" "$3" >"$file"
	chmod +x "$file"
	config --arg kind "$1" --arg path "$file" --argjson more "${4:-{\}}" \
		'.hooks[$kind] += [{path: $path, env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]} + $more]'
}

# note KIND NAME: a hook that notes its name.
note() {
	hook "$1" "$2" "echo $2 >>\$log"
}

# inner_hook KIND NAME BODY: of the container's file system, with its shell; notes in /T/log there.
inner_hook() {
	local file=$BUNDLE/rootfs/hooks/$2
	mkdir -p "${file%/*}"
	printf '#!/bin/sh\nlog=/T/log\n%s\n' "$3" >"$file"
	chmod +x "$file"
	config --arg kind "$1" --arg path "/hooks/$2" --arg t "$T" \
		'.hooks[$kind] += [{path: $path, env: ["PATH=/bin"]}] |
		if any(.mounts[]; .destination == "/T") then . else
		.mounts += [{destination: "/T", type: "bind", source: $t, options: ["bind"]}] end'
}

log_is() {
	local got
	got=$(tr '\n' ' ' <"$T/log")
	[[ ${got% } == "$1" ]] || fail "order: '$1' expected, got '${got% }'" "${stderr:-}"
	saw "in order: $1"
}

# ---- helpers of other languages ----------------------------------------------------------------

# valid SCHEMA FILE: by a JSON schema of the specification.
valid() {
	/usr/bin/python3 -W ignore "$SPEC/valid.py" "$TOP/tests/inputs/spec-data/schema/$1" "$2"
}

# receives MODE: waits at the socket $T/socket in the background for one connection; what has come
# stands in $T/received.* (receive.py tells of the modes).
receives() {
	timeout 40 /usr/bin/python3 -W ignore "$SPEC/receive.py" "$1" "$T/socket" "$T/received" \
		>"$T/receiver.out" 2>&1 </dev/null &
	wait_for test -S "$T/socket" || fail "no receiver: $(<"$T/receiver.out")"
}

# ends_on_terminal: the program has run to its end on a terminal that came by a console socket.
ends_on_terminal() {
	config '.process.terminal = true'
	receives console
	capture rt create --console-socket "$T/socket" -b "$BUNDLE" "$ID"
	((status == 0)) || report "create failed"
	starts
	becomes stopped
}

# unit PROGRAM TEST...: hull's unit tests of these names pass: for what has no hardware here.
unit() {
	local program=$1 name
	only_hull "shown by hull's unit tests"
	shift
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 100 "$(dirname "$HULL")/tests/$program" >"$T/tap" 2>&1 </dev/null ||
		fail "$program fails: $(grep '^not ok' "$T/tap")"
	for name in "$@"; do
		grep -qE "^ok [0-9]+ - $name\$" "$T/tap" || fail "$program: no test $name has passed"
	done
	saw "$program: $*"
}
