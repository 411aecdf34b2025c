#!/usr/bin/env bats
# Runs each sample of bundles/ as its README says, and compares with what the README promises. In a
# README the first ```sh block is the command; ```expected is its exact output, ```expected-pattern
# has an extended regular expression for each line, ```status the exit status where it is not 0.

load ../lib
bats_require_minimum_version 1.5.0

setup() {
	hull_setup
	need_root
	export HULL
	cd "$TOP" || return
}

teardown() {
	hull_teardown
}

# block README LABEL: the inside of the first fenced block with that label.
block() {
	awk -v fence='```'"$2" '
		$0 == fence { inside = 1; next }
		inside && /^```$/ { exit }
		inside' "$1"
}

# Each line of the output must match the pattern in its place.
match_lines() {
	local pattern=$1 text=$2 want got
	while IFS= read -r want <&3 && IFS= read -r got <&4; do
		grep -qxE -- "$want" <<<"$got" || report "expected to match: $want"
	done 3<<<"$pattern" 4<<<"$text"
	[[ $(wc -l <<<"$pattern") == $(wc -l <<<"$text") ]] || report "another number of lines"
}

# sample NAME: the whole of it.
sample() {
	local readme=bundles/$1/README.md exact pattern
	capture bash -c "$(block "$readme" sh)"
	((status != 3)) || skip "$(grep -m1 needs "$T/stderr")"
	exact=$(block "$readme" expected)
	pattern=$(block "$readme" expected-pattern)
	want=$(block "$readme" status)
	expect "${want:-0}"
	[[ -n $exact || -n $pattern ]] || fail "$readme promises no output"
	[[ -z $exact ]] || expect "${want:-0}" "$exact"
	[[ -z $pattern ]] || match_lines "$pattern" "$output"
	assert_clean
	# `try` names the container itself, after the sample and its own process.
	! compgen -G "/run/hull/${1#*-}-*" || fail "state is left"
	! compgen -G "$CGROUPS/hull/${1#*-}-*" || fail "a cgroup is left"
}

@test "01-hello" {
	sample 01-hello
}

@test "02-shell" {
	sample 02-shell
}

@test "03-readonly-tmpfs" {
	sample 03-readonly-tmpfs
}

@test "04-limits" {
	sample 04-limits
}

@test "05-capabilities" {
	sample 05-capabilities
}

@test "06-seccomp" {
	sample 06-seccomp
}

@test "07-overlay" {
	sample 07-overlay
}

@test "08-namespaces" {
	sample 08-namespaces
}

@test "09-user-namespace" {
	sample 09-user-namespace
}

@test "10-hooks" {
	sample 10-hooks
}

@test "11-init-reaps" {
	sample 11-init-reaps
}

@test "14-rootless" {
	sample 14-rootless
}

@test "12-oom" {
	sample 12-oom
}

@test "13-terminal" {
	sample 13-terminal
}

@test "15-bridge" {
	sample 15-bridge
}

@test "no sample is left out here" {
	local dir
	for dir in bundles/[0-9]*/; do
		grep -q "^@test \"$(basename "$dir")\"" "$BATS_TEST_FILENAME" || fail "not tested: $dir"
	done
}
