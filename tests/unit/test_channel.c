/* What the parent takes from the page that it shares with the child, whatever stands in it. */
#include "start/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct channel opened(void)
{
	struct channel c;
	struct err err;
	assert_int_equal(channel_open(&c, &err), 0);
	return c;
}

static void test_no_error(void **state)
{
	struct channel c = opened();
	struct err err = { .code = ENOENT };
	(void)state;
	assert_false(channel_error(&c, &err));
	assert_int_equal(err.code, ENOENT); /* what was there stays */
	channel_close(&c);
}

static void test_garbage(void **state)
{
	struct channel c = opened();
	struct err err;
	char program[PATH_MAX];
	(void)state;
	memset(c.page, 0xff, sizeof(*c.page));
	assert_true(channel_error(&c, &err));
	assert_int_equal(err.code, EPROTO);
	assert_int_equal(err.kind, ERR_INTERNAL);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	assert_int_equal(strlen(err.kernel), sizeof(err.kernel) - 1);
	channel_program(&c, program);
	assert_int_equal(strlen(program), PATH_MAX - 1);
	channel_close(&c);
}

static void test_error_without_words(void **state)
{
	struct channel c = opened();
	struct err err;
	(void)state;
	c.page->err.code = EPERM;
	assert_true(channel_error(&c, &err));
	assert_int_equal(err.code, EPERM);
	assert_string_not_equal(err.message, "");
	channel_close(&c);
}

/* Somebody else's process is never followed: it would be killed in the end. */
static void test_moved(void **state)
{
	struct channel c = opened();
	(void)state;
	assert_int_equal(channel_moved(&c), 0);
	atomic_store(&c.page->moved_pid, getppid());
	assert_int_equal(channel_moved(&c), 0);
	atomic_store(&c.page->moved_pid, -1);
	assert_int_equal(channel_moved(&c), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	atomic_store(&c.page->moved_pid, pid);
	assert_int_equal(channel_moved(&c), pid);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	channel_close(&c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_error),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_error_without_words),
		cmocka_unit_test(test_moved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
