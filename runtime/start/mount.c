/*
 * Child, stage 4: the mounts of config.json. A new file system comes from filesystem.c; a bind as a
 * tree that the parent has prepared, and so does what is id-mapped. Destinations are resolved once,
 * to a descriptor.
 *
 * Must not: attach anything outside the new root, whatever the image is made of.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "base/str.h"
#include "start/copyup.h"
#include "start/fail.h"
#include "start/timeline.h"

#define MOUNT_POINT_MODE 0755

static const char *what(const struct plan_mount *m)
{
	return m->kind == PLAN_MOUNT_NEW ? m->type : m->source ? m->source : "remount";
}

/* ---- the place to mount on ---- */

/* An image whose /proc or /sys is a link must not make hull trust another directory. */
static bool is_trusted_type(const struct plan_mount *m)
{
	return m->kind == PLAN_MOUNT_NEW && (str_eq(m->type, "proc") || str_eq(m->type, "sysfs"));
}

static int open_trusted(int root_fd, const struct plan_mount *m, struct err *err)
{
	int fd = inroot_try(root_fd, m->destination, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	if (fd != -ELOOP && fd != -ENOTDIR)
		return fd == -ENOENT ? inroot_mkdir(root_fd, m->destination, MOUNT_POINT_MODE, err)
		       : fd < 0      ? err_sys(err, -fd, "cannot open '%s'", m->destination)
				     : fd;
	err_say(err, ERR_CONFIG, ENOTDIR, "'%s' of the image is not a directory", m->destination);
	err_hint(err, "a link there could lead the '%s' file system elsewhere", m->type);
	return -ENOTDIR;
}

static const char *kind_of(bool is_dir)
{
	return is_dir ? "a directory" : "a file";
}

/* A directory goes onto a directory, and everything else onto what is none. */
int mount_check_point(const struct plan_mount *m, mode_t mode, int target, struct err *err)
{
	struct stat st;
	bool is_dir = S_ISDIR(mode);
	if (fstat(target, &st) < 0 || S_ISDIR(st.st_mode) == is_dir)
		return 0;
	const char *kind = kind_of(is_dir), *found = kind_of(S_ISDIR(st.st_mode));
	int code = is_dir ? ENOTDIR : EISDIR;
	if (m->kind == PLAN_MOUNT_BIND)
		err_say(err, ERR_CONFIG, code,
			"cannot bind '%s' to '%s': the source is %s, the destination %s", m->source,
			m->destination, kind, found);
	else
		err_say(err, ERR_CONFIG, code,
			"cannot mount '%s' on '%s': what is mounted is %s, the destination %s",
			what(m), m->destination, kind, found);
	err_hint(err, "%s can only be mounted on %s; what is missing there is made", kind, kind);
	err_at(err, m->destination_at);
	return -code;
}

/* What is in the way at the destination says more than the failure to make it. */
static int explain_point(const struct start *s, const struct plan_mount *m, mode_t mode, int code,
			 struct err *err)
{
	if (code != -ENOTDIR && code != -EISDIR)
		return code;
	_cleanup_close_ int there = inroot_try(s->root_fd, m->destination, O_PATH);
	int r = there < 0 ? 0 : mount_check_point(m, mode, there, err);
	return r < 0 ? r : code;
}

static int open_destination(const struct start *s, const struct plan_mount *m, int tree,
			    struct err *err)
{
	struct stat st;

	if (is_trusted_type(m))
		return open_trusted(s->root_fd, m, err);
	if (m->kind == PLAN_MOUNT_REMOUNT)
		return inroot_open(s->root_fd, m->destination, O_PATH, err);
	st.st_mode = S_IFDIR; /* what the root of a new file system is */
	if (m->kind != PLAN_MOUNT_NEW && fstat(tree, &st) < 0)
		return err_sys(err, errno, "cannot examine what is mounted on '%s'",
			       m->destination);
	int fd = (S_ISDIR(st.st_mode) ? inroot_mkdir : inroot_create_file)(
		s->root_fd, m->destination, MOUNT_POINT_MODE, err);
	return fd < 0 ? explain_point(s, m, st.st_mode, fd, err) : fd;
}

/* Resolved again, the destination must be the new mount: nobody moved it meanwhile. */
static int verify(const struct start *s, const struct plan_mount *m, int tree, struct err *err)
{
	uint64_t wanted = 0, found = 0;
	_cleanup_close_ int fd = inroot_open(s->root_fd, m->destination, O_PATH, err);
	if (fd < 0)
		return fd;
	int r = inroot_mount_id(tree, &wanted);
	if (r == 0)
		r = inroot_mount_id(fd, &found);
	if (r < 0)
		return err_sys(err, -r, "cannot verify the mount on '%s'", m->destination);
	if (wanted != found)
		return err_say(err, ERR_BUSY, EXDEV,
			       "'%s' was changed while it was being mounted on", m->destination);
	return 0;
}

/*
 * Inside a procfs nothing may be covered but a few files. The plan has looked at the name;
 * links and ".." in it are known only now.
 */
static int check_not_in_proc(const struct plan_mount *m, int target, struct err *err)
{
	struct statfs fs;
	if (m->on_proc)
		return 0;
	if (fstatfs(target, &fs) < 0)
		return err_sys(err, errno, "cannot examine '%s'", m->destination);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return 0;
	err_say(err, ERR_CONFIG, EPERM, "'%s' cannot be %s: it leads into /proc", m->destination,
		m->kind == PLAN_MOUNT_REMOUNT ? "changed" : "mounted on");
	err_hint(err, "only a few files such as /proc/cpuinfo may be replaced");
	return -EPERM;
}

/* The propagation of a new file system; a bind has got its own in the parent. */
static int set_propagation(const struct plan_mount *m, int tree, struct err *err)
{
	struct mount_attr attr = { .propagation = m->propagation };
	if (m->kind == PLAN_MOUNT_BIND || m->propagation == MS_PRIVATE)
		return 0;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(err, errno, "cannot set the propagation of '%s'", m->destination);
	return 0;
}

/* With tmpcopyup: from the directory that will be covered, if there is one. */
static int fill(const struct start *s, const struct plan_mount *m, int tree, struct err *err)
{
	if (!m->copies_up)
		return 0;
	_cleanup_close_ int from = inroot_try(s->root_fd, m->destination, O_RDONLY | O_DIRECTORY);
	if (from == -ENOENT || from == -ENOTDIR) /* it is made, or that is an error, in attach() */
		return 0;
	if (from < 0)
		return err_sys(err, -from, "cannot read '%s' of the image", m->destination);
	int r = check_not_in_proc(m, from, err);
	return r < 0 ? r : copyup_fill(m, from, tree, err);
}

static int attach(const struct start *s, const struct plan_mount *m, int tree, struct err *err)
{
	_cleanup_close_ int target = open_destination(s, m, tree, err);
	if (target < 0)
		return target;
	int r = check_not_in_proc(m, target, err);
	if (r < 0)
		return r;
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot mount '%s' on '%s'", what(m), m->destination);
	r = set_propagation(m, tree, err);
	return r < 0 ? r : verify(s, m, tree, err);
}

static int change_attributes(const struct start *s, const struct plan_mount *m, struct err *err)
{
	_cleanup_close_ int fd = open_destination(s, m, -1, err);
	int r = fd < 0 ? fd : check_not_in_proc(m, fd, err);
	if (r < 0)
		return r;
	struct mount_attr attr = { .attr_set = m->attr_recursive.set,
				   .attr_clr = m->attr_recursive.clear,
				   .propagation = m->propagation };
	struct mount_attr own = { .attr_set = m->attr.set, .attr_clr = m->attr.clear };
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0 ||
	    mount_setattr(fd, "", AT_EMPTY_PATH, &own, sizeof(own)) < 0)
		return err_sys(err, errno, "cannot change the mount on '%s'", m->destination);
	return verify(s, m, fd, err);
}

