/*
 * Parent, stages 1 and 2, and child: the container's network namespace, made while others have
 * something to do. It takes longer than all of the rest of clone3, for every network protocol sets
 * something up in it. So it is made by a helper, a process on another CPU; hull goes on meanwhile,
 * and passes it to the child when both are there.
 *
 * One that belongs to a new user namespace is made only when that has its maps: the files of the
 * network, in /proc/net and /sys/class/net/lo, belong to who is root there when it is made, and to
 * nobody for ever if there is no root yet. So either the helper is born in the container's user
 * namespace (ahead_user.c), or it is made by the child.
 *
 * The helper shares hull's memory and descriptors, and so costs almost nothing. It is no thread:
 * hull has none, and the C library need not know of it. It has hull's privilege, or every
 * capability in the container's user namespace, in which there is nothing but hull's own code as
 * long as it lives: it is waited for before the container has a program that runs. It is kept off
 * the CPU that hull runs on: what is put there may have to wait until hull sleeps.
 *
 * Must not: call what may set errno, which is hull's as well: so it makes its system calls itself,
 * and where hull cannot do that, clone3 or the child makes the namespace.
 */
#include "start/ahead.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "start/steps.h"
#include "start/sys.h"

#define AHEAD_STACK    ((size_t)4 * 1024) /* no call goes deeper than bring_up(), no signal comes */
#define AHEAD_WAIT_MS  10000              /* for the helper, which the kernel may keep that long */
#define AHEAD_TIE_MS   100                /* for it to be on a CPU for the first time */
#define AHEAD_PAUSE_NS 50000

void ahead_init(struct ahead *ahead)
{
	*ahead = (struct ahead) {
		.pidfd = -EBADF,
		.result = -ECANCELED, /* who made it was killed */
		.user_fd = -EBADF,
	};
}

/* ---- helper ---- */

/* As netns_loopback_up(), which is the child's to call when this fails, and says why. */
static _bare_ bool bring_up(struct ifreq *interface)
{
	long fd = sys_bare(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0);
	long r = fd < 0 ? fd : sys_bare(SYS_ioctl, fd, SIOCGIFFLAGS, (long)interface, 0);
	interface->ifr_flags |= IFF_UP;
	if (r == 0)
		r = sys_bare(SYS_ioctl, fd, SIOCSIFFLAGS, (long)interface, 0);
	if (fd >= 0)
		(void)sys_bare(SYS_close, fd, 0, 0, 0);
	return r == 0;
}

static _bare_ int make(void *context)
{
	struct ahead *ahead = context;

	/* Stopped, or waiting, it would keep the state's lock when hull is dead; as that may be
	 * before the call. */
	if (sys_bare(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0) < 0 ||
	    sys_bare(SYS_getppid, 0, 0, 0, 0) != ahead->hull_pid)
		return 0;
	if (ahead->maker == AHEAD_USER)
		ahead->user_fd = (int)sys_bare(SYS_openat, AT_FDCWD,
					       (long)"/proc/thread-self/ns/user",
					       O_RDONLY | O_CLOEXEC, 0);
	atomic_store(&ahead->is_tied, true);
	while (!atomic_load(&ahead->may_begin))
		(void)sys_bare(SYS_futex, (long)&ahead->may_begin, FUTEX_WAIT_PRIVATE, 0, 0);
	long r = sys_bare(SYS_unshare, CLONE_NEWNET, 0, 0, 0);
	if (r == 0)
		r = sys_bare(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/ns/net",
			     O_RDONLY | O_CLOEXEC, 0);
	atomic_store(&ahead->result, (int)r); /* at once: it is in hull's table, too */
	ahead->is_up = r >= 0 && ahead->interface.ifr_name[0] && bring_up(&ahead->interface);
	return 0;
}

/* ---- parent ---- */

static enum ahead_maker choose(const struct plan *plan)
{
	const struct plan_user *user = &plan->user;
	const bool can_help = SYS_HAS_BARE && user->is_privileged;

	if (!(plan->ns.clone_flags & CLONE_NEWNET))
		return AHEAD_CLONE;
	if (user->is_new)
		return can_help && ahead_can_have_user(plan) ? AHEAD_USER : AHEAD_CHILD;
	/* One that is joined owns what is made by who is in it: the stage. */
	return can_help && !user->has_stage ? AHEAD_HELPER : AHEAD_CLONE;
}

/* Whether it succeeds changes nothing but how long a start takes. */
static void keep_off(struct ahead *ahead)
{
	cpu_set_t others;
	if (sys_other_cpus(&ahead->cpus, &others))
		(void)sched_setaffinity(ahead->helper, sizeof(others), &others);
}

/* Hull is about to wait for it, and the others may be busy. */
static void let_run_anywhere(struct ahead *ahead)
{
	if (CPU_COUNT(&ahead->cpus) > 0)
		(void)sched_setaffinity(ahead->helper, sizeof(ahead->cpus), &ahead->cpus);
}

static bool has_helper(const struct start *s)
{
	return s->ahead.maker == AHEAD_HELPER || s->ahead.maker == AHEAD_USER;
}

