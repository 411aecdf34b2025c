#!/usr/bin/env bats
# How the kernel schedules the program: process.scheduler, process.ioPriority and
# linux.memoryPolicy, seen from inside and from the host; what the kernel refuses stops the start.

# shellcheck disable=SC2030,SC2031 # each test is a process of its own
load ../lib

setup() {
	need_root
	hull_setup
	program /bin/cat /proc/self/stat
	HOLDERS=()
}

teardown() {
	((${#HOLDERS[@]} == 0)) || kill -KILL "${HOLDERS[@]}" 2>/dev/null || true
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] ||
		timeout 30 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

# scheduler JQ: process.scheduler is that.
scheduler() {
	config ".process.scheduler = $1"
}

# scheduled: nice, priority and number of the policy, of the program that has shown its stat.
scheduled() {
	# shellcheck disable=SC2086 # its fields
	set -- ${output##*) }
	echo "${17} ${38} ${39}"
}

# expect_scheduled NICE PRIORITY POLICY; the nice of a policy that takes no notice of it may be any.
expect_scheduled() {
	expect 0
	# shellcheck disable=SC2053 # a pattern
	[[ $(scheduled) == $* ]] || report "scheduled as $*, found $(scheduled)"
}

# hull_exec [OPTION...] ID COMMAND...
hull_exec() {
	capture timeout -s KILL 20 "$HULL" --root "$STATE" exec "$@"
}

# stop: the container ends, and nothing of it is left.
stop() {
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

@test "S-107 S-109: each policy, with its nice or priority" {
	scheduler '{policy: "SCHED_OTHER", nice: 7}'
	hull_run
	expect_scheduled 7 0 0
	scheduler '{policy: "SCHED_OTHER", nice: -7}'
	hull_run
	expect_scheduled -7 0 0
	scheduler '{policy: "SCHED_FIFO", priority: 3}'
	hull_run
	expect_scheduled '*' 3 1
	scheduler '{policy: "SCHED_RR", priority: 99}'
	hull_run
	expect_scheduled '*' 99 2
	scheduler '{policy: "SCHED_BATCH", nice: 2}'
	hull_run
	expect_scheduled 2 0 3
	scheduler '{policy: "SCHED_IDLE"}'
	hull_run
	expect_scheduled '*' 0 5
	scheduler '{policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 20000000, period: 30000000}'
	hull_run
	expect_scheduled '*' 0 6
	assert_clean
}

@test "S-109: without nice, priority and flags they are 0, whatever the caller has" {
	scheduler '{policy: "SCHED_OTHER"}'
	capture nice -n 5 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect_scheduled 0 0 0
	config 'del(.process.scheduler)'
	capture nice -n 5 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect_scheduled $(($(nice) + 5)) 0 0
}

@test "S-109: the deadline's numbers and the flags arrive" {
	program /bin/sleep 60
	scheduler '{policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 20000000, period: 30000000,
		flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	hull_start
	output=$(chrt -p "$PID")
	expect_match 'policy: SCHED_DEADLINE.SCHED_RESET_ON_FORK'
	expect_match 'parameters: 1000000/20000000/30000000'
	stop
	# Without a period it is the deadline.
	rm "$T/pid"
	scheduler '{policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 20000000,
		flags: ["SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN"]}'
	hull_start
	output=$(chrt -p "$PID")
	expect_match 'parameters: 1000000/20000000/20000000'
	stop
}

@test "SCHED_FLAG_RESET_ON_FORK: the program has it, its children do not" {
	script 'cat /proc/$$/stat; cat /proc/self/stat; true'
	scheduler '{policy: "SCHED_FIFO", priority: 3, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	hull_run
	expect 0
	output=${lines[0]} expect_scheduled '*' 3 1
	output=${lines[1]} expect_scheduled '*' 0 0
}

@test "the policy is the program's without CAP_SYS_NICE, as another user, and in another pid namespace" {
	scheduler '{policy: "SCHED_RR", priority: 5}'
	config '.process.user = {uid: 1000, gid: 1000} | del(.process.capabilities) |
		.process.noNewPrivileges = true'
	hull_run
	expect_scheduled '*' 5 2
	config '(.linux.namespaces[] | select(.type == "pid")).path = "/proc/self/ns/pid"'
	hull_run
	expect_scheduled '*' 5 2
	assert_clean
}

@test "with --init both process 1 and the program have it" {
	script 'cat /proc/1/stat; cat /proc/$$/stat'
	scheduler '{policy: "SCHED_RR", priority: 5}'
	hull_run --init
	expect 0
	output=${lines[0]} expect_scheduled '*' 5 2
	output=${lines[1]} expect_scheduled '*' 5 2
	scheduler '{policy: "SCHED_RR", priority: 5, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	hull_run --init
	expect_error 'config.json:[0-9]+:[0-9]+.*process.scheduler'
	assert_clean
}

@test "create and start: the created process has it, and so has the program" {
	program /bin/sleep 60
	scheduler '{policy: "SCHED_BATCH", nice: 3}'
	config '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
	capture timeout 30 "$HULL" --root "$STATE" create --pid-file "$T/pid" -b "$BUNDLE" "$ID" 3>&-
	expect 0
	PID=$(<"$T/pid")
	[[ $(chrt -p "$PID") == *SCHED_BATCH* ]] || fail "SCHED_BATCH expected at the gate"
	capture timeout 30 "$HULL" --root "$STATE" start "$ID"
	expect 0
	[[ $(chrt -p "$PID") == *SCHED_BATCH* ]] || fail "SCHED_BATCH expected"
	[[ $(ionice -p "$PID") == "best-effort: prio 6" ]] || fail "$(ionice -p "$PID")"
	capture timeout 30 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	assert_clean
}

@test "exec: as the container, unless the process file says otherwise" {
	program /bin/sleep 60
	scheduler '{policy: "SCHED_RR", priority: 5}'
	config '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
	hull_start
	hull_exec "$ID" /bin/cat /proc/self/stat
	expect_scheduled '*' 5 2
	jq '.process | .args = ["/bin/cat", "/proc/self/stat"] | del(.scheduler, .ioPriority)' \
		"$BUNDLE/config.json" >"$T/process.json"
	hull_exec -p "$T/process.json" "$ID"
	expect_scheduled '*' 5 2
	jq '.scheduler = {policy: "SCHED_OTHER", nice: 4}' "$T/process.json" >"$T/other.json"
	hull_exec -p "$T/other.json" "$ID"
	expect_scheduled 4 0 0
	jq '.args = ["/bin/sleep", "59"] | .ioPriority = {class: "IOPRIO_CLASS_IDLE", priority: 0}' \
		"$T/process.json" >"$T/io.json"
	hull_exec --detach --pid-file "$T/other" -p "$T/io.json" "$ID"
	expect 0
	[[ $(ionice -p "$(<"$T/other")") == idle ]] || fail "$(ionice -p "$(<"$T/other")")"
	stop
}

# has_children N: the container's first process.
has_children() {
	(($(wc -w <"/proc/$PID/task/$PID/children") == $1))
}

@test "S-111: the io priority is that of the whole process group" {
	local pid class before
	before=$(ionice -p $$)
	script 'sleep 60 & sleep 61 & wait'
	for class in '"IOPRIO_CLASS_RT", priority: 2' '"IOPRIO_CLASS_BE", priority: 7' \
		'"IOPRIO_CLASS_IDLE"'; do
		config ".process.ioPriority = {class: $class}"
		rm -f "$T/pid"
		hull_start
		wait_for has_children 2 || fail "two children expected"
		for pid in "$PID" $(<"/proc/$PID/task/$PID/children"); do
			case $class-$(ionice -p "$pid") in
			*_RT*"-realtime: prio 2" | *_BE*"-best-effort: prio 7" | *_IDLE*-idle) ;;
			*) fail "$class: $pid has $(ionice -p "$pid")" ;;
			esac
		done
		stop
	done
	# The caller keeps its own.
	[[ $(ionice -p $$) == "$before" ]] || fail "the caller's is now $(ionice -p $$)"
}

# refused HINT: the start fails at process.scheduler with that hint, and nothing is left.
refused() {
	expect 1
	expect_error 'config.json:[0-9]+:[0-9]+  process.scheduler'
	expect_error "hint .*$1"
	assert_clean
}

@test "what the kernel refuses stops the start, with place and hint" {
	scheduler '{policy: "SCHED_DEADLINE", runtime: 1024, deadline: 1024}'
	hull_run
	refused 'sched_deadline_period_min_us'
	scheduler '{policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 20000000}'
	if (($(nproc --all) > 1)); then # the guest of ../vm has one
		capture taskset -c 0 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
		refused 'all processors'
	fi
	capture setpriv --bounding-set -sys_nice --inh-caps -sys_nice \
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	refused 'CAP_SYS_NICE'
}

@test "more time than the processors have left is refused" {
	local n
	# All but one of them are promised to others; 5 % of each is nobody's (sched(7)).
	for ((n = 1; n < $(nproc); n++)); do
		chrt -d --sched-runtime 20000000 --sched-deadline 20000000 --sched-period 20000000 0 \
			sleep 30 </dev/null >/dev/null 2>&1 3>&- &
		HOLDERS+=($!)
		wait_for eval '[[ $(chrt -p '$!') == *SCHED_DEADLINE* ]]' || fail "no holder"
	done
	scheduler '{policy: "SCHED_DEADLINE", runtime: 20000000, deadline: 20000000}'
	hull_run
	refused 'not so much time left'
}

@test "clamps of the utilization need a kernel that has them" {
	[[ ! -e /proc/sys/kernel/sched_util_clamp_max ]] || skip "this kernel has them"
	scheduler '{policy: "SCHED_OTHER", flags: ["SCHED_FLAG_UTIL_CLAMP_MAX"]}'
	hull_run
	refused 'CONFIG_UCLAMP_TASK'
}

@test "in a created container, too, a refusal leaves nothing" {
	scheduler '{policy: "SCHED_DEADLINE", runtime: 1024, deadline: 1024}'
	capture timeout 30 "$HULL" --root "$STATE" create -b "$BUNDLE" "$ID" 3>&-
	refused 'sched_deadline_period_min_us'
}

# ---- linux.memoryPolicy ------------------------------------------------------------------------

# policy JSON PATTERN: the kernel calls it so.
policy() {
	config ".linux.memoryPolicy = $1"
	hull_run
	expect 0
	# shellcheck disable=SC2053 # a pattern
	[[ $(cut -d ' ' -f 2 <<<"$output" | sort -u) == $2 ]] || report "expected the policy $2"
}

@test "S-196 S-197: each memory policy, with its flags and nodes" {
	[[ -e /proc/self/numa_maps ]] || skip "this kernel knows no memory nodes"
	# Of pages that are its own: those of files may be elsewhere.
	script 'exec grep -E " (heap|stack)" /proc/self/numa_maps'
	policy '{mode: "MPOL_DEFAULT"}' default
	policy '{mode: "MPOL_LOCAL", nodes: ""}' local
	policy '{mode: "MPOL_PREFERRED"}' local
	policy '{mode: "MPOL_PREFERRED", nodes: "0"}' prefer:0
	policy '{mode: "MPOL_BIND", nodes: "0"}' bind:0
	policy '{mode: "MPOL_INTERLEAVE", nodes: "0-0,0"}' interleave:0
	policy '{mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}' bind=static:0
	policy '{mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"]}' bind=relative:0
	policy '{mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"]}' 'bind*:0'
	config '.linux.memoryPolicy = {mode: "MPOL_PREFERRED_MANY", nodes: "0"}'
	hull_run
	expect 0
	expect_match '^[0-9a-f]+ prefer \(many\):0 '
	assert_clean
}

@test "MPOL_WEIGHTED_INTERLEAVE: done where the kernel has it, or refused with a hint" {
	script 'exec grep -m 1 stack /proc/self/numa_maps'
	config '.linux.memoryPolicy = {mode: "MPOL_WEIGHTED_INTERLEAVE", nodes: "0"}'
	hull_run
	if [[ -d /sys/kernel/mm/mempolicy/weighted_interleave ]]; then
		expect 0
		expect_match 'weighted interleave:0 '
	else
		expect 1
		expect_error 'hint .*Linux 6.9'
		expect_error 'config.json:[0-9]+:[0-9]+  linux.memoryPolicy'
	fi
	assert_clean
}

@test "exec: the container's memory policy, also with a process file" {
	[[ -e /proc/self/numa_maps ]] || skip "this kernel knows no memory nodes"
	program /bin/sleep 60
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
	hull_start
	hull_exec "$ID" grep -m 1 stack /proc/self/numa_maps
	expect 0
	expect_match ' bind:0 '
	jq '.process | .args = ["/bin/grep", "-m", "1", "stack", "/proc/self/numa_maps"]' \
		"$BUNDLE/config.json" >"$T/process.json"
	hull_exec -p "$T/process.json" "$ID"
	expect 0
	expect_match ' bind:0 '
	stop
}

@test "a memory node that this host does not have is an error, whatever the kernel would make of it" {
	local flags
	[[ $(</sys/devices/system/node/has_memory) == 0 ]] || skip "this host has more than one"
	for flags in '' MPOL_F_STATIC_NODES MPOL_F_RELATIVE_NODES; do
		config --arg flags "$flags" '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0-1",
			flags: (if $flags == "" then [] else [$flags] end)}'
		hull_run
		expect 1
		expect_error 'this host has no memory node 1'
		expect_error 'config.json:[0-9]+:[0-9]+  linux.memoryPolicy.nodes'
		expect_error 'hint.* it has 0'
		assert_clean
	done
}
