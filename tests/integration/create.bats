#!/usr/bin/env bats
# create, start and run --detach: a container that hull makes and leaves. What its caller may rely
# on (the process is an orphan of the caller's, its standard streams are the container's, the pid
# file), what is left at every point, and what a start does that cannot succeed.
# shellcheck disable=SC2030,SC2031 # each test is a process of its own, and means its own variables

load ../lib

setup() {
	need_root
	hull_setup
	PID=
}

teardown() {
	[[ -z ${STARTER:-} ]] || kill -KILL "$STARTER" 2>/dev/null || true
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] ||
		timeout 30 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 3>&- || true
	hull_teardown
}

# bounded COMMAND...: hull, but never for longer than twenty seconds.
bounded() {
	timeout -k 5 20 "$HULL" --root "$STATE" "$@" 3>&-
}

# create [OPTION...]: $PID is the container's first process. Its standard streams are files in $T.
create() {
	capture bounded create --pid-file "$T/pid" "$@" -b "$BUNDLE" "$ID"
	[[ $status != 0 ]] || PID=$(<"$T/pid")
}

# created [OPTION...]: the same, which must succeed without a word.
created() {
	create "$@"
	expect 0 ""
	[[ -z $stderr ]] || report "nothing expected on standard error"
}

# start: its own streams are others than those of the container.
start() {
	local stdout=$T/start.stdout stderr_file=$T/start.stderr
	status=0
	bounded start "$ID" >"$stdout" 2>"$stderr_file" </dev/null || status=$?
	output=$(<"$stdout")
	stderr=$(<"$stderr_file")
}

started() {
	start
	expect 0 ""
	[[ -z $stderr ]] || report "nothing expected on standard error"
}

# is STATUS: what `state` says.
is() {
	[[ $(bounded state "$ID" | jq -r .status) == "$1" ]]
}

must_be() {
	is "$1" || report "expected to be $1: $(bounded state "$ID" 2>&1)"
}

# deleted [OPTION]: and nothing is left.
deleted() {
	capture bounded delete "$@" "$ID"
	expect 0 ""
	# Dead it is at once; who inherits it may take a moment to reap it.
	[[ -z $PID ]] || wait_for is_gone "$PID" || fail "process $PID is left"
	assert_clean
}

is_gone() {
	local state
	state=$(ps -o stat= -p "$1") || return 0
	[[ -z $state || $state == Z* ]]
}

# container_output: what the container has written, once a line matches.
container_says() {
	wait_for grep -qE -- "$1" "$T/stdout" || fail "not said: $1" "$(<"$T/stdout")"
}

# ---- what create makes ----

@test "create, start, delete: the program runs after start and not before" {
	script 'echo ran >/ran; echo hello; sleep 60'
	created
	must_be created
	[[ ! -e $BUNDLE/rootfs/ran ]]
	sleep 0.2
	[[ ! -e $BUNDLE/rootfs/ran ]]
	started
	must_be running
	container_says '^hello$'
	deleted --force
}

@test "the pid file: a number without a newline, and it is the process that becomes the program" {
	program /bin/sleep 60
	created
	[[ $(stat -c %s "$T/pid") == "${#PID}" && $PID =~ ^[0-9]+$ ]] || fail "pid file: '$PID'"
	[[ $(bounded state "$ID" | jq .pid) == "$PID" ]]
	started
	wait_for grep -qszxF "HULL_TEST=$ID" "/proc/$PID/environ"
	deleted --force
}

@test "a created container has its namespaces, its cgroup and its root when create returns" {
	script 'readlink /proc/self/ns/net; sleep 60'
	created
	grep -qF "hull-test/$ID" "/proc/$PID/cgroup"
	local net
	net=$(readlink "/proc/$PID/ns/net")
	[[ $net != "$(readlink /proc/self/ns/net)" ]]
	[[ -e /proc/$PID/root/etc/hull-rootfs ]] || fail "another root"
	[[ $(readlink "/proc/$PID/cwd") == / ]]
	started
	container_says "^net:"
	grep -qxF "$net" "$T/stdout"
	deleted --force
}

@test "its standard streams are the container's, and hull writes nothing to them" {
	script 'read -r line; echo "out $line"; echo "err $line" >&2'
	mkfifo "$T/in"
	timeout 20 "$HULL" --root "$STATE" create --pid-file "$T/pid" -b "$BUNDLE" "$ID" \
		<>"$T/in" >"$T/stdout" 2>"$T/stderr" 3>&-
	PID=$(<"$T/pid")
	[[ ! -s $T/stdout && ! -s $T/stderr ]]
	started
	echo ping >"$T/in"
	container_says '^out ping$'
	wait_for is stopped
	[[ $(<"$T/stdout") == "out ping" && $(<"$T/stderr") == "err ping" ]]
	deleted
}

