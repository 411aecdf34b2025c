/*
 * hull delete: removes what a container has left: with --force also one that still runs, or whose
 * start was cut short at any point. The cgroup is the way to its processes, so that none is
 * missed, and the state goes last: when anything fails, the next delete can try again.
 */
#include "cmd/container.h"
#include "cmd/destroy.h"

#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "cgroup/enter.h"
#include "cgroup/left.h"
#include "cgroup/systemd.h"
#include "start/bridge.h"
#include "start/devices.h"
#include "start/gate.h"
#include "start/hooks.h"
#include "start/resctrl.h"

#define DELETE_START_MS 500 /* for what has left its gate to be dead */

struct delete_options {
	bool force, regex;
};

static const struct option delete_table[] = {
	{ "force", 'f', OPTION_FLAG, offsetof(struct delete_options, force), NULL,
	  "kill it first when it runs; no error when there is none" },
	{ "regex", 'r', OPTION_FLAG, offsetof(struct delete_options, regex), NULL,
	  "ID is an extended regular expression: all containers that match" },
	{ 0 },
};

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
		r = container_is_foreign_cgroup(d->entry, state, remains->fd, &remains->lock, err);
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

/* Is the id in the last part of the cgroup's path, as a word: "ID", "libpod-ID.scope", "app:ID"? */
static bool names_container(const char *cgroup, const char *id)
{
	const char *name = strrchr(cgroup, '/') + 1;
	size_t size = strlen(id);
	for (const char *at = strstr(name, id); at; at = strstr(at + 1, id))
		if ((at == name || strchr("-:_.", at[-1])) &&
		    (at[size] == '\0' || str_eq(at + size, ".scope")))
			return true;
	return false;
}

/* What a broken state says may be anything: nobody is killed in a cgroup because of it alone. */
static int check_named(const struct state *state, const char *id, struct err *err)
{
	struct cgroup_root root;
	_cleanup_close_ int fd = -EBADF;

	if (names_container(state->cgroup, id) ||
	    (state->pid == 0 && state->cgroup[state->cgroup_kept] == '\0'))
		return 0;
	int r = cgroup_root_open(&root, err);
	if (r < 0)
		return r;
	r = cgroup_open(&root, state->cgroup, &fd, err);
	cgroup_root_close(&root);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	err_say(err, ERR_BUSY, EBUSY,
		"container '%s': its state file is broken and names the cgroup '%s', "
		"which may be another's",
		id, state->cgroup);
	err_hint(err, "remove that cgroup if it is the container's; then this works");
	return -EBUSY;
}

/*
 * Where the state is broken, the id still tells where a cgroup would be by default: in hull's home,
 * where it can only be hull's.
 */
static int guess_state(struct cmd *cmd, const char *id, struct state *state, struct err *err)
{
	state->id = id;
	if (state->cgroup)
		return check_named(state, id, err);
	int r = cgroup_plan_path(NULL, id, &cmd->arena, &state->cgroup, err);
	if (r == 0)
		state->cgroup_kept = (size_t)(strrchr(state->cgroup, '/') - state->cgroup);
	return r;
}

/* Without --force nothing is taken from under a process, or from a start that may go on. */
static int check_deletable(const struct state *state, const char *id, struct err *err)
{
	switch (state->status) {
	case STATE_RUNNING:
	case STATE_PAUSED:
		err_say(err, ERR_BUSY, EBUSY,
			"cannot delete container '%s': it is running (pid %d)", id,
			(int)state->pid);
		err_hint(err, "hull delete --force %s kills it first", id);
		return -EBUSY;
	case STATE_CREATING:
		err_say(err, ERR_BUSY, EBUSY,
			"cannot delete container '%s': its start has not come to an end", id);
		err_hint(err, "hull delete --force %s removes it, also when its hull was killed",
			 id);
		return -EBUSY;
	default:
		return 0;
	}
}

/*
 * A created one is deletable as long as it waits. One that has left its gate is being started,
 * which ends in a program that runs, or is about to be gone, which takes a moment.
 */
static int check_waiting(const struct state_entry *entry, struct state *state, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	bool waits = false;

	for (int i = 0; state->status == STATE_CREATED && i < DELETE_START_MS / 10; i++) {
		int r = gate_ask(entry, &waits, err);
		if (r < 0 || waits)
			return r;
		nanosleep(&pause, NULL);
		state->status = state_status_now(state);
	}
	if (state->status != STATE_CREATED)
		return 0;
	err_say(err, ERR_BUSY, EBUSY, "cannot delete container '%s': it is being started",
		entry->id);
	err_hint(err, "hull delete --force %s kills it first", entry->id);
	return -EBUSY;
}

