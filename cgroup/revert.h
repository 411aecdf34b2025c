/*
 * Inside of cgroup/: what a write to a cgroup file has to be followed by to have been none. Pure
 * but for the reading of the file; runs in `hull update`.
 */
#ifndef HULL_CGROUP_REVERT_H
#define HULL_CGROUP_REVERT_H

#include "cgroup/cgroup.h"

struct revert {
	const char *file, *value; /* value NULL: the file does not say what stood there */
};

/* What must be written back once `value` is in the file; asked before that. */
void revert_read(int fd, const char *file, const char *value, struct arena *arena,
		 struct revert *ret);

/* The same from the file's text. NULL: not known. */
const char *revert_value(const char *file, const char *text, const char *value,
			 struct arena *arena);

/* The last one first. The first file that could not be set back, or NULL. */
const struct revert *revert_all(int fd, const struct revert *v, size_t n);

#endif
