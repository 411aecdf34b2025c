#!/usr/bin/env bats
# The wrong bundles of bundles/broken: each has a file `expected` with exactly what hull says on
# standard error when it is run from the top of the project. None of them may start, and none may
# leave anything behind. Those whose mistake shows only in a start share a root filesystem.

load ../lib

setup() {
	hull_setup
	need_root
	cd "$TOP" || return
	ID=x
}

teardown() {
	hull_teardown
}

# broken DIR: runs one of them; prints what is wrong with the answer.
broken() {
	local dir=$1
	capture hull run -b "${dir%/}" "$ID"
	[[ $status == 1 ]] || echo "exit status 1 expected, got $status"
	[[ -z $output ]] || echo "unexpected output: $output"
	diff "$dir/expected" "$T/stderr"
	[[ ! -e $STATE/$ID && ! -e $CGROUPS/hull/$ID ]] || echo "something is left behind"
}

setup_file() {
	local root=$BATS_TEST_DIRNAME/../../bundles/broken/rootfs
	[[ -d $root ]] || "$BATS_TEST_DIRNAME/../../bundles/mkrootfs" "$root"
}

@test "each broken bundle gets the error that it must give" {
	local dir wrong failed=0
	for dir in bundles/broken/[0-9]*/; do
		wrong=$(broken "$dir")
		[[ -z $wrong ]] && continue
		failed=$((failed + 1))
		printf '%s:\n%s\n' "$dir" "$wrong"
	done
	((failed == 0))
	assert_clean
}

@test "there are at least twenty of them" {
	local all=(bundles/broken/[0-9]*/expected)
	((${#all[@]} >= 20))
}
