/*
 * The kernel's file system resctrl, by which caches and memory bandwidth are shared out: classes of
 * service (directories of its root) with monitoring groups in them. All but the first function take
 * a descriptor of its root, or of a class, and so can be tested on a tree of plain files.
 */
#ifndef HULL_START_RESCTRL_H
#define HULL_START_RESCTRL_H

#include <stdbool.h>
#include <sys/types.h>

#include "plan/plan.h"

/* Its root, where everybody mounts it. ENODEV, with a hint: it is not mounted. */
_must_check_ int resctrl_open(int *ret_root, struct err *err);

/* 1: the class is there; 0: it is not. */
_must_check_ int resctrl_has_class(int root, const char *class, struct err *err);

/*
 * Opens the class that is there. EAGAIN: somebody has removed it since resctrl_has_class().
 */
_must_check_ int resctrl_join(int root, const struct plan_rdt *rdt, int *ret_class,
			      struct err *err);
/*
 * Makes the class that is missing, if it may be made (S-188, S-192): *ret_made, which is right also
 * after a failure. EAGAIN: somebody has made it since.
 */
_must_check_ int resctrl_make(int root, const struct plan_rdt *rdt, bool *ret_made, int *ret_class,
			      struct err *err);

/* Opens a class that is there. */
_must_check_ int resctrl_open_class(int root, const char *class, int *ret_class, struct err *err);

/* Writes the schemata of a class that was made, compares those of another one (S-189, S-191). */
_must_check_ int resctrl_configure(int root, int class, const struct plan_rdt *rdt, bool made,
				   struct err *err);

/*
 * The first line of `text` that is not in `have`, the schemata of a class; lines of `later` (or
 * NULL) replace those of the same resource. NULL: it has them all.
 */
const char *resctrl_find_difference(const char *have, const char *text, const char *later,
				    size_t *ret_size);

/* Other schemata for a class that is there. What it had goes to *ret_old, to be written back when
 * another part of the update fails, or this one (NULL: it is as it was). */
_must_check_ int resctrl_change(int root, const char *class, const char *text, struct arena *arena,
				const char **ret_old, struct err *err);
_must_check_ int resctrl_change_back(int root, const char *class, const char *old, struct err *err);

/* Is there such a monitoring group? Then it is somebody else's. */
bool resctrl_has_group(int class, const char *id);

/* Makes the monitoring group. EEXIST: there is one already. */
_must_check_ int resctrl_monitor(int class, const char *id, struct err *err);

/* What resctrl_join() or resctrl_make(), resctrl_configure() and resctrl_monitor() would say of
 * what is there; nothing is made or written. */
_must_check_ int resctrl_foresee(int root, const struct plan_rdt *rdt, struct err *err);

/* The process, and all that it makes from then on, is in the class, and in the group if there is
 * one (NULL: none). ESRCH: it is gone. */
_must_check_ int resctrl_assign(int class, const char *id, pid_t pid, struct err *err);

/* What of it is a container's own, and goes with it. */
struct resctrl_left {
	const char *class; /* NULL: nothing */
	const char *id;
	bool is_monitored; /* the monitoring group */
	bool is_owned;     /* the class itself */
	bool is_named;     /* by closID: others may have joined it, and then it is left to them */
	/* Which directory the class is: another one of its name is left alone. 0: that was not
	 * noted, and it goes only if nobody is in it. */
	uint64_t ino;
};
/* Removes it; what is not there any more is removed. */
_must_check_ int resctrl_remove(int root, const struct resctrl_left *left, struct err *err);

/* The same, wherever resctrl is mounted; if it is not, nothing is left. */
_must_check_ int resctrl_clean(const struct resctrl_left *left, struct err *err);

#endif
