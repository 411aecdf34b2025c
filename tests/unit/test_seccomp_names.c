/* Names in a profile: which are reported, where, and what is suggested instead. */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "profile.h"

static void test_nearest(void **state)
{
	(void)state;
	static const struct {
		const char *word, *hint;
	} cases[] = {
		{ "opennat", "did you mean 'openat'?" },
		{ "mkdri", "did you mean 'mkdir'?" },
		{ "Clone3", "did you mean 'clone3'?" },
		{ "qwertyuiopasdf", "" },
		{ "", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spec_problems problems = { 0 };
		struct profile p;
		profile_init(&p, SCMP_ACT_ALLOW, -1);
		profile_add_rule(&p, SCMP_ACT_LOG, -1, cases[i].word, NULL);
		seccomp_check(&p.spec, &p.arena, &problems);
		assert_int_equal(problems.warnings, 1);
		assert_string_equal(problems.first->err.hint, cases[i].hint);
		profile_done(&p);
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

/* What the filter answers to execve, and what was said about it before. */
static void assert_forbids(struct profile *p, bool forbids, int code)
{
	struct seccomp_event event = { 0 };
	int found = 0;
	assert_int_equal(seccomp_forbids(&p->spec, "execve", &event, &found), forbids);
	if (!forbids)
		return;
	struct seccomp_filter filter = profile_compile(p);
	uint32_t answer = filter_answer_name(&filter, "execve");
	assert_int_equal(found, code);
	assert_int_equal(event.action, answer & SECCOMP_RET_ACTION_FULL);
	assert_int_equal(found, answer & (found ? SECCOMP_RET_DATA : 0));
	profile_done(p);
}

static void test_forbids(void **state)
{
	(void)state;
	struct profile p = { 0 };

	assert_forbids(&p, false, 0); /* no profile */
	profile_init(&p, SCMP_ACT_ERRNO(0), -1);
	/* Calls behind the last one that is named are unknown to the profile, and answered so. */
	profile_add_rule(&p, SCMP_ACT_ALLOW, -1, "read", "openat2", NULL);
	assert_forbids(&p, true, EPERM);
	profile_init(&p, SCMP_ACT_ERRNO(0), ENOSYS);
	profile_add_rule(&p, SCMP_ACT_ALLOW, -1, "read", "execve", NULL);
	assert_forbids(&p, false, 0);
	profile_done(&p);
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), 7, "read", "execve", NULL);
	assert_forbids(&p, true, 7);
	profile_init(&p, SCMP_ACT_LOG, -1);
	profile_add_rule(&p, SCMP_ACT_KILL_PROCESS, -1, "execve", NULL);
	assert_forbids(&p, true, 0);
	/* It depends on what it is given; or on who traces it. */
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_rule(&p, SCMP_ACT_ERRNO(0), -1, "execve", NULL);
	profile_add_arg(&p, 0, SCMP_CMP_EQ, 0, 0);
	assert_forbids(&p, false, 0);
	profile_done(&p);
	profile_init(&p, SCMP_ACT_TRACE(0), -1);
	assert_forbids(&p, false, 0);
	profile_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_unknown_call_is_a_warning),
		cmocka_unit_test(test_unknown_architecture_is_an_error),
		cmocka_unit_test(test_many_unknown_calls),
		cmocka_unit_test(test_forbids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
