/*
 * hull delete: removes what a container has left: with --force also one that still runs, or whose
 * start was cut short at any point. What may be deleted is decided here; start/destroy.c does it.
 */
#include "cmd/container.h"

#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "start/destroy.h"
#include "start/gate.h"

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
		state->status = state_status_now(state, NULL);
	}
	if (state->status != STATE_CREATED)
		return 0;
	err_say(err, ERR_BUSY, EBUSY, "cannot delete container '%s': it is being started",
		entry->id);
	err_hint(err, "hull delete --force %s kills it first", entry->id);
	return -EBUSY;
}

/* Without --force not while a hook of its hull still runs, poststart for one. */
static int check_hooks(const struct state_entry *entry, struct err *err)
{
	_cleanup_close_ int lock = -EBADF;
	return state_lock_hooks(entry, &lock, err);
}

static int delete_locked(struct cmd *cmd, const struct delete_options *o,
			 const struct state_store *store, struct state_entry *entry,
			 struct err *err)
{
	struct state state;
	struct spec_problems warnings = { 0 };
	const struct destroy destroy = {
		.entry = entry,
		.state = &state,
		.arena = &cmd->arena,
		.warnings = &warnings,
		.flags = o->force ? DESTROY_BY_FORCE : 0,
	};
	int r = state_read(store, entry->id, &cmd->arena, &state, err);
	if (r == -EUCLEAN && o->force)
		r = guess_state(cmd, entry->id, &state, err);
	if (r < 0)
		return r;
	state.status = state_status_now(&state, NULL);
	if (!o->force)
		r = check_waiting(entry, &state, err);
	if (r == 0 && !o->force)
		r = check_deletable(&state, entry->id, err);
	if (r == 0 && !o->force)
		r = check_hooks(entry, err);
	if (r < 0)
		return r;
	r = destroy_container(&destroy, err);
	cmd_report_each(cmd, &warnings);
	return r;
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
