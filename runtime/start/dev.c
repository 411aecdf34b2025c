/*
 * Child, stage 5: devices and the links in /dev. Names of the image are never followed at their
 * last component: a node is made by mknodat in a directory that is open, and what was there before
 * must be the same device (R-018, R-044, S-133).
 */
#include "start/steps.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "base/str.h"

#define DEV_NAME_SIZE (NAME_MAX + 1)

/* /dev itself, opened once: it must be a directory and no link. */
static int open_dev(const struct start *s, struct err *err)
{
	int fd = inroot_try(s->root_fd, "/dev", O_PATH | O_DIRECTORY | O_NOFOLLOW);
	if (fd == -ENOENT)
		return inroot_mkdir(s->root_fd, "/dev", 0755, err);
	if (fd == -ELOOP || fd == -ENOTDIR)
		return err_say(err, ERR_CONFIG, ENOTDIR, "'/dev' of the image is not a directory");
	return fd < 0 ? err_sys(err, -fd, "cannot open '/dev'") : fd;
}

/* The directory of a path that is `/dev/NAME` is dev_fd; others are resolved below the root. */
static int open_parent(const struct start *s, int dev_fd, const char *path, char *name,
		       struct err *err)
{
	const char *base = path + strlen("/dev/");
	if (str_has_prefix(path, "/dev/") && !strchr(base, '/') && strlen(base) < DEV_NAME_SIZE) {
		memcpy(name, base, strlen(base) + 1);
		int fd = fcntl(dev_fd, F_DUPFD_CLOEXEC, 3);
		return fd < 0 ? err_sys(err, errno, "cannot open '/dev'") : fd;
	}
	return inroot_parent(s->root_fd, path, name, DEV_NAME_SIZE, err);
}

static int check_existing(int parent, const char *name, const struct plan_device *d,
			  struct err *err)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot examine '%s'", d->path);
	if ((st.st_mode & S_IFMT) == (d->mode & S_IFMT) &&
	    (S_ISFIFO(d->mode) || st.st_rdev == d->rdev))
		return 0;
	err_say(err, ERR_CONFIG, EEXIST,
		"'%s' of the image is not the device that config.json asks for", d->path);
	err_hint(err, "remove the file from the image, or mount a tmpfs on /dev");
	return -EEXIST;
}

static int make_device(const struct start *s, int dev_fd, const struct plan_device *d,
		       struct err *err)
{
	char name[DEV_NAME_SIZE];
	_cleanup_close_ int parent = open_parent(s, dev_fd, d->path, name, err);
	if (parent < 0)
		return parent;
	if (mknodat(parent, name, d->mode, d->rdev) < 0) {
		if (errno == EEXIST)
			return check_existing(parent, name, d, err);
		return err_sys(err, errno, "cannot make the device '%s'", d->path);
	}
	if ((d->uid || d->gid) && fchownat(parent, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot give the device '%s' its owner", d->path);
	return 0;
}

/* The links of runtime-linux.md, if what they lead to is there after the mounts (S-141). */
static int make_link(const struct start *s, int dev_fd, const struct plan_link *link,
		     bool has_proc_fd, struct err *err)
{
	char name[DEV_NAME_SIZE];
	if (str_has_prefix(link->target, "/proc/") && !has_proc_fd)
		return 0;
	_cleanup_close_ int parent = open_parent(s, dev_fd, link->path, name, err);
	if (parent < 0)
		return parent;
	if (symlinkat(link->target, parent, name) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make the link '%s'", link->path);
	return 0;
}

int dev_make_all(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;
	if (plan->devices_n == 0 && plan->links_n == 0)
		return 0;
	_cleanup_close_ int dev_fd = open_dev(s, err);
	if (dev_fd < 0)
		return dev_fd;
	_cleanup_close_ int proc_fd = inroot_try(s->root_fd, "/proc/self/fd", O_PATH);
	for (size_t i = 0; i < plan->devices_n; i++) {
		int r = make_device(s, dev_fd, &plan->devices[i], err);
		if (r < 0) {
			err_at(err, plan->devices[i].at);
			return r;
		}
	}
	for (size_t i = 0; i < plan->links_n; i++) {
		int r = make_link(s, dev_fd, &plan->links[i], proc_fd >= 0, err);
		if (r < 0)
			return r;
	}
	return 0;
}
