/*
 * A shortened filter answers as the one that it stands for: for random programs of the
 * instructions that libseccomp uses, at each constant of them and beside it; and what engines'
 * profiles become is short (that its answers are right: test_seccomp_engines.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/bpf_common.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf.h"
#include "profile.h"
#include "seccomp/profile.h"
#include "spec/spec.h"

#define PROGRAMS   300
#define UNITS_MAX  120
#define LONG       20 /* programs whose jumps are as long as they can be */
#define LONG_UNITS 1300
#define CALLS_MAX  700
#define UNIT_INSNS 3

static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0, 7,
				   UINT32_MAX };

static uint32_t at(size_t offset)
{
	return (uint32_t)offset;
}

/* ---- random programs ---- */

static uint32_t random_below(uint32_t n)
{
	return (uint32_t)random() % n;
}

static uint32_t random_constant(void)
{
	switch (random_below(6)) {
	case 0:
		return arches[random_below(ARRAY_SIZE(arches))];
	case 1:
		return 0x40000000u | random_below(40);
	case 2:
		return UINT32_MAX - random_below(3);
	default:
		return random_below(40);
	}
}

static uint32_t random_field(void)
{
	switch (random_below(5)) {
	case 0:
		return at(offsetof(struct seccomp_data, arch));
	case 1:
		return at(offsetof(struct seccomp_data, args)) + 4 * random_below(12);
	default:
		return at(offsetof(struct seccomp_data, nr));
	}
}

static struct sock_filter random_return(void)
{
	static const uint32_t values[] = { SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_THREAD,
					   SECCOMP_RET_ERRNO | 1, SECCOMP_RET_USER_NOTIF };
	return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, values[random_below(4)]);
}

/* To the beginning of one of the next units, of which each has as many instructions. */
static uint8_t random_way(size_t left)
{
	uint32_t furthest = left < 255 / UNIT_INSNS ? (uint32_t)left : 255 / UNIT_INSNS;
	return (uint8_t)(furthest ? UNIT_INSNS * random_below(furthest) : 0);
}

/* Loads a field, looks at some bits of it or not, and chooses; or returns; or jumps. */
static void write_unit(struct sock_filter *to, size_t left)
{
	static const uint16_t operators[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JEQ, BPF_JSET };
	uint32_t kind = random_below(12), field = random_field(), value = random_constant();
	uint16_t operator= operators[random_below(ARRAY_SIZE(operators))];
	bool is_argument = field >= offsetof(struct seccomp_data, args);

	if (operator== BPF_JSET && !is_argument)
		value = 0x40000000;
	to[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, field);
	to[1] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0);
	if (is_argument)
		to[1] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, random_constant());
	to[2] = (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | operator| BPF_K), value,
					     random_way(left), random_way(left));
	if (left == 0 || kind == 0)
		to[2] = random_return();
	else if (kind == 1)
		to[2] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, random_way(left));
}

static struct seccomp_filter random_program(size_t units, struct arena *arena)
{
	struct seccomp_filter f = { .len = (unsigned short)(units * UNIT_INSNS) };

	f.insns = arena_array(arena, f.len, sizeof(*f.insns));
	for (size_t i = 0; i < units; i++)
		write_unit(&f.insns[i * UNIT_INSNS], units - 1 - i);
	return f;
}

/* ---- the same answers ---- */

static void same_answer(const struct seccomp_filter *a, const struct seccomp_filter *b,
			uint32_t arch, uint32_t number)
{
	uint64_t args[6];
	for (unsigned i = 0; i < 6; i++)
		args[i] = (uint64_t)random_constant() << 32 | random_constant();
	uint32_t expected = filter_answer(a, arch, (int)number, args);
	uint32_t got = filter_answer(b, arch, (int)number, args);
	if (expected != got)
		fail_msg("arch 0x%x number 0x%x: 0x%x, not 0x%x", arch, number, got, expected);
}

static void same_answers(const struct seccomp_filter *a, const struct seccomp_filter *b)
{
	for (size_t i = 0; i < a->len; i++)
		for (size_t k = 0; k < ARRAY_SIZE(arches); k++)
			for (uint32_t beside = 0; beside < 3; beside++)
				same_answer(a, b, arches[k], a->insns[i].k + beside - 1);
}

/* How long the shorter one is; 0: there is none. */
static unsigned try_random(size_t units)
{
	struct arena arena;
	arena_init(&arena);
	struct seccomp_filter before = random_program(units, &arena), after = before;
	shorten_program(&after, &arena);
	same_answers(&before, &after);
	arena_done(&arena);
	return after.len < before.len ? after.len : 0;
}

static void test_random_programs(void **state)
{
	unsigned shorter = 0;

	(void)state;
	srandom(20261129);
	for (unsigned i = 0; i < PROGRAMS; i++)
		shorter += try_random(2 + random_below(UNITS_MAX - 2)) > 0;
	assert_true(shorter > PROGRAMS / 2);
}

/* Longer than one jump. */
static void test_long_programs(void **state)
{
	unsigned longer = 0;

	(void)state;
	srandom(20261129);
	for (unsigned i = 0; i < LONG; i++)
		longer += try_random(LONG_UNITS) > 300;
	assert_true(longer > LONG / 4);
}

/* ---- what is left alone ---- */

