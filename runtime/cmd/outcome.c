/*
 * What run and exec say around a start, and what it comes to: the warnings before the program has
 * the terminal, those that came later, and hull's exit status.
 */
#include "cmd/outcome.h"

#include <poll.h>
#include <unistd.h>

#include "start/tolerate.h"

static void show_tolerated(struct cmd *cmd, const struct start *start)
{
	struct str text;
	str_init(&text, &cmd->arena);
	tolerate_print(start, &text);
	cmd_debug(cmd, &text);
}

/* ---- what is said ---- */

/*
 * Called before clone: until then warnings may come up, and stderr is still hull's alone. That of a
 * container which hull leaves is the container's, and an engine takes what stands there for its
 * output: only people get warnings there.
 */
static void show_warnings(void *context)
{
	struct cmd *cmd = context;
	if (!cmd->global.log && (!cmd->leaves || cmd_wants_debug(cmd) || isatty(STDERR_FILENO)))
		cmd_report_warnings(cmd);
}

/*
 * While the program runs: for people, a log has its records at the end. Not into a pipe that is
 * full: hull has others to look after.
 */
static void show_at_once(void *context, const struct err *warning)
{
	struct cmd *cmd = context;
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	if (!cmd->global.log && poll(&out, 1, 0) == 1 && out.revents == POLLOUT)
		cmd_report_warning(cmd, warning);
}

/*
 * What was found after the program began: output that got lost, poststop hooks that failed. A log
 * has one record for an error with all warnings in it: there they join those that were found
 * before.
 */
static void show_late(struct cmd *cmd, const struct spec_problems *late)
{
	for (const struct spec_problem *p = late->first; p; p = p->next) {
		if (!cmd->global.log) {
			cmd_report_warning(cmd, &p->err);
			continue;
		}
		spec_problem_copy(&cmd->arena, &cmd->problems, SPEC_WARNING, &p->err);
	}
}

/* ---- around a start ---- */

void outcome_prepare(struct cmd *cmd, struct start *start, struct spec_problems *late)
{
	start->problems = &cmd->problems;
	start->late = late;
	start->before_clone = show_warnings;
	start->warn = show_at_once;
	start->say_context = cmd;
}

void outcome_show(struct cmd *cmd, const struct start *start)
{
	if (cmd->global.debug)
		show_tolerated(cmd, start);
	show_late(cmd, start->late);
}

/* The program's exit status, 128+n for a signal; or that of output which got lost. */
static int exit_status(const struct start_result *result)
{
	if (!result->exited)
		return 128 + result->code;
	return result->code ? result->code : result->lost_status;
}

int outcome_tell(struct cmd *cmd, const struct start *start, const struct start_result *result,
		 int r, struct err *err)
{
	const unsigned flags = start->plan->flags;
	if (!result->started && !result->stop_signal)
		return r;
	/* A log has either one error, with the warnings in it, or a record for each warning. */
	if (r < 0)
		cmd_report_error(cmd, err);
	else if (cmd->global.log)
		cmd_report_warnings(cmd);
	if (result->left || ((flags & PLAN_EXEC) && (flags & PLAN_DETACH) && r == 0))
		return 0;
	if (result->started && !(flags & PLAN_EXEC))
		cmd_report_exit(cmd, start->plan->id, &start->exit);
	if (result->stop_signal)
		return cmd_die_by(result->stop_signal);
	return exit_status(result);
}
