/*
 * The plan: everything that a start will do, decided before clone. It is made from the spec, the
 * command line and the facts of the host, without a system call; it is immutable, holds no open
 * descriptors, and can be printed (`hull plan`) and compared (tests/golden). After clone the child
 * executes it from top to bottom and decides nothing.
 *
 * What it consists of is in three chapters: plan_namespaces.h, plan_files.h and plan_process.h.
 *
 * All strings and arrays live in the arena given to plan_make(), paths are absolute, and each
 * step knows the place in config.json (`at`) that asked for it.
 */
#ifndef HULL_PLAN_PLAN_H
#define HULL_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "cgroup/systemd.h"
#include "spec/spec.h"
#include "plan/host.h"
#include "plan/plan_files.h"
#include "plan/plan_namespaces.h"
#include "plan/plan_process.h"

enum plan_flags {
	PLAN_KEEP = 1u << 0,               /* --keep: leave the state of a finished container */
	PLAN_NO_PIVOT = 1u << 1,           /* --no-pivot: for a host whose root is a ramfs */
	PLAN_NO_NEW_KEYRING = 1u << 2,     /* --no-new-keyring */
	PLAN_OVERLAY = 1u << 3,            /* --overlay: a writable layer above the root */
	PLAN_ROOTFS_ANNOTATIONS = 1u << 4, /* honour dev.hull.rootfs.* (run, not create) */
	PLAN_INIT = 1u << 5,         /* --init: process 1 is hull's own, the program its child */
	PLAN_CREATE = 1u << 6,       /* create: hull leaves when all is there but the program */
	PLAN_DETACH = 1u << 7,       /* run --detach: hull leaves when the program runs */
	PLAN_NO_SUBREAPER = 1u << 8, /* --no-subreaper: orphans are none of hull's business */
	PLAN_EXEC = 1u << 9,         /* exec: one more process of a container that is there */
	PLAN_NO_CGROUP = 1u << 10,   /* --cgroup-manager=disabled: it stays in the caller's */
	PLAN_SYSTEMD = 1u << 11,     /* --systemd-cgroup: systemd makes it, as a scope */
};

/* What the command line adds to config.json. */
struct plan_options {
	const char *id;
	const char *bundle;         /* absolute */
	unsigned flags;             /* enum plan_flags */
	const char *overlay_dir;    /* --overlay=DIR, absolute; NULL: a tmpfs */
	unsigned preserve_fds;      /* descriptors from 3 on that the program keeps */
	const char *console_socket; /* --console-socket, or NULL */
	unsigned listen_fds;        /* before them, those of systemd's socket activation */
	const char *listen_names;   /* their names (LISTEN_FDNAMES), or NULL */
	const char *net, *subnet;   /* --net, --subnet; or NULL */
};

struct plan {
	const char *id;
	const char *bundle;
	unsigned flags; /* enum plan_flags */
	const struct spec *spec;
	struct plan_namespaces ns;
	struct plan_network network;
	struct plan_user user;
	bool needs_cgroup; /* asked for: a cgroupsPath or a limit; else one is made if it can be */
	bool may_lack_cgroup;  /* not asked for, and the caller may not be allowed to make one */
	bool delegates_cgroup; /* to cgroup_owner, a user of the host */
	uid_t cgroup_owner;
	const char *cgroup_path; /* below the cgroup2 mount */
	struct cgroup_plan cgroup;
	struct systemd_scope scope; /* with PLAN_SYSTEMD; its path is cgroup_path */
	struct plan_rdt rdt;
	struct plan_root root;
	struct plan_mount *mounts;
	size_t mounts_n;
	size_t mounts_before_network_n; /* those that belong to none, and do not take long */
	struct plan_shift *shifts;      /* each different from all others */
	size_t shifts_n;
	struct plan_device *devices;
	size_t devices_n;
	struct plan_link *links;
	size_t links_n;
	struct plan_sysctl *sysctls;
	size_t sysctls_n;
	const struct spec_strv *masked, *readonly;
	struct plan_terminal terminal;
	struct plan_process process;
	struct plan_label labels[PLAN_LABELS];
	size_t labels_n;
	struct plan_listener listener;
	bool new_keyring;
	struct plan_hooks hooks[PLAN_HOOK_KINDS];
};

/*
 * Makes the plan. What the spec asks for and hull cannot do yet, or this host cannot do, is an
 * error with its place; things that are left out but do no harm are warnings in `problems`.
 */
_must_check_ int plan_make(const struct spec *spec, const struct plan_options *options,
			   const struct host *host, struct arena *arena, struct plan *ret,
			   struct spec_problems *problems, struct err *err);

/* ---- asked of a plan ---- */

/* "ro,nosuid" or "sh -c id" in one string: how it is written; false: it is one word. */
bool plan_hint_split(const char *word, const char *separators, struct err *err);
/* The mount option that this one may have been meant to be, or NULL. */
const char *plan_meant_option(const char *word);

/* The mount options that hull knows and carries out, one after another; NULL behind the last. */
const char *plan_next_mount_option(size_t *index);

/* Whether an existing namespace of that type is joined. */
bool plan_joins(const struct plan *plan, enum spec_ns_type type);

/* Whether hull leaves the container to itself, so that nothing of it is forwarded or copied. */
static inline bool plan_leaves(const struct plan *plan)
{
	return plan->flags & (PLAN_CREATE | PLAN_DETACH);
}

/* Whether the child goes on as another process, in a joined pid namespace (isolate_move). */
bool plan_moves(const struct plan *plan);
/* Does the child make its namespaces itself, and not clone3? It must have no child before pivot. */
bool plan_unshares(const struct plan *plan);

/* Whether an id of the container is in the map, and which one of the host it is. */
bool plan_id_is_mapped(const struct plan_id_map *map, uint32_t id, uint32_t *ret_host);

/* Does the parent make something in the container's network namespace? The child waits for it. */
bool plan_has_network(const struct plan *plan);

/* The text of both schemas, each of which may be NULL; NULL: of none. */
const char *plan_rdt_schemas(const char *cache, const char *bandwidth, struct arena *arena);

/* "createRuntime": as config.json spells it. */
const char *plan_hook_name(enum plan_hook_kind kind);

/* The hooks of one kind; also for those of a state file. */
void plan_make_hook_list(const struct spec_hook_list *spec, struct arena *arena,
			 struct plan_hooks *ret);

/* Appends the plan, one line a step, in the order in which they are made. */
void plan_print(const struct plan *plan, struct str *out);

#endif
