/*
 * Paths below a root filesystem: see the header. What is missing is found by asking the kernel for
 * one prefix of the path after the other, always from the root, so that ".." and links mean what
 * they mean to a program inside. The first missing component is made on the descriptor of the
 * prefix before it; a dangling link there is put in place of its name and the walk starts again.
 */
#include "base/inroot.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define INROOT_LINKS       40 /* as many as the kernel follows */
#define INROOT_PARENT_MODE 0755

#define RESOLVE_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
/* For one component that must not be a link. */
#define RESOLVE_STEP (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

/* A path that changes while dangling links are replaced by what they point to. */
struct walk {
	int rootfd;
	unsigned links;
	char path[PATH_MAX];
};

int inroot_try(int rootfd, const char *path, int flags)
{
	return fd_open_resolved(rootfd, path, flags, RESOLVE_ROOT);
}

/* The error of a path, with advice where the errno's text would lead astray. */
static int path_error(struct err *err, int code, const char *what, const char *path)
{
	err_sys(err, code, "cannot %s '%s' in the root filesystem", what, path);
	if (code == ELOOP)
		err_hint(err, "links that form a loop and those of /proc/PID/fd, exe, cwd and root "
			      "are not followed");
	if (code == ENOSYS)
		err_hint(err, "hull needs openat2 (Linux 5.6); a seccomp filter around hull may "
			      "forbid it");
	return -code;
}

int inroot_open(int rootfd, const char *path, int flags, struct err *err)
{
	int fd = inroot_try(rootfd, path, flags);
	return fd >= 0 ? fd : path_error(err, -fd, "open", path);
}

/* Copies the path without the slashes at its end, so that "a/b/" names b. */
static int walk_init(struct walk *w, int rootfd, const char *path)
{
	size_t n = strnlen(path, sizeof(w->path));
	if (n == 0)
		return -ENOENT;
	if (n == sizeof(w->path))
		return -ENAMETOOLONG;
	while (n > 1 && path[n - 1] == '/')
		n--;
	memcpy(w->path, path, n);
	w->path[n] = '\0';
	w->rootfd = rootfd;
	w->links = 0;
	return 0;
}

/* Sets *start and *end around the first component behind *end; false when there is none. */
static bool next_component(const char *path, size_t *start, size_t *end)
{
	*start = *end + strspn(path + *end, "/");
	*end = *start + strcspn(path + *start, "/");
	return *end > *start;
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && name[1] == '\0';
}

static bool is_dot_dot(const char *name)
{
	return name[0] == '.' && name[1] == '.' && name[2] == '\0';
}

static int copy_name(char *name, size_t size, const char *from, size_t n)
{
	if (n >= size)
		return -ENAMETOOLONG;
	memcpy(name, from, n);
	name[n] = '\0';
	return 0;
}

/* Opens the first `end` bytes of the path; "" is the root itself. */
static int open_prefix(struct walk *w, size_t end)
{
	char kept = w->path[end];
	w->path[end] = '\0';
	int fd = inroot_try(w->rootfd, end ? w->path : "/", O_PATH);
	w->path[end] = kept;
	return fd;
}

static int append(char *buf, size_t *used, const char *text, size_t n)
{
	if (n >= PATH_MAX - *used)
		return -ENAMETOOLONG;
	memcpy(buf + *used, text, n);
	*used += n;
	buf[*used] = '\0';
	return 0;
}

/* Puts the target of a link in place of the component from start to end. */
static int put_link(struct walk *w, size_t start, size_t end, const char *target)
{
	char joined[PATH_MAX];
	size_t used = 0;
	int r = 0;

	if (++w->links > INROOT_LINKS)
		return -ELOOP;
	if (target[0] != '/')
		r = append(joined, &used, w->path, start);
	if (r == 0)
		r = append(joined, &used, target, strlen(target));
	if (r == 0)
		r = append(joined, &used, w->path + end, strlen(w->path + end));
	if (r == 0)
		memcpy(w->path, joined, used + 1);
	return r;
}

/*
 * The component from start to end of the path seems to be missing below `parent`. Returns 0 if it
 * is, 1 if the walk must start again (it was a dangling link, or it appeared just now).
 */
