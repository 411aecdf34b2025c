/* hull plan: what a start of this bundle would do, in order, without doing it. */
#include "cmd/bundle.h"

#include <string.h>

#include "cmd/escape.h"

static const struct option plan_table[] = {
	BUNDLE_OPTION_ROWS(struct bundle_options),
	{ 0 },
};

/* Names in it are those of the bundle. */
static void make_safe(const struct str *text, struct str *ret)
{
	for (const char *line = text->text; line && *line;) {
		size_t n = strcspn(line, "\n");
		escape_append(ret, line, n);
		str_append_n(ret, line + n, line[n] == '\n');
		line += n + (line[n] == '\n');
	}
}

static int plan(struct cmd *cmd, void *options, struct err *err)
{
	const char *id = cmd->args_n ? cmd->args[0] : "ID";
	struct bundle bundle;
	struct str out, safe;

	int r = state_check_id(id, err);
	if (r == 0)
		r = bundle_load(cmd, options, &bundle, err);
	if (r == 0)
		r = bundle_plan(cmd, options, id, &bundle, err);
	if (r < 0)
		return r;
	cmd_report_warnings(cmd);
	str_init(&out, &cmd->arena);
	str_init(&safe, &cmd->arena);
	plan_print(&bundle.plan, &out);
	make_safe(&out, &safe);
	return cmd_print(&safe, err);
}

const struct command command_plan = {
	.name = "plan",
	.group = "diagnose",
	.synopsis = "[options] [ID]",
	.summary = "show what a start of a bundle would do",
	.options = plan_table,
	.options_size = sizeof(struct bundle_options),
	.min_args = 0,
	.max_args = 1,
	.run = plan,
	.failure = 1,
};
