/*
 * Parent, or stage, with the caller's rights: makes the child in its cgroup, although that may be
 * impossible. The kernel compares how often cgroup.kill was written where the parent is and where
 * the child goes, and takes a difference for a kill during the fork: the child gets SIGKILL before
 * its first instruction, when ever hull's own cgroup or the container's was killed. No file tells
 * how often that was. So the child says that it was born; one that dies without a word is made once
 * more, beside hull, and moves into the cgroup itself before it does anything else.
 *
 * From the session of a login no process of the user's may go to the scopes of his systemd, for the
 * cgroup above both is root's; but his systemd may, with the system's help. There the child is made
 * beside hull, too, and waits until it was moved (scope.c).
 */
#include "start/steps.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
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

/* Of a user's scope only: of all others the caller is root, who may move whom he likes. */
int born_prepare(struct start *s, struct err *err)
{
	if (!s->state.unit || !s->state.unit_is_user || s->moved_fds[0] >= 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->moved_fds) == 0)
		return 0;
	s->moved_fds[0] = s->moved_fds[1] = -EBADF;
	return err_sys(err, errno, "cannot make a connection to the container's process");
}

void born_done(struct start *s)
{
	fd_close(&s->moved_fds[0]);
	fd_close(&s->moved_fds[1]);
}

static long clone_waiting(struct start *s, struct clone_args *args)
{
	atomic_store(&s->channel.page->is_beside, true);
	args->flags &= ~(uint64_t)CLONE_INTO_CGROUP;
	args->cgroup = 0;
	return sys_clone3(args);
}

/*
 * A kernel that saves CPUs puts a new process on its parent's, where it waits until that sleeps;
 * but both have something to do. So hull goes to another one, if there is any, and is kept off this
 * one for as long as that takes. (The kernel remembers the set that it gets back as one that was
 * asked for: CPUs that hull's cgroup gets later are not for it, nor for the hooks that it runs.)
 */
static void part(const struct start *s)
{
	cpu_set_t all, others;

	if (atomic_load(&s->channel.page->born_on) == sched_getcpu() &&
	    sys_other_cpus(&all, &others) && sched_setaffinity(0, sizeof(others), &others) == 0)
		(void)sched_setaffinity(0, sizeof(all), &all);
}

long born_clone(struct start *s, const struct clone_args *child, int *ret_pidfd)
{
	struct clone_args args = *child;
	args.flags |= CLONE_PIDFD;
	args.pidfd = (uint64_t)(uintptr_t)ret_pidfd;
	if (!(args.flags & CLONE_INTO_CGROUP))
		return sys_clone3(&args);
	atomic_store(&s->channel.page->born_on, -1);
	s->born_fd = eventfd(0, EFD_CLOEXEC);
	long pid = s->born_fd < 0 ? -1 : sys_clone3(&args);
	if (pid > 0 && died_unborn(s, *ret_pidfd)) {
		fd_close(&s->born_fd);
		pid = clone_beside(s, &args, ret_pidfd);
	}
	if (pid == 0)
		return 0;
	int code = errno;
	if (pid > 0 && !(s->plan->flags & PLAN_EXEC)) /* which has nothing to do but to wait */
		part(s);
	fd_close(&s->born_fd);
	fd_close(&s->procs_fd);
	errno = code;
	if (pid < 0 && code == EACCES && s->moved_fds[0] >= 0)
		pid = clone_waiting(s, &args);
	return pid;
}

/* ---- child ---- */

/* The word can only come from hull: when that is dead, so is the connection. */
static int await_move(struct start *s, struct err *err)
{
	char word;
	ssize_t n = 1;
	fd_close(&s->moved_fds[1]);
	if (atomic_load(&s->channel.page->is_beside))
		do
			n = read(s->moved_fds[0], &word, 1);
		while (n < 0 && errno == EINTR);
	fd_close(&s->moved_fds[0]);
	return n == 1 ? 0
		      : err_say(err, ERR_HOST, ECANCELED,
				"nobody has moved the container's process into its scope");
}

int born_tell(struct start *s, struct err *err)
{
	const uint64_t one = 1;
	int r = 0;
	atomic_store(&s->channel.page->born_on, sched_getcpu());
	if (s->born_fd >= 0)
		(void)!write(s->born_fd, &one, sizeof(one));
	if (s->procs_fd >= 0 && write(s->procs_fd, "0", 1) < 0)
		r = err_sys(err, errno, "cannot move into the container's cgroup");
	fd_close(&s->born_fd);
	fd_close(&s->procs_fd);
	return r < 0 ? r : await_move(s, err);
}
