/*
 * The examination behind explain.h: follows a program from the directories above it to its
 * interpreter's loader and stops at the first thing that execve(2) would refuse. Runs in the
 * parent, with the caller's rights; reads a few KB of regular files.
 */
#ifndef HULL_EXPLAIN_INQUIRY_H
#define HULL_EXPLAIN_INQUIRY_H

#include "explain/explain.h"

enum inquiry_stage {
	INQUIRY_LOOKUP, /* the file itself cannot be reached or has no right to be executed */
	INQUIRY_EXEC,   /* the kernel refuses what it finds in the file */
};

struct finding {
	int code; /* the errno of execve(2); 0: nothing was found */
	enum inquiry_stage stage;
	char cause[512];
	char hint[128];
};

/*
 * Examines the file; `code` is what execve said, or 0 when nobody has tried yet. Fills the finding
 * and returns its code.
 */
int inquiry_run(const struct explain_tree *tree, const char *path, const struct explain_who *who,
		int code, struct finding *ret);

#endif
