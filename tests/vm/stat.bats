#!/usr/bin/env bats
# hull events where all controllers are: the numbers, and the word about a kill for want of memory;
# and the freezer on a kernel of its own.

load lib

setup() { guest_setup; }

teardown() {
	[[ -z ${STATE:-} || ! -e $STATE/$ID ]] || hull delete --force "$ID" >/dev/null 2>&1 || true
	guest_teardown
}

# number FILTER MIN MAX: of the one event.
number() {
	jq -e --argjson min "$2" --argjson max "$3" \
		"($1) as \$n | \$n >= \$min and \$n <= \$max" <<<"$output" >/dev/null ||
		report "$1: between $2 and $3 expected, found $(jq -c "$1" <<<"$output")"
}

@test "events --stats: memory, pids, cpu and io" {
	resources '{ "memory": { "limit": 67108864, "swap": 100663296 }, "pids": { "limit": 30 },
		"cpu": { "quota": 20000, "period": 100000 } }'
	script 'x=$(head -c 8000000 /dev/zero | tr "\0" x); sleep 301 & sleep 302 & echo ready; wait'
	hull_start
	wait_for eval 'sleep 0.3; grep -q ready "$T/stdout"'
	H events --stats "$ID"
	expect 0
	[[ -z $stderr ]] || report "nothing expected on standard error"
	number .data.memory.usage.limit 67108864 67108864
	number .data.memory.usage.usage 7000000 67108864
	number .data.memory.raw.anon 7000000 67108864
	number .data.memory.swap.limit 100663296 100663296
	number .data.pids.current 3 3
	number .data.pids.limit 30 30
	number .data.cpu.throttling.periods 1 1000000
	number .data.cpu.usage.total 1000000 60000000000
	number '.data.memory.psi.some.total' 0 60000000
	[[ $(jq -r '.data.blkio | type' <<<"$output") == object ]]
}

@test "events: limits that are met and kills for want of memory are told when they happen" {
	resources '{ "memory": { "limit": 33554432, "swap": 33554432 }, "pids": { "limit": 5 } }'
	script 'while [ ! -e /tmp/go ]; do sleep 0.2; done
		sh -c "for i in 1 2 3 4 5 6; do sleep 0.1 & done" 2>/dev/null; sleep 0.5
		dd if=/dev/zero of=/dev/null bs=64M count=1; echo "dd $?"; exec sleep 300'
	hull_start
	timeout 60 "$HULL" --root "$STATE" events --interval 1h "$ID" \
		>"$T/events" 2>"$T/events.err" </dev/null 3>&- &
	local watcher=$!
	wait_for eval '[[ $(head -n 1 "$T/events" | jq -r .type) == stats ]]'
	: >"/proc/$PID/root/tmp/go"
	wait_for eval 'sleep 0.2; grep -qxF "{\"type\":\"oom\",\"id\":\"$ID\"}" "$T/events"' ||
		fail "$(<"$T/events")" "$(<"$T/stdout")"
	hull kill "$ID" KILL
	wait "$watcher"
	[[ $(grep -c oom "$T/events") == 1 ]]
	for event in '"memory.events","event":"max"' '"pids.events","event":"max"'; do
		grep -qF "{\"type\":\"limit\",\"id\":\"$ID\",\"data\":{\"file\":$event,\"count\":" \
			"$T/events" || fail "no event of $event:" "$(tail -n +2 "$T/events")"
	done
	observed "events told of max in memory.events and pids.events, and of the oom"
}

@test "stats: every column, of a container that has met its limits" {
	config --argjson numbers "{ $(numbers /dev/vda) }" \
		'.linux.devices = [{ path: "/dev/disk", type: "b" } + $numbers]'
	# A limit of the disk, since nothing else asks for the controller that counts what is read.
	resources '{ "memory": { "limit": 33554432, "swap": 33554432 }, "pids": { "limit": 30 },
		"cpu": { "quota": 20000, "period": 100000 },
		"blockIO": { "throttleReadBpsDevice": [{ '"$(numbers vda)"', "rate": 100000000 }] } }'
	script 'dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null
		dd if=/dev/disk of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null
		sleep 301 & echo ready; while :; do :; done'
	hull_start
	wait_for eval 'sleep 0.3; grep -q ready "$T/stdout"' || fail "$(<"$T/stderr")"
	H stats --once --format json --interval 2s "$ID"
	expect 0
	number .cpu.cores 0.02 0.4
	number .cpu.limit 0.2 0.2
	number .cpu.share 0.1 2
	number .cpu.throttled 0.1 1
	number .memory.usage 100000 33554432
	number .memory.limit 33554432 33554432
	number .memory.share 0.001 1
	number .swap.limit 0 0
	number .oomKills 1 1
	number .pids.usage 2 2
	number .pids.limit 30 30
	number .io.read 1048576 100000000
	number .io.written 0 0
	number .pressure.cpu.some 0.01 100
	number .pressure.memory.full 0 100
	number .pressure.io.some 0 100
	observed "$(jq -r '"cores \(.cpu.cores), throttled \(.cpu.throttled), oomKills \(.oomKills), pids \(.pids.usage)"' <<<"$output")"
	H stats --once "$ID"
	expect 0
	expect_match "^$ID +running +0\.[0-9]+ .* 2/30 "
	expect_match "^$ID: throttled in [0-9]+ % of its periods: cpu.max is 0.20 CPUs"
}

@test "pause, state, resume, and a kill while paused" {
	program /bin/sleep 300
	hull_start
	H pause "$ID"
	expect 0 ""
	grep -q 'frozen 1' "$CGROUP/cgroup.events"
	H state "$ID"
	[[ $(jq -r .status <<<"$output") == paused ]] || report "paused expected"
	H resume "$ID"
	expect 0 ""
	grep -q 'frozen 0' "$CGROUP/cgroup.events"
	H pause "$ID"
	H kill "$ID" KILL
	expect 0 ""
	hull_wait
	expect 137
	assert_clean
}
