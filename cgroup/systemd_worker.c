/*
 * The process that asks systemd. It is hull's child, has none of its descriptors, and dies with it;
 * whatever happens to it is an error for hull and nothing worse, also when the bus hangs. The one
 * that starts a scope is the first process in it, since a scope begins with one and ends with the
 * last; there it stays until the container's own process has come (clone3 with CLONE_INTO_CGROUP,
 * under all limits), and is ended then. In hull, in the parent, with the caller's rights.
 */
#include "cgroup/systemd_parts.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cgroup/enter.h"
#include "cgroup/update.h"

#define WORKER_TIMEOUT_MS 30000 /* more than it takes to find out that systemd does not answer */
#define RESET_TIMEOUT_MS  5000  /* nothing depends on it */
#define SIGNAL_PAUSE_MS   100
#define ENTER_TIMEOUT_MS  10000
#define ENTER_PAUSE_MS    2

/* ---- the process ---- */

static int shed_descriptors(int told)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	for (int fd = 0; fd <= 2; fd++)
		if (fd != null && dup3(null, fd, O_CLOEXEC) < 0)
			return -errno;
	if (told > 3 && close_range(3, (unsigned)told - 1, 0) < 0)
		return -errno;
	return close_range((unsigned)told + 1, ~0U, 0) < 0 ? -errno : 0;
}

static _Noreturn void worker_main(const struct systemd_question *q, struct systemd_answer *answer,
				  int told, pid_t hull)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != hull)
		_exit(1);
	(void)prctl(PR_SET_NAME, "hull:systemd", 0, 0, 0);
	int r = shed_descriptors(told);
	r = r < 0 ? err_sys(&answer->err, -r, "cannot prepare the process that asks systemd")
		  : systemd_serve(q, answer);
	if (write(told, "", 1) < 0 || r < 0 || q->what != SYSTEMD_START)
		_exit(0);
	for (;;)
		pause();
}

/* ---- hull ---- */

static void end_worker(pid_t pid, int *ret_status)
{
	(void)!kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
}

/* A start has blocked all signals, and reads them when it has the time. */
static bool is_told_to_end(void)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	sigset_t pending;
	bool is = false;
	sigemptyset(&pending);
	(void)sigpending(&pending);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		is = is || sigismember(&pending, ends[i]) == 1;
	return is;
}

/* It has told, or it is gone, or its time is up. */
static int wait_for_worker(int told, enum systemd_what what, struct err *err)
{
	char byte;
	int timeout = what == SYSTEMD_RESET ? RESET_TIMEOUT_MS : WORKER_TIMEOUT_MS, r = 0;
	int64_t deadline = clock_ms() + timeout;
	struct pollfd fd = { .fd = told, .events = POLLIN };
	while (r == 0 && clock_ms() < deadline) {
		if (what == SYSTEMD_START && is_told_to_end())
			return err_sys(err, EINTR, "waiting for systemd was ended by a signal");
		r = poll(&fd, 1, SIGNAL_PAUSE_MS);
		r = r < 0 && errno == EINTR ? 0 : r;
	}
	if (r < 0)
		return err_sys(err, errno, "cannot wait for the process that asks systemd");
	if (r == 0)
		return err_sys(err, ETIMEDOUT, "systemd has not answered for %d s", timeout / 1000);
	return read(told, &byte, 1) == 1 ? 0 : -ECHILD;
}

static int worker_died(int status, struct err *err)
{
	int r = err_say(err, ERR_HOST, ECHILD, "the process that asks systemd has died (%s %d)",
			WIFSIGNALED(status) ? "signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	err_hint(err, "a hull that was built with another version of the C library cannot use "
		      "this host's libsystemd: build it here");
	return r;
}

/* On success of SYSTEMD_START it goes on as *ret_pid. */
static int run_worker(const struct systemd_question *q, struct systemd_answer *answer,
		      pid_t *ret_pid, struct err *err)
{
	int fds[2], status = 0;
	pid_t hull = getpid();
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	pid_t pid = fork();
	if (pid == 0)
		worker_main(q, answer, fds[1], hull);
	int code = errno;
	fd_close(&fds[1]);
	_cleanup_close_ int told = fds[0];
	if (pid < 0)
		return err_sys(err, code, "cannot make the process that asks systemd");
	int r = wait_for_worker(told, q->what, err);
	if (r == 0 && !answer->err.code && q->what == SYSTEMD_START) {
		*ret_pid = pid;
		return 0;
	}
	if (r == 0 || r == -ECHILD)
		(void)poll(&(struct pollfd) { .fd = told, .events = POLLIN }, 1, 1000);
	end_worker(pid, &status);
	if (r == -ECHILD)
		return worker_died(status, err);
	return r == 0 ? err_take_shared(err, &answer->err) : r;
}

/* The answer's path goes to `ret_path` when that is wanted. */
static int ask(const struct systemd_question *q, pid_t *ret_pid, struct arena *arena,
	       const char **ret_path, bool *ret_asked, struct err *err)
{
	struct systemd_answer *answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE,
					     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (answer == MAP_FAILED)
		return err_sys(err, errno, "cannot share memory");
	int r = run_worker(q, answer, ret_pid, err);
	answer->path[sizeof(answer->path) - 1] = '\0';
	if (r == 0 && arena)
		*ret_path = arena_strdup(arena, answer->path);
	if (ret_asked)
		*ret_asked = atomic_load(&answer->was_asked);
	(void)munmap(answer, sizeof(*answer));
	return r;
}

