/*
 * Child, stage 5, the end: reads back from the kernel what the program is about to get.
 * That every call succeeded says little where something between hull and the kernel answers for it,
 * or a security module has its own view; a program with more rights than its config.json says must
 * not start.
 *
 * Should: be cheap: some eighty system calls that only read, each far below a microsecond.
 */
#include "start/steps.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#define CAP_BIT(cap) (UINT64_C(1) << (cap))
/* Of more groups only their number is compared: the kernel sorts them in an order of its own. */
#define VERIFY_GROUPS_MAX 1024

static int differs(const char *what, uint32_t at, struct err *err)
{
	err_say(err, ERR_HOST, EPERM, "the kernel does not report the %s that hull has set", what);
	err_hint(err, "nothing is started with other rights than its config.json gives; does "
		      "something between hull and the kernel answer for it?");
	err_at(err, at);
	return -EPERM;
}

static bool has_user(const struct plan_process *process)
{
	uid_t u[3];
	gid_t g[3];
	return getresuid(&u[0], &u[1], &u[2]) == 0 && getresgid(&g[0], &g[1], &g[2]) == 0 &&
	       u[0] == process->uid && u[1] == process->uid && u[2] == process->uid &&
	       g[0] == process->gid && g[1] == process->gid && g[2] == process->gid;
}

static bool has_groups(const struct plan_process *process)
{
	static gid_t found[VERIFY_GROUPS_MAX];
	int n = getgroups(0, NULL);
	if (n < 0 || (size_t)n != process->groups_n)
		return false;
	if (n > VERIFY_GROUPS_MAX)
		return true;
	if (getgroups(n, found) != n)
		return false;
	for (size_t i = 0; i < process->groups_n; i++) {
		int k = 0;
		while (k < n && found[k] != process->groups[i])
			k++;
		if (k == n)
			return false;
	}
	return true;
}

static bool has_capabilities(const struct plan_process *process, uint64_t extra)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint64_t effective = process->caps[PLAN_CAP_EFFECTIVE] | extra;
	uint64_t permitted = process->caps[PLAN_CAP_PERMITTED] | extra;
	uint64_t inheritable = process->caps[PLAN_CAP_INHERITABLE];

	if (capget(&header, data) < 0)
		return false;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if (data[i].effective != (uint32_t)(effective >> (32 * i)) ||
		    data[i].permitted != (uint32_t)(permitted >> (32 * i)) ||
		    data[i].inheritable != (uint32_t)(inheritable >> (32 * i)))
			return false;
	return true;
}

/* What was dropped must be gone: execve takes from it. */
static bool has_bounding(const struct plan_process *process)
{
	for (int cap = 0; cap < 64; cap++)
		if ((process->caps_drop & CAP_BIT(cap)) &&
		    prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 0)
			return false;
	return true;
}

/* Only what is inheritable can be ambient. */
static bool has_ambient(const struct plan_process *process)
{
	uint64_t wanted = process->caps[PLAN_CAP_AMBIENT];
	for (int cap = 0; cap < 64; cap++)
		if (((process->caps[PLAN_CAP_INHERITABLE] | wanted) & CAP_BIT(cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) !=
			    (wanted & CAP_BIT(cap) ? 1 : 0))
			return false;
	return true;
}

int verify_privileges(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;

	if (!has_user(process))
		return differs("user and group", process->user_at, err);
	if (!drop_keeps_groups(s) && !has_groups(process))
		return differs("additional groups", process->user_at, err);
	if (!has_capabilities(process, drop_extra_caps(s)))
		return differs("capabilities", process->caps_at, err);
	if (!has_bounding(process))
		return differs("bounding set of capabilities", process->caps_at, err);
	if (!has_ambient(process))
		return differs("ambient capabilities", process->caps_at, err);
	if (process->no_new_privs && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return differs("no_new_privs", 0, err);
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return differs("protection against tracing", 0, err);
	return 0;
}
