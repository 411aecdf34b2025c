/*
 * HOME for a program whose environment has none: the home directory that the container's
 * /etc/passwd gives to the user id. Nothing else of that file is used, and no name is looked up
 * . Child only: fixed buffers, no allocation.
 */
#ifndef HULL_START_HOME_H
#define HULL_START_HOME_H

#include <stddef.h>
#include <sys/types.h>

#include "base/defer.h"

/*
 * Writes "HOME=/path" into buf; "HOME=/" when the file, or the user in it, is missing. 0, or -errno
 * when there is a file that cannot be read. `proc_fd` is hull's own procfs.
 */
_must_check_ int home_find(int root_fd, int proc_fd, uid_t uid, char *buf, size_t size);

/* The home directory of `uid` in the text of a passwd file; false when it has none. Pure. */
_Bool home_parse_line(const char *line, size_t line_size, uid_t uid, char *buf, size_t size);

#endif
