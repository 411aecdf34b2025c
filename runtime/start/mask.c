/*
 * Child, stage 4: paths that the program must not read (masked) or not write (read-only).
 *
 * The masks are the host's /dev/null and an empty tmpfs, never anything named in the image
 * so this happens before pivot, while the host's tree is still in the namespace.
 * Must not: skip a path for any other reason than that it does not exist.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "start/tolerate.h"

/* The first mount of each kind; the others are clones of it. */
struct masks {
	int null_fd; /* the host's /dev/null */
	int dir_fd;  /* an empty tmpfs */
};

/* The target's descriptor, or -ENOENT when there is nothing to protect. */
static int open_target(const struct start *s, const struct spec_str *path, struct err *err)
{
	int fd = inroot_try(s->root_fd, path->s, O_PATH);
	if (fd >= 0)
		return fd;
	if (tolerate(s, TOLERATE_PROTECT, -fd))
		return -ENOENT;
	err_sys(err, -fd, "cannot open '%s' to protect it", path->s);
	return fd;
}

static int attach(int tree, int target, const char *path, struct err *err)
{
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot mount over '%s' to protect it", path);
	return 0;
}

static int clone_tree(int fd, unsigned flags)
{
	return open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

/* ---- masked ---- */

/*
 * Read-only, for the inode is the host's: the container's root could change its mode or owner, and
 * with them the host's /dev/null. Reading and writing the device itself is not affected.
 */
static int clone_null(int *ret_fd, struct err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NOEXEC };
	struct stat st;
	_cleanup_close_ int host = open("/dev/null", O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (host < 0 || fstat(host, &st) < 0)
		return err_sys(err, errno, "cannot open the host's '/dev/null'");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_say(err, ERR_HOST, ENODEV,
			       "the host's '/dev/null' is not the null device");
	_cleanup_close_ int tree = clone_tree(host, 0);
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(err, errno, "cannot clone '/dev/null'");
	*ret_fd = fd_take(&tree);
	return 0;
}

static int mask_file(struct masks *masks, int target, const char *path, struct err *err)
{
	if (masks->null_fd < 0) {
		int r = clone_null(&masks->null_fd, err);
		return r < 0 ? r : attach(masks->null_fd, target, path, err);
	}
	_cleanup_close_ int tree = clone_tree(masks->null_fd, 0);
	if (tree < 0)
		return err_sys(err, errno, "cannot clone '/dev/null'");
	return attach(tree, target, path, err);
}

/* One empty tmpfs for all masked directories, without room for a single file. */
static int make_empty_dir(int *ret_fd, struct err *err)
{
	static const char *const options[][2] = { { "nr_blocks", "1" },
						  { "nr_inodes", "1" },
						  { "mode", "0555" } };
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int failed = fs < 0;
	for (size_t i = 0; !failed && i < ARRAY_SIZE(options); i++)
		failed = fsconfig(fs, FSCONFIG_SET_STRING, options[i][0], options[i][1], 0) < 0;
	failed = failed || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0;
	if (!failed)
		*ret_fd = fsmount(fs, FSMOUNT_CLOEXEC,
				  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					  MOUNT_ATTR_NOEXEC);
	if (failed || *ret_fd < 0)
		return err_sys(err, errno, "cannot make an empty directory for masks");
	return 0;
}

static int mask_dir(struct masks *masks, int target, const char *path, struct err *err)
{
	if (masks->dir_fd < 0) {
		int r = make_empty_dir(&masks->dir_fd, err);
		return r < 0 ? r : attach(masks->dir_fd, target, path, err);
	}
	_cleanup_close_ int tree = clone_tree(masks->dir_fd, 0);
	if (tree < 0)
		return err_sys(err, errno, "cannot clone the empty directory for masks");
	return attach(tree, target, path, err);
}

static int mask_one(const struct start *s, struct masks *masks, const struct spec_str *path,
		    struct err *err)
{
	struct stat st;
	_cleanup_close_ int target = open_target(s, path, err);
	if (target < 0)
		return target == -ENOENT ? 0 : target;
	if (fstat(target, &st) < 0)
		return err_sys(err, errno, "cannot examine '%s' to protect it", path->s);
	return S_ISDIR(st.st_mode) ? mask_dir(masks, target, path->s, err)
				   : mask_file(masks, target, path->s, err);
}

/* ---- read-only ---- */

static int readonly_one(const struct start *s, const struct spec_str *path, struct err *err)
{
	_cleanup_close_ int target = open_target(s, path, err);
	if (target < 0)
		return target == -ENOENT ? 0 : target;
	_cleanup_close_ int tree = clone_tree(target, AT_RECURSIVE);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(err, errno, "cannot make '%s' read-only", path->s);
	return attach(tree, target, path->s, err);
}

int mask_all(struct start *s, struct err *err)
{
	const struct spec_strv *masked = s->plan->masked, *readonly = s->plan->readonly;
	struct masks masks = { .null_fd = -EBADF, .dir_fd = -EBADF };
	const struct spec_str *path = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < readonly->n; i++) {
		path = &readonly->v[i];
		r = readonly_one(s, path, err);
	}
	for (size_t i = 0; r == 0 && i < masked->n; i++) {
		path = &masked->v[i];
		r = mask_one(s, &masks, path, err);
	}
	if (r < 0)
		err_at(err, path->at);
	fd_close(&masks.null_fd);
	fd_close(&masks.dir_fd);
	return r;
}
