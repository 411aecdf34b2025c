/*
 * Namespaces that are there already: by the number of a process that is in them, or as the plan
 * names them. In the parent, with the caller's rights.
 */
#ifndef HULL_START_NAMESPACE_H
#define HULL_START_NAMESPACE_H

#include <sys/types.h>

#include "plan/plan.h"
#include "state/state.h"

/*
 * That of a process, by its name in /proc/PID/ns; `proc_fd` is a procfs, or -EBADF for what is
 * mounted at /proc. The descriptor, or -errno without a text.
 */
_must_check_ int namespace_open(int proc_fd, pid_t pid, const char *name);

/* Is it one of the kind that the plan joins there, and may it be changed, if the plan changes it?
 */
_must_check_ int namespace_check(int fd, const struct plan_join *join, struct err *err);

/* Opens one to be joined, and checks it; that of a container is found in the store. */
_must_check_ int namespace_open_joined(const struct state_store *store,
				       const struct plan_join *join, int *ret_fd, struct err *err);

#endif