@test "what waits holds no descriptor but its streams and its gate" {
	local fds
	# shellcheck disable=SC2093
	exec 7<"$T/mountinfo" 8</ 6<&7
	program /bin/sleep 60
	created
	exec 7<&- 8<&- 6<&-
	fds=$(find "/proc/$PID/fd" -mindepth 1 ! -name '[012]' -printf '%l\n')
	[[ $fds == socket:* && $(wc -l <<<"$fds") == 1 ]] || fail "open: $(ls -l "/proc/$PID/fd")"
	started
	wait_for has_executed "$PID"
	[[ $(find "/proc/$PID/fd" -mindepth 1 | wc -l) == 3 ]] || fail "open: $(ls -l "/proc/$PID/fd")"
	deleted --force
}

@test "--preserve-fds: what the caller has not opened is not hull's either" {
	local fd
	script 'ls /proc/self/fd | tr "\n" " "'
	timeout 20 bash -c 'for fd in {3..14}; do eval "exec $fd>&-"; done; exec "$@"' bash \
		"$HULL" --root "$STATE" create --preserve-fds 12 --pid-file "$T/pid" -b "$BUNDLE" \
		"$ID" </dev/null >"$T/stdout" 2>"$T/stderr" || fail "$(<"$T/stderr")"
	PID=$(<"$T/pid")
	for fd in {3..14}; do
		[[ $(readlink "/proc/$PID/fd/$fd") == "anon_inode:[eventfd]" ]] ||
			fail "$(ls -l "/proc/$PID/fd")"
	done
	started
	container_says '^0 1 2 3 $' # 3 is that of ls
	deleted --force
}

@test "--preserve-fds: more than can be open: an error, and nothing is made" {
	program /bin/true
	capture timeout 20 bash -c 'ulimit -n 64; exec "$@"' bash "$HULL" --root "$STATE" run \
		--preserve-fds 100 -b "$BUNDLE" "$ID"
	expect 1
	expect_error "cannot pass the descriptors 3 to 102 on: too many open files"
	expect_error "--preserve-fds and LISTEN_FDS say how many"
	assert_clean
}

@test "--preserve-fds: descriptors from 3 on reach the program, through the wait too" {
	script 'cat <&3; cat <&4; [ ! -e /proc/self/fd/5 ] && echo no more'
	echo three >"$T/three"
	echo four >"$T/four"
	status=0
	timeout 20 "$HULL" --root "$STATE" create --preserve-fds 2 --pid-file "$T/pid" -b "$BUNDLE" \
		"$ID" </dev/null >"$T/stdout" 2>"$T/stderr" 3<"$T/three" 4<"$T/four" 5<"$T/four" ||
		status=$?
	expect 0
	PID=$(<"$T/pid")
	started
	container_says '^no more$'
	[[ $(<"$T/stdout") == $'three\nfour\nno more' ]] || fail "$(<"$T/stdout")"
	wait_for is stopped
	deleted
}

@test "what waits has less than 200 kB of memory of its own" {
	need_no_sanitizer "it has memory of its own"
	local kb
	# Just built, its pages may not be written yet, and would be counted as changed.
	sync "$HULL"
	program /bin/sleep 60
	config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["chmod", "fchmodat", "mount", "swapon"], "action": "SCMP_ACT_ERRNO"}]}'
	created
	# What it shares with the file of the program is nobody's own, however few map it now.
	kb=$(awk '/^Private_Dirty/ { sum += $2 } END { print sum }' "/proc/$PID/smaps_rollup")
	echo "# $kb kB" >&2
	((kb > 0 && kb < 200)) || fail "$kb kB" "$(grep -E '^[0-9a-f]+-|^Private_Dirty' "/proc/$PID/smaps")"
	started
	must_be running
	deleted --force
}

@test "the lock on the state is not inherited by what waits" {
	program /bin/sleep 60
	created
	timeout 2 flock "$STATE/$ID" true 3>&- || fail "the state is locked"
	started
	timeout 2 flock "$STATE/$ID" true 3>&- || fail "the state is locked"
	deleted --force
}

@test "a caller's descriptor at the state directory, or its locks, do not keep it from starting" {
	program /bin/sleep 60
	created
	exec 7<"$STATE/$ID"
	started
	exec 7<&-
	deleted --force
}

@test "create from the bundle's directory, with relative paths" {
	program /bin/sleep 60
	cd "$BUNDLE" || return
	capture bounded create --pid-file ../pid "$ID"
	expect 0 ""
	PID=$(<"$T/pid")
	[[ $(bounded state "$ID" | jq -r .bundle) == "$BUNDLE" ]]
	cd /
	started
	deleted --force
}

@test "a --root whose path is longer than the address of a socket" {
	local long
	printf -v long '%0100d' 0
	mkdir -p "$T/$long/$long"
	STATE=$T/$long/$long/state
	program /bin/sleep 60
	created
	started
	must_be running
	deleted --force
}

