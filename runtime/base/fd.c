/* Opening, reading and writing files. */
#include "base/fd.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FD_READ_MORE ((size_t)4096)

void fd_close(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -EBADF;
	errno = saved;
}

int fd_take(int *fd)
{
	int taken = *fd;
	*fd = -EBADF;
	return taken;
}

int fd_write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	while (size > 0) {
		ssize_t n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_all(int fd, void *data, size_t size)
{
	char *p = data;
	size_t got = 0;
	while (got < size) {
		ssize_t n = read(fd, p + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* The size to begin with; files of /proc claim to be empty, and others may grow meanwhile. */
static int open_regular(int dirfd, const char *path, size_t *ret_size, struct err *err)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot examine '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_say(err, ERR_CONFIG, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
			       "'%s' is not a regular file", path);
	*ret_size = (size_t)st.st_size;
	return fd_take(&fd);
}

int fd_read_file(int dirfd, const char *path, size_t limit, struct arena *arena, char **ret_text,
		 size_t *ret_size, struct err *err)
{
	size_t size = 0, got = 0;
	char *text = NULL;
	_cleanup_close_ int fd = open_regular(dirfd, path, &size, err);
	if (fd < 0)
		return fd;
	/* One byte more than there should be shows whether there is more. */
	for (size++; got <= limit; size = size * 2 + FD_READ_MORE) {
		if (size > limit)
			size = limit + 1;
		char *larger = arena_alloc(arena, size + 1);
		if (got > 0)
			memcpy(larger, text, got);
		text = larger;
		ssize_t n = fd_read_all(fd, text + got, size - got);
		if (n < 0)
			return err_sys(err, (int)-n, "cannot read '%s'", path);
		got += (size_t)n;
		if (got == size)
			continue;
		*ret_text = text;
		*ret_size = got;
		return 0;
	}
	return err_say(err, ERR_LIMIT, EFBIG, "'%s' is larger than %zu bytes", path, limit);
}

int fd_write_value(int dirfd, const char *name, const char *value)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	size_t size = strlen(value);
	ssize_t n;
	do
		n = write(fd, value, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

int fd_read_value(int dirfd, const char *name, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	/* These files give all that fits in one read(2): no second one to find their end. */
	ssize_t n;
	do
		n = read(fd, buf, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n == size)
		return -EFBIG;
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return 0;
}

#define FD_RESOLVE_TRIES 1024

int fd_read_again(int fd, char *buf, size_t size)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	ssize_t n = fd_read_all(fd, buf, size - 1);
	buf[n < 0 ? 0 : n] = '\0';
	return n < 0 ? (int)n : 0;
}

int fd_open_resolved(int dirfd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve };
	for (unsigned tries = 0;;) {
		long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno == EINTR || (errno == EAGAIN && ++tries < FD_RESOLVE_TRIES))
			continue;
		return -errno;
	}
}
