/*
 * File descriptors: who owns them, and how a file is read or written whole. A plain `int fd`
 * parameter is borrowed, `int *take_fd` moves ownership, a local `_cleanup_close_ int fd = -EBADF`
 * owns. Everything is opened with O_CLOEXEC.
 */
#ifndef HULL_BASE_FD_H
#define HULL_BASE_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/* Closes *fd if it is open and sets it to -EBADF. Keeps errno. */
void fd_close(int *fd);

/* Moves the descriptor out of *fd, which becomes -EBADF. */
int fd_take(int *fd);

/* Writes all of the bytes, over short writes and EINTR. 0, or -errno without an error text. */
_must_check_ int fd_write_all(int fd, const void *data, size_t size);

/* Reads until the end or until `size` bytes. The number of bytes, or -errno. */
_must_check_ ssize_t fd_read_all(int fd, void *data, size_t size);

/*
 * Reads the whole file into the arena, followed by a NUL that *ret_size does not count.
 * EFBIG when it is larger than `limit`; the error names `path`.
 */
_must_check_ int fd_read_file(int dirfd, const char *path, size_t limit, struct arena *arena,
			      char **ret_text, size_t *ret_size, struct err *err);

/*
 * Writes a small kernel file (cgroup, /proc) with exactly one write(2): these files take a value
 * whole or not at all. 0, or -errno without an error text.
 */
_must_check_ int fd_write_value(int dirfd, const char *name, const char *value);

/*
 * Reads a small kernel file into `buf`, without its last newline, always terminated.
 * 0, or -errno without an error text; EFBIG when it does not fit.
 */
_must_check_ int fd_read_value(int dirfd, const char *name, char *buf, size_t size);

/*
 * Reads a small kernel file once more from its beginning, which arms poll(2) for its next change,
 * as far as `buf` has room, always terminated. 0, or -errno without an error text.
 */
_must_check_ int fd_read_again(int fd, char *buf, size_t size);

/*
 * openat2(2) with RESOLVE_* of <linux/openat2.h>, tried again while the kernel says EAGAIN because
 * something is renamed or mounted during the walk (many times, but not for ever). O_CLOEXEC is
 * added. The descriptor, or -errno without an error text.
 */
_must_check_ int fd_open_resolved(int dirfd, const char *path, int flags, uint64_t resolve);

#endif
