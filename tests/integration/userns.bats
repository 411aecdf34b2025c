#!/usr/bin/env bats
# Containers with a user namespace of their own: started by root, where a stage locks the host's
# flags, and by a user without privilege, who has only the rights inside of it.
# shellcheck disable=SC2153 # set by lib.bash

# shellcheck disable=SC2030,SC2031 # each test is a process of its own, and means its own variables
load ../lib
bats_require_minimum_version 1.5.0

setup() {
	hull_setup
	need_root
	config '.linux.namespaces += [{type: "user"}]'
}

teardown() {
	[[ -z ${OTHER:-} ]] || capture timeout 30 "$HULL" --root "$STATE" delete --force "$OTHER"
	[[ -z ${USER_OTHER:-} ]] || capture user_do timeout 30 "$T/hull" delete --force "$USER_OTHER"
	[[ -z ${SPY:-} ]] || kill "$SPY" || true
	[[ -z ${HELPER:-} ]] || kill -KILL "$HELPER" 2>/dev/null || true
	[[ -z ${DELEGATED:-} ]] || remove_cgroup "$DELEGATED"
	[[ -z ${SOURCE:-} ]] || umount "$SOURCE" 2>/dev/null || true
	hull_teardown
}

# ---- helpers ------------------------------------------------------------------------------------

# map CONTAINER HOST SIZE...: the maps, the same for users and groups.
map() {
	local lines
	lines=$(jq -cn '[$ARGS.positional | _nwise(3) |
		{containerID: .[0], hostID: .[1], size: .[2]}]' --jsonargs -- "$@")
	config --argjson lines "$lines" '.linux.uidMappings = $lines | .linux.gidMappings = $lines'
}

# as_root: maps a range, and gives the image to it.
as_root() {
	map 0 100000 65536
	chown -hR 100000:100000 "$BUNDLE/rootfs"
}

# An id that nobody has, and so no limit of processes is shared with anybody.
USER_ID=54321

# as_user: maps one id, that of the user who will run hull.
as_user() {
	map 0 "$USER_ID" 1
	config 'del(.linux.cgroupsPath)'
	chown -hR "$USER_ID:$USER_ID" "$T"
	chmod 755 "$T"
	cp "$HULL" "$T/hull"
	chmod 755 "$T/hull"
	mkdir -p "$T/run"
	chown "$USER_ID:$USER_ID" "$T/run"
	chmod 700 "$T/run"
}

# user_do COMMAND...: without privilege, as a login session would have it.
user_do() {
	(cd / && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
		env -i PATH="$PATH" XDG_RUNTIME_DIR="$T/run" "$@")
}

# user_run [OPTION of run...]: as hull_run, but by the user.
user_run() {
	capture user_do timeout 60 "$T/hull" run "$@" -b "$BUNDLE" "$ID"
}

assert_user_clean() {
	assert_clean
	[[ ! -e $T/run/hull/$ID ]] || fail "the state is left"
}

# A host's mount that is read-only and has other flags: $SOURCE.
make_source() {
	SOURCE=$T/source
	mkdir "$SOURCE"
	mount -t tmpfs -o mode=777 source "$SOURCE"
	echo secret >"$SOURCE/file"
	mount -o remount,bind,ro,nosuid,nodev,noexec "$SOURCE"
	host_mounts >"$T/mountinfo"
}

# ---- by root ------------------------------------------------------------------------------------

@test "root: the container has the ids of its maps, and is root only inside" {
	as_root
	script 'id -u; id -g; cat /proc/self/uid_map; cat /proc/self/gid_map; cat /proc/self/setgroups
		touch /made; stat -c %u:%g /made'
	hull_run
	expect 0
	[[ ${lines[0]}${lines[1]} == 00 ]] || report "ids"
	[[ $(tr -s ' ' <<<"${lines[2]}") == " 0 100000 65536" ]] || report "uid_map"
	[[ $(tr -s ' ' <<<"${lines[3]}") == " 0 100000 65536" ]] || report "gid_map"
	[[ ${lines[4]} == allow && ${lines[5]} == 0:0 ]] || report "setgroups, owner"
	[[ $(stat -c %u:%g "$BUNDLE/rootfs/made") == 100000:100000 ]] || fail "owner on the host"
	assert_clean
}

@test "root: user, group and additional groups are those of the maps" {
	as_root
	config '.process.user = {uid: 7, gid: 8, additionalGids: [9, 65535]}'
	script 'id -u; id -g; id -G; sleep 2'
	hull_start
	[[ $(stat -c %u "/proc/$PID") == 100007 ]] || fail "user on the host"
	hull_wait
	expect 0 $'7\n8\n8 9 65535'
	assert_clean
}

@test "root: 340 lines, users and groups apart" {
	local lines=()
	for ((i = 0; i < 340; i++)); do lines+=("$i" "$((1000 + 2 * i))" 1); done
	map "${lines[@]}"
	config '.linux.gidMappings = [{containerID: 0, hostID: 1000, size: 5}]'
	chown -hR 1000:1000 "$BUNDLE/rootfs"
	script 'wc -l </proc/self/uid_map; tail -n 1 /proc/self/uid_map; cat /proc/self/gid_map'
	hull_run
	expect 0
	[[ ${lines[0]} == 340 ]] || report "lines"
	[[ $(tr -s ' ' <<<"${lines[1]}") == " 339 1678 1" ]] || report "the last one"
	[[ $(tr -s ' ' <<<"${lines[2]}") == " 0 1000 5" ]] || report "gid_map"
	assert_clean
}

@test "root: a map without 0" {
	map 1000 101000 5
	chown -hR 101000:101000 "$BUNDLE/rootfs"
	config '.process.user = {uid: 1000, gid: 1001}'
	script 'id -u; id -g; echo x >/dev/null && echo ok'
	hull_run
	expect 0 $'1000\n1001\nok'
	assert_clean
}

