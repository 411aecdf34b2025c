/*
 * The end of a container's cgroup: kill what is in it, wait until it is empty, remove it and what
 * the container made below it. Runs in the parent or in `hull delete`, with write access
 * to the cgroup. Waiting is by events of the kernel with a deadline, never by sleeping.
 */
#include "cgroup/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroup/left.h"
#include "cgroup/procs.h"

#define KILL_PATIENCE_MS 20 /* twice as long each time */
#define KILL_GENTLE_MS   640
#define KILL_ALL_WAIT_MS 2000

/* ---- waiting ---- */

/* 0 when the cgroup and all below it are empty, -ETIMEDOUT at the deadline. No error text. */
static int wait_empty(int fd, int64_t deadline)
{
	int r = path_wait_event(fd, "populated", 0, deadline);
	return r == -ENOENT || r == -ENODEV ? 0 : r; /* a cgroup that is gone holds nobody */
}

/* ---- killing ---- */

/* Without a text. Removed meanwhile: nobody is left. */
static int write_kill(int fd)
{
	int r = fd_write_value(fd, "cgroup.kill", "1");
	if (r == -EACCES && path_regain(fd) == 0)
		r = fd_write_value(fd, "cgroup.kill", "1");
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

/*
 * In a cgroup where cgroup.kill was ever written clone3 makes no process any more, but from one
 * with as many kills: the child dies at once. So what others may want to use goes on without, as
 * long as there are not too many processes or cgroups for signals.
 */
static bool kill_by_signals(int fd, bool stays)
{
	return stays && cgroup_signal_all(fd, SIGKILL, NULL) == 0;
}

/*
 * cgroup.kill signals the first thread of each process. Where that one has ended and others go on
 * (pthread_exit in main), it does nothing: so each process that is left gets a signal, too. When
 * not all could be reached by that, it matters only if somebody is left.
 */
int cgroup_kill_all(int fd, bool stays, struct err *err)
{
	if (kill_by_signals(fd, stays))
		return 0;
	int r = write_kill(fd);
	if (r < 0)
		return err_sys(err, -r, "cannot kill the processes of the cgroup");
	r = cgroup_signal_all(fd, SIGKILL, err);
	if (r < 0 && wait_empty(fd, clock_ms() + KILL_ALL_WAIT_MS) == 0) {
		err_clear(err);
		return 0;
	}
	return r;
}

/* Most are gone at once; what is not may have made others before its own signal came. */
static int kill_until(int fd, bool stays, int64_t deadline)
{
	int64_t patience = KILL_PATIENCE_MS;
	int r = kill_by_signals(fd, stays) ? 0 : write_kill(fd);
	while (r == 0) {
		int64_t next = clock_ms() + patience;
		r = wait_empty(fd, next < deadline ? next : deadline);
		if (r != -ETIMEDOUT || next >= deadline)
			return r;
		patience *= 2;
		r = 0;
		if (kill_by_signals(fd, stays && patience <= KILL_GENTLE_MS))
			continue;
		r = write_kill(fd);
		(void)!cgroup_signal_all(fd, SIGKILL, NULL); /* whom it missed is still there */
	}
	return r;
}

int cgroup_kill(int fd, bool stays, int timeout_ms, struct err *err)
{
	int r = kill_until(fd, stays, clock_ms() + timeout_ms);
	if (r == -ETIMEDOUT) {
		err_sys(err, ETIMEDOUT, "processes of the cgroup outlived their kill by %d ms",
			timeout_ms);
		err_hint(err, "they wait inside the kernel (state D), often for a disk or NFS");
		return r;
	}
	return r < 0 ? err_sys(err, -r, "cannot kill the processes of the cgroup") : 0;
}

/* ---- removing ---- */

/* The first directory in `fd`. 1, 0 when there is none, or -errno. */
static int first_child(int fd, char name[NAME_MAX + 1])
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	DIR *dir = fdopendir(copy);
	if (!dir) {
		fd_close(&copy);
		return -ENOMEM;
	}
	int found = 0;
	struct dirent *e;
	while (!found && (e = readdir(dir)))
		if (e->d_type == DT_DIR && !str_eq(e->d_name, ".") && !str_eq(e->d_name, "..")) {
			memcpy(name, e->d_name, strlen(e->d_name) + 1);
			found = 1;
		}
	closedir(dir);
	return found;
}

