/*
 * Parent, stage 8: with the container until it has ended, or can be left. One loop waits for all
 * that may come: what the child says, what passes through its terminal, signals (signals.c), and
 * its end.
 *
 * Must not: wait anywhere for one of them alone.
 */
#include "start/steps.h"

#include <poll.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "start/death.h"
#include "start/hooks.h"

#define TRACED_WAIT_MS  10000 /* for a tracer to let go of what has died */
#define TRACED_PAUSE_MS 10
#define EXEC_TRIES      10000 /* of a millisecond, until process 1 has seen the execve */

/* ---- how it ended ---- */

int start_has_executed(const struct start *s)
{
	if (!s->channel.page || !atomic_load(&s->channel.page->exec_next))
		return 0;
	return s->init.page ? atomic_load(&s->init.page->has_executed)
			    : state_has_executed(s->pid,
						 s->pid == s->state.pid ? s->state.pid_start : 0);
}

static int start_killed(const struct start *s, int signal, struct err *err)
{
	const char *step = child_step_name(s, atomic_load(&s->channel.page->step));
	const char *name = sigabbrev_np(signal);

	if (signal == SIGSYS && atomic_load(&s->channel.page->exec_next)) {
		err_say(err, ERR_CONFIG, EPERM, "the seccomp profile does not allow the start");
		err_hint(err, "it must allow execve and the program's own system calls");
		err_at(err, s->plan->spec->linux.seccomp.at);
	} else {
		err_say(err, ERR_HOST, ECANCELED,
			"the container was killed by SIG%s while it was started",
			name ? name : "?");
		if (signal == SIGKILL)
			err_hint(err, "a memory limit may be too low for the start itself");
	}
	err_step(err, "%s", step ? step : "exec");
	return -(err ? err->code : ECANCELED);
}

/* Once, as soon as the program runs or, if it was faster, has ended. */
int start_run_poststart(struct start *s, struct start_result *ret, struct err *err)
{
	if (s->poststart_began)
		return 0;
	s->poststart_began = true;
	timeline_step(s->timeline, "hooks");
	int r = hooks_run(s, PLAN_HOOK_POSTSTART, ret, err);
	timeline_stop(s->timeline);
	return r;
}

/* The container's first process has ended; it is still a zombie here. */
static int container_ended(struct start *s, siginfo_t *info, struct start_result *ret,
			   struct err *err)
{
	init_replace_end(s, info);
	if (s->program_pid == 0)
		s->program_pid = init_program(s);
	bool exited = info->si_code == CLD_EXITED;
	int r = 0;

	if (channel_error(&s->channel, err)) {
		diagnose_exec(s, err);
		r = -err->code;
	} else if (!exited && start_has_executed(s) == 0) {
		r = start_killed(s, info->si_status, err);
	} else {
		r = start_run_poststart(s, ret, err);
		if (r == 0 && (s->plan->flags & PLAN_DETACH)) {
			ret->left = true; /* not reaped: it is for whoever comes after us */
			return 0;
		}
	}
	(void)!waitid(P_PID, (id_t)s->pid, &(siginfo_t) { 0 }, WEXITED);
	s->pid = 0;
	timeline_program_ended(s->timeline);
	ret->exited = exited;
	ret->core_dumped = info->si_code == CLD_DUMPED;
	ret->code = info->si_status;
	return r;
}

/* A process that has moved to an existing pid namespace is the container, whoever it was before. */
static bool is_container(const struct start *s, pid_t pid)
{
	pid_t moved = atomic_load(&s->channel.page->moved_pid);
	return pid == (moved > 0 ? moved : s->pid);
}

/* Reaps until nobody is left to reap. 1: the container has ended; 0: not yet; or an error. */
static int reap(struct start *s, struct start_result *ret, struct err *err)
{
	for (;;) {
		siginfo_t info = { 0 };
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
			if (errno == EINTR)
				continue;
			return errno == ECHILD
				       ? err_say(err, ERR_INTERNAL, ECHILD,
						 "the container's process got lost")
				       : err_sys(err, errno, "cannot wait for the container");
		}
		if (info.si_pid == 0)
			return 0;
		if (is_container(s, info.si_pid)) {
			if (info.si_pid != s->pid) /* it has died before follow() */
				release_end_predecessor(s);
			s->pid = info.si_pid;
			int r = container_ended(s, &info, ret, err);
			return r < 0 ? r : 1;
		}
		(void)!waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
	}
}

