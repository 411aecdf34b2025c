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
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "cgroup/enter.h"
#include "cgroup/left.h"
#include "cgroup/update.h"

#define HOME_MS        10000
#define END_MS         1000 /* for a process that is killed, or has nothing left to do */
#define RESET_MS       5000 /* nothing depends on it */
#define ENTER_PAUSE_MS 2

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

/* One that does not die within the time is left to whoever inherits it. */
static void end_worker(pid_t pid)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	if (pidfd < 0)
		(void)!kill(pid, SIGKILL);
	else
		(void)pidfd_end(pidfd, END_MS);
}

/* It has told, or it is gone (ECHILD), or its time is up, or whoever is watched has had enough. */
static int wait_for_worker(int told, const struct systemd_patience *patience, struct err *err)
{
	char byte;
	int64_t deadline = clock_ms() + patience->timeout_ms;
	struct pollfd fds[] = {
		{ .fd = told, .events = POLLIN },
		{ .fd = patience->watch_fd, .events = POLLIN },
	};
	for (;;) {
		int64_t left = deadline - clock_ms();
		int r = poll(fds, ARRAY_SIZE(fds), left > 0 ? (int)left : 0);
		if (r < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for the process that asks systemd");
		if (r == 0)
			return err_sys(err, ETIMEDOUT, "systemd has not answered for %d ms",
				       patience->timeout_ms);
		if (r > 0 && fds[0].revents)
			return read(told, &byte, 1) == 1 ? 0 : -ECHILD;
		r = r > 0 && fds[1].revents ? patience->watch(patience->context, err) : 0;
		if (r < 0)
			return r;
	}
}

static int worker_died(pid_t pid, struct err *err)
{
	int status = 0;
	if (waitpid(pid, &status, WNOHANG) != pid)
		return err_say(err, ERR_HOST, ECHILD, "the process that asks systemd has died");
	int r = err_say(err, ERR_HOST, ECHILD, "the process that asks systemd has died (%s %d)",
			WIFSIGNALED(status) ? "signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	err_hint(err, "a hull that was built with another version of the C library cannot use "
		      "this host's libsystemd: build it here");
	return r;
}

/* It has told all that it has to tell, or has closed its pipe, and is about to be dead. */
static int end_told(pid_t pid, int r, struct err *err)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	(void)pidfd_wait(pidfd, END_MS);
	if (r == -ECHILD)
		r = worker_died(pid, err);
	end_worker(pid);
	return r;
}

/* On success of SYSTEMD_START it goes on as *ret_pid. */
static int run_worker(const struct systemd_question *q, struct systemd_answer *answer,
		      const struct systemd_patience *patience, pid_t *ret_pid, struct err *err)
{
	int fds[2];
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
	int r = wait_for_worker(told, patience, err);
	if (r == 0 && !answer->err.code && q->what == SYSTEMD_START) {
		*ret_pid = pid;
		return 0;
	}
	if (r == 0 || r == -ECHILD)
		r = end_told(pid, r, err);
	else
		end_worker(pid);
	return r == 0 ? err_take_shared(err, &answer->err) : r;
}

/* What of the answer is wanted. */
struct reply {
	struct arena *arena; /* for the path; NULL: none */
	const char *path;
	bool was_asked;
	pid_t pid; /* of what goes on */
};

static int ask(const struct systemd_question *question, const struct systemd_patience *patience,
	       struct reply *ret, struct err *err)
{
	struct systemd_question q = *question;
	struct systemd_answer *answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE,
					     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (answer == MAP_FAILED)
		return err_sys(err, errno, "cannot share memory");
	q.timeout_ms = patience->timeout_ms / 10 * 9; /* so that its own error is there in time */
	int r = run_worker(&q, answer, patience, &ret->pid, err);
	answer->path[sizeof(answer->path) - 1] = '\0';
	if (r == 0 && ret->arena)
		ret->path = arena_strdup(ret->arena, answer->path);
	ret->was_asked = atomic_load(&answer->was_asked) != 0;
	(void)munmap(answer, sizeof(*answer));
	return r;
}

static int ask_plainly(const struct systemd_question *q, int timeout_ms, struct err *err)
{
	const struct systemd_patience patience = { .timeout_ms = timeout_ms, .watch_fd = -EBADF };
	struct reply reply = { 0 };
	return ask(q, &patience, &reply, err);
}

