/*
 * Waiting for a process, and ending a child. Allocates nothing and takes no locks: the child uses
 * it between clone and exec, too (for its hooks). Never waits without a bound: a process that is
 * killed goes on as long as it waits inside of the kernel, and is not ours to reap as long as
 * somebody traces it.
 */
#include "base/pidfd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/clock.h"

bool pidfd_wait(int pidfd, int timeout_ms)
{
	const int64_t deadline = clock_ms() + timeout_ms;
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };
	int r = 0;
	if (pidfd < 0)
		return false;
	do {
		int64_t left = deadline - clock_ms();
		r = poll(&fd, 1, left > 0 ? (int)left : 0);
	} while (r < 0 && errno == EINTR);
	return r == 1;
}

bool pidfd_is_dead(int pidfd)
{
	return pidfd_wait(pidfd, 0);
}

/* __WALL: also one that tells nobody of its end by a signal. */
bool pidfd_reap(int pidfd)
{
	siginfo_t info = { 0 };
	int r;
	do
		r = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL);
	while (r < 0 && errno == EINTR);
	return r == 0 && info.si_pid != 0;
}

bool pidfd_end(int pidfd, int timeout_ms)
{
	if (pidfd < 0)
		return false;
	(void)!pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	return pidfd_wait(pidfd, timeout_ms) && pidfd_reap(pidfd);
}
