/*
 * Failures of a start that are no failures: all of them in one table, each with the call, the
 * errno and the reason. What happened is kept and shown by --debug; whatever is not in the table
 * stops the start.
 */
#ifndef HULL_START_TOLERATE_H
#define HULL_START_TOLERATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "start/start.h"

enum tolerance {
	TOLERATE_KEYRING,
	TOLERATE_LINK,
	TOLERATE_PROTECT,
	TOLERATE_PROC_LINKS,
	TOLERATE_RLIMIT,
	TOLERATE_MOUNT_NS,
	TOLERATE_NO_CGROUP2, /* nothing in config.json needs a cgroup */
	TOLERATE_CGROUP,     /* the same, and the caller has no privilege over the host's */
	TOLERATE_IDMAP,
	TOLERATE_CONSOLE_OWNER,
};

/* Whether this errno is one that the table allows there; if so it is noted. No allocation. */
bool tolerate(const struct start *s, enum tolerance what, int code);

/* The same for the parent before the channel is there. */
bool tolerate_early(struct start *s, enum tolerance what, int code);

/* Appends what was tolerated, a line each. */
void tolerate_print(const struct start *s, struct str *out);

#endif
