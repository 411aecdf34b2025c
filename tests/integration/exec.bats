#!/usr/bin/env bats
# hull exec: one more process in a container that runs. It is where the container is, has what the
# container was given and no more, and its caller sees its end.

# shellcheck disable=SC2030,SC2031 # each test is a process of its own
# shellcheck disable=SC2034 # HULL_PID is for hull_wait
# shellcheck disable=SC2119,SC2120 # detached() takes options or none
load ../lib

setup() {
	need_root
	hull_setup
	TESTS=$(dirname "$HULL")/tests
	program /bin/sleep 60
}

teardown() {
	[[ -z ${OTHER:-} ]] || kill -KILL "$OTHER" 2>/dev/null || true
	[[ -z ${HOLDER:-} ]] || kill -KILL "$HOLDER" 2>/dev/null || true
	[[ ! -e ${CGROUP:-/none}/cgroup.freeze ]] || echo 0 >"$CGROUP/cgroup.freeze"
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] ||
		timeout 30 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

# hull_exec [OPTION...] ID COMMAND...
hull_exec() {
	capture timeout -s KILL 20 "$HULL" --root "$STATE" exec "$@"
	[[ $status != 137 || ${1:-} == killed ]] || report "hung"
}

# in_container COMMAND...: without options.
in_container() {
	hull_exec "$ID" "$@"
}

# process JQ-FILTER: a process file, from that of config.json, at $T/process.json.
process() {
	jq ".process | $1" "$BUNDLE/config.json" >"$T/process.json"
}

# stop: the container ends, and nothing of it is left.
stop() {
	kill -KILL "$PID"
	hull_wait
	assert_clean
	rm -f "$T/pid"
}

is_running() {
	[[ $(hull state "$ID" 2>/dev/null | jq -r .status) == running ]]
}

# links_of PID NAME...: where these links of /proc/PID lead.
links_of() {
	local pid=$1 name
	shift
	for name in "$@"; do
		readlink "/proc/$pid/$name"
	done
}

# assert_inside PID: the process is in all namespaces of the container, in its cgroup and its root.
assert_inside() {
	local names=(ns/user ns/mnt ns/uts ns/ipc ns/net ns/pid ns/cgroup ns/time)
	[[ $(links_of "$1" "${names[@]}") == "$(links_of "$PID" "${names[@]}")" ]] ||
		fail "other namespaces:" "$(links_of "$1" "${names[@]}")" "$(links_of "$PID" "${names[@]}")"
	grep '^0::' "/proc/$1/cgroup" | diff - <(grep '^0::' "/proc/$PID/cgroup")
	[[ $(stat -L -c %d:%i "/proc/$1/root") == $(stat -L -c %d:%i "/proc/$PID/root") ]] ||
		fail "another root"
}

# detached [OPTION...]: a sleeping process, $INSIDE.
detached() {
	hull_exec --detach --pid-file "$T/exec.pid" "$@" "$ID" /bin/sleep 50
	expect 0 ""
	[[ -z $stderr ]] || report "no word expected"
	INSIDE=$(<"$T/exec.pid")
}

# ---- where it is -------------------------------------------------------------------------------

@test "it is in the namespaces, the cgroup and the root of the container" {
	hull_start
	detached
	assert_inside "$INSIDE"
	grep -q "/hull-test/$ID\$" "/proc/$INSIDE/cgroup"
	stop
}

@test "inside it looks like any other process of the container" {
	hull_start
	# shellcheck disable=SC2016 # for the inside
	in_container /bin/sh -c 'for n in user mnt uts ipc net pid cgroup time; do
			[ "$(readlink /proc/1/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] || echo "other $n"
		done; hostname; grep "^0::" /proc/self/cgroup; cat /proc/1/comm; ls /sys/fs/cgroup/cgroup.procs'
	expect 0 $'test\n0::/\nsleep\n/sys/fs/cgroup/cgroup.procs'
	stop
}

@test "a time namespace is entered, too" {
	config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000}}'
	hull_start
	in_container cut -d. -f1 /proc/uptime
	expect 0
	((output > 1000000)) || report "the container's time expected"
	detached
	assert_inside "$INSIDE"
	stop
}

