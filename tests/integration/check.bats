#!/usr/bin/env bats
# hull check tells what a start would meet: in the words of the start itself, all of it at once, and
# without making anything. (Its exit status and the samples are in plan.bats.)
# shellcheck disable=SC2030,SC2031 # each test is a process of its own, and means its own variables

load ../lib

setup() {
	hull_setup
}

setup_file() {
	local root=$BATS_TEST_DIRNAME/../../bundles/broken/rootfs
	[[ -d $root ]] || "$BATS_TEST_DIRNAME/../../bundles/mkrootfs" "$root"
}

teardown() {
	hull_teardown
}

# check [OPTION...]: hull check of the test's bundle, which must find something.
check() {
	capture timeout 30 "$HULL" check "$@" -b "$BUNDLE"
	[[ $status == 2 ]] || report "exit status 2 expected"
	made_nothing
}

made_nothing() {
	[[ ! -e $STATE/$ID && ! -e $CGROUP && ! -e $CGROUPS/hull/$ID ]] || fail "something was made"
	diff "$T/mountinfo" <(host_mounts) || fail "mounts have changed"
}

# passes: check finds nothing.
passes() {
	capture timeout 30 "$HULL" check "$@" -b "$BUNDLE"
	[[ $status == 0 && $output == *"Nothing speaks against a start."* ]] || report "nothing to be found"
	made_nothing
}

# problem TEXT: one of the problems that check has printed.
problem() {
	[[ $output == *"$1"* ]] || report "expected: $1"
}

# foretold DIR: what `expected` has, of a start, is what check says; prints what is not.
foretold() {
	local text line name
	capture timeout 30 "$HULL" check -b "$1"
	[[ $status == 2 ]] || echo "exit status 2 expected, got $status"
	text=$output$(<"$T/stderr")
	while IFS= read -r line; do
		case $line in
		'error: config.json: '* | '  step '* | '  config '*) continue ;;
		'error: '*) line=${line#error: } ;;
		'  kernel '* | '  cause '* | '  hint '*)
			name=${line:2:6}
			line="${name%% *}: ${line:10}"
			;;
		esac
		[[ $text == *"$line"* ]] || printf 'not said: %s\n' "$line"
	done <"$1/expected"
}

@test "what is wrong with each broken bundle is foretold, but for what its hooks do" {
	local dir wrong failed=0
	need_root
	cd "$TOP" || return
	for dir in bundles/broken/[0-9]*/; do
		[[ $dir != *60-hook-fails* && $dir != *62-hook-times-out* ]] || continue
		wrong=$(foretold "${dir%/}")
		[[ -z $wrong ]] && continue
		failed=$((failed + 1))
		printf '%s:\n%s\n%s\n' "$dir" "$wrong" "$("$HULL" check -b "$dir" 2>&1)"
	done
	((failed == 0))
	made_nothing
}