@test "S-029: what becomes of config.json after create changes nothing" {
	script 'echo as created'
	created
	config '.process.args = ["/bin/echo", "changed"] | .hooks.poststart = [{"path": "/bin/false"}]'
	started
	container_says '^as created$'
	wait_for is stopped
	rm "$BUNDLE/config.json"
	deleted
}

@test "create fails as run does: nothing is left, no pid file either" {
	config '.mounts += [{"destination": "/x", "type": "tmpfs", "options": ["size=nonsense"]}]'
	create
	expect 1 ""
	expect_error "/x"
	[[ ! -e $T/pid ]]
	assert_clean
}

@test "a program that is not there fails create, in the words that engines match" {
	program /no/such/program
	create
	expect 1
	expect_error 'exec: "/no/such/program".*no such file or directory'
	assert_clean
	program nosuchprogram
	create
	expect_error 'exec: "nosuchprogram": executable file not found in \$PATH'
	assert_clean
	program /etc/passwd
	create
	expect_error 'permission denied'
	assert_clean
	program /etc
	create
	expect_error 'is a directory|permission denied'
	assert_clean
}

# ended_by_each [OPTION]: of the signals that ask for an end.
ended_by_each() {
	local signal
	for signal in TERM INT QUIT; do
		created "$@"
		capture bounded kill "$ID" "$signal"
		expect 0 ""
		wait_for is stopped || report "not ended by $signal"
		capture bounded start "$ID"
		expect 1
		expect_error stopped
		deleted
	done
}

@test "a created container is ended by TERM, INT and QUIT, also as process 1 of a pid namespace" {
	program /bin/sleep 60
	ended_by_each
	ended_by_each --init
	config '.linux.namespaces |= map(select(.type != "pid"))'
	ended_by_each
}

@test "a name that is in use is refused, and what has it is as before" {
	program /bin/sleep 60
	created
	local first=$PID
	create
	expect 1
	expect_error "exists already"
	PID=$first
	must_be created
	started
	deleted --force
}

@test "an unwritable --pid-file fails create and leaves nothing" {
	capture bounded create --pid-file "$T/no/such/dir/pid" -b "$BUNDLE" "$ID"
	expect 1
	expect_error "pid file"
	assert_clean
}

@test "run's other options: --no-pivot, --no-new-keyring, --no-subreaper are accepted" {
	program /bin/true
	created --no-new-keyring --no-subreaper
	started
	wait_for is stopped
	deleted
}

# ---- whose child it is ----

# engine COMMAND... [-- COMMAND...]: what a caller that is a subreaper learns.
engine() {
	status=0
	timeout -k 5 30 "$(dirname "$HULL")/tests/engine" "$T/pid" "$@" \
		</dev/null >"$T/stdout" 2>"$T/stderr" 9>"$T/engine" 3>&- || status=$?
	output=$(<"$T/engine")
	stderr=$(<"$T/stderr")
}

@test "the caller, a subreaper, gets the exit status of the container" {
	script 'exit 42'
	engine "$HULL" --root "$STATE" create --pid-file "$T/pid" -b "$BUNDLE" "$ID" -- \
		"$HULL" --root "$STATE" start "$ID"
	expect 0 $'0\n0\ncontainer exited 42'
	deleted
}

@test "the caller gets it of a container in an existing pid namespace, and with --init" {
	config '.linux.namespaces |= map(if .type == "pid" then .path = "/proc/self/ns/pid" else . end)'
	script 'kill -KILL $$'
	engine "$HULL" --root "$STATE" create --pid-file "$T/pid" -b "$BUNDLE" "$ID" -- \
		"$HULL" --root "$STATE" start "$ID"
	expect 0 $'0\n0\ncontainer killed 9'
	deleted
	config '.linux.namespaces |= map(del(.path))'
	script 'exit 43'
	engine "$HULL" --root "$STATE" create --init --pid-file "$T/pid" -b "$BUNDLE" "$ID" -- \
		"$HULL" --root "$STATE" start "$ID"
	expect 0 $'0\n0\ncontainer exited 43'
	deleted
}

@test "the caller gets it of run --detach" {
	script 'sleep 0.3; exit 44'
	engine "$HULL" --root "$STATE" run --detach --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	expect 0 $'0\ncontainer exited 44'
	must_be stopped
	deleted
}

@test "the death of the caller's parent does not reach the container" {
	# engine sets the signal on itself and on hull (PR_SET_PDEATHSIG), and both are gone by then.
	program /bin/sleep 60
	timeout 20 setpriv --pdeathsig KILL "$HULL" --root "$STATE" create --pid-file "$T/pid" \
		-b "$BUNDLE" "$ID" </dev/null >"$T/stdout" 2>"$T/stderr" 3>&-
	PID=$(<"$T/pid")
	started
	sleep 0.1
	must_be running
	deleted --force
}

