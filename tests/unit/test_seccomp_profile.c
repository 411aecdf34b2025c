/*
 * Compiled profiles, judged by what their programs answer in the interpreter: actions, errnos,
 * operators, arguments, architectures, the ENOSYS stub, and what is refused with which place.
 */
#include <errno.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

/* clang-format off */
#include "profile.h"
/* clang-format on */

#define X32 0x40000000

/* ---- actions ---- */

struct action_case {
	uint32_t action;
	int64_t errno_ret; /* < 0: not given */
	uint32_t answer;
};

static const struct action_case action_cases[] = {
	{ SCMP_ACT_KILL, -1, SECCOMP_RET_KILL_THREAD },
	{ SCMP_ACT_KILL_PROCESS, -1, SECCOMP_RET_KILL_PROCESS },
	{ SCMP_ACT_TRAP, -1, SECCOMP_RET_TRAP },
	{ SCMP_ACT_LOG, -1, SECCOMP_RET_LOG },
	{ SCMP_ACT_ALLOW, -1, SECCOMP_RET_ALLOW },
	{ SCMP_ACT_NOTIFY, -1, SECCOMP_RET_USER_NOTIF },
	{ SCMP_ACT_ERRNO(0), -1, SECCOMP_RET_ERRNO | EPERM },
	{ SCMP_ACT_ERRNO(0), 0, SECCOMP_RET_ERRNO },
	{ SCMP_ACT_ERRNO(0), ENOSYS, SECCOMP_RET_ERRNO | ENOSYS },
	{ SCMP_ACT_ERRNO(0), 4094, SECCOMP_RET_ERRNO | 4094 },
	{ SCMP_ACT_TRACE(0), -1, SECCOMP_RET_TRACE | EPERM },
	{ SCMP_ACT_TRACE(0), 0xffff, SECCOMP_RET_TRACE | 0xffff },
};

static void test_rule_actions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(action_cases); i++) {
		const struct action_case *c = &action_cases[i];
		uint32_t others = c->action == SCMP_ACT_ALLOW ? SCMP_ACT_LOG : SCMP_ACT_ALLOW;
		struct profile p;
		profile_init(&p, others, -1);
		profile_add_rule(&p, c->action, c->errno_ret, "mkdir", "rmdir", NULL);
		struct seccomp_filter f = profile_compile(&p);
		assert_int_equal(filter_answer_name(&f, "mkdir"), c->answer);
		assert_int_equal(filter_answer_name(&f, "rmdir"), c->answer);
		assert_int_equal(filter_answer_name(&f, "read"), others);
		assert_int_equal(f.has_notify, c->action == SCMP_ACT_NOTIFY);
		profile_done(&p);
	}
}

static void test_default_actions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(action_cases); i++) {
		const struct action_case *c = &action_cases[i];
		uint32_t named = c->action == SCMP_ACT_ALLOW ? SCMP_ACT_LOG : SCMP_ACT_ALLOW;
		struct profile p;
		profile_init(&p, c->action, c->errno_ret);
		profile_add_rule(&p, named, -1, "read", "mkdir", NULL);
		struct seccomp_filter f = profile_compile(&p);
		assert_int_equal(filter_answer_name(&f, "mkdir"), named);
		assert_int_equal(filter_answer_name(&f, "write"), c->answer);
		assert_int_equal(f.has_notify, c->action == SCMP_ACT_NOTIFY);
		profile_done(&p);
	}
}

static void test_no_profile_is_no_filter(void **state)
{
	(void)state;
	const struct spec_seccomp none = { 0 };
	struct seccomp_filter f = { .len = 1 };
	_cleanup_arena_ struct arena arena;
	struct err err = { 0 };

	arena_init(&arena);
	assert_int_equal(seccomp_compile(&none, &arena, &f, &err), 0);
	assert_null(f.insns);
	assert_int_equal(f.len, 0);
	assert_int_equal(seccomp_prepare(&none, -1, &arena, &f, &err), 0);
	assert_null(f.insns);
	assert_int_equal(seccomp_install(&f), 0);
}

/* A rule that repeats the default says nothing; the same action with another errno does. */
static void test_rule_like_the_default(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ERRNO(0), -1);
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), EPERM, "mkdir", NULL);
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), EACCES, "rmdir", NULL);
	profile_add_rule(&p, SCMP_ACT_ALLOW, -1, "futex_waitv", NULL);
	struct seccomp_filter f = profile_compile(&p);
	assert_int_equal(filter_answer_name(&f, "mkdir"), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(filter_answer_name(&f, "rmdir"), SECCOMP_RET_ERRNO | EACCES);
	profile_done(&p);
}

