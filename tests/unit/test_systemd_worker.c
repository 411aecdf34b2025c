/*
 * The process that asks systemd, with a stand-in for what it does there (systemd_serve): whatever
 * it leaves in the memory that it shares, and however it ends, hull makes an error of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroup/systemd_parts.h"

static int (*serve)(const struct systemd_question *q, struct systemd_answer *answer);

/* In the place of that of systemd_ask.c. */
int systemd_serve(const struct systemd_question *q, struct systemd_answer *answer)
{
	return serve(q, answer);
}

#define LONG_MS 60000 /* nothing here waits for it */

static int stop(struct err *err)
{
	const struct systemd_unit unit = { "a.scope", false, "/a.scope", -EBADF };
	return systemd_stop(&unit, LONG_MS, err);
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

static int start_within(const struct systemd_patience *patience, struct cgroup *ret,
			struct err *err)
{
	const struct cgroup_root root = { .fd = -EBADF, .path = "" };
	const struct cgroup_plan plan = { 0 };
	const struct systemd_making making = {
		.root = &root,
		.scope = &scope,
		.plan = &plan,
		.patience = *patience,
		.undo_ms = patience->timeout_ms,
	};
	struct systemd_anchor anchor = { 0 };
	int r = systemd_start(&making, ret, &anchor, err);
	assert_int_equal(anchor.pid, 0);
	assert_int_equal(ret->fd, -EBADF);
	assert_int_equal(ret->lock_fd, -EBADF);
	return r;
}

static int start(struct cgroup *ret, struct err *err)
{
	const struct systemd_patience patience = { .timeout_ms = LONG_MS, .watch_fd = -EBADF };
	return start_within(&patience, ret, err);
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

/* ---- what is asked at the end ---- */

static enum systemd_what *asked; /* in memory that is shared with who asks */

static int note_and_say_no(const struct systemd_question *q, struct systemd_answer *answer)
{
	*asked = q->what;
	return say_no(q, answer);
}

/*
 * The next unit of the name of one that has ended may be another's, and is not stopped; nor does it
 * matter that nobody hears of it.
 */
static void test_gone(void **state)
{
	(void)state;
	char path[] = "/tmp/hull-worker-XXXXXX";
	struct err err = { 0 };
	assert_non_null(mkdtemp(path));
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int file = openat(dir, "cgroup.events", O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	const struct {
		int fd, want;
		enum systemd_what asked;
		bool is_removed;
	} cases[] = { { -EBADF, -EBUSY, SYSTEMD_STOP, false },
		      { SYSTEMD_CGROUP_GONE, 0, SYSTEMD_RESET, false },
		      { dir, -EBUSY, SYSTEMD_STOP, false },
		      { dir, 0, SYSTEMD_RESET, true } };
	asked = mmap(NULL, sizeof(*asked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(asked, MAP_FAILED);
	serve = note_and_say_no;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct systemd_unit unit = { "a.scope", false, "/a.scope", cases[i].fd };
		if (cases[i].is_removed)
			assert_int_equal(unlinkat(dir, "cgroup.events", 0), 0);
		assert_int_equal(systemd_stop(&unit, LONG_MS, &err), cases[i].want);
		assert_int_equal(*asked, cases[i].asked);
	}
	assert_int_equal(munmap(asked, sizeof(*asked)), 0);
	assert_int_equal(rmdir(path), 0);
}

/* ---- patience ---- */

static int hang(const struct systemd_question *q, struct systemd_answer *answer)
{
	answer->was_asked = q->what == SYSTEMD_START;
	for (;;)
		pause();
	return 0;
}

/* A systemd that does not answer is waited for as long as was said, with all that follows. */
static void test_timeout(void **state)
{
	(void)state;
	const struct systemd_patience patience = { .timeout_ms = 200, .watch_fd = -EBADF };
	struct cgroup made;
	struct err err = { 0 };
	serve = hang;
	int64_t before = clock_ms();
	const struct systemd_unit unit = { "a.scope", false, "/a.scope", -EBADF };
	assert_int_equal(systemd_stop(&unit, 200, &err), -ETIMEDOUT);
	assert_int_equal(start_within(&patience, &made, &err), -ETIMEDOUT);
	assert_true(made.is_left);
	assert_true(clock_ms() - before < 10000);
	assert_true(clock_ms() - before >= 400);
}

struct watched {
	int fd;
	int n; /* that many are nothing */
};

static int watch(void *context, struct err *err)
{
	struct watched *w = context;
	char byte;
	assert_int_equal(read(w->fd, &byte, 1), 1);
	return w->n-- > 0 ? 0 : err_say(err, ERR_BUSY, EINTR, "given up");
}

/* What is watched meanwhile (hull's signals) ends the question. */
static void test_watch(void **state)
{
	(void)state;
	int fds[2];
	struct cgroup made;
	struct err err = { 0 };
	assert_int_equal(pipe(fds), 0);
	struct watched w = { fds[0], 2 };
	const struct systemd_patience patience = { LONG_MS, fds[0], watch, &w };
	assert_int_equal(write(fds[1], "abc", 3), 3);
	int64_t before = clock_ms();
	serve = hang;
	const struct systemd_making making = {
		.scope = &scope,
		.patience = patience,
		.undo_ms = 200,
	};
	struct systemd_anchor anchor = { 0 };
	assert_int_equal(systemd_start(&making, &made, &anchor, &err), -EINTR);
	assert_string_equal(err.message, "given up");
	assert_int_equal(anchor.pid, 0);
	assert_true(clock_ms() - before < 30000);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_garbage), cmocka_unit_test(test_negative),
		cmocka_unit_test(test_ends),    cmocka_unit_test(test_left),
		cmocka_unit_test(test_gone),    cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_watch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
