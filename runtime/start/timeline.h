/*
 * When each step of a start began and ended, in parent and child. Noting costs a read of the clock
 * without a system call and a store, so it is always done; whether anybody wants to see it shows
 * at the end (--debug, --timeline).
 *
 * The child notes in the shared page. It may change to another time namespace on its way, which
 * moves its monotonic clock; the wall clock is the same in all of them, so it notes that one, and
 * the parent knows how the two were apart when hull began.
 */
#ifndef HULL_START_TIMELINE_H
#define HULL_START_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define TIMELINE_ROWS 64

enum timeline_who { TIMELINE_PARENT, TIMELINE_CHILD };

struct timeline_row {
	const char *step; /* static memory */
	enum timeline_who who;
	uint64_t begin, end; /* nanoseconds after the beginning; end 0: it did not come to one */
	bool failed;
	const char *detail; /* in the arena of timeline_collect(), or NULL */
};

struct timeline {
	uint64_t origin;     /* CLOCK_MONOTONIC, nanoseconds */
	int64_t wall_offset; /* what CLOCK_REALTIME was ahead of it */
	struct timeline_row rows[TIMELINE_ROWS];
	unsigned n;
	bool is_open;           /* the last row's step goes on */
	uint64_t program_ended; /* 0: it has not, or was never started */
	uint64_t total;
};

void timeline_init(struct timeline *t);

/* The next step of the parent begins, and with that the one before it ends. NULL: no timeline. */
void timeline_step(struct timeline *t, const char *step);
void timeline_stop(struct timeline *t);

/* The step that goes on, or the last one, has failed. */
void timeline_fail(struct timeline *t);

/* The program has ended, as the parent sees it. */
void timeline_program_ended(struct timeline *t);

/* What the child notes for a moment: nanoseconds of CLOCK_REALTIME. */
uint64_t timeline_child_now(void);

struct start;
/*
 * Adds the child's steps and the program, says what each step was about, and puts all in order.
 * `s` is NULL when there was no start; `failure` NULL when nothing failed.
 */
void timeline_collect(struct timeline *t, const struct start *s, const struct err *failure,
		      struct arena *arena);

#endif
