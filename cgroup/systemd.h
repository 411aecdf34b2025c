/*
 * The systemd cgroup driver: the container's cgroup is that of a transient scope, a unit of systemd
 * (the system's, or the user's own), which knows the limits, too. Asked for by --systemd-cgroup; if
 * it is not, nothing of this runs and nothing is loaded. Planning (systemd_name.c, _property.c,
 * _annotation.c) is pure. Everything else is one question to systemd (systemd_ask.c), asked by a
 * process of its own, so that no library is ever mapped into hull or into a container.
 */
#ifndef HULL_CGROUP_SYSTEMD_H
#define HULL_CGROUP_SYSTEMD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"
#include "cgroup/cgroup.h"

struct systemd_property;

/* What a unit is made with. */
struct systemd_properties {
	struct systemd_property *v;
	size_t n;
};

/* The scope of a plan. */
struct systemd_scope {
	const char *unit; /* "hull-web.scope"; NULL: no scope, hull makes the cgroup itself */
	const char *slice, *id;
	const char *path; /* of its cgroup, as in struct cgroup_root */
	bool is_user;     /* a unit of the caller's own systemd */
	struct systemd_properties properties;
};

/* ---- planning ---- */

struct systemd_wish {
	const char *cgroups_path; /* "slice:prefix:name"; NULL or "": the default */
	const char *id;
	bool is_user;
	const char *home; /* the cgroup of that systemd, "" for the system's */
};
/* The names, without the properties. What is no name of a unit, or no three parts, is EINVAL. */
_must_check_ int systemd_plan_scope(const struct systemd_wish *wish, struct arena *arena,
				    struct systemd_scope *ret, struct err *err);

/* "/a.slice/a-b.slice" for "a-b.slice", "" for "-.slice"; NULL: it is not the name of a slice. */
const char *systemd_expand_slice(const char *slice, struct arena *arena);

/* All properties of a new scope: what every one has, its limits, and what the annotations say. */
_must_check_ int systemd_plan_properties(const struct spec_resources *resources,
					 const struct cgroup_plan *plan,
					 const struct spec_map *annotations, struct arena *arena,
					 struct systemd_properties *ret, struct err *err);

/* Those that new limits change. */
_must_check_ int systemd_plan_update(const struct spec_resources *resources,
				     const struct cgroup_plan *plan, struct arena *arena,
				     struct systemd_properties *ret, struct err *err);

#define SYSTEMD_ANNOTATION "org.systemd.property."

/* Appends "MemoryMax = 33554432" for the property with that index. */
void systemd_print_property(const struct systemd_properties *properties, size_t index,
			    struct str *out);

/* ---- asking ---- */

/*
 * How long hull waits, in all, and what it looks at meanwhile: watch() is called when watch_fd can
 * be read, and its failure is the question's. watch_fd negative: nothing.
 */
struct systemd_patience {
	int timeout_ms;
	int watch_fd;
	int (*watch)(void *context, struct err *err);
	void *context;
};

/* In a new scope until the container's own process is there: a scope without one is no more. */
struct systemd_anchor {
	pid_t pid; /* 0: none */
};

/* The cgroup of the caller's own systemd. */
_must_check_ int systemd_find_home(struct arena *arena, const char **ret, struct err *err);

struct systemd_making {
	const struct cgroup_root *root;
	const struct systemd_scope *scope;
	const struct cgroup_plan *plan; /* whose controllers are enabled */
	struct systemd_patience patience;
	int undo_ms; /* besides, for taking it back */
};
/*
 * Makes the scope, waits until it is there, and opens and locks its cgroup, with the controllers
 * that the plan needs. EBUSY when there is such a unit. On failure nothing is left.
 */
_must_check_ int systemd_start(const struct systemd_making *making, struct cgroup *ret,
			       struct systemd_anchor *anchor, struct err *err);

/* Ends the anchor. */
void systemd_release(struct systemd_anchor *anchor);

/* Waits until there is another process than the anchor, or that child is dead. */
_must_check_ int systemd_wait_entered(int cgroup_fd, int child_pidfd,
				      const struct systemd_patience *patience, struct err *err);

/*
 * Has the user's systemd move the process into its unit, or a cgroup below that (NULL: none): with
 * the system's help it may do so where the user may not.
 */
_must_check_ int systemd_attach(const char *unit, const char *below, pid_t pid,
				const struct systemd_patience *patience, struct err *err);

/* Tells the unit of new limits. */
_must_check_ int systemd_update(const char *unit, bool is_user,
				const struct systemd_properties *properties, int timeout_ms,
				struct err *err);

#define SYSTEMD_CGROUP_GONE (-ENOENT)
/* A unit that is to be ended, by its cgroup, whose lock the caller holds. */
struct systemd_unit {
	const char *name;
	bool is_user;
	const char *path; /* of the cgroup: a unit of that name in another one is another's */
	int cgroup_fd;    /* the same, open; SYSTEMD_CGROUP_GONE; or -EBADF: who knows */
};
/*
 * Ends the unit with all that is in it, waits until that is done, and makes systemd forget it if it
 * has failed. No error when there is no such unit, or it is another's by now. One whose cgroup is
 * gone has ended by itself: then only the last is done, if systemd can be reached.
 */
_must_check_ int systemd_stop(const struct systemd_unit *unit, int timeout_ms, struct err *err);

#endif