@test "root: devices work, and belong to the container's users" {
	as_root
	config '.linux.devices = [{path: "/dev/own", type: "c", major: 1, minor: 3, fileMode: 416,
		uid: 3, gid: 4}, {path: "/dev/fifo", type: "p", uid: 5, gid: 6}]'
	script 'echo x >/dev/null && head -c 2 /dev/zero | wc -c
		stat -c "%t:%T %a %u:%g" /dev/own; stat -c "%F %u:%g" /dev/fifo
		stat -c %t:%T /dev/tty; mknod /tmp/m c 1 3 2>/dev/null || echo no mknod'
	hull_run
	expect 0 $'2\n1:3 640 3:4\nfifo 5:6\n5:0\nno mknod'
	assert_clean
}

@test "root: flags of the host stay locked on binds (R-045)" {
	as_root
	make_source
	add_mount '{"destination": "/data", "source": "'"$SOURCE"'", "options": ["rbind"]}'
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	script 'grep " /data " /proc/self/mountinfo | cut -d" " -f6
		for o in rw suid dev exec; do
			mount -o remount,bind,$o /data 2>&1 | grep -c "not permitted\|denied"
		done
		echo x >/data/file; cat /data/file'
	hull_run
	expect 0 $'ro,nosuid,nodev,noexec,relatime\n1\n1\n1\n1\nsecret'
	umount "$SOURCE"
	host_mounts >"$T/mountinfo"
	assert_clean
}

@test "root: without the stage a read-only source could be remounted: what hull itself makes can" {
	as_root
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	add_mount '{"destination": "/data", "type": "tmpfs", "options": ["ro"]}'
	script 'mount -o remount,bind,rw /data && touch /data/x && echo written'
	hull_run
	expect 0 "written"
	assert_clean
}

@test "root: an unreadable parent of a source does not matter, as without a user namespace" {
	as_root
	mkdir -p "$T/closed/source"
	echo hello >"$T/closed/source/file"
	chmod 700 "$T/closed"
	add_mount '{"destination": "/data", "source": "'"$T"'/closed/source", "options": ["rbind", "ro"]}'
	script 'cat /data/file'
	hull_run
	expect 0 "hello"
	assert_clean
}

@test "root: an overlay, in memory and in a directory" {
	as_root
	script 'id -u; touch /made && rm -r /etc && mkdir /etc && ls -A /etc | wc -l; stat -c %u /made'
	hull_run --overlay
	expect 0 $'0\n0\n0'
	[[ ! -e $BUNDLE/rootfs/made ]] || fail "the layer below was written to"
	hull_run --overlay="$T/changes"
	expect 0 $'0\n0\n0'
	[[ $(stat -c %u "$T/changes/upper/made") == 100000 ]] || fail "owner in the upper layer"
	assert_clean
}

@test "root: layers of an image that belongs to the host's users are shown with the container's" {
	map 0 100000 65536
	chown 7:8 "$BUNDLE/rootfs/etc/passwd"
	script 'stat -c %u:%g / /bin /etc/passwd; echo x >>/etc/passwd && stat -c %u:%g /etc/passwd
		rm -r /etc && mkdir /etc && ls -A /etc | wc -l'
	capture hull --debug run --overlay="$T/changes" -b "$BUNDLE" "$ID"
	if grep -q "cannot map ids" "$T/stderr"; then skip "a file system without id-mapped mounts"; fi
	expect 0 $'0:0\n0:0\n7:8\n7:8\n0'
	[[ $(stat -c %u:%g "$BUNDLE/rootfs/etc/passwd") == 7:8 ]] || fail "the layer was changed"
	assert_clean
}

@test "root: a root filesystem of the host's users cannot be built in, and hull says so" {
	map 0 100000 65536
	rm -rf "$BUNDLE/rootfs/sys"
	script 'echo ran'
	hull_run
	expect_error "must belong to the container's root"
	assert_clean
}

@test "root: sysctls, masks, read-only paths, cgroup, mqueue" {
	as_root
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "1234"} |
		.linux.maskedPaths = ["/proc/keys", "/proc/acpi"] | .linux.readonlyPaths = ["/proc/sys"]'
	script 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax; cat /proc/keys
		echo 0 2>/dev/null >/proc/sys/net/ipv4/ip_forward || echo read-only
		grep -c " /dev/mqueue " /proc/self/mountinfo; ls /sys/fs/cgroup/cgroup.procs
		hostname; cat /sys/class/net/lo/operstate'
	hull_run
	expect 0
	[[ $output == $'1\n1234\nread-only\n1\n/sys/fs/cgroup/cgroup.procs\ntest\nunknown' ]] ||
		report "what is inside"
	assert_clean
}

@test "root: a cgroup mount without a cgroup namespace is the container's own part" {
	as_root
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	script 'cat /sys/fs/cgroup/cgroup.procs | head -n 1; mkdir /sys/fs/cgroup/x 2>/dev/null || echo no'
	hull_run
	expect 0 $'1\nno'
	assert_clean
}

@test "S-157: a cgroup that is mounted writable belongs to the container's user, and is removed" {
	as_root
	config '(.mounts[] | select(.type == "cgroup")).options |= map(select(. != "ro")) |
		.process.user = {uid: 5, gid: 6} | .process.capabilities = {}'
	script 'cd /sys/fs/cgroup && mkdir x x/y && echo $$ >x/cgroup.procs && echo made
		stat -c "%u %n" . cgroup.procs cgroup.type; sleep 60 & sleep 0.1'
	hull_run
	expect 0 $'made\n5 .\n5 cgroup.procs\n65534 cgroup.type'
	assert_clean
	config '(.mounts[] | select(.type == "cgroup")).options += ["ro"]'
	script 'stat -c %u /sys/fs/cgroup'
	hull_run
	expect 0 65534
	assert_clean
}