@test "several at once, each with its place" {
	need_root
	program /no/such/program
	config '.linux.sysctl = {"net.ipv4.ip_forwrad": "1", "net.ipv4.ip_forward": "1"}
		| (.linux.namespaces[] | select(.type == "ipc")).path = "/proc/self/ns/none"
		| .mounts += [{destination: "/a", type: "tmpfs", options: ["size=10q"]},
			{destination: "/b", source: "/no/such", options: ["bind"]}]
		| .hooks.prestart = [{path: "/no/such/hook"}]'
	check
	problem "cannot open the ipc namespace '/proc/self/ns/none': no such file or directory"
	problem "this kernel has no sysctl 'net.ipv4.ip_forwrad'"
	[[ $output != *ip_forward\'* ]] || report "a sysctl that is there"
	problem "cannot mount 'tmpfs' on '/a' (option 'size=10q'): invalid argument"
	problem "kernel: tmpfs: Bad value for 'size'"
	problem "cannot bind '/no/such' to '/b': no such file or directory"
	problem 'process.args[0]: exec: "/no/such/program": stat /no/such/program: no such file or directory'
	problem "cause: '/no' is not in the root filesystem"
	problem "cannot execute the prestart hook '/no/such/hook': no such file or directory"
	problem "6 problems"
	[[ $output != *"Nothing speaks against a start."* ]]
	# And they are those of a start, which ends with the first one that it meets.
	hull_run
	expect_error "cannot open the ipc namespace '/proc/self/ns/none': no such file or directory"
	assert_clean
}

@test "what a start meets last: resctrl, network devices, the agent of seccomp" {
	need_root
	config --arg socket "$T/agent" '.linux.netDevices = {"nonet0": {}, "nonet1": {}}
		| .linux.namespaces += [{"type": "network"}] | .linux.namespaces |= unique_by(.type)
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $socket,
			syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}'
	mountpoint -q /sys/fs/resctrl || config '.linux.intelRdt = {closID: "gold"}'
	check
	problem "linux.netDevices.nonet0: there is no network device 'nonet0' on the host"
	problem "there is no network device 'nonet1' on the host"
	problem "linux.seccomp.listenerPath: cannot connect to the seccomp agent's socket '$T/agent': no such file or directory"
	mountpoint -q /sys/fs/resctrl ||
		problem "linux.intelRdt: there is no resctrl at '/sys/fs/resctrl'"
	: >"$T/agent"
	check
	problem "the seccomp agent's socket '$T/agent' is no socket"
}

@test "the root filesystem: missing, or a file" {
	config '.root.path = "none"'
	check
	problem "root.path: cannot open the root filesystem '$BUNDLE/none': no such file or directory"
	problem "hint: '$BUNDLE' exists, 'none' in it does not"
	config '.root.path = "config.json"'
	check
	problem "the root filesystem '$BUNDLE/config.json' is not a directory"
}

@test "overlays: missing layers, and programs that are in one of them" {
	need_root
	config '.annotations = {"dev.hull.rootfs.lower": "top:none:gone",
		"dev.hull.rootfs.upper": "upper", "dev.hull.rootfs.work": "work"}'
	mkdir "$BUNDLE/top"
	check
	problem "cannot open the layer '$BUNDLE/none': no such file or directory"
	problem "cannot open the layer '$BUNDLE/gone': no such file or directory"
	problem 'annotations["dev.hull.rootfs.upper"]: cannot open the directory '"'$BUNDLE/upper' of the writable layer: no such file or directory"
	problem 'annotations["dev.hull.rootfs.work"]: cannot open the work directory '"'$BUNDLE/work' of the writable layer: no such file or directory"
	problem "hint: it must be there: mkdir -p $BUNDLE/work"
	mkdir "$BUNDLE"/{none,gone,upper,work}
	program /opt/run
	check
	problem 'exec: "/opt/run": stat /opt/run'
	mkdir "$BUNDLE/none/opt"
	printf '#!/no/interpreter\n' >"$BUNDLE/none/opt/run"
	chmod 755 "$BUNDLE/none/opt/run"
	check
	problem 'interpreter "/no/interpreter" (first line) is not in the root filesystem'
	mkdir "$BUNDLE/upper/no"
	cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/upper/no/interpreter"
	passes
	# What a layer has removed is not there.
	mkdir "$BUNDLE/top/opt"
	mknod "$BUNDLE/top/opt/run" c 0 0
	check
	problem 'exec: "/opt/run": stat /opt/run'
	[[ -z $(ls -A "$BUNDLE/work") ]]
}

@test "overlays of the command line" {
	need_root
	passes --overlay
	passes "--overlay=$T/changes"
	[[ ! -e $T/changes ]] || fail "made $T/changes"
	check "--overlay=$T/no/changes"
	problem "cannot make the directory '$T/no/changes': no such file or directory"
	program /opt/run
	mkdir -p "$T/changes/upper/opt" "$T/changes/work"
	check "--overlay=$T/none"
	printf '#!/bin/sh\n' >"$T/changes/upper/opt/run"
	chmod 755 "$T/changes/upper/opt/run"
	passes "--overlay=$T/changes"
}

@test "programs in what would be mounted" {
	need_root
	mkdir "$T/app"
	program /opt/app/run
	add_mount "{\"destination\": \"/opt/app\", \"source\": \"$T/app\", \"options\": [\"bind\"]}"
	check
	problem 'exec: "/opt/app/run": stat /opt/app/run'
	printf '#!/bin/sh\n' >"$T/app/run"
	check
	problem "may not execute it"
	chmod 755 "$T/app/run"
	passes
	hull_run
	expect 0
	config '.mounts[-1].options += ["noexec"]'
	check
	problem "lies on a mount with the option noexec"
	hull_run
	expect_error "lies on a mount with the option noexec"
	# A file of its own; one below a tmpfs, which is empty; one that a link leads to.
	config --arg app "$T/app/run" '.mounts[-1] |= (.options = ["bind"] | .source = $app
		| .destination = "/bin/extra")'
	program extra
	passes
	config '.mounts[-1] = {destination: "/usr/local", type: "tmpfs"}'
	mkdir -p "$BUNDLE/rootfs/usr/local/bin"
	cp "$T/app/run" "$BUNDLE/rootfs/usr/local/bin/run"
	program /usr/local/bin/run
	check
	problem 'exec: "/usr/local/bin/run": stat /usr/local/bin/run'
	hull_run
	expect_error 'exec: "/usr/local/bin/run": stat /usr/local/bin/run'
	config --arg app "$T/app" '.mounts[-1] = {destination: "/usr/share", source: $app,
		options: ["bind"]}'
	mkdir -p "$BUNDLE/rootfs/usr/share"
	ln -s usr/share "$BUNDLE/rootfs/shared"
	program /shared/run
	passes
	hull_run
	expect 0
	assert_clean
}

