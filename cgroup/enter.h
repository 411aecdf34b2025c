/*
 * The cgroup that one more process of a container enters: the container's own, one below it, or
 * where the container's first process has gone itself. All are opened below the container's, so
 * that no name leads out of it. And what is asked of a cgroup that is there.
 */
#ifndef HULL_CGROUP_ENTER_H
#define HULL_CGROUP_ENTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "cgroup/cgroup.h"

/*
 * Opens an existing cgroup by its path, for who needs the mount for nothing else. ENOENT: it is
 * gone, or there is no cgroup2 mount.
 */
_must_check_ int cgroup_find(const char *path, int *ret_fd, struct err *err);

/* Opens the cgroup `path` below the one at `fd`; slashes at its start mean nothing. */
_must_check_ int cgroup_open_below(int fd, const char *path, int *ret_fd, struct err *err);

/*
 * Where below the cgroup `path` (normal form) the process is, as in "/init"; "": in that one
 * itself. EXDEV: it is elsewhere.
 */
_must_check_ int cgroup_find_process(const char *path, pid_t pid, char *ret, size_t size,
				     struct err *err);

/* Opens the cgroup in which the process is; `path` is that of `fd`. */
_must_check_ int cgroup_open_of_process(int fd, const char *path, pid_t pid, int *ret_fd,
					struct err *err);

/*
 * The cgroup in a text of /proc/PID/cgroup, which is not terminated: its size in *ret_size. NULL:
 * there is none.
 */
const char *cgroup_of_process(const char *text, size_t *ret_size);

/* Does hull itself run in the cgroup of the path's first `size` bytes, or below it? */
bool cgroup_has_caller(const char *path, size_t size);

/* Whether it is being frozen, or is frozen by a cgroup above it. */
bool cgroup_is_frozen(int fd);

#endif
