/*
 * One more process of a container that is there: which container it is, and what is known of it
 * before a plan can be made.
 */
#ifndef HULL_START_JOIN_H
#define HULL_START_JOIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "plan/exec.h"

struct join {
	int pidfd;          /* of the container's first process: that one and no other */
	int enter_fd;       /* that descriptor once more, for the child to enter by */
	pid_t pid;          /* the same */
	bool has_init;      /* it is hull's own (--init), which hides */
	const char *cgroup; /* the container's, below the cgroup2 mount; NULL: it has none */
	const char *sub_cgroup; /* --cgroup, below that; or NULL */
};

void join_init(struct join *join);
void join_done(struct join *join);

/*
 * Fills what a plan must know of the container, but its id and config. Where only root may look at
 * hull's own first process, the program becomes the one that is joined.
 */
_must_check_ int join_examine(struct join *join, struct plan_container *ret, struct err *err);

/* The container has stopped, and what failed by that error since it was found, because of that. */
bool join_has_ended(const struct join *join, int error);
/* 0, or -ESRCH: the container has stopped. */
_must_check_ int join_check_alive(const struct join *join, struct err *err);

#endif