static void test_unknown_names_are_passed_over(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), -1, "opennat", "mkdir", "socketcall", NULL);
	struct seccomp_filter f = profile_compile(&p);
	assert_int_equal(filter_answer_name(&f, "mkdir"), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(filter_answer_name(&f, "openat"), SECCOMP_RET_ALLOW);
	profile_done(&p);
}

/* ---- arguments ---- */

#define HIGH 0x500000000u

static const struct {
	int op;
	uint64_t value, two;
	uint64_t arg;
	bool holds;
} op_cases[] = {
	{ SCMP_CMP_EQ, 7, 0, 7, true },
	{ SCMP_CMP_EQ, 7, 0, 8, false },
	{ SCMP_CMP_EQ, 7, 0, HIGH + 7, false },
	{ SCMP_CMP_EQ, HIGH + 7, 0, HIGH + 7, true },
	{ SCMP_CMP_EQ, UINT64_MAX, 0, UINT64_MAX, true },
	{ SCMP_CMP_EQ, UINT64_MAX, 0, UINT32_MAX, false },
	{ SCMP_CMP_NE, 7, 0, 7, false },
	{ SCMP_CMP_NE, 7, 0, 8, true },
	{ SCMP_CMP_NE, 7, 0, HIGH + 7, true },
	{ SCMP_CMP_LT, 7, 0, 6, true },
	{ SCMP_CMP_LT, 7, 0, 7, false },
	{ SCMP_CMP_LT, HIGH, 0, 7, true },
	{ SCMP_CMP_LT, 7, 0, HIGH, false },
	{ SCMP_CMP_LE, 7, 0, 7, true },
	{ SCMP_CMP_LE, 7, 0, 8, false },
	{ SCMP_CMP_LE, HIGH + 1, 0, HIGH + 1, true },
	{ SCMP_CMP_LE, HIGH + 1, 0, HIGH + 2, false },
	{ SCMP_CMP_GE, 7, 0, 7, true },
	{ SCMP_CMP_GE, 7, 0, 6, false },
	{ SCMP_CMP_GE, 7, 0, HIGH, true },
	{ SCMP_CMP_GE, HIGH + 1, 0, HIGH, false },
	{ SCMP_CMP_GT, 7, 0, 8, true },
	{ SCMP_CMP_GT, 7, 0, 7, false },
	{ SCMP_CMP_GT, HIGH, 0, UINT32_MAX, false },
	{ SCMP_CMP_MASKED_EQ, 0x0f, 0x05, 0xf5, true },
	{ SCMP_CMP_MASKED_EQ, 0x0f, 0x05, 0x04, false },
	{ SCMP_CMP_MASKED_EQ, HIGH | 0xf, HIGH | 1, HIGH | 0xf1, true },
	{ SCMP_CMP_MASKED_EQ, HIGH | 0xf, HIGH | 1, 1, false },
	{ SCMP_CMP_MASKED_EQ, 0x7e020000, 0, 0x01200011, true },
	{ SCMP_CMP_MASKED_EQ, 0x7e020000, 0, 0x10000000, false },
};

static void test_operators_on_every_argument(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(op_cases) * 6; i++) {
		size_t c = i / 6, index = i % 6;
		uint64_t args[6] = { 99, 99, 99, 99, 99, 99 };
		args[index] = op_cases[c].arg;
		struct profile p;
		profile_init(&p, SCMP_ACT_ALLOW, -1);
		profile_add_rule(&p, SCMP_ACT_ERRNO(0), 5, "mmap", NULL);
		profile_add_arg(&p, index, op_cases[c].op, op_cases[c].value, op_cases[c].two);
		struct seccomp_filter f = profile_compile(&p);
		uint32_t expected = op_cases[c].holds ? SECCOMP_RET_ERRNO | 5 : SECCOMP_RET_ALLOW;
		uint32_t answer = filter_answer(&f, AUDIT_ARCH_X86_64, SYS_mmap, args);
		if (answer != expected)
			fail_msg("case %zu, argument %zu: 0x%08x, expected 0x%08x", c, index,
				 answer, expected);
		profile_done(&p);
	}
}