@test "no process of hull stays behind create, start or run --detach" {
	program /bin/sleep 60
	created
	started
	[[ $(cat "$CGROUP/cgroup.procs") == "$PID" ]] || fail "in the cgroup: $(cat "$CGROUP/cgroup.procs")"
	! pgrep -f -- "--root $STATE" || fail "hull is left: $(pgrep -af -- "--root $STATE")"
	deleted --force
	capture bounded run --detach --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	expect 0 ""
	PID=$(<"$T/pid")
	! pgrep -f -- "--root $STATE" || fail "hull is left: $(pgrep -af -- "--root $STATE")"
	deleted --force
}

# The parent of an orphan in a container without a pid namespace, while that runs.
orphan_of_run() {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	script '(sh -c "sleep 0.3; sed -n s/^PPid:.//p /proc/\$\$/status" &); sleep 1'
	hull_start "$@"
	hull_wait
	expect 0
	[[ $output =~ ^[0-9]+$ ]] || report "a number expected"
}

@test "run --no-subreaper: orphans are not hull's" {
	orphan_of_run
	[[ $output == "$HULL_PID" ]] || report "expected the parent to be hull, $HULL_PID"
	orphan_of_run --no-subreaper
	[[ $output != "$HULL_PID" ]] || report "expected the parent to be another than hull"
	assert_clean
}

# ---- run --detach ----

@test "run --detach returns when the program runs" {
	script 'echo hello; sleep 60'
	capture bounded run -d --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	expect 0
	PID=$(<"$T/pid")
	has_executed "$PID"
	must_be running
	container_says '^hello$'
	capture bounded delete "$ID"
	expect 1
	expect_error "is running"
	deleted --force
}

@test "run --detach of a program that cannot be executed fails as run does" {
	printf '#!/no/such/shell\n' >"$BUNDLE/rootfs/script"
	chmod +x "$BUNDLE/rootfs/script"
	program /script
	capture bounded run -d -b "$BUNDLE" "$ID"
	expect 1
	expect_error '/script.*no such file or directory'
	expect_error '/no/such/shell'
	assert_clean
}

@test "run --detach of a program that ends at once leaves a stopped container" {
	program /bin/false
	capture bounded run -d -b "$BUNDLE" "$ID"
	expect 0
	wait_for is stopped
	deleted
	capture bounded run -d --init -b "$BUNDLE" "$ID"
	expect 0
	wait_for is stopped
	deleted
}

# ---- start ----

@test "start of what does not exist, runs or has stopped: runc's words" {
	start
	expect 1
	expect_error "does not exist"
	program /bin/sleep 60
	created
	started
	start
	expect 1
	expect_error "cannot start an already running container"
	must_be running
	kill -KILL "$PID"
	wait_for is stopped
	start
	expect 1
	expect_error "cannot start a container that has stopped"
	deleted
}

@test "R-085: start of a container whose waiting process was killed: an error, and no waiting" {
	program /bin/sleep 60
	created
	kill -KILL "$PID"
	wait_for is stopped
	start
	expect 1
	expect_error "cannot start a container that has stopped"
	deleted
}

@test "start where the gate has vanished: an error" {
	program /bin/sleep 60
	created
	rm "$STATE/$ID/gate"
	start
	expect 1
	expect_error "cannot start a container"
	deleted --force
}

@test "many starts of one container at once: one succeeds, the others say why not" {
	local i ok=0 pids=()
	program /bin/sleep 60
	created
	for i in {1..12}; do
		timeout 30 "$HULL" --root "$STATE" start "$ID" >"$T/start.$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		if wait "${pids[i]}"; then
			ok=$((ok + 1))
		else
			grep -qE "cannot (start|be started)" "$T/start.$((i + 1))" ||
				fail "another error: $(<"$T/start.$((i + 1))")"
		fi
	done
	[[ $ok == 1 ]] || fail "$ok of 12 succeeded" "$(cat "$T"/start.*)"
	must_be running
	deleted --force
}

# start_stopped: $STARTER has given the word, and waits: stopped, the child does not take it.
start_stopped() {
	kill -STOP "$PID"
	start_behind
	sleep 0.3
	[[ -d /proc/$STARTER ]] || fail "start did not wait: $(<"$T/start.stdout")"
}

# start_behind: $STARTER is hull start itself.
start_behind() {
	"$HULL" --root "$STATE" start "$ID" >"$T/start.stdout" 2>&1 </dev/null 3>&- &
	STARTER=$!
}

@test "a start that is killed before its word leaves the container as it was" {
	program /bin/sleep 60
	created
	start_stopped
	kill -TERM "$STARTER"
	status=0
	wait "$STARTER" || status=$?
	expect 143
	kill -CONT "$PID"
	sleep 0.2
	must_be created
	started
	must_be running
	deleted --force
}

