/*
 * Parent, with the caller's rights: the file of --pid-file, by which engines learn who the
 * container is. It appears complete or not at all; a start that fails takes it away again.
 *
 * Must not: write through a name that is already there.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* It is renamed into its place: what is there already must be a file that may be replaced. */
int pid_file_check(struct start *s, struct err *err)
{
	struct stat st;
	if (!s->pid_file)
		return 0;
	if (fstatat(AT_FDCWD, s->pid_file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 0
			       : err_sys(err, errno, "cannot write the pid file '%s'", s->pid_file);
	if (S_ISREG(st.st_mode))
		return 0;
	return err_say(err, ERR_CONFIG, EEXIST, "the pid file '%s' exists and is no regular file",
		       s->pid_file);
}

/* The file whose descriptor it is gets its name. */
static int link_file(int fd, const char *path)
{
	char number[32];
	if (linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	/* Without CAP_DAC_READ_SEARCH. */
	snprintf(number, sizeof(number), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, number, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* For a file system without nameless files; a hull that is killed here leaves the file. */
static int write_and_rename(const char *path, const char *text)
{
	char temporary[PATH_MAX];
	int n = snprintf(temporary, sizeof(temporary), "%s.%d.new", path, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return -ENAMETOOLONG;
	_cleanup_close_ int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		(void)!unlink(temporary);
	return r;
}

/* A file without a name until it is complete: whenever hull is killed, nothing half is left. */
static int write_nameless(const char *path, const char *text)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int n = slash ? snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path) + 1,
				 path)
		      : snprintf(directory, sizeof(directory), ".");
	if (n < 0 || (size_t)n >= sizeof(directory))
		return -ENAMETOOLONG;
	_cleanup_close_ int fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EOPNOTSUPP || errno == EISDIR ? write_and_rename(path, text)
							      : -errno;
	int r = fd_write_all(fd, text, strlen(text));
	if (r == 0)
		r = link_file(fd, path);
	if (r != -EEXIST)
		return r;
	/* That of an earlier container: pid_file_check() has seen that it may go. */
	return unlink(path) < 0 && errno != ENOENT ? -errno : link_file(fd, path);
}

/* Complete when it appears, without a newline: engines parse the whole file. */
int pid_file_write(struct start *s, struct err *err)
{
	char text[16];
	if (!s->pid_file)
		return 0;
	snprintf(text, sizeof(text), "%d", (int)s->pid);
	int r = write_nameless(s->pid_file, text);
	s->pid_file_made = r == 0;
	if (r < 0)
		err_sys(err, -r, "cannot write the pid file '%s'", s->pid_file);
	if (r == -ENOENT)
		err_hint(err, "its directory must exist");
	return r;
}

void pid_file_undo(struct start *s)
{
	if (s->pid_file_made)
		(void)!unlink(s->pid_file);
	s->pid_file_made = false;
}
