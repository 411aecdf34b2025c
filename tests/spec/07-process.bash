# 7. Process
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

rule S-092 MUST - "process is required when the container is started" "run, and create with start, without it"
S_092() {
	config 'del(.process)'
	fails process run -b "$BUNDLE" "$ID"
	create
	((status == 0)) || return 0
	fails process start "$ID"
}

# on_terminal: and what the program has written is in $T/tty.
on_terminal() {
	ends_on_terminal
	wait_for test -e "$T/received.end" || fail "the terminal has no end"
	tr -d '\r' <"$T/received.tty" >"$T/tty"
}

rule S-093 MUST - "terminal: a pair of pseudoterminals, one side is the program's standard streams" \
	"a console socket gets the other side; tty, and whether 0, 1 and 2 are terminals"
S_093() {
	script 'tty; test -t 0 && test -t 1 && test -t 2 && echo "all three"'
	on_terminal
	same "the terminal shows" "$(<"$T/tty")" $'/dev/pts/0\nall three'
}

rule S-094 MUST - "consoleSize means nothing without a terminal; height and width are required in it" \
	"terminal false and absent; a size without width, and with a width of -1"
S_094() {
	script 'test -t 0 || echo none'
	shows '.process.consoleSize = {"height": 20, "width": 100} | .process.terminal = false' 'echo ran' ran
	shows '.process.consoleSize = {"height": 20, "width": 100}' 'echo ran' ran
	config '.process.terminal = true'
	[[ $RT == hull ]] || return 0
	refuses '.process.consoleSize = {"height": 20}' process.consoleSize.width
	refuses '.process.consoleSize = {"height": 20, "width": -1}' process.consoleSize.width
}

rule S-095 SHOULD - "consoleSize is the size of the terminal" "20 by 100; stty size"
S_095() {
	config '.process.consoleSize = {"height": 20, "width": 100}'
	script 'stty size'
	on_terminal
	same "stty" "$(<"$T/tty")" "20 100"
}

rule S-096 MUST crun "cwd is required and absolute" "an absolute one; tmp; none"
S_096() {
	shows '.process.cwd = "/tmp"' pwd /tmp
	refuses '.process.cwd = "tmp"' process.cwd
	refuses 'del(.process.cwd)' process.cwd
}

rule S-097 MUST - "env is the program's whole environment" \
	"two variables and HOME: exactly these; the same without HOME"
departs S-097 "HOME is added where it is missing, from the image's passwd, as all runtimes do; engines rely on it"
S_097() {
	config --arg mark "HULL_TEST=$ID" '.process.env = ["A=1", "HOME=/srv", $mark]'
	program /bin/env
	OUTSIDE=1 prints "$(printf 'A=1\nHOME=/srv\nHULL_TEST=%s' "$ID")"
	config --arg mark "HULL_TEST=$ID" '.process.env = ["A=1", $mark]'
	run
	[[ $output == "A=1"$'\n'"HULL_TEST=$ID" ]] || fail "exact with HOME; without: $(tr '\n' ' ' <<<"$output")"
}

rule S-098 MUST - "args has an entry; args[0] is looked for in PATH of env" \
	"a program that only env's PATH leads to; one that is nowhere; args [], no args"
S_098() {
	mkdir "$BUNDLE/rootfs/other"
	printf '#!/bin/sh\necho found by $0 with $1\n' >"$BUNDLE/rootfs/other/prog"
	chmod +x "$BUNDLE/rootfs/other/prog"
	program prog arg
	config '.process.env += ["PATH=/bin:/other"] | .process.env[0] = "X=y"'
	prints "found by /other/prog with arg"
	refuses '.process.args = ["nowhere"]' process.args
	refuses '.process.args = []' process.args
	refuses 'del(.process.args)' process.args
}

rule S-099 MUST - "rlimits: a known type, soft and hard are required, and getrlimit says the same" \
	"NOFILE 100 200; RLIMIT_FOO; no soft, no hard, no type"
