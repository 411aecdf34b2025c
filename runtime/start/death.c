/*
 * Parent, between the end of the container's first process and the removal of its cgroup: why did
 * it end? An exit with status 0 costs nothing here. Runs with the caller's rights; whatever cannot
 * be read leaves a question open and nothing else.
 */
#include "start/death.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "start/death_parts.h"

/* ---- signals ---- */

static void set_signal(struct exitinfo *x, int signal)
{
	const char *name = sigabbrev_np(signal);
	if (name)
		snprintf(x->signal, sizeof(x->signal), "SIG%s", name);
	else
		snprintf(x->signal, sizeof(x->signal), "signal %d", signal);
}

/* Those that the kernel raises for a fault of the program, and abort(3). */
static bool is_fault(int signal)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (signals[i] == signal)
			return true;
	return false;
}

void death_find_origin(const struct signalfd_siginfo *info, struct exitinfo_origin *ret)
{
	char path[32], name[32];

	*ret = (struct exitinfo_origin) {
		.kind = EXITINFO_SENDER_KERNEL,
		.pid = EXITINFO_UNSET,
		.uid = EXITINFO_UNSET,
	};
	if (info->ssi_code > 0) /* SI_KERNEL and the like */
		return;
	ret->kind = EXITINFO_SENDER_PROCESS;
	ret->pid = info->ssi_pid;
	ret->uid = info->ssi_uid;
	snprintf(path, sizeof(path), "/proc/%u/comm", (unsigned)info->ssi_pid);
	if (fd_read_value(AT_FDCWD, path, name, sizeof(name)) == 0)
		exitinfo_set_text(ret->name, sizeof(ret->name), name, strlen(name));
}

void death_note_forwarded(struct start *s, int signal, const struct exitinfo_origin *origin)
{
	s->forwarded = signal;
	s->exit.sender = *origin;
}

/* What hull has forwarded stays noted, although another signal, or none, may end the program. */
static void judge_sender(struct start *s, int signal)
{
	if (signal && signal == s->forwarded)
		return;
	memset(&s->exit.sender, 0, sizeof(s->exit.sender));
	s->exit.sender.pid = s->exit.sender.uid = EXITINFO_UNSET;
	if (signal && !state_find_kill(&s->entry, s->state.pid, signal, &s->exit.sender) &&
	    !is_fault(signal))
		s->exit.sender.kind = EXITINFO_SENDER_UNKNOWN;
}

void death_note_deleted(struct start *s)
{
	if (s->exit.cause == EXITINFO_SIGNAL && s->exit.sender.kind == EXITINFO_SENDER_UNKNOWN)
		s->exit.sender.kind = EXITINFO_SENDER_DELETE;
}

/* ---- all of it ---- */

void death_point_at(struct start *s, uint32_t at)
{
	struct err place = { .at = at };
	json_locate(&s->plan->spec->doc, &place);
	s->exit.line = place.line;
	s->exit.column = place.column;
}

static uint64_t milliseconds_since(const struct timespec *then)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	int64_t ms = (now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
	return ms < 0 ? 0 : (uint64_t)ms;
}

static void fill_failure(struct exitinfo *x, const struct err *failure)
{
	x->cause = failure->flags & ERR_ABOUT_HOOK ? EXITINFO_HOOK : EXITINFO_START;
	exitinfo_set_text(x->step, sizeof(x->step), failure->step, strlen(failure->step));
	exitinfo_set_text(x->message, sizeof(x->message), failure->message,
			  strlen(failure->message));
	x->line = failure->line;
	x->column = failure->column;
}

static void fill_end(struct start *s, const struct start_result *result)
{
	struct exitinfo *x = &s->exit;
	x->cause = result->exited ? EXITINFO_EXIT : EXITINFO_SIGNAL;
	x->code = (uint64_t)(result->exited ? result->code : 128 + result->code);
	if (!result->exited)
		set_signal(x, result->code);
	x->core_dumped = result->core_dumped;
	x->duration_ms = milliseconds_since(&s->cloned);
}

void death_examine(struct start *s, const struct start_result *result, struct err *failure)
{
	clock_now(s->exit.finished);
	judge_sender(s, failure || result->exited ? 0 : result->code);
	if (failure) {
		if (!result->exited && result->code == SIGSYS)
			death_explain_filter(s, failure);
		death_explain_failure(s, result, failure);
		fill_failure(&s->exit, failure);
	} else {
		fill_end(s, result);
	}
	/* An exit with status 0 is nothing to wonder about. */
	if (failure || s->exit.code == 0)
		return;
	death_examine_memory(s);
	death_examine_seccomp(s);
}
