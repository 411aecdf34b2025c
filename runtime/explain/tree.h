/*
 * The file system of a container, seen from outside: names are opened below its root, and before a
 * start, when nothing is mounted there yet, in the sources of what would be. Runs in the parent;
 * through base/inroot.h only.
 */
#ifndef HULL_EXPLAIN_TREE_H
#define HULL_EXPLAIN_TREE_H

#include "plan/plan.h"

struct explain_tree {
	int root_fd;
	const struct plan_mount *mounts; /* that a start would make there */
	size_t mounts_n;                 /* 0: they are there */
};

#define TREE_UNKNOWN (-EUNATCH) /* only a start would show what is there */

/* Like inroot_try(), with TREE_UNKNOWN. */
_must_check_ int tree_open(const struct explain_tree *tree, const char *path, int flags);

/* Whether programs there may not be executed because of the mount's options. */
bool tree_is_noexec(const struct explain_tree *tree, const char *path, int fd);

#endif
