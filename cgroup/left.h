/* For who is not sure what is left of a cgroup: of one that others may have removed, or that a
 * start has made in part. */
#ifndef HULL_CGROUP_LEFT_H
#define HULL_CGROUP_LEFT_H

#include "cgroup/cgroup.h"

/* Whether it has been removed, although it is open at `fd`. */
bool cgroup_is_removed(int fd);

/* Removes it and its parents as far as they are empty, but nothing of the path's `kept` bytes. */
_must_check_ int cgroup_prune(const struct cgroup_root *root, const char *path, size_t kept,
			      struct err *err);

#endif
