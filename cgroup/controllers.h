/*
 * Inside of cgroup/: controllers of one cgroup, for those below it. A failure names the controller,
 * the cgroup and the reason.
 */
#ifndef HULL_CGROUP_CONTROLLERS_H
#define HULL_CGROUP_CONTROLLERS_H

#include "cgroup/cgroup.h"

/* A cgroup: its directory, and its path as the first `size` bytes of `path`; 0: the mount. */
struct controllers_place {
	int fd;
	const char *path;
	size_t size;
};

/* Enables those of the plan (NULL: none) that are not enabled yet. */
_must_check_ int controllers_enable(const struct controllers_place *at,
				    const struct cgroup_plan *plan, struct err *err);

/* Whether one could be enabled, as far as can be seen; nothing is changed. */
_must_check_ int controllers_foresee(const struct controllers_place *at, const char *controller,
				     struct err *err);

#endif
