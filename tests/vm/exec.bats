#!/usr/bin/env bats
# hull exec where cgroup v2 is mounted as systemd does it, with nsdelegate: no process may be moved
# over the border of a cgroup namespace, and none is (R-028). And with controllers, which the host
# of the tests does not have.

# shellcheck disable=SC2154 # of lib.bash
load lib

setup() {
	guest_setup
	grep -q 'cgroup2.*nsdelegate' /proc/self/mountinfo || fail "the guest has no nsdelegate"
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] ||
		timeout 30 "$HULL" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 || true
	hull_teardown
}

in_container() {
	capture timeout -s KILL 30 "$HULL" --root "$STATE" exec "$ID" "$@"
}

stop() {
	capture timeout 30 "$HULL" --root "$STATE" delete --force "$ID"
	expect 0
	hull_wait
	assert_clean
}

@test "nsdelegate: exec is in the cgroup and in the cgroup namespace" {
	program /bin/sleep 60
	hull_start
	in_container /bin/sh -c 'cat /proc/self/cgroup; readlink /proc/self/ns/cgroup; readlink /proc/1/ns/cgroup
		cat /sys/fs/cgroup/cgroup.procs | wc -l'
	expect 0
	[[ ${lines[0]} == 0::/ && ${lines[1]} == "${lines[2]}" ]] || report "elsewhere"
	capture timeout 30 "$HULL" --root "$STATE" exec -d --pid-file "$T/exec.pid" "$ID" /bin/sleep 50
	expect 0 ""
	diff "/proc/$PID/cgroup" "/proc/$(<"$T/exec.pid")/cgroup"
	stop
}

@test "nsdelegate: exec into a user namespace" {
	program /bin/sleep 60
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	hull_start
	in_container cat /proc/self/cgroup
	expect 0 0::/
	stop
}

@test "limits of the container hold for what is executed in it" {
	program /bin/sleep 60
	resources '{"memory": {"limit": 33554432, "swap": 33554432}, "pids": {"limit": 5}}'
	hull_start
	in_container dd if=/dev/zero of=/dev/null bs=100M count=1
	expect 137
	[[ $(awk '$1 == "oom_kill" { print $2 }' "$CGROUP/memory.events") -gt 0 ]] || fail "nothing was killed"
	in_container /bin/sh -c 'for i in 1 2 3 4 5 6; do sleep 5 & done; wait'
	[[ $status != 0 ]] || report "more processes than the limit"
	stop
}

@test "a cgroup with controllers enabled below it: exec goes where the first process has gone" {
	config '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
	script 'mkdir /sys/fs/cgroup/init && echo 1 >/sys/fs/cgroup/init/cgroup.procs &&
		echo +pids >/sys/fs/cgroup/cgroup.subtree_control && echo moved; exec sleep 60'
	resources '{"pids": {"limit": 50}}'
	hull_start
	wait_for grep -q moved "$T/stdout" || fail "$(<"$T/stderr")"
	in_container cat /proc/self/cgroup
	expect 0 0::/init
	capture timeout 30 "$HULL" --root "$STATE" exec --cgroup / "$ID" true
	expect 255
	stop
}

@test "a device that the rules forbid is forbidden to exec, too" {
	program /bin/sleep 60
	config '.linux.devices = [{path: "/dev/log", type: "c", major: 1, minor: 11},
		{path: "/dev/full", type: "c", major: 1, minor: 7}]'
	resources '{"devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 1, "minor": 7, "access": "rwm"}]}'
	hull_start
	in_container /bin/sh -c 'head -c 1 /dev/full >/dev/null && echo full
		head -c 1 /dev/log >/dev/null || echo refused'
	expect 0 $'full\nrefused'
	[[ $stderr == *"not permitted"* ]] || report "EPERM expected"
	stop
}