@test "without a pid namespace of its own" {
	config '.linux.namespaces |= map(select(.type != "pid"))
		| .mounts |= map(select(.destination != "/proc"))'
	hull_start
	detached
	assert_inside "$INSIDE"
	in_container /bin/sh -c 'exit 3'
	expect 3
	kill -KILL "$INSIDE"
	stop
}

@test "with a joined pid namespace" {
	unshare --pid --fork --mount-proc --kill-child sleep 60 3>&- &
	OTHER=$!
	wait_for pgrep -P "$OTHER" -x sleep
	HOLDER=$(pgrep -P "$OTHER" -x sleep)
	config --arg path "/proc/$HOLDER/ns/pid" \
		'(.linux.namespaces[] | select(.type == "pid")).path = $path'
	hull_start
	detached
	assert_inside "$INSIDE"
	kill -KILL "$INSIDE"
	stop
}

@test "without a mount namespace of its own the root is the container's all the same" {
	config '.linux.namespaces |= map(select(.type != "mount")) | .mounts = []
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	hull_start
	in_container /bin/sh -c 'ls -d /etc/hull-rootfs; pwd'
	expect 0 $'/etc/hull-rootfs\n/'
	detached
	assert_inside "$INSIDE"
	in_container /no/such
	expect 255
	expect_error 'no such file or directory'
	stop
}

@test "with --init" {
	"$HULL" --root "$STATE" run --init --pid-file "$T/pid" -b "$BUNDLE" "$ID" \
		>"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for is_running || fail "not started: $(<"$T/stderr")"
	PID=$(<"$T/pid")
	detached
	assert_inside "$INSIDE"
	in_container /bin/sh -c 'exit 9'
	expect 9
	kill -KILL "$INSIDE"
	stop
}

@test "in a user namespace, by root" {
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	hull_start
	detached
	assert_inside "$INSIDE"
	[[ $(stat -c %u:%g "/proc/$INSIDE") == 100000:100000 ]]
	# shellcheck disable=SC2016 # for the inside
	in_container /bin/sh -c 'id -u; cat /proc/self/uid_map | tr -s " "; diff /proc/1/uid_map /proc/self/uid_map
		touch /made && stat -c %u /made
		for s in CapInh CapPrm CapEff CapBnd CapAmb; do
			[ "$(grep $s /proc/1/status)" = "$(grep $s /proc/self/status)" ] || echo "other $s"; done'
	expect 0 $'0\n 0 100000 65536\n0'
	hull_exec -u 70000 "$ID" id
	expect 255
	expect_error "user 70000 does not exist in the container's user namespace"
	stop
}

@test "--cgroup: one below the container's, and no other" {
	hull_start
	mkdir "$CGROUP/sub"
	hull_exec --cgroup sub "$ID" grep '^0::' /proc/self/cgroup
	expect 0 "0::/sub"
	hull_exec --cgroup /sub "$ID" grep '^0::' /proc/self/cgroup
	expect 0 "0::/sub"
	hull_exec --cgroup / "$ID" grep '^0::' /proc/self/cgroup
	expect 0 "0::/"
	local path
	for path in .. ../.. sub/../.. /../ missing; do
		hull_exec --cgroup "$path" "$ID" true
		expect 255
		expect_error "cannot open the cgroup"
	done
	stop
}

@test "--cgroup: one that was killed once" {
	hull_start
	mkdir "$CGROUP/sub"
	echo 1 >"$CGROUP/sub/cgroup.kill"
	hull_exec --cgroup sub "$ID" grep '^0::' /proc/self/cgroup
	expect 0 "0::/sub"
	stop
}

# ---- what it may do ----------------------------------------------------------------------------

