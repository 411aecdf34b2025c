/*
 * A chapter of the plan (plan.h): the program, with all that it gets and all that watches it:
 * terminal, rights, scheduling, class of service, hooks, labels, an agent of seccomp.
 */
#ifndef HULL_PLAN_PLAN_PROCESS_H
#define HULL_PLAN_PLAN_PROCESS_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* ---- resctrl ---- */

struct plan_rdt {
	const char *class; /* of service: a directory of resctrl, "/" for its root; NULL: none */
	bool is_named;     /* by closID: not the container's own */
	const char *schemas, *schemata; /* lines, each text to be written at once; or NULL */
	bool is_monitored;
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

#endif
