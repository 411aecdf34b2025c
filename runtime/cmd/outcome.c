/*
 * What run and exec say around a start, and what it comes to: the warnings before the program has
 * the terminal, those that came later, and hull's exit status.
 */
#include "cmd/outcome.h"

#include <unistd.h>

#include "start/tolerate.h"

int outcome_status(const struct start_result *result)
{
	if (!result->exited)
		return 128 + result->code;
	/* Output that got lost is a failure of its own. */
	return result->code ? result->code : result->lost_status;
}

void outcome_show_tolerated(struct cmd *cmd, const struct start *start)
{
	struct str text;
	str_init(&text, &cmd->arena);
	tolerate_print(start, &text);
	cmd_debug(cmd, &text);
}

/*
 * Called before clone: until then warnings may come up, and stderr is still hull's alone. That of a
 * container which hull leaves is the container's, and an engine takes what stands there for its
 * output: only people get warnings there.
 */
void outcome_show_warnings(void *context)
{
	struct cmd *cmd = context;
	if (!cmd->global.log && (!cmd->leaves || cmd_wants_debug(cmd) || isatty(STDERR_FILENO)))
		cmd_report_warnings(cmd);
}

/*
 * What was found after the program began: output that got lost, poststop hooks that failed. A log
 * has one record for an error with all warnings in it: there they join those that were found
 * before.
 */
void outcome_show_late(struct cmd *cmd, const struct spec_problems *late)
{
	for (const struct spec_problem *p = late->first; p; p = p->next) {
		if (!cmd->global.log) {
			cmd_report_warning(cmd, &p->err);
			continue;
		}
		spec_problem_copy(&cmd->arena, &cmd->problems, SPEC_WARNING, &p->err);
	}
}
