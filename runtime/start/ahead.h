/*
 * The container's network namespace, and with it a new user namespace that it belongs to, made
 * while hull does other things: see ahead.c and ahead_user.c.
 */
#ifndef HULL_START_AHEAD_H
#define HULL_START_AHEAD_H

#include <net/if.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct plan;
struct start;

enum ahead_maker {
	AHEAD_CLONE,  /* clone3, with the others; or nobody, for none is wanted */
	AHEAD_HELPER, /* a process that hull starts for it */
	AHEAD_USER,   /* such a process in a new user namespace, which the container gets, too */
	AHEAD_CHILD,  /* the child, once it is root of the user namespace that clone3 has made */
};

struct ahead {
	enum ahead_maker maker;
	int pidfd;                  /* the helper, until it has ended */
	pid_t helper;               /* its number, which is nobody else's as long as that */
	cpu_set_t cpus;             /* hull's own, which it gets back */
	pid_t hull_pid;             /* its parent, as long as that lives */
	_Atomic bool is_tied;       /* it ends with hull, whatever happens to it */
	_Atomic unsigned may_begin; /* a futex: of AHEAD_USER, when the maps are written */
	struct ifreq interface;     /* to be brought up; without a name: none */
	bool is_up;                 /* it has been */
	/* The network namespace: a descriptor of the table that the helper shares, or -errno. */
	_Atomic int result;
	int user_fd; /* AHEAD_USER: the user namespace, opened by the helper */
};

void ahead_init(struct ahead *ahead);
/* Waits for the helper, ten seconds at most, or ends it. */
void ahead_done(struct ahead *ahead);

/* Parent, a step: decides who makes it, and begins. */
_must_check_ int ahead_begin(struct start *s, struct err *err);
/* Parent, a step, before it has anything that must be let go of when it is killed, such as the
 * state's lock, which the helper holds with it: without a helper that may stay. */
_must_check_ int ahead_tie(struct start *s, struct err *err);
/* Parent, a step, when the cgroup is there: gives the user namespace up where the stage could not
 * put the child into the cgroup from there. */
_must_check_ int ahead_settle(struct start *s, struct err *err);
/* Has the container's user namespace been made, with its maps? */
bool ahead_has_user(const struct start *s);
/* What of the plan's CLONE_NEW* is left for whoever makes the namespaces at once. */
uint64_t ahead_clone_flags(const struct start *s);
/* Stage, the last of what it enters: the user namespace, where it has been made. */
_must_check_ int ahead_join_user(struct start *s, struct err *err);
/* Parent, once the child is there: passes it on. hull keeps it where it lays a cable
 * or moves devices. */
_must_check_ int ahead_pass(struct start *s, struct err *err);
/* Parent, before its network namespace is looked for by the child's number, here or by others:
 * until the child is in it. False: it is not, and what would be found is the host's. */
bool ahead_await(const struct start *s, int timeout_ms);
/* Child of a new user namespace that has its maps: makes it, if no helper does. */
_must_check_ int ahead_make(const struct start *s, struct err *err);
/* Child: waits for the one that was made by the helper, and enters it. */
_must_check_ int ahead_enter(struct start *s, struct err *err);
/* For people: who makes it, or NULL when there is nothing to be made. */
const char *ahead_text(const struct start *s);

/* ---- between ahead.c and ahead_user.c ---- */

/* May the helper be born in the container's user namespace? */
bool ahead_can_have_user(const struct plan *plan);
/* Parent: writes the maps of the helper's user namespace. -errno: without a text. */
_must_check_ int ahead_write_maps(struct start *s, pid_t helper);
/* Ends the helper: clone3 will make the user namespace, and the child the other. */
void ahead_give_up_user(struct ahead *ahead);

#endif
