/*
 * The plan: everything that a start will do, decided before clone. It is made from the spec, the
 * command line and the facts of the host, without a system call; it is immutable, holds no open
 * descriptors, and can be printed (`hull plan`) and compared (tests/golden). After clone the child
 * executes it from top to bottom and decides nothing.
 *
 * All strings and arrays live in the arena given to plan_make(), paths are absolute, and each
 * step knows the place in config.json (`at`) that asked for it.
 */
#ifndef HULL_PLAN_PLAN_H
#define HULL_PLAN_PLAN_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "cgroup/systemd.h"
#include "spec/spec.h"
#include "plan/host.h"

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

/* ---- resctrl ---- */

struct plan_rdt {
	const char *class; /* of service: a directory of resctrl, "/" for its root; NULL: none */
	bool is_named;     /* by closID: not the container's own */
	const char *schemas, *schemata; /* lines, each text to be written at once; or NULL */
	bool is_monitored;
	uint32_t at;
};

/* The text of both schemas, each of which may be NULL; NULL: of none. */
const char *plan_rdt_schemas(const char *cache, const char *bandwidth, struct arena *arena);

/* ---- root filesystem ---- */

enum plan_root_kind {
	PLAN_ROOT_DIRECTORY, /* a clone of the mount at `path` */
	PLAN_ROOT_OVERLAY,   /* hull mounts an overlay */
	PLAN_ROOT_CHROOT,    /* no mount namespace of its own: only chroot */
};
struct plan_overlay {
	struct spec_str *lower; /* topmost first */
	size_t lower_n;
	const char *upper, *work; /* NULL: directories on a tmpfs that dies with the container */
	bool userxattr;           /* notes in attributes that an unprivileged user may write */
	const char *dir; /* --overlay=DIR: it, upper and work are made when missing; or NULL */
	uint32_t at, upper_at, work_at;
};
struct plan_root {
	enum plan_root_kind kind;
	const char *path;
	struct plan_overlay overlay;
	bool readonly;
	bool pivot;
	uint64_t propagation; /* MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE */
	bool propagation_recursive;
	uint32_t at, propagation_at;
};

/* ---- mounts ---- */

enum plan_mount_kind {
	PLAN_MOUNT_NEW,     /* a new file system */
	PLAN_MOUNT_BIND,    /* a clone of a host's directory or file */
	PLAN_MOUNT_CGROUP,  /* a clone of the container's own cgroup: no cgroup namespace */
	PLAN_MOUNT_FILE,    /* a clone of a file in the container's state directory */
	PLAN_MOUNT_REMOUNT, /* new attributes for what is mounted there */
};
struct plan_fs_option {
	const char *key;
	const char *value; /* NULL: a flag */
	uint32_t at;
};
/* Attributes for mount_setattr(2): MOUNT_ATTR_*. */
struct plan_attr {
	uint64_t set, clear;
};
/* A map of ids for mounts: an id of the file system, the id of the host that it is shown as. */
struct plan_shift {
	struct plan_id_map uids, gids;
	bool is_joined; /* it is that of the user namespace that is joined, whatever that has */
};
struct plan_mount {
	enum plan_mount_kind kind;
	const char *destination;
	const char *type;   /* PLAN_MOUNT_NEW */
	const char *source; /* NULL: none */
	struct plan_fs_option *options;
	size_t options_n;
	struct plan_attr attr;           /* of the mount itself */
	struct plan_attr attr_recursive; /* of all mounts of a recursive bind, before `attr` */
	uint64_t propagation;            /* MS_* for the whole tree; 0: as it is */
	bool recursive;                  /* rbind */
	bool takes_mode;    /* a tmpfs without one: that of the directory that it covers, if any */
	bool copies_up;     /* tmpcopyup: a tmpfs that begins with that directory's content */
	bool on_proc;       /* its destination is /proc, or a file there that may be replaced */
	bool late_readonly; /* hull still makes something below it: read-only comes afterwards */
	const struct plan_shift *shift; /* of plan->shifts; NULL: ids as they are */
	bool shift_recursive;           /* ridmap */
	const char *shift_text;         /* what stands behind idmap= or ridmap=, or NULL */
	uint32_t at, destination_at, source_at, shift_at;
};

/* ---- devices, masks, sysctl ---- */

enum plan_device_how {
	PLAN_DEVICE_NODE,   /* the child makes it */
	PLAN_DEVICE_STAGED, /* the stage makes it, the child binds it */
	PLAN_DEVICE_BIND,   /* the child binds the host's device of that name */
};
struct plan_device {
	enum plan_device_how how;
	const char *path;
	mode_t mode; /* S_IFCHR, S_IFBLK or S_IFIFO with the permissions */
	dev_t rdev;
	uid_t uid;
	gid_t gid;
	bool must_exist; /* below a bind mount of the host's /dev, where nothing may be made */
	uint32_t at;
};
struct plan_link {
	const char *path, *target;
};
struct plan_sysctl {
	const char *key;  /* as written */
	const char *path; /* below /proc/sys */
	const char *value;
	uint32_t at;
};

/* ---- terminal ---- */

struct plan_terminal {
	bool is_wanted;
	const char *devpts;      /* where the container's own devpts is mounted */
	const char *socket;      /* --console-socket: who gets its other side; NULL: hull copies */
	bool is_console;         /* it is the container's /dev/console, too */
	bool console_must_exist; /* /dev is the host's: /dev/console may not be made in it */
	unsigned short rows, columns; /* 0: not given */
	uint32_t at, size_at;
};

/* ---- process ---- */

