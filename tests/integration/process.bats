#!/usr/bin/env bats
# The program as config.json's `process` wants it: arguments, environment, directory, user, rights,
# limits, descriptors; and how its end reaches the caller.

load ../lib

setup() {
	need_root
	hull_setup
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] ||
		timeout 30 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

@test "the exit status is the program's" {
	program /bin/true
	hull_run
	expect 0 ""
	assert_clean
	script 'exit 7'
	hull_run
	expect 7 ""
	assert_clean
}

@test "death by a signal is 128 and its number" {
	# PID 1 cannot kill itself: only a signal from outside the namespace ends it so.
	program /bin/sleep 60
	hull_start
	kill -KILL "$PID"
	hull_wait
	expect 137
	assert_clean
}

@test "arguments arrive as they are written" {
	program /bin/sh -c 'printf "<%s>" "$@"' sh 'two words' '' '*' $'line\nbreak'
	hull_run
	expect 0 $'<two words><><*><line\nbreak>'
}

@test "the program is searched along the container's PATH" {
	program true
	hull_run
	expect 0
	config '.process.env = ["PATH=/nowhere"]'
	hull_run
	expect 1
	expect_error true
	assert_clean
}

@test "standard input and output are the caller's" {
	program /bin/cat
	run bash -c "echo through the container | '$HULL' --root '$STATE' run -b '$BUNDLE' '$ID'"
	[[ $output == "through the container" ]]
	assert_clean
}

@test "the environment is the config's, and HOME where it is missing" {
	config '.process.env = ["PATH=/bin", "A=b c", "EMPTY="]'
	program /bin/env
	SECRET=1 hull_run
	expect 0
	expect_line "A=b c"
	expect_line "EMPTY="
	expect_line "HOME=/root"
	[[ $output != *SECRET* ]] || report "the caller's environment came along"
	[[ ${#lines[@]} == 4 ]] || report "four variables expected"
}

@test "HOME is the user's in the container's passwd" {
	config '.process.user = { "uid": 1000, "gid": 1000 }'
	script 'echo $HOME'
	hull_run
	expect 0 "/home/app"
}

@test "the working directory is the config's, and made where it is missing" {
	config '.process.cwd = "/usr/bin"'
	program /bin/pwd
	hull_run
	expect 0 "/usr/bin"
	config '.process.cwd = "/srv/new/deep"'
	hull_run
	expect 0 "/srv/new/deep"
}

@test "user, group and additional groups" {
	config '.process.user = { "uid": 1000, "gid": 1000, "additionalGids": [5, 6], "umask": 63 }'
	script 'id -u; id -g; id -G; umask; grep -c . /root/x 2>/dev/null || echo no'
	hull_run
	expect 0 $'1000\n1000\n1000 5 6\n0077\nno'
}

# with_umask MASK COMMAND...: as capture, with that umask of the caller's.
with_umask() {
	local before
	before=$(umask)
	umask "$1"
	capture timeout -s KILL 30 "${@:2}"
	umask "$before"
}

@test "S-114: without user.umask the caller's stays, of each command that makes a process" {
	config 'del(.process.user.umask)'
	script 'umask; rm -f /tmp/made; >/tmp/made; stat -c %a /tmp/made'
	with_umask 0027 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 $'0027\n640'
	with_umask 0077 "$HULL" --root "$STATE" run --init -b "$BUNDLE" "$ID"
	expect 0 $'0077\n600'
	program /bin/sleep 60
	with_umask 0007 "$HULL" --root "$STATE" run --detach --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	expect 0
	[[ $(grep Umask "/proc/$(<"$T/pid")/status") == $'Umask:\t0007' ]] || fail "the caller's expected"
	with_umask 0177 "$HULL" --root "$STATE" exec "$ID" /bin/sh -c umask
	expect 0 0177
	capture timeout 30 "$HULL" --root "$STATE" delete --force "$ID"
	# A created one has that of create, whoever starts it.
	with_umask 0123 "$HULL" --root "$STATE" create --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	expect 0
	with_umask 0 "$HULL" --root "$STATE" start "$ID"
	expect 0
	[[ $(grep Umask "/proc/$(<"$T/pid")/status") == $'Umask:\t0123' ]] || fail "that of create expected"
	capture timeout 30 "$HULL" --root "$STATE" delete --force "$ID"
	assert_clean
}

@test "root without capabilities has none, and gets none back" {
	config 'del(.process.capabilities)'
	script 'grep ^Cap /proc/self/status | cut -f2 | sort -u'
	hull_run
	expect 0 "0000000000000000"
}

@test "each capability set is the config's" {
	config '.process.capabilities = { "bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW"],
		"permitted": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL"],
		"inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"] }
		| .process.user = { "uid": 1000, "gid": 1000 }'
	program /bin/grep ^Cap /proc/self/status
	hull_run
	# The program's own execve leaves a user only the ambient ones.
	expect 0
	expect_line $'CapInh:\t0000000000000020'
	expect_line $'CapPrm:\t0000000000000020'
	expect_line $'CapEff:\t0000000000000020'
	expect_line $'CapBnd:\t0000000000002021'
	expect_line $'CapAmb:\t0000000000000020'
}

@test "inheritable capabilities that the bounding set lacks are left out, with a warning" {
	config '.process.capabilities = { "bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"],
		"effective": ["CAP_KILL"], "inheritable": ["CAP_KILL", "CAP_NET_RAW"] }'
	program /bin/grep ^CapInh /proc/self/status
	hull_run
	expect 0 $'CapInh:\t0000000000000020'
	[[ $(<"$T/stderr") == *"not in capabilities.bounding, and so left out: CAP_NET_RAW"* ]] ||
		report "a warning"
}

