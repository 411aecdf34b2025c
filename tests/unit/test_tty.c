/* The caller's terminal: raw while hull copies, and as it was however that ends. */
#include "start/tty.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"

static int open_pair(int *ret_slave)
{
	/* Not posix_openpt(): /dev/ptmx may be a node outside the devpts. */
	int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0)
		skip(); /* its mode is 000, and this is not root */
	assert_true(master >= 0);
	assert_int_equal(unlockpt(master), 0);
	*ret_slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*ret_slave >= 0);
	return master;
}

static bool is_raw(int fd)
{
	struct termios t;
	assert_int_equal(tcgetattr(fd, &t), 0);
	return !(t.c_lflag & (ICANON | ECHO | ISIG));
}

enum ending { ENDING_END, ENDING_SUSPEND, ENDING_FAULT, ENDING_ABORT, ENDING_SENT };

/* In a process of its own: on the terminal `outer`, copying for the one that `inner` is made of. */
static _Noreturn void be_hull(int outer, int *inner, enum ending ending)
{
	struct tty tty;
	struct err err = { 0 };
	sigset_t all;

	/* cmocka and sanitizers have handlers of their own. */
	signal(SIGILL, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int fd = 0; fd <= 2; fd++)
		dup2(outer, fd);
	tty_init(&tty);
	if (tty_receive(&tty, inner, &err) < 0 || tty_begin(&tty, &err) < 0 || !is_raw(outer))
		_exit(10);
	if (ending == ENDING_END)
		tty_end(&tty);
	if (ending == ENDING_SUSPEND)
		tty_suspend(&tty);
	if (ending == ENDING_FAULT)
		__builtin_trap();
	if (ending == ENDING_ABORT)
		abort();
	if (ending == ENDING_SENT) {
		kill(getpid(), SIGILL);
		_exit(is_raw(outer) ? 11 : 12);
	}
	_exit(0);
}

static int status_after(enum ending ending, bool *ret_raw)
{
	int outer, slave, status;
	int outer_master = open_pair(&outer), inner = open_pair(&slave);
	pid_t pid = fork();
	if (pid == 0)
		be_hull(outer, &inner, ending);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*ret_raw = is_raw(outer);
	fd_close(&outer);
	fd_close(&outer_master);
	fd_close(&inner);
	fd_close(&slave);
	return status;
}

static void test_endings(void **state)
{
	bool raw;
	(void)state;
	assert_int_equal(status_after(ENDING_END, &raw), 0);
	assert_false(raw);
	assert_int_equal(status_after(ENDING_SUSPEND, &raw), 0);
	assert_false(raw);
}

/* by a handler, since nothing else runs any more. */
static void test_faults(void **state)
{
	bool raw;
	(void)state;
	int status = status_after(ENDING_FAULT, &raw);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGILL);
	assert_false(raw);
	status = status_after(ENDING_ABORT, &raw);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_false(raw);
	/* What somebody sends is no fault. */
	status = status_after(ENDING_SENT, &raw);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 11);
}

/* Nothing but a terminal's master is taken for one, and only one. */
static void test_receive(void **state)
{
	struct tty tty;
	struct err err = { 0 };
	int slave, none = -EBADF;
	int master = open_pair(&slave), second = dup(master);
	(void)state;

	tty_init(&tty);
	assert_true(tty_receive(&tty, &none, &err) < 0);
	assert_true(tty_receive(&tty, &slave, &err) < 0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(tty_receive(&tty, &null, &err) < 0);
	assert_int_equal(tty_receive(&tty, &master, &err), 0);
	assert_int_equal(master, -EBADF);
	assert_true(tty_receive(&tty, &second, &err) < 0);
	tty_end(&tty);
	fd_close(&slave);
	fd_close(&second);
	fd_close(&null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_receive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
