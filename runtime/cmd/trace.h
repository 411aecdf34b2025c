/* The timeline of a start, where the caller wants to have it. */
#ifndef HULL_CMD_TRACE_H
#define HULL_CMD_TRACE_H

#include "cmd/cmd.h"
#include "start/timeline.h"

/* Makes sure that the file of --timeline (NULL: none) can be written, before it is needed. */
_must_check_ int trace_check_file(const char *path, struct err *err);

/*
 * Shows the timeline and writes the file, as far as somebody wants it. `s` and `failure` as for
 * timeline_collect(). A file that cannot be written any more is reported, and changes nothing.
 */
void trace_show(struct cmd *cmd, const char *path, struct timeline *t, const struct start *s,
		const struct err *failure);

#endif
