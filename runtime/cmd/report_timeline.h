/* The timeline of a start as text: the caller writes it where it belongs. */
#ifndef HULL_CMD_REPORT_TIMELINE_H
#define HULL_CMD_REPORT_TIMELINE_H

#include "cmd/report.h"
#include "start/timeline.h"

/* One line a step, in the order in which they began. */
void report_timeline(struct str *out, const struct timeline *t, enum report_flags flags);

/* Chrome's trace event format: one JSON object, times in microseconds. */
void report_timeline_json(struct str *out, const struct timeline *t);

#endif
