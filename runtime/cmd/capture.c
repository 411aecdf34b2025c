/*
 * A program of the host, run by a command with the caller's rights and for the caller: ps(1). It
 * never sees a container's files. What it prints is bounded, and so is the time that it has.
 */
#include "cmd/capture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define CAPTURE_TIMEOUT_MS 30000
#define CAPTURE_SIZE_MAX   ((size_t)64 * 1024 * 1024)
#define CAPTURE_NOT_FOUND  127

static _Noreturn void execute(char **argv, int out)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0 && dup2(null, 0) >= 0 && dup2(out, 1) >= 0)
		execvp(argv[0], argv);
	_exit(CAPTURE_NOT_FOUND);
}

/* Until its end of file. */
static int read_output(int fd, struct str *ret, const char *name, struct err *err)
{
	char chunk[16384];
	int64_t deadline = clock_ms() + CAPTURE_TIMEOUT_MS;
	while (ret->used < CAPTURE_SIZE_MAX) {
		int64_t left = deadline - clock_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int r = left > 0 ? poll(&p, 1, (int)left) : 0;
		if (r == 0)
			return err_say(err, ERR_HOST, ETIMEDOUT, "%s did not end within %d s", name,
				       CAPTURE_TIMEOUT_MS / 1000);
		ssize_t n = r < 0 ? -1 : read(fd, chunk, sizeof(chunk));
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot read what %s prints", name);
		if (n > 0)
			str_append_n(ret, chunk, (size_t)n);
	}
	return err_say(err, ERR_LIMIT, EFBIG, "%s prints too much", name);
}

static int check_status(int status, const char *name, struct err *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CAPTURE_NOT_FOUND) {
		err_say(err, ERR_HOST, ENOENT, "cannot run %s on this host", name);
		err_hint(err, "on Debian: apt-get install procps; --format json does without it");
		return -ENOENT;
	}
	return err_say(err, ERR_HOST, EINVAL, "%s has failed with status %d", name,
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int capture_run(char **argv, struct str *ret, struct err *err)
{
	int fds[2], status = 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe for %s", argv[0]);
	_cleanup_close_ int in = fds[0], out = fds[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(err, errno, "cannot start %s", argv[0]);
	if (pid == 0)
		execute(argv, out);
	fd_close(&out);
	int r = read_output(in, ret, argv[0], err);
	if (r < 0)
		(void)!kill(pid, SIGKILL); /* a child that nobody has waited for: it is still it */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? r : check_status(status, argv[0], err);
}
