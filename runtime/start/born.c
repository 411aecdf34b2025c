/*
 * Parent, or stage, with the caller's rights: makes the child in its cgroup, although that may be
 * impossible. The kernel compares how often cgroup.kill was written where the parent is and where
 * the child goes, and takes a difference for a kill during the fork: the child gets SIGKILL before
 * its first instruction, when ever hull's own cgroup or the container's was killed. No file tells
 * how often that was. So the child says that it was born; one that dies without a word is made once
 * more, beside hull, and moves into the cgroup itself before it does anything else.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/enter.h"
#include "start/sys.h"

#define BORN_SOON_MS 20
#define BORN_LATE_MS 1000 /* on a machine with much to do */

static bool poll_ends(struct pollfd fds[static 2], int timeout)
{
	return poll(fds, 2, timeout) != 0;
}

/* A frozen child says nothing until it goes on, and is not waited for here. */
static bool died_unborn(const struct start *s, int pidfd)
{
	struct pollfd fds[] = {
		{ .fd = s->born_fd, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};
	if (!poll_ends(fds, BORN_SOON_MS) && !cgroup_is_frozen(s->cgroup_fd))
		(void)poll_ends(fds, BORN_LATE_MS);
	return !fds[0].revents && fds[1].revents;
}

/* A stage's child is hull's to reap, which it does with all that it does not know. */
static long clone_beside(struct start *s, struct clone_args *args, int *pidfd)
{
	(void)!waitid(P_PIDFD, (id_t)*pidfd, &(siginfo_t) { 0 }, WEXITED);
	fd_close(pidfd);
	s->procs_fd = openat(s->cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (s->procs_fd < 0)
		return -1;
	args->flags &= ~(uint64_t)CLONE_INTO_CGROUP;
	args->cgroup = 0;
	return sys_clone3(args);
}

long born_clone(struct start *s, const struct clone_args *child, int *ret_pidfd)
{
	struct clone_args args = *child;
	args.flags |= CLONE_PIDFD;
	args.pidfd = (uint64_t)(uintptr_t)ret_pidfd;
	if (!(args.flags & CLONE_INTO_CGROUP))
		return sys_clone3(&args);
	s->born_fd = eventfd(0, EFD_CLOEXEC);
	long pid = s->born_fd < 0 ? -1 : sys_clone3(&args);
	if (pid > 0 && died_unborn(s, *ret_pidfd)) {
		fd_close(&s->born_fd);
		pid = clone_beside(s, &args, ret_pidfd);
	}
	if (pid == 0)
		return 0;
	int code = errno;
	fd_close(&s->born_fd);
	fd_close(&s->procs_fd);
	errno = code;
	return pid;
}

/* ---- child ---- */

int born_tell(struct start *s, struct err *err)
{
	const uint64_t one = 1;
	int r = 0;
	if (s->born_fd >= 0)
		(void)!write(s->born_fd, &one, sizeof(one));
	if (s->procs_fd >= 0 && write(s->procs_fd, "0", 1) < 0)
		r = err_sys(err, errno, "cannot move into the container's cgroup");
	fd_close(&s->born_fd);
	fd_close(&s->procs_fd);
	return r;
}
