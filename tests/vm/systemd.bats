#!/usr/bin/env bats
# The systemd driver, in a guest whose process 1 is systemd: what the unit says and what the cgroup's
# files say, and that neither outlives its container, however that ends. Run by `run -s`.

# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # each test has variables of its own; ../lib.bash uses them
load lib

SLICE=hull-vm.slice

setup() {
	guest_setup
	[[ $(</proc/1/comm) == systemd ]] || skip "process 1 is not systemd: ./tests/vm/run -s"
	UNIT=test-$ID.scope
	CGROUP=$CGROUPS/hull.slice/$SLICE/$UNIT
	config --arg path "$SLICE:test:$ID" '.linux.cgroupsPath = $path'
}

teardown() {
	[[ -z ${UNIT:-} ]] || timeout 30 systemctl stop "$UNIT" 2>/dev/null || true
	hull_teardown
}

# systemd_hull ARG...: with the driver; what comes after a start needs no option.
systemd_hull() {
	timeout 90 "$HULL" --root "$STATE" --systemd-cgroup "$@"
}

# started: runs the bundle detached.
started() {
	capture systemd_hull run --detach -b "$BUNDLE" "$ID"
	expect 0
}

# unit_says NAME=VALUE...: properties of the unit, as systemctl shows them.
unit_says() {
	local want all
	all=$(timeout 30 systemctl show "$UNIT")
	for want in "$@"; do
		grep -qxF -- "$want" <<<"$all" ||
			fail "the unit does not say $want but $(grep "^${want%%=*}=" <<<"$all")"
	done
}

# file_says FILE VALUE: of the container's cgroup.
file_says() {
	[[ $(<"$CGROUP/$1") == "$2" ]] || fail "$1 has '$(<"$CGROUP/$1")' and not '$2'"
}

# no_unit: systemd does not know it any more, and nothing else is left.
no_unit() {
	local left
	left=$(timeout 30 systemctl list-units --all --no-legend --plain "$UNIT")
	[[ -z $left ]] || fail "the unit is left: $left"
	assert_clean
}

delete() {
	capture timeout 60 "$HULL" --root "$STATE" delete "$@" "$ID"
	expect 0
	no_unit
}

# systemd_start: as hull_start, with the driver.
systemd_start() {
	"$HULL" --root "$STATE" --systemd-cgroup run --pid-file "$T/pid" -b "$BUNDLE" "$ID" \
		>"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -s "$T/pid"
	PID=$(<"$T/pid")
	wait_for is_started
}

@test "systemd: the unit and the files have the same limits, and daemon-reload leaves them" {
	resources '{
		"memory": {"limit": 67108864, "reservation": 8388608, "swap": 100663296},
		"cpu": {"shares": 512, "quota": 20000, "period": 50000, "burst": 1000, "cpus": "0"},
		"pids": {"limit": 10},
		"blockIO": {"weight": 500, "throttleReadBpsDevice": [{'"$(numbers vda)"', "rate": 1048576}]},
		"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}],
		"unified": {"memory.high": "50331648"},
		"devices": [{"allow": false, "access": "rwm"}]
	}'
	config '.annotations["org.systemd.property.TimeoutStopSec"] = "1.5"
		| .annotations["org.systemd.property.Documentation"] = "[\"man:hull\"]"'
	program /bin/sleep 1000
	started
	unit_says MemoryMax=67108864 MemoryLow=8388608 MemorySwapMax=33554432 MemoryHigh=50331648 \
		CPUWeight=20 CPUQuotaPerSecUSec=400ms CPUQuotaPeriodUSec=50ms AllowedCPUs=0 TasksMax=10 \
		IOWeight=4950 "IOReadBandwidthMax=/dev/block/$(numbers_of vda) 1048576" \
		DevicePolicy=strict "DeviceAllow=char-136 rwm" Delegate=yes ActiveState=active \
		TimeoutStopUSec=1.500000s Documentation=man:hull Slice=$SLICE \
		"ControlGroup=${CGROUP#"$CGROUPS"}"
	check_limits
	[[ $(wc -l <"$CGROUP/cgroup.procs") == 1 ]] || fail "not one process: $(<"$CGROUP/cgroup.procs")"
	timeout 60 systemctl daemon-reload
	check_limits
	delete --force
}

