/*
 * Running one hook: from its process to its end. Used by the parent and, for the hooks of the
 * container's side, by the child, so that nothing here allocates. hooks.c says which, and when.
 */
#ifndef HULL_START_HOOK_RUN_H
#define HULL_START_HOOK_RUN_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "plan/plan.h"
#include "seccomp/seccomp.h"
#include "start/channel.h"

enum hook_flags {
	HOOK_REAPS_ORPHANS = 1u << 0, /* descendants that lose their parent become our children */
	HOOK_SETS_UMASK = 1u << 1,
	HOOK_NEEDS_CONTAINER = 1u << 2, /* it is given up when the container's process ends */
};

struct hook_job {
	const struct plan_hook *hook;
	enum plan_hook_kind kind;
	size_t index, count; /* which of how many of that kind */
	unsigned flags;      /* enum hook_flags */

	pid_t pid;         /* of the container, as this hook must see it */
	int pidfd;         /* the same; with HOOK_NEEDS_CONTAINER */
	const char *state; /* what else its standard input has: state_print_for_hook() */
	const char *cwd;   /* NULL: it stays in ours */
	mode_t umask;
	const struct seccomp_filter *filter; /* that it gets as the program does; or NULL */
	struct hook_report *report;

	/* While the hook runs, watch() is called when watch_fd has one of these events; on a
	 * failure of it the hook is killed, and that is the error. A negative descriptor: none. */
	int watch_fd;
	short watch_events;
	int (*watch)(void *context, struct err *err);
	void *context;
};

/* How much of what a hook says is kept for an error: the end of it. */
#define HOOK_TAIL_SIZE 2048
struct hook_tail {
	char text[HOOK_TAIL_SIZE];
	size_t used;
};

/*
 * Runs it and waits for its end, or for its timeout. 0 when it ended with status 0; else nothing
 * of its process group, and with HOOK_REAPS_ORPHANS none of its descendants, is left, and the
 * error says which hook it was, how it failed and what it said last.
 */
_must_check_ int hook_run(const struct hook_job *job, struct err *err);

/* ---- what is said about a failed one (hook_fail.c) ---- */

enum hook_end { HOOK_EXITED, HOOK_KILLED, HOOK_TIMED_OUT };

_must_check_ int hook_say_failed(const struct hook_job *job, enum hook_end end, int code,
				 const struct hook_tail *tail, struct err *err);
/* Its process never became the hook. */
_must_check_ int hook_say_not_executed(const struct hook_job *job, struct err *err);

#endif