static int examine_missing(struct walk *w, int parent, size_t start, size_t end)
{
	char name[NAME_MAX + 1], target[PATH_MAX];
	int r = copy_name(name, sizeof(name), w->path + start, end - start);
	if (r < 0)
		return r;
	ssize_t n = readlinkat(parent, name, target, sizeof(target));
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0 && errno != EINVAL)
		return -errno;
	if (n < 0)
		return ++w->links > INROOT_LINKS ? -EAGAIN : 1;
	if ((size_t)n == sizeof(target))
		return -ENAMETOOLONG;
	target[n] = '\0';
	r = put_link(w, start, end, target);
	return r < 0 ? r : 1;
}

/* One pass over the path. 0: *ret_parent and *ret_missing are set; 1: start again; or -errno. */
static int find_missing_once(struct walk *w, int *ret_parent, size_t *ret_missing)
{
	size_t start = 0, end = 0;
	_cleanup_close_ int parent = open_prefix(w, 0);
	if (parent < 0)
		return parent;
	while (next_component(w->path, &start, &end)) {
		int fd = open_prefix(w, end);
		if (fd == -ENOENT) {
			int r = examine_missing(w, parent, start, end);
			if (r != 0)
				return r;
			break;
		}
		if (fd < 0)
			return fd;
		close(parent);
		parent = fd;
	}
	*ret_missing = start;
	*ret_parent = fd_take(&parent);
	return 0;
}

/*
 * Finds where the path ends to exist: the deepest existing directory, and the offset of the first
 * missing component (the path's length when nothing is missing: somebody made it meanwhile).
 */
static int find_missing(struct walk *w, int *ret_parent, size_t *ret_missing)
{
	int r;
	do
		r = find_missing_once(w, ret_parent, ret_missing);
	while (r > 0);
	return r;
}

/* What ".." behind a directory that does not exist means, nobody can say. */
static int refuse_dot_dot(const char *path)
{
	size_t start, end = 0;
	while (next_component(path, &start, &end))
		if (end - start == 2 && path[start] == '.' && path[start + 1] == '.')
			return -EINVAL;
	return 0;
}

/* Makes one directory and opens it; that it is a directory and no link is the kernel's check. */
static int make_dir(int parent, const char *name, mode_t mode)
{
	if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
		return -errno;
	return fd_open_resolved(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_STEP);
}

/* Makes the directories of `path` below *parent, which moves on to the last of them. */
static int make_dirs(int *parent, const char *path, mode_t mode)
{
	char name[NAME_MAX + 1];
	size_t start, end = 0;
	while (next_component(path, &start, &end)) {
		int r = copy_name(name, sizeof(name), path + start, end - start);
		if (r < 0)
			return r;
		if (is_dot(name))
			continue;
		int fd = make_dir(*parent, name, mode);
		if (fd < 0)
			return fd;
		close(*parent);
		*parent = fd;
	}
	return 0;
}

static int is_type(int fd, mode_t type)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	return (st.st_mode & S_IFMT) == type;
}

/*
 * The common case, in half the system calls: only the last component is missing, and nothing is in
 * its place. -EEXIST when it is not as simple as that.
 */
static int make_last_dir(struct walk *w, mode_t mode)
{
	const char *slash = strrchr(w->path, '/');
	const char *name = slash ? slash + 1 : w->path;
	if (!*name || is_dot(name) || is_dot_dot(name))
		return -EEXIST;
	_cleanup_close_ int parent = open_prefix(w, slash ? (size_t)(slash - w->path) : 0);
	if (parent < 0 || mkdirat(parent, name, mode) < 0)
		return -EEXIST;
	return fd_open_resolved(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_STEP);
}