@test "it has the rights and limits that the container was started with" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 99},
			{type: "RLIMIT_CORE", soft: 0, hard: 0}]
		| .process.oomScoreAdj = 321 | .process.user = {uid: 1000, gid: 1000, umask: 23, additionalGids: [4, 5]}
		| .process.capabilities.inheritable = ["CAP_CHOWN"] | .process.capabilities.ambient = ["CAP_CHOWN"]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
			{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95}]}'
	hull_start
	# Exec's must be the copy's: nothing that happens to the bundle matters any more.
	config 'del(.process.rlimits) | .linux.seccomp = null | .process.capabilities = {} | .process.noNewPrivileges = false
		| .process.user.uid = 0'
	# shellcheck disable=SC2016 # for the inside
	in_container /bin/sh -c 'for f in status limits; do
			grep -E "^(Uid|Gid|Groups|Cap|NoNew|Seccomp|Umask|Max|Sig(Blk|Ign))" /proc/1/$f >/dev/shm/1
			grep -E "^(Uid|Gid|Groups|Cap|NoNew|Seccomp|Umask|Max|Sig(Blk|Ign))" /proc/self/$f | diff /dev/shm/1 - && echo same $f
		done; cat /proc/self/oom_score_adj; ulimit -n; mkdir /dev/shm/x'
	expect 1 $'same status\nsame limits\n321\n77'
	[[ $stderr == *"not supported"* ]] || report "EOPNOTSUPP of the filter expected"
	stop
}

@test "a process file says what, and leaves the rest to the container's" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 99}]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
			{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95}]}'
	hull_start
	process '{cwd: "/etc", env: ["A=b", "PATH=/bin"], user: {uid: 1000, gid: 1001, additionalGids: [7]},
		args: ["/bin/sh", "-c", "pwd; echo $A-$TERM; id -u; id -g; id -G; ulimit -n; mkdir /dev/shm/x || true
		grep -E \"NoNew|CapBnd|CapInh\" /proc/self/status | cut -f2"]}'
	hull_exec --process "$T/process.json" "$ID"
	expect 0 $'/etc\nb-\n1000\n1001\n1001 7\n77\n0000000000000000\n00000000a80425fb\n1'
	[[ $stderr == *"not supported"* ]] || report "EOPNOTSUPP of the filter expected"
	process '.noNewPrivileges = false | .user.uid = 1000 | .capabilities = {bounding: ["CAP_CHOWN"]}
		| .rlimits = [{type: "RLIMIT_NOFILE", soft: 55, hard: 66}]
		| .args = ["/bin/sh", "-c", "grep -E \"NoNew|CapBnd|CapEff\" /proc/self/status | cut -f2; ulimit -n"]'
	hull_exec --process "$T/process.json" "$ID"
	expect 0 $'0000000000000000\n0000000000000001\n0\n55'
	stop
}

@test "S-112: execCPUAffinity is for what is executed, and not for the first process" {
	local last=$(($(nproc) - 1)) # 0 in the guest of ../vm
	config --arg last "$last" '.process.execCPUAffinity = {initial: "0-\($last)", final: $last}'
	hull_start
	in_container grep Cpus_allowed_list /proc/self/status
	expect 0 $'Cpus_allowed_list:\t'"$last"
	[[ $(grep Cpus_allowed_list "/proc/$PID/status") == "$(grep Cpus_allowed_list /proc/self/status)" ]]
	process '.execCPUAffinity = {initial: "0"} | .args = ["/bin/grep", "Cpus_allowed_list", "/proc/self/status"]'
	hull_exec -p "$T/process.json" "$ID"
	expect 0 $'Cpus_allowed_list:\t0'
	local list
	for list in 1-0 0- - 0,,1 ',' 1024 '0 1' 0-1-2; do
		process ".execCPUAffinity = {final: \"$list\"} | .args = [\"/bin/true\"]"
		hull_exec -p "$T/process.json" "$ID"
		expect 255
		expect_error 'process.json:.*execCPUAffinity.final'
	done
	process '.execCPUAffinity = {final: "1000"} | .args = ["/bin/true"]'
	hull_exec -p "$T/process.json" "$ID"
	expect 255
	expect_error 'none of them is there'
	stop
}

@test "engines' process files" {
	hull_start
	local file
	for file in podman-exec-process docker-exec-process ctr-exec-process; do
		jq '.args = ["/bin/echo", "ran"] | .cwd = "/" | del(.selinuxLabel, .apparmorProfile)' \
			"$TOP/tests/inputs/engine-configs/$file.json" >"$T/process.json"
		hull_exec --process "$T/process.json" "$ID"
		expect 0 ran
	done
	stop
}

