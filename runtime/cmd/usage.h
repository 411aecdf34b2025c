/*
 * How hull is used: the help, and what somebody probably meant whose arguments do not fit. Advice
 * goes to the error's hint; the error itself is what it was.
 */
#ifndef HULL_CMD_USAGE_H
#define HULL_CMD_USAGE_H

#include "cmd/cmd.h"

/* `hull`: the commands, on one screen. */
void usage_short(struct str *out);

/* `hull --help`: with the global options. */
void usage_whole(struct str *out);

/* `hull COMMAND --help`. */
void usage_command(const struct command *command, struct str *out);

/* There are too many arguments, or too few. */
void usage_hint_args(const struct cmd *cmd, struct err *err);

/* `argument` was given where the global options are, or those of a command; it may be NULL. */
void usage_hint_global(const char *argument, struct err *err);
void usage_hint_option(const struct cmd *cmd, const char *argument, struct err *err);

/* The command has failed: is the id a bundle's directory, or misspelt, the program an option? */
void usage_hint_failure(struct cmd *cmd, struct err *err);

#endif
