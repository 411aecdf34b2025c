/*
 * hull run: a container from its bundle to its exit status, or with --detach until its program
 * runs. hull create is the same up to the program (create.c).
 */
#include "cmd/run.h"

#include <unistd.h>

#include "base/clock.h"
#include "cmd/outcome.h"
#include "cmd/trace.h"

static const struct option run_table[] = {
	RUN_OPTION_ROWS,
	{ "keep", 0, OPTION_FLAG, RUN(bundle.keep), NULL,
	  "keep the state after the end (with --detach it always is)" },
	{ "timeline", 0, OPTION_TEXT, RUN(timeline), "FILE",
	  "write when each step began and ended, in Chrome's trace format" },
	{ "detach", 'd', OPTION_FLAG, RUN(bundle.detach), NULL, "return when the program runs" },
	{ 0 },
};

static void fill_state(const struct bundle *bundle, struct state *state)
{
	*state = (struct state) {
		.id = bundle->plan.id,
		.bundle = bundle->path,
		.rootfs = bundle->plan.root.path,
		.cgroup = bundle->plan.cgroup_path,
		.unit = bundle->plan.scope.unit,
		.unit_is_user = bundle->plan.scope.is_user,
		.owner = getuid(),
		.has_init = bundle->plan.flags & PLAN_INIT,
		.no_process = !bundle->spec.process.at,
		.has_listener = bundle->plan.listener.is_wanted,
		.annotations = &bundle->spec.annotations,
	};
	clock_now(state->created);
}

/* --debug shows what is about to be done, so that a failing step can be seen in its place. */
static void show_plan(struct cmd *cmd, const struct plan *plan)
{
	struct str text;
	str_init(&text, &cmd->arena);
	plan_print(plan, &text);
	cmd_debug(cmd, &text);
}

static int start_bundle(struct cmd *cmd, const struct run_options *o, struct bundle *bundle,
			struct timeline *timeline, struct err *err)
{
	struct state_store store;
	struct start start;
	struct start_result result;
	struct spec_problems late = { 0 };

	int r = cmd_open_store(cmd, STATE_STORE_CREATE, &store, err);
	if (r < 0)
		return r;
	start_init(&start, &bundle->plan, &cmd->arena, &store);
	outcome_prepare(cmd, &start, &late);
	start.pid_file = o->pid_file;
	start.pidfd_socket = o->pidfd_socket;
	start.timeline = timeline;
	fill_state(bundle, &start.state);
	if (cmd->global.debug)
		show_plan(cmd, &bundle->plan);
	r = start_run(&start, &result, err);
	outcome_show(cmd, &start);
	trace_show(cmd, o->timeline, timeline, &start, result.started ? NULL : err);
	start_done(&start);
	state_store_close(&store);
	return outcome_tell(cmd, &start, &result, r, err);
}

int run_container(struct cmd *cmd, const struct run_options *o, struct err *err)
{
	struct bundle bundle;
	struct timeline timeline;

	timeline_init(&timeline);
	cmd->leaves = o->bundle.create || o->bundle.detach;
	int r = state_check_id(cmd->args[0], err);
	if (r == 0)
		r = cmd_close_inherited(bundle_first_closed_fd(&o->bundle), err);
	if (r == 0)
		r = start_block_signals(err);
	if (r == 0)
		r = trace_check_file(o->timeline, err);
	if (r < 0)
		return r;
	timeline_step(&timeline, "parse");
	r = bundle_load(cmd, &o->bundle, &bundle, err);
	if (r == 0) {
		timeline_step(&timeline, "plan");
		r = bundle_plan(cmd, &o->bundle, cmd->args[0], &bundle, err);
	}
	timeline_stop(&timeline);
	if (r == 0)
		return start_bundle(cmd, o, &bundle, &timeline, err);
	timeline_fail(&timeline);
	trace_show(cmd, o->timeline, &timeline, NULL, err);
	return r;
}

static int run(struct cmd *cmd, void *options, struct err *err)
{
	return run_container(cmd, options, err);
}

const struct command command_run = {
	.name = "run",
	.group = "lifecycle",
	.synopsis = "[options] ID",
	.summary = "run a bundle as container ID and wait for its end",
	.note = "with --detach run returns while the program runs, " RUN_WARNINGS
		"\n\nwith --net bridge the program reaches the host and the containers on that bridge,\n"
		"and nothing beyond: hull translates no addresses, opens no ports, gives no names"
		"\n\nprocess 1 of a pid namespace ignores signals that it has no handler for, so does a\n"
		"shell with INT and TERM: --init makes it one like any other, hull kill ID KILL ends it",
	.options = run_table,
	.options_size = sizeof(struct run_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
	.failure = 1,
	.seals = true,
};