static void test_several_arguments_must_all_hold(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), 5, "socket", NULL);
	profile_add_arg(&p, 0, SCMP_CMP_EQ, 16, 0);
	profile_add_arg(&p, 2, SCMP_CMP_GE, 9, 0);
	struct seccomp_filter f = profile_compile(&p);
	const struct {
		uint64_t args[6];
		uint32_t answer;
	} cases[] = {
		{ { 16, 0, 9 }, SECCOMP_RET_ERRNO | 5 },
		{ { 16, 0, 8 }, SECCOMP_RET_ALLOW },
		{ { 15, 0, 9 }, SECCOMP_RET_ALLOW },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, SYS_socket, cases[i].args),
				 cases[i].answer);
	profile_done(&p);
}

static void test_one_argument_twice_means_either(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ERRNO(0), ENOSYS);
	profile_add_rule(&p, SCMP_ACT_ALLOW, -1, "personality", "socket", NULL);
	profile_add_arg(&p, 0, SCMP_CMP_EQ, 0, 0);
	profile_add_arg(&p, 0, SCMP_CMP_EQ, 8, 0);
	struct seccomp_filter f = profile_compile(&p);
	for (uint64_t v = 0; v < 10; v++) {
		const uint64_t args[6] = { v };
		uint32_t expected = v == 0 || v == 8 ? SECCOMP_RET_ALLOW
						     : SECCOMP_RET_ERRNO | ENOSYS;
		assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, SYS_personality, args),
				 expected);
		assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, SYS_socket, args), expected);
	}
	profile_done(&p);
}

/*
 * podman without CAP_AUDIT_WRITE: all but the audit sockets, in overlapping rules. On i386 they
 * contradict each other in socketcall; the last is left out there, so protocol 9 is refused for
 * all families: less than the profile allows, but not more.
 */
static void test_overlapping_rules_of_podman(void **state)
{
	(void)state;
	static const struct {
		uint32_t arch;
		int nr;
		uint32_t inet_9;
	} calls[] = {
		{ AUDIT_ARCH_X86_64, SYS_socket, SECCOMP_RET_ALLOW },
		{ AUDIT_ARCH_X86_64, X32 | SYS_socket, SECCOMP_RET_ALLOW },
		{ AUDIT_ARCH_I386, 359, SECCOMP_RET_ERRNO | ENOSYS },
	};
	struct profile p;
	profile_init(&p, SCMP_ACT_ERRNO(0), ENOSYS);
	profile_add_arch(&p, "SCMP_ARCH_X86");
	profile_add_arch(&p, "SCMP_ARCH_X32");
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), EINVAL, "socket", NULL);
	profile_add_arg(&p, 0, SCMP_CMP_EQ, 16, 0);
	profile_add_arg(&p, 2, SCMP_CMP_EQ, 9, 0);
	profile_add_rule(&p, SCMP_ACT_ALLOW, -1, "socket", NULL);
	profile_add_arg(&p, 2, SCMP_CMP_NE, 9, 0);
	profile_add_rule(&p, SCMP_ACT_ALLOW, -1, "socket", NULL);
	profile_add_arg(&p, 0, SCMP_CMP_NE, 16, 0);
	struct seccomp_filter f = profile_compile(&p);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const uint64_t audit[6] = { 16, 0, 9 };
		const uint64_t route[6] = { 16, 0, 0 };
		const uint64_t inet_9[6] = { 2, 0, 9 };
		assert_int_equal(filter_answer(&f, calls[i].arch, calls[i].nr, audit),
				 SECCOMP_RET_ERRNO | EINVAL);
		assert_int_equal(filter_answer(&f, calls[i].arch, calls[i].nr, route),
				 SECCOMP_RET_ALLOW);
		assert_int_equal(filter_answer(&f, calls[i].arch, calls[i].nr, inet_9),
				 calls[i].inet_9);
	}
	profile_done(&p);
}

/* The same contradiction in rules that forbid is an error: to leave one out would allow more. */
static void test_contradiction_in_a_multiplexer(void **state)
{
	(void)state;
	struct profile p;
	struct seccomp_filter f;
	struct err err = { 0 };
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_arch(&p, "SCMP_ARCH_X86");
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), 1, "socket", NULL);
	profile_add_arg(&p, 0, SCMP_CMP_EQ, 16, 0);
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), 2, "socket", NULL);
	profile_add_arg(&p, 0, SCMP_CMP_EQ, 17, 0);
	assert_int_equal(seccomp_compile(&p.spec, &p.arena, &f, &err), -EEXIST);
	profile_done(&p);
}

/* ---- architectures ---- */