S_099() {
	shows '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]' \
		'ulimit -Sn; ulimit -Hn' $'100\n200'
	refuses '.process.rlimits = [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}]' 'process.rlimits[0].type'
	[[ $RT == hull ]] || return 0
	refuses '.process.rlimits = [{"type": "RLIMIT_NOFILE", "hard": 1}]' 'process.rlimits[0].soft'
	refuses '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 1}]' 'process.rlimits[0].hard'
	refuses '.process.rlimits = [{"soft": 1, "hard": 1}]' 'process.rlimits[0].type'
}

rule S-100 MUST crun,runc "no type of rlimit is given twice" "NOFILE twice, the same and another value"
S_100() {
	local soft
	for soft in 100 50; do
		refuses ".process.rlimits = [{\"type\": \"RLIMIT_NOFILE\", \"soft\": 100, \"hard\": 200},
			{\"type\": \"RLIMIT_NOFILE\", \"soft\": $soft, \"hard\": 200}]" 'process.rlimits[1]'
	done
}

rule S-101 MUST - "all sixteen rlimits" "each has a value of its own, seen in /proc/self/limits"
S_101() {
	local name value
	while read -r name value; do
		config --arg name "RLIMIT_$name" --argjson value "$value" \
			'.process.rlimits += [{type: $name, soft: $value, hard: $value}]'
	done <<-'LIMITS'
		AS 4000000000
		CORE 4096
		CPU 1001
		DATA 3000000000
		FSIZE 5000000
		LOCKS 77
		MEMLOCK 65536
		MSGQUEUE 8192
		NICE 0
		NOFILE 101
		NPROC 102
		RSS 2000000
		RTPRIO 0
		RTTIME 900000
		SIGPENDING 103
		STACK 8388608
	LIMITS
	program /bin/cat /proc/self/limits
	run
	expect 0
	same "in the order of /proc/self/limits" \
		"$(sed 1d "$T/stdout" | sed -E 's/^.{26}//' | awk '$1 == $2 { print $1 }' | tr '\n' ' ')" \
		"1001 5000000 3000000000 8388608 4096 2000000 102 101 65536 4000000000 77 103 8192 0 0 900000 "
}

rule S-102 MAY - "apparmorProfile" "in the guest: a profile that denies a file, and one that is not there"
in_guest S-102
S_102() {
	[[ -d /sys/kernel/security/apparmor ]] || mount -t securityfs securityfs /sys/kernel/security
	mounted_on_purpose
	apparmor_parser -r --skip-cache <<-'END'
		profile hull-spec flags=(attach_disconnected) {
		  file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
		  deny /etc/hull-rootfs r,
		}
	END
	shows '.process.apparmorProfile = "hull-spec"' \
		'cat /proc/self/attr/current; cat /etc/hull-rootfs 2>/dev/null || echo denied' \
		$'hull-spec (enforce)\ndenied'
	refuses '.process.apparmorProfile = "no-such-profile"' process.apparmorProfile
}

show_caps='grep Cap /proc/self/status | cut -f2 | tr "\n" " "'

rule S-103 SHOULD crun "capabilities: five sets; one that is not known or cannot be given is a warning" \
	"CHOWN and KILL in all five; an unknown one, and one that hull itself has not"
S_103() {
	local set all='["CAP_CHOWN", "CAP_KILL"]'
	changed .
	for set in bounding effective inheritable permitted ambient; do
		config ".process.capabilities.$set = $all"
	done
	script "$show_caps"
	prints "0000000000000021 0000000000000021 0000000000000021 0000000000000021 0000000000000021 "
	config '.process.capabilities.bounding += ["CAP_NO_SUCH"]'
	# Without root's own right to it nobody can be given one.
	run
	expect 0
	grep -q CAP_NO_SUCH "$T/stderr" || fail "no warning of CAP_NO_SUCH: $stderr"
	unchanged
	script 'echo ran'
	config '.process.capabilities |= map_values(. + ["CAP_SYS_RESOURCE"])'
	capture capsh --drop=cap_sys_resource -- -c \
		"exec timeout 20 '$PROGRAM' --root '$STATE' run -b '$BUNDLE' '$ID'"
	expect 0 ran
	grep -qi sys_resource "$T/stderr" || fail "no warning of CAP_SYS_RESOURCE: $stderr"
	saw "warnings: CAP_NO_SUCH; CAP_SYS_RESOURCE dropped before; both run"
}

rule S-104 MUST - "capability sets that are absent (the text does not say; hull: they are empty)" \
	"capabilities with bounding only, {}, and none at all"
S_104() {
	local none=0000000000000000
	shows '.process.capabilities = {"bounding": ["CAP_CHOWN"]}' "$show_caps" \
		"$none $none $none 0000000000000001 $none "
	shows '.process.capabilities = {}' "$show_caps" "$none $none $none $none $none "
	only_hull "absent altogether differs among the others"
	shows 'del(.process.capabilities)' "$show_caps" "$none $none $none $none $none "
}

rule S-105 MUST - "noNewPrivileges" "true and false, seen in /proc/self/status"
S_105() {
	local flag='awk "/NoNewPrivs/ { print \$2 }" /proc/self/status'
	shows '.process.noNewPrivileges = true' "$flag" 1
	shows '.process.noNewPrivileges = false' "$flag" 0
	shows 'del(.process.noNewPrivileges)' "$flag" 0
}

rule S-106 MUST - "oomScoreAdj is written when set, and not touched otherwise" \
	"500; absent, with a caller that has 77"
S_106() {
	shows '.process.oomScoreAdj = 500' 'cat /proc/self/oom_score_adj' 500
	echo 77 >/proc/self/oom_score_adj
	shows 'del(.process.oomScoreAdj)' 'cat /proc/self/oom_score_adj' 77
}

# scheduled JSON PATTERN: the program waits with this scheduler; chrt on the host says so.
scheduled() {
	changed ".process.scheduler = $1"
	program /bin/sleep 1000 # a program of SCHED_DEADLINE cannot fork
	creates
	starts
	chrt -p "$(state .pid)" >"$T/chrt"
	grep -qE -- "$2" "$T/chrt" || fail "$1: $(<"$T/chrt")"
	saw "$(jq -nr "$1.policy"): as chrt says"
	unchanged
	kills KILL
	becomes stopped
	deletes
}

rule S-107 MUST - "scheduler.policy is required; OTHER, FIFO, RR, BATCH, IDLE, DEADLINE" \
	"each one; none, an unknown one"
S_107() {
	scheduled '{"policy": "SCHED_OTHER"}' SCHED_OTHER
	scheduled '{"policy": "SCHED_FIFO", "priority": 7}' SCHED_FIFO
	scheduled '{"policy": "SCHED_RR", "priority": 8}' SCHED_RR
	scheduled '{"policy": "SCHED_BATCH"}' SCHED_BATCH
	scheduled '{"policy": "SCHED_IDLE"}' SCHED_IDLE
	scheduled '{"policy": "SCHED_DEADLINE", "runtime": 10000000, "deadline": 100000000, "period": 100000000}' \
		SCHED_DEADLINE
	refuses '.process.scheduler = {"nice": 1}' process.scheduler
	refuses '.process.scheduler = {"policy": "SCHED_FOO"}' process.scheduler
}

rule S-108 MUST - "SCHED_ISO is listed, but no kernel has it: an error" "policy SCHED_ISO"
S_108() {
	refuses '.process.scheduler = {"policy": "SCHED_ISO"}' process.scheduler
}

rule S-109 MUST - "nice, priority, runtime, deadline, period are 0 when absent; the flags" \
	"nice 5; priority 9; runtime, deadline, period; every flag that a policy may have; an unknown flag"
S_109() {
	shows '.process.scheduler = {"policy": "SCHED_OTHER", "nice": 5}' \
		'awk "{ print \$19 }" /proc/self/stat' 5
	scheduled '{"policy": "SCHED_FIFO", "priority": 9}' 'priority: 9'
	scheduled '{"policy": "SCHED_RR", "priority": 9, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}' RESET_ON_FORK
	scheduled '{"policy": "SCHED_DEADLINE", "runtime": 10000000, "deadline": 50000000, "period": 100000000,
		"flags": ["SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN"]}' '10000000/50000000/100000000'
	refuses '.process.scheduler = {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_FOO"]}' process.scheduler.flags
}

