/*
 * A filter that notifies (SCMP_ACT_NOTIFY), and the listener that comes with it. It can be passed
 * on only after it is there, by system calls that the profile may forbid: so the filter is loaded
 * in two parts.
 */
#ifndef HULL_SECCOMP_LISTEN_H
#define HULL_SECCOMP_LISTEN_H

#include "seccomp/seccomp.h"

/* A filter with SCMP_ACT_NOTIFY as two, which do together what it does. */
struct seccomp_pair {
	struct seccomp_filter notify; /* notifies, and allows all else: for seccomp_listen() */
	struct seccomp_filter rest;   /* forbids, and allows what the other notifies of */
};

/*
 * Between the two the caller can make each call but those that are notified of: it can pass the
 * listener on. Instructions in the arena. Pure.
 */
void seccomp_split(const struct seccomp_filter *whole, struct arena *arena,
		   struct seccomp_pair *ret);

/* As seccomp_install(), and returns the listener, close-on-exec, or -errno. */
_must_check_ int seccomp_listen(const struct seccomp_filter *filter);

#endif
