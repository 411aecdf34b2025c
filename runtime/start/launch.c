/*
 * `hull start`: the second half of a start, the first of which was `create`. The child has come all
 * the way to its gate; it gets the word, and this waits until the kernel says that the program was
 * executed. Runs with the caller's rights and is not the child's parent: what a parent would learn
 * by waiting comes from the page, which outlives the child, and from /proc.
 *
 * A start may be killed at any point, and then the program runs or not. So that nobody takes it for
 * a start that came to its end, the poststart hooks stand in the state until they have run.
 *
 * Should: leave the container as it was when the child has not taken the word.
 * Must not: wait for a child that cannot answer; take one's word for it that the program runs.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "plan/launch.h"
#include "start/namespace.h"

#define LAUNCH_ANSWER_MS 10000 /* for the child to take the word */
#define LAUNCH_END_MS    500   /* from its last descriptor's closing to its end */

/* ---- the process ---- */

/* The namespaces are gone with the child when its execve fails; without them less is explained. */
static int find_process(struct start *s, struct err *err)
{
	int r = s->pidfd < 0 ? state_open_process(&s->state, &s->pidfd) : 0;
	if (r < 0)
		return err_sys(err, -r, "cannot find the process of container '%s'", s->state.id);
	s->pid = s->state.pid;
	s->examine_mount_fd = namespace_open(-EBADF, s->pid, "mnt");
	s->examine_user_fd = namespace_open(-EBADF, s->pid, "user");
	return 0;
}

static bool is_own_namespace(int fd, const char *name)
{
	struct stat its, own;
	return fd < 0 || fstat(fd, &its) < 0 || stat(name, &own) < 0 ||
	       (its.st_ino == own.st_ino && its.st_dev == own.st_dev);
}

/* ---- poststart hooks ---- */

/*
 * From before the word on: who finds the hooks in the state and can have the lock knows that no
 * start is at work.
 */
static int lock_hooks(struct start *s, struct err *err)
{
	if (s->plan->hooks[PLAN_HOOK_POSTSTART].n == 0)
		return 0;
	int r = state_lock_hooks(&s->entry, &s->hooks_lock_fd, err);
	if (r != -EBUSY)
		return r;
	err_say(err, ERR_BUSY, EBUSY, "container '%s' cannot be started now", s->state.id);
	err_hint(err, "another hull is starting it");
	return -EBUSY;
}

static int note_hooks(struct start *s, struct err *err)
{
	struct state now;
	int r = state_relock(&s->entry, err);
	if (r == 0)
		r = state_read(s->store, s->state.id, s->arena, &now, err);
	if (r == 0) {
		now.poststart = NULL;
		r = state_write(&s->entry, &now, err);
	}
	state_unlock(&s->entry);
	if (r != -ENOENT)
		return r;
	err_clear(err); /* it was deleted by force meanwhile */
	return 0;
}

static int run_hooks(struct start *s, struct start_result *ret, struct err *err)
{
	if (s->plan->hooks[PLAN_HOOK_POSTSTART].n == 0)
		return 0;
	int r = start_run_poststart(s, ret, err);
	return r < 0 ? r : note_hooks(s, err);
}

/* ---- waiting ---- */

static int not_answered(const struct start *s, struct err *err)
{
	err_say(err, ERR_BUSY, ETIMEDOUT, "the process of container '%s' does not answer",
		s->state.id);
	err_hint(err, "is it stopped? It is still there, to be started later");
	return -ETIMEDOUT;
}

/* The child has its word by now: what fails here ends the container. */
static int read_channel(struct start *s, struct start_result *ret, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	if (channel_receive_fd(s->channel.parent_fd, &fd) != CHANNEL_LISTENER)
		return 1;
	int r = listener_serve(s, &fd, err);
	ret->undo = r < 0;
	return r;
}

/* 1: there is something to learn of the child; 0: not yet. */
static int wait_once(struct start *s, int timeout, struct start_result *ret, struct err *err)
{
	struct pollfd fds[] = {
		{ .fd = s->channel.parent_fd, .events = POLLIN },
		{ .fd = s->pidfd, .events = POLLIN },
		{ .fd = s->signal_fd, .events = POLLIN },
	};
	int n = poll(fds, ARRAY_SIZE(fds), timeout);
	if (n < 0 && errno != EINTR)
		return err_sys(err, errno, "cannot wait for the container");
	int r = n > 0 && fds[2].revents ? start_read_signals(s, ret, err) : 0;
	if (r < 0 || n <= 0)
		return r;
	if (fds[0].revents & POLLIN)
		return read_channel(s, ret, err);
	return fds[0].revents || fds[1].revents;
}

/* Until the program is executed, something has failed, or this is given up. */
static int await_end(struct start *s, struct start_result *ret, struct err *err)
{
	int64_t deadline = clock_ms() + LAUNCH_ANSWER_MS;
	int r = 0;

	while (r == 0) {
		int64_t left = deadline - clock_ms();
		bool taken = gate_is_taken(s);
		if (!taken && left <= 0 && gate_revoke(s))
			return not_answered(s, err);
		r = wait_once(s, listener_prepare(s, taken || left <= 0 ? -1 : (int)left), ret,
			      err);
		if (r == 0) {
			r = listener_check(s, err);
			ret->undo = r < 0;
		}
	}
	return r < 0 ? r : 0;
}

