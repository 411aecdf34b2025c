/* What run and exec have in common around a start: what is said, and the exit status. */
#ifndef HULL_CMD_OUTCOME_H
#define HULL_CMD_OUTCOME_H

#include "cmd/cmd.h"
#include "start/start.h"

/* Before: where warnings go, which are shown before the program has the terminal. */
void outcome_prepare(struct cmd *cmd, struct start *start, struct spec_problems *late);

/*
 * Behind it: what was found after the program began, which with a log joins the warnings, to be
 * reported with them; with --debug errors that were tolerated.
 */
void outcome_show(struct cmd *cmd, const struct start *start);

/*
 * What it came to: the failure, which the caller is to report, if nothing else has happened than
 * that; else all is reported, and this is hull's exit status: the program's, 128+n for a signal, or
 * that of output which got lost. `r` is what the start has returned.
 */
_must_check_ int outcome_tell(struct cmd *cmd, const struct start *start,
			      const struct start_result *result, int r, struct err *err);

#endif
