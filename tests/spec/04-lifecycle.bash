# 4. Lifecycle and operations
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

rule S-028 MUST - "create makes the environment as the config says, or fails; the program does not run" \
	"a program that writes a line: before and after start"
S_028() {
	script 'echo "ran as $(hostname)"'
	creates
	sleep 0.3
	same "output after create" "$(<"$T/out")" ""
	starts
	becomes stopped
	same "after start" "$(<"$T/out")" "ran as test"
}

rule S-029 "MUST NOT" - "changes of config.json after create have no effect" \
	"other args and environment, written into config.json; then start"
S_029() {
	script 'echo "first $A"'
	config '.process.env += ["A=1"]'
	creates
	script 'echo "second $A"'
	config '.process.env += ["A=2"]'
	starts
	becomes stopped
	same "output" "$(<"$T/out")" "first 1"
}

rule S-030 MUST - "who has created a container can use all operations on it" \
	"create, state, start, kill, delete by the same caller"
S_030() {
	sleeper
	creates
	has_status created
	starts
	has_status running
	kills KILL
	becomes stopped
	deletes
	! exists || fail "still there"
	saw "all succeeded"
}

rule S-031 MUST - "create fails without an id, without a bundle, with an id that is not valid" \
	"none; a bundle that is not there; the ids '', '.', '..', 'a/b'"
S_031() {
	local id
	fails "" create -b "$BUNDLE"
	fails "$T/none" create -b "$T/none" "$ID"
	for id in '' . .. a/b; do
		fails "id" create -b "$BUNDLE" "$id"
	done
	same "containers then" "$(rt list -q)" ""
	[[ $RT != hull ]] || assert_clean
	SAW="all refused; no container"
}

rule S-032 MUST - "create applies everything but the process; its args are not executed before start" \
	"host name, mount and read-only path, looked at from outside after create"
S_032() {
	local pid
	script 'echo ran'
	config '.hostname = "made"'
	creates
	pid=$(state .pid)
	same "host name" "$(nsenter -t "$pid" -u hostname)" made
	grep -q ' /dev/shm .*tmpfs' "/proc/$pid/mountinfo" || fail "no mount at /dev/shm"
	grep -q ' /proc/sys ro' "/proc/$pid/mountinfo" || fail "/proc/sys is not read-only"
	same "output" "$(<"$T/out")" ""
}

rule S-033 MUST - "what cannot be applied is an error of create, and there is no container" \
	"a sysctl that the kernel does not have; a bind whose source is not there"
S_033() {
	local filter
	while read -r field filter; do
		changed "$filter"
		create
		is_refusal "$field"
		! exists || fail "there is a container"
		[[ $RT != hull ]] || gone
		saw "create failed: $(told "$field")"
		unchanged
	done <<-'VALUES'
		linux.sysctl .linux.sysctl = {"net.no_such_thing": "1"}
		mounts[7].source .mounts += [{"destination": "/mnt", "source": "/no/such", "options": ["bind"]}]
	VALUES
}

rule S-034 MAY - "the config may be checked before anything is made" \
	"a wrong mask, and a createRuntime hook that would note that it ran; hull check says the same"
S_034() {
	note createRuntime ran
	config '.linux.maskedPaths = 5'
	refused maskedPaths
	log_is ""
	SAW="refused before any hook ran"
	[[ $RT == hull ]] || return 0
	capture rt check -b "$BUNDLE"
	stderr+=$output
	is_refusal linux.maskedPaths
	saw "check: exit status $status"
}

rule S-035 MUST - "start fails without an id, and without effect when the container is not created" \
	"no id, an unknown one, a running and a stopped container"
S_035() {
	local pid
	sleeper
	fails "" start
	fails "$ID" start "$ID"
	creates
	starts
	pid=$(state .pid)
	fails "running" start "$ID"
	[[ $(state .pid) == "$pid" ]] || fail "another pid"
	has_status running
	kills KILL
	becomes stopped
	fails "stopped" start "$ID"
	has_status stopped
}

