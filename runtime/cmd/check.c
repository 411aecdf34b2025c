/*
 * hull check: would this bundle start, and is it what its author meant? The same parser and planner
 * as run, and then a look at what a start would meet (start/foresee.h). Nothing is started or made.
 * Exit status 0: fine, 1: warnings and -W, 2: errors.
 */
#include "cmd/bundle.h"
#include "cmd/report.h"
#include "seccomp/seccomp.h"
#include "start/foresee.h"

struct check_options {
	struct bundle_options bundle;
	bool strict;
};

static const struct option check_table[] = {
	BUNDLE_OPTION_ROWS(struct bundle_options),
	{ "strict", 'W', OPTION_FLAG, offsetof(struct check_options, strict), NULL,
	  "exit with 1 when there are warnings" },
	{ 0 },
};

static void add_problem(struct cmd *cmd, const struct err *found)
{
	struct err *err = spec_problem_copy(&cmd->arena, &cmd->problems, SPEC_ERROR, found);
	if (err)
		json_locate(&cmd->doc, err);
}

/* ---- the verdict ---- */

static int print_verdict(struct cmd *cmd, struct err *err)
{
	const struct spec_problems *p = &cmd->problems;
	struct str out;

	str_init(&out, &cmd->arena);
	if (p->errors + p->warnings > 0)
		report_problems(&out, &cmd->doc, p, REPORT_CHECK);
	str_printf(&out, "%s: %u error%s, %u warning%s. %s\n", cmd->doc.name, p->errors,
		   p->errors == 1 ? "" : "s", p->warnings, p->warnings == 1 ? "" : "s",
		   p->errors ? "It is not fit to start." : "Nothing speaks against a start.");
	return cmd_print(&out, err);
}

static int check(struct cmd *cmd, void *options, struct err *err)
{
	const struct check_options *o = options;
	struct bundle bundle;

	int r = bundle_load(cmd, &o->bundle, &bundle, err);
	if (r < 0 && cmd->problems.errors == 0)
		return r; /* no file, or no JSON in it */
	if (r == 0) {
		seccomp_check(&bundle.spec.linux.seccomp, &cmd->arena, &cmd->problems);
		spec_advise(&bundle.spec, cmd->global.systemd_cgroup, &cmd->arena, &cmd->problems);
		r = bundle_plan(cmd, &o->bundle, "check", &bundle, err);
		if (r < 0) {
			add_problem(cmd, err);
		} else {
			const struct foresee f = { &bundle.plan, &cmd->arena, &cmd->problems };
			foresee_start(&f);
		}
	}
	r = print_verdict(cmd, err);
	if (r < 0)
		return r;
	return cmd->problems.errors ? 2 : o->strict && cmd->problems.warnings ? 1 : 0;
}

const struct command command_check = {
	.name = "check",
	.group = "diagnose",
	.synopsis = "[options]",
	.summary =
		"check a bundle without starting it (status 0: fine, 1: warnings with -W, 2: errors)",
	.options = check_table,
	.options_size = sizeof(struct check_options),
	.min_args = 0,
	.max_args = 0,
	.run = check,
	.failure = 2,
};
