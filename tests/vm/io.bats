#!/usr/bin/env bats
# The io controller on a real block device: rates that slow down, weights that share out. Each is
# set in config.json, read back from the inside, and seen in io.pressure and io.stat. Runs in the
# guest, whose /dev/vda is an empty disk.

load lib

setup() { guest_setup; }

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	remove_slow_disk
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

# ---- shares ----

# A disk on which each operation takes 20 ms, one after another: what one gets the other does not.
# Emulated processes are slow to ask again: so there are four of them on each side, and BFQ waits
# longer than it would (ms).
slow_disk() {
	local scheduler=/sys/block/nullb0/queue/scheduler
	modprobe null_blk nr_devices=1 gb=1 queue_mode=2 submit_queues=1 hw_queue_depth=1 irqmode=2 \
		completion_nsec=20000000
	[[ -e $scheduler ]] || fail "no disk was made"
	modprobe bfq
	echo bfq >$scheduler
	echo 0 >/sys/block/nullb0/queue/iosched/low_latency # or who has just begun comes first
	echo 1 >/sys/block/nullb0/queue/iosched/strict_guarantees
	echo 200 >/sys/block/nullb0/queue/iosched/slice_idle
	awk -v node="$T/slow" '$4 == "nullb0" { print "mknod", node, "b", $1, $2 }' /proc/partitions | sh
	NEIGHBOUR=$CGROUPS/hull-test/neighbour
}

remove_slow_disk() {
	[[ -d /sys/module/null_blk ]] || return 0
	remove_cgroup "${NEIGHBOUR:-/none}"
	modprobe -r null_blk
}

# readers DEVICE: shell text.
readers() {
	echo "for i in 1 2 3 4; do dd if=$1 of=/dev/null bs=64k iflag=direct 2>/dev/null & done; wait"
}

# bytes_read CGROUP
bytes_read() {
	sed -n 's/.*rbytes=\([0-9]*\).*/\1/p' "$1/io.stat"
}

# compete WEIGHT: a container with this weight and a neighbour with 100 read all the time; $MINE and
# $THEIRS are what each of them got in the same eight seconds.
compete() {
	resources "{ \"blockIO\": { \"weight\": $1 } }"
	hull_start
	mkdir -p "$NEIGHBOUR"
	echo 100 >"$NEIGHBOUR/io.bfq.weight"
	(echo "$BASHPID" >"$NEIGHBOUR/cgroup.procs" &&
		exec timeout 60 sh -c "$(readers "$T/slow")") >/dev/null 2>&1 </dev/null 3>&- &
	shown io.bfq.weight "$(<"$CGROUP/io.bfq.weight")"
	wait_for eval '[[ -n $(bytes_read "$CGROUP") && -n $(bytes_read "$NEIGHBOUR") ]]'
	MINE=$(bytes_read "$CGROUP") THEIRS=$(bytes_read "$NEIGHBOUR")
	sleep 8
	MINE=$(($(bytes_read "$CGROUP") - MINE)) THEIRS=$(($(bytes_read "$NEIGHBOUR") - THEIRS))
	observed "$((MINE >> 10)) KB read, and $((THEIRS >> 10)) by a neighbour with 100"
	hull delete --force "$ID"
	hull_wait
	remove_cgroup "$NEIGHBOUR"
}

@test "io: the weight is a share of a slow disk" {
	slow_disk
	config --argjson numbers "{ $(numbers nullb0) }" \
		'.linux.devices = [{ path: "/dev/slow", type: "b" } + $numbers]'
	script "$(readers /dev/slow)"
	cp "$BUNDLE/config.json" "$T/config.json"
	compete 1000
	((MINE > 2 * THEIRS)) || fail "weight 1000: $MINE bytes, $THEIRS with 100"
	cp "$T/config.json" "$BUNDLE/config.json"
	compete 10
	((2 * MINE < THEIRS)) || fail "weight 10: $MINE bytes, $THEIRS with 100"
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
