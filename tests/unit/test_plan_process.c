/* The process of a plan: capabilities, environment, user, and what it inherits. */
#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <cmocka.h>

#include "planned.h"

#define BIT(cap) (UINT64_C(1) << (cap))
#define ALL      ((UINT64_C(1) << 41) - 1)

/* ---- capabilities ---- */

static int make_caps(struct planned *p, const char *sets)
{
	return planned_make_process(p, arena_printf(&p->arena, ", \"capabilities\": {%s}", sets));
}

static void test_sets(void **state)
{
	_cleanup_planned_ struct planned p;
	const uint64_t *caps = p.plan.process.caps;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_caps(&p, "\"bounding\": [\"CAP_KILL\", \"CAP_CHOWN\"], "
				       "\"permitted\": [\"CAP_KILL\", \"CAP_CHOWN\"], "
				       "\"effective\": [\"CAP_CHOWN\"], "
				       "\"inheritable\": [\"CAP_KILL\"], "
				       "\"ambient\": [\"CAP_KILL\"]"),
			 0);
	assert_int_equal(caps[PLAN_CAP_BOUNDING], BIT(CAP_KILL) | BIT(CAP_CHOWN));
	assert_int_equal(caps[PLAN_CAP_PERMITTED], BIT(CAP_KILL) | BIT(CAP_CHOWN));
	assert_int_equal(caps[PLAN_CAP_EFFECTIVE], BIT(CAP_CHOWN));
	assert_int_equal(caps[PLAN_CAP_INHERITABLE], BIT(CAP_KILL));
	assert_int_equal(caps[PLAN_CAP_AMBIENT], BIT(CAP_KILL));
	assert_int_equal(p.plan.process.caps_drop, ALL & ~(BIT(CAP_KILL) | BIT(CAP_CHOWN)));
	assert_int_equal(p.problems.warnings, 0);
}

/* What config.json does not give is not there, also for root. */
static void test_absent_sets(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(planned_make_process(&p, ""), 0);
	for (int i = 0; i < PLAN_CAP_SETS; i++)
		assert_int_equal(p.plan.process.caps[i], 0);
	assert_int_equal(p.plan.process.caps_drop, ALL);
}

static void test_unknown(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_caps(&p, "\"bounding\": [\"CAP_FLY\", \"CAP_KILL\"], "
				       "\"permitted\": [\"CAP_64\", \"\"]"),
			 0);
	assert_int_equal(p.plan.process.caps[PLAN_CAP_BOUNDING], BIT(CAP_KILL));
	assert_int_equal(p.plan.process.caps[PLAN_CAP_PERMITTED], 0);
	assert_int_equal(p.problems.warnings, 3);
	assert_int_equal(p.problems.errors, 0);
}

/* What the caller lacks is a warning for each place that names it (S-103). */
static void test_not_granted(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	p.host.caps_permitted = BIT(CAP_KILL);
	p.host.caps_bounding = BIT(CAP_KILL) | BIT(CAP_CHOWN);
	assert_int_equal(make_caps(&p, "\"bounding\": [\"CAP_KILL\", \"CAP_CHOWN\"], "
				       "\"permitted\": [\"CAP_KILL\", \"CAP_CHOWN\"], "
				       "\"effective\": [\"CAP_KILL\", \"CAP_CHOWN\"]"),
			 0);
	assert_int_equal(p.plan.process.caps[PLAN_CAP_BOUNDING], BIT(CAP_KILL) | BIT(CAP_CHOWN));
	assert_int_equal(p.plan.process.caps[PLAN_CAP_PERMITTED], BIT(CAP_KILL));
	assert_int_equal(p.plan.process.caps[PLAN_CAP_EFFECTIVE], BIT(CAP_KILL));
	assert_int_equal(p.plan.process.caps_drop, 0);
	assert_int_equal(p.problems.warnings, 2);
	assert_string_equal(p.problems.first->err.message,
			    "CAP_CHOWN cannot be granted here and is left out");
}

static void test_effective_needs_permitted(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_caps(&p, "\"effective\": [\"CAP_KILL\"]"), 0);
	assert_int_equal(p.plan.process.caps[PLAN_CAP_EFFECTIVE], 0);
}

/* The kernel wants them permitted and inheritable; others are left out with one warning. */
static void test_ambient(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_caps(&p,
				   "\"bounding\": [\"CAP_KILL\", \"CAP_CHOWN\", \"CAP_FOWNER\"], "
				   "\"permitted\": [\"CAP_KILL\", \"CAP_CHOWN\"], "
				   "\"inheritable\": [\"CAP_KILL\", \"CAP_FOWNER\"], "
				   "\"ambient\": [\"CAP_KILL\", \"CAP_CHOWN\", \"CAP_FOWNER\"]"),
			 0);
	assert_int_equal(p.plan.process.caps[PLAN_CAP_AMBIENT], BIT(CAP_KILL));
	assert_int_equal(p.problems.warnings, 1);
}

