/*
 * Parent, stages 2 and 7: the child is on its way. Who it is goes into the state and the pid file,
 * so that others can find it; then it gets its resource limits, and the word to go.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "cgroup/enter.h"
#include "start/fail.h"
#include "start/devices.h"
#include "start/namespace.h"
#include "start/tolerate.h"

#define RELEASE_END_MS     2000 /* for who was killed to be dead */
#define RELEASE_NETWORK_MS 2000 /* for the child to enter it: it may be stopped */

bool start_waits_for_ready(const struct plan *plan)
{
	return (plan->flags & PLAN_CREATE) || plan_moves(plan) || plan->terminal.is_wanted ||
	       plan->process.rlimits_n > 0 || plan->rdt.class ||
	       plan->process.scheduler.setter == PLAN_SCHEDULED_BY_PARENT ||
	       plan->process.io_priority.setter == PLAN_SCHEDULED_BY_PARENT ||
	       plan->hooks[PLAN_HOOK_PRESTART].n + plan->hooks[PLAN_HOOK_CREATE_RUNTIME].n > 0;
}

/*
 * Does the parent keep its end of the channel after GO? The child watches it while it runs hooks of
 * its own; and the end of file says that the program was executed, for poststart hooks.
 */
static bool keeps_channel(const struct plan *plan)
{
	return (plan->flags & PLAN_DETACH) || plan->listener.is_wanted ||
	       plan->hooks[PLAN_HOOK_CREATE_CONTAINER].n +
			       plan->hooks[PLAN_HOOK_START_CONTAINER].n +
			       plan->hooks[PLAN_HOOK_POSTSTART].n >
		       0;
}

/* ---- record ---- */

/* Nothing but a worse explanation depends on it. */
static int open_namespace(const struct start *s, const char *name)
{
	int fd = namespace_open(-EBADF, s->pid, name);
	if (fd < 0)
		(void)tolerate(s, TOLERATE_MOUNT_NS, -fd);
	return fd;
}

/*
 * To look at the container's files when its program cannot be executed. An unprivileged hull must
 * open them before the child hides (user.c).
 */
void record_namespaces(struct start *s)
{
	const struct plan_user *user = &s->plan->user;
	if (s->root_fd >= 0 || s->examine_mount_fd >= 0) /* else diagnose.c needs none */
		return;
	s->examine_mount_fd = open_namespace(s, "mnt");
	if (user->is_new || user->is_joined)
		s->examine_user_fd = open_namespace(s, "user");
}

/* Which process is the container, for those who come after us. */
static int record_process(struct start *s, struct err *err)
{
	int r = state_identify(&s->state, s->pid, s->arena, err);
	if (r < 0)
		return r;
	rdt_give_away(s);
	/* Still STATE_CREATING: that the program runs is seen on the process (state_status_now). */
	return state_write(&s->entry, &s->state, err);
}

/* Who reads the file, or gets the pidfd (hand_over), looks for the network at once. */
static int publish(struct start *s, struct err *err)
{
	bool is_told = s->pid_file || s->pidfd_socket;
	if (is_told && (s->cgroup_fd < 0 || !cgroup_is_frozen(s->cgroup_fd)))
		(void)ahead_await(s, RELEASE_NETWORK_MS);
	return pid_file_write(s, err);
}

int record_child(struct start *s, struct err *err)
{
	/* From here on there may be something that they have to put away. */
	if (s->plan->hooks[PLAN_HOOK_POSTSTOP].n)
		s->state.poststop = &s->plan->spec->hooks.poststop;
	if ((s->plan->flags & PLAN_CREATE) && s->plan->hooks[PLAN_HOOK_POSTSTART].n)
		s->state.poststart = &s->plan->spec->hooks.poststart;
	record_namespaces(s);
	if (!plan_moves(s->plan))
		return record_process(s, err);
	/* Who it is will be known later (follow). */
	return s->state.poststop || s->state.poststart ? state_write(&s->entry, &s->state, err) : 0;
}

int publish_child(struct start *s, struct err *err)
{
	/* Who has not moved yet is published later (follow); until then nobody must wait for us. */
	int r = plan_moves(s->plan) ? 0 : publish(s, err);
	state_unlock(&s->entry);
	return r;
}

/* Nothing for the state, which is of the first process. */
int record_exec(struct start *s, struct err *err)
{
	record_namespaces(s);
	return plan_moves(s->plan) ? 0 : pid_file_write(s, err);
}

