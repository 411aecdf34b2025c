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
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "start/fail.h"
#include "start/shift.h"
#include "state/others.h"

/* From now on what happens here stays here; unmounts of the host still come in until pivot. */
int rootfs_cut_propagation(struct err *err)
{
	struct mount_attr attr = { .propagation = MS_SLAVE };
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) == 0)
		return 0;
	int r = err_sys(err, errno, "cannot cut the mounts off from the host");
	if (r == -EINVAL)
		err_hint(err,
			 "hull runs in a chroot whose / is no mount point: bind that directory "
			 "to itself before (mount --bind DIR DIR)");
	return r;
}

static int attach_on(int fd, const char *place, struct err *err)
{
	if (move_mount(fd, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) < 0)
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

#define OVERLAY_WORDS sizeof(",userxattr")

static int data_append(struct overlay_data *d, const char *key, int fd)
{
	int n = snprintf(d->text + d->used, sizeof(d->text) - d->used, "%s/proc/self/fd/%d", key,
			 fd);
	if (n < 0 || (size_t)n >= sizeof(d->text) - d->used - OVERLAY_WORDS)
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

int open_layer(const char *path, uint32_t at, struct err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		fd = err_sys(err, errno, "cannot open the layer '%s'", path);
		if (fd == -ENOENT)
			fail_hint_missing(err, path);
		err_at(err, at);
	}
	return fd;
}

/* Directories of annotations are not made: one that is misspelt would hide what was written. */
static int fail_writable(const struct plan_overlay *o, const char *path, int code, struct err *err)
{
	bool is_work = path == o->work;
	err_sys(err, code, "cannot open the %s '%s' of the writable layer",
		is_work ? "work directory" : "directory", path);
	if (code == ENOENT && !o->dir)
		err_hint(err, "it must be there: mkdir -p %s", path);
	err_at(err, is_work ? o->work_at : o->upper_at ? o->upper_at : o->at);
	return -code;
}

int open_writable(const struct plan_overlay *o, const char *path, struct err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail_writable(o, path, errno, err) : fd;
}

/*
 * What hull makes for the writable layer belongs to the container's root, who is somebody else on
 * the host where a stage mounts the overlay.
 */
static int give_to_root(const struct start *s, int dir_fd, const char *path, struct err *err)
{
	const struct plan_user *user = &s->plan->user;
	uint32_t uid = 0, gid = 0;
	if (user->trees != PLAN_TREES_STAGE || !plan_id_is_mapped(&user->uids, 0, &uid) ||
	    !plan_id_is_mapped(&user->gids, 0, &gid))
		return 0;
	if (fchownat(dir_fd, path, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot give '%s' its owner", path);
	return 0;
}

int fail_make_dir(const char *path, int code, struct err *err)
{
	return err_sys(err, code, "cannot make the directory '%s'", path);
}

static int make_dir(const struct start *s, const char *path, struct err *err)
{
	if (mkdir(path, 0755) == 0)
		return give_to_root(s, AT_FDCWD, path, err);
	return errno == EEXIST ? 0 : fail_make_dir(path, errno, err);
}

static int open_locked(const struct plan_overlay *o, const char *path, int *ret_fd, struct err *err)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return fail_writable(o, path, errno, err);
	if (flock(*ret_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_say(err, ERR_BUSY, EBUSY, "another container writes to '%s'", path);
	return err_sys(err, errno, "cannot lock the writable layer '%s'", path);
}

static bool shares_layer(const struct state *other, const void *context)
{
	const struct state *own = context;
	return other->layer_ino == own->layer_ino && other->layer_dev == own->layer_dev;
}

/* A container whose hull has left it holds no lock, but its state says where it writes to. */
static int claim_layer(struct start *s, const char *path, struct err *err)
{
	const struct others_search search = { .matches = shares_layer, .context = &s->state };
	struct stat st;
	char id[STATE_ID_SIZE];
	if (fstat(s->layer_lock_fd, &st) < 0)
		return err_sys(err, errno, "cannot examine the writable layer '%s'", path);
	s->state.layer_dev = st.st_dev;
	s->state.layer_ino = st.st_ino; /* written with the process (record_child) */
	int r = others_find(&s->entry, &search, id, err);
	if (r <= 0)
		return r;
	r = err_say(err, ERR_BUSY, EBUSY, "another container writes to '%s': '%s'", path, id);
	err_hint(err, "choose another directory or delete that container");
	return r;
}

/*
 * Parent: two overlays that write to one directory would destroy each other's work, which the
 * kernel mentions in its log, if at all. The lock is held as long as hull is there.
 */
int rootfs_lock_layer(struct start *s, struct err *err)
{
	const struct plan_overlay *o = &s->plan->root.overlay;
	const char *path = o->dir ? o->dir : o->upper;
	if (s->plan->root.kind != PLAN_ROOT_OVERLAY || !path)
		return 0;
	int r = o->dir ? make_dir(s, o->dir, err) : 0;
	if (r < 0)
		return r;
	r = open_locked(o, path, &s->layer_lock_fd, err);
	if (r == 0)
		r = claim_layer(s, path, err);
	if (r < 0)
		err_at(err, o->upper_at ? o->upper_at : o->at);
	return r;
}

static int make_writable(const struct start *s, const char *path, struct err *err)
{
	const struct plan_overlay *o = &s->plan->root.overlay;
	int r = o->dir ? make_dir(s, path, err) : 0;
	return r < 0 ? r : open_writable(o, path, err);
}

/*
 * The kernel wants layers to be in the namespace. With the old root the writable one goes out of
 * sight at pivot, to live as long as the overlay that uses it: at once with it if it lies on the
 * state directory, where nobody looks for anything, and only then for itself if it lies below the
 * overlay. (To unmount something takes as long as to mount ten.) A hook that runs in this namespace
 * may look for the state.
 */
static int attach_layer(const struct start *s, int layer, const char *place, struct err *err)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", s->store->path, s->plan->id);
	bool fits = n > 0 && (size_t)n < sizeof(path);
	if (fits && s->plan->user.trees != PLAN_TREES_STAGE &&
	    s->plan->hooks[PLAN_HOOK_CREATE_CONTAINER].n == 0 &&
	    move_mount(layer, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0)
		return 0;
	return attach_on(layer, place, err);
}

/* A tmpfs for the writable layer. */
static int make_tmpfs_layer(const struct start *s, const char *place, int *ret_upper, int *ret_work,
			    struct err *err)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, errno, "cannot make a tmpfs for the writable layer");
	_cleanup_close_ int mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		return err_sys(err, errno, "cannot mount a tmpfs for the writable layer");
	int r = attach_layer(s, mnt, place, err);
	if (r < 0)
		return r;
	if (mkdirat(mnt, "upper", 0755) < 0 || mkdirat(mnt, "work", 0755) < 0)
		return err_sys(err, errno, "cannot make the writable layer");
	r = give_to_root(s, mnt, "upper", err);
	if (r == 0)
		r = give_to_root(s, mnt, "work", err);
	if (r < 0)
		return r;
	*ret_upper = openat(mnt, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
	*ret_work = openat(mnt, "work", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_upper < 0 || *ret_work < 0)
		return err_sys(err, errno, "cannot open the writable layer");
	return 0;
}

/* Layers that are only read are shown with the container's ids, if that is needed and possible. */
static int open_lower(struct start *s, const struct spec_str *layer, struct err *err)
{
	int fd = shift_clone(s, layer->s, err);
	if (fd == -EALREADY || fd == -EOPNOTSUPP)
		return open_layer(layer->s, layer->at, err);
	if (fd < 0)
		err_at(err, layer->at);
	return fd;
}

static int add_lowers(struct start *s, struct overlay_data *data, struct err *err)
{
	const struct plan_overlay *o = &s->plan->root.overlay;
	for (size_t i = 0; i < o->lower_n; i++) {
		int fd = open_lower(s, &o->lower[i], err);
		int r = fd < 0 ? fd : add_layer(s, data, i ? ":" : "lowerdir=", fd, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Without privilege over the host an overlay keeps its notes in attributes that users may write,
 * which tmpfs has since Linux 6.6. Without them a directory of a lower layer could be removed, but
 * not made again (EIO).
 */
static int check_user_xattr(int upper, struct err *err)
{
	static const char name[] = "user.hull.probe";
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", upper);
	if (setxattr(path, name, "", 0, 0) == 0) {
		(void)!removexattr(path, name);
		return 0;
	}
	if (errno != EOPNOTSUPP)
		return 0; /* whatever else is wrong is the mount's to say */
	err_say(err, ERR_HOST, EOPNOTSUPP,
		"the file system of the overlay's writable layer has no user attributes");
	err_hint(err,
		 "a tmpfs has them since Linux 6.6; --overlay=DIR takes a directory of another "
		 "file system");
	return -EOPNOTSUPP;
}

static int add_upper(struct start *s, struct overlay_data *data, const char *place, struct err *err)
{
	const struct plan_overlay *o = &s->plan->root.overlay;
	_cleanup_close_ int upper = -EBADF, work = -EBADF;
	int r = 0;

	if (!o->upper) {
		r = make_tmpfs_layer(s, place, &upper, &work, err);
	} else {
		r = o->dir ? make_dir(s, o->dir, err) : 0;
		upper = r < 0 ? r : make_writable(s, o->upper, err);
		work = upper < 0 ? upper : make_writable(s, o->work, err);
		r = work < 0 ? work : 0;
	}
	if (r == 0 && o->userxattr)
		r = check_user_xattr(upper, err);
	if (r == 0)
		r = add_layer(s, data, ",upperdir=", fd_take(&upper), err);
	if (r == 0)
		r = add_layer(s, data, ",workdir=", fd_take(&work), err);
	return r;
}

/* The words at the end have a place kept for them (data_append). */
static void add_userxattr(struct overlay_data *d)
{
	static const char word[] = ",userxattr";
	memcpy(d->text + d->used, word, sizeof(word));
	d->used += sizeof(word) - 1;
}

static int mount_overlay(struct start *s, const char *place, struct err *err)
{
	const struct plan_overlay *o = &s->plan->root.overlay;
	struct overlay_data data = { .used = 0 };

	int r = add_lowers(s, &data, err);
	if (r == 0)
		r = add_upper(s, &data, place, err);
	if (r == 0 && o->userxattr)
		add_userxattr(&data);
	if (r == 0 && mount("overlay", place, "overlay", 0, data.text) < 0) {
		r = err_sys(err, errno, "cannot mount the overlay of %zu layers", o->lower_n);
		err_hint(err,
			 "upper and work must be on one file system that is no overlay itself; "
			 "the kernel log says more");
		err_at(err, o->at);
	}
	for (size_t i = 0; i < s->layers_n; i++)
		fd_close(&s->layer_fds[i]);
	return r;
}

static int mount_overlay_on_root(struct start *s, struct err *err)
{
	int r = mount_overlay(s, "/", err);
	if (r < 0)
		return r;
	/* "/.." is what lies on top of "/" now. */
	s->root_fd = open_tree(AT_FDCWD, "/..", OPEN_TREE_CLOEXEC);
	return s->root_fd < 0 ? err_sys(err, errno, "cannot open the overlay") : 0;
}

int rootfs_stage_overlay(struct start *s, struct err *err)
{
	if (mkdirat(s->stage_fd, "root", 0755) < 0)
		return err_sys(err, errno, "cannot make a place for the overlay");
	int r = mount_overlay(s, "root", err);
	fd_close(&s->shift_fd);
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
	int r = rootfs_cut_propagation(err);
	if (r < 0)
		return r;
	bool is_ready = s->root_fd >= 0; /* a directory, or an overlay of the stage's */
	return is_ready ? attach_on(s->root_fd, "/", err) : mount_overlay_on_root(s, err);
}
