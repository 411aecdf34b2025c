/*
 * config.json as data: the whole Linux model of OCI runtime-spec 1.3 on a few screens. Pure data
 * in one arena; no system calls but the reading of the file. Section numbers are the spec's files;
 * S-numbers are items of the checklist in the project's documentation of the spec.
 *
 * Each value remembers where it stands (`at`, see base/json.h); `at` == 0 means "not given".
 * Strings are never NULL where `at` is set, and NULL where it is not.
 */
#ifndef HULL_SPEC_SPEC_H
#define HULL_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "spec/resources.h"
#include "spec/values.h"

/* ---- config.md: process ---- */

struct spec_user {
	struct spec_uint uid, gid, umask;
	struct SPEC_LIST(struct spec_uint) additional_gids;
	uint32_t at;
};
struct spec_rlimit {
	struct spec_int type; /* RLIMIT_* of <sys/resource.h> */
	struct spec_uint soft, hard;
	uint32_t at;
};
struct spec_capabilities { /* names as written: unknown ones are a warning (S-103) */
	struct spec_strv bounding, effective, inheritable, permitted, ambient;
	uint32_t at;
};
struct spec_scheduler {
	struct spec_int policy; /* SCHED_* of <linux/sched.h> */
	struct spec_int nice, priority;
	struct spec_strv flags_text;
	uint64_t flags;                             /* SCHED_FLAG_* */
	struct spec_uint runtime, deadline, period; /* nanoseconds */
	uint32_t at;
};
struct spec_io_priority {
	struct spec_int class; /* IOPRIO_CLASS_* */
	struct spec_int priority;
	uint32_t at;
};
struct spec_console_size {
	struct spec_uint height, width;
	uint32_t at;
};
struct spec_cpu_affinity { /* CPU lists, "0-3,7" */
	struct spec_str initial, final;
	uint32_t at;
};
struct spec_process {
	struct spec_bool terminal;
	struct spec_console_size console_size;
	struct spec_user user;
	struct spec_strv args, env;
	struct spec_str cwd;
	struct spec_capabilities capabilities;
	struct SPEC_LIST(struct spec_rlimit) rlimits;
	struct spec_bool no_new_privileges;
	struct spec_str apparmor_profile, selinux_label;
	struct spec_int oom_score_adj;
	struct spec_scheduler scheduler;
	struct spec_io_priority io_priority;
	struct spec_cpu_affinity exec_cpu_affinity;
	uint32_t at;
};

/* ---- config.md: root, mounts, hooks ---- */

struct spec_root {
	struct spec_str path;
	struct spec_bool readonly;
	uint32_t at;
};
struct spec_id_mapping {
	struct spec_uint container_id, host_id, size;
	uint32_t at;
};
struct spec_id_mappings SPEC_LIST(struct spec_id_mapping);

struct spec_mount {
	struct spec_str destination, type, source;
	struct spec_strv options; /* as written; start/ gives them their meaning */
	struct spec_id_mappings uid_mappings, gid_mappings;
	uint32_t at;
};
struct spec_hook {
	struct spec_str path;
	struct spec_strv args, env;
	struct spec_uint timeout; /* seconds */
	uint32_t at;
};
struct spec_hook_list SPEC_LIST(struct spec_hook);

struct spec_hooks {
	struct spec_hook_list prestart, create_runtime, create_container, start_container,
		poststart, poststop;
	uint32_t at;
};

/* ---- config-linux.md ---- */

