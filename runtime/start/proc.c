/* Checked writes to procfs: see the header. */
#include "start/proc.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define PROC_ROOT_INODE 1 /* PROC_ROOT_INO of the kernel: the clone is of /proc, not of a part */

static int is_procfs(int fd)
{
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == PROC_SUPER_MAGIC ? 0 : -EXDEV;
}

static int check_and_take(int *take_fd, int *ret_fd, struct err *err)
{
	_cleanup_close_ int fd = fd_take(take_fd);
	struct stat st;
	if (fd < 0)
		return err_sys(err, errno, "cannot open '/proc'");
	int r = is_procfs(fd);
	if (r == 0 && (fstat(fd, &st) < 0 || st.st_ino != PROC_ROOT_INODE))
		r = -EXDEV;
	if (r < 0)
		return err_say(err, ERR_HOST, -r, "'/proc' is not a proc file system");
	*ret_fd = fd_take(&fd);
	return 0;
}

/* Every number of a process that hull writes to or reads of would be another process's. */
int proc_check_own(struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	char self[16];
	uint64_t pid = 0;

	int r = proc_open_plain(&fd, err);
	if (r < 0)
		return r;
	ssize_t n = readlinkat(fd, "self", self, sizeof(self) - 1);
	if (n > 0)
		self[n] = '\0';
	if (n > 0 && str_to_u64(self, INT32_MAX, &pid) == 0 && (pid_t)pid == getpid())
		return 0;
	err_say(err, ERR_HOST, EXDEV,
		"'/proc' shows another pid namespace than the one hull is in");
	err_hint(err, "mount a /proc of this pid namespace, as unshare --mount-proc does");
	return -EXDEV;
}

int proc_open_plain(int *ret_fd, struct err *err)
{
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return check_and_take(&fd, ret_fd, err);
}

int proc_open(int *ret_fd, struct err *err)
{
	/* Not recursive: what is mounted over parts of it stays behind. */
	int fd = open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	/* No right to clone a mount of this namespace, or mounts on it that a user namespace locks
	 * there: what is mounted over a file then makes the write fail. */
	if (fd < 0 && (errno == EPERM || errno == EINVAL))
		return proc_open_plain(ret_fd, err);
	return check_and_take(&fd, ret_fd, err);
}

int proc_open_file(int proc_fd, const char *path, int flags)
{
	_cleanup_close_ int fd = fd_open_resolved(proc_fd, path, flags | O_CLOEXEC | O_NOCTTY,
						  RESOLVE_BENEATH | RESOLVE_NO_XDEV |
							  RESOLVE_NO_MAGICLINKS);
	int r = fd < 0 ? fd : is_procfs(fd);
	return r < 0 ? r : fd_take(&fd);
}

int proc_write(int proc_fd, const char *path, const char *value)
{
	_cleanup_close_ int fd = proc_open_file(proc_fd, path, O_WRONLY);
	if (fd < 0)
		return fd;
	size_t size = strlen(value);
	ssize_t n = write(fd, value, size);
	return n < 0 ? -errno : (size_t)n == size ? 0 : -EIO;
}

int proc_read(int proc_fd, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = proc_open_file(proc_fd, path, O_RDONLY);
	ssize_t n = fd < 0 ? fd : fd_read_all(fd, buf, size - 1);
	if (n < 0)
		return (int)n;
	buf[n] = '\0';
	if (n > 0 && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
	return (size_t)n == size - 1 ? -EFBIG : 0;
}
