/*
 * Parent, without privilege: newuidmap and newgidmap write maps that the administrator allows in
 * /etc/subuid and /etc/subgid. They run from their absolute path, with an empty environment
 * and nothing of ours open; they have ten seconds together; what they complain about is in the
 * error.
 */
#include "start/idmap.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define HELPER_UID_MAP "/usr/bin/newuidmap"
#define HELPER_GID_MAP "/usr/bin/newgidmap"
#define HELPER_NOT_RUN 127

static _Noreturn void exec_helper(const char *path, char *const *argv, int log_fd)
{
	char *const no_env[] = { NULL };
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	sigemptyset(&none);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(log_fd, 2) < 0 ||
	    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		_exit(HELPER_NOT_RUN);
	execve(path, argv, no_env);
	dprintf(2, "%s", strerrordesc_np(errno));
	_exit(HELPER_NOT_RUN);
}

/* Its first line, or what came of it, until it ends or its time is up. */
static void read_log(int fd, int64_t end, char *log, size_t size)
{
	size_t used = 0;

	while (used < size - 1) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end - clock_ms();
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			break;
		ssize_t n = read(fd, log + used, size - 1 - used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	log[used] = '\0';
	log[strcspn(log, "\n")] = '\0';
}

/* 0: it has written the map. */
static int wait_for(pid_t pid, int64_t end, const char *path, const char *log, struct err *err)
{
	int64_t left = end - clock_ms();
	siginfo_t info = { 0 };
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	if (pidfd < 0 || poll(&p, 1, left > 0 ? (int)left : 0) == 0)
		(void)!kill(pid, SIGKILL);
	if (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
		return err_sys(err, errno, "cannot wait for '%s'", path);
	if (info.si_code == CLD_EXITED && info.si_status == 0)
		return 0;
	bool was_run = info.si_code != CLD_EXITED || info.si_status != HELPER_NOT_RUN;
	err_say(err, ERR_PERMISSION, EPERM, "%s '%s'%s%s",
		info.si_code != CLD_EXITED ? "too slow:"
		: was_run                  ? "refused by"
					   : "cannot execute",
		path, *log ? ": " : "", log);
	if (was_run)
		err_hint(err, "/etc/subuid and /etc/subgid say which ids a user may map");
	else
		err_hint(err, "a map of more than one's own id needs it: on Debian, "
			      "apt-get install uidmap");
	return -EPERM;
}

/* The vector: its name, the number of the process, and the lines of the map. */
static const char **make_argv(const struct start *s, const char *path, pid_t pid,
			      const struct plan_id_map *map)
{
	size_t n = 3 * map->lines->n;
	const char **argv = arena_array(s->arena, n + 3, sizeof(*argv));
	argv[0] = path;
	argv[1] = arena_printf(s->arena, "%d", (int)pid);
	memcpy(argv + 2, map->args, n * sizeof(*argv));
	return argv;
}

int idmap_run_helper(const struct start *s, pid_t whose, const struct plan_id_map *map,
		     int64_t deadline, struct err *err)
{
	const char *path = map == &s->plan->user.uids ? HELPER_UID_MAP : HELPER_GID_MAP;
	const char **argv = make_argv(s, path, whose, map);
	char log[256];
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe for '%s'", path);
	pid_t pid = fork();
	if (pid == 0)
		exec_helper(path, (char *const *)argv, fds[1]);
	int code = errno;
	fd_close(&fds[1]);
	if (pid > 0)
		read_log(fds[0], deadline, log, sizeof(log));
	fd_close(&fds[0]);
	return pid < 0 ? err_sys(err, code, "cannot start '%s'", path)
		       : wait_for(pid, deadline, path, log, err);
}
