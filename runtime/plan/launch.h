/*
 * The plan for the second half of a start (`hull start`): of a container that `create` has made,
 * from what stands in its state.
 */
#ifndef HULL_PLAN_LAUNCH_H
#define HULL_PLAN_LAUNCH_H

#include "plan/plan.h"
#include "state/state.h"

/*
 * As much of the plan as `start` needs. `config` is what the container was created with; it is
 * looked at only when the state says that it has a listener of seccomp, and else may be NULL.
 */
_must_check_ int plan_make_launch(const struct state *state, const struct spec *config,
				  const struct host *host, struct arena *arena, struct plan *ret,
				  struct err *err);

/*
 * The whole plan once more, to explain why a program could not be executed; or where that cannot be
 * made (`host` is NULL, or it cannot do it) as much of it as an explanation needs at least.
 */
void plan_make_again(const struct state *state, const struct spec *config, const struct host *host,
		     struct arena *arena, struct plan *ret);

#endif
