/*
 * Makes a container's cgroup: each missing directory on the way, with the controllers that the
 * limits need enabled from the mount down. Runs in the parent before the clone. What this call
 * made goes away again when it fails; controllers that it enabled in older cgroups stay, as
 * others may use them by then. Processes are never moved.
 */
#include "cgroup/path.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cgroup/controllers.h"
#include "cgroup/enter.h"
#include "cgroup/events.h"
#include "cgroup/foresee.h"
#include "cgroup/update.h"

#define CREATE_ATTEMPTS 20

/* Where the walk down the path is. */
struct walk {
	const struct cgroup_root *root;
	const char *path; /* the whole of it */
	size_t done;      /* bytes of it that `fd` stands for; 0: the mount */
	size_t kept;      /* bytes of it that existed before; SIZE_MAX: all */
	int fd;
	int lock_fd; /* of the last one */
};

#define _cleanup_walk_ _cleanup_(walk_done)

static void walk_done(struct walk *w)
{
	fd_close(&w->fd);
	fd_close(&w->lock_fd);
}

/* At the mount. */
static int walk_begin(struct walk *ret, const struct cgroup_root *root, const char *path,
		      struct err *err)
{
	*ret = (struct walk) {
		.root = root,
		.path = path,
		.kept = SIZE_MAX,
		.fd = path_open(root->fd, "/"),
		.lock_fd = -EBADF,
	};
	return ret->fd < 0 ? err_sys(err, -ret->fd, "cannot open '%s'", root->path) : 0;
}

/* The path of the cgroup that the walk has reached, for printf's "%.*s". */
#define WALK_AT(w) (w)->done ? (int)(w)->done : 1, (w)->path

static struct controllers_place walk_place(const struct walk *w)
{
	return (struct controllers_place) { w->fd, w->path, w->done };
}

/* ---- the walk ---- */

/* The next component of the path; returns how many bytes of it are done with that. */
static size_t next_component(const struct walk *w, char name[NAME_MAX + 1])
{
	const char *from = w->path + w->done + 1;
	size_t n = strcspn(from, "/");
	snprintf(name, NAME_MAX + 1, "%.*s", (int)n, from);
	return w->done + 1 + n;
}

/* Opens it. */
static int walk_into(struct walk *w, const char *name, size_t done, struct err *err)
{
	int fd = path_open_child(w->fd, name);
	if (fd < 0)
		return err_sys(err, fd == -ENODEV ? ENOENT : -fd, "cannot open cgroup '%.*s'",
			       (int)done, w->path);
	fd_close(&w->fd);
	w->fd = fd;
	w->done = done;
	return 0;
}

/* Whoever may not write there. */
static int hint_denied(int r, struct err *err)
{
	if (r == -EACCES || r == -EPERM)
		err_hint(err, "this part of the tree is not delegated to the caller");
	if (r == -EROFS)
		err_hint(err, "the cgroup tree is mounted read-only where hull runs: mount it "
			      "writable, or have no cgroupsPath and no limits in config.json");
	return r;
}

static int make_error(const struct walk *w, size_t done, int code, struct err *err)
{
	int r = err_sys(err, code, "cannot make cgroup '%.*s'", (int)done, w->path);
	return hint_denied(r, err);
}

/* Makes or opens the next directory of the path. ENOENT: somebody removed the one above it. */
static int walk_step(struct walk *w, struct err *err)
{
	char name[NAME_MAX + 1];
	size_t done = next_component(w, name);
	if (mkdirat(w->fd, name, 0755) == 0) {
		if (w->kept == SIZE_MAX)
			w->kept = w->done;
	} else if (errno != EEXIST) {
		return make_error(w, done, errno == ENODEV ? ENOENT : errno, err);
	}
	return walk_into(w, name, done, err);
}

/* What others use by now stays. Its own descriptors go first: there may be no other left. */
static int walk_undo(struct walk *w)
{
	walk_done(w);
	return w->kept == SIZE_MAX ? 0 : path_prune(w->root->fd, w->path, strlen(w->path), w->kept);
}

/* What will stay, see cgroup_find_kept(). */
static size_t walk_kept(const struct walk *w)
{
	size_t home = path_home_size(w->path);
	if (w->kept == SIZE_MAX)
		return w->done;
	return w->kept > home ? w->kept : home;
}

/* ---- fitness ---- */

static int busy_error(const char *path, const char *why, struct err *err)
{
	int r = err_say(err, ERR_BUSY, EBUSY, "cannot use cgroup '%s': %s", path, why);
	err_hint(err, "another container may be in it, also of another --root: choose another "
		      "cgroupsPath or delete that container");
	return r;
}

/* A file that only those can open who may write to the cgroup; everybody could lock a directory. */
#define LOCK_FILE "cgroup.kill"

