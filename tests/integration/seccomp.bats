#!/usr/bin/env bats
# Seccomp: what `hull features` lists can be asked for, and does what it says (S-204, S-205, S-207).
# What each filter answers, and that calls newer than the profile fail with ENOSYS, is shown by
# tests/unit/test_seccomp_profile.c; SCMP_ACT_NOTIFY is in notify.bats.

load ../lib
bats_require_minimum_version 1.5.0

setup() {
	hull_setup
	need_root
	hull features >"$T/features" 2>/dev/null
}

teardown() {
	hull_teardown
}

listed() {
	jq -r ".linux.seccomp.$1[]" "$T/features"
}

# bounded_run: the bundle, never for longer than thirty seconds.
bounded_run() {
	capture timeout -k 5 30 "$HULL" --root "$STATE" run -b "$BUNDLE" "$ID" 3>&-
}

@test "every action that features lists" {
	local action n=0
	# The status of mkdir: who is killed takes only itself along.
	declare -A want=(
		[SCMP_ACT_ALLOW]=0 [SCMP_ACT_LOG]=0 [SCMP_ACT_ERRNO]=1 [SCMP_ACT_TRACE]=1 [SCMP_ACT_TRAP]=159
		[SCMP_ACT_KILL]=159 [SCMP_ACT_KILL_THREAD]=159 [SCMP_ACT_KILL_PROCESS]=159
	)
	script 'rm -rf /tmp/made; mkdir /tmp/made; echo $?'
	for action in $(listed actions); do
		[[ $action != SCMP_ACT_NOTIFY ]] || continue
		config --arg action "$action" '.linux.seccomp = {defaultAction: (if $action == "SCMP_ACT_ALLOW"
			then "SCMP_ACT_LOG" else "SCMP_ACT_ALLOW" end), syscalls: [{names: ["mkdir", "mkdirat"], action: $action}]}'
		bounded_run
		expect 0 "${want[$action]:?not known to this test: $action}"
		n=$((n + 1))
	done
	((n == ${#want[@]})) || fail "$n actions"
	[[ $(listed actions) == *SCMP_ACT_NOTIFY* ]] || fail "SCMP_ACT_NOTIFY is not listed"
	assert_clean
}

@test "every operator that features lists" {
	local op n=0
	# kill(2) of signal 0: 7 is no signal of any rule but where it is meant.
	script 'kill -0 $$; echo $?; kill -CONT $$; echo $?'
	declare -A want=(
		[SCMP_CMP_NE]=$'0\n1' [SCMP_CMP_LT]=$'1\n0' [SCMP_CMP_LE]=$'1\n0' [SCMP_CMP_EQ]=$'1\n0'
		[SCMP_CMP_GE]=$'1\n1' [SCMP_CMP_GT]=$'0\n1' [SCMP_CMP_MASKED_EQ]=$'1\n0'
	)
	for op in $(listed operators); do
		# LT takes what is below 1, MASKED_EQ what has none of these bits.
		config --arg op "$op" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["kill"],
			action: "SCMP_ACT_ERRNO", args: [{index: 1, op: $op, value: (if $op == "SCMP_CMP_LT" then 1
			elif $op == "SCMP_CMP_MASKED_EQ" then 31 else 0 end), valueTwo: 0}]}]}'
		bounded_run
		expect 0 "${want[$op]:?not known to this test: $op}"
		n=$((n + 1))
	done
	((n == ${#want[@]})) || fail "$n operators"
	assert_clean
}

@test "every flag that features lists, alone, and all of them" {
	local flag
	script 'grep Seccomp: /proc/self/status'
	[[ $(listed knownFlags | wc -l) == 4 ]] || fail "$(listed knownFlags)"
	for flag in $(listed supportedFlags) '' all; do
		# shellcheck disable=SC2046,SC2086 # one word each, or none
		set -- $([[ $flag == all ]] && listed supportedFlags || echo $flag)
		config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ($list | split(" ") - [""])}' \
			--arg list "$*"
		bounded_run
		expect 0 $'Seccomp:\t2'
	done
	assert_clean
}

@test "every architecture that features lists, and no other" {
	local all arch
	all=$(jq -r '[.linux.seccomp.archs[]] | join(" ")' "$T/features")
	script 'mkdir /tmp/made; echo $?'
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ($list | split(" ")),
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}]}' --arg list "$all"
	bounded_run
	expect 0 1
	for arch in X86 X86_64 X32 ARM AARCH64 LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 \
		MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X SH SHEB PARISC PARISC64 RISCV64; do
		config '.linux.seccomp.architectures = [$arch]' --arg arch "SCMP_ARCH_$arch"
		bounded_run
		if [[ " $all " == *" SCMP_ARCH_$arch "* ]]; then
			expect 0 1
		else
			expect_error "this libseccomp does not know the architecture 'SCMP_ARCH_$arch'"
			expect_error 'linux.seccomp.architectures\[0\]'
		fi
	done
	assert_clean
}
