/*
 * Parent or child: one hook. Its process gets a session of its own (by which all of it can be
 * killed), the state as a sealed file on standard input (which it may leave unread: no pipe, nobody
 * to be harmed), and a pipe for what it says, of which the end is kept for an error. What hooks
 * write never mixes with the program's output; runc keeps it apart in the same way.
 *
 * Should: leave the hook only what a program expects: descriptors 0 to 2, default signals, none
 * blocked, exactly its own environment.
 * Must not: wait for anything but the hook's end, its timeout and whoever gives up the start; a
 * daemon that it leaves behind may hold the pipe for ever.
 */
#include "start/hook_run.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/memfd.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "base/str.h"
#include "start/children.h"
#include "start/sys.h"

#define HOOK_POLL_MS                                                                          \
	(60 * 1000)           /* the longest wait at once: timeouts may be longer than an int \
			       */
#define HOOK_KILL_MS    10000 /* for a killed process to be gone */
#define HOOK_DRAIN_MAX  32    /* reads at once: who writes for ever does not hold us up */
#define HOOK_TREE_TRIES 200

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

struct hook_process {
	pid_t pid;
	int pidfd;
	int output_fd;
	struct hook_tail tail;
};

/* ---- what it finds ---- */

static int make_memfd(void)
{
	int fd = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

/* A file of its own for each hook: one that was left behind cannot move the next one's offset. */
static int make_input(const struct hook_job *job, int *ret_fd, struct err *err)
{
	char pid[32];
	_cleanup_close_ int fd = make_memfd();
	if (fd < 0)
		return err_sys(err, errno, "cannot make the input of a hook");
	/* The state is an object: its first member goes before the others. */
	snprintf(pid, sizeof(pid), "{\"pid\":%d,", (int)job->pid);
	int r = fd_write_all(fd, pid, strlen(pid));
	if (r == 0)
		r = fd_write_all(fd, job->state + 1, strlen(job->state + 1));
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(err, -r, "cannot make the input of a hook");
	*ret_fd = fd_take(&fd);
	return 0;
}

/* ---- the hook's own process, up to its execve ---- */

/* Is hull gone? Then nobody reads what the hook says, and the request to die with it came late. */
static bool is_orphan(int output)
{
	struct pollfd fd = { .fd = output };
	return poll(&fd, 1, 0) < 0 || (fd.revents & POLLERR);
}

static int reset_signals(void)
{
	sigset_t none;
	for (int sig = 1; sig <= 64; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && sys_reset_signal(sig) < 0)
			return -errno;
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int set_up(const struct hook_job *job, int input, int output)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || setsid() < 0)
		return -errno;
	if (is_orphan(output))
		return -ECANCELED;
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		return -errno;
	if (close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
		return -errno;
	/* What puts things away must run even when the bundle is gone. */
	if (job->cwd && chdir(job->cwd) < 0 &&
	    (job->kind != PLAN_HOOK_POSTSTOP || errno != ENOENT || chdir("/") < 0))
		return -errno;
	if (job->flags & HOOK_SETS_UMASK)
		umask(job->umask);
	return reset_signals();
}

static _Noreturn void become_hook(const struct hook_job *job, int input, int output)
{
	const struct plan_hook *hook = job->hook;

	int r = set_up(job, input, output);
	if (r == 0) {
		atomic_store(&job->report->executing, true);
		r = job->filter ? seccomp_install(job->filter) : 0;
	}
	if (r == 0) {
		execve(hook->path, (char *const *)hook->args, (char *const *)hook->env);
		r = -errno;
	}
	/* In memory, since the filter may forbid every system call. */
	atomic_store(&job->report->code, -r);
	_exit(127);
}

/* ---- starting it ---- */

static int start_process(const struct hook_job *job, int input, struct hook_process *h,
			 struct err *err)
{
	int fds[2], pidfd = -EBADF;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make the pipe of a hook");
	_cleanup_close_ int output = fds[1];
	h->output_fd = fds[0];
	if (fcntl(h->output_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot make the pipe of a hook");
	long pid = sys_clone3(&args);
	if (pid < 0) {
		int r = err_sys(err, errno, "cannot make the process of a hook");
		if (r == -EAGAIN)
			err_hint(err,
				 "the limit of processes of the user or the cgroup is reached");
		return r;
	}
	if (pid == 0) {
		fd_close(&h->output_fd); /* or is_orphan() would find us reading */
		become_hook(job, input, output);
	}
	h->pid = (pid_t)pid;
	h->pidfd = pidfd;
	return 0;
}

/* ---- the end of all of it ---- */

/*
 * Kills and reaps what the hook has left to us. Whether there was, or may be, anything. Where not
 * all that were there before are known, nobody is taken for the hook's.
 */
static bool kill_orphans(const struct children *before)
{
	struct children children;
	if (before->is_cut)
		return false;
	children_list(&children);
	bool found = children.is_cut;
	for (size_t i = 0; i < children.n; i++) {
		if (children_have(before, children.v[i]))
			continue;
		(void)!kill(children.v[i], SIGKILL);
		(void)!waitid(P_PID, (id_t)children.v[i], &(siginfo_t) { 0 }, WEXITED | WNOHANG);
		found = true;
	}
	return found;
}

/*
 * The process is still there, alive or as a zombie, so that its number is nobody else's. What has
 * left its session has become our child when its parents are dead.
 */
static void kill_all(const struct hook_job *job, const struct hook_process *h,
		     const struct children *before)
{
	(void)!kill(-h->pid, SIGKILL);
	(void)pidfd_end(h->pidfd, HOOK_KILL_MS); /* it may not have made its session yet */
	if (!(job->flags & HOOK_REAPS_ORPHANS))
		return;
	struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	for (int i = 0; i < HOOK_TREE_TRIES && kill_orphans(before); i++)
		nanosleep(&pause, NULL);
}

/* ---- waiting ---- */

static void keep_tail(struct hook_tail *tail, const char *data, size_t n)
{
	if (n >= sizeof(tail->text)) {
		data += n - sizeof(tail->text);
		n = sizeof(tail->text);
	}
	size_t room = sizeof(tail->text) - n;
	size_t kept = tail->used < room ? tail->used : room;
	memmove(tail->text, tail->text + tail->used - kept, kept);
	memcpy(tail->text + kept, data, n);
	tail->used = kept + n;
}

/* Takes what there is. At its end (all writers are gone) the pipe is closed. */
static void drain(struct hook_process *h)
{
	char data[4096];
	for (int i = 0; i < HOOK_DRAIN_MAX && h->output_fd >= 0; i++) {
		ssize_t n = read(h->output_fd, data, sizeof(data));
		if (n > 0)
			keep_tail(&h->tail, data, (size_t)n);
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		else
			fd_close(&h->output_fd);
	}
}

static int time_left(int64_t deadline)
{
	int64_t left = deadline - clock_ms();
	return left < 0 ? 0 : left < HOOK_POLL_MS ? (int)left : HOOK_POLL_MS;
}

static int container_gone(const struct hook_job *job, struct err *err)
{
	return err_say(err, ERR_BUSY, ECANCELED, "the container was killed while its hook '%s' ran",
		       job->hook->path);
}

/* 1: it has ended; 0: its time is over; or why the start is given up. */
static int wait_for_end(const struct hook_job *job, struct hook_process *h, struct err *err)
{
	unsigned timeout = job->hook->timeout;
	int64_t deadline = timeout ? clock_ms() + (int64_t)timeout * 1000 : INT64_MAX;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = h->pidfd, .events = POLLIN },
			{ .fd = h->output_fd, .events = POLLIN },
			{ .fd = job->watch_fd, .events = job->watch_events },
			{ .fd = job->flags & HOOK_NEEDS_CONTAINER ? job->pidfd : -EBADF,
			  .events = POLLIN },
		};
		if (poll(fds, ARRAY_SIZE(fds), time_left(deadline)) < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for a hook");
		if (fds[1].revents)
			drain(h);
		if (fds[0].revents)
			return 1;
		int r = fds[2].revents ? job->watch(job->context, err) : 0;
		if (r == 0 && fds[3].revents)
			r = container_gone(job, err);
		if (r < 0)
			return r;
		if (time_left(deadline) == 0)
			return 0;
	}
}

/* It is a zombie still, so that kill_all() knows its group. */
static int judge(const struct hook_job *job, struct hook_process *h, struct err *err)
{
	siginfo_t info = { 0 };
	if (waitid(P_PIDFD, (id_t)h->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return err_sys(err, errno, "cannot learn how a hook has ended");
	drain(h);
	if (atomic_load(&job->report->code))
		return hook_say_not_executed(job, err);
	if (info.si_code != CLD_EXITED)
		return hook_say_failed(job, HOOK_KILLED, info.si_status, &h->tail, err);
	if (info.si_status != 0)
		return hook_say_failed(job, HOOK_EXITED, info.si_status, &h->tail, err);
	(void)!waitid(P_PIDFD, (id_t)h->pidfd, &info, WEXITED | WNOHANG);
	return 0;
}

int hook_run(const struct hook_job *job, struct err *err)
{
	struct hook_process h = { .pidfd = -EBADF, .output_fd = -EBADF };
	struct children before; /* those are not the hook's */
	_cleanup_close_ int input = -EBADF;

	atomic_store(&job->report->code, 0);
	atomic_store(&job->report->executing, false);
	before.is_cut = true;
	if (job->flags & HOOK_REAPS_ORPHANS)
		children_list(&before);
	int r = make_input(job, &input, err);
	if (r == 0)
		r = start_process(job, input, &h, err);
	if (r == 0) {
		r = wait_for_end(job, &h, err);
		if (r == 1)
			r = judge(job, &h, err);
		else if (r == 0)
			r = hook_say_failed(job, HOOK_TIMED_OUT, 0, &h.tail, err);
		if (r < 0)
			kill_all(job, &h, &before);
	}
	fd_close(&h.pidfd);
	fd_close(&h.output_fd);
	return r;
}
