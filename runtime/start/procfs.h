/*
 * Opening a new procfs for the container, whose pid namespace the child may not be in yet.
 */
#ifndef HULL_START_PROCFS_H
#define HULL_START_PROCFS_H

#include "start/start.h"

/* fsopen("proc") for the container's pid namespace, new or joined: a descriptor or -errno. */
_must_check_ int procfs_open(struct start *s);

#endif
