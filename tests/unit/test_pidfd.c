/* Processes by their pidfd: whether they are dead, waiting with a bound, the end of a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pidfd.h"

/* It ends by itself after that time; 0: it does not. */
static pid_t child(unsigned us, int *ret_pidfd)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (us == 0)
			for (;;)
				pause();
		usleep(us);
		_exit(0);
	}
	*ret_pidfd = pidfd_open(pid, 0);
	assert_true(*ret_pidfd >= 0);
	return pid;
}

static void test_wait(void **state)
{
	(void)state;
	_cleanup_close_ int pidfd = -EBADF;
	pid_t pid = child(50000, &pidfd);
	assert_false(pidfd_is_dead(pidfd));
	assert_false(pidfd_wait(pidfd, 1));
	assert_false(pidfd_reap(pidfd));
	assert_true(pidfd_wait(pidfd, 10000));
	assert_true(pidfd_is_dead(pidfd)); /* and not reaped */
	assert_true(pidfd_reap(pidfd));
	assert_false(pidfd_reap(pidfd));
	assert_true(pidfd_is_dead(pidfd));
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
}

static void test_end(void **state)
{
	(void)state;
	_cleanup_close_ int pidfd = -EBADF;
	pid_t pid = child(0, &pidfd);
	assert_true(pidfd_end(pidfd, 10000));
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_false(pidfd_end(pidfd, 10)); /* nobody is there to be reaped */
}

/* Who has none must not wait for it. */
static void test_none(void **state)
{
	(void)state;
	int64_t before = clock_ms();
	assert_false(pidfd_is_dead(-EBADF));
	assert_false(pidfd_wait(-EBADF, 60000));
	assert_false(pidfd_end(-EBADF, 60000));
	assert_true(clock_ms() - before < 30000);
}

/* One that a tracer holds is not reaped, and nobody hangs on it. */
static void test_traced(void **state)
{
	(void)state;
	_cleanup_close_ int pidfd = -EBADF, tracer_fd = -EBADF;
	int ready[2];
	pid_t pid = child(0, &pidfd);
	assert_int_equal(pipe(ready), 0);
	pid_t tracer = fork();
	if (tracer == 0) {
		if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	char byte;
	tracer_fd = pidfd_open(tracer, 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	int64_t before = clock_ms();
	assert_false(pidfd_end(pidfd, 200));
	assert_true(clock_ms() - before < 30000);
	assert_true(pidfd_end(tracer_fd, 10000));
	assert_true(pidfd_end(pidfd, 10000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_traced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
