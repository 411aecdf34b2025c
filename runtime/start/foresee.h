/*
 * What a start would meet on this host, found out without one: for `hull check`. The parent looks,
 * with the caller's rights, at what the plan names, and reports what is missing in the words of the
 * start itself, all of it at once. Nothing is made, mounted, written or locked.
 *
 * What depends on the container's own view, or on what hooks do, is passed over: no problem here is
 * no promise, but a problem here is one of a start.
 */
#ifndef HULL_START_FORESEE_H
#define HULL_START_FORESEE_H

#include "plan/plan.h"

struct foresee {
	const struct plan *plan;
	struct arena *arena;
	struct spec_problems *problems; /* takes what is found */
};

void foresee_start(const struct foresee *f);

/* ---- private to foresee*.c ---- */

void foresee_add(const struct foresee *f, const struct err *found);
void foresee_root(const struct foresee *f);   /* foresee_root.c: root, layers, mounts, program */
void foresee_limits(const struct foresee *f); /* foresee_try.c: sysctls, resource limits */

#endif
