/*
 * The help, and the hints for arguments that do not fit: an option behind the ID, the directory of
 * a bundle without --bundle, a container that is not there. Runs in the parent, with the caller's
 * rights; looks at the state directory's names and whether an argument is a directory, no more.
 */
#include "cmd/usage.h"

#include <string.h>
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

/* `run ID sh`, as others have it. */
static bool hint_program(const struct cmd *cmd, struct err *err)
{
	const struct command *c = cmd->command;
	if (c != &command_run && c != &command_create)
		return false;
	err_hint(err,
		 "the program stands in config.json, as process.args; hull exec %s %s runs one "
		 "more in a container that is there",
		 cmd->args[0], cmd->args[1]);
	return true;
}

void usage_hint_args(const struct cmd *cmd, struct err *err)
{
	const struct command *c = cmd->command;
	bool is_meant = cmd->args_n > c->max_args &&
			(hint_value(cmd, err) || hint_late_option(cmd, err) ||
			 hint_bundle(cmd, err) || hint_program(cmd, err));
	if (!is_meant)
		err_hint(err, "usage: hull %s %s", c->name, c->synopsis);
}

/* Options of engines that a runtime does not have, and what stands for them. */
static const struct {
	const struct command *command;
	const char *option, *hint;
} foreign_options[] = {
#define IN_CONFIG "stands in config.json: "
	{ &command_run, "-i",
	  "standard input is always the program's; a terminal " IN_CONFIG
	  "\"process\": {\"terminal\": true}" },
	{ &command_run, "-t",
	  "a terminal " IN_CONFIG
	  "\"process\": {\"terminal\": true}; hull spec --terminal writes it" },
	{ &command_run, "--rm",
	  "leave it out: of a container that has ended nothing stays, unless --keep is given" },
	{ &command_run, "--name", "the name is the argument: hull run ID" },
	{ &command_run, "-v", "what is mounted " IN_CONFIG "mounts" },
	{ &command_run, "--volume", "what is mounted " IN_CONFIG "mounts" },
	{ &command_run, "-e", "the environment " IN_CONFIG "process.env" },
	{ &command_run, "--env", "the environment " IN_CONFIG "process.env" },
	{ &command_run, "-u", "the user " IN_CONFIG "process.user" },
	{ &command_run, "--user", "the user " IN_CONFIG "process.user" },
	{ &command_run, "-m", "limits stand in config.json: linux.resources" },
	{ &command_run, "--memory", "limits stand in config.json: linux.resources" },
	{ &command_run, "-p",
	  "hull opens no ports; with --net bridge the container's address can be reached from the host" },
	{ &command_exec, "-i",
	  "leave it out: standard input is always the program's; -t gives it a terminal" },
	{ &command_exec, "-w", "the working directory is --cwd DIR" },
	{ &command_exec, "--workdir", "the working directory is --cwd DIR" },
	{ &command_update, "--cpus", "2 CPUs are --cpu-period 100000 --cpu-quota 200000" },
	{ &command_update, "-m", "the limit is --memory BYTES" },
};

static bool is_option(const char *argument, const char *option)
{
	if (option[1] != '-') /* among letters */
		return argument[0] == '-' && argument[1] != '-' && strchr(argument + 1, option[1]);
	size_t n = strlen(option);
	return strncmp(argument, option, n) == 0 && (!argument[n] || argument[n] == '=');
}

static void hint_foreign(const struct cmd *cmd, const char *argument, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(foreign_options) && !err->hint[0]; i++)
		if (foreign_options[i].command == cmd->command &&
		    is_option(argument, foreign_options[i].option))
			err_hint(err, "%s", foreign_options[i].hint);
}

void usage_hint_global(const char *argument, struct err *err)
{
	if (!argument || argument[0] != '-' || err->hint[0])
		return;
	for (size_t i = 0; cmd_table[i]; i++) {
		const struct option *o = option_find(cmd_table[i]->options, argument);
		if (!o)
			continue;
		err_hint(err, "it stands behind the command: hull %s %s%s%s ...",
			 cmd_table[i]->name, argument,
			 o->value && !strchr(argument, '=') ? " " : "",
			 o->value && !strchr(argument, '=') ? o->value : "");
		return;
	}
}

void usage_hint_option(const struct cmd *cmd, const char *argument, struct err *err)
{
	struct err ignored;
	int signal;
	if (cmd->command == &command_kill && argument && argument[0] == '-' &&
	    signal_parse(argument + 1, &signal, &ignored) == 0)
		err_hint(err, "the signal stands behind the ID: hull kill ID %s", argument + 1);
	if (argument)
		hint_foreign(cmd, argument, err);
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

/* Behind the ID all is the program's, as in other runtimes. */
static bool hint_dashes(const struct cmd *cmd, struct err *err)
{
	if (cmd->command != &command_exec || cmd->args_n < 3 || !str_eq(cmd->args[1], "--"))
		return false;
	err_cause(err, "the program begins behind the ID, and so '--' was taken for it");
	err_hint(err, "leave it out: hull exec %s %s ...", cmd->args[0], cmd->args[2]);
	return true;
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
		(void)(hint_late_option(cmd, err) || hint_dashes(cmd, err));
	if (!(err->flags & ERR_NO_CONTAINER) || err->hint[0])
		return;
	int r = cmd_open_store(cmd, STATE_STORE_EXISTING, &store, &ignored);
	if (r == 0)
		hint_others(cmd, &store, err);
	else if (r == -ENOENT)
		err_hint(err, "there are none: %s is not there", store.path);
	state_store_close(&store);
}
