#!/usr/bin/env bats
# Limits, each one: set in config.json, read back from the inside, and its effect seen. Runs in the
# guest, which has every cgroup v2 controller. Emulation is slow, so effects are counters of the
# kernel and never times.

load lib

setup() { guest_setup; }
teardown() { hull_teardown; }

# ---- memory ----

@test "memory: a program above its limit is killed, exit status 137" {
	resources '{ "memory": { "limit": 33554432, "swap": 33554432 } }'
	program /bin/dd if=/dev/zero of=/dev/null bs=64M count=1
	hull_run
	expect 137
	assert_clean
}

@test "memory: limit and swap stand in the files, and the kill is counted" {
	resources '{ "memory": { "limit": 33554432, "swap": 33554432 } }'
	script "$(show memory.max memory.swap.max)"'
		dd if=/dev/zero of=/dev/null bs=64M count=1; echo "dd $?"
		'"$(counter oom_kill memory.events)"
	hull_run
	expect 0
	expect_value memory.max 33554432
	expect_value memory.swap.max 0
	expect_line "dd 137"
	expect_line "oom_kill 1"
}

@test "memory: what is above the limit goes to swap, as far as the total allows" {
	resources '{ "memory": { "limit": 33554432, "reservation": 8388608, "swap": 100663296 } }'
	script "$(show memory.max memory.low memory.swap.max)"'
		dd if=/dev/zero of=/dev/null bs=48M count=1; echo "dd $?"
		'"$(counter oom_kill memory.events)"
	hull_run
	expect 0
	expect_value memory.low 8388608
	expect_value memory.swap.max 67108864
	expect_line "dd 0"
	expect_line "oom_kill 0"
}

@test "memory: -1 is unlimited" {
	resources '{ "memory": { "limit": -1, "swap": -1 } }'
	script "$(show memory.max memory.swap.max)"
	hull_run
	expect 0
	expect_value memory.max max
	expect_value memory.swap.max max
}

# ---- cpu ----

@test "cpu: a quota throttles" {
	resources '{ "cpu": { "quota": 5000, "period": 50000, "burst": 1000 } }'
	script "$(show cpu.max cpu.max.burst)"'
		i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done
		'"$(counter nr_throttled cpu.stat)"
	hull_run
	expect 0
	expect_value cpu.max "5000 50000"
	expect_value cpu.max.burst 1000
	expect_above nr_throttled 0
}

@test "cpu: shares become a weight" {
	resources '{ "cpu": { "shares": 2000 } }'
	script "$(show cpu.weight cpu.idle)"
	hull_run
	expect 0
	expect_value cpu.weight 77
	expect_value cpu.idle 0
}

@test "cpu: idle" {
	resources '{ "cpu": { "shares": 512, "idle": 1 } }'
	script "$(show cpu.idle)"
	hull_run
	expect 0
	expect_value cpu.idle 1
}

@test "cpuset: processors and memory nodes" {
	resources '{ "cpu": { "cpus": "0", "mems": "0" } }'
	script "$(show cpuset.cpus cpuset.mems cpuset.cpus.effective)"'
		grep Cpus_allowed_list: /proc/self/status'
	hull_run
	expect 0
	expect_value cpuset.cpus 0
	expect_value cpuset.mems 0
	expect_value cpuset.cpus.effective 0
	expect_match '^Cpus_allowed_list:[[:space:]]0$'
}

@test "cpuset: a list that is none is an error of hull" {
	resources '{ "cpu": { "cpus": "0-x" } }'
	hull_run
	expect 1
	expect_error "cpus"
	assert_clean
}

# ---- pids ----

@test "pids: fork fails at the limit" {
	resources '{ "pids": { "limit": 6 } }'
	script "$(show pids.max)"'
		sh -c "for i in 1 2 3 4 5 6 7 8; do sleep 600 & done" 2>&1
		read -r name count </sys/fs/cgroup/pids.events; echo "$name $count"'
	hull_run
	expect 0
	expect_value pids.max 6
	expect_match "can't fork: Resource temporarily unavailable"
	expect_above max 0
	assert_clean
}

@test "pids: one process alone may run" {
	resources '{ "pids": { "limit": 1 } }'
	script 'echo alone'
	hull_run
	expect 0 alone
}

@test "pids: zero is a limit, under which nothing starts" {
	resources '{ "pids": { "limit": 0 } }'
	hull_run
	expect 1
	assert_clean
}

# ---- io ----