/*
 * It is dead, but a tracer has it and does not let go. Where there is no pid namespace, which ends
 * with its first process, that may be one of the container's: with it ends the container.
 */
static int reap_traced(struct start *s, struct start_result *ret, struct err *err)
{
	const struct timespec pause = { .tv_nsec = TRACED_PAUSE_MS * 1000000L };
	int r = reap(s, ret, err);
	if (r == 0 && !(s->plan->ns.clone_flags & CLONE_NEWPID) && s->cgroup_fd >= 0)
		(void)!cgroup_kill(s->cgroup_fd, state_cgroup_existed(&s->state), TRACED_WAIT_MS,
				   NULL);
	for (int i = 0; r == 0 && i < TRACED_WAIT_MS / TRACED_PAUSE_MS; i++) {
		nanosleep(&pause, NULL);
		r = reap(s, ret, err);
	}
	if (r != 0)
		return r;
	return err_say(err, ERR_BUSY, ETIMEDOUT,
		       "the container has ended, but a tracer holds its first process %d",
		       (int)s->pid);
}

/* ---- the end of the terminal ---- */

/* The program is gone: nobody is left to forward to, and a signal to end means hull itself. */
static bool is_told_to_end(void *context)
{
	struct start *s = context;
	struct signalfd_siginfo info;
	bool told = false;
	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info))
		told = told || start_ends_by(s, (int)info.ssi_signo);
	return told;
}

/* ---- the child ---- */

/* Afterwards the child goes on; one that cannot be told sees the end of file, and gives up. */
static int run_create_hooks(struct start *s, struct start_result *ret, struct err *err)
{
	timeline_step(s->timeline, "hooks");
	int r = hooks_run(s, PLAN_HOOK_PRESTART, ret, err);
	if (r == 0)
		r = hooks_run(s, PLAN_HOOK_CREATE_RUNTIME, ret, err);
	if (r == 0 && channel_send(s->channel.parent_fd, CHANNEL_HOOKS_DONE) < 0)
		fd_close(&s->channel.parent_fd);
	timeline_stop(s->timeline);
	return r;
}

/*
 * The end of file was execve, which has cleared the flag by then, or the end. With --init process 1
 * sees it a moment later.
 */
int start_executes(const struct start *s)
{
	struct pollfd fd = { .fd = s->pidfd, .events = POLLIN };
	for (int i = 0; s->init.page && i < EXEC_TRIES && start_has_executed(s) == 0; i++)
		if (!atomic_load(&s->channel.page->exec_next) || poll(&fd, 1, 1) != 0)
			break;
	return start_has_executed(s);
}

/* The program was executed; or the child is dead, which reap() sees. */
static int end_of_channel(struct start *s, struct start_result *ret, struct err *err)
{
	const bool detaches = s->plan->flags & PLAN_DETACH;

	fd_close(&s->channel.parent_fd);
	s->listener.deadline = 0;
	if (!detaches && s->plan->hooks[PLAN_HOOK_POSTSTART].n == 0)
		return 0;
	int r = start_executes(s);
	if (r < 0)
		return err_sys(err, -r, "cannot tell whether the program was executed");
	if (r == 0)
		return 0;
	r = start_run_poststart(s, ret, err);
	ret->left = detaches && r == 0;
	return r;
}

static int read_channel(struct start *s, short revents _unused_, struct start_result *ret,
			struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	int r = 0;
	switch (channel_receive_fd(s->channel.parent_fd, &fd)) {
	case CHANNEL_TERMINAL:
		r = tty_receive(&s->tty, &fd, err);
		break;
	case CHANNEL_LISTENER:
		r = listener_serve(s, &fd, err);
		break;
	case CHANNEL_HOOKS:
		r = run_create_hooks(s, ret, err);
		break;
	case CHANNEL_READY:
		timeline_step(s->timeline, "release");
		r = release_child(s, ret, err);
		timeline_stop(s->timeline);
		break;
	default:
		r = end_of_channel(s, ret, err);
		break;
	}
	if (r < 0 || ret->left)
		return r < 0 ? r : 1;
	/* Hooks have taken signals that told of children. */
	return reap(s, ret, err);
}

