/*
 * Where words go: results to stdout, errors and warnings to stderr for people and to --log for
 * engines (one JSON object for an error: some read the file as a whole, some its last line).
 */
#include "cmd/cmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cmd/report.h"

int cmd_print(const struct str *text, struct err *err)
{
	int r = fd_write_all(STDOUT_FILENO, text->text, text->used);
	return r < 0 ? err_sys(err, -r, "cannot write to the standard output") : 0;
}

static enum report_flags stderr_flags(const struct cmd *cmd)
{
	const char *when = cmd->global.colour;
	if (when && !str_eq(when, "auto"))
		return str_eq(when, "always") ? REPORT_COLOUR : REPORT_PLAIN;
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	if ((no_color && *no_color) || !term || str_eq(term, "dumb") || !isatty(STDERR_FILENO))
		return REPORT_PLAIN;
	return REPORT_COLOUR;
}

static enum report_flags problem_flags(const struct cmd *cmd)
{
	unsigned flags = stderr_flags(cmd);
	return flags | (cmd->command == &command_update ? REPORT_UPDATE : REPORT_PLAIN);
}

unsigned cmd_stderr_flags(const struct cmd *cmd)
{
	return stderr_flags(cmd);
}

static void to_stderr(const struct str *text)
{
	(void)!fd_write_all(STDERR_FILENO, text->text, text->used);
}

static bool log_is_json(const struct cmd *cmd)
{
	return cmd->global.log_format && str_eq(cmd->global.log_format, "json");
}

/* A pipe that nobody reads, or that is full, must not hold hull up: it never waits for its log. */
static int open_log(const struct cmd *cmd)
{
	return open(cmd->global.log,
		    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
}

int cmd_open_log(const struct cmd *cmd, struct err *err)
{
	if (!cmd->global.log)
		return 0;
	_cleanup_close_ int fd = open_log(cmd);
	if (fd >= 0)
		return 0;
	int r = err_sys(err, errno, "cannot open the log '%s'", cmd->global.log);
	if (r == -ENXIO)
		err_hint(err, "it is a pipe that nobody reads, or a socket");
	if (r == -ENOENT)
		err_hint(err, "its directory must exist");
	return r;
}

/* Best effort: what cannot be logged still reaches stderr. */
static void append_to_log(const struct cmd *cmd, const struct str *text)
{
	_cleanup_close_ int fd = open_log(cmd);
	if (fd >= 0)
		(void)!fd_write_all(fd, text->text, text->used);
}

static void log_error(struct cmd *cmd, const struct err *err)
{
	char now[CLOCK_TEXT_SIZE];
	struct str text;

	if (!cmd->global.log)
		return;
	str_init(&text, &cmd->arena);
	clock_now(now);
	if (log_is_json(cmd))
		report_log_json(&text, err, &cmd->problems, now);
	else
		report_err(&text, cmd->doc.text ? &cmd->doc : NULL, err, REPORT_PLAIN);
	append_to_log(cmd, &text);
}

static void log_warnings(struct cmd *cmd, const struct str *plain)
{
	char now[CLOCK_TEXT_SIZE];
	struct str text;

	if (!log_is_json(cmd)) {
		append_to_log(cmd, plain);
		return;
	}
	str_init(&text, &cmd->arena);
	clock_now(now);
	for (const struct spec_problem *p = cmd->problems.first; p; p = p->next)
		report_log_warning(&text, &p->err, now);
	append_to_log(cmd, &text);
}

void cmd_report_error(struct cmd *cmd, const struct err *err)
{
	const struct json_doc *doc = cmd->doc.text ? &cmd->doc : NULL;
	struct str text;

	str_init(&text, &cmd->arena);
	if (cmd->problems.errors > 0)
		report_problems(&text, doc, &cmd->problems, problem_flags(cmd));
	else
		report_err(&text, doc, err, problem_flags(cmd));
	to_stderr(&text);
	log_error(cmd, err);
}

static bool wants_warnings(const struct cmd *cmd)
{
	return !cmd->global.log_level || !str_eq(cmd->global.log_level, "error");
}

void cmd_report_warning(struct cmd *cmd, const struct err *warning)
{
	const struct json_doc *doc = cmd->doc.text ? &cmd->doc : NULL;
	char now[CLOCK_TEXT_SIZE];
	struct str text;

	if (!wants_warnings(cmd))
		return;
	str_init(&text, &cmd->arena);
	clock_now(now);
	if (cmd->global.log && log_is_json(cmd))
		report_log_warning(&text, warning, now);
	else
		report_err(&text, doc, warning,
			   REPORT_WARNING | (cmd->global.log ? REPORT_PLAIN : stderr_flags(cmd)));
	if (cmd->global.log)
		append_to_log(cmd, &text);
	else
		to_stderr(&text);
}

void cmd_report_each(struct cmd *cmd, const struct spec_problems *warnings)
{
	for (const struct spec_problem *p = warnings->first; p; p = p->next)
		cmd_report_warning(cmd, &p->err);
}

void cmd_report_warnings(struct cmd *cmd)
{
	struct str text;

	if (cmd->problems.warnings == 0 || !wants_warnings(cmd))
		return;
	str_init(&text, &cmd->arena);
	report_problems(&text, &cmd->doc, &cmd->problems, stderr_flags(cmd));
	/* stderr belongs to the container when the caller has named a log. */
	if (cmd->global.log)
		log_warnings(cmd, &text);
	else
		to_stderr(&text);
}

bool cmd_wants_debug(const struct cmd *cmd)
{
	return cmd->global.debug ||
	       (cmd->global.log_level && str_eq(cmd->global.log_level, "debug"));
}

static void log_exit(struct cmd *cmd, const char *id, const struct exitinfo *x)
{
	char now[CLOCK_TEXT_SIZE];
	struct str text;
	str_init(&text, &cmd->arena);
	clock_now(now);
	if (log_is_json(cmd))
		report_log_exit(&text, id, x, now);
	else
		report_exit(&text, id, x, REPORT_PLAIN);
	append_to_log(cmd, &text);
}

void cmd_report_exit(struct cmd *cmd, const char *id, const struct exitinfo *x)
{
	bool is_error = report_exit_is_error(x);
	bool errors_only = cmd->global.log_level && str_eq(cmd->global.log_level, "error");
	struct str text;

	if (report_exit_is_ordinary(x) ? !cmd_wants_debug(cmd) : errors_only && !is_error)
		return;
	if (cmd->global.log)
		log_exit(cmd, id, x);
	if (cmd->global.log && !is_error)
		return;
	str_init(&text, &cmd->arena);
	report_exit(&text, id, x, stderr_flags(cmd));
	to_stderr(&text);
}

void cmd_debug(struct cmd *cmd, const struct str *text)
{
	bool wanted = cmd_wants_debug(cmd);
	if (wanted && cmd->global.log && !log_is_json(cmd))
		append_to_log(cmd, text);
	else if (wanted && !cmd->global.log)
		to_stderr(text);
}