@test "io: writing to a disk is slowed down" {
	mkdir "$T/disk"
	mkfs.ext4 -q -F /dev/vda
	mount /dev/vda "$T/disk"
	host_mounts >"$T/mountinfo"
	add_mount "{ \"destination\": \"/srv\", \"type\": \"bind\", \"source\": \"$T/disk\",
		\"options\": [\"bind\"] }"
	resources "{ \"blockIO\": { \"throttleWriteBpsDevice\":
		[{ $(numbers /dev/vda), \"rate\": 1048576 }] } }"
	script "$(show io.max)"'
		dd if=/dev/zero of=/srv/file bs=1M count=4 conv=fsync 2>/dev/null
		echo "stalled $(sed -n "s/^some.*total=//p" /sys/fs/cgroup/io.pressure)"'
	hull_run
	umount "$T/disk"
	expect 0
	expect_value io.max "254:0 rbps=max wbps=1048576 riops=max wiops=max"
	expect_above stalled 1500000 # microseconds; four megabytes at one in a second
}

@test "io: weight, for BFQ where the kernel has it" {
	resources '{ "blockIO": { "weight": 500 } }'
	script 'cd /sys/fs/cgroup; grep . io.weight io.bfq.weight 2>/dev/null'
	hull_run
	expect_line "io.weight:default 4950"
	modprobe bfq
	hull_run
	expect_match "^io.bfq.weight:(default )?500$"
	expect_line "io.weight:default 100"
}

@test "io: a device that does not exist is an error of hull" {
	resources '{ "blockIO": { "throttleReadIOPSDevice":
		[{ "major": 4000, "minor": 1, "rate": 5 }] } }'
	hull_run
	expect 1
	expect_error "io.max"
	assert_clean
}

# ---- hugetlb, rdma, unified ----

@test "hugetlb: pages above the limit are refused" {
	add_mount '{ "destination": "/srv", "type": "hugetlbfs", "source": "none",
		"options": ["pagesize=2M"] }'
	resources '{ "hugepageLimits": [{ "pageSize": "2MB", "limit": 4194304 }] }'
	script "$(show hugetlb.2MB.rsvd.max)"'
		fallocate -l 4194304 /srv/two && echo "two fit"
		fallocate -l 2097152 /srv/third || echo "the third does not"'
	hull_run
	expect_value hugetlb.2MB.rsvd.max 4194304
	expect_line "two fit"
	expect_line "the third does not"
}

@test "hugetlb: a page size that the machine lacks is an error of hull" {
	resources '{ "hugepageLimits": [{ "pageSize": "3MB", "limit": 4194304 }] }'
	hull_run
	expect 1
	expect_error "hugetlb.3MB"
	assert_clean
}

@test "rdma: a device that does not exist is an error of hull" {
	resources '{ "rdma": { "nothing0": { "hcaHandles": 2, "hcaObjects": 2000 } } }'
	hull_run
	expect 1
	expect_error "rdma.max"
	assert_clean
}

@test "unified: any file, last of all" {
	resources '{ "memory": { "limit": 67108864 }, "unified": {
		"memory.max": "50331648", "memory.high": "16777216", "pids.max": "7",
		"cgroup.max.descendants": "3" } }'
	script "$(show memory.max memory.high pids.max cgroup.max.descendants)"'
		dd if=/dev/zero of=/dev/null bs=24M count=1
		'"$(counter high memory.events)"
	hull_run
	expect 0
	expect_value memory.max 50331648
	expect_value memory.high 16777216
	expect_value pids.max 7
	expect_value cgroup.max.descendants 3
	expect_above high 0
}

@test "unified: an unknown controller or file is an error of hull" {
	resources '{ "unified": { "nothing.max": "1" } }'
	hull_run
	expect_error "controller 'nothing' is not available"
	resources '{ "unified": { "memory.nothing": "1" } }'
	hull_run
	expect_error "memory.nothing"
	assert_clean
}

# ---- the cgroup itself ----

@test "a cgroup with processes is refused, and they stay" {
	local pid
	mkdir -p "$CGROUP"
	sleep 600 3>&- &
	pid=$!
	echo "$pid" >"$CGROUP/cgroup.procs"
	hull_run
	expect 1
	expect_error "it has processes"
	kill -0 "$pid"
	kill -KILL "$pid"
	wait "$pid" || true
	rmdir "$CGROUP"
}

@test "a controller that a busy parent cannot share out is an error of hull" {
	local pid
	mkdir -p "$CGROUP"
	sleep 600 3>&- &
	pid=$!
	echo "$pid" >"$CGROUP/cgroup.procs"
	config --arg path "/hull-test/$ID/below" '.linux.cgroupsPath = $path'
	resources '{ "memory": { "limit": 33554432 } }'
	hull_run
	expect 1
	expect_error "controller 'memory'.*'/hull-test/$ID'"
	[[ ! -e $CGROUP/below ]]
	kill -KILL "$pid"
	wait "$pid" || true
}

@test "limits hold for the first instruction, and nothing is left behind" {
	resources '{ "memory": { "limit": 33554432 }, "pids": { "limit": 10 },
		"cpu": { "shares": 100, "quota": 50000, "cpus": "0" }, "blockIO": { "weight": 100 } }'
	script "$(show memory.max pids.max cpu.weight cpu.max cpuset.cpus)"
	hull_run
	expect 0 "memory.max 33554432
pids.max 10
cpu.weight 4
cpu.max 50000 100000
cpuset.cpus 0"
	assert_clean
}