@test "root: oom score, limits, time and clock are set with the caller's rights" {
	as_root
	config '.process.oomScoreAdj = 321 | .process.rlimits =
		[{type: "RLIMIT_NOFILE", soft: 99, hard: 100}] | .linux.namespaces += [{type: "time"}] |
		.linux.timeOffsets = {boottime: {secs: 315360000}}'
	script 'cat /proc/self/oom_score_adj; ulimit -n; ulimit -Hn; cut -d. -f1 /proc/uptime'
	hull_run
	expect 0
	[[ ${lines[0]} == 321 && ${lines[1]} == 99 && ${lines[2]} == 100 ]] || report "limits"
	((lines[3] > 315360000)) || report "time"
	assert_clean
}

# Inside, root may do of it what everybody may: it is the parent who has the caller's rights.
@test "root: policy and io priority are set with the caller's rights" {
	as_root
	config '.process.scheduler = {policy: "SCHED_FIFO", priority: 4} |
		.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 1} |
		.process.user = {uid: 7, gid: 8}'
	program /bin/sleep 60
	hull_start
	[[ $(chrt -p "$PID") == *SCHED_FIFO*"priority: 4" ]] || fail "$(chrt -p "$PID")"
	[[ $(ionice -p "$PID") == "realtime: prio 1" ]] || fail "$(ionice -p "$PID")"
	capture timeout 20 "$HULL" --root "$STATE" exec "$ID" /bin/sh -c 'cat /proc/self/stat; id -u'
	expect 0
	expect_match ' 4 1 0 0 0 '
	expect_line 7
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

@test "root: a failed exec is explained with the container's ids" {
	as_root
	printf '#!/bin/sh\n' >"$BUNDLE/rootfs/script"
	chmod 700 "$BUNDLE/rootfs/script"
	config '.process.user = {uid: 5, gid: 5} | .process.capabilities = {}'
	program /script
	hull_run
	expect_error 'permission denied'
	expect_error "owner|'/script'"
	assert_clean
}

@test "root: existing namespaces of the host are joined by the stage" {
	as_root
	unshare --net --uts --ipc sleep 60 >/dev/null 2>&1 3>&- &
	HELPER=$!
	wait_for test /proc/$HELPER/ns/net -ef /proc/$HELPER/task/$HELPER/ns/net
	wait_for eval '[[ $(readlink /proc/self/ns/net) != "$(readlink "/proc/$HELPER/ns/net")" ]]'
	config --arg p "/proc/$HELPER/ns" '.linux.namespaces |= map(
		if .type == "network" then .path = "\($p)/net"
		elif .type == "ipc" then .path = "\($p)/ipc" else . end) | del(.mounts[] |
		select(.type == "sysfs" or .type == "cgroup" or .type == "mqueue"))'
	script 'readlink /proc/self/ns/net; readlink /proc/self/ns/ipc'
	hull_run
	expect 0 "$(readlink /proc/$HELPER/ns/net)"$'\n'"$(readlink /proc/$HELPER/ns/ipc)"
	assert_clean
}

@test "R-072: 50 starts at a time, with maps for each, and nothing is left" {
	as_root
	script 'cat /proc/self/uid_map; exit 7'
	local i pids=() failed=0
	for ((i = 0; i < 50; i++)); do
		jq --arg c "/hull-test/$ID-$i" '.linux.cgroupsPath = $c | .root.readonly = true' \
			"$BUNDLE/config.json" >"$T/config-$i.json"
		mkdir "$T/b$i"
		mv "$T/config-$i.json" "$T/b$i/config.json"
		ln -s "$BUNDLE/rootfs" "$T/b$i/rootfs"
		timeout 120 "$HULL" --root "$STATE" run -b "$T/b$i" "$ID-$i" </dev/null \
			>"$T/out-$i" 2>"$T/err-$i" 3>&- &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		status=0
		wait "${pids[$i]}" || status=$?
		[[ $status == 7 && $(tr -s ' ' <"$T/out-$i") == " 0 100000 65536" ]] ||
			failed=$((failed + 1))
	done
	((failed == 0)) || fail "$failed starts failed:" "$(cat "$T"/err-*)"
	assert_clean
	! compgen -G "$STATE/$ID*" || fail "state is left"
	! compgen -G "$CGROUPS/hull-test/$ID-*" || fail "a cgroup is left"
}

@test "root: SIGKILL of hull during the start leaves what delete --force removes" {
	as_root
	program /bin/sleep 60
	local i
	for i in 1 2 3 4 5 6 7 8; do
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
		HULL_PID=$!
		sleep "0.00$i"
		kill -KILL "$HULL_PID"
		wait "$HULL_PID" || true
		capture timeout 30 "$HULL" --root "$STATE" delete --force "$ID"
		expect 0
		wait_for no_process || fail "processes are left"
		assert_clean
	done
}

no_process() {
	[[ -z $(container_processes) ]]
}

# ---- without privilege --------------------------------------------------------------------------

@test "user: root inside is the user outside, and setgroups is denied" {
	as_user
	script 'id -u; id -g; cat /proc/self/uid_map; cat /proc/self/setgroups; touch /made; echo x >/dev/null
		grep -c " /dev/null " /proc/self/mountinfo; cat /proc/sys/kernel/hostname'
	user_run
	expect 0
	[[ $(tr -s ' ' <<<"$output") == $'0\n0\n 0 54321 1\ndeny\n1\ntest' ]] || report "inside"
	[[ $(stat -c %u "$BUNDLE/rootfs/made") == "$USER_ID" ]] || fail "owner on the host"
	assert_user_clean
}

