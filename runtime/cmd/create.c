/*
 * hull create: all of a container but its program, which `hull start` executes. Until then its
 * first process waits at a gate (start/gate.h), and hull is gone.
 */
#include "cmd/run.h"

static const struct option create_table[] = {
	RUN_OPTION_ROWS,
	{ 0 },
};

static int create(struct cmd *cmd, void *options, struct err *err)
{
	struct run_options *o = options;
	o->bundle.create = true;
	return run_container(cmd, o, err);
}

const struct command command_create = {
	.name = "create",
	.group = "lifecycle",
	.synopsis = "[options] ID",
	.summary = "make container ID of a bundle, all but its program",
	.note = "create returns while the container waits, " RUN_WARNINGS,
	.options = create_table,
	.options_size = sizeof(struct run_options),
	.min_args = 1,
	.max_args = 1,
	.run = create,
	.failure = 1,
	.seals = true,
};
