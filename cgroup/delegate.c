/*
 * Delegation of a container's cgroup to a user of its user namespace (S-157 to S-161). Parent, as
 * root, before the clone. The kernel says which files are to be given away.
 */
#include "cgroup/delegate.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* Where the kernel has no list: those that were always in it. */
#define DELEGATE_DEFAULT "cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n"

static int give(int fd, const char *file, uint32_t uid, struct err *err)
{
	/* The list names files of controllers that this cgroup may not have. */
	if (fchownat(fd, file, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT)
		return 0;
	return err_sys(err, errno, "cannot give '%s' of the cgroup to user %u", file, uid);
}

int delegate_by_list(int fd, int list_dir, uint32_t uid, struct err *err)
{
	char text[1024];
	if (fd_read_value(list_dir, "delegate", text, sizeof(text)) < 0)
		memcpy(text, DELEGATE_DEFAULT, sizeof(DELEGATE_DEFAULT));
	if (fchown(fd, uid, (gid_t)-1) < 0)
		return err_sys(err, errno, "cannot give the cgroup to user %u", uid);
	char *rest = text;
	for (char *file = strsep(&rest, "\n"); file; file = strsep(&rest, "\n")) {
		int r = *file && !strchr(file, '/') ? give(fd, file, uid, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_delegate(int fd, uint32_t uid, struct err *err)
{
	_cleanup_close_ int list_dir = open("/sys/kernel/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return delegate_by_list(fd, list_dir, uid, err);
}
