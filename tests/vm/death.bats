#!/usr/bin/env bats
# Causes of death that need a cgroup with a memory controller: whose limit was hit, and by whom; and
# what a seccomp filter has killed, in a kernel whose log nobody else reads. See also
# ../integration/death.bats.
# shellcheck disable=SC2154 # capture() sets stderr

load lib

setup() { guest_setup; }

teardown() {
	hull_teardown
	[[ ! -d $CGROUPS/hull-par ]] || rmdir "$CGROUPS/hull-par" || true
}

readonly eat='/bin/dd if=/dev/zero of=/dev/null bs=64M count=1'
readonly limited='{ "memory": { "limit": 33554432, "swap": 33554432 } }'

# kept FILTER: what `hull state` knows of the end.
kept() {
	hull state "$ID" | jq -r ".hull.exit | $1"
}

# expect_told REGEX: the first line on standard error; rows may follow.
expect_told() {
	local first
	first=$(grep "^$ID: " <<<"$stderr") || report "nothing was told"
	[[ $first =~ ^$ID:\ $1$ ]] || report "expected on standard error: $ID: $1"
}

# row NAME REGEX
expect_row() {
	grep -qE "^  $1 +$2" <<<"$stderr" || report "expected a row: $1 $2"
}

# parent LIMIT: a cgroup with that much memory, which the container is then below.
parent() {
	mkdir -p "$CGROUPS/hull-par"
	echo +memory >"$CGROUPS/cgroup.subtree_control"
	echo "$1" >"$CGROUPS/hull-par/memory.max"
	echo 0 >"$CGROUPS/hull-par/memory.swap.max"
	config --arg path "/hull-par/$ID" '.linux.cgroupsPath = $path'
}

@test "out of memory: the container's own limit, the process, the peak, the place in config.json" {
	resources "$limited"
	# shellcheck disable=SC2086 # words
	program $eat
	hull_run --keep
	expect 137
	expect_told "killed: out of memory after .*\. 'dd' \(pid [0-9]+ on the host\) hit the container's own limit: 32\.0 MiB, swap 0; 1 process killed"
	expect_row memory 'peak 3[0-9]\.[0-9] MiB  anon [0-9.]+ MiB  file .*  kernel .*  pressure \(10 s\) some [0-9]+ %'
	expect_row hint 'raise linux.resources.memory.limit \(config.json:[0-9]+:[0-9]+\)'
	[[ $(kept '.cause, .code, .oom.limitOf, .oom.limit, .oom.swapLimit, .oom.killed, .oom.name') == \
		$'oom\n137\nown\n33554432\n0\n1\ndd' ]] || fail "$(kept .)"
	(($(kept .oom.peak) > 30000000 && $(kept .oom.anon) > 20000000)) || fail "$(kept .)"
	sed -n "$(kept .line)p" "$BUNDLE/config.json" | grep -q '"limit": 33554432' || fail "$(kept .)"
}

@test "out of memory: a child was killed, and the first process merely exited" {
	resources "$limited"
	script "$eat; exit 3"
	hull_run --keep
	expect 3
	expect_told "exited with status 3 after .*, and before that memory ran out: 'dd' \(pid [0-9]+ on the host\) hit the container's own limit: .*; 1 process killed"
	[[ $(kept '.cause, .code, .oom.limitOf') == $'exit\n3\nown' ]] || fail "$(kept .)"
}

@test "out of memory: a child was killed, and the program coped: not a word" {
	resources "$limited"
	script "$eat || true"
	hull_run --keep
	expect 0
	! grep "^$ID:" <<<"$stderr" || report "silence expected"
	[[ $(kept 'has("oom")') == false ]] || fail "$(kept .)"
}

@test "out of memory: after that another signal is not taken for it" {
	resources "$limited"
	script "$eat; echo ready; exec sleep 60"
	hull_start --keep
	wait_for grep -q ready "$T/stdout"
	kill -KILL "$PID"
	hull_wait
	expect 137
	expect_told 'killed by SIGKILL after .*; who sent it is not known'
	[[ $(kept '.cause, .oom.killed') == $'signal\n1' ]] || fail "$(kept .)"
}

