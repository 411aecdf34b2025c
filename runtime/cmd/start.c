/*
 * hull start: lets a created container execute its program; or ends what a start that was killed
 * has begun. Reads the state, with its copy of config.json where there is a listener of seccomp to
 * be found, and nothing else of the container, so that what has become of its bundle does not
 * matter (S-029).
 */
#include <string.h>

#include "base/fd.h"
#include "plan/launch.h"
#include "cmd/container.h"
#include "start/destroy.h"
#include "start/start.h"

static const struct option no_options[] = { { 0 } };

static int no_process(const struct state *state, struct err *err)
{
	err_say(err, ERR_CONFIG, EINVAL,
		"the config.json of container '%s' has no process to start", state->id);
	err_hint(err, "it can be used by hull exec and joined; to start it, delete it, add "
		      "\"process\", and create it again");
	return -EINVAL;
}

/* What engines know from runc, word for word. The process that can be started is kept. */
static int check_startable(const struct state *state, int *ret_pidfd, struct err *err)
{
	if (state->no_process)
		return no_process(state, err);
	switch (state_status_shown(state, ret_pidfd)) {
	case STATE_CREATED:
		return 0;
	case STATE_RUNNING:
		if (state->poststart) /* its start was killed, or is at it */
			return 0;
		return err_say(err, ERR_BUSY, EBUSY, "cannot start an already running container");
	case STATE_STOPPED:
		return err_say(err, ERR_BUSY, ESRCH, "cannot start a container that has stopped");
	case STATE_PAUSED: /* nobody would take the word */
		err_say(err, ERR_BUSY, EBUSY, "cannot start a container in the paused state");
		err_hint(err, "hull resume %s lets it go on", state->id);
		return -EBUSY;
	default:
		return err_say(err, ERR_BUSY, EBUSY,
			       "cannot start a container in the creating state");
	}
}

/* What config.json said, the copy of which is hull's own, is read only for a listener. */
static int make_plan(struct cmd *cmd, const struct start *start, struct plan *ret, struct err *err)
{
	const struct state *state = &start->state;
	struct spec *config = arena_new(&cmd->arena, struct spec);
	struct spec_problems told; /* when it was created */
	struct host host;

	int r = host_probe(&host, err);
	if (r == 0 && state->has_listener)
		r = state_read_config(start->store, state->id, &cmd->arena, config, &told, err);
	return r < 0 ? r : plan_make_launch(state, config, &host, &cmd->arena, ret, err);
}

/* What its failure has left goes as with `delete --force`; what is left of that is said. */
static void undo(struct cmd *cmd, struct start *start, struct err *err)
{
	struct spec_problems warnings = { 0 };
	const struct destroy destroy = {
		.entry = &start->entry,
		.state = &start->state,
		.arena = &cmd->arena,
		.warnings = &warnings,
		.flags = DESTROY_BY_FORCE,
		.start = start,
	};
	struct err why = { 0 };
	int r = state_relock(&start->entry, &why);
	if (r == 0)
		r = destroy_container(&destroy, &why);
	cmd_report_each(cmd, &warnings);
	if (r < 0 && r != -ENOENT)
		err_hint(err,
			 "not everything could be removed (%.200s); hull delete --force %s tries "
			 "again",
			 why.message, start->state.id);
}

static int start_locked(struct cmd *cmd, struct start *start, struct err *err)
{
	struct start_result result = { 0 };
	struct plan plan;
	const char *id = cmd->args[0];

	int r = state_lock(start->store, id, &start->entry, err);
	if (r == 0)
		r = state_read(start->store, id, &cmd->arena, &start->state, err);
	if (r == 0)
		r = check_startable(&start->state, &start->pidfd, err);
	if (r == 0)
		r = make_plan(cmd, start, &plan, err);
	if (r < 0)
		return r;
	start->plan = &plan;
	r = start_launch(start, &result, err);
	if (r < 0 && result.undo)
		undo(cmd, start, err);
	if (r < 0 && result.stop_signal) {
		cmd_report_error(cmd, err);
		return cmd_die_by(result.stop_signal);
	}
	return r;
}

static int start(struct cmd *cmd, void *options _unused_, struct err *err)
{
	static const struct plan none = { 0 };
	struct state_store store = { .fd = -EBADF };
	struct start start;
	const char *id = cmd->args[0];

	int r = state_check_id(id, err);
	if (r == 0)
		r = cmd_close_inherited(3, err);
	if (r == 0)
		r = start_block_signals(err);
	if (r == 0)
		r = container_open_store(cmd, id, &store, err);
	if (r < 0)
		return r;
	start_init(&start, &none, &cmd->arena, &store);
	r = start_locked(cmd, &start, err);
	start_done(&start);
	state_store_close(&store);
	return r;
}

const struct command command_start = {
	.name = "start",
	.group = "lifecycle",
	.synopsis = "ID",
	.summary = "execute the program of a created container",
	.options = no_options,
	.options_size = 0,
	.min_args = 1,
	.max_args = 1,
	.run = start,
	.failure = 1,
};