@test "the working directory: a file is none, a missing one is made" {
	need_root
	config '.process.cwd = "/etc/hull-rootfs"'
	check
	problem "process.cwd: cannot enter the working directory '/etc/hull-rootfs': not a directory"
	config '.process.cwd = "/missing/directory"'
	passes
}

@test "a file on a directory, and the other way round, at the destination" {
	need_root
	add_mount '{"destination": "/etc", "source": "/etc/passwd", "options": ["bind"]}'
	local text="cannot bind '/etc/passwd' to '/etc': the source is a file, the destination a directory"
	check
	problem "mounts[$(jq '.mounts | length - 1' "$BUNDLE/config.json")].destination: $text"
	problem "1 problem"
	hull_run
	expect_error "[0-9]\]\.destination: $text"
	config '.mounts[-1] = {destination: "/bin/busybox", source: "/etc", options: ["rbind"]}'
	text="cannot bind '/etc' to '/bin/busybox': the source is a directory, the destination a file"
	check
	problem "$text"
	hull_run
	expect_error "$text"
	config '.mounts[-1] = {destination: "/bin/busybox", type: "tmpfs"}'
	text="cannot mount 'tmpfs' on '/bin/busybox': what is mounted is a directory, the destination a file"
	check
	problem "$text"
	hull_run
	expect_error "$text"
	# What an earlier mount has put there counts, and what is missing is made.
	mkdir "$T/empty"
	config --arg t "$T/empty" '.mounts[-1:] = [
		{destination: "/bin/extra", source: $t, options: ["bind"]},
		{destination: "/bin/extra", type: "tmpfs"},
		{destination: "/bin/extra/new", source: "/etc/passwd", options: ["bind"]}]'
	passes
	hull_run
	expect 0
	assert_clean
}

@test "a seccomp profile that forbids execve: named before a start and after it" {
	need_root
	local rule rules=('{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["execve"], action: "SCMP_ACT_ERRNO"}]}')
	# AddressSanitizer does not bear the second one: it asks for memory, and goes round and round.
	has_sanitizer ||
		rules+=('{defaultAction: "SCMP_ACT_ERRNO", syscalls: [{names: ["read"], action: "SCMP_ACT_ALLOW"}]}')
	for rule in "${rules[@]}"; do
		config ".linux.seccomp = $rule"
		check
		problem "the seccomp profile does not allow the start"
		problem "cause: it forbids execve ("
		problem "1 problem"
		hull_run
		expect_error '^error: exec /bin/true: (operation not permitted|function not implemented)$'
		expect_error '^  cause   the seccomp profile forbids execve \([0-9]+\) by linux\.seccomp\.[^,]*, SCMP_ACT_ERRNO$'
		expect_error '^  config  config\.json:[0-9]+:[0-9]+  linux\.seccomp\.(defaultAction|syscalls\[0\]\.names\[0\]) '
	done
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["execve"], action: "SCMP_ACT_KILL_PROCESS"}]}'
	check
	problem "the seccomp profile does not allow the start"
	# An errno that the program's file gives is not the profile's.
	config '.linux.seccomp.syscalls[0] |= (.action = "SCMP_ACT_ERRNO"
		| .args = [{index: 0, value: 0, op: "SCMP_CMP_EQ"}])'
	program /no/such/program
	hull_run
	expect_error "'/no' is not in the root filesystem"
	[[ $output != *seccomp* ]] || report "the profile allows it"
	assert_clean
}

@test "sysctls: those of the new namespaces count, and an interface may come later" {
	need_root
	# Only the host's network namespace has it (net/core/sysctl_net_core.c).
	config '.linux.sysctl = {"net.core.bpf_jit_limit": "1"}'
	check
	problem "this kernel has no sysctl 'net.core.bpf_jit_limit'"
	hull_run
	expect_error "no sysctl 'net.core.bpf_jit_limit'"
	config '.linux.sysctl = {"net.ipv4.conf.eth7.forwarding": "1", "kernel.shmmni": "100",
		"fs.mqueue.msg_max": "10", "net.ipv4.ping_group_range": "0 0"}'
	passes
	config '.linux.sysctl = {"net.ipv4.conf.al.forwarding": "1", "net.ipv4.conf.lo.forwadring": "1"}'
	check
	problem "1 problem"
	problem "no sysctl 'net.ipv4.conf.lo.forwadring'"
}

