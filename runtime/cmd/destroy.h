/* Removing a container whole: what delete does, and start when the specification says so. */
#ifndef HULL_CMD_DESTROY_H
#define HULL_CMD_DESTROY_H

#include "cmd/cmd.h"

enum destroy_flags {
	DESTROY_STOPPED = 0,
	DESTROY_BY_FORCE = 1u << 0, /* whatever hooks of others are still about */
};

/*
 * Kills what is left of it, removes its cgroup, runs its poststop hooks and removes its state. The
 * entry is locked. When anything fails the state stays, and the next attempt can go on.
 */
_must_check_ int destroy_container(struct cmd *cmd, struct state_entry *entry, struct state *state,
				   unsigned flags, struct err *err);

#endif
