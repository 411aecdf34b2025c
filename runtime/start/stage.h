/*
 * The stage: a process between hull and the container, for what must happen after the caller's
 * namespaces and before the container's user namespace. It lives for a moment.
 */
#ifndef HULL_START_STAGE_H
#define HULL_START_STAGE_H

#include <linux/sched.h>

#include "start/start.h"

/*
 * Parent: makes the container's process by way of a stage; s->pid and s->pidfd are set. The process
 * goes on in child_main().
 */
_must_check_ int stage_clone(struct start *s, const struct clone_args *child, struct err *err);

/* Parent: waits until nothing of the stage is left, which it is long before a container ends. */
void stage_end(struct start *s);

/* Child: what the stage has attached, as detached trees in s->root_fd and s->mount_fds. */
_must_check_ int stage_take_trees(struct start *s, struct err *err);

/* Child: a detached tree of device `index` of the plan, or -errno. */
_must_check_ int stage_take_device(const struct start *s, size_t index);

#endif