@test "resource limits that cannot be raised" {
	need_root
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 10, hard: 4294967296},
		{type: "RLIMIT_CORE", soft: 0, hard: 0}]'
	check
	problem "process.rlimits[0]: cannot set RLIMIT_NOFILE to 10, at most 4294967296: operation not permitted"
	problem "1 problem"
	hull_run
	expect_error "cannot set RLIMIT_NOFILE to 10, at most 4294967296: operation not permitted"
	assert_clean
}

@test "cgroups: one that is in use, and controllers that are not to be had" {
	need_root
	local controller missing=() sleeper
	mkdir -p "$CGROUP"
	sleep 60 3>&- &
	sleeper=$!
	echo "$sleeper" >"$CGROUP/cgroup.procs"
	capture timeout 30 "$HULL" check -b "$BUNDLE"
	# Not "%1" or all: bats has a job of its own, which ends the test after its time.
	kill "$sleeper"
	wait "$sleeper" || true
	[[ $status == 2 ]] || report "a cgroup with processes"
	problem "cannot use cgroup '/hull-test/$ID': it has processes"
	rmdir "$CGROUP"
	config '.linux.resources += {memory: {limit: 67108864}, pids: {limit: 50}, cpu: {quota: 10000}}'
	for controller in memory pids cpu; do
		grep -qw $controller "$CGROUPS/cgroup.controllers" || missing+=("$controller")
	done
	capture timeout 30 "$HULL" check -b "$BUNDLE"
	for controller in "${missing[@]}"; do
		problem "the cgroup controller '$controller' is not available in '/'"
	done
	if ((${#missing[@]})); then
		problem "${#missing[@]} problem"
		hull_run
		expect_error "the cgroup controller '${missing[0]}' is not available in '/': "
	fi
	assert_clean
}

@test "without root: only what is known is said" {
	local as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	need_root
	"${as[@]}" test -x "$HULL" || skip "user 65534 cannot reach hull here"
	chmod 755 "$T"
	"${as[@]}" "$HULL" spec --rootless --file - >"$BUNDLE/config.json"
	capture "${as[@]}" timeout 30 "$HULL" check -b "$BUNDLE"
	[[ $status == 0 ]] || report "the template of a user"
	program /no/such
	capture "${as[@]}" timeout 30 "$HULL" check -b "$BUNDLE"
	[[ $status == 2 ]] || report "no program"
	problem 'exec: "/no/such": stat /no/such'
	problem "1 problem"
}

@test "what is hardly meant: no user, a limit in the wrong unit, keys in the wrong object" {
	config 'del(.process.user.uid)'
	passes
	problem "warning: process.user: process.user.uid is missing: the program runs as user 0"
	problem "0 errors, 1 warning"
	config 'del(.process.user)'
	passes
	problem "warning: process: process.user.gid is missing: the program runs as group 0"
	config '.process.user = {uid: 0, gid: 0} | .linux.resources.memory.limit = 512'
	capture timeout 30 "$HULL" check -b "$BUNDLE"
	problem "warning: linux.resources.memory.limit: a start itself needs about as much as this limit of 512 bytes"
	config 'del(.linux.resources.memory) | .seccomp = {}'
	passes
	problem "hint: did you mean 'linux.seccomp'?"
	# Each key that nobody knows, here and not at a start, which newer engines must not disturb.
	config 'del(.seccomp) | .process.capabilities.add = [] | .process.foobar = 1 | .services = {}
		| .windows = {} | .process.user.username = "x" | .process.env += ["FOO"]
		| .mounts += [{type: "tmpfs", destination: "mnt", more: 1}]
		| .linux.cgroupsPath = "a.slice:b:c"'
	passes
	problem "warning: process.capabilities.add: unknown key 'add': it does nothing"
	problem "hint: known here are bounding, effective, inheritable, permitted, ambient"
	problem "warning: process.foobar: unknown key 'foobar': it does nothing"
	problem "warning: services: unknown key 'services': it does nothing"
	problem "warning: windows: 'windows' does nothing on Linux"
	problem "warning: process.user.username: 'username' does nothing on Linux"
	problem "]: 'FOO' is no variable: it has no '='"
	problem ".destination: the destination is no absolute path"
	problem "].more: unknown key 'more': it does nothing"
	problem "warning: linux.cgroupsPath: 'a.slice:b:c' is taken for the name of one cgroup"
	problem "9 warnings"
	capture timeout 30 "$HULL" --systemd-cgroup check -b "$BUNDLE"
	[[ $output != *"taken for the name"* ]] || report "it is meant for systemd"
	need_root
	config 'del(.linux.cgroupsPath)'
	hull_run
	expect 0
	[[ -z $stderr ]] || report "silence at a start"
	# A user by name alone is root: that is said at a start, too.
	config '.process.user = {username: "app"}'
	hull_run
	[[ $stderr == *"process.user.uid is missing: the program runs as user 0"*"give the number of 'app' in"* ]] ||
		report "the user"
	assert_clean
}