@test "user: everything of the file system works inside" {
	as_user
	echo hello >"$T/file"
	chown "$USER_ID" "$T/file"
	add_mount '{"destination": "/data", "source": "'"$T"'/file", "options": ["bind", "ro"]}'
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .root.readonly = true |
		.linux.maskedPaths = ["/proc/keys"] | .linux.readonlyPaths = ["/proc/sys"] |
		.process.oomScoreAdj = 500 | .linux.namespaces += [{type: "time"}] |
		.linux.timeOffsets = {boottime: {secs: 315360000}}'
	mkdir "$BUNDLE/rootfs/data-dir"
	touch "$BUNDLE/rootfs/data"
	script 'cat /data; echo x 2>/dev/null >/data || echo ro
		cat /proc/sys/net/ipv4/ip_forward; cat /proc/keys; touch /x 2>/dev/null || echo ro root
		cat /proc/self/oom_score_adj; ls /sys/fs/cgroup/cgroup.procs
		[ $(cut -d. -f1 /proc/uptime) -gt 315360000 ] && echo time; cat /sys/class/net/lo/operstate'
	user_run
	expect 0 $'hello\nro\n1\nro root\n500\n/sys/fs/cgroup/cgroup.procs\ntime\nunknown'
	assert_user_clean
}

@test "user: flags of the host stay on binds, and cannot be taken away" {
	as_user
	make_source
	add_mount '{"destination": "/data", "source": "'"$SOURCE"'", "options": ["rbind"]}'
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	script 'grep " /data " /proc/self/mountinfo | cut -d" " -f6
		mount -o remount,bind,rw /data 2>&1 | grep -c "not permitted\|denied"'
	user_run
	expect 0 $'ro,nosuid,nodev,noexec,relatime\n1'
	config '.mounts[-1].options = ["rbind", "rw"]'
	user_run
	expect_error 'cannot set the attributes'
	expect_error 'keeps what'
	umount "$SOURCE"
	host_mounts >"$T/mountinfo"
	assert_user_clean
}

@test "user: an overlay with user attributes, in memory and in a directory" {
	as_user
	script 'touch /made && rm -r /etc && mkdir /etc && ls -A /etc | wc -l
		grep -o userxattr /proc/self/mounts'
	user_run --overlay
	if grep -q "no user attributes" "$T/stderr"; then
		expect_error '6.6'
	else
		expect 0 $'0\nuserxattr'
	fi
	[[ ! -e $BUNDLE/rootfs/made ]] || fail "the layer below was written to"
	assert_user_clean
}

@test "user: limits that cannot be set are errors, a cgroup that nobody asked for is not" {
	as_user
	script 'echo ran'
	user_run
	expect 0 "ran"
	config '.linux.resources = {pids: {limit: 100}}'
	user_run
	expect_error 'cgroup'
	[[ $output != *ran* ]] || report "started without its limit"
	config '.linux.resources = {} | .linux.cgroupsPath = "/hull-test/x"'
	user_run
	expect_error 'cgroup'
	config 'del(.linux.cgroupsPath) | .linux.resources = {devices: [{allow: false, access: "rwm"}]}'
	user_run
	expect 0 "ran"
	grep -q "device rules" "$T/stderr" || report "no warning"
	assert_user_clean
}

# delegated_run: user_run from inside of a cgroup that belongs to the user.
delegated_run() {
	capture bash -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' - "$DELEGATED" \
		setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
		env -i PATH="$PATH" XDG_RUNTIME_DIR="$T/run" timeout 60 "$T/hull" run -b "$BUNDLE" "$ID"
}

@test "user: a cgroup is made below the caller's where that is delegated, and removed" {
	as_user
	DELEGATED=$CGROUPS/hull-test/$ID-user
	mkdir -p "$DELEGATED"
	chown -R "$USER_ID" "$DELEGATED"
	config '.linux.namespaces |= map(select(.type != "cgroup")) |
		del(.mounts[] | select(.type == "cgroup"))'
	script 'sed -n "s/^0:://p" /proc/self/cgroup'
	delegated_run
	expect 0 "/hull-test/$ID-user/hull-$ID"
	config '.linux.cgroupsPath = "own/one"'
	delegated_run
	expect 0 "/hull-test/$ID-user/own/one"
	config --arg p "/hull-test/$ID-user/two" '.linux.cgroupsPath = $p'
	delegated_run
	expect 0 "/hull-test/$ID-user/two"
	config '.mounts += [{destination: "/sys/fs/cgroup", type: "cgroup"}]'
	script 'head -n 1 /sys/fs/cgroup/cgroup.procs; ls -d /sys/fs/cgroup/two 2>/dev/null'
	delegated_run
	[[ $output == 1 ]] || report "the container's own part of the tree (R-010)"
	rmdir "$DELEGATED" || fail "a cgroup is left: $(find "$DELEGATED" -type d)"
	assert_user_clean
}

@test "user: what needs privilege is refused with a reason" {
	as_user
	config '.process.user.additionalGids = [0]'
	user_run
	expect_error 'additional groups'
	config 'del(.process.user.additionalGids) | .linux.namespaces |= map(select(.type != "user")) |
		del(.linux.uidMappings, .linux.gidMappings)'
	user_run
	expect_error 'spec --rootless'
	assert_user_clean
}

@test "user: what everybody may ask of the scheduler is done, the rest is refused" {
	as_user
	config '.process.scheduler = {policy: "SCHED_BATCH", nice: 19} |
		.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 7}'
	script 'cat /proc/$$/stat; true'
	user_run
	expect 0
	expect_match ' 39 19 1 .* 0 3 0 0 0 '
	config '.process.scheduler = {policy: "SCHED_FIFO", priority: 1}'
	user_run
	expect 1
	expect_error 'process.scheduler$'
	expect_error 'hint .*CAP_SYS_NICE on the host'
	config 'del(.process.scheduler) | .process.ioPriority.class = "IOPRIO_CLASS_RT"'
	user_run
	expect 1
	expect_error 'process.ioPriority$'
	expect_error 'hint .*CAP_SYS_NICE'
	assert_user_clean
}

@test "user: XDG_RUNTIME_DIR" {
	as_user
	capture user_do env -u XDG_RUNTIME_DIR "$T/hull" run -b "$BUNDLE" "$ID"
	expect_error 'XDG_RUNTIME_DIR is not set'
	expect_error 'run/user/54321.*--root DIR'
	capture user_do env XDG_RUNTIME_DIR=run "$T/hull" run -b "$BUNDLE" "$ID"
	expect_error "XDG_RUNTIME_DIR is 'run'"
	assert_user_clean
}

