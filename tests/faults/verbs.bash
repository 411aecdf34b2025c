# The other commands in tests/faults/run: VERB:BUNDLE. Each time a container is brought to where the
# command begins, undisturbed (before_VERB); the command runs under the injector; and when it says that
# it succeeded, that must be true (after_VERB): what is seen then is written to the report, behind what
# the program has reported, and must be what an undisturbed command leads to.
# shellcheck shell=bash disable=SC2154,SC2034,SC2317 # of run; called by their names

all_verbs=(create:plain create:userns create:hooks start:plain start:hooks kill:plain kill:joined
	delete:plain delete:joined stopped:hooks exec:plain exec:userns)
# Of those with something outside the container, too, but for a sample.
outside_verbs=(delete:bridge create:devices_in exec:agent delete:resctrl create:systemd delete:systemd
	exec:process)

# plainly COMMAND...: undisturbed.
plainly() {
	local through=()
	((${#injects[@]} == 0)) ||
		through=("$work/bin/inject" -e probe -e hook -g 50 -o "$work/plain-result" "${injects[@]}" list)
	timeout -k 1 "$limit" env "$mark" TMPDIR="$work/tmp" "${as[@]}" "${through[@]}" \
		"$program" --root "$work/state" "${globals[@]}" "$@" </dev/null
}

say() {
	echo "$*" >>"$work/report"
}

# status_becomes STATUS: is that what `state` says, within seconds?
status_becomes() {
	local tries
	for tries in {1..2000}; do
		[[ $(plainly state c 2>/dev/null | jq -r .status) != "$1" ]] || return 0
		sleep 0.02
	done
	return 1
}

# The program has reported all that it had to, within seconds.
has_reported() {
	local tries
	for tries in {1..2000}; do
		! grep -qsx end "$work/report" || return 0
		sleep 0.02
	done
	return 1
}

# ---- before: what it begins with, in an empty report ----

before_create() {
	:
}

before_start() {
	plainly create "${options[@]}" -b "$bundle" c >"$work/report" 2>&1
}

before_kill() {
	before_start && plainly start c >/dev/null && has_reported && : >"$work/report"
}

before_delete() {
	before_kill
}

before_exec() {
	before_kill
}

before_stopped() {
	before_start && plainly start c >/dev/null && status_becomes stopped && : >"$work/report"
}

# ---- the command ----

command_create() {
	command=(create --pid-file "$work/tmp/pid" "${options[@]}" -b "$bundle" c)
}

command_start() {
	command=(start c)
}

command_kill() {
	command=(kill c KILL)
}

command_delete() {
	command=(delete --force c)
}

command_exec() {
	command=(exec c /bin/probe)
}

command_stopped() {
	command=(delete c)
}

# ---- after: is it true? ----

after_create() {
	plainly start c >/dev/null && after_start
}

after_start() {
	has_reported && status_becomes stopped && say stopped && plainly delete c && say deleted
}

# A start that was killed before its hooks had run is none: the next one runs them.
after_killed_start() {
	[[ $(plainly state c | jq -r .status) == running ]] || return 0
	grep -qx poststart "$work/hooked" && return
	plainly start c >/dev/null && grep -qx poststart "$work/hooked"
}

after_kill() {
	status_becomes stopped && say stopped && plainly delete c && say deleted
}

after_delete() {
	say "left:$(left_at_last)"
}

after_exec() {
	plainly delete --force c
}

after_stopped() {
	after_delete
}

# ---- one of them ----

# Some need a program that does not end by itself before the command has done its work.
prepare_verb() {
	case $name in
	kill:* | delete:* | exec:*) let_it_live 600000 ;;
	esac
}

start_verb() {
	local verb=${name%%:*} command=()
	result=broken hit=''
	"before_$verb" || {
		complain "could not be prepared" "$1"
		count mute
		return
	}
	"command_$verb"
	bounded env "$mark" TMPDIR="$work/tmp" "$work/bin/inject" -t "$limit" -g 100 -e probe -e hook -u "$user" \
		-o "$work/result" "${injects[@]}" "$1" "$program" --root "$work/state" "${globals[@]}" \
		"${command[@]}" \
		>>"$work/report" 2>"$work/error" </dev/null
	read_result
	if [[ $result == exit\ [07] ]]; then
		"after_$verb" 2>>"$work/error" || say "and that was not true"
	elif [[ $runtime == hull && $name == start:hooks && $1 == kill:* ]]; then
		after_killed_start 2>>"$work/error" || say "the poststart hooks are lost"
	elif [[ $verb == exec && $(plainly state c | jq -r .status) != running ]]; then
		say "the container has ended by it"
	fi
}
