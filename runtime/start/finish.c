/*
 * Parent, stage 9: whatever the start has made goes away again, in the order of R-086: processes,
 * cgroup, poststop hooks, state. Called after success and after any failure. Under the lock, since
 * a `delete --force` may have done all of it already, for others to use the names anew.
 */
#include "start/steps.h"

#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "cgroup/left.h"
#include "start/bridge.h"
#include "start/children.h"
#include "start/death.h"
#include "start/devices.h"
#include "start/hooks.h"

#define FINISH_REAP_TRIES 100 /* of 10 ms, for a tracer of what has died */

static bool has_pid_namespace(const struct start *s)
{
	return s->plan->ns.clone_flags & CLONE_NEWPID;
}

/*
 * Not reaped yet, so that its number is nobody else's. A tracer may hold a dead process for as long
 * as it likes: then it is not waited for, and goes to init with us.
 */
static void kill_and_reap(pid_t pid, int pidfd, int timeout_ms)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

	if (pidfd_end(pidfd, timeout_ms))
		return;
	(void)!kill(pid, SIGKILL);
	for (int i = 0; i < FINISH_REAP_TRIES; i++) {
		siginfo_t info = { 0 };
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) < 0 || info.si_pid)
			return;
		nanosleep(&pause, NULL);
	}
}

static void kill_child(struct start *s)
{
	if (s->pid <= 0)
		return;
	/* Others of the container may trace it. */
	if (!has_pid_namespace(s) && s->cgroup_fd >= 0)
		(void)!cgroup_kill(s->cgroup_fd, state_cgroup_existed(&s->state),
				   state_time_left(&s->entry, STATE_BY_KILL), NULL);
	kill_and_reap(s->pid, s->pidfd, state_time_left(&s->entry, STATE_BY_KILL));
	/* A child that had moved but was not followed yet is a child of ours all the same. */
	pid_t moved = channel_moved(&s->channel);
	if (moved > 0 && moved != s->pid) {
		_cleanup_close_ int pidfd = pidfd_open(moved, 0);
		kill_and_reap(moved, pidfd, state_time_left(&s->entry, STATE_BY_KILL));
	}
	s->pid = 0;
}

void finish_processes(struct start *s)
{
	fd_close(&s->channel.parent_fd); /* whoever listens gives up */
	if (s->channel.page)
		kill_child(s);
	pid_file_undo(s);
}

/* ---- what neither a pid namespace nor a cgroup ends ---- */

static bool same_namespace(pid_t pid, const char *name)
{
	char path[64];
	struct stat mine, its;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (stat(path, &mine) < 0)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	return stat(path, &its) < 0 || (mine.st_ino == its.st_ino && mine.st_dev == its.st_dev);
}

/*
 * Orphans of the container have become children of hull (start_open_signals). Hooks may leave some,
 * too, and hull's caller, but those live in the caller's namespaces: a process of the container
 * cannot go back there. The dead are reaped by the way. Whether there was, or may be, anybody.
 */
static bool kill_orphans(void)
{
	struct children children;
	children_list(&children);
	bool found = children.is_cut;
	for (size_t i = 0; i < children.n; i++) {
		pid_t pid = children.v[i];
		siginfo_t info = { 0 };
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) < 0 || info.si_pid)
			continue;
		if (same_namespace(pid, "user") && same_namespace(pid, "mnt"))
			continue;
		(void)!kill(pid, SIGKILL);
		found = true;
	}
	return found;
}

static int kill_rest(const struct start *s, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	if (s->cgroup_fd >= 0 || has_pid_namespace(s) || !s->channel.page)
		return 0;
	const int64_t deadline = clock_ms() + state_time_left(&s->entry, STATE_BY_KILL);
	do {
		if (!kill_orphans())
			return 0;
		nanosleep(&pause, NULL);
	} while (clock_ms() < deadline);
	return err_say(err, ERR_BUSY, ETIMEDOUT, "processes of the container outlived their kill");
}

/* The program that was attached to a cgroup which stays must not bind the next container. */
static int detach_devices(const struct start *s, struct err *err)
{
	if (!state_cgroup_existed(&s->state) || !s->plan->cgroup.device_insns)
		return 0;
	return cgroup_device_detach(s->cgroup_fd, err);
}

