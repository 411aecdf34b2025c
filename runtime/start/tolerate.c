/* The table of tolerated failures. Used by parent and child, which note them in the shared page. */
#include "start/tolerate.h"

#include <errno.h>

static const struct {
	enum tolerance what;
	int code;
	const char *call, *why;
} tolerated[] = {
	{ TOLERATE_KEYRING, ENOSYS, "keyctl", "the kernel has no keyrings, so none is shared" },
	{ TOLERATE_LINK, EEXIST, "symlinkat", "the image has a /dev/fd, stdin, ... of its own" },
	{ TOLERATE_PROTECT, ENOENT, "openat2", "a masked or read-only path does not exist" },
	{ TOLERATE_PROTECT, ENOTDIR, "openat2", "a masked or read-only path cannot exist" },
	{ TOLERATE_PROC_LINKS, ENOENT, "openat2", "without /proc there is nothing to link to" },
	{ TOLERATE_PROC_LINKS, ENOTDIR, "openat2", "without /proc there is nothing to link to" },
	{ TOLERATE_PROC_LINKS, ELOOP, "openat2", "without /proc there is nothing to link to" },
	{ TOLERATE_RLIMIT, EPERM, "prlimit", "a raised limit is left to the parent" },
	{ TOLERATE_IDMAP, EINVAL, "mount_setattr", "the layer's file system cannot map ids" },
	{ TOLERATE_IDMAP, EPERM, "mount_setattr", "the layer's ids are mapped already" },
	{ TOLERATE_MOUNT_NS, ENOENT, "open", "the child is dead already, which says more" },
	{ TOLERATE_MOUNT_NS, EACCES, "open", "a failed exec is then explained less well" },
	{ TOLERATE_CONSOLE_OWNER, EROFS, "fchown",
	  "a read-only devpts keeps the terminal's owner" },
	{ TOLERATE_CONSOLE_OWNER, EPERM, "fchown", "the program has its terminal open anyway" },
	{ TOLERATE_NO_CGROUP2, ENOENT, "open", "no cgroup2 mount, and config.json needs none" },
	{ TOLERATE_CGROUP, EACCES, "mkdirat", "the caller may make no cgroup, and needs none" },
	{ TOLERATE_CGROUP, EPERM, "mkdirat", "the caller may make no cgroup, and needs none" },
	{ TOLERATE_CGROUP, EROFS, "mkdirat", "the cgroup2 mount is read-only; none is needed" },
};

static int find_row(enum tolerance what, int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(tolerated); i++)
		if (tolerated[i].what == what && tolerated[i].code == code)
			return (int)i;
	return -1;
}

bool tolerate(const struct start *s, enum tolerance what, int code)
{
	int row = find_row(what, code);
	if (row < 0)
		return false;
	atomic_fetch_or(&s->channel.page->tolerated, 1u << row);
	return true;
}

bool tolerate_early(struct start *s, enum tolerance what, int code)
{
	int row = find_row(what, code);
	if (row < 0)
		return false;
	s->tolerated |= 1u << row;
	return true;
}

void tolerate_print(const struct start *s, struct str *out)
{
	unsigned seen = s->tolerated;
	if (s->channel.page)
		seen |= atomic_load(&s->channel.page->tolerated);
	for (size_t i = 0; i < ARRAY_SIZE(tolerated); i++)
		if (seen >> i & 1)
			str_printf(out, "tolerated   %s: %s: %s\n", tolerated[i].call,
				   err_name(tolerated[i].code), tolerated[i].why);
}
