/* Maps that only a helper with privilege may write: newuidmap(1) and newgidmap(1). */
#ifndef HULL_START_IDMAP_H
#define HULL_START_IDMAP_H

#include "start/start.h"

#define IDMAP_TIMEOUT_MS 10000 /* for both of them together */

/*
 * Parent: has the helper write this map, one of plan->user's, for the user namespace that our child
 * `whose` is in. `deadline`, of clock_ms(), is when it must have ended.
 */
_must_check_ int idmap_run_helper(const struct start *s, pid_t whose, const struct plan_id_map *map,
				  int64_t deadline, struct err *err);

#endif
