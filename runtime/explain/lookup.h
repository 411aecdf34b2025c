/*
 * Where execvp(3) would look for a program: the candidates for args[0], one after the other. Pure:
 * the child walks them on its own file system before the filter is loaded, `hull check` walks the
 * same ones below a root that nothing runs in. No allocation.
 */
#ifndef HULL_EXPLAIN_LOOKUP_H
#define HULL_EXPLAIN_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/defer.h"

/* What execvp() searches when the environment has no PATH (confstr(3), _CS_PATH). */
#define LOOKUP_DEFAULT_PATH "/bin:/usr/bin"

/*
 * Writes the next candidate into buf. *state is 0 before the first call. A name with a slash is
 * its own only candidate; an empty entry of PATH is the working directory; a NULL path_env is
 * LOOKUP_DEFAULT_PATH. 1: there is one; 0: no more; -ENAMETOOLONG: this one does not fit in buf,
 * the next call goes on behind it.
 */
_must_check_ int exec_candidate(const char *arg0, const char *path_env, size_t *state, char *buf,
				size_t size);

/*
 * Whether the search goes on after a candidate failed with this errno. EACCES is to be remembered:
 * it is the result when nothing else is found, and ENOENT otherwise.
 */
bool exec_tries_next(int code);

#endif
