/*
 * The children of this process, as the kernel lists them: those that it made, and orphans that came
 * to it. For whoever has to find what a hook or a container has left behind.
 */
#ifndef HULL_START_CHILDREN_H
#define HULL_START_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CHILDREN_MAX 8192

struct children {
	size_t n;
	bool is_cut; /* there are more: once some of these are reaped, a new list has others */
	pid_t v[CHILDREN_MAX];
};

/* None when the kernel has no such list. Their numbers are nobody else's until they are reaped. */
void children_list(struct children *ret);

bool children_have(const struct children *c, pid_t pid);

#endif
