/* Amounts in tables for people. */
#include "cmd/amount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/defer.h"

static const struct {
	uint64_t n;
	const char *bytes, *age;
} rows[] = {
	{ 0, "0", "0 s" },
	{ 59, "59", "59 s" },
	{ 60, "60", "1 m" },
	{ 1023, "1023", "17 m" },
	{ 1024, "1.0 K", "17 m" },
	{ 3600, "3.5 K", "1 h" },
	{ 10188, "9.9 K", "2 h" },
	{ 10189, "10 K", "2 h" },
	{ 86399, "84 K", "23 h" },
	{ 86400, "84 K", "1 d" },
	{ 1048063, "1023 K", "12 d" },
	{ 1048064, "1.0 M", "12 d" },
	{ 268435456, "256 M", "3106 d" },
	{ UINT64_C(5) << 50, "5.0 P", "65156244608 d" },
	{ INT64_MAX, "8192 P", "106751991167300 d" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena arena __attribute__((cleanup(arena_done)));
		struct str bytes, age;
		arena_init(&arena);
		str_init(&bytes, &arena);
		str_init(&age, &arena);
		amount_bytes(&bytes, rows[i].n);
		amount_age(&age, (int64_t)rows[i].n);
		assert_string_equal(bytes.text, rows[i].bytes);
		assert_string_equal(age.text, rows[i].age);
	}
}

/* A clock that was set back makes nothing younger than it is. */
static void test_future(void **state)
{
	struct arena arena __attribute__((cleanup(arena_done)));
	struct str age;
	(void)state;
	arena_init(&arena);
	str_init(&age, &arena);
	amount_age(&age, -5);
	assert_string_equal(age.text, "0 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_future),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
