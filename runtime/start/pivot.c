/*
 * Child, stage 4: into the new root, and away from the old one.
 *
 * Should: leave the process with "/" and its working directory in the new root.
 * Must not: leave the host's tree mounted anywhere in the namespace (--no-pivot hides it below the
 * new root, as a host without pivot_root allows no more).
 */
#include "start/steps.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "start/sys.h"

#define PIVOT_MAX_STACKED 4 /* the old root, and what rootfs.c has put on it */

/* Does "/" show the new root, with nothing of the host stacked on it? 1, 0 or -errno. */
static int is_uncovered(int root_fd)
{
	uint64_t wanted, found;
	/* "/.." is what lies on top of "/", which a path from "/" would not show. */
	_cleanup_close_ int top = open("/..", O_PATH | O_CLOEXEC);
	if (top < 0)
		return -errno;
	int r = inroot_mount_id(root_fd, &wanted);
	if (r == 0)
		r = inroot_mount_id(top, &found);
	return r < 0 ? r : wanted == found;
}

/*
 * After pivot the old root is stacked on the new one. "." unmounts what lies on top, which may be
 * something that was stacked on the old root: until nothing is left but the new one.
 */
int pivot_detach_old_root(int root_fd, struct err *err)
{
	for (int i = 0; i < PIVOT_MAX_STACKED; i++) {
		if (umount2(".", MNT_DETACH) < 0)
			return err_sys(err, errno, "cannot detach the host's root");
		int uncovered = is_uncovered(root_fd);
		if (uncovered < 0)
			return err_sys(err, -uncovered, "cannot verify the root filesystem");
		if (uncovered)
			return 0;
	}
	return err_say(err, ERR_INTERNAL, EBUSY, "the host's root cannot be detached");
}

static int change_root(struct start *s, struct err *err)
{
	if (fchdir(s->root_fd) < 0)
		return err_sys(err, errno, "cannot enter the root filesystem");
	if (s->plan->root.kind == PLAN_ROOT_CHROOT || !s->plan->root.pivot)
		return chroot(".") < 0 ? err_sys(err, errno, "cannot change the root") : 0;
	/* Both arguments may be the same directory (pivot_root(2)). */
	if (sys_pivot_root(".", ".") < 0) {
		int r = err_sys(err, errno, "cannot pivot into the root filesystem");
		if (r == -EINVAL)
			err_hint(err, "a host whose root is a ramfs needs --no-pivot");
		return r;
	}
	return pivot_detach_old_root(s->root_fd, err);
}

/* A shared root cannot be pivoted into, so that its own propagation comes afterwards. */
static int set_propagation(const struct start *s, struct err *err)
{
	const struct plan_root *root = &s->plan->root;
	struct mount_attr attr = { .propagation = root->propagation };

	if (root->kind == PLAN_ROOT_CHROOT || root->propagation == MS_PRIVATE)
		return 0;
	if (mount_setattr(s->root_fd, "",
			  AT_EMPTY_PATH | (root->propagation_recursive ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) < 0) {
		int r = err_sys(err, errno, "cannot set the propagation of the root filesystem");
		err_at(err, root->propagation_at);
		return r;
	}
	return 0;
}

int pivot_into_root(struct start *s, struct err *err)
{
	int r = change_root(s, err);
	if (r == 0)
		r = set_propagation(s, err);
	if (r == 0 && chdir("/") < 0)
		r = err_sys(err, errno, "cannot enter the new root");
	return r;
}
