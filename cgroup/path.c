/*
 * Where cgroups are: the cgroup2 mount of this host, the normal form of a cgroupsPath, and opening
 * directories below the mount. Every resolution goes through openat2 with RESOLVE_BENEATH, so that
 * no path leads out of the mount. Runs in the caller's process.
 */
#include "cgroup/path.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroup/events.h"

#define DEFAULT_PARENT "/hull"
#define DIRECTORY_MODE 0755

/* ---- the mount ---- */

/* The whole host in version 2, or the hybrid layout of systemd, whose limits are version 1's. */
static const char *const root_paths[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

int cgroup_root_open(struct cgroup_root *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(root_paths); i++) {
		_cleanup_close_ int fd = open(root_paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		if (fd < 0 || fstatfs(fd, &fs) < 0)
			return err_sys(err, errno, "cannot look for a cgroup2 mount at %s",
				       root_paths[i]);
		if (fs.f_type != CGROUP2_SUPER_MAGIC)
			continue;
		ret->fd = fd_take(&fd);
		ret->path = root_paths[i];
		return 0;
	}
	int r = err_say(err, ERR_HOST, ENOENT, "this host has no cgroup2 mount at %s or %s",
			root_paths[0], root_paths[1]);
	err_hint(err, "mount it: mount -t cgroup2 none %s", root_paths[0]);
	return r;
}

void cgroup_root_close(struct cgroup_root *root)
{
	fd_close(&root->fd);
}

/* ---- names ---- */

static bool has_control_character(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return true;
	return false;
}

/* NULL, or what is wrong with one component. */
static const char *component_problem(const char *s, size_t n)
{
	if (n == 0)
		return "it has an empty component";
	if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
		return "'.' and '..' are not allowed in it";
	if (n > NAME_MAX)
		return "a component is longer than 255 bytes";
	if (has_control_character(s, n))
		return "it has a control character";
	return NULL;
}

static const char *path_problem(const char *path)
{
	const char *problem = NULL;
	if (strlen(path) >= PATH_MAX)
		return "it is too long";
	do {
		size_t n = strcspn(++path, "/");
		problem = component_problem(path, n);
		path += n;
	} while (*path && !problem);
	return problem;
}

/* An empty path is taken as none: engines write it when they have no opinion. */
int cgroup_plan_path(const char *path, const char *id, struct arena *arena, const char **ret,
		     struct err *err)
{
	const char *full;
	if (!path || !path[0])
		full = arena_printf(arena, DEFAULT_PARENT "/%s", id);
	else if (path[0] == '/')
		full = path;
	else
		full = arena_printf(arena, DEFAULT_PARENT "/%s", path);
	const char *problem = path_problem(full);
	if (problem) {
		int r = err_say(err, ERR_CONFIG, EINVAL, "'%s' is not a path of a cgroup: %s", full,
				problem);
		err_hint(err,
			 "cgroupsPath is like \"/engine/web\", counted from the cgroup2 mount");
		return r;
	}
	*ret = arena_strdup(arena, full);
	return 0;
}

/* ---- directories ---- */

static int try_open_below(int dirfd, const char *path)
{
	return fd_open_resolved(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
					RESOLVE_NO_XDEV);
}

/* See path_regain(): it fails for anybody but the owner. cgroupfs has no links to follow. */
static int open_below(int dirfd, const char *path)
{
	int fd = try_open_below(dirfd, path);
	if (fd == -EACCES && fchmodat(dirfd, path, DIRECTORY_MODE, 0) == 0)
		fd = try_open_below(dirfd, path);
	return fd;
}

int path_regain(int fd)
{
	static const struct {
		const char *name;
		mode_t mode;
	} files[] = {
		{ "cgroup.kill", 0200 },
		{ "cgroup.events", 0444 },
		{ "cgroup.procs", 0644 },
	};
	if (fchmod(fd, DIRECTORY_MODE) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (fchmodat(fd, files[i].name, files[i].mode, 0) < 0)
			return -errno;
	return 0;
}

int path_open_child(int parent, const char *name)
{
	return open_below(parent, name);
}

int path_open(int root, const char *path)
{
	return open_below(root, path[1] ? path + 1 : ".");
}

int path_open_parent(int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = strndup(path, slash > path ? (size_t)(slash - path) : 1);
	if (!parent)
		return -ENOMEM;
	int fd = path_open(root, parent);
	if (fd >= 0)
		*ret_name = slash + 1;
	return fd;
}

int path_prune(int root, const char *path, size_t done, size_t kept)
{
	while (done > kept) {
		char part[PATH_MAX];
		const char *name = NULL;
		snprintf(part, sizeof(part), "%.*s", (int)done, path);
		_cleanup_close_ int parent = path_open_parent(root, part, &name);
		int r = parent;
		if (parent >= 0)
			r = unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
		if (r == -EBUSY || r == -ENOTEMPTY)
			return 0;
		if (r < 0 && r != -ENOENT && r != -ENODEV)
			return r;
		done = (size_t)(strrchr(part, '/') - part);
	}
	return 0;
}

/* ---- what is not the container's ---- */

/*
 * The home stays although hull has made it: the next container needs it again, with the controllers
 * that are enabled in it by then, and containers that start and end at the same time would pull it
 * away under each other.
 */
size_t path_home_size(const char *path)
{
	size_t n = strlen(DEFAULT_PARENT);
	bool is_in = str_has_prefix(path, DEFAULT_PARENT) && (path[n] == '/' || path[n] == '\0');
	return is_in ? n : 0;
}

int cgroup_find_kept(const struct cgroup_root *root, const char *path, size_t *ret, struct err *err)
{
	size_t home = path_home_size(path), kept = strlen(path);
	while (kept > home) {
		char part[PATH_MAX];
		snprintf(part, sizeof(part), "%.*s", (int)kept, path);
		_cleanup_close_ int fd = path_open(root->fd, part);
		if (fd >= 0)
			break;
		if (fd != -ENOENT && fd != -ENODEV)
			return err_sys(err, -fd, "cannot open cgroup '%s'", part);
		kept = (size_t)(strrchr(part, '/') - part);
	}
	*ret = kept;
	return 0;
}

int cgroup_open(const struct cgroup_root *root, const char *path, int *ret_fd, struct err *err)
{
	int fd = path_open(root->fd, path);
	if (fd < 0)
		return err_sys(err, -fd, "cannot open cgroup '%s'", path);
	*ret_fd = fd;
	return 0;
}

/* ---- events ---- */

/* Reading also arms the next poll. */
static int read_event(int events_fd, const char *key)
{
	char text[128];
	int r = fd_read_again(events_fd, text, sizeof(text));
	return r < 0 ? r : cgroup_find_event(text, key) == 1;
}

int path_wait_event(int fd, const char *key, int wanted, int64_t deadline)
{
	_cleanup_close_ int events = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (events < 0)
		return -errno;
	for (;;) {
		int now = read_event(events, key);
		if (now < 0 || now == wanted)
			return now < 0 ? now : 0;
		int64_t left = deadline - clock_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		struct pollfd p = { .fd = events, .events = POLLPRI };
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
	}
}
