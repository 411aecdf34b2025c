/*
 * Child, stage 6: the program.
 *
 * Everything that needs a system call of its own comes before the filter: finding the program,
 * the state of signals and descriptors, the parent's word. After the filter there are execve and,
 * when it fails, exit_group: a profile needs only the program's own calls.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "seccomp/seccomp.h"
#include "explain/lookup.h"
#include "start/fail.h"
#include "start/hooks.h"
#include "start/sys.h"
#include "start/timeline.h"
#include "start/tolerate.h"

/* 0 when the file can be executed, as far as can be told without doing it; else an errno. */
static int try_candidate(const char *path)
{
	struct stat st;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return errno;
	if (stat(path, &st) < 0)
		return errno;
	return S_ISREG(st.st_mode) ? 0 : EACCES;
}

/* Leaves the path in the page, where the parent sees it when execve fails. */
static int find_program(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	char *buf = s->channel.page->program;
	size_t state = 0;
	int code = ENOENT, r;

	if (!process->args[0]) /* nor will there be a start (S-036) */
		return 0;
	while ((r = exec_candidate(process->args[0], process->path, &state, buf, PATH_MAX)) != 0) {
		int found = r < 0 ? -r : try_candidate(buf);
		if (found == 0)
			return 0;
		if (found == EACCES || strchr(process->args[0], '/'))
			code = found;
		if (!exec_tries_next(found))
			break;
	}
	buf[0] = '\0';
	/* runc's words, which engines match; the parent examines why (diagnose.c). */
	if (code == ENOENT && !strchr(process->args[0], '/'))
		err_say(err, ERR_NOT_FOUND, code,
			"exec: \"%s\": executable file not found in $PATH", process->args[0]);
	else
		err_sys(err, code, "exec: \"%s\"", process->args[0]);
	err->flags |= ERR_ABOUT_PROGRAM;
	err_at(err, process->args_at);
	return -code;
}

/*
 * Lowering a limit is everybody's right, but only of one's own process: a parent without
 * CAP_SYS_RESOURCE may not touch one of another user. Raising a hard limit needs that capability,
 * which only the parent still has; such limits are left to it, and so are tried before its word.
 * Those that are lowered come last, where they are in nobody's way but the program's.
 */
static bool is_raised(const struct plan_rlimit *l)
{
	struct rlimit now;
	return prlimit(0, (unsigned)l->resource, NULL, &now) < 0 ||
	       l->limit.rlim_max > now.rlim_max;
}

static int set_rlimits(struct start *s, bool raised, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	const uint64_t left = atomic_load(&s->channel.page->rlimits_left);

	for (size_t i = 0; i < process->rlimits_n; i++) {
		const struct plan_rlimit *l = &process->rlimits[i];
		struct rlimit limit = { l->limit.rlim_cur, l->limit.rlim_max };
		if (raised ? !is_raised(l) : (left >> i & 1) != 0)
			continue;
		if (prlimit(0, (unsigned)l->resource, &limit, NULL) == 0)
			continue;
		if (raised && tolerate(s, TOLERATE_RLIMIT, errno)) {
			atomic_fetch_or(&s->channel.page->rlimits_left, UINT64_C(1) << i);
			continue;
		}
		return fail_rlimit(l, errno, err);
	}
	return 0;
}

/* clone3 has reset the signals with handlers; those that the caller ignores stay ignored. */
static int reset_signals(const struct plan_process *process, struct err *err)
{
	sigset_t none;

	for (int sig = 1; sig <= 64; sig++)
		if ((process->reset_signals >> (sig - 1) & 1) && sys_reset_signal(sig) < 0)
			return err_sys(err, errno, "cannot reset signal %d", sig);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return err_sys(err, errno, "cannot unblock the signals");
	return 0;
}

/*
 * A child that parks goes on when another hull says so, with another page and channel. What can
 * fail of that is done before it says that it is ready, while there is somebody to be told.
 */
static int wait_for_go(struct start *s, struct err *err)
{
	int r = s->plan->flags & PLAN_CREATE ? descriptors_close_parked(s, err) : 0;
	if (r < 0)
		return r;
	if (start_waits_for_ready(s->plan) && channel_send(s->channel.child_fd, CHANNEL_READY) < 0)
		return channel_given_up(err);
	switch (channel_receive(s->channel.child_fd)) {
	case CHANNEL_GO:
		return 0;
	case CHANNEL_PARK:
		gate_wait(s);
		return 0;
	default:
		return channel_given_up(err);
	}
}

/*
 * With the filter loaded nothing can be relied on but the shared page.
 */
static _Noreturn void exec_failed(struct start *s, int code)
{
	struct err *err = &s->channel.page->err;
	err_sys(err, code, "exec %s", s->channel.page->program);
	err->flags |= ERR_ABOUT_PROGRAM;
	err_at(err, s->plan->process.args_at);
	err_step(err, "exec");
	listener_exit(s);
}

static int load_filter(struct start *s, struct err *err)
{
	if (s->plan->listener.is_wanted)
		return listener_install(s, err);
	int r = seccomp_install(&s->filter);
	return r < 0 ? err_sys(err, -r, "cannot load the seccomp filter") : 0;
}

/* With the plan and the page that there are by now. */
static int execute(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;

	int r = hooks_start(s, err);
	if (r == 0)
		r = init_split(s, err);
	if (r == 0)
		r = set_rlimits(s, false, err);
	if (r == 0)
		r = reset_signals(process, err);
	if (r < 0)
		return r;
	atomic_store(&s->channel.page->times[CHANNEL_TIME_EXEC], timeline_child_now());
	atomic_store(&s->channel.page->exec_next, true);
	r = load_filter(s, err);
	if (r < 0)
		return r;
	execve(s->channel.page->program, (char *const *)process->args, (char *const *)process->env);
	exec_failed(s, errno);
}

int exec_program(struct start *s, struct err *err)
{
	int r = find_program(s, err);
	if (r == 0 && close_range(s->plan->process.first_closed_fd, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		r = err_sys(err, errno, "cannot close the descriptors");
	if (r == 0)
		r = set_rlimits(s, true, err);
	if (r == 0)
		r = schedule_self(s, err);
	if (r == 0)
		r = wait_for_go(s, err);
	return r < 0 ? r : execute(s, &s->channel.page->err);
}
