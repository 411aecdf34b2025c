/* Stopping all processes of a cgroup and letting them go on. */
#ifndef HULL_CGROUP_FREEZE_H
#define HULL_CGROUP_FREEZE_H

#include "base/err.h"

/* Stops all of them and waits until they are (milliseconds). On failure they go on. */
_must_check_ int cgroup_freeze(int fd, int timeout_ms, struct err *err);

/* Lets them go on. EBUSY when a cgroup above it is frozen too. */
_must_check_ int cgroup_thaw(int fd, int timeout_ms, struct err *err);

#endif
