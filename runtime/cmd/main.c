/*
 * hull: where it begins and ends. The process is made safe (descriptors, signals), the global
 * options are parsed, one command runs, and its error, if any, is reported. Nothing below cmd/
 * prints or exits.
 */
#include "cmd/cmd.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/usage.h"
#include "seal/seal.h"

/* clang-format off */
const struct command *const cmd_table[] = {
	&command_run,
	&command_create,
	&command_start,
	&command_exec,
	&command_kill,
	&command_pause,
	&command_resume,
	&command_update,
	&command_delete,
	&command_list,
	&command_state,
	&command_ps,
	&command_events,
	&command_stats,
	&command_check,
	&command_plan,
	&command_spec,
	&command_features,
	NULL,
};
/* clang-format on */

/* ---- finding the command ---- */

/* All that may stand in the place of a command, "help" behind the commands. */
static const char *next_command(void *state)
{
	const struct command *const **c = state;
	if (!*c)
		return NULL;
	const char *name = **c ? (*(*c)++)->name : "help";
	if (str_eq(name, "help"))
		*c = NULL;
	return name;
}

/* Those of runc that engines and people will look for, and why they are not there. */
static const struct {
	const char *name, *why;
} missing_commands[] = {
	/* podman asks for the help of these two, and takes success for support. */
	{ "checkpoint", "hull makes no checkpoints" },
	{ "restore", "hull makes no checkpoints, and so it cannot restore any" },
};

/* Words of other programs for what hull calls otherwise. */
static const struct {
	const char *name, *meant;
} foreign_commands[] = {
	{ "ls", "list" },       { "rm", "delete" },     { "stop", "kill" },
	{ "inspect", "state" }, { "top", "ps" },        { "version", "--version" },
	{ "remove", "delete" }, { "info", "features" },
};

static const char *meant_command(const char *name)
{
	const struct command *const *at = cmd_table;
	for (size_t i = 0; i < ARRAY_SIZE(foreign_commands); i++)
		if (str_eq(foreign_commands[i].name, name))
			return foreign_commands[i].meant;
	return str_nearest(name, next_command, &at);
}

static int refuse_missing(const char *name, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(missing_commands); i++)
		if (str_eq(missing_commands[i].name, name))
			return err_say(err, ERR_CONFIG, ENOTSUP, "%s", missing_commands[i].why);
	return 0;
}

static int find_command(const char *name, const struct command **ret, struct err *err)
{
	for (size_t i = 0; cmd_table[i]; i++)
		if (str_eq(cmd_table[i]->name, name)) {
			*ret = cmd_table[i];
			return 0;
		}
	int r = refuse_missing(name, err);
	if (r < 0)
		return r;
	const char *near = meant_command(name);
	if (near)
		return err_say(err, ERR_CONFIG, EINVAL, "unknown command '%s'; did you mean '%s'?",
			       name, near);
	err_say(err, ERR_CONFIG, EINVAL, "unknown command '%s'", name);
	err_hint(err, "hull --help lists the commands");
	return -EINVAL;
}

static int check_choice(const char *option, const char *value, const char *const *choices,
			struct err *err)
{
	if (!value)
		return 0;
	struct arena arena __attribute__((cleanup(arena_done)));
	struct str list;
	arena_init(&arena);
	str_init(&list, &arena);
	for (; *choices; choices++) {
		if (str_eq(*choices, value))
			return 0;
		str_printf(&list, "%s%s", list.used ? ", " : "", *choices);
	}
	return err_say(err, ERR_CONFIG, EINVAL, "--%s takes one of %s, not '%s'", option, list.text,
		       value);
}

/* crun's forms of --log: file:PATH is a path; the others are not carried out. */
static int check_log(struct cmd_global *g, struct err *err)
{
	const char *log = g->log;
	if (log && (str_has_prefix(log, "journald:") || str_has_prefix(log, "syslog:"))) {
		g->log = NULL; /* not even this error goes to a file of that name */
		return err_say(err, ERR_CONFIG, ENOTSUP,
			       "hull cannot log to '%s' yet, only to a file", log);
	}
	if (g->log && str_has_prefix(g->log, "file:"))
		g->log += strlen("file:");
	return 0;
}

/* Two options for one thing, as runc and crun have it. */
static int check_managers(struct cmd_global *g, struct err *err)
{
	const char *manager = g->cgroup_manager;
	if (!manager)
		return 0;
	if (g->systemd_cgroup && !str_eq(manager, "systemd"))
		return err_say(err, ERR_CONFIG, EINVAL,
			       "--systemd-cgroup and --cgroup-manager=%s contradict each other",
			       manager);
	g->systemd_cgroup = str_eq(manager, "systemd");
	return 0;
}

static int check_global(struct cmd_global *g, struct err *err)
{
	static const char *const formats[] = { "text", "json", NULL };
	static const char *const levels[] = { "error", "warning", "debug", NULL };
	static const char *const colours[] = { "auto", "always", "never", NULL };
	static const char *const managers[] = { "cgroupfs", "systemd", "disabled", NULL };

	int r = check_choice("log-format", g->log_format, formats, err);
	if (r == 0)
		r = check_choice("log-level", g->log_level, levels, err);
	if (r == 0)
		r = check_choice("color", g->colour, colours, err);
	if (r == 0)
		r = check_log(g, err);
	if (r == 0)
		r = check_choice("cgroup-manager", g->cgroup_manager, managers, err);
	return r < 0 ? r : check_managers(g, err);
}

/* ---- one command ---- */

