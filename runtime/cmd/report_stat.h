/* A container's numbers as `events` prints them. */
#ifndef HULL_CMD_REPORT_STAT_H
#define HULL_CMD_REPORT_STAT_H

#include "base/str.h"
#include "cgroup/stat.h"

/* One line: an event of the type "stats" with all that the cgroup counts, in runc's shape. */
void report_stat(struct str *out, const char *id, const struct cgroup_stat *stat);

/* One line: a limit was reached, as a counter of a cgroup file tells: "max" of "pids.events". */
void report_limit_event(struct str *out, const char *id, const char *file, const char *key,
			uint64_t count);

/* One line: an event without data, "oom". */
void report_event(struct str *out, const char *id, const char *type);

#endif
