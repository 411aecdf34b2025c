/*
 * The command line: one table of commands, each with a table of its options. The tables parse the
 * arguments, print the help and know what somebody may have meant.
 */
#ifndef HULL_CMD_CMD_H
#define HULL_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "spec/spec.h"
#include "state/state.h"

/* ---- options ---- */

enum option_kind {
	OPTION_END,
	OPTION_FLAG,     /* --keep: a bool */
	OPTION_TEXT,     /* --bundle DIR or --bundle=DIR: a const char * */
	OPTION_TEXT_OPT, /* --overlay or --overlay=DIR: a const char *, "" without a value */
	OPTION_NUMBER,   /* --preserve-fds N: an unsigned */
	OPTION_LIST,     /* --env A=1 --env B=2: a struct option_list */
	OPTION_IGNORED,  /* accepted with its value, which changes nothing */
	OPTION_IGNORED_FLAG,
	OPTION_LATER, /* known, not carried out yet: refused */
};
#define OPTION_LIST_MAX 1024
struct option_list {
	const char **v; /* in the order in which they were given; malloc's, for as long as hull is
			   there */
	size_t n;
};
struct option {
	const char *name; /* without the dashes */
	char letter;      /* or 0 */
	enum option_kind kind;
	size_t offset;     /* of the value in the struct that is filled */
	const char *value; /* what help calls the value, "DIR" */
	const char *help;
};

/*
 * Parses options from argv[*index] on into `ret`, up to the first argument that is none, or "--".
 * `where` names the command in errors.
 */
_must_check_ int option_parse(const struct option *table, const char *where, char **argv,
			      int *index, void *ret, struct err *err);

/* The option that an argument gives ("--keep", "-b", "--bundle=DIR"); NULL: it is none. */
const struct option *option_find(const struct option *table, const char *argument);

/* Appends the options, one a line, aligned. */
void option_help(const struct option *table, struct str *out);

/* ---- commands ---- */

enum cmd_colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* The global options. */
struct cmd_global {
	const char *root;
	const char *log;
	const char *log_format;
	const char *log_level;
	const char *cgroup_manager;
	const char *colour;
	bool debug, help, version;
	bool systemd_cgroup;           /* also by --cgroup-manager=systemd */
	bool allow_rootfs_annotations; /* of create */
};

/* What a command works with. */
struct cmd {
	const struct command *command;
	struct cmd_global global;
	struct arena arena;
	struct json_doc doc; /* of the config.json that was loaded; text NULL: none */
	struct spec_problems problems;
	char **args; /* behind the options; args[-1] is the last one, or the command */
	int args_n;
	bool leaves;    /* hull ends before the container: its standard error is the container's */
	bool is_sealed; /* hull's executable (seal.h); else, for a command that needs it, why not */
	struct err seal_err;
};

struct command {
	const char *name;
	const char *group; /* heading in the help; those of one group follow each other */
	const char *synopsis;
	const char *summary;
	const char *note; /* stands below the options in the help; or NULL */
	const struct option *options;
	size_t options_size; /* of the struct that they fill */
	int min_args, max_args;
	/* The exit status: of the container, or 0; -errno with the error filled. */
	int (*run)(struct cmd *cmd, void *options, struct err *err);
	int failure; /* exit status on an error of hull's own */
	bool seals;  /* has processes that a container can see: runs from a sealed executable */
};

extern const struct command command_create, command_start, command_run, command_exec, command_state,
	command_list, command_ps, command_kill, command_pause, command_resume, command_update,
	command_events, command_stats, command_delete, command_check, command_plan, command_spec,
	command_features;

/* The options before the command. */
extern const struct option cmd_global_options[];

/* All commands, NULL at the end. */
extern const struct command *const cmd_table[];

/* ---- output ---- */

/* Makes sure that --log can be written, before it is needed. */
_must_check_ int cmd_open_log(const struct cmd *cmd, struct err *err);

/* Writes to stdout; the only way there. */
_must_check_ int cmd_print(const struct str *text, struct err *err);

/* An error: to people on stderr, as one JSON object to --log. */
void cmd_report_error(struct cmd *cmd, const struct err *err);
/* The warnings collected so far, when there is no error to go with. */
void cmd_report_warnings(struct cmd *cmd);

/* How a container ended, where that is worth a word: on stderr, as one record in --log. */
void cmd_report_exit(struct cmd *cmd, const char *id, const struct exitinfo *x);

/* One warning, at once: to people on stderr, or to --log as a record of its own. */
void cmd_report_warning(struct cmd *cmd, const struct err *warning);

/* Whether anybody will see what cmd_debug() says. */
bool cmd_wants_debug(const struct cmd *cmd);
/* Each of them, in the same way. */
void cmd_report_each(struct cmd *cmd, const struct spec_problems *warnings);

/* How texts for standard error look: enum report_flags. */
unsigned cmd_stderr_flags(const struct cmd *cmd);

/* Words that only --debug shows: on stderr, or in a --log of plain text. */
void cmd_debug(struct cmd *cmd, const struct str *text);

/*
 * What the caller has left open from `first` on is none of the container's business. What
 * is not open below gets a descriptor that ends with execve: or else what hull opens later would
 * lie among the program's, which nobody closes before.
 */
_must_check_ int cmd_close_inherited(unsigned first, struct err *err);

/* Opens the store of --root. */
_must_check_ int cmd_open_store(struct cmd *cmd, enum state_store_flags flags,
				struct state_store *ret, struct err *err);

/* A start that was given up on a signal ends hull by that signal, as its caller expects. Should it
 * return, the exit status. */
int cmd_die_by(int signal);

/* --format, which is table (also NULL), wide (where somebody asks for that) or json. */
_must_check_ int cmd_parse_format(const char *format, bool *ret_is_wide, bool *ret_is_json,
				  struct err *err);

/* The time of --interval: "500ms", "5s", "1m", "1h". */
_must_check_ int cmd_parse_interval(const char *text, int *ret_ms, struct err *err);

/* The absolute path of a path of the caller, without its being resolved. */
_must_check_ int cmd_absolute(struct cmd *cmd, const char *path, const char **ret, struct err *err);

#endif
