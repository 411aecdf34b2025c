/* One pass over the container's passwd file, line by line through a fixed buffer. */
#include "start/home.h"

#include "start/steps.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "base/str.h"

#define HOME_BUFFER   4096
#define HOME_MAX_FILE (1024 * 1024) /* a hostile file must not hold up the start */

/* Field n (from 0) of a line whose fields are separated by colons. */
static bool field(const char *line, size_t line_size, unsigned n, const char **ret,
		  size_t *ret_size)
{
	const char *end = line + line_size, *start = line;
	for (;;) {
		const char *colon = memchr(start, ':', (size_t)(end - start));
		const char *stop = colon ? colon : end;
		if (n-- == 0) {
			*ret = start;
			*ret_size = (size_t)(stop - start);
			return true;
		}
		if (!colon)
			return false;
		start = colon + 1;
	}
}

_Bool home_parse_line(const char *line, size_t line_size, uid_t uid, char *buf, size_t size)
{
	const char *text;
	size_t n;
	char number[16] = { 0 };
	uint64_t found;

	if (!field(line, line_size, 2, &text, &n) || n == 0 || n >= sizeof(number))
		return false;
	memcpy(number, text, n);
	if (str_to_u64(number, UINT32_MAX, &found) < 0 || found != uid)
		return false;
	if (!field(line, line_size, 5, &text, &n) || n == 0 || text[0] != '/' || n >= size)
		return false;
	memcpy(buf, text, n);
	buf[n] = '\0';
	return true;
}

/* 1: found, 0: not there; or -errno. */
static int search(int fd, uid_t uid, char *buf, size_t size)
{
	char text[HOME_BUFFER];
	size_t used = 0, total = 0;

	while (total < HOME_MAX_FILE) {
		ssize_t n = fd_read_all(fd, text + used, sizeof(text) - used);
		if (n < 0)
			return (int)n;
		used += (size_t)n;
		total += (size_t)n;
		const char *line = text, *end;
		while ((end = memchr(line, '\n', used - (size_t)(line - text)))) {
			if (home_parse_line(line, (size_t)(end - line), uid, buf, size))
				return 1;
			line = end + 1;
		}
		size_t rest = used - (size_t)(line - text);
		if (n == 0)
			return home_parse_line(line, rest, uid, buf, size);
		if (rest == sizeof(text)) /* a line longer than the buffer is no line of passwd */
			return 0;
		memmove(text, line, rest);
		used = rest;
	}
	return 0;
}

/* Images without the file, or with something else in its place, are as good as any. */
static bool is_missing(int code)
{
	return code == ENOENT || code == ENOTDIR || code == ELOOP;
}

/* File systems of the kernel's own: their files are no image's, and to read one may change things.
 */
static int is_kernels(int fd)
{
	static const unsigned long magics[] = { PROC_SUPER_MAGIC,   SYSFS_MAGIC,
						DEBUGFS_MAGIC,      TRACEFS_MAGIC,
						SECURITYFS_MAGIC,   CGROUP_SUPER_MAGIC,
						CGROUP2_SUPER_MAGIC };
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if ((unsigned long)fs.f_type == magics[i])
			return 1;
	return 0;
}

/*
 * What else the image has under that name is not even opened: a device may act on it. So the file
 * is not named again, when it may be another one, but opened by the descriptor that was looked at.
 */
static int open_passwd(int root_fd, int proc_fd)
{
	struct stat seen, st;
	char again[32];

	_cleanup_close_ int file = inroot_try(root_fd, "/etc/passwd", O_PATH);
	if (file < 0)
		return file;
	if (fstat(file, &seen) < 0)
		return -errno;
	int kernels = is_kernels(file);
	if (kernels < 0)
		return kernels;
	if (!S_ISREG(seen.st_mode) || kernels)
		return -ENOENT;
	snprintf(again, sizeof(again), "self/fd/%d", file);
	_cleanup_close_ int fd = openat(proc_fd, again,
					O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return st.st_ino == seen.st_ino && st.st_dev == seen.st_dev ? fd_take(&fd) : -EXDEV;
}

int home_find(int root_fd, int proc_fd, uid_t uid, char *buf, size_t size)
{
	static const char key[] = "HOME=";

	memcpy(buf, key, sizeof(key));
	_cleanup_close_ int fd = open_passwd(root_fd, proc_fd);
	int r = fd;
	if (fd >= 0)
		r = search(fd, uid, buf + sizeof(key) - 1, size - sizeof(key));
	else if (is_missing(-fd))
		r = 0;
	if (r == 0)
		memcpy(buf + sizeof(key) - 1, "/", 2);
	return r < 0 ? r : 0;
}

int home_fill(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	if (process->home_index < 0)
		return 0;
	int r = home_find(s->root_fd, s->proc_fd, process->uid,
			  (char *)process->env[process->home_index], PLAN_HOME_SIZE);
	if (r == 0)
		return 0;
	err_sys(err, -r, "cannot read '/etc/passwd' of the image, which says where HOME is");
	err_hint(err, "with HOME in process.env it is not read");
	return r;
}
