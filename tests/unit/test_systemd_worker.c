/*
 * The process that asks systemd, with a stand-in for what it does there (systemd_serve): whatever
 * it leaves in the memory that it shares, and however it ends, hull makes an error of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cgroup/systemd_parts.h"

static int (*serve)(const struct systemd_question *q, struct systemd_answer *answer);

/* In the place of that of systemd_ask.c. */
int systemd_serve(const struct systemd_question *q, struct systemd_answer *answer)
{
	return serve(q, answer);
}

static int stop(struct err *err)
{
	return systemd_stop("a.scope", false, "/a.scope", err);
}

/* ---- what may stand in the answer ---- */

static int write_garbage(const struct systemd_question *q, struct systemd_answer *answer)
{
	(void)q;
	memset(answer, 0xff, sizeof(*answer));
	return -1;
}

static void test_garbage(void **state)
{
	(void)state;
	struct err err = { 0 };
	serve = write_garbage;
	assert_int_equal(stop(&err), -EPROTO);
	assert_int_equal(err.code, EPROTO);
	assert_int_equal(err.kind, ERR_INTERNAL);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	assert_int_equal(stop(NULL), -EPROTO);
}

/* A negative code must not become a result that looks like success. */
static int write_negative(const struct systemd_question *q, struct systemd_answer *answer)
{
	(void)q;
	answer->err.code = -5;
	return 0;
}

static const struct systemd_scope scope = {
	.unit = "a.scope",
	.slice = "hull.slice",
	.id = "a",
	.path = "/hull.slice/a.scope",
};

static int start(struct cgroup *ret, struct err *err)
{
	const struct cgroup_root root = { .fd = -EBADF, .path = "" };
	const struct cgroup_plan plan = { 0 };
	struct systemd_anchor anchor = { 0 };
	int r = systemd_start(&root, &scope, &plan, ret, &anchor, err);
	assert_int_equal(anchor.pid, 0);
	assert_int_equal(ret->fd, -EBADF);
	assert_int_equal(ret->lock_fd, -EBADF);
	return r;
}

static void test_negative(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct cgroup made;
	serve = write_negative;
	assert_int_equal(stop(&err), -EPROTO);
	assert_int_equal(start(&made, &err), -EPROTO);
	assert_true(err.message[0]);
}

/* ---- how it may end ---- */

static int say_no(const struct systemd_question *q, struct systemd_answer *answer)
{
	(void)q;
	return err_say(&answer->err, ERR_BUSY, EBUSY, "no");
}

static int succeed(const struct systemd_question *q, struct systemd_answer *answer)
{
	(void)q, (void)answer;
	return 0;
}

static int die(const struct systemd_question *q, struct systemd_answer *answer)
{
	(void)q, (void)answer;
	(void)raise(SIGKILL);
	return 0;
}

static void test_ends(void **state)
{
	(void)state;
	struct err err = { 0 };
	serve = succeed;
	assert_int_equal(stop(&err), 0);
	serve = say_no;
	assert_int_equal(stop(&err), -EBUSY);
	assert_string_equal(err.message, "no");
	serve = die;
	assert_int_equal(stop(&err), -ECHILD);
	assert_non_null(strstr(err.message, "has died (signal 9)"));
}

/* ---- what is left ---- */

static int fail_after_asking(const struct systemd_question *q, struct systemd_answer *answer)
{
	answer->was_asked = q->what == SYSTEMD_START;
	return err_say(&answer->err, ERR_HOST, ECANCELED, "no");
}

static int fail_to_start(const struct systemd_question *q, struct systemd_answer *answer)
{
	return q->what == SYSTEMD_START ? fail_after_asking(q, answer) : 0;
}

static int get_no_answer(const struct systemd_question *q, struct systemd_answer *answer)
{
	answer->was_asked = q->what == SYSTEMD_START;
	return answer->was_asked ? err_say(&answer->err, ERR_HOST, ETIMEDOUT, "no answer") : 0;
}

/* The slices above a unit that may be left are systemd's to remove, and no other's. */
static void test_left(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct cgroup made;
	serve = fail_after_asking;
	assert_int_equal(start(&made, &err), -ECANCELED);
	assert_true(made.is_left);
	assert_int_equal(made.kept, strlen("/hull.slice"));
	serve = fail_to_start; /* and can be stopped */
	assert_int_equal(start(&made, &err), -ECANCELED);
	assert_false(made.is_left);
	serve = get_no_answer; /* is not asked at once again */
	assert_int_equal(start(&made, &err), -ETIMEDOUT);
	assert_true(made.is_left);
	serve = say_no; /* never asked */
	assert_int_equal(start(&made, &err), -EBUSY);
	assert_false(made.is_left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_negative),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
