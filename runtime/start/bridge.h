/* A container's place on a bridge (--net bridge): taken by a start, given back by who ends it. */
#ifndef HULL_START_BRIDGE_H
#define HULL_START_BRIDGE_H

#include "start/start.h"

/*
 * The steps of the parent: finds or makes the bridge and takes an address, before the container is
 * made; lays the cable, when its network namespace is there.
 */
_must_check_ int bridge_prepare(struct start *s, struct err *err);
_must_check_ int bridge_lay(struct start *s, struct err *err);

/*
 * Gives back what the container of that id has on any bridge, and removes a bridge that hull has
 * made with the last container. Its state is locked and still there. Nothing to give back is no
 * error.
 */
_must_check_ int bridge_release(int store_fd, const char *id, int timeout_ms, struct err *err);

/* What names of other hosts a container there should ask for, as resolv.conf(5) (resolv.c). */
_must_check_ int resolv_write(const struct start *s, struct err *err);

#endif
