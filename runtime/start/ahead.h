/* The container's network namespace, made while hull does other things: see ahead.c. */
#ifndef HULL_START_AHEAD_H
#define HULL_START_AHEAD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

struct start;

struct ahead {
	bool is_used;       /* it comes from here, and not from clone3 */
	int pidfd;          /* who makes it, until it has ended */
	_Atomic int result; /* a descriptor, which is ours then; or -errno */
};

void ahead_init(struct ahead *ahead);
/* Waits for whoever makes it. */
void ahead_done(struct ahead *ahead);

/* Parent, a step: begins. Without the rights or another process, clone3 is left to make it. */
_must_check_ int ahead_begin(struct start *s, struct err *err);
/* Parent, once the child is there: passes it on. It stays open where hull has to do with it. */
_must_check_ int ahead_pass(struct start *s, struct err *err);
/* Child: waits for it, and enters it. */
_must_check_ int ahead_enter(struct start *s, struct err *err);

#endif
