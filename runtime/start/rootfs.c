/*
 * Child, stage 4: the new root filesystem is put on top of "/" in the container's own mount
 * namespace. The process still stands on the old root below it and goes on seeing the host's
 * names, while the descriptor root_fd is the new one, on which everything is built.
 *
 * Should: cut the namespace's propagation towards the host first of all.
 * Must not: mount anything that the host could see.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* From now on what happens here stays here; unmounts of the host still come in until pivot. */
static int cut_propagation(struct err *err)
{
	struct mount_attr attr = { .propagation = MS_SLAVE };
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_sys(err, errno, "cannot cut the mounts off from the host");
	return 0;
}

static int attach_on_root(int fd, struct err *err)
{
	if (move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot attach the root filesystem");
	return 0;
}

/* ---- overlay ---- */

/*
 * Layers are given to the kernel as /proc/self/fd/N: names with colons, commas and backslashes
 * need no escaping then, and a hundred of them fit the one page that mount(2) takes. (lowerdir+ of
 * fsconfig exists only since 6.5 and takes no path over 255 bytes.)
 */
struct overlay_data {
	char text[4096];
	size_t used;
};

static int data_append(struct overlay_data *d, const char *key, int fd)
{
	int n = snprintf(d->text + d->used, sizeof(d->text) - d->used, "%s/proc/self/fd/%d", key,
			 fd);
	if (n < 0 || (size_t)n >= sizeof(d->text) - d->used)
		return -E2BIG;
	d->used += (size_t)n;
	return 0;
}

/* Opens a layer into the next free place of layer_fds and appends it to the mount's data. */
static int add_layer(struct start *s, struct overlay_data *d, const char *key, int fd,
		     struct err *err)
{
	s->layer_fds[s->layers_n++] = fd;
	if (data_append(d, key, fd) < 0)
		return err_say(err, ERR_LIMIT, E2BIG, "the overlay has too many layers");
	return 0;
}

static int open_layer(const char *path, uint32_t at, struct err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		fd = err_sys(err, errno, "cannot open the layer '%s'", path);
		err_at(err, at);
	}
	return fd;
}

static int make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make the directory '%s'", path);
	return 0;
}

static int open_writable(const struct plan_overlay *o, const char *path, struct err *err)
{
	int r = o->dir ? make_dir(path, err) : 0;
	return r < 0 ? r : open_layer(path, o->at, err);
}

/*
 * A tmpfs for the writable layer. It is attached below the overlay, on "/" too: the kernel wants
 * layers to be in the namespace, and with the old root it goes out of sight at pivot, to live as
 * long as the overlay that uses it.
 */
static int make_tmpfs_layer(int *ret_upper, int *ret_work, struct err *err)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, errno, "cannot make a tmpfs for the writable layer");
	_cleanup_close_ int mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		return err_sys(err, errno, "cannot mount a tmpfs for the writable layer");
	int r = attach_on_root(mnt, err);
	if (r < 0)
		return r;
	if (mkdirat(mnt, "upper", 0755) < 0 || mkdirat(mnt, "work", 0755) < 0)
		return err_sys(err, errno, "cannot make the writable layer");
	*ret_upper = openat(mnt, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
	*ret_work = openat(mnt, "work", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_upper < 0 || *ret_work < 0)
		return err_sys(err, errno, "cannot open the writable layer");
	return 0;
}

static int add_lowers(struct start *s, struct overlay_data *data, struct err *err)
{
	const struct plan_overlay *o = &s->plan->root.overlay;
	for (size_t i = 0; i < o->lower_n; i++) {
		int fd = open_layer(o->lower[i].s, o->lower[i].at, err);
		int r = fd < 0 ? fd : add_layer(s, data, i ? ":" : "lowerdir=", fd, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_upper(struct start *s, struct overlay_data *data, struct err *err)
{
	const struct plan_overlay *o = &s->plan->root.overlay;
	_cleanup_close_ int upper = -EBADF, work = -EBADF;
	int r = 0;

	if (!o->upper) {
		r = make_tmpfs_layer(&upper, &work, err);
	} else {
		r = o->dir ? make_dir(o->dir, err) : 0;
		upper = r < 0 ? r : open_writable(o, o->upper, err);
		work = upper < 0 ? upper : open_writable(o, o->work, err);
		r = work < 0 ? work : 0;
	}
	if (r == 0)
		r = add_layer(s, data, ",upperdir=", fd_take(&upper), err);
	if (r == 0)
		r = add_layer(s, data, ",workdir=", fd_take(&work), err);
	return r;
}

static int mount_overlay(struct start *s, struct err *err)
{
	const struct plan_overlay *o = &s->plan->root.overlay;
	struct overlay_data data = { .used = 0 };

	int r = add_lowers(s, &data, err);
	if (r == 0)
		r = add_upper(s, &data, err);
	if (r == 0 && mount("overlay", "/", "overlay", 0, data.text) < 0) {
		r = err_sys(err, errno, "cannot mount the overlay of %zu layers", o->lower_n);
		err_hint(err,
			 "upper and work must be on one file system that is no overlay itself; "
			 "the kernel log says more");
		err_at(err, o->at);
	}
	/* "/.." is what lies on top of "/" now. */
	if (r == 0) {
		s->root_fd = open_tree(AT_FDCWD, "/..", OPEN_TREE_CLOEXEC);
		if (s->root_fd < 0)
			r = err_sys(err, errno, "cannot open the overlay");
	}
	for (size_t i = 0; i < s->layers_n; i++)
		fd_close(&s->layer_fds[i]);
	return r;
}

/* In an existing mount namespace the root is a directory there, and nothing is mounted. */
static int open_joined_root(struct start *s, struct err *err)
{
	s->root_fd = open(s->plan->root.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd >= 0)
		return 0;
	int r = err_sys(err, errno, "cannot open the root filesystem '%s' in the mount namespace",
			s->plan->root.path);
	err_at(err, s->plan->root.at);
	return r;
}

int rootfs_attach(struct start *s, struct err *err)
{
	if (s->plan->root.kind == PLAN_ROOT_CHROOT)
		return plan_joins(s->plan, SPEC_NS_MOUNT) ? open_joined_root(s, err) : 0;
	int r = cut_propagation(err);
	if (r < 0)
		return r;
	return s->plan->root.kind == PLAN_ROOT_OVERLAY ? mount_overlay(s, err)
						       : attach_on_root(s->root_fd, err);
}
