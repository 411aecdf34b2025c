/*
 * Errors that a start and a look at what it would meet (foresee.h) have in common: each text once.
 * All that are called fail_ return -code; the others look at one thing in both.
 */
#ifndef HULL_START_FAIL_H
#define HULL_START_FAIL_H

#include "plan/plan.h"
#include "start/hook_run.h"
#include "state/state.h"

/* open.c */
/* "'/srv' exists, 'data' in it does not": which part of the path is missing. */
void fail_hint_missing(struct err *err, const char *path);
int fail_root(const struct plan_root *root, int code, struct err *err);
int fail_bind(const struct plan *plan, const struct plan_mount *m, int code, struct err *err);

/* caller_sockets.c: is there the socket of the agent of seccomp? Nobody hears of it. */
_must_check_ int find_agent(const struct plan_listener *listener, struct err *err);

/* rootfs.c */
int fail_make_dir(const char *path, int code, struct err *err);
/* Opens a layer of an overlay: the descriptor. */
_must_check_ int open_layer(const char *path, uint32_t at, struct err *err);
/* The same with o->upper or o->work. */
_must_check_ int open_writable(const struct plan_overlay *o, const char *path, struct err *err);

/* mount.c: opens a new file system with all its options, which is nowhere yet: the descriptor. */
_must_check_ int mount_configure(const struct plan_mount *m, struct err *err);
/* Can what is of that type (S_IFMT) be mounted on what is there? */
_must_check_ int mount_check_point(const struct plan_mount *m, mode_t mode, int target,
				   struct err *err);

/* forbid.c: a profile that forbids execve. 0: it does not. */
_must_check_ int fail_forbidden(const struct spec *spec, struct arena *arena, struct err *err);
/* An execve that failed: was it the profile? Then the error names it. */
bool forbid_explain(const struct spec *spec, struct arena *arena, struct err *err);

/* sysctl.c, cwd.c, release.c */
int fail_sysctl(const struct plan_sysctl *sysctl, int code, struct err *err);
int fail_cwd(const struct plan_process *process, int code, struct err *err);
int fail_rlimit(const struct plan_rlimit *limit, int code, struct err *err);

#endif