static int remove_cgroup(struct start *s, bool started, struct err *err)
{
	if (s->cgroup_left) {
		int r = scope_end(s, STATE_BY_STOP, err);
		return r < 0 ? r
			     : cgroup_prune(&s->cgroup_root, s->plan->cgroup_path,
					    s->state.cgroup_kept, err);
	}
	if (s->cgroup_fd < 0)
		return 0;
	int r = 0;
	/* A pid namespace of its own has died with its first process. Of a start that failed there
	 * may be one that we have not learned of. */
	if (!started || !has_pid_namespace(s))
		r = cgroup_kill(s->cgroup_fd, state_cgroup_existed(&s->state),
				state_time_left(&s->entry, STATE_BY_KILL), err);
	if (r == 0)
		r = detach_devices(s, err);
	if (r == 0)
		r = scope_end(s, STATE_BY_STOP, err);
	fd_close(&s->cgroup_fd);
	if (r == 0)
		r = cgroup_remove(&s->cgroup_root, s->plan->cgroup_path, s->state.cgroup_kept,
				  state_time_left(&s->entry, STATE_BY_REMOVE), err);
	fd_close(&s->cgroup_lock_fd);
	return r;
}

/* 1: others see to the state. What was never complete needs no hook to put it away (S-048). */
static int run_poststop(struct start *s, struct err *err)
{
	const struct hooks_poststop poststop = {
		.hooks = &s->plan->hooks[PLAN_HOOK_POSTSTOP],
		.entry = &s->entry,
		.state = &s->state,
		.arena = s->arena,
		.warnings = s->late,
		.start = s,
	};
	if (poststop.hooks->n == 0 || !s->channel.page ||
	    !atomic_load(&s->channel.page->is_created))
		return 0;
	int r = hooks_run_poststop(&poststop, err);
	return r == -EBUSY ? 1 : r; /* `delete --force` runs them */
}

/* Kept after a start that failed, too: what failed stands in it, but its hooks have run. */
static int remove_state(struct start *s, const struct start_result *result, struct err *err)
{
	bool keep = s->plan->flags & PLAN_KEEP;
	if (s->entry.fd < 0)
		return 0;
	if (!keep || !result->started) {
		int r = run_poststop(s, err);
		if (r != 0)
			return r < 0 ? r : 0;
		s->state.poststop = NULL;
	}
	if (!keep)
		return state_remove(&s->entry, err);
	s->state.status = STATE_STOPPED;
	s->state.exit = &s->exit;
	/* It is gone, and the next cgroup of that name is somebody else's. */
	s->state.cgroup = NULL;
	s->state.rdt_class = NULL;
	return state_write(&s->entry, &s->state, err);
}

/* Was it somebody else than hull, which removes the state last of all? */
static bool is_state_stolen(const struct start *s)
{
	return s->cgroup_fd >= 0 && !state_cgroup_existed(&s->state) &&
	       !cgroup_is_removed(s->cgroup_fd);
}

static void warn_stolen(struct start *s)
{
	struct err *warning = spec_problem_add(
		s->arena, s->late, SPEC_WARNING, 0,
		"the state of '%s' was removed while the container was there, and not by hull",
		s->plan->id);
	if (warning && s->plan->hooks[PLAN_HOOK_POSTSTOP].n)
		err_hint(warning, "its poststop hooks have not been run");
}

/*
 * `delete --force` was faster: everything is gone, and the same names may be in use again; but a
 * cgroup that stays is still ours by its own lock, and delete may have left it to us. Or the
 * directory was removed by others: then the cgroup is still there, and ours by the same lock.
 */
static int finish_without_state(struct start *s, const struct start_result *result, struct err *err)
{
	err_clear(err);
	int r = 0;
	if (is_state_stolen(s)) {
		warn_stolen(s);
		r = rdt_remove(s, result, err);
	} else {
		death_note_deleted(s);
	}
	if (s->cgroup_fd < 0 || cgroup_is_removed(s->cgroup_fd))
		return r;
	int removed = remove_cgroup(s, result->started, r < 0 ? NULL : err);
	return r < 0 ? r : removed;
}

int finish(struct start *s, const struct start_result *result, struct err *err)
{
	fd_close(&s->channel.parent_fd); /* whoever listens gives up, also one we do not know */
	kill_child(s);
	int r = kill_rest(s, err);
	if (r < 0)
		return r;
	/* Of a container that has run, the caller may still want to read it. */
	if (!result->started) {
		pid_file_undo(s);
		devices_return(s);
	}
	int locked = s->entry.fd >= 0 ? state_relock(&s->entry, err) : 0;
	if (locked == -ENOENT)
		return finish_without_state(s, result, err);
	/* It goes even when nobody can say so in the state. */
	r = remove_cgroup(s, result->started, locked < 0 ? NULL : err);
	int rdt = rdt_remove(s, result, locked < 0 || r < 0 ? NULL : err);
	if (r == 0)
		r = rdt;
	if (r == 0 && s->has_lease)
		r = bridge_release(s->store->fd, s->plan->id,
				   state_time_left(&s->entry, STATE_BY_REST),
				   locked < 0 ? NULL : err);
	/* The state stays while something is left that it leads to. */
	return locked < 0 ? locked : r < 0 ? r : remove_state(s, result, err);
}