/* ---- what is listened to ---- */

static int channel_fd(const struct start *s, short *ret_events)
{
	*ret_events = POLLIN;
	return s->channel.parent_fd;
}

static int input_fd(const struct start *s, short *ret_events)
{
	return tty_input_fd(&s->tty, ret_events);
}

static int read_input(struct start *s, short revents _unused_, struct start_result *ret _unused_,
		      struct err *err _unused_)
{
	tty_read_input(&s->tty);
	return 0;
}

static int master_fd(const struct start *s, short *ret_events)
{
	return tty_master_fd(&s->tty, ret_events);
}

static int serve_master(struct start *s, short revents, struct start_result *ret _unused_,
			struct err *err _unused_)
{
	tty_serve_master(&s->tty, revents);
	return 0;
}

static int output_fd(const struct start *s, short *ret_events)
{
	return tty_output_fd(&s->tty, ret_events);
}

static int write_output(struct start *s, short revents _unused_, struct start_result *ret _unused_,
			struct err *err _unused_)
{
	tty_write_output(&s->tty);
	return 0;
}

static int read_signals(struct start *s, short revents _unused_, struct start_result *ret,
			struct err *err)
{
	int r = start_read_signals(s, ret, err);
	return r < 0 ? r : reap(s, ret, err);
}

static int signals_fd(const struct start *s, short *ret_events)
{
	*ret_events = POLLIN;
	return s->signal_fd;
}

/* Before follow() it is that of a process which is expected to end. */
static int child_fd(const struct start *s, short *ret_events)
{
	bool moves = plan_moves(s->plan) && atomic_load(&s->channel.page->moved_pid) != s->pid;
	*ret_events = POLLIN;
	return moves ? -EBADF : s->pidfd;
}

static int serve_child(struct start *s, short revents _unused_, struct start_result *ret,
		       struct err *err)
{
	return reap_traced(s, ret, err);
}

/*
 * Each has a descriptor, negative while there is nothing to wait for, with the events of poll(2);
 * and what is done when they come. 1: the container has ended; 0: go on; or an error, which ends
 * the start. In this order: what the child says comes before its end.
 */
static const struct service {
	int (*fd)(const struct start *s, short *ret_events);
	int (*handle)(struct start *s, short revents, struct start_result *ret, struct err *err);
} services[] = {
	{ channel_fd, read_channel }, { input_fd, read_input },     { master_fd, serve_master },
	{ output_fd, write_output },  { signals_fd, read_signals }, { child_fd, serve_child },
};

/* ---- the loop ---- */

static int wait_and_serve(struct start *s, struct start_result *ret, struct err *err)
{
	struct pollfd fds[ARRAY_SIZE(services)] = { 0 };
	int timeout = signals_prepare(s, listener_prepare(s, tty_prepare(&s->tty))), r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		fds[i].fd = services[i].fd(s, &fds[i].events);
	if (poll(fds, ARRAY_SIZE(fds), timeout) < 0)
		return errno == EINTR ? 0 : err_sys(err, errno, "cannot wait for the container");
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(services); i++)
		/* One before may have closed it. */
		if (fds[i].revents && services[i].fd(s, &fds[i].events) == fds[i].fd)
			r = services[i].handle(s, fds[i].revents, ret, err);
	return r != 0 ? r : listener_check(s, err);
}

int supervise(struct start *s, struct start_result *ret, struct err *err)
{
	int r;
	do
		r = wait_and_serve(s, ret, err);
	while (r == 0);
	if (r > 0 && !ret->left)
		tty_drain(&s->tty, s->signal_fd, is_told_to_end, s);
	return r < 0 ? r : 0;
}