rule S-110 MAY - "selinuxLabel" \
	"without SELinux: refused; with it: what the plan writes, on a fake host (unit test)"
S_110() {
	refuses '.process.selinuxLabel = "system_u:system_r:container_t:s0"' process.selinuxLabel
	unit test_plan_labels test_selinux
}

rule S-111 MUST - "ioPriority: class RT, BE, IDLE and priority 0 to 7, for the whole process group" \
	"each class, ionice on the host; priority 9, an unknown class"
S_111() {
	local class said
	while read -r class said; do
		changed ".process.ioPriority = {\"class\": \"IOPRIO_CLASS_$class\", \"priority\": 3}"
		sleeper
		creates
		starts
		same "$class" "$(ionice -p "$(state .pid)")" "$said"
		unchanged
		kills KILL
		becomes stopped
		deletes
	done <<-'CLASSES'
		RT realtime: prio 3
		BE best-effort: prio 3
		IDLE idle
	CLASSES
	refuses '.process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 9}' process.ioPriority.priority
	refuses '.process.ioPriority = {"class": "IOPRIO_CLASS_FOO", "priority": 1}' process.ioPriority.class
}

rule S-112 SHOULD - "execCPUAffinity: of exec, not of the first process; initial, then final" \
	"exec with final 1, with both processors, with initial 1 alone; the container's first process"
