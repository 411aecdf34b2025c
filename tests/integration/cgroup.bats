#!/usr/bin/env bats
# What hull leaves of cgroups: all that it made goes, also the parents; what existed before stays,
# with whoever is in it, and without hull's device programs.
# shellcheck disable=SC2030,SC2031 # each test is a process of its own, and means its own variables

load ../lib

setup() {
	need_root
	hull_setup
	# Its own tree, not hull-test, which other tests use at the same time.
	OWN=hull-own-$ID
	# shellcheck disable=SC2153 # the mount, known from hull_setup
	CGROUP=$CGROUPS/$OWN/x/y
	config --arg path "/$OWN/x/y" '.linux.cgroupsPath = $path'
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	[[ -z ${STRANGER:-} ]] || kill -KILL "$STRANGER" 2>/dev/null || true
	remove_cgroup "$CGROUPS/${OWN:-hull-own-none}"
	for second in "$ID-second" "$ID-third"; do
		[[ ! -e ${STATE:-/none}/$second ]] ||
			timeout 30 "$HULL" --root "$STATE" delete --force "$second" >/dev/null 2>&1 3>&- || true
	done
	hull_teardown
}

# stranger PATH: somebody else's process, $STRANGER, in that cgroup.
stranger() {
	mkdir -p "$CGROUPS$1"
	/bin/sleep 300 3>&- &
	STRANGER=$!
	echo "$STRANGER" >"$CGROUPS$1/cgroup.procs"
}

stranger_lives() {
	[[ $(awk '{ print $3 }' "/proc/$STRANGER/stat" 2>/dev/null) == [SR] ]]
}

# state_of STATUS CGROUP KEPT [PID]: what a hull that was killed has written.
state_of() {
	mkdir -p "$STATE" && chmod 0700 "$STATE"
	mkdir "$STATE/$ID"
	jq -n --arg id "$ID" --arg status "$1" --arg cgroup "$2" --arg kept "$3" \
		--argjson pid "${4:-0}" --arg boot "$(</proc/sys/kernel/random/boot_id)" \
		'{ version: 1, id: $id, status: $status, pid: $pid, bundle: "/", created: "x",
		   hull: { cgroup: $cgroup, cgroupKept: $kept, bootId: $boot, pidStart: 1 } }' \
		>"$STATE/$ID/state.json"
}

@test "nothing is started below the cgroup of a container" {
	program /bin/sleep 60
	hull_start
	config --arg path "/$OWN/x/y/below/own" '.linux.cgroupsPath = $path'
	capture timeout 20 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID-2"
	expect_error "cannot use cgroup '/$OWN/x/y/below/own': it is below the cgroup of a container"
	[[ ! -e $CGROUP/below ]] || fail "it was made"
	capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	hull_wait
	assert_clean
}

# ---- containers that hull has left: no lock tells of them, but their states do ----

# leave ID [OPTION...]: run --detach; $PID is its process.
leave() {
	local id=$1
	shift
	capture timeout 20 "$HULL" --root "$STATE" run --detach --pid-file "$T/pid" "$@" \
		-b "$BUNDLE" "$id" 3>&-
	[[ $status != 0 ]] || PID=$(<"$T/pid")
}

# left ID [OPTION...]: the same, which must succeed.
left() {
	leave "$@"
	expect 0
}

bounded() {
	capture timeout 20 "$HULL" --root "$STATE" "$@" 3>&-
}

is_stopped() {
	[[ $(timeout 20 "$HULL" --root "$STATE" state "$1" 3>&- | jq -r .status) == stopped ]]
}

# left_and_ended ID: its hull has gone, its process too, and its state is left.
left_and_ended() {
	script 'exit 0'
	left "$1"
	wait_for is_stopped "$1"
}

# lives PID: it is no zombie either.
lives() {
	sleep 0.2
	[[ $(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null) == [SR] ]] || fail "process $1 was killed"
}