@test "options change what the config says" {
	hull_start
	hull_exec --user 1000 "$ID" id -u
	expect 0 1000
	hull_exec -u 1000:1001 -g 7 --additional-gids=8 "$ID" /bin/sh -c 'id -u; id -g; id -G'
	expect 0 $'1000\n1001\n1001 7 8'
	hull_exec --cwd /etc "$ID" pwd
	expect 0 /etc
	hull_exec -e A=1 --env B='2 3' --env TERM=dumb -e A=4 "$ID" env
	expect 0
	expect_line "A=4"
	expect_line "B=2 3"
	expect_line "TERM=dumb"
	[[ $(grep -c '^A=\|^TERM=' <<<"$output") == 2 ]] || report "each variable once"
	hull_exec --no-new-privs=false "$ID" grep NoNewPrivs /proc/self/status
	expect 0 $'NoNewPrivs:\t0'
	config '.process.noNewPrivileges = false'
	stop
	hull_start
	hull_exec "$ID" grep NoNewPrivs /proc/self/status
	expect 0 $'NoNewPrivs:\t0'
	hull_exec --no-new-privs "$ID" grep NoNewPrivs /proc/self/status
	expect 0 $'NoNewPrivs:\t1'
	stop
}

@test "R-009: --cap adds a capability, which nothing inherits" {
	hull_start
	hull_exec --cap CAP_NET_ADMIN -c CAP_SYS_TIME "$ID" grep '^Cap' /proc/self/status
	expect 0 $'CapInh:\t0000000000000000\nCapPrm:\t00000000aa0435fb\nCapEff:\t00000000aa0435fb\nCapBnd:\t00000000aa0435fb\nCapAmb:\t0000000000000000'
	hull_exec --cap CAP_FOO "$ID" true
	expect 255
	expect_error "CAP_FOO"
	stop
}

@test "R-002, R-017: users are numbers" {
	local user
	hull_start
	echo '1000:x:0:0::/root:/bin/sh' >>"$BUNDLE/rootfs/etc/passwd"
	hull_exec -u 1000 "$ID" id -u
	expect 0 1000
	hull_exec -u 1 "$ID" /bin/sh -c 'id -u; id -g'
	expect 0 $'1\n0'
	hull_exec -u 1:2 "$ID" /bin/sh -c 'id -u; id -g'
	expect 0 $'1\n2'
	for user in root :2 1: -1 4294967295 4294967296 0x1 ' 1' '1 ' '' 1:2:3 1:a; do
		hull_exec -u "$user" "$ID" id
		expect 255
		expect_error "--user"
	done
	stop
}

@test "HOME is the user's in the container's passwd, where the environment has none" {
	hull_start
	# shellcheck disable=SC2016 # for the inside
	hull_exec -u 1000 "$ID" /bin/sh -c 'echo $HOME'
	expect 0 /home/app
	stop
}

@test "descriptors: 0 to 2 and those that are to be kept" {
	hull_start
	capture bash -c 'exec 3</etc/passwd 4</etc 5</; exec "$0" --root "$1" exec --preserve-fds 1 "$2" \
		/bin/sh -c "cd /proc/self/fd; echo *"' "$HULL" "$STATE" "$ID"
	# The shell has one of its own for the directory.
	expect 0
	[[ $output =~ ^"0 1 2 3"( [0-9]+)?$ ]] || report "only 3 more expected"
	[[ $output != *" 4 5"* ]] || report "others came along"
	stop
}

@test "R-011: no directory of the host as the working directory" {
	local n
	hull_start
	for n in {3..14}; do
		capture bash -c 'for i in {3..14}; do eval "exec $i</etc"; done
			exec timeout 20 "$0" --root "$1" exec --cwd "/proc/self/fd/$3" "$2" /bin/cat passwd' \
			"$HULL" "$STATE" "$ID" "$n"
		expect 255
		expect_error "cannot enter the working directory"
	done
	stop
}

# ---- how it ends -------------------------------------------------------------------------------

@test "the exit status is the program's, 128 and its number for a signal" {
	hull_start
	in_container /bin/sh -c 'exit 42'
	expect 42 ""
	# shellcheck disable=SC2016 # for the inside
	in_container /bin/sh -c 'kill -TERM $$'
	expect 143 ""
	in_container /bin/true
	expect 0 ""
	[[ -z $stderr ]] || report "no word expected"
	stop
}

