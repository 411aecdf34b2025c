/* hull state: what is known of a container, as the specification shapes it. */
#include "cmd/container.h"

static const struct option no_options[] = { { 0 } };

static int state(struct cmd *cmd, void *options _unused_, struct err *err)
{
	_cleanup_container_ struct container c;
	struct str out;

	int r = container_open(cmd, cmd->args[0], CONTAINER_READ, &c, err);
	if (r < 0)
		return r;
	str_init(&out, &cmd->arena);
	state_print(&c.state, state_status_shown(&c.state, NULL), &out);
	return cmd_print(&out, err);
}

const struct command command_state = {
	.name = "state",
	.group = "look",
	.synopsis = "ID",
	.summary = "show the state of a container",
	.options = no_options,
	.options_size = 0,
	.min_args = 1,
	.max_args = 1,
	.run = state,
	.failure = 1,
};
