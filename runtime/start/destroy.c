/*
 * Removing a container whole, by another hull than the one that has made it, or by `start`: see the
 * header. With the caller's rights, under the lock of its state. The cgroup is the way to its
 * processes, so that none is missed, and the state goes last: when anything fails, the next attempt
 * can go on. The hull that has made it has all of this open, and does it in finish.c.
 */
#include "start/destroy.h"

#include <signal.h>
#include <sys/pidfd.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "cgroup/enter.h"
#include "cgroup/left.h"
#include "cgroup/systemd.h"
#include "start/bridge.h"
#include "start/devices.h"
#include "start/hooks.h"
#include "start/resctrl.h"
#include "state/others.h"

/* Seen from another pid or time namespace, the cgroup alone leads to the processes. */
static int leave_to_cgroup(const struct state *state, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;

	if (state->status == STATE_STOPPED)
		return 0;
	if (state->cgroup && cgroup_find(state->cgroup, &fd, NULL) == 0)
		return 0;
	return state_process_unknown(state, EXDEV, err);
}

/* Kills the first process and waits until it is gone; the others are the cgroup's. */
static int kill_process(const struct state *state, int timeout_ms, struct err *err)
{
	_cleanup_close_ int pidfd = -EBADF;
	int r = state_open_process(state, &pidfd);
	if (r == -ESRCH)
		return 0;
	if (r == -EXDEV)
		return leave_to_cgroup(state, err);
	if (r < 0)
		return state_process_unknown(state, -r, err);
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(err, errno, "cannot kill the container's process %d",
			       (int)state->pid);
	return pidfd_wait(pidfd, timeout_ms)
		       ? 0
		       : err_say(err, ERR_BUSY, ETIMEDOUT,
				 "the container's process %d does not end", (int)state->pid);
}

/*
 * In the same cgroup the next container may begin as soon as this one's first process is dead, and
 * would be killed with what this one has left there: so the cgroup is kept for this one before.
 * Where its own hull has done that, that one waits for our lock before it lets go.
 */
static void keep_cgroup(const struct state *state, int *ret_lock)
{
	_cleanup_close_ int fd = -EBADF;
	if (state->cgroup && state->pid != 0 && state->status != STATE_STOPPED &&
	    cgroup_find(state->cgroup, &fd, NULL) == 0)
		(void)!cgroup_lock(fd, state->cgroup, ret_lock, NULL);
}

/* The container's cgroup as long as it is being put away. */
struct remains {
	int fd;   /* SYSTEMD_CGROUP_GONE: it is gone */
	int lock; /* by which it is this container's; or none, as long as that has a process */
};

/* 1: it is others' by now. */
static int empty_cgroup(const struct cgroup_root *root, const struct destroy *d,
			struct remains *remains, struct err *err)
{
	const struct state *state = d->state;

	int r = cgroup_open(root, state->cgroup, &remains->fd, err);
	if (r == -ENOENT) {
		remains->fd = SYSTEMD_CGROUP_GONE;
		return 0;
	}
	if (r == 0)
		r = others_hold_cgroup(d->entry, state, remains->fd, &remains->lock, err);
	if (r != 0)
		return r;
	r = cgroup_kill(remains->fd, state_cgroup_existed(state),
			state_time_left(d->entry, STATE_BY_KILL), err);
	if (r == 0 && state_cgroup_existed(state))
		r = cgroup_device_detach(remains->fd, err);
	return r;
}

static int end_cgroup(const struct cgroup_root *root, const struct destroy *d,
		      struct remains *remains, struct err *err)
{
	const struct state *state = d->state;
	int r = empty_cgroup(root, d, remains, err);
	const struct systemd_unit unit = { state->unit, state->unit_is_user, state->cgroup,
					   remains->fd };
	if (r > 0)
		return cgroup_prune(root, state->cgroup, state->cgroup_kept, err);
	if (r == 0 && state->unit)
		r = systemd_stop(&unit, state_time_left(d->entry, STATE_BY_STOP), err);
	if (r == 0)
		r = cgroup_remove(root, state->cgroup, state->cgroup_kept,
				  state_time_left(d->entry, STATE_BY_REMOVE), err);
	return r;
}

static int remove_cgroup(const struct destroy *d, struct err *err)
{
	struct remains remains = { .fd = -EBADF, .lock = -EBADF };
	struct cgroup_root root;

	if (!d->state->cgroup)
		return 0;
	int r = cgroup_root_open(&root, err);
	if (r < 0)
		return r;
	r = end_cgroup(&root, d, &remains, err);
	fd_close(&remains.fd);
	fd_close(&remains.lock);
	cgroup_root_close(&root);
	return r;
}

/*
 * The hooks of the container, from its state: what is destroyed now, or was by its own hull, is
 * deleted only when they have run. 1: the state is gone meanwhile.
 */
static int run_poststop(const struct destroy *d, struct err *err)
{
	struct plan_hooks hooks;
	const struct hooks_poststop poststop = {
		.hooks = &hooks,
		.entry = d->entry,
		.state = d->state,
		.arena = d->arena,
		.warnings = d->warnings,
		.start = d->start,
	};
	if (!d->state->poststop)
		return 0;
	plan_make_hook_list(d->state->poststop, d->arena, &hooks);
	int r = hooks_run_poststop(&poststop, err);
	return r == -EBUSY && (d->flags & DESTROY_BY_FORCE) ? 0 : r;
}

/*
 * The container of a start was killed: so its hull gives up the hook that runs, if one does. A hull
 * that is stopped is not waited for longer.
 */
static void wait_for_hooks(const struct state_entry *entry)
{
	const int64_t deadline = clock_ms() + state_time_left(entry, STATE_BY_REST);
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	do {
		_cleanup_close_ int lock = -EBADF;
		if (state_lock_hooks(entry, &lock, NULL) != -EBUSY)
			return;
		nanosleep(&pause, NULL);
	} while (clock_ms() < deadline);
}

/* Its processes are gone by now, or at least killed. */
static int clean_resctrl(const struct state *state, struct err *err)
{
	const struct resctrl_left left = {
		.class = state->rdt_class,
		.id = state->id,
		.is_owned = state->rdt_is_owned,
		.is_named = state->rdt_class && !str_eq(state->rdt_class, state->id),
		.is_monitored = state->rdt_is_monitored,
		.ino = state->rdt_ino,
	};
	return resctrl_clean(&left, err);
}

/* What cannot be put back is said; the container is removed all the same. */
static void rescue_devices(const struct destroy *d)
{
	struct err why = { 0 };
	if (devices_rescue(d->entry, d->arena, &why) < 0)
		spec_problem_copy(d->arena, d->warnings, SPEC_WARNING, &why);
}

int destroy_container(const struct destroy *d, struct err *err)
{
	_cleanup_close_ int lock = -EBADF;

	keep_cgroup(d->state, &lock);
	int r = kill_process(d->state, state_time_left(d->entry, STATE_BY_KILL), err);
	if (r == 0)
		r = remove_cgroup(d, err);
	fd_close(&lock);
	if (r == 0)
		r = clean_resctrl(d->state, err);
	if (r == 0)
		r = bridge_release(d->entry->store_fd, d->entry->id,
				   state_time_left(d->entry, STATE_BY_REST), err);
	if (r == 0)
		rescue_devices(d);
	if (r == 0 && d->state->status == STATE_CREATING)
		wait_for_hooks(d->entry);
	if (r == 0)
		r = run_poststop(d, err);
	return r != 0 ? r < 0 ? r : 0 : state_remove(d->entry, err);
}
