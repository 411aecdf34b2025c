/*
 * Child, stage 4: devices and the links in /dev. Names of the image are never followed at their
 * last component: a node is made by mknodat in a directory that is open, and what was there before
 * must be the same device (R-018, R-044, S-133).
 */
#include "start/steps.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "base/str.h"
#include "start/stage.h"
#include "start/tolerate.h"

int dev_open(const struct start *s, struct err *err)
{
	int fd = inroot_try(s->root_fd, "/dev", O_PATH | O_DIRECTORY | O_NOFOLLOW);
	if (fd == -ENOENT)
		return inroot_mkdir(s->root_fd, "/dev", 0755, err);
	if (fd == -ELOOP || fd == -ENOTDIR)
		return err_say(err, ERR_CONFIG, ENOTDIR, "'/dev' of the image is not a directory");
	return fd < 0 ? err_sys(err, -fd, "cannot open '/dev'") : fd;
}

/* Where a node or link is made: a name in an open directory. */
struct place {
	int dir_fd; /* borrowed */
	char name[NAME_MAX + 1];
};

/* A path that is `/dev/NAME` is a name in dev_fd; others are resolved below the root. */
static int find_place(const struct start *s, int dev_fd, const char *path, struct place *ret,
		      int *ret_opened, struct err *err)
{
	const char *base = strrchr(path, '/') + 1;
	bool is_in_dev = str_has_prefix(path, "/dev/") && base == path + strlen("/dev/");
	if (is_in_dev && strlen(base) <= NAME_MAX) {
		memcpy(ret->name, base, strlen(base) + 1);
		ret->dir_fd = dev_fd;
		return 0;
	}
	*ret_opened = inroot_parent(s->root_fd, path, ret->name, sizeof(ret->name), err);
	ret->dir_fd = *ret_opened;
	return *ret_opened < 0 ? *ret_opened : 0;
}

static int check_existing(const struct place *place, const struct plan_device *d, struct err *err)
{
	struct stat st;
	if (fstatat(place->dir_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot examine '%s'", d->path);
	if ((st.st_mode & S_IFMT) == (d->mode & S_IFMT) &&
	    (S_ISFIFO(d->mode) || st.st_rdev == d->rdev))
		return 0;
	err_say(err, ERR_CONFIG, EEXIST,
		"'%s' of the image is not the device that config.json asks for", d->path);
	err_hint(err, "remove the file from the image, or mount a tmpfs on /dev");
	return -EEXIST;
}

/* ---- in a user namespace ---- */

/* A tree of the host's device of that name, which must be the one that is meant. */
static int clone_host_device(const struct plan_device *d, struct err *err)
{
	struct stat st;
	_cleanup_close_ int host = open(d->path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (host < 0 || fstat(host, &st) < 0) {
		int r = err_sys(err, errno, "cannot open the host's '%s'", d->path);
		err_hint(err, "in this user namespace only devices of the host can be bound");
		return r;
	}
	if ((st.st_mode & S_IFMT) != (d->mode & S_IFMT) || st.st_rdev != d->rdev)
		return err_say(err, ERR_HOST, ENODEV,
			       "the host's '%s' is not the device %u:%u, and none can be made",
			       d->path, major(d->rdev), minor(d->rdev));
	int tree = open_tree(host, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree < 0 ? err_sys(err, errno, "cannot clone the host's '%s'", d->path) : tree;
}

/* The file to mount a device on, whatever the image has there, as long as it is no link. */
static int open_target(const struct place *place, const struct plan_device *d, struct err *err)
{
	struct stat st;
	int fd = openat(place->dir_fd, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT &&
	    mknodat(place->dir_fd, place->name, S_IFREG | 0644, 0) == 0)
		fd = openat(place->dir_fd, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = err_sys(err, errno, "cannot make a file for the device '%s'", d->path);
		fd_close(&fd);
		return r;
	}
	if (!S_ISLNK(st.st_mode) && !S_ISDIR(st.st_mode))
		return fd;
	fd_close(&fd);
	err_say(err, ERR_CONFIG, EEXIST,
		"'%s' of the image is not the device that config.json asks for", d->path);
	err_hint(err, "remove it from the image, or mount a tmpfs on /dev");
	return -EEXIST;
}

static int bind_device(const struct start *s, const struct place *place,
		       const struct plan_device *d, struct err *err)
{
	_cleanup_close_ int tree = -EBADF;
	if (d->how == PLAN_DEVICE_BIND)
		tree = clone_host_device(d, err);
	else
		tree = stage_take_device(s, (size_t)(d - s->plan->devices));
	if (tree < 0 && d->how == PLAN_DEVICE_BIND)
		return tree;
	if (tree < 0)
		return err_sys(err, -tree, "cannot take the prepared device '%s'", d->path);
	_cleanup_close_ int target = open_target(place, d, err);
	if (target < 0)
		return target;
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot mount the device '%s'", d->path);
	return 0;
}

/* ---- each ---- */

static int make_device(const struct start *s, int dev_fd, const struct plan_device *d,
		       struct err *err)
{
	struct place place;
	_cleanup_close_ int opened = -EBADF;
	int r = find_place(s, dev_fd, d->path, &place, &opened, err);
	if (r < 0)
		return r;
	if (d->must_exist)
		return check_existing(&place, d, err);
	if (d->how != PLAN_DEVICE_NODE)
		return bind_device(s, &place, d, err);
	if (mknodat(place.dir_fd, place.name, d->mode, d->rdev) < 0) {
		if (errno == EEXIST)
			return check_existing(&place, d, err);
		return err_sys(err, errno, "cannot make the device '%s'", d->path);
	}
	if ((d->uid || d->gid) &&
	    fchownat(place.dir_fd, place.name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot give the device '%s' its owner", d->path);
	return 0;
}

/* The links of runtime-linux.md, if what they lead to is there after the mounts (S-141). */
static int make_link(const struct start *s, int dev_fd, const struct plan_link *link,
		     struct err *err)
{
	struct place place;
	_cleanup_close_ int opened = -EBADF;
	int r = find_place(s, dev_fd, link->path, &place, &opened, err);
	if (r < 0)
		return r;
	if (symlinkat(link->target, place.dir_fd, place.name) < 0 &&
	    !tolerate(s, TOLERATE_LINK, errno))
		return err_sys(err, errno, "cannot make the link '%s'", link->path);
	return 0;
}

static int make_all(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;
	if (plan->devices_n == 0 && plan->links_n == 0)
		return 0;
	_cleanup_close_ int dev_fd = dev_open(s, err);
	if (dev_fd < 0)
		return dev_fd;
	/* The link itself: it leads nowhere as long as this process is in another pid namespace. */
	_cleanup_close_ int proc_fd = inroot_try(s->root_fd, "/proc/self", O_PATH | O_NOFOLLOW);
	if (proc_fd < 0 && !tolerate(s, TOLERATE_PROC_LINKS, -proc_fd))
		return err_sys(err, -proc_fd, "cannot look for '/proc/self'");
	for (size_t i = 0; i < plan->devices_n; i++) {
		int r = make_device(s, dev_fd, &plan->devices[i], err);
		if (r < 0) {
			err_at(err, plan->devices[i].at);
			return r;
		}
	}
	for (size_t i = 0; i < plan->links_n; i++) {
		if (proc_fd < 0 && str_has_prefix(plan->links[i].target, "/proc/"))
			continue;
		int r = make_link(s, dev_fd, &plan->links[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int dev_make_all(struct start *s, struct err *err)
{
	int r = make_all(s, err);
	fd_close(&s->stage_fd);
	return r;
}