check_limits() {
	file_says memory.max 67108864
	file_says memory.low 8388608
	file_says memory.swap.max 33554432
	file_says memory.high 50331648
	file_says cpu.weight 20
	file_says cpu.max "20000 50000"
	file_says cpu.max.burst 1000
	file_says cpuset.cpus 0
	file_says pids.max 10
	file_says io.weight "default 4950"
	file_says io.max "$(numbers_of vda) rbps=1048576 wbps=max riops=max wiops=max"
	file_says hugetlb.2MB.rsvd.max 4194304
}

@test "systemd: update changes unit and files, or neither; state, ps, pause and kill need no option" {
	resources '{"memory": {"limit": 67108864}, "cpu": {"quota": 20000, "period": 50000}}'
	program /bin/sleep 1000
	started
	capture hull update --memory 33554432 --memory-swap 50331648 --cpu-quota 12345 \
		--cpu-period 70000 --pids-limit 7 "$ID"
	expect 0
	file_says memory.max 33554432
	file_says memory.swap.max 16777216
	file_says cpu.max "12345 70000"
	file_says pids.max 7
	unit_says MemoryMax=33554432 MemorySwapMax=16777216 CPUQuotaPeriodUSec=70ms TasksMax=7
	# What the kernel refuses changes neither.
	capture hull update --cpu-quota 12 "$ID"
	expect_error "cpu.max"
	file_says cpu.max "12345 70000"
	unit_says CPUQuotaPeriodUSec=70ms CPUQuotaPerSecUSec=176.357ms
	timeout 60 systemctl daemon-reload
	file_says memory.max 33554432
	file_says pids.max 7

	[[ $(hull state "$ID" | jq -r .hull.systemdUnit) == "$UNIT" ]] || fail "the state does not name it"
	[[ $(hull ps --format json "$ID" | jq length) == 1 ]] || fail "not one process"
	hull pause "$ID"
	file_says cgroup.freeze 1
	hull resume "$ID"
	hull kill "$ID" KILL
	delete --force
}

@test "systemd: an update that systemd refuses changes nothing" {
	resources '{"pids": {"limit": 10}, "devices": [{"allow": false, "access": "rwm"}]}'
	program /bin/sleep 1000
	started
	# systemd.resource-control(5): MemoryHigh is one byte or more; the kernel takes 0.
	echo '{"pids": {"limit": 7}, "unified": {"memory.high": "0"},
		"devices": [{"allow": true, "access": "rwm"}]}' >"$T/new"
	capture hull update --resources "$T/new" "$ID"
	expect_error "systemd cannot change the unit"
	expect_error "cause .*MemoryHigh"
	file_says pids.max 10
	file_says memory.high max
	unit_says TasksMax=10
	capture hull exec "$ID" sh -c 'mknod /tmp/sda b 8 0 2>/dev/null && : </tmp/sda'
	((status != 0)) || fail "the device rules are the new ones"
	capture hull update --pids-limit 7 "$ID"
	expect 0
	file_says pids.max 7
	delete --force
}

@test "systemd: an idle cgroup is taken back for good" {
	program /bin/sleep 1000
	started
	echo '{"cpu": {"idle": 1}}' >"$T/new"
	capture hull update --resources "$T/new" "$ID"
	expect 0
	file_says cpu.idle 1
	echo '{"cpu": {"idle": 0}}' >"$T/new"
	capture hull update --resources "$T/new" "$ID"
	expect 0
	unit_says "CPUWeight=[not set]"
	timeout 60 systemctl daemon-reload
	file_says cpu.idle 0
	delete --force
}

numbers_of() {
	awk -v name="$1" '$4 == name { print $1 ":" $2 }' /proc/partitions
}

