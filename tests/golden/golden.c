/*
 * Prints what hull says about a config.json, without a host and without root:
 *   golden FILE                    the text for people
 *   golden --log FILE              the record of --log
 *   golden --plan [OPTIONS] FILE   the plan of `run` with these options, on a host that is always
 *                                  the same; or why there is none
 * tests/golden/run compares them with what is kept beside the inputs.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "cmd/cmd.h"
#include "cmd/report.h"
#include "spec/spec.h"
#include "plan/plan.h"

#define FIXED_TIME   "2026-01-02T03:04:05Z"
#define FIXED_BUNDLE "/bundle"
#define FIXED_ID     "web"

struct golden_options {
	bool log, plan, no_pivot, no_new_keyring, no_annotations, init, poor_host, user_host;
	const char *overlay, *net, *subnet;
	unsigned preserve_fds, listen_fds;
};

#define GOLDEN(member) offsetof(struct golden_options, member)

static const struct option golden_table[] = {
	{ "log", 0, OPTION_FLAG, GOLDEN(log), NULL, "" },
	{ "plan", 0, OPTION_FLAG, GOLDEN(plan), NULL, "" },
	{ "overlay", 0, OPTION_TEXT_OPT, GOLDEN(overlay), "DIR", "as in run" },
	{ "net", 0, OPTION_TEXT, GOLDEN(net), "MODE", "as in run" },
	{ "subnet", 0, OPTION_TEXT, GOLDEN(subnet), "SUBNET", "as in run" },
	{ "no-pivot", 0, OPTION_FLAG, GOLDEN(no_pivot), NULL, "as in run" },
	{ "no-new-keyring", 0, OPTION_FLAG, GOLDEN(no_new_keyring), NULL, "as in run" },
	{ "preserve-fds", 0, OPTION_NUMBER, GOLDEN(preserve_fds), "N", "as in run" },
	{ "listen-fds", 0, OPTION_NUMBER, GOLDEN(listen_fds), "N", "LISTEN_FDS of the caller" },
	{ "init", 0, OPTION_FLAG, GOLDEN(init), NULL, "as in run" },
	{ "no-annotations", 0, OPTION_FLAG, GOLDEN(no_annotations), NULL, "as in create" },
	{ "poor-host", 0, OPTION_FLAG, GOLDEN(poor_host), NULL, "see poor_host" },
	{ "user-host", 0, OPTION_FLAG, GOLDEN(user_host), NULL, "see user_host" },
	{ 0 },
};

/* Root with all capabilities of Linux 6.1 (41 of them), on a kernel that has everything. */
static const struct host rich_host = {
	.caps_permitted = (UINT64_C(1) << 41) - 1,
	.caps_bounding = (UINT64_C(1) << 41) - 1,
	.caps_known = (UINT64_C(1) << 41) - 1,
	.has_time_namespaces = true,
	.memory_nodes = { { 3 } }, /* 0 and 1 */
	.has_apparmor = true,
	.has_selinux = true,
};

/* Inside of a container of docker's: fewer capabilities, and a kernel without time namespaces. */
static const struct host poor_host = {
	.caps_permitted = 0xa80425fb,
	.caps_bounding = 0xa80425fb,
	.caps_known = (UINT64_C(1) << 41) - 1,
	.signals_ignored = 1u << (1 - 1) |
			   1u << (13 - 1), /* as below nohup, and a Python program */
};

/* A user without privilege, whose session has a cgroup of its own. */
static const struct host user_host = {
	.uid = 1000,
	.gid = 1000,
	.caps_bounding = (UINT64_C(1) << 41) - 1,
	.caps_known = (UINT64_C(1) << 41) - 1,
	.has_time_namespaces = true,
	.cgroup = "/user.slice/user-1000.slice",
};

static unsigned plan_flags(const struct golden_options *o)
{
	return (o->no_annotations ? 0 : PLAN_ROOTFS_ANNOTATIONS) |
	       (o->no_pivot ? PLAN_NO_PIVOT : 0) | (o->no_new_keyring ? PLAN_NO_NEW_KEYRING : 0) |
	       (o->overlay ? PLAN_OVERLAY : 0) | (o->init ? PLAN_INIT : 0);
}

static void print_plan(const struct golden_options *o, const struct spec *spec, struct arena *arena,
		       struct spec_problems *problems, struct str *out)
{
	struct plan plan;
	struct err err;
	struct plan_options po = {
		.id = FIXED_ID,
		.bundle = FIXED_BUNDLE,
		.flags = plan_flags(o),
		.overlay_dir = o->overlay && *o->overlay ? o->overlay : NULL,
		.preserve_fds = o->preserve_fds,
		.listen_fds = o->listen_fds,
		.net = o->net,
		.subnet = o->subnet,
	};
	const struct host *host = o->poor_host   ? &poor_host
				  : o->user_host ? &user_host
						 : &rich_host;

	int r = plan_make(spec, &po, host, arena, &plan, problems, &err);
	if (problems->errors + problems->warnings > 0)
		report_problems(out, &spec->doc, problems, REPORT_PLAIN);
	if (r < 0) {
		report_err(out, &spec->doc, &err, REPORT_PLAIN);
		return;
	}
	plan_print(&plan, out);
}

static int print_file(const struct golden_options *o, const char *path)
{
	struct spec spec;
	struct spec_problems problems;
	struct err err = { .code = 0 };
	struct str out;
	char *text;
	size_t size;

	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	str_init(&out, &arena);
	if (fd_read_file(AT_FDCWD, path, SPEC_MAX_SIZE, &arena, &text, &size, &err) < 0) {
		report_err(&out, NULL, &err, REPORT_PLAIN);
		fputs(out.text, stderr);
		return 1;
	}
	int r = spec_parse(&arena, "config.json", text, size, &spec, &problems, &err);
	if (o->plan && r == 0)
		print_plan(o, &spec, &arena, &problems, &out);
	else if (!o->log)
		report_problems(&out, &spec.doc, &problems, REPORT_PLAIN);
	else if (r < 0)
		report_log_json(&out, &err, &problems, FIXED_TIME);
	fputs(out.text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct golden_options options = { 0 };
	struct err err;
	int i = 1;

	if (argc < 2 || option_parse(golden_table, "golden", argv, &i, &options, &err) < 0)
		return 2;
	for (; argv[i]; i++)
		if (print_file(&options, argv[i]) != 0)
			return 1;
	return 0;
}