/*
 * The hooks of the container, from its state: what is destroyed now, or was by its own hull, is
 * deleted only when they have run. 1: the state is gone meanwhile.
 */
static int run_poststop(struct cmd *cmd, const struct destroy *d, struct err *err)
{
	struct plan_hooks hooks;
	struct spec_problems warnings = { 0 };
	const struct hooks_poststop poststop = {
		.hooks = &hooks,
		.entry = d->entry,
		.state = d->state,
		.arena = &cmd->arena,
		.warnings = &warnings,
		.start = d->start,
	};
	if (!d->state->poststop)
		return 0;
	plan_make_hook_list(d->state->poststop, &cmd->arena, &hooks);
	int r = hooks_run_poststop(&poststop, err);
	for (const struct spec_problem *p = warnings.first; p; p = p->next)
		cmd_report_warning(cmd, &p->err);
	return r == -EBUSY && (d->flags & DESTROY_BY_FORCE) ? 0 : r;
}

/* Without --force not while a hook of its hull still runs, poststart for one. */
static int check_hooks(const struct state_entry *entry, struct err *err)
{
	_cleanup_close_ int lock = -EBADF;
	return state_lock_hooks(entry, &lock, err);
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
	};
	return resctrl_clean(&left, err);
}

/* What cannot be put back is said; the container is removed all the same. */
static void rescue_devices(struct cmd *cmd, const struct destroy *d)
{
	struct err why = { 0 };
	if (devices_rescue(d->entry, &cmd->arena, &why) < 0)
		cmd_report_warning(cmd, &why);
}

int destroy_container(struct cmd *cmd, const struct destroy *d, struct err *err)
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
		rescue_devices(cmd, d);
	if (r == 0 && d->state->status == STATE_CREATING)
		wait_for_hooks(d->entry);
	if (r == 0)
		r = run_poststop(cmd, d, err);
	return r != 0 ? r < 0 ? r : 0 : state_remove(d->entry, err);
}

static int delete_locked(struct cmd *cmd, const struct delete_options *o,
			 const struct state_store *store, struct state_entry *entry,
			 struct err *err)
{
	struct state state;
	const struct destroy destroy = { entry, &state, o->force ? DESTROY_BY_FORCE : 0, NULL };
	int r = state_read(store, entry->id, &cmd->arena, &state, err);
	if (r == -EUCLEAN && o->force)
		r = guess_state(cmd, entry->id, &state, err);
	if (r < 0)
		return r;
	state.status = state_status_now(&state);
	if (!o->force)
		r = check_waiting(entry, &state, err);
	if (r == 0 && !o->force)
		r = check_deletable(&state, entry->id, err);
	if (r == 0 && !o->force)
		r = check_hooks(entry, err);
	if (r < 0)
		return r;
	return destroy_container(cmd, &destroy, err);
}

/* 1 when there is no such container; that something else is missing is an error. */
static int lock_entry(struct cmd *cmd, const char *id, struct state_store *store,
		      struct state_entry *ret, struct err *err)
{
	int r = cmd_open_store(cmd, STATE_STORE_EXISTING, store, err);
	if (r == -ENOENT)
		r = state_no_such(id, err);
	if (r == 0)
		r = state_lock(store, id, ret, err);
	return r == -ENOENT ? 1 : r;
}

static int delete_one(struct cmd *cmd, const char *id, void *context, struct err *err)
{
	const struct delete_options *o = context;
	struct state_store store = { .fd = -EBADF };
	struct state_entry entry = { .fd = -EBADF };

	int r = state_check_id(id, err);
	if (r < 0)
		return r;
	r = lock_entry(cmd, id, &store, &entry, err);
	if (r == 1)
		r = o->force ? 0 : -ENOENT;
	else if (r == 0)
		r = delete_locked(cmd, o, &store, &entry, err);
	state_entry_close(&entry);
	state_store_close(&store);
	return r;
}

static int delete_command(struct cmd *cmd, void *options, struct err *err)
{
	const struct delete_options *o = options;
	return container_each(cmd, cmd->args[0], o->regex, delete_one, options, err);
}

const struct command command_delete = {
	.name = "delete",
	.group = "lifecycle",
	.synopsis = "[--force] ID",
	.summary = "remove what a container has left",
	.options = delete_table,
	.options_size = sizeof(struct delete_options),
	.min_args = 1,
	.max_args = 1,
	.run = delete_command,
	.failure = 1,
};