rule S-036 MUST crun,runc "start fails where the config has no process; create does not" \
	"create and start of a config without process"
S_036() {
	config 'del(.process)'
	creates
	fails "process" start "$ID"
}

rule S-037 MUST - "kill fails without an id, and when nothing is created or running; else it sends the signal" \
	"no id, an unknown one; a created, a running and a stopped container"
S_037() {
	fails "" kill
	fails "$ID" kill "$ID" KILL
	creates
	kills KILL
	becomes stopped
	saw "created: killed"
	deletes
	script 'trap "echo got USR2" USR2; echo ready; while :; do sleep 0.05; done'
	: >"$T/out"
	creates
	starts
	wait_for grep -q ready "$T/out"
	kills USR2
	wait_for grep -q "got USR2" "$T/out" || fail "the program got no signal"
	saw "running: got USR2"
	kills KILL
	becomes stopped
	fails "" kill "$ID" TERM
}

rule S-038 INFO - "kill of a paused container (all runtimes allow it)" "pause, kill KILL"
S_038() {
	sleeper
	creates
	starts
	capture rt pause "$ID"
	expect 0
	kills KILL
	capture rt resume "$ID"
	becomes stopped
	saw "it ends, at the latest after resume"
}

rule S-039 MUST crun,runc "delete fails without an id, and without effect when the container is not stopped" \
	"no id; a running container; a created one"
departs S-039 "engines delete created containers without --force, and runc, crun and youki let them"
S_039() {
	sleeper
	fails "" delete
	creates
	starts
	fails "" delete "$ID"
	has_status running || fail "the running container is no more"
	kills KILL
	becomes stopped
	deletes
	creates
	capture rt delete "$ID"
	((status != 0)) || fail "a running one stays; a created one was killed and deleted"
	has_status created || fail "the created one is no more"
}

rule S-040 MUST - "delete removes what create has made, and nothing else" \
	"a bind source, the bundle and a cgroup above stay; cgroup, state and mounts go"
S_040() {
	mkdir -p "$T/source" "$CGROUPS/hull-test"
	echo keep >"$T/source/file"
	add_mount "{\"destination\": \"/mnt\", \"type\": \"bind\", \"source\": \"$T/source\", \"options\": [\"bind\"]}"
	creates
	[[ -d $CGROUP ]] || fail "no cgroup was made"
	starts
	becomes stopped
	deletes
	gone
	same "the source" "$(<"$T/source/file")" keep
	[[ -d $CGROUPS/hull-test && -f $BUNDLE/config.json && -x $BUNDLE/rootfs/bin/sh ]] ||
		fail "more was removed"
	saw "cgroup, state and mounts are gone; bundle and upper cgroup are there"
}

rule S-041 MAY - "an id may be used again after delete" "the same id twice"
S_041() {
	creates
	starts
	becomes stopped
	deletes
	creates
	same "status" "$(state .status)" created
}

rule S-042 MUST - "state fails without an id, and of a container that is not there" "both"
S_042() {
	fails "" state
	fails "$ID" state "$ID"
}

rule S-043 MUST crun "after an error everything is as if the operation was not attempted" \
	"six starts that fail early and late: cgroups, mounts, processes and states are compared"
S_043() {
	local filter n=0
	note createRuntime fails
	echo 'exit 1' >>"$T/hooks/fails"
	cp "$BUNDLE/config.json" "$T/hook.json"
	config 'del(.hooks)'
	while read -r filter; do
		changed "$filter"
		create
		((status != 0)) || report "accepted: $filter"
		gone
		unchanged
		n=$((n + 1))
	done <<-'VALUES'
		.linux.namespaces += [{"type": "pid"}]
		.process.rlimits = [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}]
		.linux.resources.unified = {"foo.bar": "1"}
		.linux.sysctl = {"net.no_such_thing": "1"}
		.mounts += [{"destination": "/mnt", "source": "/no/such", "options": ["bind"]}]
		.process.args = ["/no/such/program"]
	VALUES
	cp "$T/hook.json" "$BUNDLE/config.json"
	create
	((status != 0)) || report "accepted: a failing hook"
	gone
	saw "$n bad configs and a failing hook: nothing is left"
}