@test "a start that is killed with its word on the way leaves the container as it was" {
	hook poststart
	program /bin/sleep 60
	created
	start_stopped
	kill -KILL "$STARTER"
	wait "$STARTER" 2>/dev/null || true
	kill -CONT "$PID"
	sleep 0.3
	must_be created
	[[ ! -e $T/log ]]
	started
	log_is "poststart running"
	deleted --force
}

# cut_short COMMAND: a start that is killed by its own poststart hook; the program runs by then.
cut_short() {
	hook poststart "[ -e $T/cut ] || { touch $T/cut; kill -KILL \$PPID; sleep 0.2; exit 1; }; $1"
	program /bin/sleep 60
	created
	start
	expect 137 ""
	must_be running
}

# pending TRUE_OR_NULL: what the state says of the poststart hooks.
pending() {
	[[ $(bounded state "$ID" | jq .hull.poststartPending) == "$1" ]] || fail "poststartPending: $1 expected"
}

@test "a start that is killed before the poststart hooks have run is no start: the next one runs them" {
	cut_short :
	pending true
	log_is "poststart running"
	started
	pending null
	log_is "poststart running poststart running"
	start
	expect 1 ""
	expect_error "cannot start an already running container"
	log_is "poststart running poststart running"
	deleted --force
	assert_clean
}

@test "S-047: where the poststart hooks of a start that was killed fail, the container is undone" {
	hook poststop
	cut_short "echo no such luck >&2; exit 8"
	start
	expect 1 ""
	expect_error "no such luck"
	log_is "poststart running poststart running poststop stopped"
	[[ -z $(container_processes) ]]
	assert_clean
}

@test "while a start runs poststart hooks, another one is refused and runs none" {
	hook poststart "touch $T/begun; until [ -e $T/go ]; do sleep 0.02; done"
	program /bin/sleep 60
	created
	start_behind
	wait_for test -e "$T/begun"
	pending true
	start
	expect 1 ""
	expect_error "another hull is starting it"
	touch "$T/go"
	wait_for is_gone "$STARTER" || fail "start goes on"
	pending null
	log_is "poststart running"
	deleted --force
}

@test "start of a paused container is refused at once, and works when it goes on" {
	local begun
	program /bin/sleep 60
	created
	capture bounded pause "$ID"
	expect 0 ""
	begun=$SECONDS
	start
	expect 1
	expect_error "cannot start a container in the paused state"
	((SECONDS - begun < 5)) || fail "it took $((SECONDS - begun)) s"
	capture bounded resume "$ID"
	expect 0 ""
	must_be created
	started
	deleted --force
}

@test "somebody who connects to the gate and says nothing, or nonsense, changes nothing" {
	program /bin/sleep 60
	created
	timeout 10 python3 - "$STATE/$ID/gate" 3>&- <<-'END'
		import socket, sys
		for word in b"", b"G", b"x" * 100, b"G" + bytes(11):
		    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		    s.connect(sys.argv[1])
		    if word:
		        s.send(word)
		        s.settimeout(5)
		        try:
		            assert s.recv(1) == b""
		        except ConnectionResetError:
		            pass
		    s.close()
	END
	must_be created
	started
	must_be running
	deleted --force
}

@test "a program that cannot be executed after all: start says why, the container has stopped" {
	printf '#!/no/such/shell\n' >"$BUNDLE/rootfs/script"
	chmod +x "$BUNDLE/rootfs/script"
	program /script
	created
	start
	expect 1 ""
	expect_error '/script.*no such file or directory'
	expect_error '/no/such/shell'
	expect_error 'config.json:[0-9]+:[0-9]+ +process.args'
	wait_for is stopped
	deleted
}

@test "the same with a user namespace, and with --init" {
	config '.linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 65536}] |
		.linux.gidMappings = .linux.uidMappings'
	printf '#!/no/such/shell\n' >"$BUNDLE/rootfs/script"
	chmod +x "$BUNDLE/rootfs/script"
	program /script
	created --init
	start
	expect 1 ""
	expect_error '/no/such/shell'
	wait_for is stopped
	deleted
}

# kill_soon N: a little later each time, so that it comes at any moment of a start.
kill_soon() {
	local i
	for ((i = 0; i < $1 * 30; i++)); do :; done
	kill -KILL "$PID"
}

@test "who is killed as it is started is never taken for somebody else's" {
	local killer i found=0
	program /bin/true
	for i in {1..30}; do
		created
		untraced kill_soon "$i" 3>&- &
		killer=$!
		start
		wait "$killer" || true
		[[ $stderr != *"cannot be started now"* ]] || report "it has stopped"
		[[ $stderr != *"a container that has stopped"* ]] || ((found += 1))
		deleted --force
	done
	((found > 0)) || fail "none was killed in time"
}

