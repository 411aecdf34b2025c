/* Names in a profile: which are reported, where, and what is suggested instead. */
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "profile.h"

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(seccomp_syscall_number("mkdir"), SYS_mkdir);
	assert_int_equal(seccomp_syscall_number("opennat"), -1);
	assert_int_equal(seccomp_syscall_number(""), -1);
	assert_int_equal(seccomp_syscall_number("socketcall"), -1); /* of i386 */
}

static void test_nearest(void **state)
{
	(void)state;
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{ "opennat", "openat" },    { "mkdri", "mkdir" }, { "Clone3", "clone3" },
		{ "qwertyuiopasdf", NULL }, { "", NULL },
	};
	_cleanup_arena_ struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *nearest = seccomp_syscall_nearest(cases[i].word, &arena);
		if (cases[i].nearest)
			assert_string_equal(nearest, cases[i].nearest);
		else
			assert_null(nearest);
	}
}

static void test_unknown_call_is_a_warning(void **state)
{
	(void)state;
	struct spec_problems problems = { 0 };
	struct profile p;

	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_rule(&p, SCMP_ACT_LOG, -1, "mkdir", "socketcall", NULL);
	const struct spec_seccomp_rule *rule = profile_add_rule(&p, SCMP_ACT_LOG, -1, "mkdir",
								"opennat", NULL);
	seccomp_check(&p.spec, &p.arena, &problems);
	assert_int_equal(problems.errors, 0);
	assert_int_equal(problems.warnings, 1);
	assert_int_equal(problems.first->severity, SPEC_WARNING);
	assert_int_equal(problems.first->err.at, rule->names.v[1].at);
	assert_non_null(strstr(problems.first->err.message, "unknown system call 'opennat'"));
	assert_non_null(strstr(problems.first->err.hint, "'openat'"));
	profile_done(&p);
}

static void test_unknown_architecture_is_an_error(void **state)
{
	(void)state;
	struct spec_problems problems = { 0 };
	struct profile p;

	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_arch(&p, "SCMP_ARCH_X86_64");
	profile_add_arch(&p, "SCMP_ARCH_PDP11");
	seccomp_check(&p.spec, &p.arena, &problems);
	assert_int_equal(problems.errors, 1);
	assert_int_equal(problems.first->err.at, p.spec.architectures.v[1].at);
	assert_non_null(strstr(problems.first->err.message, "'SCMP_ARCH_PDP11'"));
	profile_done(&p);
}

/* More than are kept are counted, and cost no search for a nearest name. */
static void test_many_unknown_calls(void **state)
{
	(void)state;
	struct spec_problems problems = { 0 };
	struct profile p;

	profile_init(&p, SCMP_ACT_ALLOW, -1);
	for (int i = 0; i < 1000; i++)
		profile_add_rule(&p, SCMP_ACT_LOG, -1, "opennat", NULL);
	seccomp_check(&p.spec, &p.arena, &problems);
	assert_int_equal(problems.warnings, 1000);
	profile_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_unknown_call_is_a_warning),
		cmocka_unit_test(test_unknown_architecture_is_an_error),
		cmocka_unit_test(test_many_unknown_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
