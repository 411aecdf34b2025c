/* Loading a bundle and planning it: what run, check and plan have in common. */
#ifndef HULL_CMD_BUNDLE_H
#define HULL_CMD_BUNDLE_H

#include "cmd/cmd.h"
#include "plan/plan.h"

/* Options of run that change the plan; check and plan take them too. */
struct bundle_options {
	const char *bundle, *config, *overlay, *net, *subnet;
	const char *console_socket; /* of run alone */
	unsigned preserve_fds;
	bool keep, no_pivot, no_new_keyring, init;
	bool create, detach, no_subreaper; /* of create and run */
};

#define BUNDLE_OPTION_ROWS(type)                                                                \
	{ "bundle",    'b',                                                                     \
	  OPTION_TEXT, offsetof(type, bundle),                                                  \
	  "DIR",       "the bundle (default: the current directory)" },                         \
		{ "config",    'f',                                                             \
		  OPTION_TEXT, offsetof(type, config),                                          \
		  "FILE",      "another file than config.json, relative to the bundle" },       \
		{ "overlay",       0,                                                           \
		  OPTION_TEXT_OPT, offsetof(type, overlay),                                     \
		  "DIR",           "a writable layer over the root: in DIR, or in memory" },    \
		{ "preserve-fds",                                                               \
		  0,                                                                            \
		  OPTION_NUMBER,                                                                \
		  offsetof(type, preserve_fds),                                                 \
		  "N",                                                                          \
		  "let the program keep N descriptors from 3 on" },                             \
		{ "init",      0,                                                               \
		  OPTION_FLAG, offsetof(type, init),                                            \
		  NULL,        "process 1 is hull's own, which reaps; the program its child" }, \
		{ "net",       0,                                                               \
		  OPTION_TEXT, offsetof(type, net),                                             \
		  "MODE",      "none, host, private, bridge, bridge=NAME or container:ID" },    \
		{ "subnet",    0,                                                               \
		  OPTION_TEXT, offsetof(type, subnet),                                          \
		  "SUBNET",    "the addresses of a bridge that is made: 10.1.2.0/24" },         \
		{ "no-pivot",  0,                                                               \
		  OPTION_FLAG, offsetof(type, no_pivot),                                        \
		  NULL,        "for a host whose root is a ramfs" },                            \
	{                                                                                       \
		"no-new-keyring", 0, OPTION_FLAG, offsetof(type, no_new_keyring), NULL,         \
			"keep the caller's session keyring"                                     \
	}

struct bundle {
	const char *path; /* absolute */
	struct spec spec;
	struct host host;
	struct plan plan;
};

/* The first descriptor that the program does not get: those below are std*, LISTEN_FDS, kept ones.
 */
unsigned bundle_first_closed_fd(const struct bundle_options *options);

/* Reads config.json; problems go to cmd->problems, its text to cmd->doc. */
_must_check_ int bundle_load(struct cmd *cmd, const struct bundle_options *options,
			     struct bundle *ret, struct err *err);

/* Plans it for a container with that id on this host. */
_must_check_ int bundle_plan(struct cmd *cmd, const struct bundle_options *options, const char *id,
			     struct bundle *bundle, struct err *err);

#endif
