/* What run and exec have in common around a start: what is said, and the exit status. */
#ifndef HULL_CMD_OUTCOME_H
#define HULL_CMD_OUTCOME_H

#include "cmd/cmd.h"
#include "start/start.h"

/* The program's exit status, 128+n for a signal; or that of output which got lost. */
int outcome_status(const struct start_result *result);

/* For start.before_clone: the warnings, where people will see them. */
void outcome_show_warnings(void *cmd);

/* What was found after the program began; with a log it joins the warnings, to be reported with
 * them. */
void outcome_show_late(struct cmd *cmd, const struct spec_problems *late);

/* --debug: errors that were tolerated. */
void outcome_show_tolerated(struct cmd *cmd, const struct start *start);

#endif