/* ---- environment ---- */

static const char *environment(struct planned *p)
{
	struct str s;
	str_init(&s, &p->arena);
	for (size_t i = 0; p->plan.process.env[i]; i++)
		str_printf(&s, "%s%s", i ? " " : "",
			   (int)i == p->plan.process.home_index ? "HOME" : p->plan.process.env[i]);
	return s.text;
}

static void test_environment(void **state)
{
	static const struct {
		const char *env;
		unsigned listen_fds;
		const char *result, *path;
	} cases[] = {
		{ "", 0, "HOME", NULL },
		{ "\"A=1\"", 0, "A=1 HOME", NULL },
		{ "\"HOME=/x\", \"PATH=/bin\"", 0, "HOME=/x PATH=/bin", "/bin" },
		{ "\"HOME=\"", 0, "HOME=", NULL },
		{ "\"HOMER=x\", \"XHOME=y\"", 0, "HOMER=x XHOME=y HOME", NULL },
		{ "\"PATH=/a\", \"PATH=/b\"", 0, "PATH=/a PATH=/b HOME", "/b" },
		{ "\"PATH=\"", 0, "PATH= HOME", "" },
		{ "\"A=1\"", 2, "A=1 LISTEN_FDS=2 LISTEN_PID=1 HOME", NULL },
		{ "\"HOME=/\"", 1, "HOME=/ LISTEN_FDS=1 LISTEN_PID=1", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		p.options.listen_fds = cases[i].listen_fds;
		assert_int_equal(planned_make_process(&p, arena_printf(&p.arena, ", \"env\": [%s]",
								       cases[i].env)),
				 0);
		assert_string_equal(environment(&p), cases[i].result);
		if (cases[i].path)
			assert_string_equal(p.plan.process.path, cases[i].path);
		else
			assert_null(p.plan.process.path);
	}
}

/* HOME is written by the child, into a place that is large enough for any path. */
static void test_room_for_home(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(planned_make_process(&p, ""), 0);
	assert_int_equal(p.plan.process.home_index, 0);
	memset((char *)p.plan.process.env[0], 'x', PLAN_HOME_SIZE);
	assert_null(p.plan.process.env[1]);
}

/* ---- the rest ---- */

static void test_descriptors(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(planned_make_process(&p, ""), 0);
	assert_int_equal(p.plan.process.first_closed_fd, 3);
	p.options.listen_fds = 2;
	p.options.preserve_fds = 5;
	assert_int_equal(planned_make_process(&p, ""), 0);
	assert_int_equal(p.plan.process.first_closed_fd, 10);
}

static void test_what_is_not_given(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(planned_make_process(&p, ""), 0);
	const struct plan_process *process = &p.plan.process;
	assert_false(process->has_umask);
	assert_false(process->has_oom_score_adj);
	assert_false(process->has_personality);
	assert_false(process->no_new_privs);
	assert_int_equal(process->groups_n, 0);
	assert_int_equal(process->rlimits_n, 0);
	assert_int_equal(process->reset_signals, 0);
	assert_true(p.plan.new_keyring);
}

/* A zero that is written is not the same as nothing. */
static void test_what_is_zero(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	p.host.signals_ignored = 1u << 12;
	p.options.flags |= PLAN_NO_NEW_KEYRING;
	assert_int_equal(planned_make_process(&p,
					      ", \"oomScoreAdj\": 0, \"noNewPrivileges\": false, "
					      "\"rlimits\": [{\"type\": \"RLIMIT_CORE\", "
					      "\"soft\": 0, \"hard\": 18446744073709551615}]"),
			 0);
	const struct plan_process *process = &p.plan.process;
	assert_true(process->has_oom_score_adj);
	assert_int_equal(process->oom_score_adj, 0);
	assert_int_equal(process->rlimits[0].resource, RLIMIT_CORE);
	assert_int_equal(process->rlimits[0].limit.rlim_cur, 0);
	assert_true(process->rlimits[0].limit.rlim_max == RLIM64_INFINITY);
	assert_int_equal(process->reset_signals, 1u << 12);
	assert_false(p.plan.new_keyring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_absent_sets),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_not_granted),
		cmocka_unit_test(test_effective_needs_permitted),
		cmocka_unit_test(test_ambient),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_room_for_home),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_what_is_not_given),
		cmocka_unit_test(test_what_is_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
