#!/usr/bin/env bats
# New limits for a container that runs: each is found in its file, and those with an effect have it.
# The container began without any limit, so that `update` has to enable the controllers too.
# shellcheck disable=SC2034,SC2153 # variables of and for lib.bash

load lib

setup() {
	guest_setup
	program /bin/sleep 300
}

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	guest_teardown
}

# update OPTION...: must succeed, and say nothing.
update() {
	row_end
	ROW_SET="update $*"
	[[ $* != '--resources -' ]] || ROW_SET="update $INPUT"
	H update "$@" "$ID"
	expect 0 ""
	[[ -z $stderr ]] || report "nothing expected on standard error"
}

# has FILE VALUE
has() {
	[[ $(<"$CGROUP/$1") == "$2" ]] || fail "$1: '$2' expected, found '$(<"$CGROUP/$1")'"
	shown "$1" "$2"
}

@test "update: every option finds its file, and enables the controller" {
	hull_start
	[[ ! -e $CGROUP/memory.max ]] || fail "the controller is there already"
	update --memory 64m
	has memory.max 67108864
	update --memory-reservation 16M --memory-swap 96m
	has memory.low 16777216
	has memory.max 67108864
	has memory.swap.max 33554432
	update --memory -1 --memory-swap -1
	has memory.max max
	has memory.swap.max max
	update --pids-limit 20
	has pids.max 20
	update --pids-limit -1
	has pids.max max
	update --cpu-share 2000
	has cpu.weight 77
	update --cpu-idle 1
	has cpu.idle 1
	update --cpu-idle 0
	update --cpuset-cpus 0 --cpuset-mems 0
	has cpuset.cpus 0
	has cpuset.mems 0
	update --blkio-weight 500
	has io.weight 'default 4950' || has io.bfq.weight 'default 500'
}

@test "update: a quota and a period each keep the other one" {
	hull_start
	update --cpu-quota 20000 --cpu-period 50000
	has cpu.max '20000 50000'
	update --cpu-quota 30000
	has cpu.max '30000 50000'
	update --cpu-period 60000
	has cpu.max '30000 60000'
	update --cpu-burst 1000
	has cpu.max.burst 1000
	update --cpu-quota -1
	has cpu.max 'max 60000'
}

@test "update: what docker sends without an opinion keeps what is there" {
	hull_start
	update --memory 64m --memory-swap 64m --cpu-share 2000 --cpu-quota 20000
	INPUT='{"memory":{"limit":0,"reservation":0,"kernel":0},"cpu":{"shares":0,"quota":0,"period":0,
		"cpus":"","mems":""},"blockIO":{"weight":0}}'
	update --resources -
	has memory.max 67108864
	has memory.swap.max 0
	has cpu.weight 77
	has cpu.max '20000 100000'
}

@test "update: a limit of pids is in force at once" {
	script 'while sleep 0.3; do echo x; done'
	hull_start
	wait_for grep -q x "$T/stdout"
	update --pids-limit 1
	hull_wait
	expect_error "can't fork"
}

@test "update: memory below what is used: refused with checkBeforeUpdate, else the kernel kills" {
	resources '{ "memory": { "limit": 67108864, "swap": 67108864 } }'
	script 'x=$(head -c 24000000 /dev/zero | tr "\0" x); echo ready; while :; do sleep 1; done'
	hull_start
	wait_for eval 'sleep 0.3; grep -q ready "$T/stdout"'
	INPUT='{"memory": {"limit": 8388608, "swap": 8388608, "checkBeforeUpdate": true}}'
	ROW_SET="update $INPUT"
	H update --resources - "$ID"
	refused 'more than the new limit of 8388608'
	has memory.max 67108864
	update --memory 8m --memory-swap 8m
	hull_wait
	expect 137
	expect_error "killed: out of memory"
	observed "killed: out of memory, exit status 137"
}

@test "update: with room in swap the kernel reclaims what is too much, and nobody is killed" {
	resources '{ "memory": { "limit": 67108864, "swap": 134217728 } }'
	script 'dd if=/dev/zero of=/dev/shm/x bs=1M count=14 2>/dev/null; echo ready; exec sleep 600'
	hull_start
	wait_for eval 'sleep 0.3; grep -q ready "$T/stdout"'
	update --memory 8m --memory-swap 72m
	has memory.max 8388608
	(($(<"$CGROUP/memory.current") <= 8388608)) || fail "$(<"$CGROUP/memory.current")"
	observed "memory.current $(<"$CGROUP/memory.current")"
	grep -qx 'oom_kill 0' "$CGROUP/memory.events"
}

@test "update: when the kernel refuses one value, all old ones stand" {
	local device files file
	device=$(numbers /dev/vda)
	resources "{ \"memory\": { \"limit\": 67108864, \"reservation\": 8388608 },
		\"cpu\": { \"shares\": 2000, \"quota\": 20000, \"burst\": 10000, \"cpus\": \"0\" },
		\"pids\": { \"limit\": 30 },
		\"blockIO\": { \"throttleReadBpsDevice\": [{ $device, \"rate\": 1048576 }] } }"
	hull_start
	files=(memory.max memory.low cpu.weight cpu.max cpu.max.burst cpuset.cpus pids.max io.max
		memory.high)
	for file in "${files[@]}"; do cat "$CGROUP/$file"; done >"$T/before"
	INPUT="{\"memory\": {\"limit\": 50331648, \"reservation\": 4194304},
		\"cpu\": {\"shares\": 500, \"quota\": 5000, \"burst\": 1000, \"cpus\": \"0\"},
		\"pids\": {\"limit\": 20},
		\"blockIO\": {\"throttleReadBpsDevice\": [{$device, \"rate\": 2097152}],
			\"throttleWriteIOPSDevice\": [{$device, \"rate\": 5}]},
		\"unified\": {\"memory.high\": \"lots\"}}"
	ROW_SET="update $INPUT"
	H update --resources - "$ID"
	refused "cannot write 'lots' to the cgroup's 'memory.high'"
	for file in "${files[@]}"; do cat "$CGROUP/$file"; done >"$T/after"
	diff "$T/before" "$T/after" >&2 || fail "something has changed"
	# The control: without that value all of them change. The burst is above the new quota at first.
	INPUT=${INPUT/lots/max}
	update --resources -
	has memory.max 50331648
	has cpu.max '5000 100000'
	has cpu.max.burst 1000
	has pids.max 20
	has io.max '254:0 rbps=2097152 wbps=max riops=max wiops=5'
	update --cpu-share 4 --cpu-idle 1
	update --cpu-share 2000 --cpu-idle 0
	has cpu.weight 77
}

@test "update: io of a device" {
	hull_start
	INPUT="{\"blockIO\": {\"throttleReadBpsDevice\": [{$(numbers /dev/vda), \"rate\": 1048576}]}}"
	update --resources -
	grep -q 'rbps=1048576' "$CGROUP/io.max" || fail "$(<"$CGROUP/io.max")"
}

@test "update: a value that the kernel refuses has its file and a hint" {
	hull_start
	H update --cpuset-cpus 4000 "$ID"
	expect 1 ""
	ROW_SET='update --cpuset-cpus 4000'
	refused "cannot write '4000' to the cgroup's 'cpuset.cpus'"
}