@test "out of memory: the limit of the parent, told apart from what it counted before" {
	parent 24M
	# An old kill below the same parent, of a container with a limit of its own.
	resources '{ "memory": { "limit": 16777216, "swap": 16777216 } }'
	# shellcheck disable=SC2086 # words
	program $eat
	hull_run
	expect_told '.*own limit: 16\.0 MiB.*'
	resources '{}'
	hull_run --keep
	expect 137
	expect_told "killed: out of memory after .*\. 'dd' .* hit the limit of the parent cgroup '/hull-par': 24\.0 MiB, swap 0; it is not this container's; 1 process killed"
	[[ $(kept '.oom.limitOf, .oom.cgroup') == $'parent\n/hull-par' ]] || fail "$(kept .)"
	# And now one of its own, below a parent that has counted one.
	hull delete "$ID"
	resources '{ "memory": { "limit": 16777216, "swap": 16777216 } }'
	hull_run --keep
	[[ $(kept .oom.limitOf) == own ]] || fail "$(kept .)"
}

@test "out of memory: without the kernel log the counters tell whose limit it was" {
	parent 24M
	# shellcheck disable=SC2086 # words
	program $eat
	mount --bind /dev/null /dev/kmsg
	hull_run --keep
	umount /dev/kmsg
	expect 137
	expect_told "killed: out of memory after .*\. a process hit the limit of the parent cgroup '/hull-par': 24\.0 MiB.*; 1 process killed"
	[[ $(kept '.oom.limitOf, (.oom | has("pid"))') == $'parent\nfalse' ]] || fail "$(kept .)"
	hull delete "$ID"
	resources '{ "memory": { "limit": 16777216, "swap": 16777216 } }'
	mount --bind /dev/null /dev/kmsg
	hull_run --keep
	umount /dev/kmsg
	[[ $(kept .oom.limitOf) == own ]] || fail "$(kept .)"
}

@test "out of memory: a neighbour's death below the same parent is not the container's" {
	parent 24M
	program /bin/sleep 60
	hull_start --keep
	mkdir "$CGROUPS/hull-par/neighbour"
	# shellcheck disable=SC2016 # for the inner shell
	timeout 60 sh -c 'echo $$ >"$1/cgroup.procs"; exec dd if=/dev/zero of=/dev/null bs=64M count=1' \
		- "$CGROUPS/hull-par/neighbour" 3>&- || true
	rmdir "$CGROUPS/hull-par/neighbour"
	grep -qE '^oom_kill [1-9]' "$CGROUPS/hull-par/memory.events" || fail "nothing was killed"
	kill -KILL "$PID"
	hull_wait
	expect 137
	expect_told 'killed by SIGKILL after .*; who sent it is not known'
}

# The kernel's own way to have its OOM killer called: it chooses by oom_score_adj.
host_oom() {
	program /bin/sleep 60
	config '.process.oomScoreAdj = 1000'
	hull_start --keep
	echo f >/proc/sysrq-trigger
	wait_for test ! -d "/proc/$HULL_PID" || fail "it lives"
	hull_wait
	expect 137
	expect_told "killed: out of memory after .*\. 'sleep' \(pid $PID on the host\) was chosen when the host ran out of memory; 1 process killed"
	[[ $(kept '.oom.limitOf, (.oom | has("limit"))') == $'host\nfalse' ]] || fail "$(kept .)"
}

@test "out of memory: the host as a whole" {
	resources '{ "memory": { "limit": 134217728 } }'
	host_oom
}

@test "out of memory: the host as a whole, and no cgroup that counts" {
	echo -memory >"$CGROUPS/cgroup.subtree_control"
	host_oom
}

@test "out of memory: killed as a group" {
	resources '{ "memory": { "limit": 33554432, "swap": 33554432 }, "unified": { "memory.oom.group": "1" } }'
	script "$eat; exit 3"
	hull_run --keep
	expect 137
	expect_told "killed: out of memory .*; 2 processes killed as a group \(memory\.oom\.group\)"
	[[ $(kept '.cause, .oom.group, .oom.name') == $'oom\ntrue\ndd' ]] || fail "$(kept .)"
}

@test "out of memory: a limit that the container itself has set below its own" {
	config '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
	resources '{ "memory": { "limit": 134217728, "swap": 134217728 } }'
	script "cd /sys/fs/cgroup && mkdir a b && echo \$\$ >b/cgroup.procs &&
		echo +memory >cgroup.subtree_control && echo 16M >a/memory.max && echo 0 >a/memory.swap.max &&
		sh -c 'echo \$\$ >a/cgroup.procs; exec $eat'; exit 4"
	hull_run --keep
	expect 4
	expect_told '.*, and before that memory ran out: .*dd.* hit the limit of a cgroup that the container has made; 1 process killed'
	[[ $(kept .oom.limitOf) == inside ]] || fail "$(kept .)"
}

