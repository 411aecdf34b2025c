/*
 * Child, stage 6: from here on only what the plan gives.
 *
 * The order is the point. no_new_privs first, so that nothing after it can be regained by
 * an execve; the bounding set while CAP_SETPCAP is there; groups before the user, since they need
 * privilege; capabilities after the user, since the change of user clears them. Where
 * no_new_privs is off, CAP_SYS_ADMIN stays until execve so that the seccomp filter can be the very
 * last step: the sets after execve do not depend on it.
 * Must not: go on after any failure.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/capability.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

static int set_no_new_privs(const struct plan_process *process, struct err *err)
{
	if (process->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot set no_new_privs");
	return 0;
}

static int set_personality(const struct plan_process *process, struct err *err)
{
	if (!process->has_personality || personality(process->personality) >= 0)
		return 0;
	int r = err_sys(err, errno, "cannot set the personality");
	err_at(err, process->personality_at);
	return r;
}

static int drop_bounding(const struct plan_process *process, struct err *err)
{
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

static int set_user(const struct plan_process *process, struct err *err)
{
	int r = 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		r = err_sys(err, errno, "cannot keep capabilities while changing the user");
	else if (setgroups(process->groups_n, process->groups) < 0)
		r = err_sys(err, errno, "cannot set %zu additional groups", process->groups_n);
	else if (setresgid(process->gid, process->gid, process->gid) < 0)
		r = err_sys(err, errno, "cannot become group %u", process->gid);
	else if (setresuid(process->uid, process->uid, process->uid) < 0)
		r = err_sys(err, errno, "cannot become user %u", process->uid);
	if (r < 0)
		err_at(err, process->user_at);
	return r;
}

/* The raw sets; the flags of libcap's own calls would allocate. */
static int set_capabilities(const struct plan_process *process, uint64_t extra, struct err *err)
{
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

static int raise_ambient(const struct plan_process *process, struct err *err)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot clear the ambient capabilities");
	for (int cap = 0; cap < 64; cap++) {
		if (!(process->caps[PLAN_CAP_AMBIENT] & CAP_BIT(cap)))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0) {
			int r = err_sys(err, errno, "cannot make a capability ambient");
			err_at(err, process->caps_at);
			return r;
		}
	}
	return 0;
}

/*
 * The working directory is entered with the full rights, or else with those of the user (a
 * directory of a network file system may be closed to root), and must lie in the root. No error
 * text: what is in the page counts as the failure of the start, which the first try is not.
 */
static int enter_cwd(const struct start *s)
{
	_cleanup_close_ int fd = inroot_try(s->root_fd, s->plan->process.cwd, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	return fchdir(fd) < 0 ? -errno : 0;
}

static int cwd_failed(const struct start *s, int code, struct err *err)
{
	err_sys(err, code, "cannot enter the working directory '%s'", s->plan->process.cwd);
	err->flags |= ERR_ABOUT_PROGRAM;
	err_at(err, s->plan->process.cwd_at);
	return -code;
}

/* A directory that was moved out of the root meanwhile is none to work in. */
static int verify_cwd(const struct start *s, struct err *err)
{
	char path[4096];
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return cwd_failed(s, errno, err);
	return path[0] == '/' ? 0 : cwd_failed(s, ENOENT, err);
}

int drop_privileges(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;

	umask(process->has_umask ? process->umask : s->caller_umask);
	int r = set_no_new_privs(process, err);
	if (r == 0)
		r = set_personality(process, err);
	if (r == 0)
		r = drop_bounding(process, err);
	int cwd = r == 0 ? enter_cwd(s) : 0;
	if (r == 0)
		r = set_user(process, err);
	if (r == 0 && cwd < 0)
		cwd = enter_cwd(s);
	if (r == 0 && cwd < 0)
		r = cwd_failed(s, -cwd, err);
	if (r == 0)
		r = verify_cwd(s, err);
	if (r == 0 && s->plan->root.kind != PLAN_ROOT_CHROOT)
		fd_close(&s->root_fd);
	bool needs_admin = s->filter.insns && !process->no_new_privs;
	if (r == 0)
		r = set_capabilities(process, needs_admin ? CAP_BIT(CAP_SYS_ADMIN) : 0, err);
	return r < 0 ? r : raise_ambient(process, err);
}
