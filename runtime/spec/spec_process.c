/*
 * config.md, Process: what runs in the container, as whom, and with which rights and limits.
 * The same table reads the process files of `exec`.
 */
#include "spec/spec_tables.h"

#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sys/resource.h>

/* ---- user, console ---- */

static const struct bind_key user_keys[] = {
	BIND(UINT, "uid", struct spec_user, uid, BIND_ID),
	BIND(UINT, "gid", struct spec_user, gid, BIND_ID),
	BIND(UINT, "umask", struct spec_user, umask, BIND_RANGE(0, 0777)),
	BIND(UINTS, "additionalGids", struct spec_user, additional_gids, BIND_ID),
	BIND_KNOWN("username"), /* Windows */
	{ .key = NULL },
};

/* A user with a name alone is root, as with every runtime; who wrote it hardly means that. */
static void check_user(struct bind *b, const struct json *node, void *object _unused_)
{
	static const char *const keys[] = { "uid", "gid" };
	const struct json *name = json_get(node, "username");
	if (!name || name->type != JSON_STRING || json_get(node, "uid"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (json_get(node, keys[i]))
			continue;
		struct err *err = bind_warn(b, node->at,
					    "process.user.%s is missing: the program runs as %s 0",
					    keys[i], i ? "group" : "user");
		err_hint(err,
			 "names are not looked up: give the number of '%s' in the image's "
			 "/etc/passwd",
			 name->text);
	}
}
static const struct bind_object user_object = BIND_TABLE(struct spec_user, user_keys,
							 .check = check_user);

/* Its rules hold only with a terminal (S-094): check_console(). */
static const struct bind_key console_keys[] = {
	BIND(UINT, "height", struct spec_console_size, height, BIND_U64),
	BIND(UINT, "width", struct spec_console_size, width, BIND_U64),
	{ .key = NULL },
};
static const struct bind_object console_object = BIND_TABLE(struct spec_console_size, console_keys);

/* ---- rlimits ---- */

static const struct str_name rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
	{ NULL, 0 },
};

const char *spec_rlimit_name(int resource)
{
	return str_name_of(rlimit_names, resource);
}

static void check_rlimit(struct bind *b, const struct json *node _unused_, void *object)
{
	const struct spec_rlimit *limit = object;
	if (limit->soft.at && limit->hard.at && limit->soft.v > limit->hard.v)
		bind_error(b, limit->soft.at, "the soft limit is above the hard limit");
}

static const struct bind_key rlimit_keys[] = {
	BIND(ENUM, "type", struct spec_rlimit, type, .names = rlimit_names,
	     .what = "resource limit", .flags = BIND_REQUIRED),
	BIND(UINT, "soft", struct spec_rlimit, soft, BIND_U64, .flags = BIND_REQUIRED),
	BIND(UINT, "hard", struct spec_rlimit, hard, BIND_U64, .flags = BIND_REQUIRED),
	{ .key = NULL },
};
static const struct bind_object rlimit_object = BIND_TABLE(struct spec_rlimit, rlimit_keys,
							   .check = check_rlimit);

/* ---- capabilities ---- */

/* Names only: which of them this kernel has is found out when they are set. */
static const struct str_name capability_names[] = {
	{ "CAP_AUDIT_CONTROL", 0 },   { "CAP_AUDIT_READ", 0 },   { "CAP_AUDIT_WRITE", 0 },
	{ "CAP_BLOCK_SUSPEND", 0 },   { "CAP_BPF", 0 },          { "CAP_CHECKPOINT_RESTORE", 0 },
	{ "CAP_CHOWN", 0 },           { "CAP_DAC_OVERRIDE", 0 }, { "CAP_DAC_READ_SEARCH", 0 },
	{ "CAP_FOWNER", 0 },          { "CAP_FSETID", 0 },       { "CAP_IPC_LOCK", 0 },
	{ "CAP_IPC_OWNER", 0 },       { "CAP_KILL", 0 },         { "CAP_LEASE", 0 },
	{ "CAP_LINUX_IMMUTABLE", 0 }, { "CAP_MAC_ADMIN", 0 },    { "CAP_MAC_OVERRIDE", 0 },
	{ "CAP_MKNOD", 0 },           { "CAP_NET_ADMIN", 0 },    { "CAP_NET_BIND_SERVICE", 0 },
	{ "CAP_NET_BROADCAST", 0 },   { "CAP_NET_RAW", 0 },      { "CAP_PERFMON", 0 },
	{ "CAP_SETFCAP", 0 },         { "CAP_SETGID", 0 },       { "CAP_SETPCAP", 0 },
	{ "CAP_SETUID", 0 },          { "CAP_SYSLOG", 0 },       { "CAP_SYS_ADMIN", 0 },
	{ "CAP_SYS_BOOT", 0 },        { "CAP_SYS_CHROOT", 0 },   { "CAP_SYS_MODULE", 0 },
	{ "CAP_SYS_NICE", 0 },        { "CAP_SYS_PACCT", 0 },    { "CAP_SYS_PTRACE", 0 },
	{ "CAP_SYS_RAWIO", 0 },       { "CAP_SYS_RESOURCE", 0 }, { "CAP_SYS_TIME", 0 },
	{ "CAP_SYS_TTY_CONFIG", 0 },  { "CAP_WAKE_ALARM", 0 },   { NULL, 0 },
};

