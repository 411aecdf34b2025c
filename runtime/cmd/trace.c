/*
 * What becomes of a start's timeline: a table for --debug, a file for --timeline. The file is the
 * caller's: it is made or replaced with his rights, must be a regular one, and is never followed or
 * waited for. That it can be written is made sure of before anything starts.
 */
#include "cmd/trace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/report_timeline.h"

static int refuse(const char *path, struct err *err)
{
	return err_say(err, ERR_CONFIG, EINVAL, "cannot write the timeline to '%s': %s", path,
		       "it is not a regular file");
}

static int open_file(const char *path, int *ret_fd, struct err *err)
{
	struct stat st;
	/* Opening a device or a pipe can do something already. */
	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return refuse(path, err);
	_cleanup_close_ int fd = open(
		path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot write the timeline to '%s'", path);
	if (!S_ISREG(st.st_mode))
		return refuse(path, err);
	*ret_fd = fd_take(&fd);
	return 0;
}

int trace_check_file(const char *path, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	return path ? open_file(path, &fd, err) : 0;
}

static int write_file(const char *path, const struct str *text, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	int r = open_file(path, &fd, err);
	if (r < 0)
		return r;
	r = ftruncate(fd, 0) < 0 ? -errno : fd_write_all(fd, text->text, text->used);
	return r < 0 ? err_sys(err, -r, "cannot write the timeline to '%s'", path) : 0;
}

void trace_show(struct cmd *cmd, const char *path, struct timeline *t, const struct start *s,
		const struct err *failure)
{
	struct str text;
	struct err err = { 0 };

	if (!path && !cmd_wants_debug(cmd))
		return;
	timeline_collect(t, s, failure, &cmd->arena);
	str_init(&text, &cmd->arena);
	report_timeline(&text, t, cmd_stderr_flags(cmd));
	cmd_debug(cmd, &text);
	if (!path)
		return;
	str_init(&text, &cmd->arena);
	report_timeline_json(&text, t);
	if (write_file(path, &text, &err) < 0)
		cmd_report_error(cmd, &err);
}
