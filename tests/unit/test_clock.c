/* The calendar: known dates, leap years, and all days around them against the library's. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/defer.h"

#define DAY 86400

static void test_known(void **state)
{
	static const struct {
		time_t seconds;
		long nanoseconds;
		const char *text;
	} cases[] = {
		{ 0, 0, "1970-01-01T00:00:00.000000000Z" },
		{ 0, 1, "1970-01-01T00:00:00.000000001Z" },
		{ 59, 999999999, "1970-01-01T00:00:59.999999999Z" },
		{ DAY - 1, 0, "1970-01-01T23:59:59.000000000Z" },
		{ 951782400, 0, "2000-02-29T00:00:00.000000000Z" },
		{ 951868800, 0, "2000-03-01T00:00:00.000000000Z" },
		{ 68169600, 0, "1972-02-29T00:00:00.000000000Z" },
		{ 1709251199, 0, "2024-02-29T23:59:59.000000000Z" },
		{ 2147483648, 0, "2038-01-19T03:14:08.000000000Z" },
		{ 4107455999, 0, "2100-02-27T23:59:59.000000000Z" },
		{ 4107542399, 0, "2100-02-28T23:59:59.000000000Z" },
		{ 4107542400, 0, "2100-03-01T00:00:00.000000000Z" },
		{ 253402300799, 0, "9999-12-31T23:59:59.000000000Z" },
		{ -1, 0, "1969-12-31T23:59:59.000000000Z" },
		{ -DAY, 0, "1969-12-31T00:00:00.000000000Z" },
		{ -DAY - 1, 0, "1969-12-30T23:59:59.000000000Z" },
		{ -2203891200, 0, "1900-03-01T00:00:00.000000000Z" },
		{ -2203891201, 0, "1900-02-28T23:59:59.000000000Z" },
		{ -11670998400, 0, "1600-02-29T00:00:00.000000000Z" },
	};
	char buf[CLOCK_TEXT_SIZE];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct timespec t = { .tv_sec = cases[i].seconds, .tv_nsec = cases[i].nanoseconds };
		clock_format(t, buf);
		assert_string_equal(buf, cases[i].text);
	}
}

static void assert_like_library(time_t seconds)
{
	char buf[CLOCK_TEXT_SIZE], expected[CLOCK_TEXT_SIZE];
	struct timespec t = { .tv_sec = seconds };
	struct tm tm;
	clock_format(t, buf);
	assert_non_null(gmtime_r(&seconds, &tm));
	size_t n = strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(expected + n, sizeof(expected) - n, ".000000000Z");
	assert_string_equal(buf, expected);
}

/* Every day from 1900 to 2500, each at another time. */
static void test_each_day(void **state)
{
	(void)state;
	for (int64_t day = -25567; day < 193579; day++)
		assert_like_library((time_t)(day * DAY + (day & 0xffff)));
}

static void test_now(void **state)
{
	char buf[CLOCK_TEXT_SIZE];
	(void)state;
	clock_now(buf);
	assert_int_equal(strlen(buf), strlen("2026-11-21T23:10:00.000000001Z"));
	assert_true(strncmp(buf, "2026", 4) >= 0);
}

/* Whatever the time is, the text fits and ends. */
static void test_extremes(void **state)
{
	static const int64_t seconds[] = { INT64_MAX / 2, INT64_MIN / 2, INT32_MIN };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		char buf[CLOCK_TEXT_SIZE + 1];
		memset(buf, 'x', sizeof(buf));
		clock_format((struct timespec) { .tv_sec = seconds[i], .tv_nsec = 999999999 }, buf);
		assert_true(memchr(buf, '\0', CLOCK_TEXT_SIZE) != NULL);
		assert_int_equal(buf[CLOCK_TEXT_SIZE], 'x');
	}
}

static void test_parse(void **state)
{
	static const int64_t seconds[] = { 0,          1,          86399,      951782399,
					   951782400,  951868800,  1709164800, 1709251200,
					   1767225599, 4102444800, 4107542400 };
	char text[CLOCK_TEXT_SIZE];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		clock_format((struct timespec) { .tv_sec = seconds[i], .tv_nsec = 5 }, text);
		assert_int_equal(clock_parse(text), seconds[i]);
	}
	assert_int_equal(clock_parse(""), -1);
	assert_int_equal(clock_parse("yesterday"), -1);
	assert_int_equal(clock_parse("2026-13-01T00:00:00Z"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known), cmocka_unit_test(test_each_day),
		cmocka_unit_test(test_now),   cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_parse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
