/* Looking at a container's first process that only root may see (--init): needs root itself. */
#include "start/join.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "plan/exec.h"

#define NOBODY 65534

/* The descriptor of a process that is dead and reaped, so that its number is free. */
static int open_dead(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	int fd = pidfd_open(pid, 0);
	return waitpid(pid, NULL, 0) == pid ? fd : -1;
}

/* A user's hull, whose parent has the first process's number by now: its child is no program. */
static int examine_stranger(void)
{
	struct plan_container container = { 0 };
	struct err err = { 0 };
	struct join join;

	join_init(&join);
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0 ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return 100;
	join.pidfd = open_dead();
	join.pid = getppid();
	join.has_init = true;
	int r = join_examine(&join, &container, &err);
	join_done(&join);
	return r == -ESRCH ? 0 : 1;
}

/* */
static void test_dead_init(void **state)
{
	int status;
	(void)state;
	if (geteuid() != 0)
		skip();
	pid_t pid = fork();
	if (pid == 0)
		_exit(examine_stranger());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_dead_init) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
