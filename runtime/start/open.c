/*
 * Parent, stage 1 (the child where the caller has no privilege): everything that the caller names
 * is opened here, with the caller's rights and in the caller's namespaces: namespaces to join, and
 * as detached trees the root and the sources of bind mounts, which get their attributes before
 * anybody can see them.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "plan/parts.h"
#include "start/fail.h"
#include "start/namespace.h"
#include "start/shift.h"
#include "start/stage.h"

/* ---- trees ---- */

static int set_attributes(int fd, unsigned flags, const struct plan_attr *attr,
			  uint64_t propagation)
{
	struct mount_attr a = {
		.attr_set = attr->set,
		.attr_clr = attr->clear,
		.propagation = propagation,
	};
	if (!a.attr_set && !a.attr_clr && !a.propagation)
		return 0;
	return mount_setattr(fd, "", AT_EMPTY_PATH | flags, &a, sizeof(a)) < 0 ? -errno : 0;
}

/* Which part of the path is missing, for the hint: "'/srv' exists, 'data' does not". */
void fail_hint_missing(struct err *err, const char *path)
{
	char parent[PATH_MAX];
	size_t n = strnlen(path, sizeof(parent) - 1);
	memcpy(parent, path, n);
	parent[n] = '\0';
	for (;;) {
		char *slash = strrchr(parent, '/');
		if (!slash || slash == parent)
			return;
		*slash = '\0';
		if (faccessat(AT_FDCWD, parent, F_OK, AT_EACCESS) == 0) {
			size_t start = (size_t)(slash - parent) + 1;
			err_hint(err, "'%s' exists, '%.*s' in it does not", parent,
				 (int)strcspn(path + start, "/"), path + start);
			return;
		}
	}
}

int fail_root(const struct plan_root *root, int code, struct err *err)
{
	if (code == ENOTDIR)
		err_say(err, ERR_CONFIG, ENOTDIR, "the root filesystem '%s' is not a directory",
			root->path);
	else
		err_sys(err, code, "cannot open the root filesystem '%s'", root->path);
	if (code == ENOENT) {
		char missing[sizeof(((struct err *)0)->hint)] = "";
		fail_hint_missing(err, root->path);
		if (err)
			memcpy(missing, err->hint, sizeof(missing));
		err_hint(err,
			 "%s%smake it, with what the program needs: bundles/mkrootfs of hull's "
			 "source, or docker export CONTAINER | tar -x -C ROOTFS",
			 missing, missing[0] ? "; " : "");
	}
	err_at(err, root->at);
	return -code;
}

static int open_root(struct start *s, struct err *err)
{
	const struct plan_root *root = &s->plan->root;
	unsigned flags = OPEN_TREE_CLOEXEC;
	/* A slave goes on hearing of the host's mounts; all others are cut off. */
	uint64_t connection = root->propagation == MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
	struct stat st;

	/* Its path is one of the namespace that is joined. */
	if (plan_joins(s->plan, SPEC_NS_MOUNT))
		return 0;
	if (root->kind == PLAN_ROOT_OVERLAY)
		return 0;
	if (root->kind == PLAN_ROOT_DIRECTORY)
		flags |= OPEN_TREE_CLONE | AT_RECURSIVE;
	int r = 0;
	s->root_fd = open_tree(AT_FDCWD, root->path, flags);
	if (s->root_fd < 0)
		r = fail_root(root, errno, err);
	else if (fstat(s->root_fd, &st) < 0)
		r = err_sys(err, errno, "cannot examine the root filesystem '%s'", root->path);
	else if (!S_ISDIR(st.st_mode))
		r = fail_root(root, ENOTDIR, err);
	if (r == 0 && root->kind == PLAN_ROOT_DIRECTORY) {
		r = set_attributes(s->root_fd, AT_RECURSIVE, &(struct plan_attr) { 0 }, connection);
		if (r < 0)
			r = err_sys(err, -r, "cannot detach the root filesystem from the host");
	}
	if (r < 0)
		err_at(err, root->at);
	return r;
}

int fail_bind(const struct plan *plan, const struct plan_mount *m, int code, struct err *err)
{
	err_sys(err, code, "cannot bind '%s' to '%s'", m->source, m->destination);
	if (code == ENOENT)
		fail_hint_missing(err, m->source);
	if (code == EINVAL && !m->recursive && plan->user.trees == PLAN_TREES_CHILD)
		err_hint(err,
			 "in a user namespace a bind must take along what is mounted below its "
			 "source: use rbind");
	err_at(err, m->source_at);
	return -code;
}

static int open_bind(struct start *s, size_t index, int *ret_fd, struct err *err)
{
	const struct plan_mount *m = &s->plan->mounts[index];
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	if (m->recursive)
		flags |= AT_RECURSIVE;
	_cleanup_close_ int fd = open_tree(AT_FDCWD, m->source, flags);
	if (fd < 0)
		return fail_bind(s->plan, m, errno, err);
	int r = shift_mount(s, m, fd, err);
	if (r < 0)
		return r;
	r = set_attributes(fd, m->recursive ? AT_RECURSIVE : 0, &m->attr_recursive, m->propagation);
	if (r == 0)
		r = set_attributes(fd, 0, &m->attr, 0);
	if (r < 0) {
		err_sys(err, -r, "cannot set the attributes of the mount on '%s'", m->destination);
		if (r == -EPERM)
			err_hint(err,
				 "a user namespace keeps what '%s' has on the host: ro, nosuid, "
				 "nodev, noexec and the access times",
				 m->source);
		err_at(err, m->at);
		return r;
	}
	if (share_is_late(s->plan, index))
		r = share_later(s, index, fd, err);
	if (r == 0)
		*ret_fd = fd_take(&fd);
	return r;
}

