/* tmpcopyup: a new tmpfs with the content of the directory that it covers. */
#ifndef HULL_START_COPYUP_H
#define HULL_START_COPYUP_H

#include "base/err.h"
#include "plan/plan.h"

/*
 * Child: gives the tmpfs `tree`, which is not attached yet, the content of the directory `from`,
 * which is opened for reading, and its owner and attributes. Its mode it has. 0, or -errno.
 */
_must_check_ int copyup_fill(const struct plan_mount *m, int from, int tree, struct err *err);

#endif