/* ---- how it went ---- */

/* Who is just dying has closed its end already, and is not seen to be dead yet. */
static enum state_status status_in_the_end(const struct start *s)
{
	enum state_status status = state_status_now(&s->state, NULL);
	if (status == STATE_STOPPED || status == STATE_RUNNING)
		return status;
	(void)pidfd_wait(s->pidfd, LAUNCH_END_MS);
	return state_status_now(&s->state, NULL);
}

static int not_taken(const struct start *s, struct err *err)
{
	switch (status_in_the_end(s)) {
	case STATE_STOPPED:
		err_say(err, ERR_BUSY, ESRCH, "cannot start a container that has stopped");
		err_hint(err, "hull delete %s removes it; then it can be created again",
			 s->state.id);
		return -ESRCH;
	case STATE_RUNNING:
		return err_say(err, ERR_BUSY, EBUSY, "cannot start an already running container");
	default:
		err_say(err, ERR_BUSY, EBUSY, "container '%s' cannot be started now", s->state.id);
		err_hint(err, "another hull is starting it, or has created it and is of another "
			      "version: then it must be deleted and created again");
		return -EBUSY;
	}
}

static int ended(const struct start *s, struct err *err)
{
	err_say(err, ERR_HOST, ECANCELED, "the container was killed while it was started");
	if (atomic_load(&s->channel.page->exec_next))
		err_hint(err, "a seccomp profile must allow execve and the program's own system "
			      "calls; or a memory limit is too low");
	err_step(err, "exec");
	return -ECANCELED;
}

/*
 * Where somebody has waited for the process already, nobody can say whether it had executed. It is
 * not taken for started then when it is the profile that has ended it.
 */
static bool is_killed_by_filter(const struct start *s)
{
	return !s->init.page && atomic_load(&s->channel.page->exec_next) &&
	       state_end_signal(s->pidfd) == SIGSYS;
}

static int judge(struct start *s, struct start_result *ret, struct err *err)
{
	if (!gate_is_taken(s) && gate_revoke(s))
		return not_taken(s, err);
	if (channel_error(&s->channel, err)) {
		/* What the specification has undone is what a hook has failed at (S-046). */
		ret->undo = err->flags & (ERR_ABOUT_HOOK | ERR_CHILDS_HOOK);
		return -err->code;
	}
	int executed = start_executes(s);
	if (executed < 0)
		return err_sys(err, -executed, "cannot tell whether container '%s' was started",
			       s->state.id);
	return executed && !is_killed_by_filter(s) ? 0 : ended(s, err);
}

/* ---- why not ---- */

/*
 * The plan of the container, made again from the config.json that was kept for it: only after a
 * failure, to explain it. Without, the error stays as it is.
 */
static void plan_again(struct start *s, struct plan *ret, struct host *host, struct spec *spec)
{
	struct spec_problems ignored = { 0 };
	struct err unsaid = { 0 };

	if (state_read_config(s->store, s->state.id, s->arena, spec, &ignored, &unsaid) < 0)
		return;
	bool is_known = host_probe(host, &unsaid) == 0;
	plan_make_again(&s->state, spec, is_known ? host : NULL, s->arena, ret);
	s->plan = ret;
}

static void explain(struct start *s, struct err *err)
{
	const struct plan *before = s->plan;
	struct plan plan;
	struct host host;
	struct spec spec;

	plan_again(s, &plan, &host, &spec);
	if (is_own_namespace(s->examine_user_fd, "/proc/self/ns/user"))
		fd_close(&s->examine_user_fd);
	if (s->plan != before) {
		diagnose_exec(s, err);
		json_locate(&spec.doc, err);
	}
	s->plan = before;
}

/* ---- all of it ---- */

static int launch(struct start *s, struct start_result *ret, struct err *err)
{
	int r = start_open_signals(s, err);
	if (r == 0)
		r = find_process(s, err);
	if (r == 0)
		r = caller_sockets_connect_agent(s, err); /* as long as it can be started later */
	if (r == 0)
		r = lock_hooks(s, err);
	if (r == 0)
		r = gate_knock(s, err);
	state_unlock(&s->entry);
	if (r == 0)
		r = await_end(s, ret, err);
	return r < 0 ? r : judge(s, ret, err);
}

/* The program runs, by a start that did not come to its end. */
static int resume(struct start *s, struct err *err)
{
	int r = start_open_signals(s, err);
	if (r == 0)
		r = find_process(s, err);
	if (r == 0)
		r = lock_hooks(s, err);
	state_unlock(&s->entry);
	return r;
}

int start_launch(struct start *s, struct start_result *ret, struct err *err)
{
	*ret = (struct start_result) { 0 };
	const int runs = s->state.poststart ? state_is_running(&s->state) : 0;
	if (runs < 0)
		return state_process_unknown(&s->state, -runs, err);
	int r = runs ? resume(s, err) : launch(s, ret, err);
	if (r == 0) {
		r = run_hooks(s, ret, err);
		ret->undo = r < 0; /* S-047 */
	} else if (ret->stop_signal && !gate_revoke(s)) {
		ret->undo = true; /* between the word and the program */
	}
	if (r < 0 && !runs)
		explain(s, err);
	fd_close(&s->channel.parent_fd); /* a child that still listens gives up */
	fd_close(&s->hooks_lock_fd);
	return r;
}
