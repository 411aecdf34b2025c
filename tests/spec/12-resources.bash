# 12. Resources
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

# resources JSON
resources() {
	config --argjson r "$1" '.linux.resources = $r'
}

# limits JSON FILE=VALUE...: with these resources the files of the program's cgroup have these values.
limits() {
	local pair got
	changed .
	resources "$1"
	shift
	program /bin/sleep 1000
	creates
	for pair in "$@"; do
		got=$(<"$CGROUP/${pair%%=*}") || fail "no file ${pair%%=*}"
		[[ $got == "${pair#*=}" ]] || fail "${pair%%=*}: '${pair#*=}' expected, got '$got'"
		saw "$pair"
	done
	capture rt delete --force "$ID"
	unchanged
}

# refuses_limit JSON FIELD
refuses_limit() {
	refuses ".linux.resources = $1" "linux.resources.$2"
}

in_guest S-163 S-164 S-165 S-166 S-167 S-168 S-169 S-170 S-171 S-172 S-173 S-174 S-175 S-176 S-177 \
	S-178 S-179 S-180 S-181 S-182 S-183 S-184

rule S-162 MUST - "device rules in order; type a, major and minor any, when absent; access of r, w, m" \
	"all denied; of kmsg (1:11) w allowed; of all of 1 allowed, and 1:11 denied again; access rwx"
S_162() {
	config '.linux.devices = [{"path": "/dev/k", "type": "c", "major": 1, "minor": 11}]'
	script '(exec 5>/dev/k) 2>/dev/null && echo written || echo denied'
	resources '{"devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 1, "minor": 11, "access": "w"}]}'
	prints written
	resources '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "access": "w"},
		{"allow": false, "type": "c", "major": 1, "minor": 11}]}'
	prints denied
	resources '{"devices": [{"allow": false}]}'
	prints denied
	refuses_limit '{"devices": [{"allow": true, "access": "rwx"}]}' 'devices[0].access'
}

rule S-163 MUST - "memory limit, reservation and swap (limit included) in bytes; -1 is unlimited" \
	"in the guest: 64 M, 32 M, 96 M; -1"
S_163() {
	limits '{"memory": {"limit": 67108864, "reservation": 33554432, "swap": 100663296}}' \
		memory.max=67108864 memory.low=33554432 memory.swap.max=33554432
	limits '{"memory": {"limit": -1, "swap": -1}}' memory.max=max memory.swap.max=max
}

rule S-164 INFO - "memory.kernel, kernelTCP (not recommended; no effect in cgroup v2): ignored" \
	"in the guest: both"
S_164() {
	resources '{"memory": {"kernel": 1000000, "kernelTCP": 1000000}}'
	script 'echo ran'
	prints ran
}

rule S-165 MAY/MUST runc "memory.swappiness cannot be had in cgroup v2: an error" "in the guest: 50"
S_165() {
	refuses_limit '{"memory": {"swappiness": 50}}' memory.swappiness
}

rule S-166 MUST runc "memory.disableOOMKiller cannot be had in cgroup v2: an error" "in the guest: true"
S_166() {
	refuses_limit '{"memory": {"disableOOMKiller": true}}' memory.disableOOMKiller
}

rule S-167 MAY - "memory.useHierarchy: cgroup v2 always has it, so true is no error" "in the guest: true"
S_167() {
	accepts '.linux.resources = {"memory": {"useHierarchy": true}}'
	saw "accepted"
}

rule S-168 MAY/MUST - "memory.checkBeforeUpdate: a limit below what is used is refused" \
	"in the guest: 12 M in files; update to 8 M with it, and then to 100 M"
S_168() {
	resources '{"memory": {"limit": 209715200, "swap": 209715200}}'
	# A shell that holds so much itself takes minutes in the guest.
	script 'dd if=/dev/zero of=/dev/shm/full bs=1M count=12 2>/dev/null; echo ready; sleep 4000'
	creates
	starts
	wait_for grep -q ready "$T/out"
	echo '{"memory": {"limit": 8388608, "swap": 8388608, "checkBeforeUpdate": true}}' >"$T/low.json"
	fails memory update --resources "$T/low.json" "$ID"
	same "memory.max" "$(<"$CGROUP/memory.max")" 209715200
	echo '{"memory": {"limit": 104857600, "swap": 104857600, "checkBeforeUpdate": true}}' >"$T/high.json"
	capture rt update --resources "$T/high.json" "$ID"
	expect 0
	same "memory.max" "$(<"$CGROUP/memory.max")" 104857600
}