int systemd_find_home(struct arena *arena, const char **ret, struct err *err)
{
	const struct systemd_question q = { .what = SYSTEMD_HOME, .is_user = true };
	const struct systemd_patience patience = { .timeout_ms = HOME_MS, .watch_fd = -EBADF };
	struct reply reply = { .arena = arena };
	int r = ask(&q, &patience, &reply, err);
	*ret = reply.path;
	return r;
}

int systemd_update(const char *unit, bool is_user, const struct systemd_properties *properties,
		   int timeout_ms, struct err *err)
{
	const struct systemd_question q = {
		.what = SYSTEMD_UPDATE,
		.is_user = is_user,
		.unit = unit,
		.properties = properties,
	};
	return properties->n ? ask_plainly(&q, timeout_ms, err) : 0;
}

int systemd_attach(const char *unit, const char *below, pid_t pid,
		   const struct systemd_patience *patience, struct err *err)
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
	struct reply reply = { 0 };
	return ask(&q, patience, &reply, err);
}

static bool has_ended(const struct systemd_unit *unit)
{
	return unit->cgroup_fd == SYSTEMD_CGROUP_GONE ||
	       (unit->cgroup_fd >= 0 && cgroup_is_removed(unit->cgroup_fd));
}

int systemd_stop(const struct systemd_unit *unit, int timeout_ms, struct err *err)
{
	const bool is_gone = has_ended(unit);
	const struct systemd_question q = {
		.what = is_gone ? SYSTEMD_RESET : SYSTEMD_STOP,
		.is_user = unit->is_user,
		.unit = unit->name,
		.path = unit->path,
	};
	if (is_gone && timeout_ms > RESET_MS)
		timeout_ms = RESET_MS;
	int r = ask_plainly(&q, timeout_ms, is_gone ? NULL : err);
	/* The next scope of that name makes systemd forget it, too. */
	if (r == 0 || is_gone)
		return 0;
	if (!has_ended(unit))
		return r;
	err_clear(err); /* by itself, with its last process: no bus is needed for that */
	return 0;
}

/* ---- a scope ---- */

void systemd_release(struct systemd_anchor *anchor)
{
	if (anchor->pid > 0)
		end_worker(anchor->pid);
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

int systemd_start(const struct systemd_making *making, struct cgroup *ret,
		  struct systemd_anchor *anchor, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	const struct systemd_scope *scope = making->scope;
	struct reply reply = { .arena = &arena };
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
	int r = ask(&q, &making->patience, &reply, err);
	anchor->pid = reply.pid;
	if (r == 0)
		r = check_path(scope, reply.path, err);
	if (r == 0)
		r = open_cgroup(making->root, scope, making->plan, ret, err);
	if (r == 0)
		return 0;
	systemd_release(anchor);
	const struct systemd_unit unit = { scope->unit, scope->is_user, scope->path, ret->fd };
	/* Who does not answer is not asked at once again: that is for later. */
	if (reply.was_asked &&
	    (r == -ETIMEDOUT || r == -EINTR || systemd_stop(&unit, making->undo_ms, NULL) < 0))
		ret->is_left = true;
	fd_close(&ret->fd);
	fd_close(&ret->lock_fd);
	return r;
}

int systemd_wait_entered(int cgroup_fd, int child_pidfd, const struct systemd_patience *patience,
			 struct err *err)
{
	int64_t deadline = clock_ms() + patience->timeout_ms;
	char text[256];
	struct pollfd fds[] = {
		{ .fd = child_pidfd, .events = POLLIN },
		{ .fd = patience->watch_fd, .events = POLLIN },
	};
	/* Two lines: the anchor, and the one that was waited for. As a rule it is there by now. */
	for (int pause = 0;; pause = ENTER_PAUSE_MS) {
		int n = poll(fds, ARRAY_SIZE(fds), pause);
		if (n > 0 && fds[0].revents)
			return 0;
		int r = n > 0 ? patience->watch(patience->context, err) : 0;
		if (r < 0)
			return r;
		r = fd_read_value(cgroup_fd, "cgroup.procs", text, sizeof(text));
		if (r == -EFBIG || (r == 0 && strchr(text, '\n')))
			return 0;
		if (r < 0)
			return err_sys(err, -r, "cannot see who is in the scope");
		if (clock_ms() > deadline)
			return err_sys(err, ETIMEDOUT,
				       "the container's process does not enter its scope");
	}
}