@test "delete and kill --all leave the later container in a cgroup that existed before alone" {
	mkdir -p "$CGROUP"
	left_and_ended "$ID"
	program /bin/sleep 60
	left "$ID-second"
	bounded kill --all "$ID" KILL
	expect 0
	lives "$PID"
	bounded delete "$ID"
	expect 0
	[[ ! -e $STATE/$ID ]]
	lives "$PID"
	bounded delete --force "$ID-second"
	expect 0
	[[ -d $CGROUP ]] && empty "$CGROUP"
	assert_stays_clean
}

@test "the same of a cgroup that the first of them has made" {
	left_and_ended "$ID"
	[[ -d $CGROUP ]]
	program /bin/sleep 60
	left "$ID-second"
	bounded kill --all "$ID" KILL
	expect 0
	lives "$PID"
	bounded delete --force "$ID"
	expect 0
	[[ ! -e $STATE/$ID && -d $CGROUP ]]
	lives "$PID"
	bounded delete --force "$ID-second"
	expect 0
	assert_stays_clean
}

@test "the same of a later container below the cgroup, and above it" {
	mkdir -p "$CGROUP"
	left_and_ended "$ID"
	program /bin/sleep 60
	config --arg path "/$OWN/x/y/below" '.linux.cgroupsPath = $path'
	left "$ID-second"
	bounded delete "$ID"
	expect 0
	[[ ! -e $STATE/$ID ]]
	lives "$PID"
	bounded delete --force "$ID-second"
	expect 0
	[[ -d $CGROUP && ! -e $CGROUP/below ]]
	# Above: what lies below is the later container's, whoever has made it.
	config --arg path "/$OWN/x/y/below" '.linux.cgroupsPath = $path'
	left_and_ended "$ID"
	config --arg path "/$OWN/x/y" '.linux.cgroupsPath = $path'
	program /bin/sleep 60
	left "$ID-second"
	stranger "/$OWN/x/y/below"
	bounded delete "$ID"
	expect 0
	lives "$PID"
	stranger_lives
	bounded delete --force "$ID-second"
	expect 0
	assert_stays_clean
}

@test "what the first has left in its cgroup is killed, if no other container is there" {
	local rest
	config '.linux.namespaces |= map(select(.type != "pid"))'
	script 'sleep 300 >/dev/null 2>&1 & exit 0'
	mkdir -p "$CGROUP"
	left "$ID"
	wait_for is_stopped "$ID"
	rest=$(<"$CGROUP/cgroup.procs")
	[[ -n $rest ]]
	# One elsewhere, whose path begins with the same letters, does not count.
	config --arg path "/$OWN/x/yy" '.linux.cgroupsPath = $path'
	program /bin/sleep 60
	left "$ID-second"
	bounded delete "$ID"
	expect 0
	empty "$CGROUP"
	lives "$PID"
}

@test "delete leaves the device program of the later container attached" {
	mkdir -p "$CGROUP"
	need_device_programs
	left_and_ended "$ID"
	script 'while [ ! -e /go ]; do sleep 0.1; done; echo x 2>/dev/null >/dev/zero && echo written || echo refused'
	left "$ID-second"
	cp "$T/pid" "$T/second"
	timeout 20 "$HULL" --root "$STATE" delete "$ID" 3>&-
	touch "$BUNDLE/rootfs/go"
	wait_for grep -qE 'refused|written' "$T/stdout" || fail "it was killed"
	[[ $(<"$T/stdout") == refused ]]
}

@test "nothing is started in or below the cgroup of a container that hull has left" {
	local first
	program /bin/sleep 60
	left "$ID"
	first=$PID
	leave "$ID-second"
	expect_error "cannot use cgroup '/$OWN/x/y'"
	config --arg path "/$OWN/x/y/below/own" '.linux.cgroupsPath = $path'
	leave "$ID-second"
	expect_error "cannot use cgroup '/$OWN/x/y/below/own': it is the cgroup of container '$ID', or below it"
	bounded create -b "$BUNDLE" "$ID-third"
	expect_error "container '$ID', or below it"
	[[ ! -e $CGROUP/below && ! -e $STATE/$ID-second && ! -e $STATE/$ID-third ]]
	lives "$first"
	# Beside it is another matter.
	config --arg path "/$OWN/x/y-below/own" '.linux.cgroupsPath = $path'
	left "$ID-second"
	bounded delete --force "$ID"
	expect 0
	config --arg path "/$OWN/x/y/below/own" '.linux.cgroupsPath = $path'
	left "$ID-third"
}