/* A new file system that is id-mapped: only outside there is the right to choose the map (S-089).
 */
static int open_shifted(struct start *s, const struct plan_mount *m, int *ret_fd, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	int r = mount_make(s, m, &fd, err);
	if (r == 0)
		r = shift_mount(s, m, fd, err);
	if (r == 0)
		*ret_fd = fd_take(&fd);
	return r;
}

/* By its descriptor, or where that is of another mount namespace by its path. */
static int clone_cgroup(const struct start *s)
{
	char path[PATH_MAX];
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	if (s->plan->user.trees != PLAN_TREES_CHILD)
		return open_tree(s->cgroup_fd, "", AT_EMPTY_PATH | flags);
	int n = snprintf(path, sizeof(path), "%s%s", s->cgroup_root.path, s->plan->cgroup_path);
	if (n < 0 || n >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open_tree(AT_FDCWD, path, flags);
}

/* What is shown at /sys/fs/cgroup without a cgroup namespace: only the container's own part. */
static int open_cgroup_mount(const struct start *s, const struct plan_mount *m, int *ret_fd,
			     struct err *err)
{
	if (!s->has_cgroup) {
		err_say(err, ERR_HOST, ENODEV,
			"there is no cgroup of the container's own to mount on '%s'",
			m->destination);
		err_hint(err, "add {\"type\": \"cgroup\"} to linux.namespaces");
		err_at(err, m->at);
		return -ENODEV;
	}
	_cleanup_close_ int fd = clone_cgroup(s);
	int r = fd < 0 ? -errno : set_attributes(fd, 0, &m->attr, m->propagation);
	if (r < 0) {
		err_sys(err, -r, "cannot mount the container's cgroup on '%s'", m->destination);
		err_at(err, m->at);
		return r;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

/* By its name in the state directory, which is the caller's alone, and where hull has made it. */
static int open_own_file(const struct start *s, const struct plan_mount *m, int *ret_fd,
			 struct err *err)
{
	_cleanup_close_ int fd = open_tree(
		s->entry.fd, m->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	int r = fd < 0 ? -errno : set_attributes(fd, 0, &m->attr, m->propagation);
	if (r < 0)
		return err_sys(err, -r, "cannot mount hull's own '%s' on '%s'", m->source,
			       m->destination);
	*ret_fd = fd_take(&fd);
	return 0;
}

static int open_trees(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;
	int r = open_root(s, err);
	for (size_t i = 0; r == 0 && i < plan->mounts_n; i++) {
		if (plan->mounts[i].kind == PLAN_MOUNT_BIND)
			r = open_bind(s, i, &s->mount_fds[i], err);
		else if (plan->mounts[i].kind == PLAN_MOUNT_NEW && plan->mounts[i].shift)
			r = open_shifted(s, &plan->mounts[i], &s->mount_fds[i], err);
		else if (plan->mounts[i].kind == PLAN_MOUNT_FILE)
			r = open_own_file(s, &plan->mounts[i], &s->mount_fds[i], err);
		else if (plan->mounts[i].kind == PLAN_MOUNT_CGROUP)
			r = open_cgroup_mount(s, &plan->mounts[i], &s->mount_fds[i], err);
		if (r < 0)
			err_step(err, "mounts, %zu of %zu", i + 1, plan->mounts_n);
	}
	return r;
}

int prepare_open(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < plan->ns.join_n; i++)
		r = namespace_open_joined(s->store, &plan->ns.join[i], &s->join_fds[i], err);
	s->mount_fds = arena_array(s->arena, plan->mounts_n + 1, sizeof(int));
	s->peer_fds = arena_array(s->arena, plan->mounts_n + 1, sizeof(int));
	for (size_t i = 0; i < plan->mounts_n; i++)
		s->mount_fds[i] = s->peer_fds[i] = -EBADF;
	s->map_fds = arena_array(s->arena, plan->shifts_n + 1, sizeof(int));
	for (size_t i = 0; i < plan->shifts_n; i++)
		s->map_fds[i] = -EBADF;
	/* An overlay's layers are opened later: the kernel wants them in the mounting process's
	 * namespace. */
	if (plan->root.kind == PLAN_ROOT_OVERLAY)
		s->layer_fds = arena_array(s->arena, plan->root.overlay.lower_n + 2, sizeof(int));
	if (r == 0)
		r = rootfs_lock_layer(s, err);
	if (r == 0 && plan->user.trees != PLAN_TREES_CHILD)
		r = open_trees(s, err);
	shift_close(s); /* the mounts keep their maps */
	return r;
}

/*
 * Child, stage 3: a caller without privilege may clone no mount; the container's root may, in a
 * copy of the caller's mount namespace whose flags are locked, and with the caller's rights to
 * files as far as they go.
 */
int open_in_child(struct start *s, struct err *err)
{
	switch (s->plan->user.trees) {
	case PLAN_TREES_STAGE:
		return stage_take_trees(s, err);
	case PLAN_TREES_CHILD:
		return open_trees(s, err);
	default:
		return 0;
	}
}
