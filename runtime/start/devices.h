/* Devices of the host in a container's network namespace (linux.netDevices): there, and back. */
#ifndef HULL_START_DEVICES_H
#define HULL_START_DEVICES_H

#include "start/start.h"

/* Moves all of the plan, into the namespace of s->network. */
_must_check_ int devices_move(struct start *s, struct err *err);

/* They are the container's from now on (S-150). */
_must_check_ int devices_give(const struct start *s, struct err *err);

/* Of a start that failed: back they come; what cannot is a late warning. */
void devices_return(struct start *s);

/*
 * The same for whoever removes a container whose hull was killed during its start. Only an existing
 * network namespace, by its file or of another container, has outlived that; with one of its own
 * the kernel has returned hardware to the host and removed what is made by software. The entry is
 * locked.
 */
_must_check_ int devices_rescue(const struct state_entry *entry, struct arena *arena,
				struct err *err);

#endif
