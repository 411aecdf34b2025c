/*
 * Child and helpers: which descriptors they have. The child is a copy of hull, and so holds all
 * that hull has opened, of which any directory is a way to the host's root (".." leads out of it)
 * for whoever may trace the child. So what a step does not need is closed by range
 * and not by name: what somebody opens in hull tomorrow is closed, too.
 *
 * Must not: allocate; leave anything but the channel to a process that others can see.
 */
#include "start/steps.h"

#include <unistd.h>

#include "base/fd.h"

/* The lowest of these that is not below `first`; or `least`, if that is lower. */
static unsigned lowest(const int *fds, size_t n, unsigned first, unsigned least)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0 && (unsigned)fds[i] >= first && (unsigned)fds[i] < least)
			least = (unsigned)fds[i];
	return least;
}

/*
 * Closes all but the program's own (0 to 2, --preserve-fds) and those given. There are as many
 * rounds as descriptors that stay, which RLIMIT_NOFILE bounds.
 */
static int keep_only(const struct start *s, const int *few, size_t few_n, struct err *err)
{
	const size_t mounts_n = s->mount_fds ? s->plan->mounts_n : 0;
	unsigned first = s->plan->process.first_closed_fd;

	for (;;) {
		unsigned kept = lowest(few, few_n, first, ~0U);
		kept = lowest(s->join_fds, SPEC_NS_COUNT, first, kept);
		kept = lowest(s->mount_fds, mounts_n, first, kept);
		kept = lowest(s->peer_fds, mounts_n, first, kept);
		if (kept > first && close_range(first, kept == ~0U ? kept : kept - 1, 0) < 0)
			return err_sys(err, errno, "cannot close the descriptors of hull");
		if (kept == ~0U)
			return 0;
		first = kept + 1;
	}
}

/* First of all: what is the parent's. The lock on the state directory is the parent's need. */
int descriptors_close_parents(struct start *s, struct err *err)
{
	const int few[] = { s->channel.child_fd, s->init.tell_fd, s->gate.fd,
			    s->root_fd,          s->stage_fd,     s->join.enter_fd };

	channel_keep_child(&s->channel);
	state_entry_close(&s->entry);
	fd_close(&s->store->fd);
	fd_close(&s->init.told_fd);
	fd_close(&s->signal_fd);
	fd_close(&s->tty.socket_fd);
	fd_close(&s->pidfd_socket_fd);
	fd_close(&s->listener.socket_fd);
	fd_close(&s->cgroup_fd);
	fd_close(&s->cgroup_lock_fd);
	fd_close(&s->proc_fd); /* the stage's */
	cgroup_root_close(&s->cgroup_root);
	return keep_only(s, few, ARRAY_SIZE(few), err);
}

/*
 * With the container built: nothing is left to be done but with its root, its terminal, and the pid
 * namespace that is to be joined. Before the child, or a hook of the image, is anywhere with
 * others.
 */
int descriptors_close_built(struct start *s, struct err *err)
{
	const int few[] = { s->channel.child_fd,  s->init.tell_fd,      s->gate.fd,   s->root_fd,
			    s->init.label_fds[0], s->init.label_fds[1], s->console_fd };

	fd_close(&s->stage_fd);
	fd_close(&s->proc_fd);
	for (size_t i = 0; s->mount_fds && i < s->plan->mounts_n; i++) {
		fd_close(&s->mount_fds[i]);
		fd_close(&s->peer_fds[i]);
	}
	return keep_only(s, few, ARRAY_SIZE(few), err);
}

/* While the child waits to be started; by name what may be lower than those the program keeps. */
int descriptors_close_parked(struct start *s, struct err *err)
{
	fd_close(&s->root_fd);
	fd_close(&s->console_fd);
	fd_close(&s->init.tell_fd);
	const int few[] = { s->gate.fd, s->channel.child_fd, s->init.label_fds[0],
			    s->init.label_fds[1] };
	return keep_only(s, few, ARRAY_SIZE(few), err);
}

/* For helpers, which need two or one (twice). Standard input and output go, too. */
int descriptors_close_all_but(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);
	if ((low > 0 && close_range(0, low - 1, 0) < 0) ||
	    (high > low + 1 && close_range(low + 1, high - 1, 0) < 0) ||
	    close_range(high + 1, ~0U, 0) < 0)
		return -errno;
	return 0;
}
