/*
 * Labels of security modules: what a plan makes of them on hosts with and without the module.
 * tests/vm/lsm.bats has them in force.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "planned.h"

static void test_apparmor(void **unused)
{
	(void)unused;
	_cleanup_planned_ struct planned p;
	planned_init(&p);
	p.host.has_apparmor = true;
	assert_int_equal(planned_make_process(&p, ", \"apparmorProfile\": \"web\""), 0);
	assert_int_equal(p.plan.labels_n, 1);
	assert_string_equal(p.plan.labels[0].file, "thread-self/attr/apparmor/exec");
	assert_string_equal(p.plan.labels[0].value, "exec web");
	assert_string_equal(p.plan.labels[0].name, "web");
}

static void test_selinux(void **unused)
{
	(void)unused;
	_cleanup_planned_ struct planned p;
	planned_init(&p);
	p.host.has_selinux = true;
	assert_int_equal(planned_make_process(&p, ", \"selinuxLabel\": \"a:b:c\""), 0);
	assert_int_equal(p.plan.labels_n, 1);
	assert_string_equal(p.plan.labels[0].file, "thread-self/attr/exec");
	assert_string_equal(p.plan.labels[0].value, "a:b:c");
}

static void test_without_the_module(void **unused)
{
	static const struct {
		const char *members, *module;
	} cases[] = {
		{ ", \"apparmorProfile\": \"web\"", "AppArmor" },
		{ ", \"selinuxLabel\": \"a:b:c\"", "SELinux" },
	};
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		assert_int_equal(planned_make_process(&p, cases[i].members), -ENOTSUP);
		assert_non_null(strstr(p.err.message, cases[i].module));
		assert_non_null(strstr(p.err.hint, "boot with"));
		assert_true(p.err.at > 0);
	}
	_cleanup_planned_ struct planned p;
	planned_init(&p);
	assert_int_equal(planned_make_linux(&p, ", \"mountLabel\": \"a:b:c\""), -ENOTSUP);
	assert_non_null(strstr(p.err.message, "SELinux"));
}

/* An empty name asks for nothing; without AppArmor everything is unconfined. */
static void test_nothing_to_do(void **unused)
{
	static const char *const members[] = { "", ", \"apparmorProfile\": \"\"",
					       ", \"selinuxLabel\": \"\"",
					       ", \"apparmorProfile\": \"unconfined\"" };
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		assert_int_equal(planned_make_process(&p, members[i]), 0);
		assert_int_equal(p.plan.labels_n, 0);
	}
}

static const char *context_of(const struct plan_mount *m)
{
	const char *context = NULL;
	for (size_t i = 0; i < m->options_n; i++)
		if (strcmp(m->options[i].key, "context") == 0) {
			assert_null(context);
			context = m->options[i].value;
		}
	return context;
}

static void test_mount_label(void **unused)
{
	static const struct {
		const char *mount, *context;
	} cases[] = {
		{ "'type': 'tmpfs'", "a:b:c" },
		{ "'type': 'tmpfs', 'options': ['size=1m', 'mode=755']", "a:b:c" },
		{ "'type': 'tmpfs', 'options': ['context=d:e:f']", "d:e:f" },
		{ "'type': 'devpts'", "a:b:c" },
		{ "'type': 'mqueue'", NULL },
		{ "'type': 'proc'", NULL },
		{ "'type': 'sysfs'", NULL },
		{ "'source': '/tmp', 'options': ['bind']", NULL },
	};
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		p.host.has_selinux = true;
		char *text = arena_printf(&p.arena,
					  ", 'mountLabel': 'a:b:c'}, 'mounts': "
					  "[{'destination': '/x', %s}], 'annotations': {",
					  cases[i].mount);
		for (char *c = text; *c; c++)
			*c = *c == '\'' ? '"' : *c;
		assert_int_equal(planned_make_linux(&p, text), 0);
		const char *context = context_of(&p.plan.mounts[0]);
		if (cases[i].context)
			assert_string_equal(context, cases[i].context);
		else
			assert_null(context);
	}
}

static void test_mount_label_of_an_overlay(void **unused)
{
	(void)unused;
	_cleanup_planned_ struct planned p;
	planned_init(&p);
	p.host.has_selinux = true;
	p.options.flags |= PLAN_OVERLAY;
	assert_int_equal(planned_make_linux(&p, ", \"mountLabel\": \"a:b:c\""), -ENOTSUP);
	assert_non_null(strstr(p.err.message, "overlay"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apparmor),
		cmocka_unit_test(test_selinux),
		cmocka_unit_test(test_without_the_module),
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test(test_mount_label),
		cmocka_unit_test(test_mount_label_of_an_overlay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
