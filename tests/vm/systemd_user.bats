#!/usr/bin/env bats
# The systemd driver without root: scopes of a user's own systemd, which the system's gives a part of
# the cgroup tree. Run by `run -s`.

# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test has variables of its own; ../lib.bash uses them
load lib

USER_ID=54321
RUNTIME=/run/user/$USER_ID
MANAGER=vm-user.service

# The user's systemd, with a bus and nothing else, for all tests of this file.
setup_file() {
	local unit
	[[ -e /dev/vm-out && $(</proc/1/comm) == systemd ]] || return 0
	grep -q "^vmuser:" /etc/passwd || echo "vmuser:x:$USER_ID:$USER_ID::/:/bin/sh" >>/etc/passwd
	for unit in dbus.socket dbus.service; do
		mkdir -p "/run/systemd/user/$unit.d"
		printf '[Unit]\nDefaultDependencies=no\n' >"/run/systemd/user/$unit.d/vm.conf"
	done
	mkdir -p "$RUNTIME"
	chown "$USER_ID:$USER_ID" "$RUNTIME"
	chmod 700 "$RUNTIME"
	timeout 100 systemd-run --quiet --unit="$MANAGER" -p DefaultDependencies=no -p Type=notify \
		-p User="$USER_ID" -p Delegate=yes -E XDG_RUNTIME_DIR="$RUNTIME" \
		/lib/systemd/systemd --user --unit=dbus.socket >/dev/null 2>&1 </dev/null 3>&-
}

teardown_file() {
	[[ ! -d $RUNTIME ]] || timeout 60 systemctl stop "$MANAGER" 2>/dev/null || true
}

setup() {
	guest_setup
	[[ $(</proc/1/comm) == systemd ]] || skip "process 1 is not systemd: ./tests/vm/run -s"
	[[ -S $RUNTIME/bus ]] || fail "the user's systemd has no bus"
	UNIT=test-$ID.scope
	HOME_CGROUP=$CGROUPS/system.slice/$MANAGER
	CGROUP=$HOME_CGROUP/vm.slice/$UNIT
	config --argjson id "$USER_ID" --arg path "vm.slice:test:$ID" '.linux.cgroupsPath = $path
		| .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: $id, size: 1}]
		| .linux.gidMappings = .linux.uidMappings'
	cp "$HULL" "$T/hull"
	chown -hR "$USER_ID:$USER_ID" "$T"
	chmod 755 "$T"
}

teardown() { hull_teardown; }

# as_user COMMAND...
as_user() {
	timeout 90 setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
		env -i PATH="$PATH" XDG_RUNTIME_DIR="$RUNTIME" \
		DBUS_SESSION_BUS_ADDRESS="unix:path=$RUNTIME/bus" "$@"
}

# in_session COMMAND...: by the user, in a scope of his systemd, as terminals of a desktop are.
in_session() {
	as_user systemd-run --user --scope --quiet "$@"
}

no_unit() {
	local left
	left=$(as_user systemctl --user list-units --all --no-legend --plain "$UNIT")
	[[ -z $left ]] || fail "the unit is left: $left"
	assert_clean
}

@test "systemd, user: a scope with limits, which update changes and delete ends" {
	resources '{"pids": {"limit": 21}, "memory": {"limit": 33554432}, "cpu": {"shares": 512}}'
	program /bin/sleep 1000
	capture in_session "$T/hull" --root "$STATE" --systemd-cgroup run --detach -b "$BUNDLE" "$ID"
	expect 0
	[[ $(<"$CGROUP/pids.max") == 21 ]] || fail "pids.max: $(<"$CGROUP/pids.max")"
	[[ $(<"$CGROUP/memory.max") == 33554432 ]] || fail "memory.max: $(<"$CGROUP/memory.max")"
	capture as_user systemctl --user show "$UNIT"
	expect_line TasksMax=21
	expect_line MemoryMax=33554432
	expect_line CPUWeight=20
	capture as_user "$T/hull" --root "$STATE" update --memory 67108864 "$ID"
	expect 0
	[[ $(<"$CGROUP/memory.max") == 67108864 ]] || fail "memory.max: $(<"$CGROUP/memory.max")"
	capture as_user systemctl --user show "$UNIT"
	expect_line MemoryMax=67108864
	capture as_user "$T/hull" --root "$STATE" state "$ID"
	[[ $(jq -c '[.hull.systemdUnit, .hull.systemdUser]' <<<"$output") == "[\"$UNIT\",true]" ]] ||
		report "the state does not say so"
	capture as_user "$T/hull" --root "$STATE" delete --force "$ID"
	expect 0
	no_unit
}