static void stays(struct sock_filter *insns, unsigned short n)
{
	struct arena arena;
	struct seccomp_filter f = { .insns = insns, .len = n };

	arena_init(&arena);
	shorten_program(&f, &arena);
	assert_ptr_equal(f.insns, insns);
	assert_int_equal(f.len, n);
	arena_done(&arena);
}

/* Each would be shorter if it were understood: the same comparison three times. */
static void test_other_programs_are_left_alone(void **state)
{
	const struct sock_filter again = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5, 2, 0);
	const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_filter number = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	struct sock_filter bits[] = {
		number, BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 3), again, again, allow, allow, allow
	};
	struct sock_filter low_bit[] = { number, BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 2, 2, 0),
					 again,  again,
					 allow,  allow };
	struct sock_filter memory[] = { number,
					BPF_STMT(BPF_ST, 0),
					BPF_STMT(BPF_LD | BPF_MEM, 0),
					again,
					again,
					allow,
					allow,
					allow };
	struct sock_filter value[] = { number, again, again, allow, BPF_STMT(BPF_RET | BPF_A, 0) };
	/* The number, or the architecture, as the number says. */
	struct sock_filter several[] = { number,
					 BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 9, 0, 1),
					 BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
					 again,
					 again,
					 allow,
					 allow,
					 allow };

	(void)state;
	stays(bits, ARRAY_SIZE(bits));
	stays(low_bit, ARRAY_SIZE(low_bit));
	stays(memory, ARRAY_SIZE(memory));
	stays(value, ARRAY_SIZE(value));
	stays(several, ARRAY_SIZE(several));
}

/* One that has as many answers as the kernel takes instructions stays as it is. */
static void test_the_longest(void **state)
{
	struct arena arena;
	struct seccomp_filter before = { .len = BPF_MAXINSNS }, after;
	struct sock_filter *insn;

	(void)state;
	arena_init(&arena);
	insn = before.insns = arena_array(&arena, before.len, sizeof(*before.insns));
	*insn++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	for (uint32_t i = 0; i < (BPF_MAXINSNS - 2) / 2; i++) {
		*insn++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 3 * i, 0, 1);
		*insn++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | i);
	}
	*insn++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	before.len = (unsigned short)(insn - before.insns);
	after = before;
	shorten_program(&after, &arena);
	assert_ptr_equal(after.insns, before.insns);
	assert_int_equal(after.len, before.len);
	arena_done(&arena);
}

/* ---- engines ---- */

static void load_docker(struct arena *arena, struct spec *ret)
{
	struct spec_problems problems = { 0 };
	struct err err = { 0 };
	int dirfd = open(TEST_INPUTS, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(
		spec_load(arena, dirfd, "engine-configs/docker-run.json", ret, &problems, &err), 0);
	close(dirfd);
}

static void compiles_to(struct spec *spec, struct arena *arena, unsigned least, unsigned most)
{
	struct seccomp_filter f;
	struct err err = { 0 };

	assert_int_equal(seccomp_compile(&spec->linux.seccomp, arena, &f, &err), 0);
	assert_in_range(f.len, least, most);
}

/* libseccomp alone makes about 1,200 of docker's for three architectures, 400 of each. */
static void test_an_engines_profile_is_short(void **state)
{
	struct arena arena;
	struct spec spec;

	(void)state;
	arena_init(&arena);
	load_docker(&arena, &spec);
	compiles_to(&spec, &arena, 50, 300);
	arena_done(&arena);
}

/* Allows all that x86-64 has. */
static void allow_all(struct spec_seccomp_rule *rule, struct arena *arena)
{
	struct spec_str *names = arena_array(arena, CALLS_MAX, sizeof(*names));
	size_t n = 0;

	for (int i = 0; i < CALLS_MAX; i++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, i);
		if (name)
			names[n++].s = arena_strdup(arena, name);
		free(name);
	}
	rule->names.v = names;
	rule->names.n = n;
}

/* What the kernel would not take before it is short: some 450 instructions for each of these. */
static void test_a_profile_that_fits_when_it_is_short(void **state)
{
	static struct spec_str names[] = {
		{ .s = "SCMP_ARCH_X86_64" },   { .s = "SCMP_ARCH_X86" },
		{ .s = "SCMP_ARCH_X32" },      { .s = "SCMP_ARCH_ARM" },
		{ .s = "SCMP_ARCH_AARCH64" },  { .s = "SCMP_ARCH_MIPSEL" },
		{ .s = "SCMP_ARCH_MIPSEL64" }, { .s = "SCMP_ARCH_MIPSEL64N32" },
		{ .s = "SCMP_ARCH_PPC64LE" },  { .s = "SCMP_ARCH_RISCV64" },
	};
	struct arena arena;
	struct spec spec;

	(void)state;
	arena_init(&arena);
	load_docker(&arena, &spec);
	spec.linux.seccomp.architectures.v = names;
	spec.linux.seccomp.architectures.n = ARRAY_SIZE(names);
	allow_all(&spec.linux.seccomp.syscalls.v[0], &arena);
	compiles_to(&spec, &arena, 100, 1500);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_programs),
		cmocka_unit_test(test_long_programs),
		cmocka_unit_test(test_other_programs_are_left_alone),
		cmocka_unit_test(test_the_longest),
		cmocka_unit_test(test_an_engines_profile_is_short),
		cmocka_unit_test(test_a_profile_that_fits_when_it_is_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
