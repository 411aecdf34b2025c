#!/usr/bin/env bats
# The unit test of the cgroup library on a real cgroup2 mount, once more where all controllers are.

load lib

setup() { guest_setup; }
teardown() { hull_teardown; }

@test "the cgroup library's own tests pass, with every limit" {
	local program
	program=$(dirname "$HULL")/tests/test_cgroup_native
	[[ -x $program ]] || skip "not built: $program"
	capture "$program"
	expect 0
	! grep -q "not checked" "$T/stdout" "$T/stderr" || report "a controller was missing"
}