static void test_native_architecture_is_always_there(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_arch(&p, "SCMP_ARCH_X86");
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), -1, "mkdir", NULL);
	struct seccomp_filter f = profile_compile(&p);
	assert_int_equal(filter_answer_name(&f, "mkdir"), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(filter_answer_name(&f, "read"), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_I386, 39, NULL), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_I386, 3, NULL), SECCOMP_RET_ALLOW);
	profile_done(&p);
}

static void test_foreign_architectures_are_killed(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_arch(&p, "SCMP_ARCH_X86_64");
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), -1, "mkdir", NULL);
	struct seccomp_filter f = profile_compile(&p);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_I386, 3, NULL), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_AARCH64, 63, NULL), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, X32 | SYS_mkdir, NULL),
			 SECCOMP_RET_KILL_THREAD);
	profile_done(&p);
}

static void test_every_architecture_of_one_byte_order(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t arch;
		int mkdirat;
	} cases[] = {
		{ "SCMP_ARCH_X86", AUDIT_ARCH_I386, 296 },
		{ "SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64, 258 },
		{ "SCMP_ARCH_X32", AUDIT_ARCH_X86_64, X32 | 258 },
		{ "SCMP_ARCH_ARM", AUDIT_ARCH_ARM, 323 },
		{ "SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64, 34 },
		{ "SCMP_ARCH_MIPSEL", AUDIT_ARCH_MIPSEL, 4289 },
		{ "SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE, 287 },
		{ "SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64, 34 },
	};
	struct profile p;
	profile_init(&p, SCMP_ACT_ERRNO(0), -1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		profile_add_arch(&p, cases[i].name);
	profile_add_rule(&p, SCMP_ACT_LOG, -1, "mkdirat", NULL);
	struct seccomp_filter f = profile_compile(&p);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t arch = cases[i].arch;
		int nr = cases[i].mkdirat;
		assert_int_equal(filter_answer(&f, arch, nr, NULL), SECCOMP_RET_LOG);
		assert_int_equal(filter_answer(&f, arch, nr - 1, NULL), SECCOMP_RET_ERRNO | EPERM);
		assert_int_equal(filter_answer(&f, arch, nr + 1, NULL), SECCOMP_RET_ERRNO | ENOSYS);
	}
	profile_done(&p);
}

/* ---- system calls newer than the profile ---- */

static void test_newer_calls_do_not_exist(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ERRNO(0), -1);
	profile_add_arch(&p, "SCMP_ARCH_X86");
	profile_add_rule(&p, SCMP_ACT_ALLOW, -1, "read", "statx", NULL);
	struct seccomp_filter f = profile_compile(&p);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, 332, NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, 331, NULL),
			 SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, 333, NULL),
			 SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, 600, NULL),
			 SECCOMP_RET_ERRNO | ENOSYS);
	/* On i386 statx is 383. */
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_I386, 383, NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_I386, 382, NULL), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_I386, 384, NULL), SECCOMP_RET_ERRNO | ENOSYS);
	/* x32 is not named: its calls are foreign ones, not new ones. */
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, X32, NULL), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, X32 | 600, NULL),
			 SECCOMP_RET_KILL_THREAD);
	profile_done(&p);
}

static void test_newer_calls_of_x32(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ERRNO(0), -1);
	profile_add_arch(&p, "SCMP_ARCH_X32");
	profile_add_rule(&p, SCMP_ACT_ALLOW, -1, "read", "execveat", NULL);
	struct seccomp_filter f = profile_compile(&p);
	/* execveat is 322 on x86_64 and 545 on x32. */
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, 322, NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, 323, NULL),
			 SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, X32 | 0, NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, X32 | 323, NULL),
			 SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, X32 | 545, NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, X32 | 546, NULL),
			 SECCOMP_RET_ERRNO | ENOSYS);
	profile_done(&p);
}

/* Only an errno is replaced, and only where the profile names something to be newer than. */
static void test_newer_calls_elsewhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(action_cases); i++) {
		const struct action_case *c = &action_cases[i];
		bool is_errno = c->action == SCMP_ACT_ERRNO(0);
		struct profile p;
		profile_init(&p, c->action, c->errno_ret);
		profile_add_rule(&p, c->action == SCMP_ACT_ALLOW ? SCMP_ACT_LOG : SCMP_ACT_ALLOW,
				 -1, "read", NULL);
		struct seccomp_filter f = profile_compile(&p);
		assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, 600, NULL),
				 is_errno ? SECCOMP_RET_ERRNO | ENOSYS : c->answer);
		profile_done(&p);
	}
	struct profile p;
	profile_init(&p, SCMP_ACT_ERRNO(0), -1);
	struct seccomp_filter f = profile_compile(&p);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_X86_64, 600, NULL),
			 SECCOMP_RET_ERRNO | EPERM);
	profile_done(&p);
}

