/* Where execvp(3) looks: the candidates for a name, in order. */
#include "explain/lookup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* All candidates, separated by blanks; "!" for one that does not fit into 16 bytes. */
static void assert_candidates(const char *arg0, const char *path, const char *expected)
{
	char all[256] = "", one[16];
	size_t state = 0, used = 0;
	int r;
	while ((r = exec_candidate(arg0, path, &state, one, sizeof(one))) != 0)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", used ? " " : "",
					 r > 0 ? one : "!");
	assert_string_equal(all, expected);
	assert_int_equal(exec_candidate(arg0, path, &state, one, sizeof(one)), 0);
}

static void test_candidates(void **state)
{
	(void)state;
	assert_candidates("sh", "/bin:/usr/bin", "/bin/sh /usr/bin/sh");
	assert_candidates("sh", "/", "/sh");
	assert_candidates("sh", "/bin/:x", "/bin/sh x/sh");
	assert_candidates("sh", NULL, "/bin/sh /usr/bin/sh");
	assert_candidates("", "/bin", "");
}

/* An empty entry, wherever it stands, is the working directory. */
static void test_empty_entries(void **state)
{
	(void)state;
	assert_candidates("sh", "", "sh");
	assert_candidates("sh", ":/bin", "sh /bin/sh");
	assert_candidates("sh", "/bin:", "/bin/sh sh");
	assert_candidates("sh", "/a::/b", "/a/sh sh /b/sh");
}

static void test_names_with_slash(void **state)
{
	(void)state;
	assert_candidates("/x", "/bin", "/x");
	assert_candidates("./x", "/bin", "./x");
	assert_candidates("a/x", "", "a/x");
	assert_candidates("x/", NULL, "x/");
}

static void test_too_long(void **state)
{
	(void)state;
	assert_candidates("12345678", "/12345:/123456:/b", "/12345/12345678 ! /b/12345678");
	assert_candidates("123456789abcdef", "", "123456789abcdef");
	assert_candidates("123456789abcdefg", ":/b", "! !");
	assert_candidates("/23456789abcdefg", "", "!");
	assert_candidates("s", "/2345678901234567:/b", "! /b/s");
}

static void test_errors_that_go_on(void **state)
{
	(void)state;
	assert_true(exec_tries_next(ENOENT));
	assert_true(exec_tries_next(EACCES));
	assert_true(exec_tries_next(ENOTDIR));
	assert_false(exec_tries_next(ENOEXEC));
	assert_false(exec_tries_next(E2BIG));
	assert_false(exec_tries_next(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_candidates),        cmocka_unit_test(test_empty_entries),
		cmocka_unit_test(test_names_with_slash),  cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_errors_that_go_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