enum plan_capset {
	PLAN_CAP_BOUNDING,
	PLAN_CAP_EFFECTIVE,
	PLAN_CAP_INHERITABLE,
	PLAN_CAP_PERMITTED,
	PLAN_CAP_AMBIENT,
	PLAN_CAP_SETS,
};
struct plan_rlimit {
	int resource;
	struct rlimit64 limit;
	uint32_t at;
};
/* Who tells the kernel how the process is scheduled. */
enum plan_scheduler_setter {
	PLAN_SCHEDULED_AS_CALLER, /* config.json does not say */
	PLAN_SCHEDULED_BY_PARENT, /* the parent, with the caller's rights over the whole host */
	PLAN_SCHEDULED_BY_CHILD,  /* the child: the caller has no more rights than everybody */
};
struct plan_scheduler {
	enum plan_scheduler_setter setter;
	unsigned policy, priority; /* SCHED_* of <linux/sched.h> */
	int nice;
	uint64_t flags;                     /* SCHED_FLAG_* */
	uint64_t runtime, deadline, period; /* nanoseconds */
	uint32_t at;
};
struct plan_io_priority {
	enum plan_scheduler_setter setter;
	int value; /* class and level in one, as ioprio_set(2) takes it */
	uint32_t at;
};
struct plan_memory_policy {
	bool is_wanted;
	int mode;        /* MPOL_* of <linux/mempolicy.h> */
	unsigned flags;  /* MPOL_F_* */
	cpu_set_t nodes; /* a set of numbers as of CPUs */
	uint32_t at;
};
#define PLAN_HOME_SIZE       4096 /* "HOME=" and a path */
#define PLAN_LISTEN_PID_SIZE 24   /* "LISTEN_PID=" and a number */

struct plan_process {
	const char **args; /* NULL-terminated */
	const char **env;  /* NULL-terminated */
	const char *path;  /* PATH of env, or NULL */
	const char *cwd;
	uint32_t args_at, cwd_at;
	int home_index; /* env[home_index] has PLAN_HOME_SIZE bytes, which the child fills from the
			 * container's passwd; -1: HOME is set */
	char *listen_pid; /* in env, with PLAN_INIT: the program's number, which the child fills in;
			   * NULL: there is none, or it is known to be 1 */
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t groups_n;
	uint32_t user_at;
	bool has_umask;
	mode_t umask;
	uint64_t caps[PLAN_CAP_SETS];
	uint64_t caps_drop; /* bits to drop from the bounding set */
	uint32_t caps_at;
	struct plan_rlimit *rlimits;
	size_t rlimits_n;
	bool no_new_privs;
	bool has_oom_score_adj;
	int oom_score_adj;
	uint32_t oom_score_adj_at;
	bool has_personality;
	unsigned long personality;
	uint32_t personality_at;
	struct plan_memory_policy memory_policy;
	struct plan_scheduler scheduler;
	struct plan_io_priority io_priority;
	/* exec: the processors that it may run on, until it is in the cgroup and from then on; or
	 * NULL
	 */
	const cpu_set_t *cpus_initial, *cpus_final;
	uint32_t cpus_initial_at, cpus_final_at;
	uint64_t reset_signals; /* bit n-1: signal n is ignored by the caller and must not be */
	unsigned first_closed_fd;
};

/* ---- hooks ---- */

enum plan_hook_kind { /* in the order of a container's life */
		      PLAN_HOOK_PRESTART,
		      PLAN_HOOK_CREATE_RUNTIME,
		      PLAN_HOOK_CREATE_CONTAINER,
		      PLAN_HOOK_START_CONTAINER,
		      PLAN_HOOK_POSTSTART,
		      PLAN_HOOK_POSTSTOP,
		      PLAN_HOOK_KINDS,
};
struct plan_hook {
	const char *path;
	const char **args; /* NULL-terminated, never empty */
	const char **env;  /* NULL-terminated */
	unsigned timeout;  /* seconds; 0: it may take as long as it likes */
	uint32_t at, timeout_at;
};
struct plan_hooks {
	struct plan_hook *v;
	size_t n;
};

/* What a security module is told before execve; and with PLAN_INIT of process 1, which has none. */
struct plan_label {
	const char *module; /* as people call it */
	const char *file;   /* below /proc */
	const char *name, *value;
	const char *now_file, *now_value; /* the same, for the process as it is */
	uint32_t at;
};
#define PLAN_LABELS 2 /* AppArmor, SELinux */

/*
 * Who is notified of system calls (SCMP_ACT_NOTIFY), and by which calls, that are not among them,
 * the child gives away the descriptor for it (start/listener.h).
 */
struct plan_listener {
	bool is_wanted;
	const char *path;     /* absolute */
	const char *metadata; /* or NULL */
	int send_call, wait_call;
	bool hears_of_exec; /* execve waits for an answer, too */
	bool hears_of_exit; /* and exit_group */
	uint32_t at;
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
	struct plan_shift *shifts; /* each different from all others */
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

/*
 * Of a container that `create` has made: where its listener goes, and what it hears of.
 * The spec is what it was created with.
 */
_must_check_ int plan_find_listener(const struct spec *spec, const char *bundle,
				    struct arena *arena, struct plan_listener *ret,
				    struct err *err);

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

/* "createRuntime": as config.json spells it. */
const char *plan_hook_name(enum plan_hook_kind kind);

/* The hooks of one kind; also for those of a state file. */
void plan_make_hook_list(const struct spec_hook_list *spec, struct arena *arena,
			 struct plan_hooks *ret);

/* Appends the plan, one line a step, in the order in which they are made. */
void plan_print(const struct plan *plan, struct str *out);

#endif
