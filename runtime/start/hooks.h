/*
 * Hooks: which run when, what they are told, and what their failure does. The kinds of the
 * runtime's side run in the parent, those of the container's in the child; hook_run.h runs one.
 */
#ifndef HULL_START_HOOKS_H
#define HULL_START_HOOKS_H

#include "start/start.h"

/*
 * Runs the hooks of one kind in the parent, up to the first that fails. A signal that ends a start
 * ends them too, whether the program runs already or not; it is then in `result`.
 */
_must_check_ int hooks_run(struct start *s, enum plan_hook_kind kind, struct start_result *result,
			   struct err *err);

/* Parent, before clone: the texts for the hooks that the child runs, which may not make them. */
void hooks_prepare(struct start *s);

/* Child, last of all: in the container, as its user, with its filter and nothing more. */
_must_check_ int hooks_start(struct start *s, struct err *err);

/* Child: the environment is complete. Waits for the parent's hooks, then runs its own. */
_must_check_ int hooks_create(struct start *s, struct err *err);

/* After the end, for `run` and for `delete`. */
struct hooks_poststop {
	const struct plan_hooks *hooks;
	struct state_entry *entry; /* locked */
	struct state *state;
	struct arena *arena;
	struct spec_problems *warnings; /* takes the failures: they stop nothing (S-049) */
	struct start *start;            /* whose signals end a hook; NULL: hull's own do */
};

/*
 * Marks the container as destroyed and runs its poststop hooks, all of them; meanwhile the entry is
 * not locked. 0: the state can go. 1: it is gone already. EBUSY: somebody else runs them.
 */
_must_check_ int hooks_run_poststop(const struct hooks_poststop *p, struct err *err);

#endif
