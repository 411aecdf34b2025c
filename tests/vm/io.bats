#!/usr/bin/env bats
# The io controller on a real block device: rates that slow down, weights that share out. Each is
# set in config.json, read back from the inside, and seen in io.pressure and io.stat. Runs in the
# guest, whose /dev/vda is an empty disk.

load lib

setup() { guest_setup; }

teardown() {
	# The tests that follow mean the kernel's own weights.
	if [[ -d /sys/module/bfq ]]; then
		echo none >/sys/block/vda/queue/scheduler
		modprobe -r bfq
	fi
	guest_teardown
}

# with_disk: the container has the disk as /dev/vda.
with_disk() {
	config --argjson numbers "{ $(numbers /dev/vda) }" \
		'.linux.devices = [{ path: "/dev/vda", type: "b" } + $numbers]'
}

@test "io: bytes and operations of reads and writes are slowed down" {
	local device
	device=$(numbers /dev/vda)
	with_disk
	resources "{ \"blockIO\": {
		\"throttleReadBpsDevice\": [{ $device, \"rate\": 524288 }],
		\"throttleWriteBpsDevice\": [{ $device, \"rate\": 262144 }],
		\"throttleReadIOPSDevice\": [{ $device, \"rate\": 3 }],
		\"throttleWriteIOPSDevice\": [{ $device, \"rate\": 2 }] } }"
	# stalls NAME COMMAND: the microseconds for which it stood.
	script "$(show io.max)"'
		stalled() { sed -n "s/^some.*total=//p" /sys/fs/cgroup/io.pressure; }
		stalls() { n=$1; t=$(stalled); shift; dd "$@" 2>/dev/null || echo "$n failed"
			echo "$n $(($(stalled) - t))"; }
		stalls read-bytes if=/dev/vda of=/dev/null bs=1M count=1 iflag=direct
		stalls write-bytes if=/dev/zero of=/dev/vda bs=512k count=1 oflag=direct
		stalls read-operations if=/dev/vda of=/dev/null bs=512 count=14 iflag=direct
		stalls write-operations if=/dev/zero of=/dev/vda bs=512 count=8 oflag=direct'
	hull_run
	expect 0
	expect_value io.max "254:0 rbps=524288 wbps=262144 riops=3 wiops=2"
	# Some two seconds each: by the bytes of one operation, by operations of a few bytes.
	for name in read-bytes write-bytes read-operations write-operations; do
		expect_above $name 600000
	done
	assert_clean
}

@test "io: weight, for BFQ where the kernel has it" {
	resources '{ "blockIO": { "weight": 500 } }'
	script "$(show io.weight)"
	hull_run
	expect_value io.weight "default 4950"
	modprobe bfq
	echo bfq >/sys/block/vda/queue/scheduler
	resources "{ \"blockIO\": { \"weight\": 500, \"weightDevice\": [{ $(numbers /dev/vda), \"weight\": 30 }] } }"
	script "$(show io.weight)"'cat /sys/fs/cgroup/io.bfq.weight'
	hull_run
	expect_value io.weight "default 100"
	expect_match '^(default )?500$'
	expect_line '254:0 30'
	shown io.bfq.weight "500, 254:0 30"
}

@test "io: devices that do not exist and weights out of range" {
	resources '{ "blockIO": { "throttleReadIOPSDevice":
		[{ "major": 4000, "minor": 1, "rate": 5 }] } }'
	hull_run
	refused "cannot write '4000:1 riops=5' to the cgroup's 'io.max'"
	resources '{ "blockIO": { "weight": 5000 } }'
	hull_run
	refused "blockIO.weight: .*5000"
	assert_clean
}