@test "systemd: devices are what config.json says, and what an update says" {
	resources '{"devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "b", '"$(numbers vda)"', "access": "r"}]}'
	config '.linux.devices = [{"path": "/dev/disk", "type": "b", '"$(numbers vda)"'}]'
	script 'for i in null disk; do
			if (: </dev/$i) 2>/dev/null; then echo "$i yes"; else echo "$i no"; fi; done
		(: >/dev/disk) 2>/dev/null || echo "disk not to write"; sleep 1000'
	systemd_hull run --detach -b "$BUNDLE" "$ID" >"$T/stdout" 2>&1
	wait_for grep -q "not to write" "$T/stdout"
	grep -qx "null yes" "$T/stdout"
	grep -qx "disk yes" "$T/stdout"
	unit_says "DeviceAllow=/dev/block/$(numbers_of vda) rm"
	echo '{"devices": [{"allow": false, "access": "rwm"}]}' >"$T/new"
	capture hull update --resources "$T/new" "$ID"
	expect 0
	capture hull exec "$ID" sh -c ': </dev/null && ! (: </dev/disk)'
	expect 0
	! timeout 30 systemctl show "$UNIT" | grep -q "DeviceAllow=/dev/block/" ||
		fail "the unit still allows it"
	delete --force
}

@test "systemd: one process may be all, the unit ends with the program, and its name is free then" {
	resources '{"pids": {"limit": 1}}'
	program /bin/cat /proc/self/cgroup /sys/fs/cgroup/pids.max
	for _ in 1 2; do
		capture systemd_hull run -b "$BUNDLE" "$ID"
		expect 0 $'0::/\n1'
		no_unit
	done
}

@test "systemd: a container that runs out of memory is explained" {
	resources '{"memory": {"limit": 33554432, "swap": 33554432}}'
	program /bin/dd if=/dev/zero of=/dev/null bs=64M count=1
	capture systemd_hull run -b "$BUNDLE" "$ID"
	expect 137
	expect_error "out of memory"
	no_unit
}

@test "systemd: events tells of limits and a kill, and ends when systemd removes the cgroup" {
	resources '{"memory": {"limit": 33554432, "swap": 33554432}, "pids": {"limit": 5}}'
	script 'while ! test -e /tmp/go; do sleep 0.2; done
		sh -c "for i in 1 2 3 4 5 6; do sleep 0.1 & done" 2>/dev/null; sleep 0.5
		dd if=/dev/zero of=/dev/null bs=64M count=1; while ! test -e /tmp/end; do sleep 0.2; done'
	"$HULL" --root "$STATE" --systemd-cgroup run -b "$BUNDLE" "$ID" >"$T/stdout" 2>"$T/stderr" \
		</dev/null 3>&- &
	HULL_PID=$!
	wait_for eval 'sleep 0.2; [[ $(hull state "$ID" 2>/dev/null | jq -r .status) == running ]]' ||
		fail "$(<"$T/stderr")"
	timeout 100 "$HULL" --root "$STATE" events --interval 1h "$ID" \
		>"$T/events" 2>"$T/events.err" </dev/null 3>&- &
	local watcher=$! status=0
	wait_for eval 'sleep 0.2; [[ $(head -n 1 "$T/events" | jq -r .type) == stats ]]' ||
		fail "$(<"$T/events.err")"
	jq -e '.data.pids.limit == 5 and .data.memory.usage.limit == 33554432' "$T/events" >/dev/null ||
		fail "$(<"$T/events")"
	touch "$BUNDLE/rootfs/tmp/go"
	wait_for eval 'sleep 0.2; grep -qxF "{\"type\":\"oom\",\"id\":\"$ID\"}" "$T/events"' ||
		fail "$(<"$T/events")" "$(<"$T/stdout")"
	grep -qF '"file":"pids.events","event":"max"' "$T/events" || fail "$(<"$T/events")"
	touch "$BUNDLE/rootfs/tmp/end"
	hull_wait
	wait "$watcher" || status=$?
	[[ $status == 0 ]] || fail "events ends with $status: $(<"$T/events.err")"
	no_unit
}

@test "systemd: it is explained also when systemd was faster, and the cgroup is gone" {
	resources '{"memory": {"limit": 33554432, "swap": 33554432}}'
	script 'while ! test -e /go; do sleep 0.1; done; exec dd if=/dev/zero of=/dev/null bs=64M count=1'
	systemd_start
	kill -STOP "$HULL_PID"
	touch "$BUNDLE/rootfs/go"
	wait_for eval '[[ ! -e $CGROUP ]]'
	kill -CONT "$HULL_PID"
	hull_wait
	expect 137
	expect_error "killed: out of memory .*'dd' .* hit the container's own limit"
	no_unit
}