# reads_state False|True STATUS ARG...: `hull ARG...` ends so, and has opened the state of $ID or not.
reads_state() {
	capture python3 "$BATS_TEST_DIRNAME/opens.py" "$STATE/$ID" "$HULL" --root "$STATE" "${@:3}"
	expect 0 "$2 $1"
}

@test "the states of containers in other cgroups are not read by start and delete" {
	program /bin/sleep 60
	left "$ID"
	config --arg path "/$OWN/x/z" '.linux.cgroupsPath = $path'
	reads_state False 0 run --detach -b "$BUNDLE" "$ID-second"
	reads_state False 0 kill "$ID-second" KILL
	wait_for sh -c '"$@" | grep -q stopped' - "$HULL" --root "$STATE" state "$ID-second"
	reads_state False 0 delete "$ID-second"
	[[ ! -e $CGROUPS/$OWN/x/z ]]
	reads_state False 0 run --detach -b "$BUNDLE" "$ID-second"
	reads_state False 0 delete --force "$ID-second"
	config --arg path "/$OWN/x/y/below" '.linux.cgroupsPath = $path'
	# Below it, it must be.
	reads_state True 1 run --detach -b "$BUNDLE" "$ID-second"
	# One that does not say where its cgroup is, too, and the same comes of it.
	rm "$STATE/$ID/cgroup"
	reads_state True 1 run --detach -b "$BUNDLE" "$ID-second"
	config --arg path "/$OWN/x/z" '.linux.cgroupsPath = $path'
	reads_state True 0 run --detach -b "$BUNDLE" "$ID-second"
}

@test "nothing is started in the cgroup of a container whose process was moved away" {
	mkdir -p "$CGROUP"
	program /bin/sleep 60
	left "$ID"
	mkdir "$CGROUPS/$OWN/away"
	echo "$PID" >"$CGROUPS/$OWN/away/cgroup.procs"
	leave "$ID-second"
	expect_error "cannot use cgroup '/$OWN/x/y': it is the cgroup of container '$ID'"
	[[ ! -e $STATE/$ID-second ]]
	lives "$PID"
}

# deny_zero: /dev/zero cannot be written to. write_zero: the program tries to.
deny_zero() {
	config '.linux.resources.devices = [
		{ "allow": true, "access": "rwm" },
		{ "allow": false, "type": "c", "major": 1, "minor": 5, "access": "w" }]'
}

write_zero() {
	script 'echo x 2>/dev/null >/dev/zero && echo written || echo refused'
}

need_device_programs() {
	deny_zero
	hull_run
	# shellcheck disable=SC2154 # set by hull_run
	[[ $status == 0 ]] || skip "no device programs here: $stderr"
}

@test "parents that were made for the cgroup go with it" {
	hull_run
	expect 0
	[[ ! -e $CGROUPS/$OWN ]] || fail "the parents are left"
	assert_clean
}

@test "parents that existed before stay" {
	mkdir "$CGROUPS/$OWN"
	hull_run
	expect 0
	[[ -d $CGROUPS/$OWN ]] || fail "removed what was not hull's"
	[[ ! -e $CGROUPS/$OWN/x ]] || fail "a parent is left"
}

@test "parents that others use by now stay" {
	script 'echo ready; sleep 60'
	hull_start
	wait_for grep -q ready "$T/stdout"
	stranger "/$OWN/x/other"
	kill -KILL "$PID"
	hull_wait
	expect 137
	[[ ! -e $CGROUP ]] || fail "the cgroup is left"
	stranger_lives
}

