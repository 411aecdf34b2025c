/*
 * The root filesystem, its layers, the mounts and the program, before a start: the paths that the
 * plan names are opened with O_PATH, new file systems get their options and are thrown away, and
 * the program is looked for below the root and in the sources of binds (explain/tree.h).
 */
#include "start/foresee.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "explain/explain.h"
#include "start/fail.h"

/* ---- the overlay ---- */

/* Adds an error for what cannot be opened. */
static int try_layer(const struct foresee *f, const char *path, uint32_t at)
{
	struct err err = { 0 };
	int fd = open_layer(path, at, &err);
	if (fd < 0)
		foresee_add(f, &err);
	return fd;
}

static int try_writable(const struct foresee *f, const char *path)
{
	struct err err = { 0 };
	int fd = open_writable(&f->plan->root.overlay, path, &err);
	if (fd < 0)
		foresee_add(f, &err);
	return fd;
}

/* --overlay=DIR is made, with what belongs into it, when the directory that it is in is there. */
static void try_overlay_dir(const struct foresee *f, const struct plan_overlay *o)
{
	struct err err = { 0 };
	char *parent = arena_strdup(f->arena, o->dir);
	char *slash = strrchr(parent, '/');
	if (faccessat(AT_FDCWD, o->dir, F_OK, AT_EACCESS) == 0 || errno != ENOENT || !slash)
		return;
	slash[slash == parent] = '\0';
	if (faccessat(AT_FDCWD, parent, W_OK | X_OK, AT_EACCESS) == 0)
		return;
	fail_make_dir(o->dir, errno, &err);
	err_at(&err, o->at);
	foresee_add(f, &err);
}

#define OLD_LOWERDIR_MAX 255 /* bytes that fsconfig takes for one value */

/*
 * Before Linux 6.5 all lower layers are one value of limited size; more of them are not looked at.
 * The descriptors stand for the paths, as in a start (rootfs.c).
 */
static bool set_lowers(int fs, const int *fds, size_t n)
{
	char all[OLD_LOWERDIR_MAX + 64] = "", one[64];
	size_t used = 0;
	for (size_t i = 0; i < n; i++) {
		snprintf(one, sizeof(one), "/proc/self/fd/%d", fds[i]);
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i ? ":" : "", one);
		if (used > OLD_LOWERDIR_MAX)
			break;
	}
	if (used <= OLD_LOWERDIR_MAX)
		return fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", all, 0) == 0;
	for (size_t i = 0; i < n; i++) {
		snprintf(one, sizeof(one), "/proc/self/fd/%d", fds[i]);
		if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", one, 0) < 0)
			return false;
	}
	return true;
}

/* All layers, the writable one too, as lower ones of a read-only overlay that is attached nowhere.
 */
static int view_layers(const int *fds, size_t n)
{
	_cleanup_close_ int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0 || !set_lowers(fs, fds, n) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
}

/* What the container will see of its layers; -1: something is missing, or it cannot be shown. */
static int open_overlay(const struct foresee *f, const struct plan_overlay *o)
{
	int *fds = arena_array(f->arena, o->lower_n + 1, sizeof(*fds));
	size_t n = 0;
	bool complete = true;

	if (o->dir)
		try_overlay_dir(f, o);
	else if (o->upper && (close(try_writable(f, o->work)) < 0))
		complete = false;
	int upper = o->dir     ? open(o->upper, O_PATH | O_DIRECTORY | O_CLOEXEC)
		    : o->upper ? try_writable(f, o->upper)
			       : -1;
	if (upper >= 0)
		fds[n++] = upper;
	else if (o->upper && !o->dir)
		complete = false;
	for (size_t i = 0; i < o->lower_n; i++) {
		int fd = try_layer(f, o->lower[i].s, o->lower[i].at);
		if (fd >= 0)
			fds[n++] = fd;
		else
			complete = false;
	}
	int view = -1;
	if (complete)
		view = n == 1 ? fd_take(&fds[0]) : view_layers(fds, n);
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i]);
	return view;
}

/* ---- root and mounts ---- */

