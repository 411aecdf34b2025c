/* Starting a bundle: what run and create have in common. */
#ifndef HULL_CMD_RUN_H
#define HULL_CMD_RUN_H

#include "cmd/bundle.h"

struct run_options {
	struct bundle_options bundle; /* first: its rows count from there */
	const char *pid_file, *pidfd_socket;
	const char *timeline; /* of run alone */
};

#define RUN(member) offsetof(struct run_options, member)

#define RUN_OPTION_ROWS                                                                              \
	BUNDLE_OPTION_ROWS(struct bundle_options),                                                   \
		{ "pid-file",    0,      OPTION_TEXT,                                                \
		  RUN(pid_file), "FILE", "write the container's pid to FILE" },                      \
		{ "console-socket",           0,      OPTION_TEXT,                                   \
		  RUN(bundle.console_socket), "PATH", "send the terminal to who listens there" },    \
		{ "pidfd-socket",    0,      OPTION_TEXT,                                            \
		  RUN(pidfd_socket), "PATH", "send a pidfd of the container to who listens there" }, \
	{                                                                                            \
		"no-subreaper", 0, OPTION_FLAG, RUN(bundle.no_subreaper), NULL,                      \
			"leave orphans to the caller"                                                \
	}

/* Who leaves a container leaves its standard error to it (outcome.c). */
#define RUN_WARNINGS                                                                                \
	"and standard error is the\ncontainer's then: warnings go to --log, or "                    \
	"without one to standard error if it is a\nterminal; hull check shows them at any time\n\n" \
	"the program keeps standard input, output and error: what reads them, as in\n"              \
	"$(hull ...) or hull ... | cat, waits until the container ends: redirect them"

/* The exit status, or -errno: as of a command. */
_must_check_ int run_container(struct cmd *cmd, const struct run_options *o, struct err *err);

#endif
