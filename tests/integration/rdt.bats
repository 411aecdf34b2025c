#!/usr/bin/env bats
# linux.intelRdt on a machine without resctrl: it is asked for, and so it is an error. The rest is
# tested on a tree of plain files (../unit/test_resctrl.c), since few machines have the real one.

load ../lib

setup() {
	need_root
	hull_setup
	! mountpoint -q /sys/fs/resctrl || skip "this machine has resctrl"
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] ||
		timeout 30 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

# refused: with place and hint, and nothing is left.
refused() {
	expect 1 ""
	expect_error "there is no resctrl at '/sys/fs/resctrl'"
	expect_error 'config.json:[0-9]+:[0-9]+  linux.intelRdt'
	expect_error 'hint .*mount -t resctrl'
	assert_clean
	[[ ! -e /sys/fs/resctrl/$ID ]] || fail "a class of service is left"
}

@test "S-186: without resctrl it is an error, whatever is asked for, and nothing is left" {
	local object
	for object in '{}' '{closID: "/"}' '{closID: "gold", schemata: ["L3:0=f"]}' \
		'{enableMonitoring: true}'; do
		config ".linux.intelRdt = $object"
		hull_run
		refused
	done
}

@test "S-186: create, too, leaves nothing" {
	config '.linux.intelRdt = {memBwSchema: "MB:0=50"}'
	capture timeout 30 "$HULL" --root "$STATE" create -b "$BUNDLE" "$ID" 3>&-
	refused
}

# Another file system in its place is not taken for it.
@test "S-186: what is not resctrl is left alone" {
	[[ -d /sys/fs/resctrl ]] || skip "this kernel has no place for it"
	config '.linux.intelRdt = {memBwSchema: "MB:0=50"}'
	capture timeout 60 unshare -m bash -c 'mount -t tmpfs none /sys/fs/resctrl &&
		"$0" --root "$1" run -b "$2" "$3"; status=$?
		[[ -z $(ls -A /sys/fs/resctrl) ]] || echo "something was made"; exit $status' \
		"$HULL" "$STATE" "$BUNDLE" "$ID"
	refused
}

@test "delete --force of a start that was cut short does not need resctrl, either" {
	mkdir -p "$STATE/$ID"
	chmod 700 "$STATE" "$STATE/$ID"
	jq -n --arg id "$ID" '{version: 1, ociVersion: "1.3.0", id: $id, pid: 0, status: "creating",
		bundle: "/b", rootfs: "/r", created: "2026-01-01T00:00:00Z", owner: "",
		hull: {uid: 0, rdtClass: $id, rdtOwned: true, rdtMonitored: true}}' \
		>"$STATE/$ID/state.json"
	capture timeout 30 "$HULL" --root "$STATE" state "$ID"
	expect 0
	[[ $(jq -r .hull.rdtClass "$T/stdout") == "$ID" ]] || report "its class of service"
	capture timeout 30 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	assert_clean
}

# as_class JSON: the state of the running container says this of its class of service.
as_class() {
	jq -c ".hull += $1" "$STATE/$ID/state.json" >"$T/state.json"
	cp "$T/state.json" "$STATE/$ID/state.json"
}

@test "update: schemata are for a class of service of the container's own, and nothing else is changed" {
	local before
	program /bin/sleep 600
	hull_start
	# Where no limit of a controller was set there may be no file of one.
	all_limits() { cat "$CGROUP"/cgroup.max.* "$CGROUP"/*.max 2>/dev/null || true; }
	before=$(all_limits)
	# refused_update REGEX: whatever else the update would do.
	refused_update() {
		capture timeout 30 "$HULL" --root "$STATE" update --l3-cache-schema 'L3:0=f' \
			--mem-bw-schema 'MB:0=50' --pids-limit 77 "$ID"
		expect 1 ""
		expect_error "$1"
		[[ $(all_limits) == "$before" ]] ||
			report "a limit was changed"
	}
	refused_update "container '$ID' has no class of service"
	as_class '{rdtClass: "gold", rdtOwned: false}'
	refused_update "the class of service 'gold' is not the container's own"
	as_class "{rdtClass: \"$ID\", rdtOwned: true}"
	refused_update "there is no resctrl at '/sys/fs/resctrl'"
	# Beside a file of limits, too, as with runc.
	capture timeout 30 "$HULL" --root "$STATE" update --mem-bw-schema 'MB:0=50' --resources - "$ID" </dev/null
	expect_error .
	timeout 30 "$HULL" --root "$STATE" delete --force "$ID"
	hull_wait
	assert_clean
}