rule S-169 MUST - "cpu shares, quota and period, cpus and mems" "in the guest: 1024 and 2; 20000 of 50000; 0 and 0"
S_169() {
	limits '{"cpu": {"quota": 20000, "period": 50000, "cpus": "0", "mems": "0"}}' \
		"cpu.max=20000 50000" cpuset.cpus=0 cpuset.mems=0
	limits '{"cpu": {"shares": 2}}' cpu.weight=1
	limits '{"cpu": {"shares": 262144}}' cpu.weight=10000
	refuses_limit '{"cpu": {"cpus": "0-"}}' cpu.cpus
}

rule S-170 MUST - "cpu.burst is at most the quota" "in the guest: 10000 with a quota of 20000; 30000"
S_170() {
	limits '{"cpu": {"quota": 20000, "period": 50000, "burst": 10000}}' "cpu.max=20000 50000" cpu.max.burst=10000
	refuses_limit '{"cpu": {"quota": 20000, "period": 50000, "burst": 30000}}' cpu.burst
}

rule S-171 MUST - "cpu.idle" "in the guest: 1; 2"
S_171() {
	limits '{"cpu": {"idle": 1}}' cpu.idle=1
	refuses_limit '{"cpu": {"idle": 2}}' cpu.idle
}

rule S-172 MUST runc "cpu.realtimeRuntime and realtimePeriod cannot be had in cgroup v2: an error" "in the guest: each"
S_172() {
	refuses_limit '{"cpu": {"realtimeRuntime": 1000}}' cpu.realtimeRuntime
	refuses_limit '{"cpu": {"realtimePeriod": 100000}}' cpu.realtimePeriod
}

disk() {
	awk '$4 == "vda" { print "\"major\": " $1 ", \"minor\": " $2; exit }' /proc/partitions
}

rule S-173 MUST - "blockIO weight, weight of a device, and the four throttles" \
	"in the guest: bytes and operations, reading and writing; a weight, of BFQ or io.weight"
S_173() {
	local d
	d=$(disk)
	resources "{\"blockIO\": {\"throttleReadBpsDevice\": [{$d, \"rate\": 1000000}],
		\"throttleWriteBpsDevice\": [{$d, \"rate\": 2000000}], \"throttleReadIOPSDevice\": [{$d, \"rate\": 300}],
		\"throttleWriteIOPSDevice\": [{$d, \"rate\": 400}]}}"
	program /bin/sleep 1000
	creates
	same "io.max" "$(cut -d' ' -f2- <"$CGROUP/io.max")" "rbps=1000000 wbps=2000000 riops=300 wiops=400"
	capture rt delete --force "$ID"
	modprobe bfq
	echo bfq >/sys/block/vda/queue/scheduler
	resources "{\"blockIO\": {\"weight\": 500, \"weightDevice\": [{$d, \"weight\": 700}]}}"
	creates
	grep -qE '^default 500$' "$CGROUP/io.bfq.weight" || fail "io.bfq.weight: $(<"$CGROUP/io.bfq.weight")"
	grep -qE ' 700$' "$CGROUP/io.bfq.weight" || fail "io.bfq.weight: $(<"$CGROUP/io.bfq.weight")"
	saw "io.bfq.weight: 500, of the device 700"
}

rule S-174 MUST runc "blockIO.leafWeight cannot be had in cgroup v2: an error" "in the guest: 100"
S_174() {
	refuses_limit '{"blockIO": {"leafWeight": 100}}' blockIO.leafWeight
}

rule S-175 MUST - "an entry of weightDevice has a weight or a leafWeight" "in the guest: neither"
S_175() {
	refuses_limit "{\"blockIO\": {\"weightDevice\": [{$(disk)}]}}" 'blockIO.weightDevice[0]'
}

rule S-176 MUST - "hugepageLimits: a size such as 2MB, and a limit; reservations first, else page faults" \
	"in the guest: 4 M of 2MB pages; 64kB, 2M, 3MB"
