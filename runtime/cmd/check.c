/*
 * hull check: would this bundle start, and is it what its author meant? The same parser and planner
 * as run, and then a look at the host: are the things there that config.json names? Nothing is
 * started or made. Exit status 0: fine, 1: warnings and -W, 2: errors.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/bundle.h"
#include "cmd/report.h"
#include "seccomp/seccomp.h"
#include "explain/explain.h"

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
	struct err *err = spec_problem_add(&cmd->arena, &cmd->problems, SPEC_ERROR, found->at, "%s",
					   found->message);
	if (!err)
		return;
	*err = *found;
	json_locate(&cmd->doc, err);
}

/* ---- what the host has ---- */

static void check_sources(struct cmd *cmd, const struct plan *plan)
{
	for (size_t i = 0; i < plan->mounts_n; i++) {
		const struct plan_mount *m = &plan->mounts[i];
		struct err err;
		if (m->kind != PLAN_MOUNT_BIND || faccessat(AT_FDCWD, m->source, F_OK, 0) == 0)
			continue;
		err_sys(&err, errno, "cannot bind '%s' to '%s'", m->source, m->destination);
		err_at(&err, m->source_at);
		add_problem(cmd, &err);
	}
}

static int try_hook(const char *path)
{
	struct stat st;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 || fstatat(AT_FDCWD, path, &st, 0) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -EACCES;
}

/* Those of the image are found only when there is one. */
static void check_hooks(struct cmd *cmd, const struct plan *plan)
{
	for (enum plan_hook_kind kind = 0; kind < PLAN_HOOK_KINDS; kind++) {
		if (kind == PLAN_HOOK_START_CONTAINER)
			continue;
		for (size_t i = 0; i < plan->hooks[kind].n; i++) {
			const struct plan_hook *hook = &plan->hooks[kind].v[i];
			struct err err;
			int r = try_hook(hook->path);
			if (r == 0)
				continue;
			err_sys(&err, -r, "cannot execute the %s hook '%s'", plan_hook_name(kind),
				hook->path);
			err_at(&err, hook->at);
			add_problem(cmd, &err);
		}
	}
}

static void check_controllers(struct cmd *cmd, const struct plan *plan)
{
	struct cgroup_root root;
	struct err err;
	char have[512];

	if (!plan->cgroup.controllers[0])
		return;
	if (cgroup_root_open(&root, &err) < 0) {
		add_problem(cmd, &err);
		return;
	}
	if (fd_read_value(root.fd, "cgroup.controllers", have, sizeof(have)) < 0)
		have[0] = '\0';
	for (size_t i = 0; plan->cgroup.controllers[i]; i++) {
		const char *name = plan->cgroup.controllers[i];
		if (str_has_word(have, name))
			continue;
		err_say(&err, ERR_HOST, ENODEV, "the cgroup controller '%s' is not available in %s",
			name, root.path);
		err_at(&err, plan->cgroup.controllers_at[i]);
		add_problem(cmd, &err);
	}
	cgroup_root_close(&root);
}

static void check_program(struct cmd *cmd, const struct plan *plan)
{
	const struct plan_process *process = &plan->process;
	struct err err;
	struct explain_who who = explain_who_of(process);
	_cleanup_close_ int root = open(plan->root.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0) {
		err_sys(&err, errno, "cannot open the root filesystem '%s'", plan->root.path);
		err_at(&err, plan->root.at);
		add_problem(cmd, &err);
		return;
	}
	/* With layers or mounts over it, the program may lie where only a start sees it. */
	if (plan->root.kind == PLAN_ROOT_OVERLAY)
		return;
	if (explain_find(root, process->args[0], process->path, &who, &err) < 0) {
		err_at(&err, process->args_at);
		add_problem(cmd, &err);
	}
}

/*
 * Names that are unknown: warnings in run, since the profiles and lists of newer engines must work,
 * but what the author of a bundle wants to know (design: "Unknown names").
 */
static void promote_unknown_names(struct cmd *cmd, const struct spec *spec)
{
	struct spec_problems found = { 0 };

	for (struct spec_problem *p = cmd->problems.first; p; p = p->next) {
		if (p->severity != SPEC_WARNING ||
		    !str_has_prefix(p->err.path, "process.capabilities."))
			continue;
		p->severity = SPEC_ERROR;
		cmd->problems.warnings--;
		cmd->problems.errors++;
	}
	seccomp_check(&spec->linux.seccomp, &cmd->arena, &found);
	for (const struct spec_problem *p = found.first; p; p = p->next)
		add_problem(cmd, &p->err);
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
		   p->errors ? "It is not fit to start." : "It would start.");
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
		promote_unknown_names(cmd, &bundle.spec);
		r = bundle_plan(cmd, &o->bundle, "check", &bundle, err);
		if (r < 0) {
			add_problem(cmd, err);
		} else {
			check_sources(cmd, &bundle.plan);
			check_hooks(cmd, &bundle.plan);
			check_controllers(cmd, &bundle.plan);
			check_program(cmd, &bundle.plan);
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