@test "a failed start removes the parents that it made" {
	program /no/such/program
	hull_run
	expect 1
	[[ ! -e $CGROUPS/$OWN ]] || fail "the parents are left"
}

@test "delete --force of what a killed hull leaves removes the parents" {
	program /bin/sleep 60
	hull_start
	[[ $(jq -r .hull.cgroupKept "$STATE/$ID/state.json") == / ]]
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	capture hull delete --force "$ID"
	expect 0
	[[ ! -e $CGROUPS/$OWN ]] || fail "the parents are left"
	assert_clean
}

@test "hull's home stays, for the next container" {
	config 'del(.linux.cgroupsPath)'
	hull_run
	expect 0
	[[ -d $CGROUPS/hull && ! -e $CGROUPS/hull/$ID ]]
}

@test "a cgroup that existed before stays, empty" {
	mkdir -p "$CGROUP"
	config '.linux.namespaces |= map(select(.type != "pid"))'
	script 'sleep 300 >/dev/null 2>&1 & exit 3'
	hull_run
	expect 3
	[[ -d $CGROUP && -z $(<"$CGROUP/cgroup.procs") ]]
	[[ ! -e $STATE/$ID ]]
}

# Once there was a kill in a cgroup, the kernel lets nobody be made in it from outside, and from in
# there nobody be made in another one.
@test "a cgroup that was killed once is started in all the same" {
	mkdir -p "$CGROUP"
	echo 1 >"$CGROUP/cgroup.kill"
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	script 'grep ^0:: /proc/self/cgroup; ls /proc/self/fd | wc -l'
	hull_run
	expect 0 "0::/$OWN/x/y"$'\n4'
	[[ -d $CGROUP && -z $(<"$CGROUP/cgroup.procs") && ! -e $STATE/$ID ]]
}

@test "a cgroup that was killed once, with a user namespace" {
	mkdir -p "$CGROUP"
	echo 1 >"$CGROUP/cgroup.kill"
	config '.linux.namespaces |= map(select(.type != "cgroup")) + [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	script 'grep ^0:: /proc/self/cgroup'
	hull_run
	expect 0 "0::/$OWN/x/y"
	[[ -d $CGROUP && -z $(<"$CGROUP/cgroup.procs") && ! -e $STATE/$ID ]]
}

@test "hull runs where there was a kill once" {
	mkdir -p "$CGROUPS/$OWN/killed"
	echo 1 >"$CGROUPS/$OWN/killed/cgroup.kill"
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	script 'grep ^0:: /proc/self/cgroup'
	# shellcheck disable=SC2016 # for the shell that moves
	capture timeout 20 sh -c 'echo $$ >"$0"; exec "$@"' "$CGROUPS/$OWN/killed/cgroup.procs" \
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 "0::/$OWN/x/y"
	assert_clean
}

# What is written to cgroup.kill of a cgroup that stays goes to $T/kill.
catch_kill() {
	: >"$T/kill"
	cat >"$T/hull" <<-END
		#!/bin/sh
		exec unshare -m sh -c 'mount --bind "\$0" "\$1" && shift && exec "\$@"' \
			"$T/kill" "$CGROUP/cgroup.kill" "$HULL" "\$@"
	END
	chmod +x "$T/hull"
	HULL=$T/hull
}

@test "in a cgroup that existed before, kill, delete --force and a failed start do not write cgroup.kill" {
	mkdir -p "$CGROUP"
	catch_kill
	config '.linux.namespaces |= map(select(.type != "pid"))'
	local how
	for how in kill delete; do
		script 'sleep 300 >/dev/null 2>&1 & echo ready; wait'
		hull_start
		wait_for grep -q ready "$T/stdout"
		case $how in
			kill) capture timeout 20 "$HULL" --root "$STATE" kill "$ID" KILL ;;
			delete) capture timeout 20 "$HULL" --root "$STATE" delete --force "$ID" ;;
		esac
		expect 0 ""
		hull_wait
		expect 137
	done
	program /missing
	hull_run
	expect 1
	[[ -d $CGROUP && -z $(<"$CGROUP/cgroup.procs") && ! -e $STATE/$ID ]]
	[[ -z $(<"$T/kill") ]] || fail "no process can be made in it any more"
}

