/*
 * What a cgroup has counted: numbers of its files and of those above it, for whoever wants to know
 * how a container fared. Reading costs three system calls a file, one when it does not exist.
 */
#ifndef HULL_CGROUP_EVENTS_H
#define HULL_CGROUP_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#define CGROUP_NUMBER_NONE UINT64_MAX       /* no such file or key, or it cannot be read */
#define CGROUP_NUMBER_MAX  (UINT64_MAX - 1) /* the file says "max" */

/* How many cgroups there are above one with this path (normal form), below the mount. */
unsigned cgroup_count_parents(const char *path);

/* The number in a file of the cgroup `up` levels above the one at `fd` (0: that one). */
uint64_t cgroup_read_number(int fd, unsigned up, const char *file);

/* The number behind a key in such a file: "oom_kill" of memory.events. */
uint64_t cgroup_read_event(int fd, unsigned up, const char *file, const char *key);

/* Several of one file, by one reading. */
void cgroup_read_events(int fd, unsigned up, const char *file, const char *const *keys, size_t n,
			uint64_t *ret);

/* The number behind a key in the text of such a file. */
uint64_t cgroup_find_event(const char *text, const char *key);

#endif
