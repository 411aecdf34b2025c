/*
 * What of the plan the child needs after it has waited at its gate, in memory of its own: by then
 * all that was made of config.json is thrown away, so that a container which waits costs little.
 */
#ifndef HULL_START_PARK_H
#define HULL_START_PARK_H

#include "base/arena.h"
#include "plan/plan.h"
#include "seccomp/listen.h"

struct start;

struct park {
	struct arena arena;
	struct plan plan;
	struct seccomp_filter filter;
	struct seccomp_pair parts; /* of it, for a listener */
	const char *hook_state;    /* for startContainer hooks; or NULL */
};

void park_done(struct park *park);

/* Parent of create, before clone: copies it. */
_must_check_ int park_prepare(struct start *s, struct err *err);

/* Child: goes on with the copy, and gives the rest back to the kernel. */
void park_take(struct start *s);
/*
 * Right before it waits, in accept4(2) and the function `waits_in`: gives back what comes back by
 * itself, and what nobody will miss. From here on malloc must not be called.
 */
void park_shrink(const struct start *s, const void *waits_in);

#endif
