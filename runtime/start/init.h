/* hull's own process 1 (--init): what it leaves for the parent, and how it comes to be. */
#ifndef HULL_START_INIT_H
#define HULL_START_INIT_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "plan/plan.h"

struct start;

/* Memory that process 1 shares with the parent, all that it keeps of it. */
struct init_page {
	_Atomic bool has_executed; /* the program, for process 1 itself never does */
	_Atomic int how, what;     /* how the program ended: si_code, 0 until then; si_status */
};

struct init {
	struct init_page *page; /* NULL: there is no --init */
	/* Child: files of its own in the host's /proc, for plan->labels. */
	int label_fds[PLAN_LABELS];
	int told_fd, tell_fd; /* the program says hello: of whom a message is, the kernel knows */
};

void init_init(struct init *init);
void init_done(struct init *init);

/* Parent, before clone. */
_must_check_ int init_prepare(struct start *s, struct err *err);

/* Parent: how the program ended, in place of how process 1 did. */
void init_replace_end(const struct start *s, siginfo_t *info);
/* Parent, afterwards and once: the program's number as hull counts; 0: nobody knows. */
pid_t init_program(const struct start *s);

/* Child, while it has the host's /proc: opens what process 1 needs to take this label. */
_must_check_ int init_open_label(struct start *s, size_t index);

/*
 * Child: goes on as two processes, of which the new one returns, to become the program. 0 at once
 * without --init.
 */
_must_check_ int init_split(struct start *s, struct err *err);

#endif