/* ---- release ---- */

/*
 * Who has made it has nothing left to do but to end, which somebody may keep it from by a signal.
 * One that a tracer keeps is reaped with all that hull does not know.
 */
void release_end_predecessor(const struct start *s)
{
	(void)pidfd_end(s->pidfd, RELEASE_END_MS);
}

/* The child has become another process, which is our child too (isolate_move). */
static int follow(struct start *s, struct err *err)
{
	pid_t pid = channel_moved(&s->channel);
	int pidfd = pid > 0 ? pidfd_open(pid, 0) : (errno = ESRCH, -1);
	if (pidfd < 0)
		return err_sys(err, errno, "cannot follow the process into the pid namespace");
	release_end_predecessor(s);
	fd_close(&s->pidfd);
	s->pid = pid;
	s->pidfd = pidfd;
	if (s->plan->flags & PLAN_EXEC)
		return pid_file_write(s, err);
	int r = state_relock(&s->entry, err);
	if (r == 0)
		r = record_process(s, err);
	if (r == 0)
		r = publish(s, err);
	state_unlock(&s->entry);
	return r;
}

int fail_rlimit(const struct plan_rlimit *l, int code, struct err *err)
{
	err_sys(err, code, "cannot set %s to %llu, at most %llu", spec_rlimit_name(l->resource),
		(unsigned long long)l->limit.rlim_cur, (unsigned long long)l->limit.rlim_max);
	if (code == EPERM)
		err_hint(err, "raising a hard limit needs CAP_SYS_RESOURCE");
	err_at(err, l->at);
	return -code;
}

/* Those that the child could not set itself (exec.c): with the caller's rights. */
static int set_rlimits(const struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	uint64_t left = atomic_load(&s->channel.page->rlimits_left);

	for (size_t i = 0; i < process->rlimits_n; i++) {
		if (!(left >> i & 1))
			continue;
		const struct plan_rlimit *l = &process->rlimits[i];
		struct rlimit limit = { l->limit.rlim_cur, l->limit.rlim_max };
		if (prlimit(s->pid, (unsigned)l->resource, &limit, NULL) < 0)
			/* It is dead, which says more: supervise() finds out why. */
			return errno == ESRCH ? 0 : fail_rlimit(l, errno, err);
	}
	return 0;
}

/* A signal that arrived up to now must end the start, and not be lost on a young program. */
static bool is_given_up(const struct start *s)
{
	sigset_t pending;
	if (sigpending(&pending) < 0)
		return false;
	for (int signal = 1; signal < SIGRTMIN; signal++)
		if (start_ends_by(s, signal) && sigismember(&pending, signal))
			return true;
	return false;
}

/* What was promised to others before the child can go on. */
static int hand_over(struct start *s, struct err *err)
{
	int r = 0;
	if (s->plan->terminal.is_wanted)
		r = s->plan->terminal.socket ? console_socket_send(s, err)
					     : tty_begin(&s->tty, err);
	if (r == 0)
		r = pidfd_socket_send(s, err);
	return r;
}

/*
 * The last word between the two. A child that is gone has left its reason in the page; one that
 * cannot be told sees the end of file, and gives up.
 */
static int let_go(struct start *s, struct start_result *ret, struct err *err)
{
	bool parks = s->plan->flags & PLAN_CREATE;
	int r = devices_give(s, err);
	if (r == 0 && parks)
		r = gate_show(s, err);
	if (r < 0)
		return r;
	r = channel_send(s->channel.parent_fd, parks ? CHANNEL_PARK : CHANNEL_GO);
	if (r < 0 || !keeps_channel(s->plan))
		fd_close(&s->channel.parent_fd);
	ret->left = parks && r == 0;
	s->is_released = true;
	return 0;
}

int release_child(struct start *s, struct start_result *ret, struct err *err)
{
	int r = 0;
	if (plan_moves(s->plan))
		r = follow(s, err);
	if (r == 0)
		r = rdt_assign(s, err);
	if (r == 0)
		r = set_rlimits(s, err);
	if (r == 0)
		r = schedule_child(s, err);
	if (r == 0)
		r = hand_over(s, err);
	if (r < 0 || is_given_up(s)) /* supervise() will read the signal */
		return r;
	return let_go(s, ret, err);
}
