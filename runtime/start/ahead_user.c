/*
 * Parent, stage 1, and stage: a new user namespace that is there before the container's process is,
 * so that the network namespace that belongs to it can be made ahead as well (ahead.c). The helper
 * is born in it and waits until hull has written the maps; the stage enters it as the last thing
 * that it does, and what it then clones is as if clone3 had made it, too.
 *
 * From there the stage has no privilege over the host's files any more. What clone3 still needs of
 * them is to write to lists of processes, which an owner may: so this is for root, and where root
 * owns the cgroups. Until the helper begins a failure is no error: then clone3 makes the user
 * namespace and the child the network, as for everybody else, and what was wrong is said there.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "plan/plan.h"
#include "start/ahead.h"
#include "start/proc.h"
#include "start/steps.h"

/* ---- parent ---- */

bool ahead_can_have_user(const struct plan *plan)
{
	/* The stage joins it; but for a child that is to find an existing pid namespace first; and
	 * not when the container's cgroup will belong to its own root. */
	return plan->user.has_stage && !plan_unshares(plan) && !plan->delegates_cgroup &&
	       geteuid() == 0;
}

/* The helper is our child and not reaped: the number is nobody else's. */
int ahead_write_maps(struct start *s, pid_t helper)
{
	_cleanup_close_ int proc_fd = -EBADF;

	int r = proc_check_own(NULL);
	if (r == 0)
		r = proc_open_plain(&proc_fd, NULL);
	return r < 0 ? r : user_write_maps(s, proc_fd, helper, NULL);
}

/* Is the caller the owner of the cgroup's list of processes, and may write to it as that? */
static bool owns_processes(int cgroup_fd)
{
	struct stat st;
	return fstatat(cgroup_fd, "cgroup.procs", &st, 0) == 0 && st.st_uid == geteuid() &&
	       (st.st_mode & S_IWUSR);
}

/* What the kernel asks about is the container's cgroup and the first one that is above it and the
 * stage's own, which is one of those up to the root. */
static bool may_enter_cgroup(const struct start *s)
{
	struct stat root, st;

	if (s->cgroup_fd < 0)
		return true;
	if (fstat(s->cgroup_root.fd, &root) < 0)
		return false;
	_cleanup_close_ int fd = openat(s->cgroup_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && owns_processes(fd) && fstat(fd, &st) == 0) {
		if (st.st_ino == root.st_ino && st.st_dev == root.st_dev)
			return true;
		int above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		fd_close(&fd);
		fd = above;
	}
	return false;
}

int ahead_settle(struct start *s, struct err *err _unused_)
{
	if (ahead_has_user(s) && !may_enter_cgroup(s))
		ahead_give_up_user(&s->ahead);
	return 0;
}

bool ahead_has_user(const struct start *s)
{
	return s->ahead.maker == AHEAD_USER;
}

/* ---- stage ---- */

int ahead_join_user(struct start *s, struct err *err)
{
	if (!ahead_has_user(s))
		return 0;
	if (setns(s->ahead.user_fd, CLONE_NEWUSER) < 0) {
		int r = err_sys(err, errno, "cannot enter the container's user namespace");
		err_at(err, s->plan->user.at);
		return r;
	}
	fd_close(&s->ahead.user_fd);
	return isolate_hide(err);
}