enum spec_ns_type {
	SPEC_NS_PID,
	SPEC_NS_NETWORK,
	SPEC_NS_MOUNT,
	SPEC_NS_IPC,
	SPEC_NS_UTS,
	SPEC_NS_USER,
	SPEC_NS_CGROUP,
	SPEC_NS_TIME,
	SPEC_NS_COUNT,
};
struct spec_namespace {
	struct spec_int type; /* enum spec_ns_type */
	struct spec_str path; /* not given: a new one */
	uint32_t at;
};
struct spec_device {
	struct spec_str type; /* "c", "b", "u", "p" */
	struct spec_str path;
	struct spec_int major, minor;
	struct spec_uint file_mode, uid, gid; /* the mode without bits of a file type */
	uint32_t at;
};
struct spec_net_device {
	const char *host_name; /* the key */
	uint32_t key_at;
	struct spec_str name;
	uint32_t at;
};
struct spec_time_offset {
	const char *clock; /* the key: "monotonic" or "boottime" */
	uint32_t key_at;
	struct spec_int secs;
	struct spec_uint nanosecs;
	uint32_t at;
};

/* ---- config-linux.md: seccomp ---- */

struct spec_seccomp_arg {
	struct spec_uint index, value, value_two;
	struct spec_int op; /* enum scmp_compare of libseccomp */
	uint32_t at;
};
struct spec_seccomp_rule {
	struct spec_strv names;
	struct spec_int action; /* SCMP_ACT_* of libseccomp; errno and message bits are zero */
	struct spec_uint errno_ret;
	struct SPEC_LIST(struct spec_seccomp_arg) args;
	uint32_t at;
};
struct spec_seccomp {
	struct spec_int default_action; /* SCMP_ACT_* */
	struct spec_uint default_errno_ret;
	struct spec_strv architectures; /* "SCMP_ARCH_X86_64" */
	struct spec_strv flags; /* "SECCOMP_FILTER_FLAG_LOG"; an empty array is not absence */
	struct spec_str listener_path, listener_metadata;
	struct SPEC_LIST(struct spec_seccomp_rule) syscalls;
	uint32_t at;
};

/* ---- config-linux.md: the rest ---- */

struct spec_intel_rdt {
	struct spec_str clos_id, l3_cache_schema, mem_bw_schema;
	struct spec_strv schemata;
	struct spec_bool enable_monitoring;
	uint32_t at;
};
struct spec_memory_policy {
	struct spec_int mode; /* MPOL_* of <linux/mempolicy.h> */
	struct spec_str nodes;
	struct spec_strv flags_text;
	unsigned flags; /* MPOL_F_* */
	uint32_t at;
};
struct spec_personality {
	struct spec_int domain; /* PER_LINUX or PER_LINUX32 */
	struct spec_strv flags;
	uint32_t at;
};
struct spec_linux {
	struct SPEC_LIST(struct spec_namespace) namespaces;
	struct spec_id_mappings uid_mappings, gid_mappings;
	struct SPEC_LIST(struct spec_time_offset) time_offsets;
	struct SPEC_LIST(struct spec_device) devices;
	struct SPEC_LIST(struct spec_net_device) net_devices;
	struct spec_str cgroups_path;
	struct spec_resources resources;
	struct spec_intel_rdt intel_rdt;
	struct spec_memory_policy memory_policy;
	struct spec_personality personality;
	struct spec_map sysctl;
	struct spec_seccomp seccomp;
	struct spec_str rootfs_propagation, mount_label;
	struct spec_strv masked_paths, readonly_paths;
	uint32_t at;
};

struct spec {
	struct spec_str oci_version, hostname, domainname;
	struct spec_root root;
	struct spec_process process; /* process.at == 0: none, start must fail (S-036) */
	struct SPEC_LIST(struct spec_mount) mounts;
	struct spec_hooks hooks;
	struct spec_linux linux;
	struct spec_map annotations;
	struct json_doc doc; /* for the places of errors */
};

/* The words of a seccomp profile: SCMP_ACT_*, SCMP_CMP_*, SCMP_ARCH_*, SECCOMP_FILTER_FLAG_*. */
extern const struct str_name spec_seccomp_actions[], spec_seccomp_operators[], spec_seccomp_archs[],
	spec_seccomp_flags[];
extern const struct str_name spec_scheduler_flags[], spec_memory_modes[], spec_memory_flags[];

/* ---- loading ---- */

enum spec_severity { SPEC_ERROR, SPEC_WARNING };

