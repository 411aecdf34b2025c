/* The error struct: what it says, what it never loses, and what happens to texts that are too long.
 */
#include "base/err.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_sys(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_sys(&err, ENOENT, "cannot open '%s'", "/x"), -ENOENT);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_true(err.flags & ERR_HAS_ERRNO);
	assert_string_equal(err.message, "cannot open '/x'");
	assert_string_equal(err.hint, "");
}

static void test_say(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_say(&err, ERR_CONFIG, EINVAL, "no args"), -EINVAL);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_false(err.flags & ERR_HAS_ERRNO);
}

/* A failure never looks like success, whatever errno it was raised with. */
static void test_code_is_never_success(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_sys(&err, 0, "x"), -EINVAL);
	assert_int_equal(err_sys(&err, -ENOENT, "x"), -EINVAL);
	assert_int_equal(err_say(&err, ERR_HOST, 0, "x"), -EINVAL);
	assert_int_equal(err_sys(NULL, EPERM, "x"), -EPERM);
	assert_int_equal(err_say(NULL, ERR_HOST, EPERM, "x"), -EPERM);
}

static void test_kinds(void **state)
{
	(void)state;
	static const struct {
		int code;
		enum err_kind kind;
	} rows[] = {
		{ EPERM, ERR_PERMISSION }, { EACCES, ERR_PERMISSION }, { ENOENT, ERR_NOT_FOUND },
		{ EBUSY, ERR_BUSY },       { EEXIST, ERR_BUSY },       { ENOSPC, ERR_LIMIT },
		{ EMFILE, ERR_LIMIT },     { EAGAIN, ERR_LIMIT },      { EIO, ERR_HOST },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err;
		assert_int_equal(err_sys(&err, rows[i].code, "x"), -rows[i].code);
		assert_int_equal(err.kind, rows[i].kind);
	}
}

/* A new error starts empty: nothing of the one before it stays. */
static void test_raise_clears(void **state)
{
	(void)state;
	struct err err;
	memset(&err, 0x55, sizeof(err));
	assert_int_equal(err_sys(&err, EIO, "x"), -EIO);
	assert_int_equal(err.at, 0);
	assert_string_equal(err.cause, "");
	assert_string_equal(err.kernel, "");
	assert_string_equal(err.step, "");
	assert_string_equal(err.path, "");
}

static void test_adders(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_sys(&err, EIO, "x"), -EIO);
	err_hint(&err, "hint %d", 1);
	err_hint(&err, "hint %d", 2);
	err_cause(&err, "cause %s", "a");
	err_step(&err, "mounts, %d of %d", 8, 11);
	err_kernel(&err, "tmpfs: %s", "bad");
	err_at(&err, 42);
	assert_string_equal(err.hint, "hint 2");
	assert_string_equal(err.cause, "cause a");
	assert_string_equal(err.step, "mounts, 8 of 11");
	assert_string_equal(err.kernel, "tmpfs: bad");
	assert_int_equal(err.at, 42);
	err_hint(NULL, "x");
	err_cause(NULL, "x");
	err_step(NULL, "x");
	err_kernel(NULL, "x");
	err_wrap(NULL, "x");
	err_at(NULL, 1);
	err_clear(NULL);
	err_clear(&err);
	assert_int_equal(err.code, 0);
}

/* The adders' arguments may come from the error itself. */
static void test_adders_keep_arguments(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_sys(&err, EIO, "x"), -EIO);
	err_hint(&err, "first");
	err_cause(&err, "%s", err.hint);
	assert_string_equal(err.cause, "first");
}

static void test_wrap(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_sys(&err, EIO, "cannot open 'a'"), -EIO);
	err_wrap(&err, "cannot start '%s'", "web");
	assert_string_equal(err.message, "cannot start 'web': cannot open 'a'");
	assert_int_equal(err.code, EIO);
	assert_true(err.flags & ERR_HAS_ERRNO);
}

static void fill(char *text, size_t size)
{
	memset(text, 'y', size - 1);
	text[size - 1] = '\0';
}

static void assert_cut(const char *field, size_t size)
{
	assert_int_equal(strlen(field), size - 1);
	assert_string_equal(field + size - 4, "...");
}

/* What is cut off says so. */
static void test_long_texts(void **state)
{
	(void)state;
	struct err err;
	char text[4096];
	fill(text, sizeof(text));
	assert_int_equal(err_sys(&err, EIO, "%s", text), -EIO);
	assert_cut(err.message, sizeof(err.message));
	err_step(&err, "%s", text);
	assert_cut(err.step, sizeof(err.step));
	err_wrap(&err, "%s", "cannot start 'web'");
	assert_cut(err.message, sizeof(err.message));
	assert_int_equal(strncmp(err.message, "cannot start 'web': yyy", 23), 0);
	err_wrap(&err, "%s", text);
	assert_cut(err.message, sizeof(err.message));
}

static void test_exact_fit(void **state)
{
	(void)state;
	struct err err;
	char text[sizeof(err.step)];
	fill(text, sizeof(text));
	assert_int_equal(err_sys(&err, EIO, "x"), -EIO);
	err_step(&err, "%s", text);
	assert_string_equal(err.step, text);
}

static void test_texts(void **state)
{
	(void)state;
	assert_string_equal(err_text(ENOENT).s, "no such file or directory");
	assert_string_equal(err_text(EACCES).s, "permission denied");
	assert_string_equal(err_text(ESRMNT).s, "srmount error");
	assert_string_equal(err_text(ENOTUNIQ).s, "name not unique on network");
	assert_string_equal(err_text(99999).s, "error 99999");
	assert_string_equal(err_name(ENOENT), "ENOENT");
	assert_string_equal(err_name(99999), "EUNKNOWN");
}

/* What another process has written is whole, and a failure, whatever it is. */
static void test_take_shared(void **state)
{
	(void)state;
	static const struct {
		int code, want;
	} cases[] = { { ENOENT, -ENOENT }, { -5, -EPROTO },   { INT_MIN, -EPROTO },
		      { 4095, -4095 },     { 4096, -EPROTO }, { INT_MAX, -EPROTO } };
	struct err shared = { 0 }, err = { .code = EIO };
	assert_int_equal(err_take_shared(&err, &shared), 0);
	assert_int_equal(err.code, EIO); /* what was there stays */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&shared, 0xff, sizeof(shared));
		shared.code = cases[i].code;
		assert_int_equal(err_take_shared(NULL, &shared), cases[i].want);
		assert_int_equal(err_take_shared(&err, &shared), cases[i].want);
		assert_int_equal(err.code, -cases[i].want);
		assert_int_equal(err.kind, ERR_INTERNAL);
		assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
		assert_int_equal(strlen(err.path), sizeof(err.path) - 1);
		assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
		assert_int_equal(strlen(err.cause), sizeof(err.cause) - 1);
	}
	shared = (struct err) { .code = EPERM };
	assert_int_equal(err_take_shared(&err, &shared), -EPERM);
	assert_string_not_equal(err.message, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sys),
		cmocka_unit_test(test_say),
		cmocka_unit_test(test_code_is_never_success),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_raise_clears),
		cmocka_unit_test(test_adders),
		cmocka_unit_test(test_adders_keep_arguments),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_exact_fit),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_take_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