@test "user: a failed exec is explained" {
	as_user
	printf '#!/no/such\n' >"$BUNDLE/rootfs/script"
	chmod 755 "$BUNDLE/rootfs/script"
	program /script
	user_run
	expect_error '/no/such'
	assert_user_clean
}

@test "user: the process is hidden from the moment it has its maps (R-073)" {
	as_user
	program /bin/sleep 60
	user_do "$T/hull" run --pid-file "$T/run/pid" -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
	HELPER=$!
	wait_for test -s "$T/run/pid"
	PID=$(<"$T/run/pid")
	wait_for grep -qx sleep "/proc/$PID/comm"
	capture user_do timeout 30 "$T/hull" state "$ID"
	expect 0
	expect_match '"status": *"running"'
	capture user_do timeout 30 "$T/hull" delete --force "$ID"
	expect 0
	wait "$HELPER" || true
	HELPER=
	assert_user_clean
}

@test "user: 50 starts at a time, and nothing is left" {
	as_user
	config '.root.readonly = true'
	script 'cat /proc/self/uid_map; exit 7'
	local i pids=() failed=0
	for ((i = 0; i < 50; i++)); do
		user_do timeout 120 "$T/hull" run -b "$BUNDLE" "$ID-$i" </dev/null \
			>"$T/out-$i" 2>"$T/err-$i" 3>&- &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		status=0
		wait "${pids[$i]}" || status=$?
		[[ $status == 7 && $(tr -s ' ' <"$T/out-$i") == " 0 54321 1" ]] || failed=$((failed + 1))
	done
	((failed == 0)) || fail "$failed starts failed:" "$(cat "$T"/err-*)"
	assert_user_clean
	! compgen -G "$T/run/hull/$ID*" || fail "state is left"
}

# ---- more than one id without privilege ------------------------------------------------------------

# with_subids COMMAND...: in a mount namespace whose /etc says what the user may map.
with_subids() {
	[[ ! -d $T/etc ]] || rm -r "${T:?}/etc"
	cp -a /etc "$T/etc"
	echo "hulltest:x:$USER_ID:$USER_ID::/:/bin/sh" >>"$T/etc/passwd"
	echo "hulltest:x:$USER_ID:" >>"$T/etc/group"
	echo "hulltest:200000:65536" >"$T/etc/subuid"
	echo "hulltest:300000:65536" >"$T/etc/subgid"
	unshare --mount --propagation private \
		bash -c 'mount --bind "$1" /etc && shift && exec "$@"' - "$T/etc" "$@"
}

# subid_run: as user_run, with the user's lines in /etc/subuid and /etc/subgid.
subid_run() {
	capture with_subids setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
		env -i PATH="$PATH" XDG_RUNTIME_DIR="$T/run" timeout 60 "$T/hull" run -b "$BUNDLE" "$ID"
}

as_user_with_ids() {
	as_user
	config '.linux.uidMappings += [{containerID: 1, hostID: 200000, size: 65536}] |
		.linux.gidMappings += [{containerID: 1, hostID: 300000, size: 65536}]'
	config '.process.user.additionalGids = [5]'
}