/* Opens the directory that the walk's path names, made where it is missing. */
static int open_or_make_dir(struct walk *w, mode_t mode)
{
	int fd = inroot_try(w->rootfd, w->path, O_PATH | O_DIRECTORY);
	if (fd != -ENOENT)
		return fd;
	fd = make_last_dir(w, mode);
	if (fd != -EEXIST)
		return fd;
	_cleanup_close_ int dir = -EBADF;
	size_t missing;
	int r = find_missing(w, &dir, &missing);
	if (r == 0)
		r = refuse_dot_dot(w->path + missing);
	if (r == 0)
		r = make_dirs(&dir, w->path + missing, mode);
	if (r == 0)
		r = is_type(dir, S_IFDIR);
	if (r < 0)
		return r;
	return r ? fd_take(&dir) : -ENOTDIR;
}

int inroot_mkdir(int rootfd, const char *path, mode_t mode, struct err *err)
{
	struct walk w;
	int r = walk_init(&w, rootfd, path);
	int fd = r < 0 ? r : open_or_make_dir(&w, mode);
	return fd >= 0 ? fd : path_error(err, -fd, "make the directory", path);
}

/* Cuts the last component off the path and copies it to name; it must be a real name. */
static int cut_last(char *path, char *name, size_t size)
{
	size_t end = strlen(path);
	while (end > 0 && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	int r = copy_name(name, size, path + start, end - start);
	if (r < 0)
		return r;
	if (!*name || is_dot(name) || is_dot_dot(name))
		return -EINVAL;
	path[start] = '\0';
	return 0;
}

/* mknodat() makes the file without opening it and never follows a link. */
static int make_file(int parent, const char *name, mode_t mode)
{
	if (mknodat(parent, name, S_IFREG | (mode & 07777), 0) < 0 && errno != EEXIST)
		return -errno;
	_cleanup_close_ int fd = fd_open_resolved(parent, name, O_PATH | O_NOFOLLOW, RESOLVE_STEP);
	if (fd < 0)
		return fd;
	int r = is_type(fd, S_IFREG);
	if (r < 0)
		return r;
	return r ? fd_take(&fd) : -EEXIST;
}

static int make_missing_file(struct walk *w, mode_t mode)
{
	char name[NAME_MAX + 1];
	_cleanup_close_ int parent = -EBADF;
	size_t missing;
	int r = find_missing(w, &parent, &missing);
	if (r < 0)
		return r;
	char *rest = w->path + missing;
	r = refuse_dot_dot(rest);
	if (r == 0)
		r = cut_last(rest, name, sizeof(name));
	if (r == 0)
		r = make_dirs(&parent, rest, INROOT_PARENT_MODE);
	return r < 0 ? r : make_file(parent, name, mode);
}

static int open_or_make_file(struct walk *w, mode_t mode)
{
	_cleanup_close_ int fd = inroot_try(w->rootfd, w->path, O_PATH);
	if (fd == -ENOENT)
		return make_missing_file(w, mode);
	if (fd < 0)
		return fd;
	int r = is_type(fd, S_IFDIR);
	if (r < 0)
		return r;
	return r ? -EISDIR : fd_take(&fd);
}

int inroot_create_file(int rootfd, const char *path, mode_t mode, struct err *err)
{
	struct walk w;
	int r = walk_init(&w, rootfd, path);
	int fd = r < 0 ? r : open_or_make_file(&w, mode);
	return fd >= 0 ? fd : path_error(err, -fd, "make the file", path);
}

int inroot_parent(int rootfd, const char *path, char *ret_name, size_t size, struct err *err)
{
	struct walk w;
	char name[NAME_MAX + 1];
	int r = walk_init(&w, rootfd, path);
	if (r == 0)
		r = cut_last(w.path, name, sizeof(name) < size ? sizeof(name) : size);
	if (r == 0 && !w.path[0])
		memcpy(w.path, "/", 2);
	int fd = r < 0 ? r : open_or_make_dir(&w, INROOT_PARENT_MODE);
	if (fd < 0)
		return path_error(err, -fd, "make the directory of", path);
	memcpy(ret_name, name, strlen(name) + 1);
	return fd;
}

int inroot_mount_id(int fd, uint64_t *ret)
{
	struct statx stx;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) < 0)
		return -errno;
	if (!(stx.stx_mask & STATX_MNT_ID))
		return -EOPNOTSUPP;
	*ret = stx.stx_mnt_id;
	return 0;
}