S_176() {
	limits '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}' hugetlb.2MB.rsvd.max=4194304
	refuses_limit '{"hugepageLimits": [{"pageSize": "64kB", "limit": 1}]}' 'hugepageLimits[0].pageSize'
	refuses_limit '{"hugepageLimits": [{"pageSize": "2M", "limit": 1}]}' 'hugepageLimits[0].pageSize'
	refuses_limit '{"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}' 'hugepageLimits[0]'
}

rule S-177 MUST runc "network.classID and priorities cannot be had in cgroup v2: an error" "in the guest: each"
S_177() {
	refuses_limit '{"network": {"classID": 1048577}}' network.classID
	refuses_limit '{"network": {"priorities": [{"name": "lo", "priority": 5}]}}' network.priorities
}

rule S-178 SHOULD crun "pids.limit: -1 is unlimited, 0 a limit of 0" "in the guest: 20, -1, 0"
S_178() {
	limits '{"pids": {"limit": 20}}' pids.max=20
	limits '{"pids": {"limit": -1}}' pids.max=max
	resources '{"pids": {"limit": 0}}'
	script 'cat /sys/fs/cgroup/pids.max'
	run
	if ((status == 0)); then
		same "pids.max" "$output" 0
	else
		saw "0: nothing can be started: $(head -n 1 <<<"$stderr")"
	fi
}

rule S-179 MUST crun "rdma: for each device hcaHandles or hcaObjects, or both" \
	"in the guest, which has no such device: both, of one that is not there; neither"
S_179() {
	refuses_limit '{"rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 4}}}' rdma
	only_hull "without such a device"
	refuses_limit '{"rdma": {"mlx5_1": {}}}' rdma
}

rule S-180 MUST - "unified: files of the cgroup by their names, also those that a runtime does not know" \
	"in the guest: memory.oom.group, cgroup.max.depth"
S_180() {
	limits '{"unified": {"memory.oom.group": "1", "cgroup.max.depth": "7", "memory.high": "50000000"}}' \
		memory.oom.group=1 cgroup.max.depth=7 memory.high=49999872
}

rule S-181 MUST - "the controllers that unified needs are enabled" "in the guest: a limit of pids, through unified"
S_181() {
	resources '{"unified": {"pids.max": "33"}}'
	program /bin/sleep 1000
	creates
	same "pids.max" "$(<"$CGROUP/pids.max")" 33
	same "pids enabled above it" "$(grep -cw pids "$CGROUPS/hull-test/cgroup.subtree_control")" 1
}

rule S-182 MUST - "unified: a controller or a file that is not there is an error" "in the guest: foo.bar, memory.nothing"
S_182() {
	refuses_limit '{"unified": {"foo.bar": "1"}}' unified
	refuses_limit '{"unified": {"memory.nothing": "1"}}' unified
}

rule S-183 SEC - "a name in unified with a slash is refused" "in the guest: ../cgroup.procs"
S_183() {
	refuses_limit '{"unified": {"../cgroup.max.depth": "5"}}' unified
	refuses_limit '{"unified": {"a/b": "5"}}' unified
}

rule S-184 MAY/MUST - "what is meant for cgroup v1 is converted where it can be, and else an error" \
	"in the guest: shares, swap and quota are converted; leafWeight is not"
S_184() {
	limits '{"cpu": {"shares": 1024}, "memory": {"limit": 67108864, "swap": 67108864}, "pids": {"limit": 9}}' \
		memory.max=67108864 memory.swap.max=0 pids.max=9
	refuses_limit '{"blockIO": {"leafWeight": 100}}' blockIO.leafWeight
	refuses_limit '{"memory": {"swappiness": 10}}' memory.swappiness
}

rule S-185 MAY - "a limit whose controller is not there is an error" \
	"on a machine without the controller pids in cgroup v2; else one that no kernel has"
S_185() {
	if grep -qw pids "$CGROUPS/cgroup.controllers"; then
		refuses_limit '{"unified": {"nothing.max": "1"}}' unified
	else
		refuses_limit '{"pids": {"limit": 10}}' pids.limit
	fi
	SAW="refused"
}