@test "user: maps of many ids are written by newuidmap and newgidmap" {
	as_user_with_ids
	script 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; id -G
		touch /mine && chown 1000:1000 /mine && stat -c %u:%g /mine'
	subid_run
	expect 0
	[[ $(tr -s ' ' <<<"$output") == $' 0 54321 1\n 1 200000 65536\n 0 54321 1\n 1 300000 65536
allow\n0 5\n1000:1000' ]] || report "maps"
	[[ $(stat -c %u:%g "$BUNDLE/rootfs/mine") == 200999:300999 ]] || fail "owner on the host"
	assert_user_clean
}

@test "user: newuidmap's refusal is the error, and nothing is left" {
	as_user_with_ids
	config '.linux.uidMappings[1].hostID = 100000'
	subid_run
	expect_error "refused by '/usr/bin/newuidmap': newuidmap: "
	expect_error 'linux.uidMappings'
	expect_error '/etc/subuid'
	assert_user_clean
}

@test "R-022: newuidmap is not looked for in PATH" {
	as_user_with_ids
	mkdir "$T/evil"
	printf '#!/bin/sh\ntouch %s/evil/ran\n' "$T" >"$T/evil/newuidmap"
	cp "$T/evil/newuidmap" "$T/evil/newgidmap"
	chmod 755 "$T/evil"/*
	chmod 777 "$T/evil"
	script 'wc -l </proc/self/uid_map'
	PATH=$T/evil:$PATH subid_run
	expect 0 2
	[[ ! -e $T/evil/ran ]] || fail "a program of the caller's PATH was run"
	assert_user_clean
}

# ---- joining ----------------------------------------------------------------------------------------

# other_bundle: a second bundle beside the test's, whose container runs for a minute: $T/other.
other_bundle() {
	mkdir -p "$T/other"
	cp -a "$BUNDLE/rootfs" "$T/other/rootfs"
	jq '.process.args = ["/bin/sleep", "60"] | del(.linux.cgroupsPath)' "$BUNDLE/config.json" \
		>"$T/other/config.json"
}

# join TYPE...: these namespaces are those of process $OTHER_PID.
join() {
	local type file
	for type; do
		case $type in network) file=net ;; *) file=$type ;; esac
		config --arg t "$type" --arg p "/proc/$OTHER_PID/ns/$file" \
			'.linux.namespaces |= map(if .type == $t then .path = $p else . end)'
	done
}

# start_other: the second container, by root; start_user_other: by the user. $OTHER_PID is in it.
start_other() {
	other_bundle
	OTHER=$ID-other
	"$HULL" --root "$STATE" run --pid-file "$T/other/pid" -b "$T/other" "$OTHER" \
		</dev/null >/dev/null 2>&1 3>&- &
	find_other
}

start_user_other() {
	other_bundle
	chown "$USER_ID" "$T/other"
	USER_OTHER=$ID-other
	user_do "$T/hull" run --pid-file "$T/other/pid" -b "$T/other" "$USER_OTHER" \
		</dev/null >/dev/null 2>&1 3>&- &
	find_other
}

find_other() {
	HELPER=$!
	wait_for test -s "$T/other/pid"
	OTHER_PID=$(<"$T/other/pid")
	wait_for grep -qx sleep "/proc/$OTHER_PID/comm"
}

stop_other() {
	capture "$@" delete --force "$ID-other"
	expect 0
	wait "$HELPER" || true
	HELPER='' OTHER='' USER_OTHER=''
}

@test "root: all namespaces of another container are joined, its user namespace last" {
	as_root
	start_other
	join user network ipc uts pid
	config 'del(.hostname)'
	script 'for n in user net ipc uts; do readlink /proc/self/ns/$n; done
		id -u; cat /proc/1/comm; echo x >/dev/null && stat -c %u /dev/null'
	hull_run
	expect 0 "$(cd "/proc/$OTHER_PID/ns" && readlink user net ipc uts)"$'\n0\nsleep\n0'
	stop_other timeout 30 "$HULL" --root "$STATE"
	assert_clean
}

# join_host_pid: a pid namespace that belongs to the host's user namespace.
join_host_pid() {
	unshare --pid --fork --mount-proc --kill-child sleep 100 </dev/null >/dev/null 2>&1 3>&- &
	HELPER=$!
	wait_for pgrep -P "$HELPER" -x sleep >/dev/null
	OTHER_PID=$(pgrep -P "$HELPER" -x sleep)
	join pid
	config 'del(.linux.maskedPaths, .linux.readonlyPaths)'
}

@test "root: a pid namespace of the host's is joined from a new user namespace" {
	as_root
	join_host_pid
	# Nobody may mount a /proc of a namespace that he has no rights over.
	config '.mounts |= map(select(.type != "proc"))'
	script 'trap "echo got; exit 7" USR1; echo $$; while :; do sleep 0.05; done'
	hull_start
	[[ $(readlink "/proc/$PID/ns/pid") == "$(readlink "/proc/$OTHER_PID/ns/pid")" ]] ||
		fail "another pid namespace"
	[[ $(readlink "/proc/$PID/ns/user") != "$(readlink /proc/self/ns/user)" ]] ||
		fail "the host's user namespace"
	wait_for test -s "$T/stdout"
	kill -USR1 "$HULL_PID"
	hull_wait
	expect 7
	[[ ${output##*$'\n'} == got ]] || report "no signal"
	assert_clean
	program /missing
	hull_run
	expect_error "/missing"
	assert_clean
	kill -KILL "$HELPER"
}

@test "R-001: a pid namespace of the host's, joined from a new user namespace, has no createContainer hook" {
	as_root
	join_host_pid
	config '.mounts |= map(select(.type != "proc"))'
	chmod 755 "$T" # for the hook, which would be the container's root
	: >"$T/log"
	chmod 666 "$T/log"
	printf '#!/bin/sh\nreadlink /proc/self/ns/user >>%s\n' "$T/log" >"$T/hook"
	chmod 755 "$T/hook"
	config --arg hook "$T/hook" '.hooks.createContainer = [{path: $hook}]'
	hull_run
	[[ ! -s $T/log ]] || report "the hook has run"
	expect_error "a createContainer hook would show the host's files to the existing pid namespace"
	expect_error 'hooks\.createContainer'
	expect_error 'hint.*createRuntime hook'
	assert_clean
	# What the hint says.
	config '.hooks = {createRuntime: .hooks.createContainer}'
	program /bin/true
	hull_run
	expect 0
	[[ $(<"$T/log") == "$(readlink /proc/self/ns/user)" ]] || report "the hook ran in $(<"$T/log")"
	assert_clean
	kill -KILL "$HELPER"
}

@test "R-001: a pid namespace of the host's, joined from a new user namespace, gets no helper for its /proc" {
	as_root
	join_host_pid
	hull_run
	expect_error "the /proc of an existing pid namespace cannot be mounted from a new user namespace"
	expect_error 'mounts\[[0-9]\]\.type'
	expect_error 'hint.*leave this mount out'
	assert_clean
	kill -KILL "$HELPER"
}

@test "S-127: maps beside a path must be those of the joined user namespace" {
	as_root
	start_other
	join user
	script 'readlink /proc/self/ns/user'
	hull_run
	expect 0 "$(readlink "/proc/$OTHER_PID/ns/user")"
	config '.linux.uidMappings[0].size = 65535'
	hull_run
	expect_error 'not those of the user namespace that is joined'
	expect_error 'linux.uidMappings'
	config '.linux.uidMappings[0].size = 65536 | .linux.gidMappings[0].hostID = 100001'
	hull_run
	expect_error 'linux.gidMappings'
	config 'del(.linux.uidMappings, .linux.gidMappings)'
	hull_run
	expect 0 "$(readlink "/proc/$OTHER_PID/ns/user")"
	stop_other timeout 30 "$HULL" --root "$STATE"
	assert_clean
}

# fail_slowly: the program is nowhere in a very long PATH, which takes hull a while to explain.
fail_slowly() {
	config '.process.args = ["missing"] | .process.env = ["PATH=" + ([range(3000) | "/p\(.)"] | join(":"))]'
}

@test "R-073: what explains a failed exec shows nothing of hull in a joined user namespace" {
	unshare --user --map-root-user sleep 60 </dev/null >/dev/null 2>&1 3>&- &
	HELPER=$! OTHER_PID=$!
	wait_for grep -qx sleep "/proc/$OTHER_PID/comm"
	join user
	config 'del(.hostname)'
	fail_slowly
	# With all rights in there: may it look at any process that came later?
	timeout 60 nsenter -t "$OTHER_PID" -U perl -e '
		$| = 1;
		my $looked;
		while (1) {
			for my $p (grep { $_ > $$ } map { m{(\d+)$} } glob "/proc/[0-9]*") {
				my $f;
				next if !readlink "/proc/$p/ns/user";
				print "open: ", scalar <$f> if open $f, "<", "/proc/$p/comm";
			}
			print "looked\n" if !$looked++;
		}' >"$T/found" 2>&1 </dev/null 3>&- &
	SPY=$!
	wait_for grep -q looked "$T/found"
	for _ in {1..8}; do
		capture timeout -s KILL 20 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
		expect_error 'executable file not found'
	done
	kill "$SPY"
	wait "$SPY" || true
	SPY=
	[[ $(<"$T/found") == looked ]] || report "$(sort "$T/found" | uniq -c)"
	kill -KILL "$HELPER"
	assert_clean
}

@test "a stopped helper that explains a failed exec does not hold up hull" {
	local n
	as_root
	fail_slowly
	for ((n = 0; n < 20; n++)); do
		# It is there when the container has ended, and not yet been reaped.
		capture timeout -s KILL 30 perl -e '
			my $pid = fork // die;
			exec @ARGV if !$pid;
			my $stopped;
			while (waitpid($pid, 1) == 0) {
				open my $f, "<", "/proc/$pid/task/$pid/children" or next;
				my @children = split " ", <$f> // "";
				next if $stopped || @children != 2;
				my @stats = map { my $s; open($s, "<", "/proc/$_/stat") ? scalar <$s> : "" } @children;
				# Not the stage, which ends while the container is made.
				next if $stats[0] !~ /\(hull:init\) Z / || $stats[1] =~ /\) Z /;
				kill STOP => $stopped = $children[1];
			}
			print "stopped\n" if $stopped;
			exit $? >> 8' "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
		expect_error 'executable file not found'
		[[ $output != *stopped* ]] || break
	done
	[[ $output == *stopped* ]] || report "the helper was never found"
	assert_clean
}

@test "root: flags of the host stay locked in a joined user namespace, too" {
	as_root
	make_source
	start_other
	join user
	add_mount '{"destination": "/data", "source": "'"$SOURCE"'", "options": ["rbind"]}'
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	script 'mount -o remount,bind,rw /data 2>&1 | grep -c "not permitted\|denied"'
	hull_run
	expect 0 1
	stop_other timeout 30 "$HULL" --root "$STATE"
	umount "$SOURCE"
	host_mounts >"$T/mountinfo"
	assert_clean
}

@test "user: all namespaces of another container are joined, its user namespace first" {
	as_user
	start_user_other
	join user network ipc uts pid
	config 'del(.hostname)'
	script 'for n in user net ipc uts; do readlink /proc/self/ns/$n; done
		id -u; cat /proc/1/comm; echo x >/dev/null && echo ok'
	user_run
	expect 0 "$(cd "/proc/$OTHER_PID/ns" && readlink user net ipc uts)"$'\n0\nsleep\nok'
	join user
	config '.linux.uidMappings[0].hostID = 1'
	user_run
	expect_error 'not those of the user namespace'
	stop_other user_do timeout 30 "$T/hull"
	assert_user_clean
}

@test "user: a namespace of somebody else cannot be joined" {
	as_user
	config '.linux.namespaces |= map(if .type == "network" then .path = "/proc/1/ns/net" else . end)'
	user_run
	expect_error 'permission|cannot (open|join) the network namespace'
	assert_user_clean
}

# ---- hull itself in a user namespace, as below podman ------------------------------------------------

@test "nested: root of a user namespace starts containers without and with another one" {
	as_user
	config '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	script 'id -u; cat /proc/self/uid_map; echo x >/dev/null && echo ok; touch /x && echo made'
	capture user_do unshare --user --map-root-user --mount timeout 60 "$T/hull" run -b "$BUNDLE" "$ID"
	expect 0
	[[ $(tr -s ' ' <<<"$output") == $'0\n 0 54321 1\nok\nmade' ]] || report "inside"
	config '.linux.namespaces += [{type: "user"}] | .linux.gidMappings =
		[{containerID: 0, hostID: 0, size: 1}] | .linux.uidMappings = .linux.gidMappings'
	capture user_do unshare --user --map-root-user --mount timeout 60 "$T/hull" run -b "$BUNDLE" "$ID"
	expect 0
	[[ $(tr -s ' ' <<<"$output") == $'0\n 0 0 1\nok\nmade' ]] || report "inside"
	assert_user_clean
}

@test "spec --rootless: the template starts for the user who wrote it" {
	as_user
	rm "$BUNDLE/config.json"
	capture user_do "$T/hull" spec --rootless -b "$BUNDLE"
	expect 0
	config '.process.args = ["/bin/sh", "-c", "id -u; cat /proc/self/uid_map; touch /x || echo ro"]'
	user_run
	expect 0
	[[ $(tr -s ' ' <<<"$output") == $'0\n 0 54321 1\nro' ]] || report "inside"
	assert_user_clean
}

# ---- create and start ----

# user_hull COMMAND...: nothing else than the command may be said.
user_hull() {
	capture user_do timeout 30 "$T/hull" "$@" 3>&-
}

# is_gone PID: dead, although who inherits it may take a moment to reap it.
is_gone() {
	local state
	state=$(ps -o stat= -p "$1") || return 0
	[[ -z $state || $state == Z* ]]
}

@test "user: create, start and delete, and the hooks of a start" {
	as_user
	printf '#!/bin/sh\ncat >/dev/null\necho inner >/log\n' >"$BUNDLE/rootfs/inner"
	chmod +x "$BUNDLE/rootfs/inner"
	config '.hooks.startContainer = [{"path": "/inner", "env": ["PATH=/bin"]}] |
		.hooks.poststart = [{"path": "/bin/sh", "args": ["sh", "-c", "echo outer >'"$T"'/run/log"]}]'
	script 'cat /log; id -u; exec sleep 60'
	user_hull create --pid-file "$T/run/pid" -b "$BUNDLE" "$ID"
	expect 0 ""
	[[ ! -s $T/stderr ]]
	user_hull state "$ID"
	[[ $(jq -r .status <<<"$output") == created ]] || report "created expected"
	user_do timeout 30 "$T/hull" start "$ID" >"$T/start.stdout" 2>&1 3>&- || fail "$(<"$T/start.stdout")"
	[[ $(<"$T/run/log") == outer ]]
	user_hull state "$ID"
	[[ $(jq -r .status <<<"$output") == running ]] || report "running expected"
	user_hull delete --force "$ID"
	expect 0 ""
	wait_for is_gone "$(<"$T/run/pid")" || fail "its process is left"
	assert_user_clean
}

@test "user: a program that cannot be executed after all fails start, with its place" {
	as_user
	printf '#!/no/such/shell\n' >"$BUNDLE/rootfs/script"
	chmod +x "$BUNDLE/rootfs/script"
	program /script
	user_hull create -b "$BUNDLE" "$ID"
	expect 0 ""
	user_hull start "$ID"
	expect 1 ""
	expect_error "/script.*no such file or directory"
	expect_error 'config.json:[0-9]+:[0-9]+ +process.args'
	user_hull delete "$ID"
	expect 0
	assert_user_clean
}

# ---- exec ---------------------------------------------------------------------------------------

# user_start: as hull_start, but by the user.
user_start() {
	rm -f "$T/run/pid" # of the one before
	user_do "$T/hull" run --pid-file "$T/run/pid" -b "$BUNDLE" "$ID" \
		>"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -s "$T/run/pid" || fail "not started: $(<"$T/stderr")"
	PID=$(<"$T/run/pid")
	wait_for has_executed "$PID" || fail "not running: $(<"$T/stderr")"
}

user_is_running() {
	[[ $(user_do "$T/hull" state "$ID" 2>/dev/null | jq -r .status) == running ]]
}

user_exec() {
	capture user_do timeout -s KILL 20 "$T/hull" exec "$@"
}

user_stop() {
	capture user_do timeout 30 "$T/hull" delete --force "$ID"
	expect 0
	hull_wait
	assert_user_clean
}

@test "rootless: exec enters the container of the same user" {
	as_user
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 99}] | .process.oomScoreAdj = 400'
	program /bin/sleep 60
	user_start
	# shellcheck disable=SC2016 # for the inside
	user_exec "$ID" /bin/sh -c 'for n in user mnt uts ipc net pid cgroup; do
			[ "$(readlink /proc/1/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] || echo "other $n"
		done; id -u; id -g; ulimit -n; cat /proc/self/oom_score_adj
		for s in CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs; do
			[ "$(grep $s /proc/1/status)" = "$(grep $s /proc/self/status)" ] || echo "other $s"; done; exit 5'
	expect 5 $'0\n0\n77\n400'
	user_exec -d --pid-file "$T/run/exec.pid" "$ID" /bin/sleep 50
	expect 0 ""
	[[ $(readlink "/proc/$(<"$T/run/exec.pid")/ns/user") == "$(readlink "/proc/$PID/ns/user")" ]]
	user_exec "$ID" /no/such
	expect 255
	expect_error 'exec: "/no/such": stat /no/such: no such file or directory'
	user_exec -u 7 "$ID" id
	expect_error "user 7 does not exist in the container's user namespace"
	user_exec -g 7 "$ID" id
	expect_error "additional groups cannot be set"
	user_stop
}

@test "rootless: exec beside hull's own process 1, which hides" {
	as_user
	program /bin/sleep 60
	user_do "$T/hull" run --init --pid-file "$T/run/pid" -b "$BUNDLE" "$ID" \
		>"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for user_is_running || fail "not running: $(<"$T/stderr")"
	# shellcheck disable=SC2016 # for the inside
	user_exec "$ID" /bin/sh -c 'readlink /proc/self/ns/user; id -u; head -n 1 /proc/1/status'
	expect 0
	[[ $output == $'user:['*$']\n0\nName:\thull:pid1' ]] || report "inside expected"
	[[ ${lines[0]} != "$(readlink /proc/self/ns/user)" ]] || report "not inside"
	user_exec -d --pid-file "$T/run/exec.pid" "$ID" /bin/sleep 50
	expect 0 ""
	user_stop
}

@test "rootless: exec with a terminal" {
	as_user
	program /bin/sleep 60
	user_start
	capture user_do timeout 60 "$(dirname "$HULL")/tests/pty" -- "$T/hull" exec -t "$ID" \
		/bin/sh -c 'tty; test -t 0 && echo yes' 3>&-
	expect 0 $'/dev/pts/0\r\nyes\r'
	user_stop
}

@test "rootless: exec by another user is refused" {
	as_user
	program /bin/sleep 60
	user_start
	chmod 755 "$T/run" "$T/run/hull" "$T/run/hull/$ID"
	chmod 644 "$T/run/hull/$ID"/*.json
	capture setpriv --reuid 54322 --regid 54322 --clear-groups \
		timeout 20 "$T/hull" --root "$T/run/hull" exec "$ID" id
	expect 255
	expect_error "belongs to user"
	user_stop
}

@test "rootless: exec by root enters the same" {
	as_user
	program /bin/sleep 60
	user_start
	capture timeout 20 "$T/hull" --root "$T/run/hull" exec "$ID" id
	expect 255
	expect_error "belongs to user"
	user_stop
}

@test "root: exec beside a joined user namespace" {
	as_root
	start_other
	join user network ipc uts pid
	config 'del(.hostname)'
	program /bin/sleep 60
	hull_start
	capture timeout 20 "$HULL" --root "$STATE" exec "$ID" /bin/sh -c \
		'for n in user net ipc uts pid mnt; do readlink /proc/self/ns/$n; done; id -u'
	expect 0 "$(cd "/proc/$PID/ns" && readlink user net ipc uts pid mnt)"$'\n0'
	kill -KILL "$PID"
	hull_wait
	stop_other timeout 30 "$HULL" --root "$STATE"
	assert_clean
}
