/*
 * The help, and the hints for arguments that do not fit: an option behind the ID, the directory of
 * a bundle without --bundle, a container that is not there. Runs in the parent, with the caller's
 * rights; looks at the state directory's names and whether an argument is a directory, no more.
 */
#include "cmd/usage.h"

#include <sys/stat.h>

#include "base/defer.h"
#include "cmd/signal.h"

/* ---- the help ---- */

/* Three groups, whose commands follow each other in the table: lifecycle, look, diagnose. */
static void append_commands(struct str *out)
{
	const char *group = "";
	for (size_t i = 0; cmd_table[i]; i++) {
		if (!str_eq(group, cmd_table[i]->group))
			str_printf(out, "%s\n", cmd_table[i]->group);
		group = cmd_table[i]->group;
		str_printf(out, "  %-10s %s\n", cmd_table[i]->name, cmd_table[i]->summary);
	}
}

#define USAGE_LINE "usage: hull [global options] COMMAND [options] [arguments]\n"

void usage_short(struct str *out)
{
	str_append(out, USAGE_LINE);
	append_commands(out);
	str_append(out, "hull COMMAND --help: its options; hull --help: the global options\n");
}

void usage_whole(struct str *out)
{
	str_append(out, "hull runs OCI containers.\n\n" USAGE_LINE "\n");
	append_commands(out);
	str_append(out, "\nglobal options\n");
	option_help(cmd_global_options, out);
	str_append(out, "\nhull COMMAND --help says more about a command.\n");
}

void usage_command(const struct command *command, struct str *out)
{
	str_printf(out, "usage: hull [global options] %s %s\n\n%s\n", command->name,
		   command->synopsis, command->summary);
	if (command->options->kind != OPTION_END) {
		str_append(out, "\noptions\n");
		option_help(command->options, out);
	}
	if (command->note)
		str_printf(out, "\n%s\n", command->note);
}

/* ---- arguments ---- */

/* "--overlay DIR", which may stand without its value and so cannot take the next argument. */
static bool hint_value(const struct cmd *cmd, struct err *err)
{
	const char *last = cmd->args[-1];
	const struct option *o = option_find(cmd->command->options, last);
	if (!o || o->kind != OPTION_TEXT_OPT || !str_eq(last + 2, o->name))
		return false;
	err_hint(err, "the value of %s stands behind an equals sign: %s=%s", last, last,
		 cmd->args[0]);
	return true;
}

static bool hint_late_option(const struct cmd *cmd, struct err *err)
{
	const struct command *c = cmd->command;
	for (int i = 1; i < cmd->args_n; i++)
		if (option_find(c->options, cmd->args[i])) {
			err_hint(err, "options stand before the ID: hull %s %s ... %s", c->name,
				 cmd->args[i], cmd->args[0]);
			return true;
		}
	return false;
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A directory where there is an option for one. */
static bool hint_bundle(const struct cmd *cmd, struct err *err)
{
	const struct command *c = cmd->command;
	if (!option_find(c->options, "--bundle") || !is_directory(cmd->args[0]))
		return false;
	const char *id = cmd->args_n > 1 ? cmd->args[1] : "ID";
	err_hint(err, "--bundle names the bundle: hull %s --bundle %s%s%s", c->name, cmd->args[0],
		 c->min_args ? " " : "", c->min_args ? id : "");
	return true;
}

void usage_hint_args(const struct cmd *cmd, struct err *err)
{
	const struct command *c = cmd->command;
	bool is_meant = cmd->args_n > c->max_args &&
			(hint_value(cmd, err) || hint_late_option(cmd, err) ||
			 hint_bundle(cmd, err));
	if (!is_meant)
		err_hint(err, "usage: hull %s %s", c->name, c->synopsis);
}

void usage_hint_option(const struct cmd *cmd, const char *argument, struct err *err)
{
	struct err ignored;
	int signal;
	if (cmd->command == &command_kill && argument && argument[0] == '-' &&
	    signal_parse(argument + 1, &signal, &ignored) == 0)
		err_hint(err, "the signal stands behind the ID: hull kill ID %s", argument + 1);
}

/* ---- what the arguments name ---- */

#define SHOWN_IDS 3

static const char *next_id(void *state)
{
	struct state_ids *ids = state;
	return ids->n ? (ids->n--, *ids->v++) : NULL;
}

static void append_ids(const struct state_ids *ids, struct str *out)
{
	for (size_t i = 0; i < ids->n && i < SHOWN_IDS; i++)
		str_printf(out, "%s%s", i ? ", " : "", ids->v[i]);
	if (ids->n > SHOWN_IDS)
		str_append(out, ", ...");
}

/* Which ones there are: the name is misspelt, or --root is another one. */
static void hint_others(struct cmd *cmd, const struct state_store *store, struct err *err)
{
	struct state_ids ids = { 0 };
	struct str list;
	if (state_list(store, &cmd->arena, &ids, NULL) < 0)
		return;
	struct state_ids rest = ids;
	const char *near = str_nearest(cmd->args[0], next_id, &rest);
	if (near) {
		err_hint(err, "did you mean '%s'?", near);
		return;
	}
	str_init(&list, &cmd->arena);
	append_ids(&ids, &list);
	if (ids.n)
		err_hint(err, "in %s there %s %zu: %s", store->path, ids.n == 1 ? "is" : "are",
			 ids.n, list.text);
	else
		err_hint(err, "there are none in %s", store->path);
}

void usage_hint_failure(struct cmd *cmd, struct err *err)
{
	struct state_store store = { .fd = -EBADF };
	struct err ignored;
	if (cmd->args_n == 0)
		return;
	if (state_check_id(cmd->args[0], &ignored) < 0)
		(void)hint_bundle(cmd, err);
	if (err->flags & ERR_ABOUT_PROGRAM)
		(void)hint_late_option(cmd, err);
	if (!(err->flags & ERR_NO_CONTAINER) || err->hint[0])
		return;
	int r = cmd_open_store(cmd, STATE_STORE_EXISTING, &store, &ignored);
	if (r == 0)
		hint_others(cmd, &store, err);
	else if (r == -ENOENT)
		err_hint(err, "there are none: %s is not there", store.path);
	state_store_close(&store);
}
