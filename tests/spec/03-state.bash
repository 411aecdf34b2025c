# 3. State
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

semver='^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$'

rule S-018 MUST - "the state has ociVersion (of the specification that it follows), id, status, bundle" \
	"state of a created container, and what a createRuntime hook gets"
S_018() {
	hook createRuntime version 'cat >>$log'
	creates
	state '[.ociVersion, .id, .status, .bundle] | @tsv' >"$T/fields"
	same "id, status, bundle" "$(cut -f2- "$T/fields" | tr '\t' ' ')" "$ID created $BUNDLE"
	[[ $(cut -f1 "$T/fields") =~ $semver ]] || fail "ociVersion of state: $(cut -f1 "$T/fields")"
	[[ $(jq -r .ociVersion "$T/log") =~ $semver ]] || fail "ociVersion of the hook: $(<"$T/log")"
	[[ $RT != hull ]] || same "ociVersion" "$(jq -r .ociVersion "$T/log")" 1.3.0
}

rule S-019 MUST - "an id is unique" "a second create with the same id; the first container stays as it was"
S_019() {
	creates
	local pid
	pid=$(state .pid)
	fails "$ID" create -b "$BUNDLE" "$ID"
	same "status after it" "$(state .status)" created
	[[ $(state .pid) == "$pid" ]] || fail "another pid"
}

rule S-020 MUST - "status: creating, created, running, stopped" \
	"what hooks of each phase get, and what state says"
S_020() {
	hook createRuntime a 'jq -r .status >>$log'
	hook poststart c 'jq -r .status >>$log'
	hook poststop d 'jq -r .status >>$log'
	inner_hook startContainer b 'sed -n "s/.*\"status\": *\"\([a-z]*\)\".*/\1/p" >>$log'
	sleeper
	creates
	state .status >>"$T/log"
	starts
	state .status >>"$T/log"
	kills KILL
	becomes stopped
	deletes
	log_is "creating created created running running stopped"
}

rule S-021 INFO - "paused is a status that the schema of the state does not know" \
	"pause: state says paused; that does not satisfy the schema, and after resume it does"
S_021() {
	sleeper
	creates
	starts
	capture rt pause "$ID"
	expect 0
	same "status" "$(state .status)" paused
	rt state "$ID" >"$T/state.json"
	! valid state-schema.json "$T/state.json" 2>/dev/null || fail "the schema knows it"
	capture rt resume "$ID"
	expect 0
	rt state "$ID" >"$T/state.json"
	valid state-schema.json "$T/state.json"
	same "status" "$(state .status)" running
}

rule S-022 MUST - "created: nothing executed; running: the program executes; stopped: it has ended" \
	"a program that says when it runs, and ends when told"
S_022() {
	script 'trap "exit 0" TERM; echo executed; while :; do sleep 0.05; done'
	creates
	sleep 0.2
	same "status" "$(state .status)" created
	same "output" "$(<"$T/out")" ""
	starts
	wait_for grep -q executed "$T/out"
	same "status" "$(state .status)" running
	same "output" "$(<"$T/out")" executed
	kills TERM
	becomes stopped
	saw "status: stopped"
}

rule S-023 MUST - "pid: of the container's process, when it is created or running" \
	"the pid of state is a process of the container's namespaces"
S_023() {
	local pid
	sleeper
	creates
	pid=$(state .pid)
	same "NSpid of it" "$(awk '/^NSpid/ { print $NF }' "/proc/$pid/status")" 1
	starts
	[[ $(state .pid) == "$pid" ]] || fail "another pid after start"
	kills KILL
	becomes stopped
	same "pid when stopped" "$(state '.pid // 0')" 0
}

rule S-024 MUST crun "hooks get the pid as the side sees it on which they run" \
	"createRuntime, createContainer and startContainer hooks note it"
S_024() {
	hook createRuntime a 'pid=$(jq -r .pid); grep -c "^NSpid.*[^0-9]1$" /proc/$pid/status >>$log; test $pid != 1'
	hook createContainer b 'jq -r .pid >>$log'
	inner_hook startContainer c 'sed -n "s/.*\"pid\": *\([0-9]*\).*/\1/p" >>$log'
	run
	expect 0
	log_is "1 1 1"
}

rule S-025 MUST - "bundle is the absolute path" \
	"create with a relative one; state, and the hooks createRuntime and startContainer"
S_025() {
	hook createRuntime a 'jq -r .bundle >>$log'
	inner_hook startContainer b 'sed -n "s/.*\"bundle\": *\"\([^\"]*\)\".*/\1/p" >>$log'
	cd "$T"
	rt create -b bundle "$ID" >"$T/out" 2>"$T/stderr" </dev/null || fail "$(<"$T/stderr")"
	same "state" "$(state .bundle)" "$BUNDLE"
	starts
	log_is "$BUNDLE $BUNDLE"
}

rule S-026 MAY - "annotations in the state; absent or empty where there are none" "two, and none"
S_026() {
	creates
	same "without" "$(state '.annotations // {} | length')" 0
	capture rt delete --force "$ID"
	config '.annotations = {"a": "1", "b": ""}'
	creates
	same "with" "$(state '[.annotations.a, .annotations.b] | @json')" '["1",""]'
}

rule S-027 MUST - "state satisfies the schema of the state" "created, running and stopped"
S_027() {
	local phase
	sleeper
	creates
	for phase in created running stopped; do
		case $phase in
		running) starts ;;
		stopped) kills KILL && becomes stopped ;;
		esac
		rt state "$ID" >"$T/state.json"
		valid state-schema.json "$T/state.json"
		same "valid" "$(jq -r .status "$T/state.json")" "$phase"
	done
	! valid state-schema.json <(jq 'del(.bundle)' "$T/state.json") 2>/dev/null ||
		fail "the schema refuses nothing"
}
