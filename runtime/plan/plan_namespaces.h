/*
 * A chapter of the plan (plan.h): which namespaces there are, what is in that of the network, and
 * whose ids are whose in that of the users.
 */
#ifndef HULL_PLAN_PLAN_NAMESPACES_H
#define HULL_PLAN_PLAN_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/spec.h"

/* ---- namespaces ---- */

struct plan_join {
	enum spec_ns_type type;
	const char *path;
	const char
		*container; /* that of another container of the store, and not by path; or NULL */
	bool is_changed;    /* by a sysctl or a name: it must not be hull's own then */
	uint32_t at;
};
struct plan_namespaces {
	uint64_t clone_flags;   /* CLONE_NEW* for clone3 */
	uint64_t unshare_flags; /* CLONE_NEW* that the child unshares: cgroup, time */
	struct plan_join join[SPEC_NS_COUNT];
	unsigned join_n;
	bool loopback;            /* bring up lo: the network namespace is new */
	uint64_t enter_flags;     /* exec: CLONE_NEW* of those of the container that are entered */
	const char *time_offsets; /* lines for timens_offsets, or NULL */
	const char *hostname, *domainname;
	uint32_t hostname_at, domainname_at, time_offsets_at;
};

/* ---- network ---- */

/* Where the network namespace comes from. */
enum plan_net {
	PLAN_NET_CONFIG,    /* as config.json says */
	PLAN_NET_NEW,       /* --net none, private */
	PLAN_NET_HOST,      /* the caller's: none of its own */
	PLAN_NET_BRIDGE,    /* a new one, with a cable to a bridge of the host */
	PLAN_NET_CONTAINER, /* that of another container */
};
#define PLAN_BRIDGE_DEFAULT "hull0"
#define PLAN_RESOLV_CONF    "/etc/resolv.conf"

/* A device of the host that goes into the container. */
struct plan_net_device {
	const char *name;
	const char *as; /* what it is called there, perhaps with a %d; NULL: the same */
	uint32_t at;
};
struct plan_network {
	enum plan_net kind;
	const char *container, *bridge; /* or NULL */
	uint32_t subnet;                /* of the bridge, in the host's byte order */
	unsigned prefix;                /* 0: none given */
	struct plan_net_device *devices;
	size_t devices_n;
};

/* ---- user namespace ---- */

/* Who opens the root and the sources of binds. */
enum plan_trees {
	PLAN_TREES_PARENT, /* the parent, as detached trees that the child attaches */
	PLAN_TREES_STAGE,  /* the parent; a stage attaches them first, which locks the host's flags
			    */
	PLAN_TREES_CHILD,  /* the child, by path: outside the caller may clone no mount */
};
enum plan_map_writer {
	PLAN_MAP_BY_NOBODY, /* no new user namespace */
	PLAN_MAP_BY_HULL,
	PLAN_MAP_BY_HELPER, /* newuidmap, newgidmap */
};
struct plan_id_map {
	const struct spec_id_mappings *lines;
	const char *text;  /* for uid_map or gid_map; ids of the container, then of the host */
	const char **args; /* the same for newuidmap, NULL-terminated */
	enum plan_map_writer writer;
};
struct plan_user {
	bool is_new, is_joined;
	bool is_privileged;    /* the caller is, in the user namespace that hull is in */
	bool has_stage;        /* a process between hull and the container (stage.c) */
	bool hides_late;       /* dumpable until the maps are written, or nobody could write them */
	bool denies_setgroups; /* the price for a gid_map without privilege, or inherited */
	enum plan_trees trees;
	struct plan_id_map uids, gids;
	uint32_t at;
};

#endif