@test "out of memory: the name of the process is the container's, and stays harmless" {
	resources "$limited"
	script "cp /bin/busybox '/tmp/a) total-vm:'; printf '/bin/sh\n' >/dev/null
		ln -s /bin/busybox /tmp/dd; cd /tmp; sh -c 'printf \"a\\n\\033) x\" >/proc/self/comm; x=\$(dd if=/dev/zero bs=64M count=1 | tr \"\\000\" x); exit 1'; exit 5"
	hull_run --keep
	expect 5
	[[ $(kept .oom.limitOf) == own ]] || fail "$(kept .)"
	! grep -q $'\033' "$T/stderr" || report "an escape reached the terminal"
}

@test "out of memory: a limit that is too low for the start itself" {
	resources '{ "memory": { "limit": 65536, "swap": 65536 } }'
	hull_run --keep
	expect 1
	expect_error '^error: the container was killed by SIGKILL while it was started'
	expect_row config 'config.json:[0-9]+:[0-9]+  linux.resources.memory.limit'
	expect_row cause 'memory ran out: .*the container.s own limit: 65536 bytes'
	[[ $(kept '.cause, .oom.limitOf') == $'start\nown' ]] || fail "$(kept .)"
}

@test "pids: what the limit refused is remarked" {
	resources '{ "pids": { "limit": 3 } }'
	script 'sleep 5 & sleep 5 & sleep 5 & exit 6'
	hull_run --keep
	((status != 0)) || report "a failure expected"
	expect_row note 'its limit of processes \(pids\.max\) refused [1-9]'
	(($(kept .pidsRefused) > 0)) || fail "$(kept .)"
}

@test "--init: out of memory, told of the program as without it" {
	resources "$limited"
	# shellcheck disable=SC2086 # words
	program $eat
	hull_run --init --keep
	expect 137
	expect_told "killed: out of memory after .*\. 'dd' \(pid [0-9]+ on the host\) hit the container's own limit: 32\.0 MiB, swap 0; 1 process killed"
	expect_row hint 'raise linux.resources.memory.limit \(config.json:[0-9]+:[0-9]+\)'
	[[ $(kept '.cause, .code, .oom.limitOf, .oom.killed, .oom.name') == $'oom\n137\nown\n1\ndd' ]] || fail "$(kept .)"
	hull delete "$ID"
	# Together with process 1, which then cannot tell how the program ended.
	resources '{ "memory": { "limit": 33554432, "swap": 33554432 }, "unified": { "memory.oom.group": "1" } }'
	hull_run --init --keep
	expect 137
	expect_told "killed: out of memory .*; 2 processes killed as a group \(memory\.oom\.group\)"
	[[ $(kept '.cause, .oom.group, .oom.name') == $'oom\ntrue\ndd' ]] || fail "$(kept .)"
	hull delete "$ID"
	assert_clean
}

@test "--init: limits of processes count process 1" {
	resources '{ "pids": { "limit": 2 } }'
	script 'sleep 5 & exit 6'
	hull_run --init --keep
	((status != 0 && status != 6)) || report "a failure of the shell expected"
	expect_row note 'its limit of processes \(pids\.max\) refused [1-9]'
	hull delete "$ID"
	resources '{ "pids": { "limit": 1 } }'
	hull_run --init
	expect 1
	expect_error "cannot make the program's process"
	expect_error "hint +with --init a container has one process more"
	assert_clean
}

@test "seccomp: the system call, the process, the rule and its place" {
	config '.linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW", "syscalls":
		[{ "names": ["rmdir", "mkdir"], "action": "SCMP_ACT_KILL_PROCESS" }] }'
	program /bin/mkdir /tmp/x
	hull_run --keep
	expect 159
	expect_told "killed by seccomp after .*: 'mkdir' called mkdir \(83\), rule: linux\.seccomp\.syscalls\[0\]\.names\[1\] SCMP_ACT_KILL_PROCESS \(config\.json:[0-9]+:[0-9]+\)"
	sed -n "$(kept .line)p" "$BUNDLE/config.json" | grep -q '"mkdir"' || fail "$(kept .)"
}