S_112() {
	(($(nproc) > 1)) || cannot "one processor"
	only_hull "of versions after Debian's"
	local affinity='awk "/Cpus_allowed_list/ { print \$2 }" /proc/self/status' all
	all=$(awk '/Cpus_allowed_list/ { print $2 }' /proc/self/status)
	config '.process.execCPUAffinity = {"initial": "0", "final": "1"}'
	sleeper
	creates
	starts
	same "the first process" "$(awk '/Cpus_allowed_list/ { print $2 }' "/proc/$(state .pid)/status")" "$all"
	executes() {
		jq --argjson a "$1" '.process | .args = ["/bin/sh", "-c", $s] | .execCPUAffinity = $a' \
			--arg s "$affinity" "$BUNDLE/config.json" >"$T/process.json"
		capture rt exec --process "$T/process.json" "$ID"
		expect 0 "$2"
		saw "$1: $2"
	}
	executes '{"initial": "0", "final": "1"}' 1
	executes '{"final": "0-1"}' 0-1
	executes '{"initial": "1"}' 1
	jq '.process | .execCPUAffinity = {"final": "a"}' "$BUNDLE/config.json" >"$T/process.json"
	fails execCPUAffinity exec --process "$T/process.json" "$ID"
}

rule S-113 MUST - "user.uid, user.gid, additionalGids" "1000, 1001 and two more groups: id"
S_113() {
	shows '.process.user = {"uid": 1000, "gid": 1001, "additionalGids": [7, 8]}' \
		'id -u; id -g; grep Groups /proc/self/status | cut -f2' $'1000\n1001\n7 8 '
	refuses '.process.user.additionalGids = [-1]' process.user.additionalGids
}

rule S-114 SHOULD crun,runc "user.umask; when absent, that of the caller" "027; absent, with a caller that has 077"
S_114() {
	shows '.process.user.umask = 23' umask 0027
	umask 077
	shows 'del(.process.user.umask)' umask 0077
}

rule S-115 MAY - "users are numbers" "uid \"root\""
S_115() {
	refuses '.process.user.uid = "root"' process.user.uid
}

rule S-116 MUST - "hostname and domainname are those of the container's UTS namespace; without one, an error" \
	"both; each without a uts namespace"
S_116() {
	shows '.hostname = "host1" | .domainname = "domain1"' 'hostname; cat /proc/sys/kernel/domainname' \
		$'host1\ndomain1'
	config '.linux.namespaces |= map(select(.type != "uts")) | del(.hostname)'
	refuses '.hostname = "host1"' hostname
	refuses '.domainname = "domain1"' domainname
}

rule S-117 INFO - "a host name in a UTS namespace that is joined (youki does not set it)" \
	"a uts namespace by path, and hostname"
S_117() {
	touch "$T/uts"
	unshare --uts="$T/uts" hostname before
	config --arg path "$T/uts" '.linux.namespaces |= map(if .type == "uts" then .path = $path else . end)'
	script hostname
	prints test
	same "in the namespace afterwards" "$(nsenter --uts="$T/uts" hostname)" test
	umount "$T/uts"
}
