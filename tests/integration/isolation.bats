#!/usr/bin/env bats
# Namespaces and what belongs to them: new ones, joined ones, the host and domain name, sysctl,
# loopback, time. From inside and from outside.

load ../lib

setup() {
	need_root
	hull_setup
}

teardown() {
	hull_teardown
}

@test "each namespace of the config is a new one, each other the host's" {
	local kind inside
	config '.linux.namespaces |= map(select(.type != "uts")) | del(.hostname)'
	script 'for n in pid net mnt uts ipc cgroup; do echo "$n $(readlink /proc/self/ns/$n)"; done'
	hull_run
	expect 0
	for kind in pid net mnt ipc cgroup; do
		inside=$(sed -n "s/^$kind //p" <<<"$output")
		[[ $inside != "$(readlink /proc/self/ns/$kind)" ]] || report "$kind is the host's"
	done
	[[ $(sed -n 's/^uts //p' <<<"$output") == "$(readlink /proc/self/ns/uts)" ]] ||
		report "uts is not the host's"
}

# inside a user namespace in which that many network namespaces may be made
limited_run() {
	capture timeout 60 unshare --user --map-root-user --mount --net bash -c '
		echo "$1" >/proc/sys/user/max_net_namespaces && shift && exec "$@"' - \
		"$1" "$HULL" --root "$T/limited" run -b "$BUNDLE" "$ID"
}

@test "a network namespace that cannot be made fails the start and leaves nothing" {
	config 'del(.linux.cgroupsPath) | del(.linux.resources) |
		.linux.namespaces |= map(select(.type != "cgroup")) |
		.mounts |= map(select(.type != "cgroup" and .type != "mqueue"))'
	script 'readlink /proc/self/ns/net'
	limited_run 10
	expect 0
	[[ $output == net:* && $output != "$(readlink /proc/self/ns/net)" ]] || report "no namespace"
	limited_run 0
	expect 1
	expect_error "cannot make the container's network namespace"
	expect_error "namespaces is reached"
	[[ -z $(ls "$T/limited") ]] || report "left: $(ls "$T/limited")"
	assert_clean
}

@test "the program is process 1 and sees only its own" {
	script 'echo $$; set -- /proc/[0-9]*; echo $#'
	hull_run
	expect 0 $'1\n1'
}

@test "host and domain name, without a change of the host's" {
	local before
	before=$(hostname)
	config '.hostname = "inner.host" | .domainname = "example"'
	script 'hostname; cat /proc/sys/kernel/domainname'
	hull_run
	expect 0 $'inner.host\nexample'
	[[ $(hostname) == "$before" ]]
}

@test "only loopback, and it is up" {
	script 'echo /sys/class/net/*; ip -o link show lo | grep -o LOWER_UP; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo answers'
	hull_run
	expect 0 $'/sys/class/net/lo\nLOWER_UP\nanswers'
}

@test "sysctl of the container's own namespaces" {
	local before
	before=$(</proc/sys/kernel/msgmax)
	config '.linux.sysctl = { "kernel.msgmax": "4242", "net.ipv4.ip_forward": "1" }'
	script 'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward'
	hull_run
	expect 0 $'4242\n1'
	[[ $(</proc/sys/kernel/msgmax) == "$before" ]]
}

@test "a sysctl that would be the host's is refused" {
	config '.linux.sysctl = { "vm.swappiness": "1" }'
	hull_run
	expect 1
	expect_error 'vm\.swappiness'
	assert_clean
}

@test "a network namespace is joined by its path" {
	unshare --net sleep 60 3>&- &
	local holder=$!
	wait_for bash -c "[[ \$(readlink /proc/$holder/ns/net) != \$(readlink /proc/self/ns/net) ]]"
	config --arg path "/proc/$holder/ns/net" \
		'(.linux.namespaces[] | select(.type == "network")).path = $path'
	program /bin/readlink /proc/self/ns/net
	hull_run
	expect 0 "$(readlink "/proc/$holder/ns/net")"
	kill "$holder"
	assert_clean
}

@test "a pid namespace is joined by its path" {
	unshare --pid --fork --kill-child sleep 60 3>&- &
	local holder=$!
	wait_for test -e "/proc/$holder/ns/pid_for_children"
	wait_for pgrep -P "$holder"
	config --arg path "/proc/$(pgrep -P "$holder")/ns/pid" \
		'(.linux.namespaces[] | select(.type == "pid")).path = $path'
	script 'test $$ != 1 && readlink /proc/self/ns/pid'
	hull_run
	expect 0 "$(readlink "/proc/$(pgrep -P "$holder")/ns/pid")"
	kill "$holder"
	assert_clean
}

@test "a path of another kind of namespace is refused" {
	config '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/uts"'
	hull_run
	expect 1
	expect_error '/proc/self/ns/uts'
	assert_clean
}

@test "names of the host are not changed, even when hull itself is elsewhere" {
	need_root
	config --arg name "$(uname -n)" --arg path "/proc/$$/ns/uts" '(.linux.namespaces[] | select(.type == "uts")).path = $path
		| .hostname = $name'
	capture unshare --uts timeout 20 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 1
	expect_error "'/proc/$$/ns/uts' is the host's uts namespace"
	assert_clean
}

@test "names of an existing namespace that is not the host's are changed" {
	need_root
	touch "$T/uts"
	unshare --uts="$T/uts" true
	config --arg path "$T/uts" '(.linux.namespaces[] | select(.type == "uts")).path = $path
		| .hostname = "inside"'
	program /bin/hostname
	hull_run
	expect 0 inside
	expect 0 "$(nsenter --uts="$T/uts" uname -n)"
	umount "$T/uts"
	assert_clean
}

@test "a /proc of another pid namespace is refused, for its numbers are those of other processes" {
	need_root
	script 'echo ran'
	capture timeout 20 unshare --pid --fork --kill-child "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 1
	expect_error "'/proc' shows another pid namespace"
	expect_error 'hint +mount a /proc'
	capture timeout 20 unshare --pid --fork --kill-child --mount-proc \
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	expect 0 ran
	assert_clean
}

@test "the clock of a time namespace is moved" {
	[[ -e /proc/self/ns/time ]] || skip "no time namespaces"
	config '.linux.namespaces += [{ "type": "time" }]
		| .linux.timeOffsets = { "boottime": { "secs": 86400000 } }'
	script 'test $(cut -d. -f1 /proc/uptime) -ge 86400000 && echo moved'
	hull_run
	expect 0 moved
}

@test "the cgroup is the one that was asked for, and the root inside" {
	program /bin/sleep 60
	hull_start
	[[ $(grep ^0:: "/proc/$PID/cgroup") == "0::/hull-test/$ID" ]]
	kill -KILL "$PID"
	hull_wait
	assert_clean
	script 'grep ^0:: /proc/self/cgroup'
	hull_run
	expect 0 "0::/"
	assert_clean
}

# A private mount namespace from which all cgroup mounts are gone.
@test "without a cgroup2 mount a container that asks for no limit runs" {
	config 'del(.linux.cgroupsPath) | .process.args = ["/bin/echo", "runs"]'
	local without='umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup; exec "$@"'
	run unshare -m --propagation private sh -c "$without" sh \
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	[[ $status == 0 && $output == runs ]] || fail "$output"
	config '.linux.resources.pids.limit = 10'
	run unshare -m --propagation private sh -c "$without" sh \
		"$HULL" --root "$STATE" run -b "$BUNDLE" "$ID"
	[[ $status == 1 && $output == *cgroup* ]] || fail "$output"
	[[ ! -e $STATE/$ID ]]
}
