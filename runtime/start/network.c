/*
 * Parent, between clone and the child's sysctls and hooks: what hull makes in the container's
 * network namespace, with the caller's privilege over that and the host's. The child waits for it
 * (isolate.c).
 */
#include "start/steps.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/pidfd.h>

#include "base/fd.h"
#include "start/bridge.h"
#include "start/devices.h"
#include "start/namespace.h"
#include "start/proc.h"

#define NETWORK_MS 10000 /* for the child to make its network namespace */

void network_keep(struct start *s)
{
	const struct plan_namespaces *ns = &s->plan->ns;
	for (unsigned i = 0; plan_has_network(s->plan) && i < ns->join_n; i++)
		if (ns->join[i].type == SPEC_NS_NETWORK)
			s->network.container_fd = fd_take(&s->join_fds[i]);
}

/* Its process is there before and after the file is opened: so the file is that of no other. */
static int open_of_process(const struct state *other, int *ret_fd, struct err *err)
{
	_cleanup_close_ int pidfd = -EBADF, proc_fd = -EBADF;

	int r = state_open_process(other, &pidfd);
	if (r < 0)
		return r == -ESRCH ? r : state_process_unknown(other, -r, err);
	r = proc_open_plain(&proc_fd, err);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = namespace_open(proc_fd, other->pid, "net");
	if (fd < 0 && fd != -ENOENT)
		return err_sys(err, -fd, "cannot open the network namespace of '%s'", other->id);
	if (fd < 0 || pidfd_send_signal(pidfd, 0, NULL, 0) < 0)
		return -ESRCH;
	*ret_fd = fd_take(&fd);
	return 0;
}

static bool has_network(const struct state *other)
{
	enum state_status status = state_status_now(other, NULL);
	return status == STATE_CREATED || status == STATE_RUNNING;
}

int network_open_of(const struct state_store *store, const char *id, int *ret_fd, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	struct state other;

	arena_init(&arena);
	int r = state_check_id(id, err);
	if (r == 0)
		r = state_read_settled(store, id, &arena, &other, err);
	if (r == 0)
		r = has_network(&other) ? open_of_process(&other, ret_fd, err) : -ESRCH;
	arena_wipe(&arena); /* the memory becomes that of a container's process */
	if (r == -ESRCH) {
		err_say(err, ERR_BUSY, ESRCH,
			"cannot share the network of container '%s': it is not running", id);
		err_hint(err, "hull list shows which ones are");
	}
	return r;
}

/* A new one is the child's, which is ours and not reaped: its number is nobody else's. */
static int open_namespace(struct start *s, struct err *err)
{
	_cleanup_close_ int proc_fd = -EBADF;

	if (s->network.container_fd >= 0)
		return 0;
	if (!ahead_await(s, NETWORK_MS))
		return err_say(err, ERR_HOST, ETIMEDOUT,
			       "the container's process did not make its network namespace");
	int r = proc_open_plain(&proc_fd, err);
	if (r < 0)
		return r;
	s->network.container_fd = namespace_open(proc_fd, s->pid, "net");
	return s->network.container_fd < 0
		       ? err_sys(err, -s->network.container_fd,
				 "cannot open the container's network namespace")
		       : 0;
}

int network_make(struct start *s, struct err *err)
{
	if (!plan_has_network(s->plan))
		return 0;
	int r = open_namespace(s, err);
	if (r == 0)
		r = netns_pair_open(&s->network, err);
	if (r == 0)
		r = bridge_lay(s, err);
	if (r == 0)
		r = devices_move(s, err);
	/* The child may have failed first, which says more. */
	if (r < 0)
		return channel_error(&s->channel, err) ? -err->code : r;
	r = channel_tell(&s->channel, CHANNEL_NETWORK, -EBADF);
	if (r < 0)
		return err_sys(err, -r, "cannot tell the container that its network is there");
	return 0;
}
