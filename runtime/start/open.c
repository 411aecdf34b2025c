/*
 * Parent, stage 1: everything that the caller names is opened here, with the caller's rights and in
 * the caller's namespaces: namespaces to join, and as detached trees the root and the sources of
 * bind mounts, which get their attributes before anybody can see them.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "plan/parts.h"

/* ---- namespaces ---- */

/* Does this namespace turn out to be the one that hull itself is in? */
static bool is_own_namespace(int fd, enum spec_ns_type type)
{
	static const char *const names[SPEC_NS_COUNT] = {
		[SPEC_NS_PID] = "pid",       [SPEC_NS_NETWORK] = "net", [SPEC_NS_MOUNT] = "mnt",
		[SPEC_NS_IPC] = "ipc",       [SPEC_NS_UTS] = "uts",     [SPEC_NS_USER] = "user",
		[SPEC_NS_CGROUP] = "cgroup", [SPEC_NS_TIME] = "time",
	};
	char path[32];
	struct stat mine, theirs;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", names[type]);
	/* What cannot be told apart is taken for the same: nothing of the host may be changed. */
	return stat(path, &mine) < 0 || fstat(fd, &theirs) < 0 ||
	       (mine.st_ino == theirs.st_ino && mine.st_dev == theirs.st_dev);
}

static int open_namespace(const struct plan_join *join, int *ret_fd, struct err *err)
{
	_cleanup_close_ int fd = open(join->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = 0;
	if (fd < 0) {
		r = err_sys(err, errno, "cannot open the %s namespace '%s'",
			    spec_ns_name(join->type), join->path);
	} else {
		int type = ioctl(fd, NS_GET_NSTYPE);
		if (type < 0)
			r = err_say(err, ERR_CONFIG, EINVAL, "'%s' is not a namespace", join->path);
		else if ((uint64_t)(unsigned)type != plan_namespace_flag(join->type))
			r = err_say(err, ERR_CONFIG, EINVAL, "'%s' is not a %s namespace",
				    join->path, spec_ns_name(join->type));
		else if (join->is_changed && is_own_namespace(fd, join->type))
			r = err_say(err, ERR_CONFIG, EPERM,
				    "'%s' is hull's own %s namespace, which sysctls or names of "
				    "this config.json would change",
				    join->path, spec_ns_name(join->type));
	}
	if (r < 0) {
		err_hint(err, "a namespace's file is /proc/PID/ns/..., or a bind mount of it");
		err_at(err, join->at);
		return r;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

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
static void hint_missing(struct err *err, const char *path)
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
	/* An overlay's layers are opened by the child: the kernel wants them in its namespace. */
	if (root->kind == PLAN_ROOT_OVERLAY) {
		s->layer_fds = arena_array(s->arena, root->overlay.lower_n + 2, sizeof(int));
		return 0;
	}
	if (root->kind == PLAN_ROOT_DIRECTORY)
		flags |= OPEN_TREE_CLONE | AT_RECURSIVE;
	int r = 0;
	s->root_fd = open_tree(AT_FDCWD, root->path, flags);
	if (s->root_fd < 0) {
		r = err_sys(err, errno, "cannot open the root filesystem '%s'", root->path);
		if (r == -ENOENT)
			hint_missing(err, root->path);
	} else if (fstat(s->root_fd, &st) < 0) {
		r = err_sys(err, errno, "cannot examine the root filesystem '%s'", root->path);
	} else if (!S_ISDIR(st.st_mode)) {
		r = err_say(err, ERR_CONFIG, ENOTDIR, "the root filesystem '%s' is not a directory",
			    root->path);
	}
	if (r == 0 && root->kind == PLAN_ROOT_DIRECTORY) {
		r = set_attributes(s->root_fd, AT_RECURSIVE, &(struct plan_attr) { 0 }, connection);
		if (r < 0)
			r = err_sys(err, -r, "cannot detach the root filesystem from the host");
	}
	if (r < 0)
		err_at(err, root->at);
	return r;
}

static int open_bind(const struct plan_mount *m, int *ret_fd, struct err *err)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	if (m->recursive)
		flags |= AT_RECURSIVE;
	_cleanup_close_ int fd = open_tree(AT_FDCWD, m->source, flags);
	if (fd < 0) {
		int code = errno;
		err_sys(err, code, "cannot bind '%s' to '%s'", m->source, m->destination);
		if (code == ENOENT)
			hint_missing(err, m->source);
		err_at(err, m->source_at);
		return -code;
	}
	int r = set_attributes(fd, m->recursive ? AT_RECURSIVE : 0, &m->attr_recursive,
			       m->propagation);
	if (r == 0)
		r = set_attributes(fd, 0, &m->attr, 0);
	if (r < 0) {
		err_sys(err, -r, "cannot set the attributes of the mount on '%s'", m->destination);
		err_at(err, m->at);
		return r;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

/* What is shown at /sys/fs/cgroup without a cgroup namespace: only the container's own part. */
static int open_cgroup_mount(const struct start *s, const struct plan_mount *m, int *ret_fd,
			     struct err *err)
{
	if (s->cgroup_fd < 0) {
		err_say(err, ERR_HOST, ENODEV,
			"there is no cgroup of the container's own to mount on '%s'",
			m->destination);
		err_at(err, m->at);
		return -ENODEV;
	}
	_cleanup_close_ int fd = open_tree(s->cgroup_fd, "",
					   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r = fd < 0 ? -errno : set_attributes(fd, 0, &m->attr, m->propagation);
	if (r < 0) {
		err_sys(err, -r, "cannot mount the container's cgroup on '%s'", m->destination);
		err_at(err, m->at);
		return r;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

int prepare_open(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < plan->ns.join_n; i++)
		r = open_namespace(&plan->ns.join[i], &s->join_fds[i], err);
	if (r == 0)
		r = open_root(s, err);
	s->mount_fds = arena_array(s->arena, plan->mounts_n + 1, sizeof(int));
	for (size_t i = 0; i < plan->mounts_n; i++)
		s->mount_fds[i] = -EBADF;
	for (size_t i = 0; r == 0 && i < plan->mounts_n; i++) {
		if (plan->mounts[i].kind == PLAN_MOUNT_BIND)
			r = open_bind(&plan->mounts[i], &s->mount_fds[i], err);
		else if (plan->mounts[i].kind == PLAN_MOUNT_CGROUP)
			r = open_cgroup_mount(s, &plan->mounts[i], &s->mount_fds[i], err);
		if (r < 0)
			err_step(err, "mounts, %zu of %zu", i + 1, plan->mounts_n);
	}
	return r;
}
