/*
 * Bind mounts that are shared with the host: what the program mounts below them shows there, too.
 * What hull mounts below them, masks and mount points of config.json, must not: nobody would take
 * it away from the host again. So the child attaches a private twin of the parent's tree, and when
 * all is built the twin joins the peers of the tree. In the parent, and in the child before pivot.
 *
 * Mounts that the source has below itself are shared from the beginning.
 */
#include "start/steps.h"

#include <linux/mount.h>
#include <sys/mount.h>

#include "base/fd.h"

/* With a user namespace nothing reaches the host anyway. */
bool share_is_late(const struct plan *plan, size_t index)
{
	const struct plan_mount *m = &plan->mounts[index];
	return m->kind == PLAN_MOUNT_BIND && m->propagation == MS_SHARED &&
	       plan->user.trees == PLAN_TREES_PARENT;
}

static int share_failed(const struct plan_mount *m, struct err *err)
{
	int r = err_sys(err, errno, "cannot share the mount on '%s' with the host", m->destination);
	if (r == -EINVAL)
		err_hint(err, "it needs Linux 5.15");
	err_at(err, m->at);
	return r;
}

/* `tree` is the one that will be attached, shared as the source is. */
int share_later(struct start *s, size_t index, int tree, struct err *err)
{
	const struct plan_mount *m = &s->plan->mounts[index];
	struct mount_attr shared = { .propagation = MS_SHARED };
	struct mount_attr twin = { .propagation = MS_PRIVATE };

	/* Should the name mean another directory by now, the kernel refuses to make them peers. */
	_cleanup_close_ int peer = open_tree(AT_FDCWD, m->source,
					     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (peer < 0 || mount_setattr(peer, "", AT_EMPTY_PATH, &shared, sizeof(shared)) < 0 ||
	    mount_setattr(tree, "", AT_EMPTY_PATH, &twin, sizeof(twin)) < 0)
		return share_failed(m, err);
	s->peer_fds[index] = fd_take(&peer);
	return 0;
}

int share_all(struct start *s, struct err *err)
{
	const unsigned flags = MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_F_EMPTY_PATH |
			       MOVE_MOUNT_T_EMPTY_PATH;
	for (size_t i = 0; i < s->plan->mounts_n; i++) {
		if (s->peer_fds[i] < 0)
			continue;
		if (move_mount(s->peer_fds[i], "", s->mount_fds[i], "", flags) < 0)
			return share_failed(&s->plan->mounts[i], err);
		fd_close(&s->peer_fds[i]);
		fd_close(&s->mount_fds[i]);
	}
	return 0;
}