@test "no_new_privs is set or not, as the config says" {
	script 'grep NoNewPrivs /proc/self/status | cut -f2'
	config '.process.noNewPrivileges = true'
	hull_run
	expect 0 1
	config '.process.noNewPrivileges = false'
	hull_run
	expect 0 0
}

@test "resource limits" {
	config '.process.rlimits = [{ "type": "RLIMIT_NOFILE", "soft": 100, "hard": 200 },
		{ "type": "RLIMIT_CORE", "soft": 0, "hard": 0 }]'
	script 'ulimit -Sn; ulimit -Hn; ulimit -c'
	hull_run
	expect 0 $'100\n200\n0'
}

@test "S-100: a resource limit that is given twice starts nothing" {
	config '.process.rlimits = [{ "type": "RLIMIT_NOFILE", "soft": 100, "hard": 200 },
		{ "type": "RLIMIT_CORE", "soft": 0, "hard": 0 },
		{ "type": "RLIMIT_NOFILE", "soft": 100, "hard": 200 }]'
	hull_run
	expect 1 ""
	expect_error 'config.json:[0-9]+:[0-9]+  process.rlimits\[2\].type: RLIMIT_NOFILE is given twice'
	expect_error 'hint: the first one is on line [0-9]+'
	assert_clean
}

@test "HOME is / for a user that the container's passwd does not have" {
	config '.process.user = { "uid": 4242, "gid": 4242 }'
	script 'echo $HOME'
	hull_run
	expect 0 /
	rm "$BUNDLE/rootfs/etc/passwd"
	hull_run
	expect 0 /
	assert_clean
}

# Root without CAP_SYS_RESOURCE may not limit a process of another user: that one does it itself.
@test "resource limits of another user" {
	config '.process.user = { "uid": 1000, "gid": 1000 } |
		.process.rlimits = [{ "type": "RLIMIT_NOFILE", "soft": 64, "hard": 128 }]'
	script 'ulimit -Sn; ulimit -Hn; id -u'
	hull_run
	expect 0 $'64\n128\n1000'
}

@test "the personality" {
	config '.linux.personality = { "domain": "LINUX32" }'
	program /bin/uname -m
	hull_run
	expect 0 i686
}

@test "the oom score adjustment" {
	config '.process.oomScoreAdj = 500'
	program /bin/cat /proc/self/oom_score_adj
	hull_run
	expect 0 500
}

@test "the program has no descriptors but the standard ones" {
	script 'ls /proc/$$/fd; true'
	exec 7</etc/passwd
	hull_run
	exec 7<&-
	expect 0 $'0\n1\n2'
}

@test "--preserve-fds passes the first ones on" {
	script 'cat <&3; test -e /proc/self/fd/4 && echo a fourth'
	echo "from outside" >"$T/file"
	exec 8<"$T/file"
	status=0
	output=$("$HULL" --root "$STATE" run --preserve-fds 1 -b "$BUNDLE" "$ID" 3<&8 4<&8) || status=$?
	exec 8<&-
	[[ $output == "from outside" ]]
}

@test "no signal is blocked in the program" {
	script 'grep SigBlk /proc/self/status | cut -f2'
	hull_run
	expect 0 "0000000000000000"
}

@test "orphans of the container do not outlive it" {
	script 'sleep 60 & exit 3'
	hull_run
	expect 3
	assert_clean
}

@test "--debug shows the plan, and what was tolerated" {
	config '.linux.maskedPaths = ["/no/such/path"]'
	program /bin/true
	capture "$HULL" --root "$STATE" --debug run -b "$BUNDLE" "$ID"
	expect 0 ""
	grep -q "^container   $ID" "$T/stderr"
	grep -q '^tolerated   openat2: ENOENT' "$T/stderr"
	config '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	capture "$HULL" --root "$STATE" --debug run -b "$BUNDLE" "$ID"
	expect 0 ""
	grep -q tolerated "$T/stderr" && fail "nothing should be tolerated"
	return 0
}
