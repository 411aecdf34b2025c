/* From the numbers of a kill in the kernel log back to the rule of the profile. */
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "profile.h"

#define KILL_PROCESS 0x80000000u

static struct seccomp_blame blame(struct profile *p, uint32_t arch, int number, uint32_t action)
{
	struct seccomp_event event = { .arch = arch, .number = number, .action = action };
	struct seccomp_blame ret;
	seccomp_blame(&p->spec, &event, &p->arena, &ret);
	return ret;
}

static void test_rule(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_KILL_THREAD, -1);
	profile_add_rule(&p, SCMP_ACT_ERRNO(1), 1, "mkdir", NULL);
	struct spec_seccomp_rule *rule = profile_add_rule(&p, SCMP_ACT_KILL_PROCESS, -1, "rmdir",
							  "mkdir", NULL);
	uint32_t at = rule->names.v[1].at, action_at = rule->action.at;
	struct seccomp_blame b = blame(&p, seccomp_arch_native(), SYS_mkdir, KILL_PROCESS);
	assert_string_equal(b.syscall, "mkdir");
	assert_null(b.arch);
	assert_int_equal(b.at, at);
	assert_int_equal(b.action_at, action_at);
	/* Another action, or no rule: the default one. */
	b = blame(&p, seccomp_arch_native(), SYS_mkdir, 0);
	assert_int_equal(b.at, p.spec.default_action.at);
	b = blame(&p, seccomp_arch_native(), SYS_chmod, 0);
	assert_string_equal(b.syscall, "chmod");
	assert_int_equal(b.at, p.spec.default_action.at);
	profile_done(&p);
}

/* Neither a rule nor the default: the profile as a whole. */
static void test_nothing_fits(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	p.spec.at = 77;
	struct seccomp_blame b = blame(&p, seccomp_arch_native(), SYS_mkdir, KILL_PROCESS);
	assert_int_equal(b.at, 77);
	assert_int_equal(b.action_at, 0);
	b = blame(&p, seccomp_arch_native(), 99999, KILL_PROCESS);
	assert_null(b.syscall);
	profile_done(&p);
}

#ifdef __x86_64__
static void test_foreign(void **state)
{
	(void)state;
	struct profile p;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	p.spec.at = 77;
	struct seccomp_blame b = blame(&p, SCMP_ARCH_X86, 39, 0);
	assert_string_equal(b.syscall, "mkdir"); /* 39 there */
	assert_string_equal(b.arch, "x86");
	assert_int_equal(b.at, 77);
	b = blame(&p, SCMP_ARCH_X86_64, 0x40000000 | 83, 0);
	assert_string_equal(b.arch, "x32");
	assert_string_equal(b.syscall, "mkdir");
	profile_add_arch(&p, "SCMP_ARCH_X86");
	struct spec_seccomp_rule *rule = profile_add_rule(&p, SCMP_ACT_KILL_PROCESS, -1, "mkdir",
							  NULL);
	b = blame(&p, SCMP_ARCH_X86, 39, KILL_PROCESS);
	assert_int_equal(b.at, rule->names.v[0].at);
	profile_done(&p);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_nothing_fits),
#ifdef __x86_64__
		cmocka_unit_test(test_foreign),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
