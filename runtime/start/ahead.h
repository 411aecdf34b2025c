/*
 * The container's network namespace, and with it the user namespace that it belongs to, made while
 * hull does other things: see ahead.c.
 */
#ifndef HULL_START_AHEAD_H
#define HULL_START_AHEAD_H

#include <net/if.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct start;

#define AHEAD_WAIT_MS 10000 /* for the helper, which the kernel may keep that long */

enum ahead_maker {
	AHEAD_CLONE,  /* clone3, with the others; or nobody, for none is wanted */
	AHEAD_HELPER, /* a process that hull starts for it */
	AHEAD_USER,   /* such a process in a user namespace of its own, which the container gets */
	AHEAD_CHILD,  /* the child, once it is root of its user namespace */
};

struct ahead {
	enum ahead_maker maker;
	int pidfd;                  /* the helper, until it has ended */
	pid_t hull;                 /* its parent, as long as that lives */
	_Atomic unsigned may_begin; /* AHEAD_USER: when the maps are written; a futex */
	_Atomic int result;         /* a descriptor, which is ours then; or -errno */
	int user_fd;                /* AHEAD_USER: the user namespace */
	struct ifreq loopback;      /* its name, where the helper is to bring it up */
	bool has_loopback;          /* it is up */
};

void ahead_init(struct ahead *ahead);
/* Waits for the helper, ten seconds at most, or ends it. */
void ahead_done(struct ahead *ahead);

/* Parent, a step: decides who makes it, and begins. */
_must_check_ int ahead_begin(struct start *s, struct err *err);
/* What of the plan's CLONE_NEW* is left for whoever makes the namespaces at once. */
uint64_t ahead_clone_flags(const struct start *s);
/* Parent, once the child is there: passes it on. hull keeps it where it lays a cable
 * or moves devices. */
_must_check_ int ahead_pass(struct start *s, struct err *err);
/* Parent, before its network namespace is looked for by the child's number, here or by others:
 * until the child is in it. False: it is not, and what would be found is the host's. */
bool ahead_await(const struct start *s, int timeout_ms);
/* Child of a new user namespace that has its maps: makes it. */
_must_check_ int ahead_make(const struct start *s, struct err *err);
/* Child: waits for the one that was made by the helper, and enters it. */
_must_check_ int ahead_enter(struct start *s, struct err *err);

/* ---- ahead_user.c ---- */

/* Parent, by ahead_begin(): writes the maps, and lets the helper begin. -errno: without a text. */
_must_check_ int ahead_give_maps(struct start *s, pid_t helper);
/* Ends the helper: the child will make both namespaces. */
void ahead_give_up_user(struct ahead *ahead);
/* Parent, when the cgroup is there: can the user namespace be used, or is it given up? */
void ahead_settle(struct start *s);
/* Has the container's user namespace been made, with its maps? */
bool ahead_has_user(const struct start *s);
/* Stage, the last of what it enters. */
_must_check_ int ahead_join_user(struct start *s, struct err *err);

#endif