int cgroup_lock(int fd, const char *path, int *ret_fd, struct err *err)
{
	_cleanup_close_ int lock = openat(fd, LOCK_FILE, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (lock < 0) {
		int r = err_sys(err, errno == ENODEV ? ENOENT : errno, "cannot lock cgroup '%s'",
				path);
		return hint_denied(r, err);
	}
	if (flock(lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? busy_error(path, "a container is using it", err)
					    : err_sys(err, errno, "cannot lock cgroup '%s'", path);
	*ret_fd = fd_take(&lock);
	return 0;
}

/*
 * A cgroup below that of a container ends with it, and keeps it from ending. Unless hull is part of
 * that container: then it is meant so. Who may not open the lock, cannot be in its way either.
 */
static int check_above(const struct walk *w, struct err *err)
{
	if (w->kept != SIZE_MAX || w->done == path_home_size(w->path) || !w->path[w->done])
		return 0;
	_cleanup_close_ int lock = openat(w->fd, LOCK_FILE, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (lock < 0 && (errno == EACCES || errno == EPERM || errno == EROFS || errno == ENOENT ||
			 errno == ENODEV))
		return 0;
	if (lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) == 0)
		return 0;
	if (lock < 0 || errno != EWOULDBLOCK)
		return err_sys(err, errno, "cannot look for a container in cgroup '%.*s'",
			       WALK_AT(w));
	if (cgroup_has_caller(w->path, w->done))
		return 0;
	return busy_error(w->path, "it is below the cgroup of a container", err);
}

/*
 * A cgroup with processes is somebody else's, a frozen one (or one below a frozen one) would never
 * let the program begin, and one that shares out controllers takes no processes.
 */
static int check_fitness(const struct walk *w, struct err *err)
{
	char text[1024];
	int r = fd_read_value(w->fd, "cgroup.events", text, sizeof(text));
	if (r < 0)
		return err_sys(err, -r, "cannot read the state of cgroup '%s'", w->path);
	if (cgroup_find_event(text, "populated") == 1)
		return busy_error(w->path, "it has processes", err);
	if (cgroup_find_event(text, "frozen") == 1)
		return busy_error(w->path, "it is frozen", err);
	if (w->kept != SIZE_MAX)
		return 0;
	r = fd_read_value(w->fd, "cgroup.subtree_control", text, sizeof(text));
	if (r < 0)
		return err_sys(err, -r, "cannot read what cgroup '%s' has enabled", w->path);
	if (text[0])
		return busy_error(w->path, "it shares out controllers to cgroups below it", err);
	return 0;
}

/* ---- all of it ---- */

static int create_once(struct walk *w, const struct cgroup_plan *plan, struct err *err)
{
	while (w->path[w->done]) {
		const struct controllers_place here = walk_place(w);
		int r = controllers_enable(&here, plan, err);
		if (r == 0)
			r = walk_step(w, err);
		if (r == 0)
			r = check_above(w, err);
		if (r < 0)
			return r;
	}
	/* Otherwise another start takes it for empty and detaches our device program. */
	int r = cgroup_lock(w->fd, w->path, &w->lock_fd, err);
	return r < 0 ? r : check_fitness(w, err);
}

/*
 * Tried again when a parent vanished on the way: another start that failed takes away the parents
 * that it had made.
 */
int cgroup_create(const struct cgroup_root *root, const char *path, const struct cgroup_plan *plan,
		  struct cgroup *ret, struct err *err)
{
	int r = 0;
	*ret = (struct cgroup) { .fd = -EBADF, .lock_fd = -EBADF };
	for (int i = 0; i < CREATE_ATTEMPTS; i++) {
		_cleanup_walk_ struct walk w;
		r = walk_begin(&w, root, path, err);
		if (r == 0)
			r = create_once(&w, plan, err);
		if (r == 0) {
			*ret = (struct cgroup) {
				.kept = walk_kept(&w),
				.is_older = walk_kept(&w) > path_home_size(path),
				.fd = fd_take(&w.fd),
				.lock_fd = fd_take(&w.lock_fd),
			};
			return 0;
		}
		ret->is_left = walk_undo(&w) < 0;
		ret->kept = w.kept;
		if ((r != -ENOENT && r != -ENODEV) || ret->is_left)
			return r;
	}
	return r;
}

/* From the mount to the parent, which hands the controllers out; nothing is made. */
int cgroup_enable(const struct cgroup_root *root, const char *path, const struct cgroup_plan *plan,
		  struct err *err)
{
	_cleanup_walk_ struct walk w;
	int r = walk_begin(&w, root, path, err);
	if (r < 0)
		return r;
	while (w.path[w.done]) {
		char name[NAME_MAX + 1];
		size_t done = next_component(&w, name);
		const struct controllers_place here = walk_place(&w);
		r = controllers_enable(&here, plan, err);
		if (r == 0)
			r = walk_into(&w, name, done, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Down to where a start would begin to make directories. */
int cgroup_foresee(const struct cgroup_root *root, const char *path, const char *controller,
		   struct err *err)
{
	_cleanup_walk_ struct walk w;
	int r = walk_begin(&w, root, path, err);
	if (r < 0)
		return r;
	while (w.path[w.done]) {
		char name[NAME_MAX + 1];
		size_t done = next_component(&w, name);
		const struct controllers_place here = walk_place(&w);
		r = controller ? controllers_foresee(&here, controller, err) : 0;
		if (r == 0)
			r = walk_into(&w, name, done, err);
		if (r == -ENOENT) {
			err_clear(err);
			bool may = controller || faccessat(w.fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
			return may ? 0 : make_error(&w, done, errno, err);
		}
		if (r < 0)
			return r;
	}
	return controller ? 0 : check_fitness(&w, err);
}
