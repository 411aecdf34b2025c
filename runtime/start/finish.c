/*
 * Parent, stage 9: whatever the start has made goes away again, in the order of R-086: processes,
 * cgroup, state. Called after success and after any failure; every part is tried even when one
 * before it failed, and what is left is said.
 */
#include "start/steps.h"

#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/fd.h"

#define FINISH_KILL_TIMEOUT_MS 10000

static void kill_child(struct start *s)
{
	if (s->pid <= 0)
		return;
	(void)!pidfd_send_signal(s->pidfd, SIGKILL, NULL, 0);
	(void)!waitid(P_PIDFD, (id_t)s->pidfd, &(siginfo_t) { 0 }, WEXITED);
	/* A child that had moved but was not followed yet is a child of ours all the same. */
	pid_t moved = atomic_load(&s->channel.page->moved_pid);
	if (moved > 0 && moved != s->pid) {
		(void)!kill(moved, SIGKILL);
		(void)!waitid(P_PID, (id_t)moved, &(siginfo_t) { 0 }, WEXITED);
	}
	s->pid = 0;
}

static int remove_cgroup(struct start *s, struct err *err)
{
	if (s->cgroup_fd < 0)
		return 0;
	int r = 0;
	/* A pid namespace of its own has died with its first process. */
	if (!(s->plan->ns.clone_flags & CLONE_NEWPID))
		r = cgroup_kill(s->cgroup_fd, FINISH_KILL_TIMEOUT_MS, err);
	fd_close(&s->cgroup_fd);
	if (r == 0 && s->cgroup_made)
		r = cgroup_remove(&s->cgroup_root, s->plan->cgroup_path, err);
	return r;
}

static int remove_state(struct start *s, bool keep, struct err *err)
{
	if (s->entry.fd < 0)
		return 0;
	int r = state_relock(&s->entry, err);
	if (r == -ENOENT)
		return 0; /* `delete --force` was faster */
	if (r < 0)
		return r;
	if (!keep)
		return state_remove(&s->entry, err);
	s->state.status = STATE_STOPPED;
	return state_write(&s->entry, &s->state, err);
}

int finish(struct start *s, struct err *err)
{
	struct err later;
	bool ended = s->pid == 0 && s->pidfd >= 0;

	kill_child(s);
	int r = remove_cgroup(s, err);
	/* The state stays while something is left that it leads to. */
	if (r < 0)
		return r;
	int r2 = remove_state(s, ended && (s->plan->flags & PLAN_KEEP), &later);
	if (r2 < 0)
		*err = later;
	return r2;
}
