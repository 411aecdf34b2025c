/* The container's network namespace, made while hull does other things: see ahead.c. */
#ifndef HULL_START_AHEAD_H
#define HULL_START_AHEAD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

struct start;

enum ahead_maker {
	AHEAD_CLONE,  /* nobody ahead: clone3 makes it with the others, or none is wanted */
	AHEAD_BESIDE, /* a process beside hull */
	AHEAD_CHILD,  /* the child, once it is root of its user namespace */
};

struct ahead {
	enum ahead_maker maker;
	int pidfd;          /* the process beside hull, until it has ended */
	_Atomic int result; /* a descriptor, which is ours then; or -errno */
};

void ahead_init(struct ahead *ahead);
/* Waits for whoever makes it. */
void ahead_done(struct ahead *ahead);

/* Parent, a step: decides who makes it, and begins. */
_must_check_ int ahead_begin(struct start *s, struct err *err);
/* Parent, once the child is there: passes it on. It stays open where hull has to do with it. */
_must_check_ int ahead_pass(struct start *s, struct err *err);
/* Parent, before its network namespace is looked for by the child's number, here or by others:
 * until the child is in it. False: it is not, and what would be found is the host's. */
bool ahead_await(const struct start *s, int timeout_ms);
/* Child of a new user namespace that has its maps: makes it. */
_must_check_ int ahead_make(const struct start *s, struct err *err);
/* Child: waits for the one that was made beside hull, and enters it. */
_must_check_ int ahead_enter(struct start *s, struct err *err);

#endif