const char *spec_nearest_capability(const char *name)
{
	return str_nearest_name(name, capability_names);
}

/* Unknown ones are warnings (S-103): an engine may be newer than this table. */
static void check_capability_set(struct bind *b, const struct spec_strv *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const char *name = set->v[i].s;
		if (str_name_find(capability_names, name))
			continue;
		struct err *err = bind_warn(b, set->v[i].at, "unknown capability '%s'", name);
		bind_hint_meant(b, err, name, capability_names);
	}
}

static void check_capabilities(struct bind *b, const struct json *node _unused_, void *object)
{
	const struct spec_capabilities *caps = object;
	check_capability_set(b, &caps->bounding);
	check_capability_set(b, &caps->effective);
	check_capability_set(b, &caps->inheritable);
	check_capability_set(b, &caps->permitted);
	check_capability_set(b, &caps->ambient);
}

static const struct bind_key capabilities_keys[] = {
	BIND(STRV, "bounding", struct spec_capabilities, bounding, .separators = " ,"),
	BIND(STRV, "effective", struct spec_capabilities, effective, .separators = " ,"),
	BIND(STRV, "inheritable", struct spec_capabilities, inheritable, .separators = " ,"),
	BIND(STRV, "permitted", struct spec_capabilities, permitted, .separators = " ,"),
	BIND(STRV, "ambient", struct spec_capabilities, ambient, .separators = " ,"),
	{ .key = NULL },
};
static const struct bind_object capabilities_object = BIND_TABLE(
	struct spec_capabilities, capabilities_keys, .check = check_capabilities);

/* ---- scheduling ---- */

#define SCHEDULER_ISO -1 /* the specification lists it, Linux has never had it (S-108) */

static const struct str_name scheduler_names[] = {
	{ "SCHED_OTHER", SCHED_NORMAL }, { "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_RR", SCHED_RR },        { "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_IDLE", SCHED_IDLE },    { "SCHED_DEADLINE", SCHED_DEADLINE },
	{ "SCHED_ISO", SCHEDULER_ISO },  { NULL, 0 },
};
const char *spec_scheduler_name(unsigned policy)
{
	return str_name_of(scheduler_names, policy);
}

const struct str_name spec_scheduler_flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	{ NULL, 0 },
};

#define SCHEDULER_TIME_MIN 1024 /* nanoseconds: below, the kernel does not count (sched(7)) */

static void check_iso(struct bind *b, const struct spec_scheduler *s)
{
	struct err *err = bind_error(b, s->policy.at, "Linux has no scheduling policy SCHED_ISO");
	err_hint(err, "it was never part of the kernel; SCHED_RR is what it was to be for programs "
		      "without privilege, and SCHED_OTHER with a nice below 0 is near it");
}

/* The kernel refuses what does not belong to the policy, or takes no notice of it (sched(7)). */
static void check_priority(struct bind *b, const struct json *node, const struct spec_scheduler *s)
{
	const char *policy = str_name_of(scheduler_names, s->policy.v);
	bool has_one = s->policy.v == SCHED_FIFO || s->policy.v == SCHED_RR;

	if (has_one && !s->priority.at && !json_get(node, "priority"))
		bind_error_member(b, node, "priority",
				  "%s needs one from 1 to 99, but there is none", policy);
	else if (has_one && s->priority.at && s->priority.v == 0)
		bind_error(b, s->priority.at, "expected an integer from 1 to 99, found 0");
	else if (!has_one && s->priority.v != 0)
		err_hint(
			bind_error(b, s->priority.at, "%s has no priority", policy),
			"SCHED_FIFO and SCHED_RR have one; SCHED_OTHER and SCHED_BATCH have a nice");
	if (s->nice.v != 0 && s->policy.v != SCHED_NORMAL && s->policy.v != SCHED_BATCH)
		bind_warn(b, s->nice.at, "%s takes no notice of a nice", policy);
}

