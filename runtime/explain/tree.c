/*
 * The tree of a container from outside: see the header. A name is taken as it is written; where a
 * link of the image leads below a mount, and nothing is there without it, it is unknown.
 */
#include "explain/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "base/str.h"

/* What the path has behind the mount's destination, "" or "/...", NULL: it is not below it. */
static const char *rest_below(const struct plan_mount *m, const char *path)
{
	size_t n = strlen(m->destination);
	while (n > 0 && m->destination[n - 1] == '/')
		n--;
	if (strncmp(path, m->destination, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path + n;
}

/* The mount that a name is below: the last one, which covers earlier ones. NULL: none. */
static const struct plan_mount *find_mount(const struct explain_tree *tree, const char *path,
					   const char **ret_rest)
{
	for (size_t i = tree->mounts_n; i > 0; i--) {
		const struct plan_mount *m = &tree->mounts[i - 1];
		if (m->kind == PLAN_MOUNT_REMOUNT)
			continue;
		*ret_rest = rest_below(m, path);
		if (*ret_rest)
			return m;
	}
	return NULL;
}

/* Where a descriptor or a name really is, below the root; false: nobody can say. */
static bool real_path(const struct explain_tree *tree, int fd, char *buf, size_t size)
{
	char root[PATH_MAX], link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", tree->root_fd);
	ssize_t n = readlink(link, root, sizeof(root) - 1);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t m = readlink(link, buf, size - 1);
	if (n <= 0 || m <= 0)
		return false;
	root[n] = '\0';
	buf[m] = '\0';
	size_t above = str_eq(root, "/") ? 0 : (size_t)n;
	if (strncmp(buf, root, above) != 0 || (buf[above] && buf[above] != '/'))
		return false;
	memmove(buf, buf + above, strlen(buf + above) + 1);
	return true;
}

/* The directory that `path` is in, followed through links; and what the name itself links to. */
static bool leads_below_mount(const struct explain_tree *tree, const char *path)
{
	char parent[PATH_MAX], real[2 * PATH_MAX], target[PATH_MAX];
	const char *rest, *slash = strrchr(path, '/');
	if (!slash || (size_t)(slash - path) >= sizeof(parent))
		return false;
	snprintf(parent, sizeof(parent), "/%.*s", (int)(slash - path), path);
	_cleanup_close_ int dir = inroot_try(tree->root_fd, parent, O_PATH);
	if (dir < 0 || !real_path(tree, dir, real, PATH_MAX))
		return dir != -ENOENT; /* above it the caller has asked already */
	if (find_mount(tree, real, &rest))
		return true;
	ssize_t n = readlinkat(dir, slash + 1, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	size_t used = target[0] == '/' ? 0 : strlen(real);
	snprintf(real + used, sizeof(real) - used, "%s%s", used ? "/" : "", target);
	return strstr(real, "/..") || find_mount(tree, real, &rest);
}

static int open_in_bind(const struct plan_mount *m, const char *rest, int flags)
{
	if (!*rest) {
		int fd = open(m->source, flags | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	_cleanup_close_ int source = open(m->source, O_PATH | O_CLOEXEC);
	return source < 0 ? -errno : inroot_try(source, rest, flags);
}

/* A missing mount point is made. */
static bool is_above_mount(const struct explain_tree *tree, const char *path)
{
	size_t n = strlen(path);
	for (size_t i = 0; i < tree->mounts_n; i++)
		if (strncmp(tree->mounts[i].destination, path, n) == 0 &&
		    tree->mounts[i].destination[n] == '/')
			return true;
	return false;
}

int tree_open(const struct explain_tree *tree, const char *path, int flags)
{
	const char *rest;
	while (path[0] == '/' && path[1] == '/')
		path++;
	const struct plan_mount *m = find_mount(tree, path, &rest);
	if (m && m->kind == PLAN_MOUNT_BIND)
		return open_in_bind(m, rest, flags);
	if (m && *rest && str_eq(m->type ? m->type : "", "tmpfs") && !m->copies_up)
		return -ENOENT;
	if (m)
		return TREE_UNKNOWN;
	int fd = inroot_try(tree->root_fd, path, flags);
	if (fd == -ENOENT && tree->mounts_n &&
	    (is_above_mount(tree, path) || leads_below_mount(tree, path)))
		return TREE_UNKNOWN;
	return fd;
}

bool tree_is_noexec(const struct explain_tree *tree, const char *path, int fd)
{
	struct statvfs fs;
	const char *rest;
	const struct plan_mount *m = find_mount(tree, path, &rest);
	if (m && ((m->attr.set | m->attr_recursive.set) & MOUNT_ATTR_NOEXEC))
		return true;
	return fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOEXEC);
}
