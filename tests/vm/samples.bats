#!/usr/bin/env bats
# The sample bundle that needs controllers, as its README says. (All samples are run on the host by
# ../integration/samples.bats, which skips this one where a controller is missing.)

load lib

setup() { guest_setup; }
teardown() { hull_teardown; }

@test "04-limits: the output is what its README promises" {
	local want
	want=$(sed -n '/^```expected$/,/^```$/{/^```/d;p}' "$TOP/bundles/04-limits/README.md")
	cd "$TOP"
	export HULL
	capture ./bundles/try limits
	expect 0 "$want"
}
