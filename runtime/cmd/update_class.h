/*
 * The part of `update` that concerns the container's class of service (start/resctrl.h).
 */
#ifndef HULL_CMD_UPDATE_CLASS_H
#define HULL_CMD_UPDATE_CLASS_H

#include "base/arena.h"
#include "state/state.h"

struct update_class {
	int root; /* of resctrl; to be closed */
	const char *name;
	const char *old; /* what is to be put back; NULL: nothing was changed */
};

/* Writes the schemata (NULL: none), if the class is the container's own. */
_must_check_ int update_class_write(struct update_class *ret, const struct state *state,
				    const char *text, struct arena *arena, struct err *err);

/* After a failure of another part, whose error is `err`. */
void update_class_undo(const struct update_class *class, struct err *err);

#endif
