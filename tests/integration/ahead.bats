# The network and user namespaces that are made while hull does other things (ahead.c): seen from
# outside.
load ../lib

setup() { hull_setup; }
teardown() { hull_teardown; }

# look_often COMMAND...: runs hull again and again, and looks at the process as soon as its number
# can be read. $INSIDE counts those that were seen in another network namespace than this one.
look_often() {
	local pid
	INSIDE=0
	for _ in {1..40}; do
		rm -f "$T/pid"
		"$@" </dev/null >>"$T/out" 2>&1 3>&- &
		pid=
		until [[ $pid || ! -d /proc/$! ]]; do
			{ read -r pid <"$T/pid"; } 2>/dev/null || true
		done
		if [[ $pid && /proc/$pid/ns/net -ef /proc/self/ns/net ]]; then
			wait $!
			fail "process $pid is in the host's network namespace"
			return 1
		fi
		[[ ! -e /proc/$pid/ns/net ]] || ((INSIDE += 1))
		wait $! || fail "$(<"$T/out")"
	done
	((INSIDE > 0)) || fail "nothing was seen in time"
}

@test "who reads the pid file finds the container's network namespace" {
	need_root
	program /bin/sleep 0.02
	untraced look_often "$HULL" --root "$STATE" run --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	assert_clean
}

user_namespace() {
	chmod 755 "$T"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	config '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 1000 }]
		| .linux.gidMappings = .linux.uidMappings'
}

@test "who reads the pid file finds the network namespace of a user namespace" {
	need_root
	program /bin/sleep 0.02
	user_namespace
	untraced look_often "$HULL" --root "$STATE" run --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	assert_clean
}

# Made before the maps are there, they would be nobody's, and even root inside could not read some.
@test "the files of the network belong to root of the user namespace" {
	need_root
	user_namespace
	script 'stat -c %u:%g /proc/self/net/dev /sys/class/net/lo/mtu'
	hull_run
	expect 0 $'0:0\n0:0'
	timeout 60 unshare --net "$HULL" --root "$STATE" run --net bridge -b "$BUNDLE" "$ID" \
		>"$T/out" 2>&1 3>&- || fail "$(<"$T/out")"
	[[ $(<"$T/out") == $'0:0\n0:0' ]] || fail "$(<"$T/out")"
	assert_clean
}

# What is joined is found by the caller only, so the child unshares in place of clone3.
@test "they do so with an existing pid namespace, too" {
	need_root
	unshare --pid --fork sleep 60 2>/dev/null 3>&- &
	local other pid=$!
	wait_for has_executed "$pid"
	wait_for grep -q . "/proc/$pid/task/$pid/children"
	other=$(<"/proc/$pid/task/$pid/children")
	other=${other% }
	user_namespace
	config --arg pid "/proc/$other/ns/pid" '
		.linux.namespaces |= map(if .type == "pid" then .path = $pid else . end)
		| .mounts |= map(select(.type != "proc"))
		| del(.linux.maskedPaths, .linux.readonlyPaths)'
	script 'stat -c %u:%g /sys/class/net/lo/mtu'
	hull_run
	kill -KILL "$other"
	expect 0 0:0
	assert_clean
}

# The helper runs elsewhere than hull, and hull where its child does not; neither the program nor what
# hull starts is kept from anywhere.
@test "program and hooks may run on each of the processors that the caller has, also if that is one" {
	need_root
	local all list first
	read -r _ list < <(grep Cpus_allowed_list /proc/self/status)
	all=$'Cpus_allowed_list:\t'$list
	first=${list%%[,-]*}
	script 'grep Cpus_allowed_list /proc/self/status'
	config --arg to "$T/hook" '.hooks.poststop = [{path: "/bin/sh",
		args: ["sh", "-c", "grep Cpus_allowed_list /proc/self/status >" + $to]}]'
	hull_run
	expect 0 "$all"
	[[ $(<"$T/hook") == "$all" ]] || report "a hook: $(<"$T/hook")"
	capture taskset -c "$first" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 $'Cpus_allowed_list:\t'"$first"
	user_namespace
	hull_run
	expect 0 "$all"
	capture taskset -c "$first" "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 $'Cpus_allowed_list:\t'"$first"
	assert_clean
}

