/*
 * Child, stage 5: from here on only what the plan gives.
 *
 * The order is the point. no_new_privs first, so that nothing after it can be regained by
 * an execve; the bounding set while CAP_SETPCAP is there; groups before the user, since they need
 * privilege; capabilities after the user, since the change of user clears them. The working
 * directory is entered with the full rights, or else with the user's: then the root's descriptor,
 * the last one of the file system, is closed. Where
 * no_new_privs is off, CAP_SYS_ADMIN stays until execve so that the seccomp filter can be the very
 * last step: the sets after execve do not depend on it.
 * Must not: go on after any failure.
 */
#include "start/steps.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/capability.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

static int set_no_new_privs(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	if (process->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot set no_new_privs");
	return 0;
}

static int set_personality(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	if (!process->has_personality || personality(process->personality) >= 0)
		return 0;
	int r = err_sys(err, errno, "cannot set the personality");
	err_at(err, process->personality_at);
	return r;
}

static int drop_bounding(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	for (int cap = 0; cap < 64; cap++) {
		if (!(process->caps_drop & CAP_BIT(cap)))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			int r = err_sys(err, errno,
					"cannot drop capability %d from the bounding set", cap);
			err_at(err, process->caps_at);
			return r;
		}
	}
	return 0;
}

/* Where nobody may set groups, those of the caller stay: they may also deny something. */
bool drop_keeps_groups(const struct start *s)
{
	return s->plan->process.groups_n == 0 &&
	       (s->plan->user.denies_setgroups || atomic_load(&s->channel.page->keeps_groups));
}

/* Until execve, to load the filter. */
uint64_t drop_extra_caps(const struct start *s)
{
	return s->filter.insns && !s->plan->process.no_new_privs ? CAP_BIT(CAP_SYS_ADMIN) : 0;
}

static int set_user(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	int r = 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		r = err_sys(err, errno, "cannot keep capabilities while changing the user");
	else if (!drop_keeps_groups(s) && setgroups(process->groups_n, process->groups) < 0)
		r = err_sys(err, errno, "cannot set %zu additional groups", process->groups_n);
	else if (setresgid(process->gid, process->gid, process->gid) < 0)
		r = err_sys(err, errno, "cannot become group %u", process->gid);
	else if (setresuid(process->uid, process->uid, process->uid) < 0)
		r = err_sys(err, errno, "cannot become user %u", process->uid);
	if (r < 0)
		err_at(err, process->user_at);
	return r < 0 ? r : isolate_hide(err);
}

/* The raw sets; the flags of libcap's own calls would allocate. */
static int set_capabilities(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	uint64_t extra = drop_extra_caps(s);
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint64_t effective = process->caps[PLAN_CAP_EFFECTIVE] | extra;
	uint64_t permitted = process->caps[PLAN_CAP_PERMITTED] | extra;

	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective = (uint32_t)(effective >> (32 * i));
		data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(process->caps[PLAN_CAP_INHERITABLE] >> (32 * i));
	}
	if (capset(&header, data) < 0) {
		int r = err_sys(err, errno, "cannot set the capabilities");
		err_at(err, process->caps_at);
		return r;
	}
	return 0;
}

static int raise_ambient(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot clear the ambient capabilities");
	for (int cap = 0; cap < 64; cap++) {
		if (!(process->caps[PLAN_CAP_AMBIENT] & CAP_BIT(cap)))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0) {
			int r = err_sys(err, errno, "cannot make capability %d ambient", cap);
			err_at(err, process->caps_at);
			return r;
		}
	}
	return 0;
}

/* ---- the order ---- */

static int restore_umask(struct start *s, struct err *err _unused_)
{
	const struct plan_process *process = &s->plan->process;
	umask(process->has_umask ? process->umask : s->caller_umask);
	return 0;
}

static int close_root(struct start *s, struct err *err _unused_)
{
	fd_close(&s->root_fd);
	return 0;
}

/* Why each stands where it stands is said at the top of this file. */
int drop_privileges(struct start *s, struct err *err)
{
	static int (*const steps[])(struct start *, struct err *) = {
		restore_umask, set_no_new_privs, set_personality, memory_policy_set,
		drop_bounding, cwd_try,          set_user,        cwd_enter,
		close_root,    set_capabilities, raise_ambient,   verify_privileges,
	};
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = steps[i](s, err);
		if (r < 0)
			return r;
	}
	return 0;
}