@test "arguments, input and output are the caller's" {
	hull_start
	in_container /bin/sh -c 'printf "<%s>" "$@"; echo err >&2' sh 'two words' '' '*' -t --env
	expect 0 '<two words><><*><-t><--env>'
	[[ $stderr == err ]]
	run bash -c "echo through the container | timeout 20 '$HULL' --root '$STATE' exec '$ID' /bin/cat"
	[[ $output == "through the container" ]]
	stop
}

@test "signals reach the program" {
	hull_start
	"$HULL" --root "$STATE" exec "$ID" /bin/sh -c 'trap "echo got TERM; exit 5" TERM
		trap "echo got USR1" USR1; echo ready; while :; do sleep 0.1; done' >"$T/out" 2>&1 </dev/null 3>&- &
	OTHER=$!
	wait_for grep -q ready "$T/out"
	kill -USR1 "$OTHER"
	wait_for grep -q USR1 "$T/out"
	kill -TERM "$OTHER"
	status=0
	wait "$OTHER" || status=$?
	output=$(<"$T/out")
	expect 5
	expect_line "got TERM"
	stop
}

@test "a container that is created and not yet started is entered, too" {
	program /bin/echo started
	capture timeout 20 "$HULL" --root "$STATE" create --pid-file "$T/pid" -b "$BUNDLE" "$ID" 3>&-
	expect 0
	PID=$(<"$T/pid")
	detached
	assert_inside "$INSIDE"
	in_container /bin/sh -c 'hostname; exit 3'
	expect 3 test
	timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	assert_clean
}

@test "when the container ends, so does the process" {
	hull_start
	"$HULL" --root "$STATE" exec "$ID" /bin/sh -c "echo ready; exec sleep 50" >"$T/out" 2>&1 </dev/null 3>&- &
	OTHER=$!
	wait_for grep -q ready "$T/out"
	kill -KILL "$PID"
	status=0
	wait "$OTHER" || status=$?
	expect 137
	hull_wait
	assert_clean
}

@test "--detach: the process is the caller's to reap, and nothing of hull stays" {
	hull_start
	capture timeout 30 "$TESTS/reaper" "$HULL" --root "$STATE" exec --detach --pid-file "$T/exec.pid" \
		"$ID" /bin/sh -c 'echo out; exec sh -c "sleep 0.2; exit 17"'
	expect 0
	[[ $(<"$T/exec.pid") =~ ^[0-9]+$ ]] || fail "no number: $(<"$T/exec.pid")"
	[[ $(tail -c 1 "$T/exec.pid") == [0-9] ]] || fail "a line feed in the pid file"
	expect_line out
	grep -v '^out$' <<<"$output" | diff - <(printf 'command 0\norphan %s 17\n' "$(<"$T/exec.pid")")
	# One that ends at once, and may be faster than hull.
	local n
	for n in {1..20}; do
		capture timeout 30 "$TESTS/reaper" "$HULL" --root "$STATE" exec -d --pid-file "$T/exec.pid" \
			"$ID" /bin/sh -c 'exit 4'
		expect 0 $'command 0\norphan '"$(<"$T/exec.pid")"' 4'
	done
	stop
}

@test "--detach: a program that cannot be executed is an error, and leaves no pid file" {
	hull_start
	capture timeout 30 "$TESTS/reaper" "$HULL" --root "$STATE" exec --detach --pid-file "$T/exec.pid" \
		"$ID" /no/such
	expect 0 "command 255"
	[[ $stderr == *"no such file or directory"* ]] || report "the reason expected"
	[[ ! -e $T/exec.pid ]] || fail "a pid file is left"
	(($(wc -l <"$CGROUP/cgroup.procs") == 1)) || fail "a process is left"
	stop
}

@test "--pid-file in the foreground" {
	hull_start
	# shellcheck disable=SC2016 # for the inside
	hull_exec --pid-file "$T/exec.pid" "$ID" /bin/sh -c 'grep -w NSpid /proc/self/status | cut -f2'
	expect 0
	[[ $(<"$T/exec.pid") =~ ^[0-9]+$ ]]
	stop
}

# ---- terminals ---------------------------------------------------------------------------------