int systemd_find_home(struct arena *arena, const char **ret, struct err *err)
{
	const struct systemd_question q = { .what = SYSTEMD_HOME, .is_user = true };
	return ask(&q, NULL, arena, ret, NULL, err);
}

int systemd_update(const char *unit, bool is_user, const struct systemd_properties *properties,
		   struct err *err)
{
	const struct systemd_question q = {
		.what = SYSTEMD_UPDATE,
		.is_user = is_user,
		.unit = unit,
		.properties = properties,
	};
	return properties->n ? ask(&q, NULL, NULL, NULL, NULL, err) : 0;
}

int systemd_attach(const char *unit, const char *below, pid_t pid, struct err *err)
{
	char path[PATH_MAX] = "";
	if (below &&
	    (size_t)snprintf(path, sizeof(path), "/%s", below + strspn(below, "/")) >= sizeof(path))
		return err_sys(err, ENAMETOOLONG, "cannot enter cgroup '%s'", below);
	const struct systemd_question q = {
		.what = SYSTEMD_ATTACH,
		.is_user = true,
		.unit = unit,
		.below = path,
		.pid = pid,
	};
	return ask(&q, NULL, NULL, NULL, NULL, err);
}

int systemd_stop(const char *unit, bool is_user, const char *path, struct err *err)
{
	const struct systemd_question q = {
		.what = path ? SYSTEMD_STOP : SYSTEMD_RESET,
		.is_user = is_user,
		.unit = unit,
		.path = path,
	};
	int r = ask(&q, NULL, NULL, NULL, NULL, path ? err : NULL);
	/* The next scope of that name makes systemd forget it, too. */
	return path ? r : 0;
}

/* ---- a scope ---- */

void systemd_release(struct systemd_anchor *anchor)
{
	int status;
	if (anchor->pid > 0)
		end_worker(anchor->pid, &status);
	anchor->pid = 0;
}

/* Whose directory was given away, another's cgroup would be limited and, at the end, killed. */
static int check_path(const struct systemd_scope *scope, const char *path, struct err *err)
{
	if (str_eq(scope->path, path))
		return 0;
	return err_say(err, ERR_HOST, EXDEV, "systemd has '%s' in the cgroup '%s' and not '%s'",
		       scope->unit, path, scope->path);
}

/* Nobody moves there but by hull, and hull may not be stopped by a slice. */
static int check_thawed(int fd, const char *path, struct err *err)
{
	if (!cgroup_is_frozen(fd))
		return 0;
	int r = err_say(err, ERR_BUSY, EBUSY, "cannot use cgroup '%s': it is frozen", path);
	err_hint(err, "systemctl thaw lets its slice go on");
	return r;
}

/* Limits that systemd does not know need controllers that it has not enabled. */
static int open_cgroup(const struct cgroup_root *root, const struct systemd_scope *scope,
		       const struct cgroup_plan *plan, struct cgroup *ret, struct err *err)
{
	int r = cgroup_open(root, scope->path, &ret->fd, err);
	if (r == 0)
		r = cgroup_lock(ret->fd, scope->path, &ret->lock_fd, err);
	if (r == 0)
		r = check_thawed(ret->fd, scope->path, err);
	if (r == 0)
		r = cgroup_enable(root, scope->path, plan, err);
	return r;
}

int systemd_start(const struct cgroup_root *root, const struct systemd_scope *scope,
		  const struct cgroup_plan *plan, struct cgroup *ret, struct systemd_anchor *anchor,
		  struct err *err)
{
	_cleanup_arena_ struct arena arena;
	const char *path = NULL;
	bool was_asked = false;
	const struct systemd_question q = {
		.what = SYSTEMD_START,
		.is_user = scope->is_user,
		.unit = scope->unit,
		.slice = scope->slice,
		.id = scope->id,
		.properties = &scope->properties,
	};
	*ret = (struct cgroup) {
		.fd = -EBADF,
		.lock_fd = -EBADF,
		.kept = (size_t)(strrchr(scope->path, '/') - scope->path), /* slices: systemd's */
	};
	arena_init(&arena);
	int r = ask(&q, &anchor->pid, &arena, &path, &was_asked, err);
	if (r == 0)
		r = check_path(scope, path, err);
	if (r == 0)
		r = open_cgroup(root, scope, plan, ret, err);
	if (r == 0)
		return 0;
	systemd_release(anchor);
	fd_close(&ret->fd);
	fd_close(&ret->lock_fd);
	/* Who does not answer is not asked at once again: that is for later. */
	if (was_asked && (r == -ETIMEDOUT || r == -EINTR ||
			  systemd_stop(scope->unit, scope->is_user, scope->path, NULL) < 0))
		ret->is_left = true;
	return r;
}

int systemd_wait_entered(int cgroup_fd, int child_pidfd, struct err *err)
{
	int64_t deadline = clock_ms() + ENTER_TIMEOUT_MS;
	char text[256];
	struct pollfd end = { .fd = child_pidfd, .events = POLLIN };
	/* Two lines: the anchor, and the one that was waited for. As a rule it is there by now. */
	for (int pause = 0;; pause = ENTER_PAUSE_MS) {
		if (poll(&end, 1, pause) != 0)
			return 0;
		int r = fd_read_value(cgroup_fd, "cgroup.procs", text, sizeof(text));
		if (r == -EFBIG || (r == 0 && strchr(text, '\n')))
			return 0;
		if (r < 0)
			return err_sys(err, -r, "cannot see who is in the scope");
		if (clock_ms() > deadline)
			return err_sys(err, ETIMEDOUT,
				       "the container's process does not enter its scope");
	}
}