static int mount_one(struct start *s, const struct plan_mount *m, int *tree, struct err *err)
{
	int r = 0;
	if (m->kind == PLAN_MOUNT_REMOUNT)
		return change_attributes(s, m, err);
	if (m->kind == PLAN_MOUNT_NEW &&
	    *tree < 0) /* one that is id-mapped comes from the parent */
		r = mount_make(s, m, tree, err);
	if (r == 0)
		r = fill(s, m, *tree, err);
	if (r == 0)
		r = attach(s, m, *tree, err);
	if (r == 0 && !m->late_readonly && !share_is_late(s->plan, (size_t)(m - s->plan->mounts)))
		fd_close(tree);
	return r;
}

/* For the timeline: which one took longest, and how long. */
static void note_slowest(struct channel_slowest *slowest, size_t index, uint64_t ns)
{
	if (ns <= atomic_load(&slowest->ns))
		return;
	atomic_store(&slowest->mount, (unsigned)index);
	atomic_store(&slowest->ns, ns);
}

/* The most frequent reason for a mount point that cannot be made by root of a user namespace. */
static void hint_owner(const struct plan *plan, int code, struct err *err)
{
	if ((code == -EACCES || code == -EOVERFLOW) && !err->hint[0] &&
	    (plan->user.is_new || plan->user.is_joined))
		err_hint(err, "the root filesystem must belong to the container's root, host user "
			      "and group of the maps; --overlay changes nothing in it");
}

static int mount_some(struct start *s, enum channel_mounts part, size_t from, size_t to,
		      struct err *err)
{
	const struct plan *plan = s->plan;
	uint64_t before = timeline_child_now();

	for (size_t i = from; i < to; i++) {
		int r = mount_one(s, &plan->mounts[i], &s->mount_fds[i], err);
		if (r == 0) {
			uint64_t now = timeline_child_now();
			note_slowest(&s->channel.page->slowest[part], i, now - before);
			before = now;
			continue;
		}
		if (!err->at)
			err_at(err, plan->mounts[i].at);
		hint_owner(plan, r, err);
		err_step(err, "mounts, %zu of %zu", i + 1, plan->mounts_n);
		return r;
	}
	return 0;
}

int mount_before_network(struct start *s, struct err *err)
{
	return mount_some(s, CHANNEL_MOUNTS_BEFORE, 0, s->plan->mounts_before_network_n, err);
}

int mount_after_network(struct start *s, struct err *err)
{
	return mount_some(s, CHANNEL_MOUNTS_AFTER, s->plan->mounts_before_network_n,
			  s->plan->mounts_n, err);
}

static int make_readonly(int fd, unsigned flags)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	return mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

/* What had to stay writable until everything below it was made; the root is the last of them. */
int readonly_late(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->mounts_n; i++) {
		if (!plan->mounts[i].late_readonly)
			continue;
		r = make_readonly(s->mount_fds[i], 0);
		if (r < 0) {
			err_sys(err, -r, "cannot make '%s' read-only", plan->mounts[i].destination);
			err_at(err, plan->mounts[i].at);
		}
		fd_close(&s->mount_fds[i]);
	}
	if (r == 0 && plan->root.readonly) {
		r = make_readonly(s->root_fd, 0);
		if (r < 0) {
			err_sys(err, -r, "cannot make the root filesystem read-only");
			err_at(err, plan->spec->root.readonly.at);
		}
	}
	return r;
}