@test "two containers are not started in one cgroup" {
	script 'echo ready; sleep 60'
	hull_start
	wait_for grep -q ready "$T/stdout"
	capture hull run -b "$BUNDLE" "$ID-second"
	expect 1 ""
	expect_error "cannot use cgroup '/$OWN/x/y'"
	[[ -d $CGROUP ]]
	kill -KILL "$PID"
	hull_wait
	assert_clean
}

@test "--keep: what is stopped has no cgroup, and delete leaves the next one of that name alone" {
	hull_run --keep
	expect 0
	[[ $(jq -r .hull.cgroup "$STATE/$ID/state.json") == null ]]
	stranger "/$OWN/x/y"
	capture hull delete --force "$ID"
	expect 0
	stranger_lives
	[[ ! -e $STATE/$ID ]]
}

@test "a start that was cut short is deleted only by force" {
	state_of creating "/$OWN/x/y" "/"
	mkdir -p "$CGROUP"
	capture hull delete "$ID"
	expect 1
	expect_error "its start has not come to an end"
	expect_error "hull delete --force $ID"
	[[ -e $STATE/$ID && -d $CGROUP ]]
	capture hull delete --force "$ID"
	expect 0
	[[ ! -e $CGROUPS/$OWN ]] || fail "the cgroup is left"
	assert_clean
}

@test "a cgroup that existed before a start that was cut short is left alone" {
	state_of creating "/$OWN/x/y" "/$OWN/x/y"
	stranger "/$OWN/x/y"
	capture hull delete --force "$ID"
	expect 0
	stranger_lives
	[[ -d $CGROUP && ! -e $STATE/$ID ]]
}

@test "a cgroup that existed before, and had the container in it, is killed but stays" {
	state_of running "/$OWN/x/y" "/$OWN/x/y" 4194303
	stranger "/$OWN/x/y"
	capture hull delete "$ID"
	expect 0
	wait "$STRANGER" || status=$?
	[[ $status == 137 ]]
	[[ -d $CGROUP && ! -e $STATE/$ID ]]
}

@test "a cgroup that existed before, and that a later container is in, is left alone" {
	state_of running "/$OWN/x/y" "/$OWN/x/y" 4194303
	mkdir -p "$CGROUP"
	mv "$STATE/$ID" "$STATE/$ID-killed"
	script 'echo ready; sleep 60'
	hull_start
	wait_for grep -q ready "$T/stdout"
	capture hull delete --force "$ID-killed"
	expect 0
	[[ ! -e $STATE/$ID-killed ]]
	kill -0 "$PID"
	kill -KILL "$PID"
	hull_wait
	expect 137
	[[ -d $CGROUP ]]
}

@test "with a broken state, delete --force finds the cgroup in hull's home" {
	mkdir -p "$STATE" && chmod 0700 "$STATE"
	mkdir "$STATE/$ID"
	echo '{ "version": 1, "hu' >"$STATE/$ID/state.json"
	stranger "/hull/$ID"
	capture hull delete "$ID"
	expect 1
	capture hull delete --force "$ID"
	expect 0
	wait "$STRANGER" || status=$?
	[[ $status == 137 && -d $CGROUPS/hull ]]
	assert_clean
}

@test "a state that does not say what stays claims nothing" {
	state_of running "/$OWN/x/y" "/$OWN/elsewhere"
	stranger "/$OWN/x/y"
	capture hull delete "$ID"
	expect 1
	capture hull delete --force "$ID"
	expect 0
	stranger_lives
	[[ -d $CGROUP && ! -e $STATE/$ID ]]
}

@test "device programs do not pile up in a cgroup that existed before" {
	local n
	mkdir -p "$CGROUP"
	need_device_programs
	write_zero
	for ((n = 0; n < 70; n++)); do
		hull_run
		expect 0 refused
	done
	config 'del(.linux.resources)'
	hull_run
	expect 0 written
}

