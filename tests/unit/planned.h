/*
 * A plan from a few lines of JSON, for a host that is always the same: root with all capabilities
 * of Linux 6.1, no ignored signals, time namespaces. `host` and `options` may be changed between
 * planned_init() and planned_make().
 */
#ifndef HULL_TESTS_UNIT_PLANNED_H
#define HULL_TESTS_UNIT_PLANNED_H

#include "base/arena.h"
#include "plan/plan.h"

struct planned {
	struct arena arena;
	struct host host;
	struct plan_options options;
	struct spec spec;
	struct spec_problems problems;
	struct plan plan;
	struct err err;
};

void planned_init(struct planned *p);
void planned_done(struct planned *p);

/*
 * Plans a config.json whose members are those that every config needs and `members` ("" or
 * ", \"hostname\": ..."). The config itself must be right. What plan_make() said.
 */
int planned_make(struct planned *p, const char *members);

/* The same for members of "linux" behind the namespaces pid, network, mount, ipc and uts. */
int planned_make_linux(struct planned *p, const char *members);

/* The same for one mount, with the members of its object. */
int planned_make_mount(struct planned *p, const char *mount);

/* The same for members of "process" besides cwd, args and user. */
int planned_make_process(struct planned *p, const char *members);

#define _cleanup_planned_ _cleanup_(planned_done)

#endif
