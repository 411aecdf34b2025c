#!/usr/bin/env bats
# Limits of what a host has few of (huge pages, RDMA devices), files that only `unified` names, and
# what can be wrong with a cgroup. Each limit is set in config.json, read back from the inside, and
# its effect seen. Runs in the guest, which has every cgroup v2 controller.

load lib

setup() { guest_setup; }
teardown() { guest_teardown; }

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
	expect_seen "two fit"
	expect_seen "the third does not"
}

@test "hugetlb: a page size that the machine lacks is an error of hull" {
	resources '{ "hugepageLimits": [{ "pageSize": "3MB", "limit": 4194304 }] }'
	hull_run
	refused "hugetlb.3MB"
	assert_clean
}

@test "rdma: handles and objects of a device" {
	modprobe rdma_rxe || skip "this kernel has no rdma_rxe"
	ip link add hull-rdma type dummy
	ip link set hull-rdma up
	rdma link add hull0 type rxe netdev hull-rdma
	resources '{ "rdma": { "hull0": { "hcaHandles": 2, "hcaObjects": 2000 } } }'
	script 'echo "rdma.max $(sed "s/ *$//" /sys/fs/cgroup/rdma.max)"'
	hull_run
	expect 0
	expect_value rdma.max "hull0 hca_handle=2 hca_object=2000"
	resources '{ "rdma": { "hull0": { "hcaObjects": 7 } } }'
	hull_run
	expect_value rdma.max "hull0 hca_handle=max hca_object=7"
	# The device stays: on 6.12 deleting it after a cgroup that had a limit is a kernel panic.
	assert_clean
}

@test "rdma: a device that does not exist is an error of hull" {
	resources '{ "rdma": { "nothing0": { "hcaHandles": 2, "hcaObjects": 2000 } } }'
	hull_run
	refused "cannot write 'nothing0 .*' to the cgroup's 'rdma.max'"
	assert_clean
}

@test "misc: a resource that the machine has none of is an error of hull" {
	resources '{ "unified": { "misc.max": "sev 5" } }'
	hull_run
	refused "cannot write 'sev 5' to the cgroup's 'misc.max'"
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

@test "unified: unknown controllers and files, and values that are none" {
	local row
	for row in 'nothing.max|1|controller .nothing. is not available' \
		'memory.nothing|1|memory.nothing' \
		"memory.max|lots|cannot write 'lots' to the cgroup's 'memory.max'" \
		"cpu.weight|0|cannot write '0' to the cgroup's 'cpu.weight'"; do
		IFS='|' read -r key value why <<<"$row"
		resources "{ \"unified\": { \"$key\": \"$value\" } }"
		hull_run
		refused "$why"
		expect_error "linux.resources.unified"
	done
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

@test "a frozen cgroup is refused, and stays so" {
	mkdir -p "$CGROUP"
	echo 1 >"$CGROUP/cgroup.freeze"
	hull_run
	expect 1
	expect_error "cannot use cgroup '/hull-test/$ID': it is frozen"
	[[ $(<"$CGROUP/cgroup.freeze") == 1 ]]
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