@test "--tty: a terminal of the container's own, which hull copies" {
	hull_start
	capture timeout 60 "$TESTS/pty" wait:ready size:40,132 wait:sized $'type:\x03' wait:interrupted -- \
		"$HULL" --root "$STATE" exec --tty "$ID" /bin/sh -c 'tty; test -t 0 && test -t 1 && test -t 2 &&
			echo own >/dev/tty; trap "stty size; echo sized" WINCH; trap "echo interrupted; exit 6" INT
			echo ready; while :; do sleep 0.1; done' 3>&-
	output=${output//$'\r'/}
	expect 6 $'/dev/pts/0\nown\nready\n40 132\nsized\n^Cinterrupted'
	stop
}

@test "--tty leaves /dev/console to the first process" {
	config '.process.terminal = true'
	hull_start
	in_container stat -c %t:%T /dev/console /dev/pts/0
	expect 0
	local before=$output
	capture timeout 60 "$TESTS/pty" -- "$HULL" --root "$STATE" exec -t "$ID" \
		/bin/sh -c 'tty; stat -c %t:%T /dev/console /dev/pts/0' 3>&-
	expect 0 $'/dev/pts/1\r\n'"${before/$'\n'/$'\r\n'}"$'\r'
	stop
}

@test "--console-socket: the terminal goes to who listens there" {
	hull_start
	process '.terminal = true | .args = ["/bin/sh", "-c", "tty; stty size; exit 0"] | .consoleSize = {height: 33, width: 101}'
	capture timeout 60 "$TESTS/console" "$T/socket" "$HULL" --root "$STATE" exec --detach \
		--process "$T/process.json" --console-socket "$T/socket" "$ID" 3>&-
	output=${output//$'\r'/}
	expect 0
	expect_line /dev/pts/0
	expect_line "33 101"
	hull_exec --detach --tty "$ID" true
	expect 255
	expect_error "cannot allocate tty if hull will detach without setting console socket"
	hull_exec --detach --process "$T/process.json" "$ID"
	expect 255
	expect_error "cannot allocate tty if hull will detach without setting console socket"
	hull_exec --console-socket "$T/socket" "$ID" true
	expect 255
	expect_error "there is no terminal"
	stop
}

@test "--pidfd-socket: a pidfd of the process goes to who listens there" {
	cat >"$T/listen" <<-'END'
		import os, socket, subprocess, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
		s.bind(sys.argv[1])
		s.listen(1)
		s.settimeout(10)
		assert subprocess.run(sys.argv[2:], timeout=15).returncode == 0
		c, _ = s.accept()
		text, fds, _, _ = socket.recv_fds(c, 100, 5)
		print(text.decode(), len(fds))
		for line in open("/proc/self/fdinfo/%d" % fds[0]):
		    if line.startswith("Pid:"):
		        print(line.split()[1])
	END
	hull_start
	capture timeout 30 python3 "$T/listen" "$T/socket" "$HULL" --root "$STATE" exec --detach \
		--pidfd-socket "$T/socket" --pid-file "$T/exec.pid" "$ID" /bin/sleep 50 3>&-
	expect 0 $'setns 1\n'"$(<"$T/exec.pid")"
	hull_exec --pidfd-socket "$T/nowhere" "$ID" true
	expect 255
	expect_error "cannot connect to the pidfd socket"
	stop
}

# ---- what is refused ---------------------------------------------------------------------------

# expect_logged TEXT: the log has one object, whose message has the text.
expect_logged() {
	[[ $(jq -s length "$T/log") == 1 ]] || fail "one object expected: $(<"$T/log")"
	[[ $(jq -r .msg "$T/log") == *"$1"* ]] || fail "expected: $1" "$(<"$T/log")"
	rm "$T/log"
}

exec_logged() {
	capture timeout 20 "$HULL" --root "$STATE" --log "$T/log" --log-format json exec "$@"
	expect 255
}

@test "programs that cannot be executed: the words that engines know" {
	hull_start
	exec_logged "$ID" nosuch
	expect_logged 'exec: "nosuch": executable file not found in $PATH'
	exec_logged "$ID" /no/such
	expect_logged 'exec: "/no/such": stat /no/such: no such file or directory'
	exec_logged "$ID" /etc
	expect_logged 'exec: "/etc": permission denied'
	exec_logged --detach "$ID" /etc/passwd
	expect_logged 'exec: "/etc/passwd": permission denied'
	exec_logged --cwd /nowhere "$ID" true
	expect_logged "cannot enter the working directory '/nowhere': no such file or directory"
	(($(wc -l <"$CGROUP/cgroup.procs") == 1)) || fail "a process is left"
	stop
}

@test "containers that cannot be entered" {
	hull_exec "$ID" true
	expect 255
	expect_error "container '$ID' does not exist"
	program /bin/true
	hull_run --keep
	hull_exec "$ID" true
	expect 255
	expect_error "cannot exec in a stopped container"
	hull delete "$ID"
	assert_clean
}

@test "R-071: a process that has the first one's number by now is not entered" {
	sleep 60 3>&- &
	OTHER=$!
	sleep 0.1 # its start is told in hundredths of a second
	hull_start
	jq --argjson pid "$OTHER" '.pid = $pid' "$STATE/$ID/state.json" >"$T/forged"
	cp "$STATE/$ID/state.json" "$T/state.json"
	cp "$T/forged" "$STATE/$ID/state.json"
	in_container true
	expect 255
	expect_error "cannot exec in a stopped container"
	cp "$T/state.json" "$STATE/$ID/state.json"
	in_container true
	expect 0
	stop
}

@test "a paused container is refused, or with --ignore-paused waited for" {
	hull_start
	echo 1 >"$CGROUP/cgroup.freeze"
	in_container true
	expect 255
	expect_error 'cannot exec in a paused container \(use --ignore-paused to override\)'
	"$HULL" --root "$STATE" exec --ignore-paused "$ID" /bin/echo resumed >"$T/out" 2>&1 </dev/null 3>&- &
	OTHER=$!
	sleep 0.3
	[[ ! -s $T/out && -d /proc/$OTHER ]] || fail "it did not wait: $(<"$T/out")"
	echo 0 >"$CGROUP/cgroup.freeze"
	wait "$OTHER"
	[[ $(<"$T/out") == resumed ]]
	# Nobody has to wait for ever.
	echo 1 >"$CGROUP/cgroup.freeze"
	"$HULL" --root "$STATE" exec --ignore-paused "$ID" /bin/echo resumed >"$T/out" 2>&1 </dev/null 3>&- &
	OTHER=$!
	sleep 0.3
	kill -TERM "$OTHER"
	status=0
	wait "$OTHER" || status=$?
	[[ $status == 143 ]] || report "died of SIGTERM expected"
	echo 0 >"$CGROUP/cgroup.freeze"
	(($(wc -l <"$CGROUP/cgroup.procs") == 1)) || fail "a process is left"
	stop
}

@test "a process file with mistakes: each with its place" {
	hull_start
	process '.cwd = "etc" | .args = []'
	hull_exec -p "$T/process.json" "$ID"
	expect 255
	expect_error 'process.json:[0-9]+:[0-9]+  cwd: expected an absolute path'
	expect_error '  args: '
	hull_exec -p "$T/none.json" "$ID"
	expect 255
	expect_error "none.json"
	echo '{' >"$T/process.json"
	hull_exec -p "$T/process.json" "$ID"
	expect 255
	process '.scheduler = {policy: "SCHED_ISO"}'
	hull_exec -p "$T/process.json" "$ID"
	expect_error "process.json:.*scheduler.policy: Linux has no scheduling policy SCHED_ISO"
	stop
}

@test "mistakes of the command line" {
	hull_start
	hull_exec "$ID"
	expect 255
	expect_error "there is no program"
	hull_exec -e novalue "$ID" true
	expect 255
	expect_error "NAME=VALUE"
	hull_exec
	expect 255
	capture timeout 20 "$HULL" exec --help
	expect 0
	expect_match '--ignore-paused'
	stop
}

@test "hull's own end in the middle of an exec leaves no process" {
	hull_start
	local n
	for n in 1 2 3 4 5 6 8 10 15 20 30; do
		timeout -s KILL "0.00$n" "$HULL" --root "$STATE" exec "$ID" /bin/sleep 0.01 >/dev/null 2>&1 3>&- || true
	done
	wait_for bash -c "(( \$(wc -l <'$CGROUP/cgroup.procs') == 1 ))" || fail "a process is left"
	stop
}
