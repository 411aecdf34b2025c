/*
 * Child, stage 4: the option tmpcopyup. A new tmpfs begins with the content of the directory that
 * it is going to cover (S-083, R-049), as podman wants it for /run and /tmp.
 *
 * The image may be hostile. Only single names are opened, on the descriptor of their directory,
 * without following links and without leaving the mount; how deep it goes is bounded here, how much
 * it is by the tmpfs and the cgroup, in which the child is by now. The tmpfs is not attached yet:
 * nobody can see it half filled. A failure ends the start.
 *
 * Must not: make a device, which would give the image one that config.json does not; open one;
 * hand on attributes that mean something to the host alone (trusted.*, labels).
 */
#include "start/copyup.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "base/str.h"

#define COPYUP_DEPTH      64 /* levels of directories; each keeps two descriptors open */
#define COPYUP_ENTRIES    4096
#define COPYUP_ATTRIBUTES 65536 /* XATTR_LIST_MAX and XATTR_SIZE_MAX */
#define COPYUP_CHUNK      (64 * 1024 * 1024)

/* Within the image's directory: its names as they are, and nothing that is mounted in it. */
#define COPYUP_RESOLVE \
	(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

struct copyup {
	const struct plan_mount *mount;
	struct err *err;
	unsigned depth;
	char names[COPYUP_ATTRIBUTES], value[COPYUP_ATTRIBUTES];
};

static int copy_directory(struct copyup *c, int from, int to);

static const struct {
	int code;
	const char *hint;
} hints[] = {
	{ ENOSPC, "the image's directory is larger than the tmpfs: raise its option size, or "
		  "nr_inodes" },
	{ EINVAL, "it may belong to a user whom the container's user namespace does not have" },
	{ EACCES, "it may belong to a user whom the container's user namespace does not have" },
};

static int failed(const struct copyup *c, int code, const char *verb, const char *name)
{
	err_sys(c->err, code, "cannot %s '%s' of the image's '%s' for the new tmpfs", verb, name,
		c->mount->destination);
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (hints[i].code == code)
			err_hint(c->err, "%s", hints[i].hint);
	return -code;
}

/* ---- attributes ---- */

/* What follows a file; all others belong to the host, or to the mount's label. */
static const char *const attributes[] = {
	"user.",
	"security.capability",
	"system.posix_acl_access",
	"system.posix_acl_default",
};

static bool is_copied(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (str_has_prefix(name, attributes[i]))
			return true;
	return false;
}

static int copy_attribute(struct copyup *c, int from, int to, const char *name)
{
	ssize_t n = fgetxattr(from, name, c->value, sizeof(c->value));
	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	if (fsetxattr(to, name, c->value, (size_t)n, 0) == 0)
		return 0;
	/* A tmpfs has user attributes since Linux 6.6; nobody's rights depend on those. */
	return errno == EOPNOTSUPP && str_has_prefix(name, "user.") ? 0 : -errno;
}

static int copy_attributes(struct copyup *c, int from, int to)
{
	ssize_t n = flistxattr(from, c->names, sizeof(c->names));
	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *name = c->names; name < c->names + n; name += strlen(name) + 1) {
		int r = is_copied(name) ? copy_attribute(c, from, to, name) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* The owner first: a change of it takes set-user-id bits and file capabilities away. */
static int finish_copy(struct copyup *c, int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	int r = copy_attributes(c, from, to);
	if (r == 0 && futimens(to, times) < 0)
		r = -errno;
	return r;
}

/* ---- files, links, special files ---- */

/* Its data and no holes: a sparse file costs here what it costs in the image. */
static int copy_data(int from, int to, off_t size)
{
	for (off_t at = 0; at < size;) {
		at = lseek(from, at, SEEK_DATA);
		off_t end = at < 0 ? -1 : lseek(from, at, SEEK_HOLE);
		if (end < 0)
			return errno == ENXIO ? 0 : -errno; /* nothing but a hole follows */
		if (end > size)
			end = size;
		if (lseek(to, at, SEEK_SET) < 0)
			return -errno;
		while (at < end) {
			size_t rest = (size_t)(end - at);
			ssize_t n = sendfile(to, from, &at,
					     rest < COPYUP_CHUNK ? rest : COPYUP_CHUNK);
			if (n < 0 && errno != EINTR)
				return -errno;
			if (n == 0) /* it has become shorter */
				return 0;
		}
	}
	return 0;
}

static int copy_file(struct copyup *c, int from_dir, int to_dir, const char *name)
{
	struct stat st;
	_cleanup_close_ int from = fd_open_resolved(
		from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, COPYUP_RESOLVE);
	if (from == -EXDEV)
		return 0;
	if (from < 0)
		return failed(c, -from, "read", name);
	if (fstat(from, &st) < 0 || !S_ISREG(st.st_mode))
		return failed(c, ESTALE, "read", name);
	_cleanup_close_ int to = openat(to_dir, name,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = to < 0 || ftruncate(to, st.st_size) < 0 ? -errno : copy_data(from, to, st.st_size);
	if (r == 0)
		r = finish_copy(c, from, to, &st);
	return r < 0 ? failed(c, -r, "copy", name) : 0;
}

static int copy_link(struct copyup *c, int from_dir, int to_dir, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);
	if (n < 0)
		return failed(c, errno, "read", name);
	target[n] = '\0';
	return symlinkat(target, to_dir, name) < 0 ? failed(c, errno, "copy", name) : 0;
}

/* A named pipe or a socket is a name and nothing else. */
static int copy_node(struct copyup *c, int to_dir, const char *name, const struct stat *st)
{
	if (mknodat(to_dir, name, (st->st_mode & S_IFMT) | 0600, 0) < 0)
		return failed(c, errno, "copy", name);
	return 0;
}

static int finish_name(struct copyup *c, int to_dir, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0) ||
	    utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c, errno, "copy", name);
	return 0;
}

