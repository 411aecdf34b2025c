/*
 * Parent, stages 1 and 2, and stage: a new user namespace that is there before the container's
 * process is, so that the network namespace that belongs to it can be made ahead as well (ahead.c).
 * The helper is born in it and waits until hull has written the maps; the stage enters it as the
 * last thing that it does, and what it then clones is as if clone3 had made it.
 *
 * For hull of root only, whose processes own what they have no privilege over from then on. Where
 * it cannot be done, nothing is said: the child makes it itself, as for everybody else, and that
 * says what is wrong.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "start/ahead.h"
#include "start/namespace.h"
#include "start/proc.h"
#include "start/steps.h"
#include "start/sys.h"

#define AHEAD_DEPTH 64 /* of cgroups that are looked at */

/* ---- parent ---- */

void ahead_give_up_user(struct ahead *ahead)
{
	(void)pidfd_end(ahead->pidfd, AHEAD_WAIT_MS);
	fd_close(&ahead->pidfd);
	int fd = atomic_exchange(&ahead->result, -ECANCELED);
	fd_close(&fd);
	fd_close(&ahead->user_fd);
	ahead->maker = AHEAD_CHILD;
}

/* It is our child and not reaped: the number is nobody else's. */
int ahead_give_maps(struct start *s, pid_t helper)
{
	_cleanup_close_ int proc_fd = -EBADF;
	struct err unsaid = { 0 };

	int r = proc_check_own(&unsaid);
	if (r == 0)
		r = proc_open_plain(&proc_fd, &unsaid);
	if (r == 0)
		r = user_write_maps(s, proc_fd, helper, &unsaid);
	if (r == 0)
		r = s->ahead.user_fd = namespace_open(proc_fd, helper, "user");
	if (r < 0)
		return r;
	atomic_store(&s->ahead.may_begin, 1);
	(void)syscall(SYS_futex, &s->ahead.may_begin, FUTEX_WAKE_PRIVATE, 1);
	return 0;
}

/* Is the caller the owner of the list of processes, and may write to it as that? */
static bool owns_processes(int fd, const char *list)
{
	struct stat st;
	return fstatat(fd, list, &st, 0) == 0 && st.st_uid == geteuid() && (st.st_mode & S_IWUSR);
}

static bool is_cgroup_root(const struct start *s, const char *dir)
{
	struct stat root, st;
	return fstat(s->cgroup_root.fd, &root) == 0 && fstatat(s->cgroup_fd, dir, &st, 0) == 0 &&
	       st.st_ino == root.st_ino && st.st_dev == root.st_dev;
}

/*
 * Who has joined a user namespace has no privilege over the files of those above it. What is left
 * is to be their owner: of the container's cgroup, and of the first one that is above it and the
 * stage's own, which is one of the cgroups up to the root.
 */
static bool may_enter_cgroup(const struct start *s)
{
	static const char list[] = "cgroup.procs";
	char name[3 * AHEAD_DEPTH + sizeof(list)];

	if (s->cgroup_fd < 0)
		return true;
	for (size_t n = 0; n < 3 * AHEAD_DEPTH; n += 3) {
		memcpy(name + n, list, sizeof(list));
		if (!owns_processes(s->cgroup_fd, name))
			return false;
		memcpy(name + n, ".", sizeof("."));
		if (is_cgroup_root(s, name))
			return true;
		memcpy(name + n, "../", 3);
	}
	return false;
}

void ahead_settle(struct start *s)
{
	if (s->ahead.maker == AHEAD_USER && !may_enter_cgroup(s))
		ahead_give_up_user(&s->ahead);
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