rule S-044 MUST - "a warning changes nothing" "an unknown capability: a warning, and the program runs"
S_044() {
	script 'echo ran'
	config '.process.capabilities.bounding += ["CAP_NO_SUCH"]'
	prints ran
	[[ $RT != hull ]] || grep -q 'warning.*CAP_NO_SUCH' <<<"$stderr" || report "no warning"
}

# six_hooks: one of each kind, which note their names.
six_hooks() {
	local kind
	for kind in prestart createRuntime createContainer poststart poststop; do
		note "$kind" "$kind"
	done
	inner_hook startContainer startContainer 'echo startContainer >>$log'
}

rule S-045 MUST - "the order of the lifecycle" \
	"one hook of each kind and the program note themselves; so do the commands"
S_045() {
	six_hooks
	script 'echo program >>/T/log; exec sleep 1000'
	echo create >>"$T/log"
	creates
	echo start >>"$T/log"
	starts
	wait_for grep -q program "$T/log"
	echo kill >>"$T/log"
	kills KILL
	becomes stopped
	echo delete >>"$T/log"
	deletes
	same "order" "$(sed '/^\(program\|poststart\)$/d' "$T/log" | tr '\n' ' ')" \
		"create prestart createRuntime createContainer start startContainer kill delete poststop "
	same "between startContainer and kill" "$(sed -n '/startContainer/,/kill/p' "$T/log" | sort | tr '\n' ' ')" \
		"kill poststart program startContainer "
}

# fails_late KIND: a hook of start fails: so does start, the container is destroyed, and poststop runs.
fails_late() {
	[[ $RT != hull ]] || changed .
	fails "hook" start "$ID"
	[[ $RT != hull ]] || grep -qE 'config\.json:[0-9]+:[0-9]+' <<<"$stderr" || report "the hook's place is not named"
	log_is "$1"
	! exists || fail "the container is still there: $(state .status)"
	assert_clean
	saw "the container is gone"
}

rule S-046 MUST crun,runc "a startContainer hook fails: an error, the container is destroyed, poststop hooks run" \
	"the hook exits with 1; then start, state"
S_046() {
	inner_hook startContainer bad 'echo bad >>$log; exit 1'
	note poststop poststop
	script 'echo program >>/T/log'
	creates
	fails_late "bad poststop"
}

rule S-047 MUST runc "a poststart hook fails: an error, the container is destroyed, poststop hooks run" \
	"the hook exits with 1; then start, state"
S_047() {
	note poststart bad
	echo 'exit 1' >>"$T/hooks/bad"
	note poststop poststop
	sleeper
	creates
	fails_late "bad poststop"
}

rule S-048 MUST crun "a hook of create fails: an error, the container is destroyed, poststop hooks run" \
	"prestart, createRuntime and createContainer, each exits with 1"
S_048() {
	local kind
	for kind in prestart createRuntime createContainer; do
		: >"$T/log"
		config 'del(.hooks)'
		note "$kind" bad
		echo 'exit 1' >>"$T/hooks/bad"
		note poststop poststop
		create
		is_refusal "hooks.$kind"
		! exists || fail "there is a container"
		assert_clean
		log_is "bad poststop"
	done
}

rule S-049 MUST runc "a poststop hook fails: a warning, and the others run" "the first of two exits with 1"
S_049() {
	note poststop bad
	echo 'exit 1' >>"$T/hooks/bad"
	note poststop second
	creates
	starts
	becomes stopped
	# Where a warning is not an error, it is only seen by --debug.
	capture rt --debug delete "$ID"
	((status == 0)) || report "delete failed"
	grep -q bad <<<"$stderr" || fail "no warning"
	log_is "bad second"
	gone
}