# tells_the_end: the kernel has PIDFD_GET_INFO with the exit status.
tells_the_end() {
	local major minor
	IFS=. read -r major minor _ < <(uname -r)
	((major > 6 || (major == 6 && minor >= 15)))
}

@test "a seccomp profile that forbids execve: start fails, and the container has stopped" {
	config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["execve"], "action": "SCMP_ACT_KILL_PROCESS"}]}'
	created
	start
	# Before Linux 6.15 nobody can say what has ended a process that its parent has waited for.
	if ((status)) || tells_the_end; then
		expect 1 ""
		expect_error "killed while it was started"
		expect_error "seccomp profile"
	fi
	expect "$status" ""
	wait_for is stopped
	deleted
}

@test "the program gets its filter, limits and user, as with run" {
	config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO"}]} |
		.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 88}] |
		.process.user = {"uid": 1000, "gid": 1001} | .process.env |= map(select(startswith("HOME") | not))'
	script 'id -u; id -g; ulimit -n; ulimit -H -n; echo "home $HOME"; grep Seccomp: /proc/self/status
		grep NoNewPrivs /proc/self/status; grep SigBlk /proc/self/status; grep Cap /proc/self/status; umask'
	hull_run
	expect 0
	local run=$output
	created
	started
	wait_for is stopped
	[[ $(<"$T/stdout") == "$run" ]] || fail "with run: $run" "with create: $(<"$T/stdout")"
	grep -q 'Seccomp:[[:space:]]2' <<<"$run"
	deleted
}

# ---- delete ----

@test "a created container is deleted without force" {
	program /bin/sleep 60
	created
	deleted
	created
	deleted --force
	capture bounded delete --force "$ID"
	expect 0 ""
	capture bounded delete "$ID"
	expect 1
	expect_error "does not exist"
}

@test "a signal ends a created container that is not process 1" {
	config '.linux.namespaces |= map(select(.type != "pid")) |
		.mounts |= map(select(.type != "proc"))'
	program /bin/sleep 60
	created
	kill -TERM "$PID"
	wait_for is stopped
	deleted
}

# ---- hooks ----

# hook KIND [BODY]: a hook of that kind, which notes its name and the status it was told.
hook() {
	local file=$T/hook-$1
	printf '#!/bin/sh\nstatus=$(sed "s/.*\\"status\\":\\"\\([a-z]*\\)\\".*/\\1/")\n' >"$file"
	printf 'echo "%s $status" >>%s/log\n%s\n' "$1" "$T" "${2:-}" >>"$file"
	chmod +x "$file"
	config --arg kind "$1" --arg file "$file" '.hooks[$kind] = [{"path": $file,
		"env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]'
}

# inner_hook BODY: a startContainer hook, inside.
inner_hook() {
	printf '#!/bin/sh\n%s\n' "$1" >"$BUNDLE/rootfs/inner"
	chmod +x "$BUNDLE/rootfs/inner"
	config '.hooks.startContainer = [{"path": "/inner", "env": ["PATH=/bin"]}]'
}

log_is() {
	local got
	got=$(tr '\n' ' ' <"$T/log")
	[[ ${got% } == "$1" ]] || fail "log: expected '$1', got '${got% }'"
}

@test "S-045: which hooks create runs, and which start, and delete" {
	local kind
	for kind in prestart createRuntime createContainer poststart poststop; do
		hook "$kind"
	done
	inner_hook 'cat >/dev/null; echo inner >>/log'
	script 'cat /log; sleep 60'
	created
	log_is "prestart creating createRuntime creating createContainer creating"
	[[ ! -e $BUNDLE/rootfs/log ]]
	config 'del(.hooks)'
	started
	log_is "prestart creating createRuntime creating createContainer creating poststart running"
	container_says '^inner$'
	deleted --force
	log_is "prestart creating createRuntime creating createContainer creating poststart running poststop stopped"
}

@test "a hook of create sees the container as creating, and may ask for it" {
	hook createRuntime "$HULL --root $STATE state $ID >$T/asked; $HULL --root $STATE start $ID 2>$T/refused
		exit 0"
	program /bin/sleep 60
	created
	[[ $(jq -r .status "$T/asked") == creating ]] || fail "$(<"$T/asked")"
	grep -q "cannot start a container in the creating state" "$T/refused"
	must_be created
	started
	deleted --force
}

@test "S-048: a hook that fails create undoes it and runs poststop" {
	hook createRuntime 'exit 3'
	hook poststop
	create
	expect 1
	expect_error "createRuntime"
	log_is "createRuntime creating poststop stopped"
	assert_clean
}

@test "S-046: a startContainer hook that fails start undoes the container" {
	hook poststop
	inner_hook 'echo no luck >&2; exit 7'
	script 'echo ran >/ran'
	created
	start
	expect 1 ""
	expect_error "/inner"
	expect_error "no luck"
	expect_error 'config.json:[0-9]+:[0-9]+ +hooks.startContainer\[0\]'
	log_is "poststop stopped"
	[[ ! -e $BUNDLE/rootfs/ran ]]
	assert_clean
}