@test "systemd, user: without cgroupsPath the scope is below user.slice" {
	config 'del(.linux.cgroupsPath)'
	UNIT=hull-$ID.scope
	CGROUP=$HOME_CGROUP/user.slice/$UNIT
	program /bin/cat /proc/self/cgroup
	capture in_session "$T/hull" --root "$STATE" --systemd-cgroup plan -b "$BUNDLE" "$ID"
	expect_match "^cgroup +${CGROUP#"$CGROUPS"}\$"
	capture in_session "$T/hull" --root "$STATE" --systemd-cgroup run -b "$BUNDLE" "$ID"
	expect 0
	expect_line "0::/"
	no_unit
}

# As from a terminal or by ssh: the session's scope is one of the system's, which this user may not
# move a process out of. So his systemd does, with the system's help.
@test "systemd, user: from the session of a login the container is moved into its scope" {
	[[ $(</proc/self/cgroup) != *"$MANAGER"* ]] || fail "the test is in the user's own cgroup"
	resources '{"pids": {"limit": 1}, "memory": {"limit": 33554432}}'
	script 'read -r n </sys/fs/cgroup/pids.max; echo "pids.max $n"
		read -r n </sys/fs/cgroup/memory.max; echo "memory.max $n"
		while read -r line; do echo "$line"; done </proc/self/cgroup
		while read -r line; do echo "in $line"; done </sys/fs/cgroup/cgroup.procs'
	capture as_user "$T/hull" --root "$STATE" --systemd-cgroup run -b "$BUNDLE" "$ID"
	expect 0
	expect_value pids.max 1
	expect_value memory.max 33554432
	expect_line "0::/"
	expect_line "in 1"
	no_unit
}

@test "systemd, user: create, start, exec and events from the session of a login" {
	program /bin/sleep 1000
	capture as_user "$T/hull" --root "$STATE" --systemd-cgroup create -b "$BUNDLE" "$ID"
	expect 0
	[[ -n $(<"$CGROUP/cgroup.procs") ]] || fail "the container is not in its scope"
	capture as_user "$T/hull" --root "$STATE" start "$ID"
	expect 0
	capture as_user "$T/hull" --root "$STATE" exec "$ID" cat /proc/self/cgroup
	expect 0 "0::/"
	capture as_user "$T/hull" --root "$STATE" events --stats "$ID"
	expect 0
	jq -e '.data.pids.current == 1 and .data.memory.usage.usage > 0' "$T/stdout" >/dev/null ||
		report "no statistics"
	capture as_user "$T/hull" --root "$STATE" delete --force "$ID"
	expect 0
	no_unit
}

# A cgroup with controllers enabled below it takes no process: it is that of a container which manages
# its own, as one with systemd in it does.
@test "systemd, user: exec from the session of a login goes where the first process has gone" {
	config '(.mounts[] | select(.type == "cgroup")).options -= ["ro"]'
	resources '{"pids": {"limit": 50}, "memory": {"limit": 67108864}}'
	script 'cd /sys/fs/cgroup && mkdir first other && echo 1 >first/cgroup.procs &&
		echo "+memory +pids" >cgroup.subtree_control && : >/tmp/moved; exec sleep 1000'
	capture as_user "$T/hull" --root "$STATE" --systemd-cgroup run --detach -b "$BUNDLE" "$ID"
	expect 0
	wait_for test -e "$BUNDLE/rootfs/tmp/moved" || fail "$(ls -R "$CGROUP")"
	capture as_user "$T/hull" --root "$STATE" exec "$ID" cat /proc/self/cgroup
	expect 0 "0::/first"
	capture as_user "$T/hull" --root "$STATE" exec --cgroup /other "$ID" cat /proc/self/cgroup
	expect 0 "0::/other"
	# Nowhere else than where it was told to.
	capture as_user "$T/hull" --root "$STATE" exec --cgroup / "$ID" true
	expect 255
	expect_error "cannot take the container's process into"
	capture as_user "$T/hull" --root "$STATE" delete --force "$ID"
	expect 0
	no_unit
}

@test "systemd, user: a start that ends in the middle leaves no unit" {
	program /bin/not-there
	capture as_user "$T/hull" --root "$STATE" --systemd-cgroup run -b "$BUNDLE" "$ID"
	expect_error "not-there"
	no_unit
}
