/* The processes of a cgroup and of all cgroups below it. */
#ifndef HULL_CGROUP_PROCS_H
#define HULL_CGROUP_PROCS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct cgroup_pids {
	pid_t *v;
	size_t n;
};

/* Their numbers, as the caller sees them; those that it cannot see are missing. */
_must_check_ int cgroup_list_processes(int fd, struct arena *arena, struct cgroup_pids *ret,
				       struct err *err);

/*
 * Sends a signal to each of them once, also to those that are made meanwhile, and to no other
 * process that gets the number of one that has ended. EBUSY: they are made too fast.
 */
_must_check_ int cgroup_signal_all(int fd, int signal, struct err *err);

/* Kills all of them at once, frozen ones too; waits only to learn whether it has. `stays` as in
 * cgroup_kill(). */
_must_check_ int cgroup_kill_all(int fd, bool stays, struct err *err);

#endif
