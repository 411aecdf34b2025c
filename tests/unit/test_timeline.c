/* The timeline of a start: noting, and how it looks. */
#include "start/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/report_timeline.h"

static void test_steps(void **state)
{
	struct timeline t;
	(void)state;
	timeline_init(&t);
	timeline_step(&t, "one");
	timeline_step(&t, "two");
	timeline_stop(&t);
	timeline_stop(&t);
	assert_int_equal(t.n, 2);
	assert_string_equal(t.rows[0].step, "one");
	assert_true(t.rows[0].begin <= t.rows[0].end);
	assert_true(t.rows[0].end <= t.rows[1].begin);
	assert_true(t.rows[1].begin <= t.rows[1].end);
	timeline_fail(&t);
	assert_false(t.rows[0].failed);
	assert_true(t.rows[1].failed);
}

/* What nobody wants is not noted, and what does not fit is left out. */
static void test_bounds(void **state)
{
	struct timeline t;
	(void)state;
	timeline_step(NULL, "x");
	timeline_stop(NULL);
	timeline_fail(NULL);
	timeline_program_ended(NULL);
	timeline_init(&t);
	timeline_fail(&t);
	for (int i = 0; i < TIMELINE_ROWS + 3; i++)
		timeline_step(&t, "x");
	assert_int_equal(t.n, TIMELINE_ROWS);
}

static void test_collect(void **state)
{
	_cleanup_arena_ struct arena arena;
	struct timeline t;
	struct err err = { 0 };
	(void)state;
	arena_init(&arena);
	err_say(&err, ERR_CONFIG, EINVAL, "it is wrong");
	timeline_init(&t);
	timeline_step(&t, "late");
	timeline_step(&t, "early");
	t.rows[0].begin = 10;
	t.rows[1].begin = 5;
	timeline_fail(&t);
	timeline_collect(&t, NULL, &err, &arena);
	assert_string_equal(t.rows[0].step, "early");
	assert_true(t.rows[0].failed);
	assert_string_equal(t.rows[0].detail, "it is wrong");
	assert_null(t.rows[1].detail);
}

static const struct timeline typical = {
	.rows = {
		{ "parse", TIMELINE_PARENT, 0, 212000, false, "config.json 3100 bytes" },
		{ "clone", TIMELINE_PARENT, 509400, 739000, false, "pid 9001" },
		{ "pivot", TIMELINE_CHILD, 1055000, 1083000, false, NULL },
		{ "run", TIMELINE_CHILD, 1160000, 1562000, false, "exit status 0" },
		{ "clean", TIMELINE_PARENT, 1562000, 1752000, false, NULL },
	},
	.n = 5,
	.total = 1752000,
};

static void assert_table(const struct timeline *t, enum report_flags flags, const char *expected)
{
	_cleanup_arena_ struct arena arena;
	struct str out;
	arena_init(&arena);
	str_init(&out, &arena);
	report_timeline(&out, t, flags);
	assert_string_equal(out.text, expected);
}

static void test_table(void **state)
{
	(void)state;
	assert_table(&typical, REPORT_PLAIN,
		     "  at us   took  who     step\n"
		     "      0    212  parent  parse          config.json 3100 bytes\n"
		     "    509    230  parent  clone          pid 9001\n"
		     "   1055     28  child   pivot\n"
		     "   1160    402  child   run            exit status 0\n"
		     "   1562    190  parent  clean\n"
		     "total 1.75 ms; hull 1.35 ms, program 0.40 ms\n");
}

static void test_failed(void **state)
{
	static const struct timeline failed = {
		.rows = { { "mounts", TIMELINE_CHILD, 1011000, 0, true, "bad\x1b[m" },
			  { "clean", TIMELINE_PARENT, 1200000, 1300000, false, NULL } },
		.n = 2,
		.total = 1300000,
	};
	(void)state;
	assert_table(&failed, REPORT_PLAIN,
		     "  at us   took  who     step\n"
		     "   1011      -  child   mounts         FAILED: bad\\x1b[m\n"
		     "   1200    100  parent  clean\n"
		     "total 1.30 ms\n");
	assert_table(&failed, REPORT_COLOUR,
		     "  at us   took  who     step\n"
		     "\033[1;31m   1011      -  child   mounts         FAILED: bad\\x1b[m\033[0m\n"
		     "   1200    100  parent  clean\n"
		     "total 1.30 ms\n");
}

static void test_json(void **state)
{
	_cleanup_arena_ struct arena arena;
	struct str out;
	static const struct timeline t = {
		.rows = { { "parse", TIMELINE_PARENT, 1500, 4500, false, "a \"b\"\n" },
			  { "mounts", TIMELINE_CHILD, 9000, 0, true, NULL } },
		.n = 2,
	};
	(void)state;
	arena_init(&arena);
	str_init(&out, &arena);
	report_timeline_json(&out, &t);
	assert_string_equal(
		out.text,
		"{\"displayTimeUnit\":\"ms\",\"traceEvents\":["
		"{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":1,\"args\":{\"name\":"
		"\"parent\"}},"
		"{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":2,\"args\":{\"name\":"
		"\"child\"}},"
		"{\"name\":\"parse\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"cat\":\"start\",\"ts\":1,"
		"\"dur\":3,\"args\":{\"detail\":\"a \\\"b\\\"\\\\n\"}},"
		"{\"name\":\"mounts\",\"ph\":\"i\",\"pid\":1,\"tid\":2,\"cat\":\"failed\",\"ts\":9,"
		"\"s\":\"t\",\"args\":{\"failed\":true}}]}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),   cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_collect), cmocka_unit_test(test_table),
		cmocka_unit_test(test_failed),  cmocka_unit_test(test_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
