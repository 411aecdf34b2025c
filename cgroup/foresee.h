/*
 * What cgroup_create() would meet, as far as it can be seen without making anything: for
 * `hull check`.
 */
#ifndef HULL_CGROUP_FORESEE_H
#define HULL_CGROUP_FORESEE_H

#include "cgroup/cgroup.h"

/* Whether this controller can be had for the cgroup `path`; NULL: whether that one can be made. */
_must_check_ int cgroup_foresee(const struct cgroup_root *root, const char *path,
				const char *controller, struct err *err);

#endif