struct spec_problem {
	enum spec_severity severity;
	struct err err; /* `at`, message and hint are set */
	struct spec_problem *next;
};

#define SPEC_MAX_SIZE     ((size_t)16 * 1024 * 1024)
#define SPEC_MAX_PROBLEMS 20 /* kept; the rest is counted */

/* All that was found wrong in one file, in the order of the file. */
struct spec_problems {
	struct spec_problem *first;
	unsigned errors, warnings; /* counted, also those not kept */
};

/*
 * Parses and checks the text of a config.json: types, required members, values, and the rules
 * across members (spec_check.c). `name` is how messages call the file. The spec lives in the
 * arena, and so must `text`.
 * 0 also with warnings. -EINVAL when there are errors: `problems` has them all, and *err is the
 * first of them, with its place.
 */
_must_check_ int spec_parse(struct arena *arena, const char *name, const char *text, size_t size,
			    struct spec *ret, struct spec_problems *problems, struct err *err);

/* Reads the file below dirfd (SPEC_MAX_SIZE at most) and parses it. */
_must_check_ int spec_load(struct arena *arena, int dirfd, const char *path, struct spec *ret,
			   struct spec_problems *problems, struct err *err);

/* A process file of `exec`: an object like config.json's process, and where its values stand. */
struct spec_process_file {
	struct spec_process process;
	struct json_doc doc;
};
/* `doc` has its name and text; the rest is filled in. */
_must_check_ int spec_parse_process(struct arena *arena, struct spec_process_file *file,
				    struct spec_problems *problems, struct err *err);

/* The same with a file of the caller (SPEC_MAX_SIZE at most). */
_must_check_ int spec_load_process(struct arena *arena, const char *path,
				   struct spec_process_file *ret, struct spec_problems *problems,
				   struct err *err);

/*
 * A file of `update`: an object like config.json's linux.resources. `doc` has its name and text,
 * and is complete afterwards, for the places of errors.
 */
_must_check_ int spec_parse_resources(struct arena *arena, struct json_doc *doc,
				      struct spec_resources *ret, struct spec_problems *problems,
				      struct err *err);

/*
 * Adds a problem at a place, for rules that later stages find (unknown system call names). The
 * result takes a hint; it is NULL when SPEC_MAX_PROBLEMS others matter more, as err_hint() allows.
 */
_printf_(5, 6) struct err *spec_problem_add(struct arena *arena, struct spec_problems *problems,
					    enum spec_severity severity, uint32_t at,
					    const char *fmt, ...);

/* Adds a whole error, with its place, step and hints; NULL as above. */
struct err *spec_problem_copy(struct arena *arena, struct spec_problems *problems,
			      enum spec_severity severity, const struct err *found);

/* Can a network device have this name? As the kernel sees it; a "%" in it would be a template. */
bool spec_is_interface(const char *s);

/* The namespace of that type, or NULL. */
const struct spec_namespace *spec_find_namespace(const struct spec *spec, enum spec_ns_type type);

/* Warnings of `hull check` alone: what is allowed, but hardly meant. */
void spec_advise(const struct spec *spec, bool has_systemd, struct arena *arena,
		 struct spec_problems *problems);

/* "pid", "network": as config.json spells them. */
const char *spec_ns_name(enum spec_ns_type type);
const char *spec_scheduler_name(unsigned policy); /* "SCHED_FIFO" */
const char *spec_rlimit_name(int resource);       /* "RLIMIT_NOFILE" */

/* The capability that an unknown name looks like, or NULL. */
const char *spec_nearest_capability(const char *name);

/* The value of an annotation, or NULL. */
const struct spec_pair *spec_find_annotation(const struct spec *spec, const char *key);

/* The template of `hull spec`: a config.json that runs sh in a root filesystem at ./rootfs. */
void spec_write_default(struct str *ret, bool terminal);
/* The same for a user without privilege: a user namespace whose root is that user and group. */
void spec_write_rootless(struct str *ret, uint32_t uid, uint32_t gid, bool terminal);

#endif
