/* What the files that make a plan (the files of this room) share. Pure functions; see plan.h. */
#ifndef HULL_PLAN_PARTS_H
#define HULL_PLAN_PARTS_H

#include "base/str.h"
#include "plan/plan.h"

struct planner {
	const struct spec *spec;
	const struct plan_options *options;
	const struct host *host;
	struct arena *arena;
	struct plan *plan;
	struct spec_problems *problems;
};

/* --net and --subnet, before the namespaces; what they need; and what is mounted for them. */
_must_check_ int plan_choose_network(const struct planner *p, struct err *err);
_must_check_ int plan_check_bridge(const struct planner *p, struct err *err);
void plan_add_resolv_conf(const struct planner *p);
_must_check_ int plan_make_namespaces(const struct planner *p, struct err *err);
_must_check_ int plan_make_user(const struct planner *p, struct err *err);
_must_check_ int plan_make_network(const struct planner *p, struct err *err);
/* The texts of a map, in the order of config.json. Lines that overlap are refused. */
_must_check_ int plan_make_map(const struct planner *p, const struct spec_id_mappings *lines,
			       struct plan_id_map *ret, struct err *err);
_must_check_ int plan_make_root(const struct planner *p, struct err *err);
_must_check_ int plan_make_mounts(const struct planner *p, struct err *err);
void plan_make_devices(const struct planner *p);
struct spec_resources plan_device_rules(const struct planner *p);
_must_check_ int plan_make_labels(const struct planner *p, struct err *err); /* after the mounts */
_must_check_ int plan_make_terminal(const struct planner *p, struct err *err);
/* The terminal of one more process: from the devpts of the plan of its container. */
_must_check_ int plan_make_exec_terminal(const struct planner *p, const struct plan *container,
					 struct err *err);
_must_check_ int plan_make_sysctls(const struct planner *p, struct err *err);
/* After mounts and devices: every id that config.json names must be in the maps. */
_must_check_ int plan_check_ids(const struct planner *p, struct err *err);
/* After the mounts: whether the cgroup is given to the container's user. */
void plan_delegate_cgroup(const struct planner *p);
/* How a device of this kind comes into the container. */
enum plan_device_how plan_device_way(const struct planner *p, mode_t mode);
void plan_make_process(const struct planner *p);
_must_check_ int plan_make_scheduling(const struct planner *p, struct err *err); /* schedule.c */
_must_check_ int plan_make_rdt(const struct planner *p, struct err *err);
void plan_print_rdt(const struct plan *plan, struct str *out);
_must_check_ int plan_make_memory_policy(const struct planner *p, struct err *err);
/* "0-3,7": numbers below CPU_SETSIZE, of CPUs or memory nodes, added to the set. */
_must_check_ bool plan_parse_list(const char *text, cpu_set_t *set);
/* Append how the process is scheduled, and where its memory comes from, a line each. */
void plan_print_memory_policy(const struct plan_process *process, struct str *out);
void plan_print_scheduling(const struct plan_process *process, struct str *out);
/* Where the listener goes, and what it hears of; also of a container that `create` has made. */
_must_check_ int plan_find_listener(const struct spec *spec, const char *bundle,
				    struct arena *arena, struct plan_listener *ret,
				    struct err *err);
_must_check_ int plan_make_listener(const struct planner *p, struct err *err);
_must_check_ int plan_make_hooks(const struct planner *p, struct err *err);
void plan_make_capabilities(const struct planner *p);
_must_check_ int plan_make_cgroup(const struct planner *p, struct err *err);

/* Appends the hooks of one kind, a line each. */
void plan_print_hooks(const struct plan *plan, enum plan_hook_kind kind, struct str *out);

/* Appends what becomes of the process, up to its execution (print_process.c). */
void plan_print_process(const struct plan *plan, struct str *out);

/* The path as it is when absolute, else below the bundle. */
const char *plan_bundle_path(const struct planner *p, const char *path);

/* Does it name the root, whatever the image is: "/", "/.", "/.."? */
bool plan_path_is_root(const char *path);
/* Whether `path` is `dir` or below it; both absolute and in normal form. */
bool plan_path_is_below(const char *path, const char *dir);

/*
 * An absolute path in normal form: no empty and no "." components, no slash at the end. ".." stays,
 * as only the resolver can know what it means.
 */
const char *plan_path_normal(struct arena *arena, const char *path);

/* Is /dev a bind mount, most often the host's, so that nothing may be made in it? */
bool plan_dev_is_bound(const struct plan *plan);

/* The CLONE_NEW* flag of a type of namespace. */
uint64_t plan_namespace_flag(enum spec_ns_type type);

/* Kind, attributes and file system options of one mount (options.c). */
_must_check_ int plan_parse_mount_options(const struct planner *p, const struct spec_mount *spec,
					  struct plan_mount *ret, struct err *err);

/* Which map of ids it is shown with, if one is wanted (shift.c). */
_must_check_ int plan_make_shift(const struct planner *p, const struct spec_mount *spec,
				 struct plan_mount *m, struct err *err);
/* The lines of m->shift_text; either may have none (shift_text.c). */
_must_check_ int plan_parse_shift(const struct planner *p, const struct plan_mount *m,
				  struct spec_id_mappings *uids, struct spec_id_mappings *gids,
				  struct err *err);

/* The words for mount propagation, with MS_REC for those with an r, and the names of the five sets.
 */
extern const struct str_name plan_propagation_names[];
extern const char *const plan_capset_names[PLAN_CAP_SETS];

#endif
