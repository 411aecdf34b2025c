/* Ways to show the processes of a container, for `hull ps`. */
#ifndef HULL_CMD_PS_WIDE_H
#define HULL_CMD_PS_WIDE_H

#include "base/str.h"
#include "cgroup/procs.h"

/* --format wide: as a tree, for people, and free to change. */
void ps_print_wide(const struct cgroup_pids *pids, struct arena *arena, struct str *out);

#endif