@test "the device program of a killed hull does not bind the next container" {
	mkdir -p "$CGROUP"
	need_device_programs
	program /bin/sleep 60
	hull_start
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	kill -KILL "$PID" 2>/dev/null || true
	wait_for empty "$CGROUP"
	# Neither the next start nor delete may find it.
	config 'del(.linux.resources)'
	write_zero
	capture hull run -b "$BUNDLE" "$ID-second"
	expect 0 written
}

@test "delete detaches the device program of a killed hull" {
	mkdir -p "$CGROUP"
	need_device_programs
	program /bin/sleep 60
	hull_start
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	hull delete --force "$ID"
	[[ -d $CGROUP ]]
	(echo "$BASHPID" >"$CGROUP/cgroup.procs" && echo x >/dev/zero)
	assert_stays_clean
}

empty() {
	[[ -z $(<"$1/cgroup.procs") ]]
}

assert_stays_clean() {
	[[ -z $(container_processes) && ! -e $STATE/$ID ]]
}

# outside ARGUMENT...: hull by an engine that wants no cgroup.
outside() {
	capture timeout 20 "$HULL" --root "$STATE" --cgroup-manager disabled "$@"
}

@test "--cgroup-manager=disabled: the container stays where its caller is, and nothing is made" {
	program /bin/cat /proc/self/cgroup
	config 'del(.linux.namespaces[] | select(.type == "cgroup")) | del(.mounts[] | select(.type | startswith("cgroup")))'
	outside run -b "$BUNDLE" "$ID"
	expect 0
	expect_line "$(grep ^0:: /proc/self/cgroup)"
	[[ ! -e $CGROUPS/$OWN ]] || fail "$OWN was made"
	assert_clean
}

@test "--cgroup-manager=disabled: create, start, kill and delete do without it" {
	program /bin/sleep 60
	outside create -b "$BUNDLE" "$ID"
	expect 0
	[[ ! -e $CGROUPS/$OWN ]] || fail "$OWN was made"
	outside start "$ID"
	expect 0
	outside kill "$ID" KILL
	expect 0
	outside delete --force "$ID"
	expect 0
	assert_clean
}

@test "--cgroup-manager=disabled: a limit is an error with its place, device rules are left out with a warning" {
	config '.linux.resources.pids.limit = 5'
	outside run -b "$BUNDLE" "$ID"
	expect_error "a limit needs a cgroup, and --cgroup-manager=disabled asks for none"
	expect_error "linux.resources.pids.limit"
	config 'del(.linux.resources.pids) | .linux.resources.devices = [{allow: false, access: "rwm"}]'
	outside check -b "$BUNDLE"
	[[ $output == *"device rules are left out"* ]] || report "no warning"
	outside run -b "$BUNDLE" "$ID"
	expect 0
	assert_clean
}

@test "--cgroup-manager=disabled: without a cgroup namespace there is no cgroup to mount" {
	config 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	outside run -b "$BUNDLE" "$ID"
	expect_error "there is no cgroup to mount"
	assert_clean
}

# read_only: hull runs the bundle where the cgroup tree cannot be written to.
read_only() {
	capture unshare --mount --propagation private bash -c \
		'mount -o remount,bind,ro "$1" && shift && exec "$@"' - "$CGROUPS" \
		timeout 30 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" 3>&-
}

@test "a read-only cgroup tree: the cgroup, the reason and the place in config.json" {
	script 'echo started'
	read_only
	expect 1 ""
	expect_error "cannot make cgroup '/$OWN': read-only file system"
	expect_error 'config.json:[0-9]+:[0-9]+ +linux.cgroupsPath'
	expect_error 'hint +the cgroup tree is mounted read-only'
	mkdir -p "$CGROUP"
	read_only
	expect 1 ""
	expect_error "cannot lock cgroup '/$OWN/x/y': read-only file system"
	[[ ! -e $STATE/$ID ]] || fail "the state is left"
}
