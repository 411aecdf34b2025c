/* The options that stand before the command. */
#include "cmd/cmd.h"

#define GLOBAL(member) offsetof(struct cmd_global, member)

const struct option cmd_global_options[] = {
	{ "root", 0, OPTION_TEXT, GLOBAL(root), "DIR",
	  "where states are kept (default /run/hull)" },
	{ "log", 0, OPTION_TEXT, GLOBAL(log), "FILE", "write errors and warnings to FILE" },
	{ "log-format", 0, OPTION_TEXT, GLOBAL(log_format), "FORMAT", "text (default) or json" },
	{ "log-level", 0, OPTION_TEXT, GLOBAL(log_level), "LEVEL",
	  "error, warning (default) or debug" },
	{ "debug", 0, OPTION_FLAG, GLOBAL(debug), NULL,
	  "show the plan of a start, its timeline, and the failures that it tolerated" },
	{ "color", 0, OPTION_TEXT, GLOBAL(colour), "WHEN", "auto (default), always or never" },
	{ "cgroup-manager", 0, OPTION_TEXT, GLOBAL(cgroup_manager), "NAME",
	  "cgroupfs (default), systemd or disabled" },
	{ "allow-rootfs-annotations", 0, OPTION_FLAG, GLOBAL(allow_rootfs_annotations), NULL,
	  "let create honour the annotations dev.hull.rootfs.*" },
	{ "systemd-cgroup", 0, OPTION_FLAG, GLOBAL(systemd_cgroup), NULL,
	  "let systemd make the cgroup, as a scope; cgroupsPath is SLICE:PREFIX:NAME" },
	{ "systemd-log", 0, OPTION_LATER, 0, NULL, "log to the journal" },
	{ "rootless", 0, OPTION_IGNORED, 0, "BOOL", "accepted; hull looks for itself" },
	{ "criu", 0, OPTION_IGNORED, 0, "PATH", "accepted; hull makes no checkpoints" },
	{ "help", 'h', OPTION_FLAG, GLOBAL(help), NULL, "show this help" },
	{ "version", 'v', OPTION_FLAG, GLOBAL(version), NULL, "show the version" },
	{ 0 },
};