/* ---- directories ---- */

static int open_subdirectory(struct copyup *c, int from_dir, int to_dir, const char *name,
			     int *ret_to)
{
	int from = fd_open_resolved(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
				    COPYUP_RESOLVE);
	if (from < 0 && from != -EXDEV)
		return failed(c, -from, "read", name);
	if (mkdirat(to_dir, name, 0700) < 0)
		return failed(c, errno, "copy", name);
	*ret_to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_to < 0)
		return failed(c, errno, "copy", name);
	return from;
}

/* Of what is mounted there only the mount point is the image's. */
static int copy_subdirectory(struct copyup *c, int from_dir, int to_dir, const char *name,
			     const struct stat *st)
{
	_cleanup_close_ int to = -EBADF;
	_cleanup_close_ int from = -EBADF;

	if (c->depth == COPYUP_DEPTH) {
		err_say(c->err, ERR_LIMIT, ELOOP,
			"'%s' of the image is too deep to be copied into the new tmpfs: more than "
			"%d directories in each other",
			c->mount->destination, COPYUP_DEPTH);
		return -ELOOP;
	}
	int r = from = open_subdirectory(c, from_dir, to_dir, name, &to);
	if (r == -EXDEV)
		return finish_name(c, to_dir, name, st);
	if (r < 0)
		return r;
	c->depth++;
	r = copy_directory(c, from, to);
	c->depth--;
	if (r < 0)
		return r;
	r = finish_copy(c, from, to, st);
	return r < 0 ? failed(c, -r, "copy", name) : 0;
}

static int copy_entry(struct copyup *c, int from, int to, const char *name)
{
	struct stat st;
	int r = 0;

	if (str_eq(name, ".") || str_eq(name, ".."))
		return 0;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return failed(c, errno, "read", name);
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return copy_subdirectory(c, from, to, name, &st);
	case S_IFREG:
		return copy_file(c, from, to, name);
	case S_IFLNK:
		r = copy_link(c, from, to, name);
		return r < 0 ? r : finish_name(c, to, name, &st);
	case S_IFIFO:
	case S_IFSOCK:
		r = copy_node(c, to, name, &st);
		return r < 0 ? r : finish_name(c, to, name, &st);
	default: /* a device: see above */
		return 0;
	}
}

static int copy_directory(struct copyup *c, int from, int to)
{
	_Alignas(struct dirent64) char entries[COPYUP_ENTRIES];
	ssize_t n;

	while ((n = getdents64(from, entries, sizeof(entries))) > 0) {
		for (char *p = entries; p < entries + n;) {
			const struct dirent64 *d = (const struct dirent64 *)(void *)p;
			int r = copy_entry(c, from, to, d->d_name);
			if (r < 0)
				return r;
			p += d->d_reclen;
		}
	}
	return n < 0 ? failed(c, errno, "read", ".") : 0;
}

/* ---- the tmpfs itself ---- */

static bool is_given(const struct plan_mount *m, const char *key)
{
	for (size_t i = 0; i < m->options_n; i++)
		if (str_eq(m->options[i].key, key))
			return true;
	return false;
}

/* What config.json does not say of the tmpfs's own directory, the covered one does. */
static int take_properties(struct copyup *c, int from, int to)
{
	const struct plan_mount *m = c->mount;
	struct stat st, own;

	if (fstat(from, &st) < 0 || fstat(to, &own) < 0)
		return -errno;
	st.st_mode = own.st_mode;
	if (is_given(m, "uid"))
		st.st_uid = own.st_uid;
	if (is_given(m, "gid"))
		st.st_gid = own.st_gid;
	return finish_copy(c, from, to, &st);
}

int copyup_fill(const struct plan_mount *m, int from, int tree, struct err *err)
{
	struct copyup c;
	int r;

	c.mount = m;
	c.err = err;
	c.depth = 0;
	_cleanup_close_ int to = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return failed(&c, errno, "copy", ".");
	r = copy_directory(&c, from, to);
	if (r < 0)
		return r;
	r = take_properties(&c, from, to);
	return r < 0 ? failed(&c, -r, "copy", ".") : 0;
}
