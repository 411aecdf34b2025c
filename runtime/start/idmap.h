/* Maps that only a helper with privilege may write: newuidmap(1) and newgidmap(1). */
#ifndef HULL_START_IDMAP_H
#define HULL_START_IDMAP_H

#include "start/start.h"

/* Parent: has the helper write this map, one of plan->user's, for the child. */
_must_check_ int idmap_run_helper(const struct start *s, const struct plan_id_map *map,
				  struct err *err);

#endif