static bool check_time(struct bind *b, const struct json *node, const char *key,
		       const struct spec_uint *time)
{
	if (!json_get(node, key))
		bind_error_member(b, node, key, "SCHED_DEADLINE needs one, but there is none");
	else if (time->at && time->v < SCHEDULER_TIME_MIN)
		bind_error(b, time->at, "expected at least %d nanoseconds, found %llu",
			   SCHEDULER_TIME_MIN, (unsigned long long)time->v);
	return time->v >= SCHEDULER_TIME_MIN;
}

/* Without a period it is the deadline. */
static void check_deadline(struct bind *b, const struct json *node, const struct spec_scheduler *s)
{
	bool has_runtime = check_time(b, node, "runtime", &s->runtime);
	bool has_deadline = check_time(b, node, "deadline", &s->deadline);

	if (has_runtime && has_deadline && s->runtime.v > s->deadline.v)
		bind_error(b, s->runtime.at, "the runtime is above the deadline");
	if (has_deadline && s->period.v != 0 && s->period.v < s->deadline.v)
		bind_error(b, s->period.at, "the period is below the deadline");
}

static void check_no_deadline(struct bind *b, const struct spec_scheduler *s,
			      const struct spec_uint *value)
{
	if (value->v != 0)
		bind_error(b, value->at, "only SCHED_DEADLINE has one, and the policy is %s",
			   str_name_of(scheduler_names, s->policy.v));
}

static void check_scheduler(struct bind *b, const struct json *node, void *object)
{
	struct spec_scheduler *s = object;
	s->flags = bind_bits(&s->flags_text, spec_scheduler_flags);
	if (!s->policy.at)
		return;
	if (s->policy.v == SCHEDULER_ISO) {
		check_iso(b, s);
		return;
	}
	check_priority(b, node, s);
	if (s->policy.v == SCHED_DEADLINE) {
		check_deadline(b, node, s);
		return;
	}
	check_no_deadline(b, s, &s->runtime);
	check_no_deadline(b, s, &s->deadline);
	check_no_deadline(b, s, &s->period);
}

static const struct bind_key scheduler_keys[] = {
	BIND(ENUM, "policy", struct spec_scheduler, policy, .names = scheduler_names,
	     .what = "scheduling policy", .flags = BIND_REQUIRED),
	BIND(INT, "nice", struct spec_scheduler, nice, BIND_RANGE(-20, 19)),
	BIND(INT, "priority", struct spec_scheduler, priority, BIND_RANGE(0, 99)),
	BIND(STRV, "flags", struct spec_scheduler, flags_text, .names = spec_scheduler_flags,
	     .what = "scheduler flag"),
	BIND(UINT, "runtime", struct spec_scheduler, runtime, BIND_RANGE(0, INT64_MAX)),
	BIND(UINT, "deadline", struct spec_scheduler, deadline, BIND_RANGE(0, INT64_MAX)),
	BIND(UINT, "period", struct spec_scheduler, period, BIND_RANGE(0, INT64_MAX)),
	{ .key = NULL },
};
static const struct bind_object scheduler_object = BIND_TABLE(struct spec_scheduler, scheduler_keys,
							      .check = check_scheduler);

static const struct str_name io_classes[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ NULL, 0 },
};
static const struct bind_key io_priority_keys[] = {
	BIND(ENUM, "class", struct spec_io_priority, class, .names = io_classes,
	     .what = "io priority class", .flags = BIND_REQUIRED),
	BIND(INT, "priority", struct spec_io_priority, priority, BIND_RANGE(0, 7)),
	{ .key = NULL },
};
static const struct bind_object io_priority_object = BIND_TABLE(struct spec_io_priority,
								io_priority_keys);

