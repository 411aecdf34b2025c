/* hull state: what is known of a container, as the specification shapes it. */
#include "cmd/cmd.h"

static const struct option no_options[] = { { 0 } };

static int state(struct cmd *cmd, void *options _unused_, struct err *err)
{
	struct state_store store;
	struct state state;
	struct str out;
	const char *id = cmd->args[0];

	int r = state_check_id(id, err);
	if (r == 0)
		r = cmd_open_store(cmd, STATE_STORE_EXISTING, &store, err);
	if (r == -ENOENT)
		r = err_say(err, ERR_NOT_FOUND, ENOENT, "container '%s' does not exist", id);
	if (r < 0)
		return r;
	r = state_read(&store, id, &cmd->arena, &state, err);
	state_store_close(&store);
	if (r < 0)
		return r;
	str_init(&out, &cmd->arena);
	state_print(&state, state_status_now(&state), &out);
	return cmd_print(&out, err);
}

const struct command command_state = {
	.name = "state",
	.group = "containers",
	.synopsis = "ID",
	.summary = "show the state of a container",
	.options = no_options,
	.options_size = 0,
	.min_args = 1,
	.max_args = 1,
	.run = state,
	.failure = 1,
};