# Mounts are made before the network namespace is entered, but those that show it are not.
@test "sysfs shows the container's network, wherever it stands among the mounts" {
	need_root
	local filter
	for filter in '.' '.mounts |= sort_by(.type != "sysfs")' '.mounts |= sort_by(.type == "sysfs")'; do
		config "$filter"
		script 'ls /sys/class/net; cat /sys/class/net/lo/flags'
		below_dummy
		expect 0 $'lo\n0x9'
	done
	user_namespace
	below_dummy
	expect 0 $'lo\n0x9'
	assert_clean
}

# Where hull runs there is a device that no container has.
below_dummy() {
	capture unshare --net bash -c 'ip link add dummy7 type bridge && test -e /proc/self/net/dev &&
		grep -q dummy7 /proc/self/net/dev && exec "$@"' - "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
}

# ---- who makes them -----------------------------------------------------------------------------

# made_by TEXT [COMMAND...]: what --debug says. On a machine with much to do the helper may not have
# come to run in time, and then others make them.
made_by() {
	local text=$1
	shift
	for _ in {1..10}; do
		capture "$@" "$HULL" --root "$STATE" --debug run -b "$BUNDLE" "$ID"
		expect 0
		! grep -qE " parent  network namespace +$text\$" <<<"$stderr" || return 0
	done
	report "not: $text"
}

@test "the network is made ahead, and a user namespace that it belongs to" {
	need_root
	made_by "made by a helper"
	config '.mounts |= map(select(.type != "cgroup"))'
	user_namespace
	made_by "made by a helper, with its user namespace"
	assert_clean
}

# in_cgroup DIR COMMAND...
in_cgroup() {
	bash -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' - "$@"
}

# Who has entered a user namespace can only write to cgroups that are its own: hull must be able to
# put its process into one of them all the same.
@test "a user namespace in a cgroup below one that belongs to somebody else" {
	need_root
	mkdir -p "$CGROUP/own"
	chown -R 65534:65534 "$CGROUP"
	user_namespace
	config --arg path "/hull-test/$ID/container" '.linux.cgroupsPath = $path'
	script 'sed -n "s/^0:://p" /proc/self/cgroup; stat -c %u:%g /sys/class/net/lo/mtu'
	made_by "left to the child" in_cgroup "$CGROUP/own"
	expect 0 $'/\n0:0'
	wait_for rmdir "$CGROUP/own"
	rmdir "$CGROUP"
	assert_clean
}

@test "a user namespace that gets its cgroup" {
	need_root
	user_namespace
	config '(.mounts[] | select(.type == "cgroup")).options |= map(select(. != "ro"))'
	script 'mkdir /sys/fs/cgroup/x; stat -c %u:%g /sys/class/net/lo/mtu'
	made_by "left to the child"
	expect 0 0:0
	assert_clean
}

# ---- when something ends ------------------------------------------------------------------------

# stop_helper: starts the bundle and stops the helper when that has tied itself to hull, which waits
# for it then; $HULL_PID, $HELPER. Fails when it came too late, or too early: then it is done without.
stop_helper() {
	local pid
	"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" >"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$! HELPER=
	while [[ ! $HELPER && -d /proc/$HULL_PID ]]; do
		for pid in $(<"/proc/$HULL_PID/task/$HULL_PID/children"); do
			# The stage and the container have another mount namespace, too.
			[[ /proc/$pid/ns/user -ef /proc/self/ns/user || ! -e /proc/$pid/ns/user ]] ||
				[[ ! /proc/$pid/ns/mnt -ef /proc/$HULL_PID/ns/mnt ]] || HELPER=$pid
			break
		done
	done 2>/dev/null
	if [[ $HELPER ]] && kill -STOP "$HELPER" 2>/dev/null; then
		sleep 0.4
		[[ ! -d /proc/$HELPER ]] || [[ $(<"/proc/$HELPER/stat") == *') Z'* ]] || return 0
	fi
	kill -KILL "$HULL_PID" 2>/dev/null || true
	wait "$HULL_PID" || true
	timeout 30 "$HULL" --root "$STATE" delete --force "$ID" </dev/null
	return 1
} 2>/dev/null

@test "a stopped helper ends with a hull that is killed, and lets go of the state" {
	need_root
	untraced user_namespace
	local tries
	for tries in {1..60}; do
		! untraced stop_helper || break
		((tries < 60)) || fail "the helper was not caught"
	done
	ends_with_hull "$HELPER"
}
