/* What containers use at the moment, from two looks at their counters, as `stats` prints it. */
#ifndef HULL_CMD_REPORT_LOAD_H
#define HULL_CMD_REPORT_LOAD_H

#include "base/str.h"
#include "cgroup/stat.h"

/* One container at one time. */
struct load {
	const char *id, *status, *created;
	bool has_stat; /* it has a cgroup that can be read */
	struct cgroup_stat stat;
};

/* All of them. */
struct loads {
	struct load *v;
	size_t n;
	int64_t time_ms;
};

#define LOAD_NONE UINT64_MAX /* not known, or there is no such limit */

/* What lies between two looks. */
struct load_rates {
	uint64_t millicores; /* 1000: one CPU all the time */
	uint64_t limit_millicores;
	uint64_t throttled;     /* of 1000 periods */
	uint64_t read, written; /* bytes a second */
};
void report_load_rates(const struct load *before, const struct load *now, int64_t ms,
		       struct load_rates *ret);

/* The same container in an earlier look, or NULL. */
const struct load *report_load_before(const struct loads *before, const struct load *now);

/* A table for people; behind it a line for each container that is near a limit. */
void report_load_table(struct str *out, const struct loads *before, const struct loads *now,
		       struct arena *arena);

/* One object a line. */
void report_load_json(struct str *out, const struct loads *before, const struct loads *now);

#endif
