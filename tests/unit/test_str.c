/* Strings: growing, whole-string numbers, name tables, and what was probably meant. */
#include "base/str.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void test_growing(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct str s;
	arena_init(&a);
	str_init(&s, &a);
	assert_string_equal(s.text, "");
	for (int i = 0; i < 1000; i++) {
		str_append(&s, "ab");
		str_append_n(&s, "cdef", 1);
		str_printf(&s, "%d", i % 10);
	}
	assert_int_equal(s.used, 4000);
	assert_int_equal(strlen(s.text), 4000);
	for (size_t i = 0; i < 1000; i++)
		assert_memory_equal(s.text + 4 * i, "abc", 3);
	assert_int_equal(s.text[3999], '9');
}

/* One step that is larger than all before, and one that fits to the last byte. */
static void test_growing_edges(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct str s;
	char big[5000];
	arena_init(&a);
	str_init(&s, &a);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	str_append_n(&s, big, 63);
	str_append(&s, "");
	str_printf(&s, "%s", "");
	assert_int_equal(s.used, 63);
	str_append_n(&s, big, 1);
	assert_int_equal(strlen(s.text), 64);
	str_printf(&s, "%s", big);
	assert_int_equal(strlen(s.text), 64 + 4999);
}

static void test_u64(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t max;
		int r;
		uint64_t value;
	} rows[] = {
		{ "0", UINT64_MAX, 0, 0 },
		{ "007", UINT64_MAX, 0, 7 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999", UINT64_MAX, -ERANGE, 0 },
		{ "4294967295", UINT32_MAX, 0, UINT32_MAX },
		{ "4294967296", UINT32_MAX, -ERANGE, 0 },
		{ "", UINT64_MAX, -EINVAL, 0 },
		{ "-1", UINT64_MAX, -EINVAL, 0 },
		{ "+1", UINT64_MAX, -EINVAL, 0 },
		{ " 1", UINT64_MAX, -EINVAL, 0 },
		{ "1 ", UINT64_MAX, -EINVAL, 0 },
		{ "1\n", UINT64_MAX, -EINVAL, 0 },
		{ "0x1", UINT64_MAX, -EINVAL, 0 },
		{ "1e3", UINT64_MAX, -EINVAL, 0 },
		{ "\xd9\xa1", UINT64_MAX, -EINVAL, 0 }, /* an Arabic one */
		/* Not a number at all comes before too large. */
		{ "99999999999999999999999x", UINT64_MAX, -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 0;
		assert_int_equal(str_to_u64(rows[i].text, rows[i].max, &value), rows[i].r);
		assert_true(value == rows[i].value);
	}
}

static void test_i64(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int r;
		int64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "-1", 0, -1 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "-", -EINVAL, 0 },
		{ "--1", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t value = 0;
		assert_int_equal(str_to_i64(rows[i].text, &value), rows[i].r);
		assert_true(value == rows[i].value);
	}
}

static const struct str_name colours[] = {
	{ "red", 1 }, { "green", 2 }, { "blue", 3 }, { "azure", 3 }, { NULL, 0 }
};

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(str_name_find(colours, "green")->value, 2);
	assert_null(str_name_find(colours, "Green"));
	assert_null(str_name_find(colours, "gree"));
	assert_null(str_name_find(colours, ""));
	assert_int_equal(str_name_find_nocase(colours, "GREEN")->value, 2);
	assert_string_equal(str_name_of(colours, 3), "blue");
	assert_null(str_name_of(colours, 9));
	assert_true(str_has_prefix("CAP_KILL", "CAP_"));
	assert_true(str_has_prefix("x", ""));
	assert_false(str_has_prefix("CA", "CAP_"));
}

static const struct str_name words[] = {
	{ "args", 0 },   { "cwd", 0 },         { "env", 0 },  { "CAP_NET_ADMIN", 0 },
	{ "openat", 0 }, { "openat2", 0 },     { "list", 0 }, { "state", 0 },
	{ "TERM", 0 },   { "maskedPaths", 0 }, { NULL, 0 },
};

static void test_nearest(void **state)
{
	(void)state;
	static const struct {
		const char *word, *meant;
	} rows[] = {
		{ "agrs", "args" },
		{ "arg", "args" },
		{ "ARGS", "args" },
		{ "TREM", "TERM" },
		{ "lits", "list" },
		{ "stat", "state" },
		{ "opennat", "openat" },
		{ "CAP_NET_ADMINN", "CAP_NET_ADMIN" },
		{ "maskedpaths", "maskedPaths" },
		{ "cdw", "cwd" },
		{ "x", NULL },
		{ "", NULL },
		{ "completely", NULL },
		{ "mounts", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *found = str_nearest_name(rows[i].word, words);
		if (rows[i].meant)
			assert_string_equal(found, rows[i].meant);
		else
			assert_null(found);
	}
}

/* Words of any length, on either side. */
static void test_nearest_long_words(void **state)
{
	(void)state;
	char longest[65], longer[66];
	memset(longest, 'a', sizeof(longest));
	memset(longer, 'a', sizeof(longer));
	longest[64] = longer[65] = '\0';
	const struct str_name table[] = { { longer, 0 }, { longest, 0 }, { NULL, 0 } };
	assert_ptr_equal(str_nearest_name(longest, table), longest);
	assert_null(str_nearest_name(longer, table));
	const struct str_name empty[] = { { NULL, 0 } };
	assert_null(str_nearest_name("x", empty));
}

static void test_has_word(void **state)
{
	(void)state;
	assert_true(str_has_word("cpu io memory", "cpu"));
	assert_true(str_has_word("cpu io memory", "io"));
	assert_true(str_has_word("cpu io memory", "memory"));
	assert_false(str_has_word("cpuset io", "cpu"));
	assert_false(str_has_word("xcpu io", "cpu"));
	assert_false(str_has_word("", "cpu"));
	assert_false(str_has_word("cpu io", ""));
	assert_true(str_has_word("cpuset cpu", "cpu"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has_word),      cmocka_unit_test(test_growing),
		cmocka_unit_test(test_growing_edges), cmocka_unit_test(test_u64),
		cmocka_unit_test(test_i64),           cmocka_unit_test(test_names),
		cmocka_unit_test(test_nearest),       cmocka_unit_test(test_nearest_long_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