static int open_directory(const struct foresee *f, const struct plan_root *root)
{
	struct err err = { 0 };
	struct stat st;
	_cleanup_close_ int fd = open(root->path, O_PATH | O_CLOEXEC);
	int code = fd < 0 || fstat(fd, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	if (code == 0)
		return fd_take(&fd);
	fail_root(root, code, &err);
	foresee_add(f, &err);
	return -1;
}

/* The caller may lack the rights that the container's root will have. */
static void try_filesystem(const struct foresee *f, const struct plan_mount *m)
{
	struct err err = { 0 };
	_cleanup_close_ int fs = mount_configure(m, &err);
	if (fs >= 0 || (fs == -EPERM && !f->plan->user.is_privileged))
		return;
	if (!err.at)
		err_at(&err, m->at);
	foresee_add(f, &err);
}

/* What is there is what the mounts before this one have left to see. */
static void try_point(const struct foresee *f, int root, size_t index, mode_t mode)
{
	const struct plan_mount *m = &f->plan->mounts[index];
	const struct explain_tree tree = { root, f->plan->mounts, index };
	struct err err = { 0 };
	_cleanup_close_ int target = root < 0 ? -EBADF : tree_open(&tree, m->destination, O_PATH);
	if (target >= 0 && mount_check_point(m, mode, target, &err) < 0)
		foresee_add(f, &err);
}

static void try_bind(const struct foresee *f, int root, size_t index)
{
	const struct plan_mount *m = &f->plan->mounts[index];
	struct err err = { 0 };
	struct stat st;
	_cleanup_close_ int fd = open(m->source, O_PATH | O_CLOEXEC);
	if (fd < 0) {
		fail_bind(f->plan, m, errno, &err);
		foresee_add(f, &err);
	} else if (fstat(fd, &st) == 0) {
		try_point(f, root, index, st.st_mode);
	}
}

static void try_mounts(const struct foresee *f, int root)
{
	for (size_t i = 0; i < f->plan->mounts_n; i++) {
		const struct plan_mount *m = &f->plan->mounts[i];
		if (m->kind == PLAN_MOUNT_BIND)
			try_bind(f, root, i);
		if (m->kind != PLAN_MOUNT_NEW)
			continue;
		try_filesystem(f, m);
		try_point(f, root, i, S_IFDIR);
	}
}

/* ---- the program ---- */

/* A missing working directory is made. */
static bool try_cwd(const struct foresee *f, const struct explain_tree *tree)
{
	const struct plan_process *process = &f->plan->process;
	struct err err = { 0 };
	_cleanup_close_ int fd = tree_open(tree, process->cwd, O_PATH | O_DIRECTORY);
	if (fd != -ENOTDIR && fd != -ELOOP)
		return true;
	fail_cwd(process, -fd, &err);
	foresee_add(f, &err);
	return false;
}

static void try_program(const struct foresee *f, const struct explain_tree *tree)
{
	const struct plan_process *process = &f->plan->process;
	struct explain_who who = explain_who_of(process);
	struct err err = { 0 };
	/* Whose files are whose depends on maps and on how the mounts show them. */
	if (f->plan->user.is_new || f->plan->user.is_joined)
		who.caps = ~UINT64_C(0);
	if (!try_cwd(f, tree))
		return;
	if (explain_find(tree, process->args[0], process->path, &who, &err) == 0)
		return;
	err_at(&err, process->args_at);
	foresee_add(f, &err);
}

void foresee_root(const struct foresee *f)
{
	const struct plan *plan = f->plan;
	/* Its paths are those of a namespace that is joined. */
	if (plan_joins(plan, SPEC_NS_MOUNT))
		return;
	_cleanup_close_ int root = plan->root.kind == PLAN_ROOT_OVERLAY
					   ? open_overlay(f, &plan->root.overlay)
					   : open_directory(f, &plan->root);
	const struct explain_tree tree = { root, plan->mounts, plan->mounts_n };
	try_mounts(f, root);
	if (root >= 0)
		try_program(f, &tree);
}
