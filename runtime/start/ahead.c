/*
 * Parent, stages 1, 2 and 7, and child: the container's network namespace, made while others have
 * something to do. It takes longer than all of the rest of clone3, for every network protocol sets
 * something up in it. So it is made by a helper, a process on another CPU; hull goes on meanwhile,
 * and passes it to the child when both are there.
 *
 * One that belongs to a new user namespace is made by the child, and only when that has its maps:
 * the files of the network, in /proc/net and /sys/class/net/lo, belong to who is root there when it
 * is made, and to nobody for ever if there is no root yet.
 *
 * The helper shares hull's memory and descriptors, and so costs almost nothing. It is no thread:
 * hull has none, and the C library need not know of it. It has hull's privilege, ends at once, and
 * is waited for before the container has a program that runs.
 *
 * Must not: call what may set errno, which is hull's as well: so it makes its system calls itself,
 * and where hull cannot do that, clone3 makes the namespace.
 */
#include "start/ahead.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "start/steps.h"
#include "start/sys.h"

#define AHEAD_STACK    ((size_t)16 * 1024)
#define AHEAD_WAIT_MS  10000 /* for the helper, which the kernel may keep that long */
#define AHEAD_PAUSE_NS 50000

void ahead_init(struct ahead *ahead)
{
	ahead->pidfd = -EBADF;
	ahead->result = -ECANCELED; /* who made it was killed */
}

/* ---- helper ---- */

static _bare_ int make(void *context)
{
	struct ahead *ahead = context;

	/* Stopped, it would keep the state's lock when hull is dead. */
	(void)sys_bare(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	long r = sys_bare(SYS_unshare, CLONE_NEWNET, 0, 0, 0);
	if (r == 0)
		r = sys_bare(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/ns/net",
			     O_RDONLY | O_CLOEXEC, 0);
	atomic_store(&ahead->result, (int)r);
	return 0;
}

/* ---- parent ---- */

static enum ahead_maker choose(const struct plan *plan)
{
	const struct plan_user *user = &plan->user;

	if (!(plan->ns.clone_flags & CLONE_NEWNET))
		return AHEAD_CLONE;
	if (user->is_new)
		return AHEAD_CHILD;
	return SYS_HAS_BARE && user->is_privileged && !user->is_joined && !user->has_stage
		       ? AHEAD_HELPER
		       : AHEAD_CLONE;
}

/* Where there may be no other process, clone3 is left to make it. */
int ahead_begin(struct start *s, struct err *err _unused_)
{
	s->ahead.maker = choose(s->plan);
	if (s->ahead.maker != AHEAD_HELPER)
		return 0;
	char *stack = arena_alloc(s->arena, AHEAD_STACK);
	if (clone(make, stack + AHEAD_STACK, CLONE_VM | CLONE_FILES | CLONE_PIDFD, &s->ahead,
		  &s->ahead.pidfd) < 0) {
		s->ahead.maker = AHEAD_CLONE;
		s->ahead.pidfd = -EBADF; /* the kernel has written there all the same */
	}
	return 0;
}

/* Somebody may have stopped it; one that is killed in the kernel comes back to no memory of ours.
 */
static int wait_for(struct ahead *ahead)
{
	bool has_ended = pidfd_wait(ahead->pidfd, AHEAD_WAIT_MS);

	if (has_ended)
		(void)pidfd_reap(ahead->pidfd);
	else
		(void)pidfd_end(ahead->pidfd, AHEAD_WAIT_MS);
	fd_close(&ahead->pidfd);
	int fd = atomic_exchange(&ahead->result, -ECANCELED);
	if (has_ended)
		return fd;
	fd_close(&fd);
	return -ETIMEDOUT;
}

static int make_failed(int code, struct err *err)
{
	err_sys(err, code, "cannot make the container's network namespace");
	if (code == ENOSPC || code == EUSERS)
		err_hint(err, "the limit in /proc/sys/user/max_net_namespaces is reached");
	else if (code == EPERM)
		err_hint(err, "making it needs CAP_SYS_ADMIN");
	return -code;
}

void ahead_done(struct ahead *ahead)
{
	int fd = ahead->pidfd < 0 ? -EBADF : wait_for(ahead);
	fd_close(&fd);
}

uint64_t ahead_clone_flags(const struct start *s)
{
	uint64_t others = s->plan->ns.clone_flags & ~(uint64_t)CLONE_NEWNET;
	return s->ahead.maker == AHEAD_CLONE ? s->plan->ns.clone_flags : others;
}

int ahead_pass(struct start *s, struct err *err)
{
	if (s->ahead.maker != AHEAD_HELPER)
		return 0;
	_cleanup_close_ int fd = wait_for(&s->ahead);
	if (fd < 0)
		return make_failed(-fd, err);
	int r = channel_tell(&s->channel, CHANNEL_NAMESPACE, fd);
	if (r < 0)
		return err_sys(err, -r, "cannot pass the network namespace on");
	if (plan_has_network(s->plan))
		s->network.container_fd = fd_take(&fd);
	return 0;
}

/* The child's first message comes only when it is in there, or has failed. */
bool ahead_await(const struct start *s, int timeout_ms)
{
	const struct timespec pause = { .tv_nsec = AHEAD_PAUSE_NS };
	const int64_t deadline = clock_ms() + timeout_ms;
	struct pollfd said = { .fd = s->channel.parent_fd, .events = POLLIN };

	if (s->ahead.maker == AHEAD_CLONE)
		return true;
	while (!atomic_load(&s->channel.page->in_network) && clock_ms() < deadline)
		if (ppoll(&said, 1, &pause, NULL) > 0)
			break;
	return atomic_load(&s->channel.page->in_network);
}

/* ---- child ---- */

int ahead_make(const struct start *s, struct err *err)
{
	if (s->ahead.maker != AHEAD_CHILD)
		return 0;
	if (unshare(CLONE_NEWNET) < 0)
		return make_failed(errno, err);
	atomic_store(&s->channel.page->in_network, true);
	return 0;
}

int ahead_enter(struct start *s, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;

	if (s->ahead.maker != AHEAD_HELPER)
		return 0;
	if (channel_receive_fd(s->channel.child_fd, &fd) != CHANNEL_NAMESPACE || fd < 0)
		return channel_given_up(err);
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "cannot enter the network namespace");
	atomic_store(&s->channel.page->in_network, true);
	return 0;
}
