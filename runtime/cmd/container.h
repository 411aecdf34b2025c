/* What the commands on an existing container begin with: its state, and the way to its cgroup. */
#ifndef HULL_CMD_CONTAINER_H
#define HULL_CMD_CONTAINER_H

#include "cgroup/cgroup.h"
#include "cmd/cmd.h"

struct container {
	struct state_store store;
	struct state_entry entry; /* with CONTAINER_LOCK: locked */
	struct state state;       /* its status is what the kernel says, not the file */
};

#define _cleanup_container_ _cleanup_(container_done)

enum container_flags {
	CONTAINER_READ, /* without a lock */
	CONTAINER_LOCK, /* its state cannot change meanwhile */
};

/* Opens the store in which it must be. ENOENT, in the words for a container that does not exist. */
_must_check_ int container_open_store(struct cmd *cmd, const char *id, struct state_store *ret,
				      struct err *err);

/* Reads its state. ENOENT: there is none. *ret may be given to container_done() in any case. */
_must_check_ int container_open(struct cmd *cmd, const char *id, enum container_flags flags,
				struct container *ret, struct err *err);
void container_done(struct container *c);

/* Its cgroup. ENOENT, with the error filled: it has none, or it is gone. */
_must_check_ int container_open_cgroup(const struct container *c, int *ret_fd, struct err *err);

/* The error for a container that is not running; engines look for its words. */
int container_not_running(const char *id, struct err *err);

/*
 * Calls act() for the container of that name; or, with is_regex, for each one whose name matches an
 * extended regular expression: then each failure but the last is a warning at once.
 */
_must_check_ int container_each(struct cmd *cmd, const char *name, bool is_regex,
				int (*act)(struct cmd *cmd, const char *id, void *context,
					   struct err *err),
				void *context, struct err *err);

#endif
