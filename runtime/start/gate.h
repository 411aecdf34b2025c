/*
 * The gate: where a container that `create` has made waits until `start` lets it execute its
 * program. It is a listening socket in the container's state directory, which only the caller may
 * enter, and the child is the only one who listens on it.
 *
 * `start` brings the memory through which the two talk (the page of channel.h, and that of process
 * 1), so that the child keeps none while it waits, and so that what a dead child has written can
 * still be read. Its connection takes the place of the channel's socket. Whether the word to start
 * counts is settled in that memory, by who is first to claim it: the child, who takes it, or
 * `start`, which gives up; a `start` that was killed before leaves the container as it was.
 */
#ifndef HULL_START_GATE_H
#define HULL_START_GATE_H

#include <stdbool.h>

#include "base/err.h"

struct start;
struct state_entry;

struct gate {
	int fd; /* the listening socket; parent, then child */
};

enum gate_claim { GATE_OPEN, GATE_TAKEN, GATE_REVOKED };

void gate_init(struct gate *gate);
void gate_done(struct gate *gate);

/* Parent of create: makes it, before clone; and gives it its name when the child is ready. */
_must_check_ int gate_make(struct start *s, struct err *err);
_must_check_ int gate_show(struct start *s, struct err *err);

/*
 * Child: waits, for as long as it takes, for the word to start. Afterwards the page and the channel
 * are those of whoever gave it.
 */
void gate_wait(struct start *s);

/* `start`: connects, with memory for both, and gives the word. */
_must_check_ int gate_knock(struct start *s, struct err *err);
/* Has the child taken it? Whether it can be, or has been, taken back. */
bool gate_is_taken(const struct start *s);
bool gate_revoke(struct start *s);

/* Others: does a created container still wait there? If not it is being started, or has ended. */
_must_check_ int gate_ask(const struct state_entry *entry, bool *ret_waits, struct err *err);

#endif