static int count_args(struct cmd *cmd, struct err *err)
{
	const struct command *c = cmd->command;
	if (cmd->args_n >= c->min_args && cmd->args_n <= c->max_args)
		return 0;
	err_say(err, ERR_CONFIG, EINVAL,
		cmd->args_n < c->min_args ? "%s needs more arguments" : "%s has too many arguments",
		c->name);
	usage_hint_args(cmd, err);
	return -EINVAL;
}

static int run_command(struct cmd *cmd, char **argv, int index, struct err *err)
{
	const struct command *c = cmd->command;
	void *options = arena_alloc(&cmd->arena, c->options_size + 1);

	for (int i = index; argv[i] && argv[i][0] == '-' && !str_eq(argv[i], "--"); i++)
		if (str_eq(argv[i], "--help") || str_eq(argv[i], "-h")) {
			struct str out;
			str_init(&out, &cmd->arena);
			usage_command(c, &out);
			return cmd_print(&out, err);
		}
	int r = option_parse(c->options, c->name, argv, &index, options, err);
	if (r < 0) {
		usage_hint_option(cmd, argv[index], err);
		return r;
	}
	cmd->args = argv + index;
	while (cmd->args[cmd->args_n])
		cmd->args_n++;
	r = count_args(cmd, err);
	if (r == 0)
		r = c->run(cmd, options, err);
	if (r < 0)
		usage_hint_failure(cmd, err);
	return r;
}

/* The name before "version", which engines cut it at, and lines of "key: value". */
static void print_version(struct str *out)
{
	str_append(out, "hull version " HULL_VERSION "\n");
	if (HULL_COMMIT[0])
		str_append(out, "commit: " HULL_COMMIT "\n");
	str_append(out, "spec: " STATE_OCI_VERSION "\n");
}

/* `hull`, `hull --help [COMMAND]` and `hull help [COMMAND]`. */
static int help(struct cmd *cmd, char **words, struct err *err)
{
	const struct command *command;
	bool is_asked = cmd->global.help || words[0];
	struct str out;

	str_init(&out, &cmd->arena);
	while (words[0] && str_eq(words[0], "help"))
		words++;
	int r = words[0] ? find_command(words[0], &command, err) : 0;
	if (r < 0)
		return r;
	if (words[0])
		usage_command(command, &out);
	else if (is_asked)
		usage_whole(&out);
	else
		usage_short(&out);
	return cmd_print(&out, err);
}

static int run_global(struct cmd *cmd, char **argv, struct err *err)
{
	int index = 1;
	struct str out;

	str_init(&out, &cmd->arena);
	int r = option_parse(cmd_global_options, "hull", argv, &index, &cmd->global, err);
	if (r == 0)
		r = check_global(&cmd->global, err);
	if (r < 0)
		usage_hint_global(argv[index], err);
	if (r < 0)
		return r;
	if (cmd->global.version) {
		print_version(&out);
		return cmd_print(&out, err);
	}
	if (cmd->global.help || !argv[index] || str_eq(argv[index], "help"))
		return help(cmd, argv + index, err);
	r = cmd_open_log(cmd, err);
	if (r == 0)
		r = find_command(argv[index], &cmd->command, err);
	if (r == 0 && cmd->command->seals && !cmd->is_sealed) {
		*err = cmd->seal_err; /* said here, where it also reaches the log */
		return err->code ? -err->code : -EPERM;
	}
	return r < 0 ? r : run_command(cmd, argv, index + 1, err);
}

/* ---- the process ---- */

/* Descriptors 0 to 2 must be something, or the next file that is opened becomes stdout. */
static int open_missing_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == 0 ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CLOEXEC) != fd)
			return -1;
		if (fcntl(fd, F_SETFD, 0) < 0)
			return -1;
	}
	return 0;
}

/* Is there a word among the arguments that names a command with processes in a container? */
static bool may_need_seal(char **argv)
{
	for (int i = 1; argv[i]; i++)
		for (size_t k = 0; cmd_table[k]; k++)
			if (cmd_table[k]->seals && str_eq(cmd_table[k]->name, argv[i]))
				return true;
	return false;
}

/* Before the arguments are understood; run_global() does not go on without it. */
static void seal(struct cmd *cmd, char **argv)
{
#ifdef HULL_WITHOUT_SEAL
	cmd->is_sealed = true;
	(void)may_need_seal(argv);
#else
	cmd->is_sealed = may_need_seal(argv) && seal_self(argv, &cmd->seal_err) == 0;
#endif
}

/* Before there is anything to report with. */
static int refuse(const char *why)
{
	dprintf(STDERR_FILENO, "error: %s\n", why);
	return 1;
}

/* For a copy of the process that wipes its own (isolate_wipe_arguments) and goes on to need them.
 */
static char **copy_arguments(int argc, char **argv, struct arena *arena)
{
	char **copy = arena_array(arena, (size_t)argc + 1, sizeof(*copy));
	for (int i = 0; i < argc; i++)
		copy[i] = arena_strdup(arena, argv[i]);
	copy[argc] = NULL;
	return copy;
}

int main(int argc, char **argv)
{
	struct cmd cmd = { 0 };
	struct err err = { 0 };

	if (argc < 1 || open_missing_stdio() < 0)
		return refuse("cannot make sure that descriptors 0 to 2 are open");
	if (getauxval(AT_SECURE))
		return refuse("hull must not be set-user-ID or have file capabilities (R-023)");
	seal(&cmd, argv);
	arena_init(&cmd.arena);
	int status = run_global(&cmd, copy_arguments(argc, argv, &cmd.arena), &err);
	if (status < 0) {
		cmd_report_error(&cmd, &err);
		status = cmd.command ? cmd.command->failure : 1;
	}
	/* Not arena_done(): to wipe it, pages would be touched and copied that go away now. */
	exit(status);
}
