/*
 * Parent, stage 8: signals. They come through a signalfd, one at a time, and are handled in order;
 * there are no handlers. A signal that would end hull ends the start while there is one; all
 * others, and those too once the program runs, are forwarded to it.
 *
 * Before the kernel says that the program was executed there is nobody to forward to: the child has
 * no handler, and would die or lose the signal. So a signal is kept until then, once, as a process
 * keeps a blocked one. Then a program has yet to install its handler, and gets a moment for it.
 * Must not: wait; the loop of supervise.c asks again.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "start/death.h"

#define KEPT_POLL_MS    10   /* between two looks whether a kept signal can go */
#define KEPT_HANDLER_MS 1000 /* for the program to install its handler */

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

/* ---- which ---- */

/* A caller that ignores a signal (nohup) wants it to do nothing; blocked, it still reaches us. */
static bool is_ignored(const struct start *s, int signal)
{
	return s->plan->process.reset_signals & BIT(signal);
}

bool start_ends_by(const struct start *s, int signal)
{
	if (is_ignored(s, signal))
		return false;
	return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

static bool is_job_control(int signal)
{
	return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* Signals that speak of hull itself, and those that a program raises by a fault of its own. */
static bool is_private(int signal)
{
	static const int signals[] = { SIGCHLD, SIGPIPE, SIGURG, SIGXFSZ, SIGSEGV,
				       SIGBUS,  SIGFPE,  SIGILL, SIGTRAP, SIGSYS };
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (signals[i] == signal)
			return true;
	return false;
}

/* ---- who hears them ---- */

/* /proc/PID/status of the program. -EFBIG: it is in very many groups, which stand before the rest.
 */
static int read_status(struct start *s, char *text, size_t size)
{
	char path[32];

	if (s->init.page && s->program_pid == 0)
		s->program_pid = init_program(s);
	snprintf(path, sizeof(path), "/proc/%d/status",
		 (int)(s->program_pid ? s->program_pid : s->pid));
	return fd_read_value(AT_FDCWD, path, text, size);
}

static uint64_t parse_set(const char *status, const char *name)
{
	const char *line = strstr(status, name);
	return line ? strtoull(line + strlen(name), NULL, 16) : 0;
}

/* Those that the program has a handler for, or blocks, or wants to be ignored. */
static uint64_t parse_expected(const char *status)
{
	return parse_set(status, "\nSigBlk:") | parse_set(status, "\nSigIgn:") |
	       parse_set(status, "\nSigCgt:");
}

static uint64_t get_expected(struct start *s)
{
	char status[4096];
	int r = read_status(s, status, sizeof(status));
	if (r == -EFBIG)
		return 0; /* so what is kept waits as long as it may */
	return r < 0 ? UINT64_MAX : parse_expected(status); /* it is gone, or nobody can tell */
}

/* The last one of its numbers is that in its own pid namespace. */
static bool is_process_1(const char *status)
{
	const char *line = strstr(status, "\nNSpid:");
	const char *end = line ? strchr(line + 1, '\n') : NULL;
	return end && end[-1] == '1' && end[-2] == '\t';
}

/*
 * The kernel drops a signal that process 1 has no handler for (pid_namespaces(7)), and tells
 * nobody. Whoever tries it twice learns why: the first may have come before there was a handler.
 */
static void tell_unheard(struct start *s, int signal)
{
	struct err warning = { 0 };
	char status[4096];

	if (!s->warn || tty_is_copied(&s->tty) || !start_ends_by(s, signal) ||
	    read_status(s, status, sizeof(status)) < 0 || !is_process_1(status) ||
	    parse_expected(status) & BIT(signal))
		return;
	if (++s->unheard != 2)
		return;
	err_say(&warning, ERR_BUSY, EINTR,
		"process 1 of '%s' has no handler for SIG%s, and goes on", s->plan->id,
		sigabbrev_np(signal));
	err_hint(&warning, "hull kill %s KILL ends it; with --init it is a process like any other",
		 s->plan->id);
	s->warn(s->say_context, &warning);
}

/* ---- forwarding ---- */

static bool is_running(struct start *s)
{
	if (!s->is_running)
		s->is_running = start_has_executed(s) > 0; /* who cannot tell asks again */
	return s->is_running;
}

static void suspend(struct start *s)
{
	tty_suspend(&s->tty);
	raise(SIGSTOP); /* the shell gets its terminal back, and wakes us with SIGCONT */
}

static void forward(struct start *s, int signal, const struct exitinfo_origin *origin)
{
	if (signal == SIGWINCH && tty_is_copied(&s->tty)) {
		(void)tty_resize(&s->tty); /* by which the program gets the signal */
		return;
	}
	death_note_forwarded(s, signal, origin);
	/* It may have ended in this moment; then there is nobody to be told. */
	(void)!pidfd_send_signal(s->pidfd, signal, NULL, 0);
	tell_unheard(s, signal);
	if (is_job_control(signal))
		suspend(s);
}

/* ---- keeping ---- */

/* As the kernel does with those that are blocked: one to stop and one to go on cancel each other.
 */
static void keep(struct start *s, int signal, const struct exitinfo_origin *origin)
{
	const uint64_t stops = BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU);

	if (signal == SIGCONT)
		s->kept.set &= ~stops;
	if (is_job_control(signal))
		s->kept.set &= ~BIT(SIGCONT);
	s->kept.set |= BIT(signal);
	if (!s->kept.origins)
		s->kept.origins = arena_array(s->arena, SIGNALS_MAX, sizeof(*s->kept.origins));
	s->kept.origins[signal - 1] = *origin;
}

static void forward_kept(struct start *s)
{
	if (!is_running(s))
		return;
	if (s->kept.deadline == 0)
		s->kept.deadline = clock_ms() + KEPT_HANDLER_MS;
	bool waits = clock_ms() < s->kept.deadline;
	uint64_t ready = waits ? get_expected(s) : UINT64_MAX;
	for (int signal = 1; signal <= SIGNALS_MAX; signal++) {
		if (!(s->kept.set & ready & BIT(signal)))
			continue;
		s->kept.set &= ~BIT(signal);
		forward(s, signal, &s->kept.origins[signal - 1]);
	}
}

int signals_prepare(struct start *s, int timeout)
{
	if (s->kept.set)
		forward_kept(s);
	if (s->kept.set && (timeout < 0 || timeout > KEPT_POLL_MS))
		return KEPT_POLL_MS;
	return timeout;
}

/* ---- what came ---- */

/* 1: the start is given up; 0: handled. */
static int handle_signal(struct start *s, const struct signalfd_siginfo *info,
			 struct start_result *ret)
{
	struct exitinfo_origin origin;
	int signal = (int)info->ssi_signo;
	if (is_private(signal) || is_ignored(s, signal) || signal > SIGNALS_MAX)
		return 0;
	bool starting = s->hooks_run || !s->channel.page ||
			!atomic_load(&s->channel.page->exec_next);
	if (start_ends_by(s, signal) && starting) {
		ret->stop_signal = signal;
		return 1;
	}
	if (plan_leaves(s->plan))
		return 0;
	if (signal == SIGCONT)
		tty_resume(&s->tty);
	death_find_origin(info, &origin);
	if (is_running(s)) {
		s->kept.set &= ~BIT(signal); /* one that is pending already makes no second one */
		forward(s, signal, &origin);
	} else if (is_job_control(signal) && !s->is_released) {
		suspend(s); /* the program does not begin without us */
	} else {
		keep(s, signal, &origin);
	}
	return 0;
}

int start_read_signals(struct start *s, struct start_result *ret, struct err *err)
{
	struct signalfd_siginfo infos[8];

	ssize_t n = read(s->signal_fd, infos, sizeof(infos));
	if (n < 0)
		return errno == EAGAIN || errno == EINTR
			       ? 0
			       : err_sys(err, errno, "cannot read signals");
	for (size_t i = 0; i < (size_t)n / sizeof(infos[0]); i++) {
		if (handle_signal(s, &infos[i], ret))
			return err_say(err, ERR_BUSY, EINTR, "the start was given up on SIG%s",
				       sigabbrev_np((int)infos[i].ssi_signo));
	}
	return 0;
}
