#!/usr/bin/env bats
# The memory controller: each limit is set in config.json, read back from the inside, and its effect
# seen in the kernel's counters. Runs in the guest. (How a kill is explained: death.bats.)
# shellcheck disable=SC2034,SC2153 # variables of and for lib.bash

load lib

setup() { guest_setup; }

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	guest_teardown
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
	expect_seen "dd 137"
	expect_seen "oom_kill 1"
	assert_clean
}

@test "memory: with memory.oom.group all processes are killed with the one" {
	mkdir -p "$CGROUP" # so that its counters stay behind
	resources '{ "memory": { "limit": 33554432, "swap": 33554432 },
		"unified": { "memory.oom.group": "1" } }'
	script "$(show memory.oom.group)"'
		sleep 600 & dd if=/dev/zero of=/dev/null bs=64M count=1; echo "still here"'
	hull_run
	expect 137
	expect_value memory.oom.group 1
	[[ $output != *"still here"* ]] || report "only one was killed"
	grep -qx 'oom_group_kill 1' "$CGROUP/memory.events" || fail "$(<"$CGROUP/memory.events")"
	observed "oom_group_kill 1, exit status 137"
	rmdir "$CGROUP"
	assert_clean
}

@test "memory: what is above the limit goes to swap, as far as the total allows" {
	resources '{ "memory": { "limit": 33554432, "swap": 100663296 } }'
	script "$(show memory.max memory.swap.max)"'
		dd if=/dev/zero of=/dev/null bs=48M count=1; echo "dd $?"
		'"$(counter max memory.events; counter oom_kill memory.events)"
	hull_run
	expect 0
	expect_value memory.swap.max 67108864
	expect_above max 0
	expect_seen "dd 0"
	expect_seen "oom_kill 0"
}

@test "memory: above high it is reclaimed, and nobody is killed" {
	resources '{ "unified": { "memory.high": "16777216" } }'
	script "$(show memory.high)"'
		dd if=/dev/zero of=/dev/null bs=40M count=1; echo "dd $?"
		'"$(counter high memory.events)"
	hull_run
	expect 0
	expect_value memory.high 16777216
	expect_above high 0
	expect_seen "dd 0"
}

# protects FILE BYTES: the container, which holds 12 MB, keeps them when a neighbour wants more than
# both may have together.
protects() {
	local parent=/hull-test/$ID cgroup=$CGROUPS/hull-test/$ID
	config --arg path "$parent/container" '.linux.cgroupsPath = $path'
	script 'dd if=/dev/zero of=/dev/shm/x bs=1M count=12 2>/dev/null; echo ready; exec sleep 600'
	hull_start
	wait_for eval 'sleep 0.3; grep -q ready "$T/stdout"'
	[[ $(<"$cgroup/container/$1") == "$2" ]] || fail "$1: $(<"$cgroup/container/$1")"
	shown "$1" "$2"
	mkdir "$cgroup/neighbour"
	echo 41943040 >"$cgroup/memory.max"
	bash -c 'echo $$ >"$1/cgroup.procs"; exec dd if=/dev/zero of=/dev/null bs=48M count=1' \
		- "$cgroup/neighbour" 2>/dev/null 3>&-
	observed "pressed by a neighbour: $(<"$cgroup/container/memory.swap.current") bytes in swap"
	SWAPPED=$(<"$cgroup/container/memory.swap.current")
	kill -KILL "$PID"
	hull_wait
	rmdir "$cgroup/neighbour" "$cgroup"
}

@test "memory: low (reservation) and min protect from a neighbour, and nothing does without" {
	local row
	for row in '{ "memory": { "reservation": 33554432 } }|memory.low|33554432' \
		'{ "unified": { "memory.min": "33554432" } }|memory.min|33554432' \
		'{ "unified": { "memory.low": "0" } }|memory.low|0'; do
		resources "${row%%|*}"
		row=${row#*|}
		protects "${row%|*}" "${row#*|}"
		if [[ $row == *'|0' ]]; then
			((SWAPPED > 400000)) || fail "the control was not pressed: $SWAPPED"
		else
			((SWAPPED < 100000)) || fail "${row%|*}: $SWAPPED bytes were swapped"
		fi
	done
	assert_clean
}

@test "memory: zswap through unified" {
	local had
	[[ -e /sys/module/zswap ]] || skip "this kernel has no zswap"
	had=$(</sys/module/zswap/parameters/enabled)
	echo 1 >/sys/module/zswap/parameters/enabled
	[[ $(</sys/module/zswap/parameters/enabled) == Y ]]
	for limit in max 0; do
		resources '{ "memory": { "limit": 16777216, "swap": 67108864 },
			"unified": { "memory.zswap.max": "'$limit'" } }'
		script "$(show memory.zswap.max)"'
			yes abcdefghijk | dd of=/dev/null bs=24M count=1 iflag=fullblock 2>/dev/null
			echo "dd $?"; '"$(counter zswpout memory.stat)"
		hull_run
		expect 0
		expect_value memory.zswap.max $limit
		expect_line "dd 0"
		if [[ $limit == max ]]; then
			expect_above zswpout 0
		else
			expect_seen "zswpout 0"
		fi
	done
	echo "$had" >/sys/module/zswap/parameters/enabled
}

@test "memory: -1 is unlimited" {
	resources '{ "memory": { "limit": -1, "swap": -1 }, "pids": { "limit": -1 } }'
	script "$(show memory.max memory.swap.max pids.max)"
	hull_run
	expect 0
	expect_value memory.max max
	expect_value memory.swap.max max
	expect_value pids.max max
}

# starts KIB RUNTIME...: does a container start in so much memory, and run /bin/true?
starts() {
	local limit=$(($1 * 1024))
	shift
	config --argjson limit "$limit" '.linux.resources.memory = { limit: $limit, swap: $limit }'
	timeout 60 "$@" run -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null 3>&- && return 0
	timeout 60 "$@" delete --force "$ID" >/dev/null 2>&1 </dev/null 3>&- || true
	return 1
}

# smallest RUNTIME...: in steps of 128 KiB, $SMALLEST.
smallest() {
	local low=0 high=64 middle
	while ((high - low > 1)); do
		middle=$(((low + high) / 2))
		if starts $((middle * 128)) "$@"; then high=$middle; else low=$middle; fi
	done
	SMALLEST=$((high * 128))
}

# at_most_cruns WHAT
at_most_cruns() {
	local own
	smallest "$HULL" --root "$STATE"
	own=$SMALLEST
	smallest crun --root "$T/crun"
	ROW_SET="the smallest memory.limit in which /bin/true starts$1"
	observed "hull $own KiB, crun $SMALLEST KiB"
	((own <= SMALLEST)) || fail "hull $own KiB, crun $SMALLEST KiB"
	((own < 8192)) || fail "neither started"
}

@test "memory: the smallest limit in which a container starts is at most crun's" {
	config '.ociVersion = "1.0.2"'
	program /bin/true
	at_most_cruns ""
}

@test "memory: the same in a user namespace" {
	config '.ociVersion = "1.0.2" | .linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] |
		.linux.gidMappings = .linux.uidMappings'
	program /bin/true
	chmod 755 "$T"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	at_most_cruns " in a user namespace"
}
