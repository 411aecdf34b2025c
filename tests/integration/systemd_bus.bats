#!/usr/bin/env bats
# The systemd driver and a systemd that is hostile, slow or gone: one of the tests' own (systemd.py)
# is on a bus of its own, and makes cgroups as the real one does. That one: ../vm/systemd.bats.
# shellcheck disable=SC2154 # of lib.bash

load ../lib

setup() {
	hull_setup
	need_root
	[[ -e $(ldconfig -p | sed -n 's/.*libsystemd.so.0 .*=> //p' | head -n 1) ]] ||
		skip "this machine has no libsystemd"
	SLICE=hulltest${ID//-/}.slice
	UNIT=hull-$ID.scope
	SCOPE=$CGROUPS/$SLICE/$UNIT
	config --arg path "$SLICE:hull:$ID" '.linux.cgroupsPath = $path'
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/bus
}

teardown() {
	end_bus
	[[ -z ${SCOPE:-} ]] || remove_cgroup "$SCOPE"
	[[ ! -d $CGROUPS/$SLICE ]] || rmdir "$CGROUPS/$SLICE"
	hull_teardown
}

# bus WAY...: that systemd.
bus() {
	end_bus
	rm -f "$T/bus" "$T/calls"
	timeout 120 python3 "$TOP/tests/integration/systemd.py" "$T/bus" "$CGROUPS" "$T/calls" "$@" \
		>"$T/bus.out" 2>&1 </dev/null 3>&- &
	BUS=$!
	wait_for test -S "$T/bus"
}

end_bus() {
	[[ -n ${BUS:-} ]] || return 0
	kill "$BUS" 2>/dev/null || true
	wait "$BUS" 2>/dev/null || true
	BUS=
}

H() {
	capture timeout 60 "$HULL" --root "$STATE" --systemd-cgroup "$@"
}

not_asked() {
	! grep -q "^$1" "$T/calls" || fail "systemd was asked: $(grep "^$1" "$T/calls")"
}

start_container() {
	script 'trap "exit 0" TERM; while :; do sleep 0.1; done'
	H run --detach -b "$BUNDLE" "$ID"
	expect 0
}

@test "systemd: a container runs in its scope, and both go" {
	bus
	script 'grep -o "hulltest.*" /proc/self/cgroup'
	config 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	H run -b "$BUNDLE" "$ID"
	expect 0 "$SLICE/$UNIT"
	grep -q "^StopUnit $UNIT" "$T/calls" || fail "$(<"$T/calls")"
	[[ ! -d $SCOPE ]] || fail "its cgroup is left"
	assert_clean
}

@test "systemd: a unit of that name that runs in another slice is refused, and stays" {
	bus "/other.slice/$UNIT"
	H run -b "$BUNDLE" "$ID"
	expect 1 ""
	expect_error "systemd has a unit '$UNIT' already"
	expect_error '^  hint .*choose another cgroupsPath'
	not_asked StopUnit
	assert_clean
}

@test "systemd: a signal ends the wait for one that does not answer" {
	bus mute
	timeout 60 "$HULL" --root "$STATE" --systemd-cgroup run -b "$BUNDLE" "$ID" \
		>"$T/out" 2>&1 </dev/null 3>&- &
	HULL_PID=$!
	wait_for grep -q StartTransientUnit "$T/calls"
	local began=$SECONDS
	kill -TERM "$(pgrep -P "$HULL_PID")"
	! wait "$HULL_PID" || fail "it has run: $(<"$T/out")"
	((SECONDS - began < 20)) || fail "it took $((SECONDS - began)) s"
	grep -q 'the start was given up on SIGTERM' "$T/out" || fail "$(<"$T/out")"
	assert_clean
}

@test "systemd: a container whose scope has ended is deleted without a bus" {
	bus
	start_container
	end_bus
	echo 1 >"$SCOPE/cgroup.kill"
	wait_for rmdir "$SCOPE"
	H delete "$ID"
	expect 0 ""
	assert_clean
}

@test "systemd: without a bus, what cannot be stopped keeps its state" {
	bus
	start_container
	end_bus
	H delete --force "$ID"
	expect 1 ""
	expect_error 'cannot reach systemd over D-Bus'
	[[ -d $STATE/$ID ]] || fail "nothing leads to the unit any more"
	bus "/$SLICE/$UNIT"
	H delete --force "$ID"
	expect 0 ""
	[[ ! -d $SCOPE ]] || fail "its cgroup is left"
	assert_clean
}

@test "systemd: the unit of another one that has the name by now is not stopped" {
	bus
	start_container
	bus "/other.slice/$UNIT"
	H delete --force "$ID"
	expect 0 ""
	not_asked StopUnit
	[[ ! -d $SCOPE ]] || fail "its cgroup is left"
	assert_clean
}

@test "systemd: update that systemd refuses changes nothing" {
	bus refuse
	config '.linux.resources = {devices: [{"allow": false, "access": "rwm"}],
		unified: {"cgroup.max.descendants": "5"}}
		| .linux.devices = [{"path": "/dev/kmsg9", "type": "c", "major": 1, "minor": 11}]'
	start_container
	echo '{"unified": {"cgroup.max.descendants": "7"}, "devices": [{"allow": true}]}' >"$T/new"
	H update --resources "$T/new" "$ID"
	expect 1 ""
	expect_error "systemd cannot change the unit '$UNIT'"
	[[ $(<"$SCOPE/cgroup.max.descendants") == 5 ]] || fail "$(<"$SCOPE/cgroup.max.descendants")"
	H exec "$ID" sh -c ': </dev/kmsg9'
	expect_error 'not permitted'
	# The control: it is systemd alone that stood in the way.
	bus "/$SLICE/$UNIT"
	H update --resources "$T/new" "$ID"
	expect 0 ""
	[[ $(<"$SCOPE/cgroup.max.descendants") == 7 ]]
	H delete --force "$ID"
	assert_clean
}
