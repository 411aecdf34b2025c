/*
 * Facts about this host and the calling process that a plan depends on: read once, in the parent,
 * before anything is decided. Tests make plans for a fixed fake host instead.
 */
#ifndef HULL_PLAN_HOST_H
#define HULL_PLAN_HOST_H

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct host {
	uid_t uid;
	gid_t gid;
	uint64_t caps_permitted;
	uint64_t caps_bounding;
	uint64_t caps_known;      /* all that this kernel has */
	uint64_t signals_ignored; /* bit n-1: signal n */
	bool has_time_namespaces; /* only known after host_probe_time() */
	bool in_user_namespace;   /* hull itself runs in one that is not the first */
	bool denies_setgroups;    /* that one lets nobody set groups */
	/* The caller's own cgroup in version 2; "": not known, or may use the whole tree. */
	char cgroup[PATH_MAX];
	/* Memory nodes, a set of numbers as of CPUs; none: not known, or not asked for by
	 * host_probe_memory(). */
	cpu_set_t memory_nodes;
	/* That of his own systemd; NULL: not asked for. */
	const char *systemd_home;
	bool has_apparmor, has_selinux; /* in force; only known after host_probe_modules() */
};

/* Reads the facts from /proc (proc_pid_status(5)). */
_must_check_ int host_probe(struct host *ret, struct err *err);

/* Where the user's own systemd has its cgroups; nothing for the host's root, who has the system's.
 */
_must_check_ int host_probe_systemd(struct host *ret, struct arena *arena, struct err *err);

/* Sets has_time_namespaces; for configs that have one. */
void host_probe_time(struct host *ret);

/* Sets memory_nodes; for configs that name some. */
void host_probe_memory(struct host *ret);

/* Which security modules are in force; for configs that ask for one. Leaves false what is unknown.
 */
void host_probe_modules(struct host *ret);

/* Reads them from the text of a /proc/PID/status; for tests, and for host_probe(). */
_must_check_ int host_parse_status(const char *status, struct host *ret);

/* The caller's cgroup from the text of a /proc/PID/cgroup. */
void host_parse_cgroup(const char *text, struct host *ret);

#endif