static const struct bind_key affinity_keys[] = {
	BIND(STR, "initial", struct spec_cpu_affinity, initial, .is = spec_is_list,
	     .what = "a list of CPUs such as 0-3,7", .flags = BIND_EMPTY_UNSET),
	BIND(STR, "final", struct spec_cpu_affinity, final, .is = spec_is_list,
	     .what = "a list of CPUs such as 0-3,7", .flags = BIND_EMPTY_UNSET),
	{ .key = NULL },
};
static const struct bind_object affinity_object = BIND_TABLE(struct spec_cpu_affinity,
							     affinity_keys);

/* ---- the process ---- */

static void check_console_side(struct bind *b, const struct json *console, const char *key,
			       const struct spec_uint *side)
{
	if (!side->at && !json_get(console, key))
		bind_error_member(b, console, key, "required, but missing");
	else if (side->at && side->v > UINT16_MAX)
		bind_error(b, side->at, "expected at most %d, found %llu", UINT16_MAX,
			   (unsigned long long)side->v);
}

static void check_console(struct bind *b, const struct json *node, const struct spec_process *p)
{
	if (!p->terminal.v || !p->console_size.at)
		return;
	const struct json *console = json_get(node, "consoleSize");
	check_console_side(b, console, "height", &p->console_size.height);
	check_console_side(b, console, "width", &p->console_size.width);
}

/* The kernel would take the last one (S-100). */
static void check_rlimits(struct bind *b, const struct spec_process *p)
{
	const struct spec_rlimit *first[RLIM_NLIMITS] = { NULL };
	for (size_t i = 0; i < p->rlimits.n; i++) {
		const struct spec_int *type = &p->rlimits.v[i].type;
		if (!type->at)
			continue;
		if (!first[type->v]) {
			first[type->v] = &p->rlimits.v[i];
			continue;
		}
		struct err *err = bind_error(b, type->at, "%s is given twice",
					     str_name_of(rlimit_names, type->v));
		err_hint(err, "the first one is on line %u", bind_line(b, first[type->v]->type.at));
	}
}

static void check_process(struct bind *b, const struct json *node, void *object)
{
	const struct spec_process *p = object;
	check_console(b, node, p);
	check_rlimits(b, p);
	if (p->args.at && p->args.n > 0 && p->args.v[0].at && !*p->args.v[0].s)
		bind_error(b, p->args.v[0].at, "the name of the program must not be empty");
}

static const struct bind_key process_keys[] = {
	BIND(BOOL, "terminal", struct spec_process, terminal),
	BIND(OBJECT, "consoleSize", struct spec_process, console_size, .object = &console_object),
	BIND(OBJECT, "user", struct spec_process, user, .object = &user_object,
	     .example = "{\"uid\": 1000, \"gid\": 1000}"),
	BIND(STRV, "args", struct spec_process, args, .flags = BIND_REQUIRED | BIND_NONEMPTY,
	     .separators = " \t\n", .example = "[\"/bin/sh\"]"),
	BIND(STRV, "env", struct spec_process, env, .example = "[\"NAME=value\"]"),
	BIND(STR, "cwd", struct spec_process, cwd, .flags = BIND_REQUIRED | BIND_ABSOLUTE,
	     .example = "\"/\""),
	BIND(OBJECT, "capabilities", struct spec_process, capabilities,
	     .object = &capabilities_object),
	BIND(LIST, "rlimits", struct spec_process, rlimits, .object = &rlimit_object),
	BIND(BOOL, "noNewPrivileges", struct spec_process, no_new_privileges),
	BIND(STR, "apparmorProfile", struct spec_process, apparmor_profile,
	     .flags = BIND_EMPTY_UNSET),
	BIND(STR, "selinuxLabel", struct spec_process, selinux_label, .flags = BIND_EMPTY_UNSET),
	BIND(INT, "oomScoreAdj", struct spec_process, oom_score_adj, BIND_RANGE(-1000, 1000)),
	BIND(OBJECT, "scheduler", struct spec_process, scheduler, .object = &scheduler_object),
	BIND(OBJECT, "ioPriority", struct spec_process, io_priority, .object = &io_priority_object),
	BIND(OBJECT, "execCPUAffinity", struct spec_process, exec_cpu_affinity,
	     .object = &affinity_object),
	BIND_KNOWN("commandLine"), /* Windows */
	{ .key = NULL },
};
const struct bind_object spec_process_object = BIND_TABLE(struct spec_process, process_keys,
							  .check = check_process);