enum removal { REMOVAL_DONE, REMOVAL_HAS_CHILDREN };

/*
 * Removes the cgroup `name`, waiting until its processes are gone: they leave it only some time
 * after their death was seen. With cgroups below it *ret_fd is its directory. No error text.
 */
static int remove_one(int parent, const char *name, int64_t deadline, int *ret_fd)
{
	for (;;) {
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENODEV)
			return REMOVAL_DONE;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return -errno;
		_cleanup_close_ int fd = path_open_child(parent, name);
		if (fd == -ENOENT || fd == -ENODEV)
			return REMOVAL_DONE;
		if (fd < 0)
			return fd;
		char child[NAME_MAX + 1];
		int r = first_child(fd, child);
		if (r > 0) {
			*ret_fd = fd_take(&fd);
			return REMOVAL_HAS_CHILDREN;
		}
		if (r == 0)
			r = wait_empty(fd, deadline);
		if (r < 0)
			return r;
		if (clock_ms() > deadline)
			return -EBUSY;
	}
}

static int move_to(int *fd, int next)
{
	if (next < 0)
		return -errno;
	fd_close(fd);
	*fd = next;
	return 0;
}

/*
 * Removes all cgroups below `top`, deepest first. A container can nest them deeper than our stack
 * and our descriptors reach, so this walks: down into the first child that has children, up again
 * when none is left. Takes `top`. No error text.
 */
static int remove_below(int *take_top, int64_t deadline)
{
	_cleanup_close_ int fd = fd_take(take_top);
	char child[NAME_MAX + 1];
	size_t depth = 0;
	for (;;) {
		int next = -EBADF;
		int r = first_child(fd, child);
		if (r == 0 && depth == 0)
			return 0;
		if (r == 0) {
			depth--;
			r = move_to(&fd, openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		} else if (r > 0) {
			r = remove_one(fd, child, deadline, &next);
		}
		if (r == REMOVAL_HAS_CHILDREN) {
			depth++;
			r = move_to(&fd, next);
		}
		if (r < 0)
			return r;
	}
}

/* The cgroup with all below it. */
static int remove_tree(const struct cgroup_root *root, const char *path, int64_t deadline,
		       struct err *err)
{
	const char *name = NULL;
	_cleanup_close_ int parent = path_open_parent(root->fd, path, &name);
	if (parent == -ENOENT || parent == -ENODEV)
		return 0;
	if (parent < 0)
		return err_sys(err, -parent, "cannot open the parent of cgroup '%s'", path);
	int r;
	do {
		int fd = -EBADF;
		r = remove_one(parent, name, deadline, &fd);
		if (r == REMOVAL_HAS_CHILDREN) {
			int below = remove_below(&fd, deadline);
			r = below < 0 ? below : r;
		}
	} while (r == REMOVAL_HAS_CHILDREN && clock_ms() < deadline);
	if (r == 0)
		return 0;
	int code = r < 0 && r != -ETIMEDOUT ? -r : EBUSY;
	r = err_sys(err, code, "cannot remove cgroup '%s'", path);
	if (code == EBUSY)
		err_hint(err, "processes are still in it or below it: see its cgroup.procs");
	return r;
}

bool cgroup_is_removed(int fd)
{
	int r = faccessat(fd, "cgroup.events", F_OK, 0) < 0 ? -errno : 0;
	return r == -ENOENT || r == -ENODEV;
}

int cgroup_prune(const struct cgroup_root *root, const char *path, size_t kept, struct err *err)
{
	int r = path_prune(root->fd, path, strlen(path), kept);
	return r < 0 ? err_sys(err, -r, "cannot remove cgroup '%s'", path) : 0;
}

int cgroup_remove(const struct cgroup_root *root, const char *path, size_t kept, int timeout_ms,
		  struct err *err)
{
	if (kept >= strlen(path))
		return 0;
	int r = remove_tree(root, path, clock_ms() + timeout_ms, err);
	if (r < 0)
		return r;
	size_t parent = (size_t)(strrchr(path, '/') - path);
	r = path_prune(root->fd, path, parent, kept);
	return r < 0 ? err_sys(err, -r, "cannot remove the parents of cgroup '%s'", path) : 0;
}
