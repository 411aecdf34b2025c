/*
 * Sealing: runs first of all in hull's own process, with the caller's privilege, before anything of
 * a container is read.
 *
 * Two ways. A detached clone of the mount that hull's file is on, of nothing but that file, made
 * read-only: costs microseconds, and needs CAP_SYS_ADMIN. Its descriptor is closed by execve, and
 * from then on the mount belongs to no namespace: nobody can make it writable again. Else a
 * copy in memory with all seals. What it was that hull is executed from is asked of the kernel,
 * never of the environment: the variable that a second execution finds only keeps it from a third.
 */
#include "seal/seal.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#ifndef MFD_EXEC /* Linux 6.3 */
#define MFD_EXEC 0x10U
#endif

/* ---- is it sealed? ---- */

static bool has_seals(void)
{
	_cleanup_close_ int fd = open(SEAL_SELF, O_RDONLY | O_CLOEXEC);
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & SEALS) == SEALS;
}

/*
 * A mount that belongs to no namespace cannot be changed by anybody, which is EINVAL. On one that
 * is attached, or that somebody still holds, this call succeeds and changes nothing.
 */
static bool is_lost_mount(void)
{
	const unsigned long flags = ST_RDONLY | ST_NOSUID;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	struct statfs fs;

	_cleanup_close_ int fd = open(SEAL_SELF, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || ((unsigned long)fs.f_flags & flags) != flags)
		return false;
	return mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 && errno == EINVAL;
}

/* The name is asked first because it rules out both with one call. */
static bool is_sealed(void)
{
	static const char copy[] = "/memfd:";
	char name[sizeof(copy)];
	ssize_t n = readlink(SEAL_SELF, name, sizeof(name));
	if (n == 1 && name[0] == '/') /* a file that is the root of a mount without a place */
		return is_lost_mount();
	return n == sizeof(name) && memcmp(name, copy, sizeof(copy) - 1) == 0 && has_seals();
}

/* ---- sealing: each a descriptor to execute, or -errno ---- */

static int open_mount(void)
{
	struct mount_attr attr = {
		.attr_set = SEAL_ATTRIBUTES,
	};
	int fd = open_tree(AT_FDCWD, SEAL_SELF, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0) {
		int code = errno;
		close(fd);
		return -code;
	}
	return fd;
}

static int copy_file(int from, int to)
{
	struct stat st;
	if (fstat(from, &st) < 0)
		return -errno;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= n;
	}
	return fcntl(to, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

static int open_copy(void)
{
	_cleanup_close_ int from = open(SEAL_SELF, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return -errno;
	int fd = memfd_create("hull", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("hull", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	int r = copy_file(from, fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static int execute(int fd, char **argv)
{
	if (fd < 0)
		return fd;
	(void)!execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	int code = errno;
	close(fd);
	return -code;
}

/* ---- the whole ---- */

static const char *hint(int code)
{
	switch (code) {
	case EMFILE:
		return "the limit of open files (ulimit -n) must leave room for some more";
	case ENOENT:
		return "/proc must be mounted";
	case EACCES:
		return "hull's file must be readable, and vm.memfd_noexec must not be 2";
	default:
		return NULL;
	}
}

static int refuse(int mount_code, int copy_code, struct err *err)
{
	int r = err_sys(err, copy_code, "cannot seal hull's own executable against containers");
	err_cause(err, "a read-only mount of it: %s; a sealed copy of it: %s",
		  err_text(mount_code).s, err_text(copy_code).s);
	if (hint(copy_code))
		err_hint(err, "%s", hint(copy_code));
	err_step(err, "seal");
	return r;
}

int seal_self(char **argv, struct err *err)
{
	bool tried = getenv(SEAL_TRIED);

	if (is_sealed()) {
		unsetenv(SEAL_TRIED);
		/* Executed by descriptor, the process is named after its number. */
		(void)!prctl(PR_SET_NAME, "hull", 0, 0, 0);
		return 0;
	}
	if (tried) {
		err_say(err, ERR_HOST, ENOTSUP, "hull's executable is not sealed after sealing it");
		err_hint(err, "the variable %s is hull's own and must not be set", SEAL_TRIED);
		return -ENOTSUP;
	}
	if (setenv(SEAL_TRIED, "1", 1) < 0)
		return err_sys(err, errno, "cannot seal hull's own executable");
	int mount_code = execute(open_mount(), argv);
	return refuse(-mount_code, -execute(open_copy(), argv), err);
}
