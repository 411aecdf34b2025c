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

/*
 * Removes the empty cgroups at the end of the path's first `done` bytes, upwards, but nothing of
 * its first `kept` bytes. It ends without an error at one that is in use: whoever uses it has it
 * now.
 */
int path_prune(int root, const char *path, size_t done, size_t kept);

/*
 * Gives the cgroup the modes back that the kernel had made it with. Without privilege over the host
 * a container's root is its owner like the caller, and may have closed it to both (chmod 000).
 */
int path_regain(int fd);

/* How many bytes of the path are hull's home, "/hull", which is never removed; 0: it is elsewhere.
 */
size_t path_home_size(const char *path);

/*
 * Waits until that number in the file of the cgroup `fd` is `wanted`, by the kernel's events.
 * -ETIMEDOUT at the deadline (clock_ms()), -ENOENT or -ENODEV when the cgroup is gone.
 */
int path_wait_event(int fd, const char *key, int wanted, int64_t deadline);

#endif
