# The network namespace that is made while hull does other things (ahead.c): seen from outside.
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

# The helper does not run where hull does; the program is not kept from anywhere.
@test "the program may run on each of the processors that its caller has, also if that is one" {
	need_root
	local all
	all=$(grep Cpus_allowed_list /proc/self/status)
	script 'grep Cpus_allowed_list /proc/self/status'
	hull_run
	expect 0 "$all"
	capture taskset -c 0 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 $'Cpus_allowed_list:\t0'
	user_namespace
	hull_run
	expect 0 "$all"
	capture taskset -c 0 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 $'Cpus_allowed_list:\t0'
	assert_clean
}

# Mounts are made before the network namespace is entered, but those that show it are not.
@test "sysfs shows the container's network, wherever it stands among the mounts" {
	need_root
	local filter
	for filter in '.' '.mounts |= sort_by(.type != "sysfs")' '.mounts |= sort_by(.type == "sysfs")'; do
		config "$filter"
		script 'ls /sys/class/net; cat /sys/class/net/lo/flags'
		hull_run
		expect 0 $'lo\n0x9'
	done
	user_namespace
	hull_run
	expect 0 $'lo\n0x9'
	assert_clean
}

# Who has entered a user namespace can only write to cgroups that are its own: hull must be able to
# put its process into one of them all the same.
@test "a user namespace in a cgroup below one that belongs to somebody else" {
	need_root
	local above=$CGROUPS/${CGROUP##*/}-above
	mkdir "$above" "$above/own"
	chown -R 65534:65534 "$above"
	user_namespace
	config --arg path "/${above##*/}/container" '.linux.cgroupsPath = $path'
	script 'sed -n "s/^0:://p" /proc/self/cgroup; stat -c %u:%g /sys/class/net/lo/mtu'
	capture bash -c 'echo $$ >"$1/own/cgroup.procs"; shift; exec "$@"' - "$above" \
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	wait_for rmdir "$above/own"
	rmdir "$above"
	expect 0 $'/\n0:0'
	assert_clean
}

# Those that are alive, by the processes that are in them.
living_namespaces() {
	local link
	for link in /proc/[0-9]*/ns/{user,net}; do
		readlink "$link" || true
	done 2>/dev/null | sort -u
}

@test "a start that fails when they are there leaves neither process nor namespace" {
	need_root
	local before
	user_namespace
	program /not/there
	before=$(living_namespaces)
	for _ in {1..5}; do
		hull_run
		expect 1
	done
	config '.root.path = "/dev/null"'
	hull_run
	expect 1
	wait_for eval '[[ $(living_namespaces) == "$before" ]]'
	assert_clean
}
