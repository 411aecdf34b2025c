/* Removing a container whole: what delete does, and start when the specification says so. */
#ifndef HULL_START_DESTROY_H
#define HULL_START_DESTROY_H

#include "state/state.h"

enum destroy_flags {
	DESTROY_BY_FORCE = 1u << 0, /* whatever hooks of others are still about */
};

struct start;

struct destroy {
	struct state_entry *entry; /* locked */
	struct state *state;
	struct arena *arena;
	struct spec_problems
		*warnings; /* takes what could not be put back, and hooks that failed */
	unsigned flags;
	struct start *start; /* whose signals end a poststop hook; NULL: hull's own do */
};

/*
 * Kills what is left of it, removes its cgroup, runs its poststop hooks and removes its state. When
 * anything fails the state stays, and the next attempt can go on.
 */
_must_check_ int destroy_container(const struct destroy *d, struct err *err);

#endif
