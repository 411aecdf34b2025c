/*
 * Inside of cgroup/: opening cgroups by name, below the mount only. Descriptors come back as the
 * result, errors as -errno without a text, so that callers decide what is worth a message.
 */
#ifndef HULL_CGROUP_PATH_H
#define HULL_CGROUP_PATH_H

#include "cgroup/cgroup.h"

/* The directory `name`, one component, in `parent`. */
int path_open_child(int parent, const char *name);

/* The directory of a path in normal form, "/" too, below the cgroup2 mount. */
int path_open(int root, const char *path);

/* The directory above it; *ret_name is the path's last component. */
int path_open_parent(int root, const char *path, const char **ret_name);

/* The number behind a key in the text of cgroup.events; 0 when the key is missing. */
int path_event(const char *text, const char *key);

#endif
