/*
 * Parent, stage 1: the container's network namespace, made while hull does other things. It takes
 * longer than all of the rest of clone3, for every network protocol sets something up in it. So a
 * process beside hull makes it, on another CPU; hull goes on meanwhile, and passes it to the child
 * when both are there.
 *
 * That process shares hull's memory and descriptors, and so costs almost nothing. It is no thread:
 * hull has none, and the C library need not know of it. It has hull's privilege, ends at once, and
 * is waited for before the container has a program that runs.
 *
 * Must not: call what may set errno, which is hull's as well: so it makes its system calls itself,
 * and where hull cannot do that, clone3 makes the namespace. Must not be used where the namespace
 * belongs to a new user namespace.
 */
#include "start/ahead.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "start/steps.h"
#include "start/sys.h"

#define AHEAD_STACK ((size_t)16 * 1024)

void ahead_init(struct ahead *ahead)
{
	ahead->pidfd = -EBADF;
	ahead->result = -EBADF;
}

/* ---- beside hull ---- */

#ifdef SYS_HAS_BARE
static int make(void *context)
{
	struct ahead *ahead = context;

	long r = sys_bare(SYS_unshare, CLONE_NEWNET, 0, 0, 0);
	if (r == 0)
		r = sys_bare(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/ns/net",
			     O_RDONLY | O_CLOEXEC, 0);
	atomic_store(&ahead->result, (int)r);
	return 0;
}
#else
static int make(void *context _unused_)
{
	return 0;
}
#define SYS_HAS_BARE false
#endif

/* ---- parent ---- */

static bool is_wanted(const struct plan *plan)
{
	const struct plan_user *user = &plan->user;
	return SYS_HAS_BARE && (plan->ns.clone_flags & CLONE_NEWNET) && user->is_privileged &&
	       !user->is_new && !user->is_joined && !user->has_stage && !plan_unshares(plan);
}

int ahead_begin(struct start *s, struct err *err _unused_)
{
	if (!is_wanted(s->plan))
		return 0;
	char *stack = arena_alloc(s->arena, AHEAD_STACK);
	int pidfd = -EBADF;
	pid_t pid = clone(make, stack + AHEAD_STACK, CLONE_VM | CLONE_FILES | CLONE_PIDFD,
			  &s->ahead, &pidfd);
	if (pid < 0)
		return 0;
	s->ahead.pidfd = pidfd;
	s->ahead.is_used = true;
	return 0;
}

/* It makes two system calls and ends; nobody else can wait for it. */
static int wait_for(struct ahead *ahead)
{
	siginfo_t info;

	while (waitid(P_PIDFD, (id_t)ahead->pidfd, &info, WEXITED | __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	fd_close(&ahead->pidfd);
	return atomic_load(&ahead->result);
}

void ahead_done(struct ahead *ahead)
{
	int fd = ahead->pidfd < 0 ? -EBADF : wait_for(ahead);
	fd_close(&fd);
	fd_close(&ahead->pidfd);
}

int ahead_pass(struct start *s, struct err *err)
{
	if (!s->ahead.is_used)
		return 0;
	_cleanup_close_ int fd = wait_for(&s->ahead);
	if (fd < 0)
		return clone_failed(s, -fd, err);
	int r = channel_send_fd(s->channel.parent_fd, CHANNEL_NAMESPACE, fd);
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return err_sys(err, -r, "cannot pass the network namespace on");
	if (plan_has_network(s->plan))
		s->network.container_fd = fd_take(&fd);
	return 0;
}

/* ---- child ---- */

int ahead_enter(struct start *s, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;

	if (!s->ahead.is_used)
		return 0;
	if (channel_receive_fd(s->channel.child_fd, &fd) != CHANNEL_NAMESPACE || fd < 0)
		return channel_given_up(err);
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "cannot enter the network namespace");
	return 0;
}
