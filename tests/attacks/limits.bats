#!/usr/bin/env bats
# Attacks by the program inside on its own limits, through a cgroup that it may write to. What keeps
# them is the cgroup namespace, with a cgroup2 mount that has nsdelegate: the control has none. Run
# where there are controllers, as in the guest (../vm).

# shellcheck disable=SC2030,SC2031 # attacks set what start has found
load lib

setup() {
	attack_setup
	need_controller pids
	grep -q "^[^ ]* $CGROUPS cgroup2 .*nsdelegate" /proc/mounts || skip "no nsdelegate here"
	config '(.mounts[] | select(.type == "cgroup")).options |= map(select(. != "ro"))
		| .linux.resources = { "pids": { "limit": 20 } }'
}

teardown() { attack_teardown; }

# compare_namespace ATTACK: with the cgroup namespace, and without one.
compare_namespace() {
	local real=refused control=refused
	! "$1" || real=succeeded
	assert_clean
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	! "$1" || control=succeeded
	verdict "$real" "without a cgroup namespace" "$control"
}

raised() {
	script 'echo max >/sys/fs/cgroup/pids.max; echo "limit $(cat /sys/fs/cgroup/pids.max)"'
	start
	[[ $output == "limit max" ]]
}

# bats test_tags=guest
@test "R-010, R-028: the program writes another limit into its cgroup" {
	compare_namespace raised
}

# Out of the container's cgroup its limit would not hold. (Whoever mounts the tree outside of a
# cgroup namespace decides about the options of all its mounts: they must stay as they are.)
moved_out() {
	local options
	options=$(awk -v at="$CGROUPS" '$2 == at { print $4 }' /proc/mounts | tr , '\n' |
		grep -vxE 'rw|nosuid|nodev|noexec|relatime|seclabel' | paste -sd ,)
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"] | unique)'
	script "mkdir -p /tmp/c && mount -t cgroup2 -o $options none /tmp/c"' && echo $$ >/tmp/c/cgroup.procs
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do sleep 60 & done
		echo forked'
	start
	[[ $output == *forked* ]]
}

# bats test_tags=guest
@test "R-010, R-028: the program moves to the root of a cgroup tree that it mounts" {
	compare_namespace moved_out
}