/* ---- flags ---- */

static void test_flags(void **state)
{
	(void)state;
	static const struct {
		const char *names[3];
		unsigned flags;
	} cases[] = {
		{ { NULL }, SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ { "SECCOMP_FILTER_FLAG_LOG" }, SECCOMP_FILTER_FLAG_LOG },
		{ { "SECCOMP_FILTER_FLAG_TSYNC" }, SECCOMP_FILTER_FLAG_TSYNC },
		{ { "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW" },
		  SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" }, 0 }, /* no listener */
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct profile p;
		profile_init(&p, SCMP_ACT_ALLOW, -1);
		for (size_t k = 0; cases[i].names[k]; k++)
			profile_add_flag(&p, cases[i].names[k]);
		assert_int_equal(profile_compile(&p).flags, cases[i].flags);
		profile_done(&p);
	}
	struct profile p;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	p.spec.flags.at = p.next_at++; /* "flags": [] */
	assert_int_equal(profile_compile(&p).flags, 0);
	profile_add_flag(&p, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
	profile_add_rule(&p, SCMP_ACT_NOTIFY, -1, "mkdir", NULL);
	assert_int_equal(profile_compile(&p).flags, 1 << 5);
	profile_done(&p);
}

/* ---- what is refused ---- */

static void assert_refused(struct profile *p, int code, uint32_t at, const char *text)
{
	struct seccomp_filter f = { .len = 42 };
	struct err err = { 0 };

	assert_int_equal(seccomp_compile(&p->spec, &p->arena, &f, &err), -code);
	assert_int_equal(f.len, 42);
	assert_int_equal(err.at, at);
	if (!strstr(err.message, text))
		fail_msg("'%s' is not in '%s'", text, err.message);
	profile_done(p);
}

static void test_refuses_unknown_architecture(void **state)
{
	(void)state;
	static const char *const names[] = { "SCMP_ARCH_PDP11", "X86_64", "SCMP_ARCH_", "",
					     "SCMP_ARCH_X86_64X86_64X86_64X86_64X86_64" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct profile p;
		profile_init(&p, SCMP_ACT_ALLOW, -1);
		profile_add_arch(&p, names[i]);
		assert_refused(&p, EINVAL, p.spec.architectures.v[0].at,
			       "does not know the architecture");
	}
}

/* Such programs cannot run here; in the filter they are as foreign as those that it does not name.
 */
static void test_the_other_byte_order_is_left_out(void **state)
{
	static const char *const names[] = { "SCMP_ARCH_S390", "SCMP_ARCH_S390X",
					     "SCMP_ARCH_PPC",  "SCMP_ARCH_PPC64",
					     "SCMP_ARCH_MIPS", "SCMP_ARCH_PARISC" };
	static const uint64_t args[6] = { 0 };
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ERRNO(0), -1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		profile_add_arch(&p, names[i]);
	profile_add_rule(&p, SCMP_ACT_ALLOW, -1, "mkdirat", NULL);
	struct seccomp_filter f = profile_compile(&p);
	assert_int_equal(filter_answer_name(&f, "mkdirat"), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_answer_name(&f, "read"), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(filter_answer(&f, AUDIT_ARCH_S390X, 289, args), SECCOMP_RET_KILL_THREAD);
	profile_done(&p);
}

static void test_refuses_unknown_flag(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_flag(&p, "SECCOMP_FILTER_FLAG_NEW_LISTENER");
	assert_refused(&p, EINVAL, p.spec.flags.v[0].at, "unknown seccomp flag");
}

static void test_refuses_errno_of_other_actions(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_KILL, EPERM);
	assert_refused(&p, EINVAL, p.spec.default_errno_ret.at, "returns no errno");
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	const struct spec_seccomp_rule *rule = profile_add_rule(&p, SCMP_ACT_TRAP, 1, "mkdir",
								NULL);
	assert_refused(&p, EINVAL, rule->errno_ret.at, "returns no errno");
}

static void test_refuses_large_errno(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ERRNO(0), 4095);
	assert_refused(&p, ERANGE, p.spec.default_errno_ret.at, "larger than 4094");
	profile_init(&p, SCMP_ACT_TRACE(0), 0x10000);
	assert_refused(&p, ERANGE, p.spec.default_errno_ret.at, "larger than 65535");
}

static void test_refuses_seventh_argument(void **state)
{
	(void)state;
	for (uint64_t index = 6; index < 1u << 31; index = index * 10 + 4) {
		struct profile p;
		profile_init(&p, SCMP_ACT_ALLOW, -1);
		const struct spec_seccomp_rule *rule = profile_add_rule(&p, SCMP_ACT_TRAP, -1,
									"mkdir", NULL);
		profile_add_arg(&p, index, SCMP_CMP_EQ, 1, 0);
		assert_refused(&p, EINVAL, rule->args.v[0].index.at, "no argument");
	}
}

static void test_refuses_contradiction(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), 1, "socket", NULL);
	profile_add_arg(&p, 0, SCMP_CMP_EQ, 16, 0);
	const struct spec_seccomp_rule *rule = profile_add_rule(&p, SCMP_ACT_ERRNO(0), 2, "mkdir",
								"socket", NULL);
	profile_add_arg(&p, 0, SCMP_CMP_EQ, 16, 0);
	assert_refused(&p, EEXIST, rule->names.v[1].at, "'socket' contradicts");
}

