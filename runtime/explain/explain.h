/*
 * Why a program cannot be executed. The kernel answers execve(2) with one errno for a dozen causes;
 * here the file, its interpreter or loader, and the directories above it are examined to name the
 * one. Runs in the parent after a failed start, and in `hull check` before one; reads a few KB of
 * regular files, through base/inroot.h only, and changes nothing.
 *
 * The message keeps runc's wording, because engines match on it, and carries ERR_ABOUT_PROGRAM;
 * what was found stands in the cause.
 */
#ifndef HULL_EXPLAIN_EXPLAIN_H
#define HULL_EXPLAIN_EXPLAIN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "explain/tree.h"
#include "plan/plan.h"

/* Who executes it. Ids are the caller's view: the host's ones for a container with its own ids. */
struct explain_who {
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t groups_n;
	uint64_t caps;   /* effective capabilities, bit n: capability n */
	const char *cwd; /* absolute, below the root; relative names start there */
};

/* The one who executes a plan's program. */
struct explain_who explain_who_of(const struct plan_process *process);

/*
 * The error of execve(path) that failed with the errno `code`. A path without a slash says that
 * nothing was found in PATH. Always returns -code.
 */
int explain_exec(const struct explain_tree *tree, const char *path, const struct explain_who *who,
		 int code, struct err *err);

/*
 * Looks for args[0] as execvp(3) would (explain/lookup.h) and examines what it finds. 0 when
 * nothing speaks against its execution, or only a start could tell, else -errno.
 */
_must_check_ int explain_find(const struct explain_tree *tree, const char *arg0,
			      const char *path_env, const struct explain_who *who, struct err *err);

#endif
