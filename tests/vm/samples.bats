#!/usr/bin/env bats
# The sample bundles that need controllers, as their READMEs say. (All samples are run on the host by
# ../integration/samples.bats, which skips these where a controller is missing.)

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

@test "12-oom: the output and the cause of death are what its README promises" {
	local want
	want=$(sed -n '/^```expected$/,/^```$/{/^```/d;p}' "$TOP/bundles/12-oom/README.md")
	cd "$TOP"
	export HULL
	capture ./bundles/try oom
	expect 137 "$want"
	expect_error "^oom-[0-9]+: killed: out of memory after .* 'dd' \(pid [0-9]+ on the host\) hit the container's own limit: 32.0 MiB, swap 0; 1 process killed$"
	expect_error '^  memory  peak 3[12]\.. MiB  anon .* MiB  file .*  kernel '
	expect_error "$(grep -o 'raise linux.resources.memory.limit.*' bundles/12-oom/README.md | sed 's/[().]/\\&/g')"
}