static void let_begin(struct ahead *ahead)
{
	atomic_store(&ahead->may_begin, 1);
	(void)syscall(SYS_futex, &ahead->may_begin, FUTEX_WAKE_PRIVATE, 1);
}

/* Where there may be no other process, it is left to those who come later. */
int ahead_begin(struct start *s, struct err *err _unused_)
{
	struct ahead *ahead = &s->ahead;

	ahead->maker = choose(s->plan);
	if (!has_helper(s))
		return 0;
	const bool in_user = ahead->maker == AHEAD_USER;
	const int flags = CLONE_VM | CLONE_FILES | CLONE_PIDFD | (in_user ? CLONE_NEWUSER : 0);
	char *stack = arena_alloc(s->arena, AHEAD_STACK);
	ahead->hull_pid = getpid();
	atomic_store(&ahead->may_begin, !in_user);
	if (s->plan->ns.loopback)
		memcpy(ahead->interface.ifr_name, "lo", sizeof("lo"));
	ahead->helper = clone(make, stack + AHEAD_STACK, flags, ahead, &ahead->pidfd);
	if (ahead->helper < 0) {
		ahead->maker = in_user ? AHEAD_CHILD : AHEAD_CLONE;
		ahead->pidfd = -EBADF; /* the kernel has written there all the same */
		return 0;
	}
	keep_off(ahead);
	if (in_user && ahead_write_maps(s, ahead->helper) < 0)
		ahead_give_up_user(ahead);
	else if (in_user)
		let_begin(ahead);
	return 0;
}

static int take_result(struct ahead *ahead)
{
	fd_close(&ahead->pidfd);
	return atomic_exchange(&ahead->result, -ECANCELED);
}

/* One that has hardly begun. */
static void end(struct ahead *ahead)
{
	(void)pidfd_end(ahead->pidfd, AHEAD_WAIT_MS);
	int fd = take_result(ahead);
	fd_close(&fd);
	fd_close(&ahead->user_fd);
}

/* Somebody may have stopped it; one that is killed in the kernel comes back to no memory of ours.
 */
static int wait_for(struct ahead *ahead)
{
	if (!pidfd_is_dead(ahead->pidfd))
		let_run_anywhere(ahead);
	bool has_ended = pidfd_wait(ahead->pidfd, AHEAD_WAIT_MS);

	if (has_ended)
		(void)pidfd_reap(ahead->pidfd);
	else
		(void)pidfd_end(ahead->pidfd, AHEAD_WAIT_MS);
	int fd = take_result(ahead);
	if (has_ended)
		return fd;
	fd_close(&fd);
	return -ETIMEDOUT;
}

void ahead_give_up_user(struct ahead *ahead)
{
	if (atomic_load(&ahead->may_begin)) {
		int fd = wait_for(ahead);
		fd_close(&fd);
	} else {
		end(ahead);
	}
	fd_close(&ahead->user_fd);
	ahead->maker = AHEAD_CHILD;
}

/* It is on another CPU and does so first of all: mostly it has done so by now. */
int ahead_tie(struct start *s, struct err *err _unused_)
{
	struct ahead *ahead = &s->ahead;
	const int64_t deadline = clock_ms() + AHEAD_TIE_MS;

	if (!has_helper(s))
		return 0;
	while (!atomic_load(&ahead->is_tied) && !pidfd_is_dead(ahead->pidfd) &&
	       clock_ms() < deadline)
		(void)sched_yield();
	if (!atomic_load(&ahead->is_tied)) { /* it is stopped, or was killed */
		end(ahead);
		ahead->maker = ahead_has_user(s) ? AHEAD_CHILD : AHEAD_CLONE;
	} else if (ahead_has_user(s) && ahead->user_fd < 0) {
		ahead_give_up_user(ahead);
	}
	return 0;
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
	fd_close(&ahead->user_fd);
}

uint64_t ahead_clone_flags(const struct start *s)
{
	uint64_t flags = s->plan->ns.clone_flags;

	if (s->ahead.maker != AHEAD_CLONE)
		flags &= ~(uint64_t)CLONE_NEWNET;
	return ahead_has_user(s) ? flags & ~(uint64_t)CLONE_NEWUSER : flags;
}

int ahead_pass(struct start *s, struct err *err)
{
	if (!has_helper(s))
		return 0;
	_cleanup_close_ int fd = wait_for(&s->ahead);
	if (fd < 0)
		return make_failed(-fd, err);
	atomic_store(&s->channel.page->loopback_is_up, s->ahead.is_up);
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

const char *ahead_text(const struct start *s)
{
	static const char *const texts[] = {
		[AHEAD_CLONE] = "made with the others",
		[AHEAD_HELPER] = "made by a helper",
		[AHEAD_USER] = "made by a helper, with its user namespace",
		[AHEAD_CHILD] = "left to the child",
	};
	return s->plan->ns.clone_flags & CLONE_NEWNET ? texts[s->ahead.maker] : NULL;
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

	if (!has_helper(s))
		return 0;
	if (channel_receive_fd(s->channel.child_fd, &fd) != CHANNEL_NAMESPACE || fd < 0)
		return channel_given_up(err);
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "cannot enter the network namespace");
	atomic_store(&s->channel.page->in_network, true);
	return 0;
}
