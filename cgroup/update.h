/*
 * New limits for a cgroup in which a container runs already. The limits themselves are planned and
 * written as at a start (cgroup.h); here is what differs.
 */
#ifndef HULL_CGROUP_UPDATE_H
#define HULL_CGROUP_UPDATE_H

#include "cgroup/cgroup.h"

/*
 * Completes what makes sense only in pairs by what is in force: a CPU quota without its period and
 * the other way round, and a total of memory and swap without the limit of memory. EBUSY when
 * memory.checkBeforeUpdate is asked for and more is used than the new limit.
 */
_must_check_ int cgroup_complete_resources(int fd, struct spec_resources *resources,
					   struct err *err);

/* Enables the plan's controllers for an existing cgroup; a missing one is ENODEV and named. */
_must_check_ int cgroup_enable(const struct cgroup_root *root, const char *path,
			       const struct cgroup_plan *plan, struct err *err);

/*
 * For as long as a process of hull's is in the cgroup, which must not count: no limit of processes,
 * and then the plan's again. Nothing where the plan has none.
 */
_must_check_ int cgroup_lift_pids(int fd, const struct cgroup_plan *plan, struct err *err);
_must_check_ int cgroup_limit_pids(int fd, const struct cgroup_plan *plan, struct err *err);

struct cgroup_update {
	const struct cgroup_plan *plan;
	bool has_devices; /* its device program counts, too; none: everything is allowed */
	/* Somebody else who must agree when all is written; NULL: nobody. */
	int (*agree)(void *context, struct err *err);
	void *context;
};

/*
 * Writes the plan's limits; its device program takes the place of the earlier one, in one step
 * . When anybody refuses anything, what was written before is taken back, and the limits are
 * the old ones.
 */
_must_check_ int cgroup_update(int fd, const struct cgroup_update *wanted, struct arena *arena,
			       struct err *err);

#endif