@test "systemd: without cgroupsPath the scope is below system.slice" {
	config 'del(.linux.cgroupsPath)'
	UNIT=hull-$ID.scope
	CGROUP=$CGROUPS/system.slice/$UNIT
	program /bin/sleep 1000
	started
	unit_says Slice=system.slice "ControlGroup=/system.slice/$UNIT" "Description=container $ID"
	delete --force
}

@test "systemd: create, start, exec and delete" {
	script 'echo started; sleep 1000'
	systemd_hull create -b "$BUNDLE" "$ID" >"$T/program" 2>&1
	unit_says ActiveState=active
	capture hull state "$ID"
	[[ $(jq -r .status <<<"$output") == created ]] || fail "not created"
	hull start "$ID"
	capture hull exec "$ID" sh -c 'cat /proc/self/cgroup'
	expect 0 "0::/"
	hull kill "$ID" KILL
	wait_for sh -c "'$HULL' --root '$STATE' state '$ID' | grep -q stopped"
	delete
}

@test "systemd: a start that fails leaves no unit" {
	program /nowhere
	capture systemd_hull run -b "$BUNDLE" "$ID"
	expect_error "no such file"
	no_unit
	# after the unit was made, before there is a process
	resources '{"unified": {"memory.max": "nonsense"}}'
	capture systemd_hull run -b "$BUNDLE" "$ID"
	expect_error "memory.max"
	no_unit
	# by systemd itself
	config '.linux.resources = {} | .annotations["org.systemd.property.CollectMode"] = "\u0027nonsense\u0027"'
	capture systemd_hull run -b "$BUNDLE" "$ID"
	expect_error "systemd cannot make the unit"
	expect_error "cause .*CollectMode"
	no_unit
}

@test "systemd: a unit that exists is not taken, and goes on" {
	mkdir "$T/mark"
	timeout 60 systemd-run --quiet --scope --unit="$UNIT" --slice="$SLICE" sleep 300 \
		>/dev/null 2>&1 </dev/null 3>&- &
	wait_for grep -qs . "$CGROUP/cgroup.procs"
	capture systemd_hull run -b "$BUNDLE" "$ID"
	expect_error "systemd has a unit '$UNIT' already"
	[[ ! -e $STATE/$ID ]] || fail "the state is left"
	capture hull delete --force "$ID"
	unit_says ActiveState=active
	systemctl stop "$UNIT"
	no_unit
}

@test "systemd: hull is killed while the container runs: delete --force ends all" {
	program /bin/sleep 1000
	systemd_start
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	unit_says ActiveState=active
	delete --force
}

@test "systemd: hull is killed in the middle of a start: delete --force leaves nothing" {
	config --arg mark "$T/mark" '.hooks.createRuntime = [{"path": "/bin/sh",
		"args": ["sh", "-c", "touch \($mark); sleep 60"]}]'
	"$HULL" --root "$STATE" --systemd-cgroup run -b "$BUNDLE" "$ID" \
		>"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
	HULL_PID=$!
	wait_for test -e "$T/mark"
	kill -KILL "$HULL_PID"
	wait "$HULL_PID" || true
	delete --force
}

@test "systemd: a unit that has failed is forgotten by delete" {
	config '.annotations["org.systemd.property.RuntimeMaxSec"] = "1"'
	program /bin/sleep 1000
	started
	wait_for sh -c "systemctl show -p ActiveState '$UNIT' | grep -q failed"
	delete
	config 'del(.annotations)'
	program /bin/true
	capture systemd_hull run -b "$BUNDLE" "$ID"
	expect 0
	no_unit
}

@test "systemd: a container with a user namespace manages its own cgroup" {
	config '.linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| (.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) -= ["ro"]'
	chmod 755 "$T"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	resources '{"pids": {"limit": 5}}'
	script 'cat /sys/fs/cgroup/pids.max; mkdir /sys/fs/cgroup/sub && echo made'
	capture systemd_hull run -b "$BUNDLE" "$ID"
	expect 0 $'5\nmade'
	no_unit
}