static void test_refuses_more_than_the_kernel_takes(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	for (uint64_t i = 0; i < 1400; i++) {
		profile_add_rule(&p, SCMP_ACT_TRAP, -1, "personality", NULL);
		profile_add_arg(&p, 0, SCMP_CMP_EQ, i << 32 | i, 0);
	}
	assert_refused(&p, E2BIG, 0, "the kernel takes 4096");
}

/* They would fit, but libseccomp needs minutes for them. */
static void test_refuses_the_same_again_and_again(void **state)
{
	(void)state;
	struct profile p;
	uint32_t last = 0;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	for (int i = 0; i < 2049; i++)
		last = profile_add_rule(&p, SCMP_ACT_TRAP, -1, "mkdir", "mkdir", "mkdir", "mkdir",
					"mkdir", "mkdir", "mkdir", "mkdir", NULL)
			       ->at;
	assert_refused(&p, E2BIG, last, "more than 16384 rules");
}

/* ---- in the kernel ---- */

static int run_filtered(const struct seccomp_filter *f)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_install(f) < 0)
		return 1;
	if (mkdir("/", 0700) == 0 || errno != EDOM)
		return 2;
	if (syscall(600) == 0 || errno != ENOSYS)
		return 3;
	return getppid() > 0 ? 0 : 4;
}

static void test_install(void **state)
{
	(void)state;
	struct profile p;
	int status = -1;

	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_arch(&p, "SCMP_ARCH_X86");
	profile_add_arch(&p, "SCMP_ARCH_X32");
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), EDOM, "mkdir", NULL);
	struct seccomp_filter f = profile_compile(&p);
	pid_t pid = fork();
	if (pid == 0)
		_exit(run_filtered(&f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	profile_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_actions),
		cmocka_unit_test(test_default_actions),
		cmocka_unit_test(test_no_profile_is_no_filter),
		cmocka_unit_test(test_rule_like_the_default),
		cmocka_unit_test(test_unknown_names_are_passed_over),
		cmocka_unit_test(test_operators_on_every_argument),
		cmocka_unit_test(test_several_arguments_must_all_hold),
		cmocka_unit_test(test_one_argument_twice_means_either),
		cmocka_unit_test(test_overlapping_rules_of_podman),
		cmocka_unit_test(test_contradiction_in_a_multiplexer),
		cmocka_unit_test(test_native_architecture_is_always_there),
		cmocka_unit_test(test_foreign_architectures_are_killed),
		cmocka_unit_test(test_every_architecture_of_one_byte_order),
		cmocka_unit_test(test_newer_calls_do_not_exist),
		cmocka_unit_test(test_newer_calls_of_x32),
		cmocka_unit_test(test_newer_calls_elsewhere),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_refuses_unknown_architecture),
		cmocka_unit_test(test_the_other_byte_order_is_left_out),
		cmocka_unit_test(test_refuses_unknown_flag),
		cmocka_unit_test(test_refuses_errno_of_other_actions),
		cmocka_unit_test(test_refuses_large_errno),
		cmocka_unit_test(test_refuses_seventh_argument),
		cmocka_unit_test(test_refuses_contradiction),
		cmocka_unit_test(test_refuses_more_than_the_kernel_takes),
		cmocka_unit_test(test_refuses_the_same_again_and_again),
		cmocka_unit_test(test_install),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