@test "S-047: a poststart hook that fails start undoes the container" {
	hook poststart 'echo no such luck >&2; exit 8'
	hook poststop
	program /bin/sleep 60
	created
	start
	expect 1 ""
	expect_error "no such luck"
	expect_error 'config\.json:[0-9]+:[0-9]+ +hooks\.poststart\[0\]\.path'
	log_is "poststart running poststop stopped"
	[[ -z $(container_processes) ]]
	assert_clean
}

@test "a start that gets a signal while a hook runs undoes the container" {
	hook poststop
	inner_hook 'echo waiting >>/log; sleep 60'
	created
	"$HULL" --root "$STATE" start "$ID" >"$T/start.stdout" 2>&1 </dev/null 3>&- &
	local starter=$!
	wait_for test -s "$BUNDLE/rootfs/log"
	must_be created
	# It is started already, and nobody else can.
	start
	expect 1
	expect_error "cannot be started now"
	kill -TERM "$starter"
	status=0
	wait "$starter" || status=$?
	expect 143
	log_is "poststop stopped"
	assert_clean
}

@test "a container that is being started is deleted by force only" {
	hook poststop
	inner_hook 'echo waiting >>/log; sleep 60'
	created
	start_behind
	wait_for test -s "$BUNDLE/rootfs/log"
	must_be created
	capture bounded delete "$ID"
	expect 1
	expect_error "is being started"
	must_be created
	[[ ! -e $T/log ]]
	deleted --force
	log_is "poststop stopped"
	status=0
	wait "$STARTER" || status=$?
	expect 1
}

@test "a created container that was killed a moment ago is deleted without force" {
	local i
	program /bin/sleep 60
	for i in {1..5}; do
		created
		kill -KILL "$PID"
		deleted
	done
}

@test "nohup: a start goes on when it gets a signal that its caller ignores" {
	inner_hook 'echo waiting >>/log; while [ ! -e /go ]; do sleep 0.05; done'
	program /bin/sleep 60
	created
	trap '' HUP
	start_behind
	trap - HUP
	wait_for test -s "$BUNDLE/rootfs/log"
	kill -HUP "$STARTER"
	sleep 0.3
	touch "$BUNDLE/rootfs/go"
	status=0
	wait "$STARTER" || status=$?
	expect 0
	must_be running
	deleted --force
}

@test "a start that undoes the container is ended by a signal, and leaves no hook" {
	hook poststart 'exit 8'
	hook poststop "echo \$\$ >$T/hook; exec sleep 60"
	program /bin/sleep 60
	created
	start_behind
	wait_for test -s "$T/hook"
	kill -TERM "$STARTER"
	wait_for is_gone "$STARTER" || {
		kill -KILL "$STARTER" "$(<"$T/hook")"
		fail "start goes on"
	}
	wait_for is_gone "$(<"$T/hook")" || fail "the hook is left"
	status=0
	wait "$STARTER" || status=$?
	expect 1
	assert_clean
}

# ---- terminals, sockets ----

