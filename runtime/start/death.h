/*
 * How a container came to its end, put together by the parent from what it saw itself, what the
 * cgroup counted and what the kernel logged. Nothing here can fail: what cannot be found out is
 * left open (state/exitinfo.h).
 */
#ifndef HULL_START_DEATH_H
#define HULL_START_DEATH_H

#include <sys/signalfd.h>

#include "start/start.h"

/* A signal has come: who sent it can be asked only now. */
void death_find_origin(const struct signalfd_siginfo *info, struct exitinfo_origin *ret);

/* hull forwards it. */
void death_note_forwarded(struct start *s, int signal, const struct exitinfo_origin *origin);

/* A step of the start: what the cgroups have counted so far. Never fails. */
_must_check_ int death_begin(struct start *s, struct err *err);

/*
 * Fills s->exit; the first process is dead and the cgroup still there. `failure` is what a start
 * failed with, and gets a cause when memory was it; NULL after one that succeeded.
 */
void death_examine(struct start *s, const struct start_result *result, struct err *failure);

/* `hull delete --force` has removed the container before us. */
void death_note_deleted(struct start *s);

#endif
