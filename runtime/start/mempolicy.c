/*
 * Child, stage 5: from which memory nodes the program gets its pages (S-196). It is in its cgroup
 * by now, whose cpuset is the whole of what a policy can choose from: the kernel takes those nodes
 * that are in both and leaves the others out in silence, so that is read back.
 */
#include "start/steps.h"

#include <linux/mempolicy.h>
#include <sched.h>

#include "start/sys.h"

static const char *const cpuset_hint =
	"the cgroup does not allow all of these nodes (cpuset, linux.resources.cpu.mems), or they "
	"have no memory";

static int not_set(const struct plan_memory_policy *policy, int code, struct err *err)
{
	err_sys(err, code, "cannot set the memory policy %s",
		str_name_of(spec_memory_modes, policy->mode));
	if (code == EINVAL && policy->mode > MPOL_PREFERRED_MANY)
		err_hint(err, "MPOL_WEIGHTED_INTERLEAVE needs Linux 6.9; or %s", cpuset_hint);
	else if (code == EINVAL)
		err_hint(err, "%s", cpuset_hint);
	err_at(err, policy->at);
	return -code;
}

/* With flags the nodes mean those that are allowed at any time; the preferred one may be another.
 */
static bool is_exact(const struct plan_memory_policy *policy)
{
	return CPU_COUNT(&policy->nodes) > 0 && policy->mode != MPOL_PREFERRED &&
	       !(policy->flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES));
}

static int check(const struct plan_memory_policy *policy, struct err *err)
{
	cpu_set_t nodes;
	CPU_ZERO(&nodes);
	if (sys_get_mempolicy(&nodes, CPU_SETSIZE) < 0)
		return err_sys(err, errno, "cannot read the memory policy back");
	if (CPU_EQUAL(&nodes, &policy->nodes))
		return 0;
	err_say(err, ERR_HOST, EINVAL, "the kernel leaves out some of the memory nodes of %s",
		str_name_of(spec_memory_modes, policy->mode));
	err_hint(err, "%s", cpuset_hint);
	err_at(err, policy->at);
	return -EINVAL;
}

int memory_policy_set(struct start *s, struct err *err)
{
	const struct plan_memory_policy *policy = &s->plan->process.memory_policy;
	if (!policy->is_wanted)
		return 0;
	if (sys_set_mempolicy(policy->mode | (int)policy->flags, &policy->nodes, CPU_SETSIZE) < 0)
		return not_set(policy, errno, err);
	return is_exact(policy) ? check(policy, err) : 0;
}