# on_socket OPTION [ARG...]: an engine listens there while hull creates and then starts.
on_socket() {
	local option=$1
	shift
	cat >"$T/both" <<-END
		#!/bin/bash
		"$HULL" --root "$STATE" create "$option" "$T/socket" --pid-file "$T/pid" -b "$BUNDLE" "$ID" &&
			"$HULL" --root "$STATE" start "$ID"
	END
	chmod +x "$T/both"
	capture timeout 30 "$(dirname "$HULL")/tests/console" "$T/socket" "$T/both" 3>&-
	output=${output//$'\r'/}
}

@test "--console-socket: the terminal goes to who listens, although create is gone by then" {
	config '.process.terminal = true'
	script 'tty; test -t 1 && echo on a terminal'
	on_socket --console-socket
	expect 0 $'/dev/ptmx, descriptors: 1\n/dev/pts/0\non a terminal'
	wait_for is stopped
	deleted
}

@test "a terminal without --console-socket is refused: nobody would serve it" {
	config '.process.terminal = true'
	create
	expect 1
	expect_error "cannot allocate tty if hull will detach without setting console socket"
	capture bounded run -d -b "$BUNDLE" "$ID"
	expect 1
	expect_error "cannot allocate tty"
	assert_clean
}

@test "--pidfd-socket: a pidfd of the container goes to who listens" {
	program /bin/sleep 60
	cat >"$T/listen" <<-'END'
		import array, os, socket, subprocess, sys
		path, command = sys.argv[1], sys.argv[2:]
		s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
		s.bind(path)
		s.listen(1)
		s.settimeout(10)
		assert subprocess.run(command, timeout=15).returncode == 0
		c, _ = s.accept()
		text, fds, _, _ = socket.recv_fds(c, 100, 5)
		print(text.decode(), len(fds))
		for line in open(f"/proc/self/fdinfo/{fds[0]}"):
		    if line.startswith("Pid:"):
		        print(line.split()[1])
	END
	capture timeout 30 python3 "$T/listen" "$T/socket" "$HULL" --root "$STATE" create \
		--pidfd-socket "$T/socket" --pid-file "$T/pid" -b "$BUNDLE" "$ID" 3>&-
	expect 0
	PID=$(<"$T/pid")
	[[ $output == "standard 1"$'\n'"$PID" ]] || report "pid $PID"
	deleted
	rm "$T/socket"
	capture timeout 30 python3 "$T/listen" "$T/socket" "$HULL" --root "$STATE" run -d \
		--pidfd-socket "$T/socket" --pid-file "$T/pid" -b "$BUNDLE" "$ID" 3>&-
	expect 0
	[[ $output == "standard 1"$'\n'"$(<"$T/pid")" ]] || report "pid $(<"$T/pid")"
	deleted --force
	capture bounded create --pidfd-socket "$T/nowhere" -b "$BUNDLE" "$ID"
	expect 1
	expect_error "cannot connect to the pidfd socket"
	assert_clean
}

# ---- annotations, init ----

@test "annotations that choose the root are ignored, and said so, unless the caller allows them" {
	mkdir "$BUNDLE/top"
	echo annotated >"$BUNDLE/top/which"
	echo plain >"$BUNDLE/rootfs/which"
	config '.annotations["dev.hull.rootfs.lower"] = "top"'
	program /bin/cat /which
	capture bounded --log "$T/log.json" --log-format json create --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	expect 0 ""
	[[ -z $stderr ]] || report "nothing expected on standard error"
	jq -e 'select(.level == "warning") | .msg | test("dev.hull.rootfs.lower.*ignored")' "$T/log.json"
	PID=$(<"$T/pid")
	started
	container_says '^plain$'
	wait_for is stopped
	deleted
	# Without a log nobody asks for, what stands on standard error is the container's.
	created
	deleted
	capture bounded --allow-rootfs-annotations create --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	expect 0 ""
	PID=$(<"$T/pid")
	started
	container_says '^annotated$'
	wait_for is stopped
	deleted
}

@test "--init: process 1 is hull's, the container is created until its program runs" {
	script 'echo "I am $$"; sleep 60'
	created --init
	must_be created
	started
	must_be running
	container_says '^I am 2$'
	[[ $(wc -l <"$CGROUP/cgroup.procs") == 2 ]] || [[ $(wc -l <"$CGROUP/cgroup.procs") == 3 ]]
	deleted --force
}

@test "a user namespace: created, started, deleted" {
	config '.linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
		.linux.gidMappings = .linux.uidMappings'
	chmod 755 "$T"
	script 'cat /proc/self/uid_map; sleep 60'
	created
	must_be created
	started
	container_says '100000'
	deleted --force
}

# ---- killed at any moment ----

@test "a create that is killed at any moment leaves nothing that delete --force cannot remove" {
	local i creator
	program /bin/sleep 60
	for i in {0..24}; do
		"$HULL" --root "$STATE" create --pid-file "$T/pid" -b "$BUNDLE" "$ID" \
			</dev/null >"$T/stdout" 2>"$T/stderr" 3>&- &
		creator=$!
		sleep "0.0$(printf %02d $((i / 2)))$((i % 2 * 5))"
		kill -KILL "$creator" 2>/dev/null || true
		wait "$creator" 2>/dev/null || true
		capture bounded delete --force "$ID"
		expect 0 ""
		assert_clean
	done
}

@test "a start that is killed at any moment leaves what can be started or deleted" {
	local i starter
	program /bin/sleep 60
	for i in {0..9}; do
		created
		"$HULL" --root "$STATE" start "$ID" </dev/null >"$T/start.stdout" 2>&1 3>&- &
		starter=$!
		sleep "0.00$i"
		kill -KILL "$starter" 2>/dev/null || true
		wait "$starter" 2>/dev/null || true
		if is created; then
			start
			[[ $status == 0 ]] || must_be running
		fi
		must_be running
		deleted --force
	done
}

@test "S-036: without a process a container can be created, looked at, entered and deleted, not started" {
	config '{ociVersion, root, linux, mounts}'
	capture hull create -b "$BUNDLE" "$ID"
	expect 0 ""
	must_be created
	capture hull start "$ID"
	expect 1 ""
	expect_error "config.json of container '$ID' has no process to start"
	must_be created
	capture hull exec "$ID" /bin/echo inside
	expect 0 inside
	deleted
	assert_clean
	capture hull run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error "there is no process to start"
	assert_clean
}
