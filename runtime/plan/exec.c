/*
 * Planning one more process of a container (`hull exec`). It is the process of config.json, as it
 * was when the container was started, with the arguments of the command line; or that of a process
 * file, for which config.json's fills in what it leaves open: rights, limits and labels, so that
 * nothing enters a container with more than the container has unless its caller says so. Pure.
 *
 * No place is made, joined or mounted by it: the plan's only namespaces are those of the container,
 * which are entered as a whole.
 */
#include "plan/exec.h"

#include <linux/sched.h>
#include <string.h>
#include <sys/capability.h>

#include "base/str.h"
#include "plan/parts.h"

const char *const plan_exec_option_names[PLAN_EXEC_OPTIONS] = {
	[PLAN_EXEC_USER] = "--user",
	[PLAN_EXEC_GIDS] = "--additional-gids",
	[PLAN_EXEC_CWD] = "--cwd",
	[PLAN_EXEC_CAP] = "--cap",
	[PLAN_EXEC_TTY] = "--tty",
	[PLAN_EXEC_APPARMOR] = "--apparmor",
	[PLAN_EXEC_LABEL] = "--process-label",
};

/* ---- what a process file leaves open ---- */

static void inherit_rights(const struct spec_process *from, struct spec_process *to)
{
	if (!to->capabilities.at) {
		to->capabilities = from->capabilities;
		to->capabilities.at = from->capabilities.at ? JSON_ELSEWHERE : 0;
	}
	if (!to->no_new_privileges.at)
		to->no_new_privileges.v = from->no_new_privileges.v;
	if (!to->apparmor_profile.at && from->apparmor_profile.at)
		to->apparmor_profile = (struct spec_str) { from->apparmor_profile.s,
							   JSON_ELSEWHERE };
	if (!to->selinux_label.at && from->selinux_label.at)
		to->selinux_label = (struct spec_str) { from->selinux_label.s, JSON_ELSEWHERE };
}

static void inherit_limits(const struct spec_process *from, struct spec_process *to,
			   struct arena *arena)
{
	if (!to->oom_score_adj.at && from->oom_score_adj.at)
		to->oom_score_adj = (struct spec_int) { from->oom_score_adj.v, JSON_ELSEWHERE };
	if (!to->user.umask.at && from->user.umask.at)
		to->user.umask = (struct spec_uint) { from->user.umask.v, JSON_ELSEWHERE };
	if (!to->exec_cpu_affinity.at && from->exec_cpu_affinity.at) {
		to->exec_cpu_affinity = from->exec_cpu_affinity;
		to->exec_cpu_affinity.initial.at = JSON_ELSEWHERE;
		to->exec_cpu_affinity.final.at = JSON_ELSEWHERE;
	}
	if (!to->scheduler.at && from->scheduler.at) {
		to->scheduler = from->scheduler;
		to->scheduler.at = JSON_ELSEWHERE;
	}
	if (!to->io_priority.at && from->io_priority.at) {
		to->io_priority = from->io_priority;
		to->io_priority.at = JSON_ELSEWHERE;
	}
	if (to->rlimits.at || from->rlimits.n == 0)
		return;
	to->rlimits.v = arena_array(arena, from->rlimits.n, sizeof(*to->rlimits.v));
	to->rlimits.n = from->rlimits.n;
	for (size_t i = 0; i < from->rlimits.n; i++) {
		to->rlimits.v[i] = from->rlimits.v[i];
		to->rlimits.v[i].at = JSON_ELSEWHERE;
	}
}

/* ---- what the command line says ---- */

static void set_args(const struct planner *p, const struct plan_exec_options *o,
		     struct spec_process *process)
{
	process->args.v = arena_array(p->arena, o->args_n + 1, sizeof(*process->args.v));
	process->args.n = o->args_n;
	process->args.at = 0;
	for (size_t i = 0; i < o->args_n; i++)
		process->args.v[i].s = o->args[i];
	/* A terminal is the first process's own, but for those who ask for one. */
	process->terminal = (struct spec_bool) { 0 };
	process->console_size = (struct spec_console_size) { 0 };
}

static struct spec_str *find_variable(struct spec_strv *env, const char *text)
{
	size_t n = strcspn(text, "=");
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i].s, text, n) == 0 && env->v[i].s[n] == '=')
			return &env->v[i];
	return NULL;
}

/* In the place of one of the same name: most programs see the first one only. */
static void add_env(const struct planner *p, const struct plan_exec_options *o,
		    struct spec_strv *env)
{
	struct spec_str *v = arena_array(p->arena, env->n + o->env_n + 1, sizeof(*v));
	if (env->n)
		memcpy(v, env->v, env->n * sizeof(*v));
	env->v = v;
	for (size_t i = 0; i < o->env_n; i++) {
		struct spec_str *same = find_variable(env, o->env[i]);
		*(same ? same : &env->v[env->n++]) = (struct spec_str) { .s = o->env[i] };
	}
}

static void add_names(const struct planner *p, const struct plan_exec_options *o,
		      struct spec_strv *names)
{
	struct spec_str *v = arena_array(p->arena, names->n + o->caps_n, sizeof(*v));
	if (names->n)
		memcpy(v, names->v, names->n * sizeof(*v));
	for (size_t i = 0; i < o->caps_n; i++)
		v[names->n++] = (struct spec_str) { o->caps[i], JSON_OPTIONS + PLAN_EXEC_CAP };
	names->v = v;
}

/* Not inheritable, and so not ambient: a program with other rights must not get them. */
static void add_caps(const struct planner *p, const struct plan_exec_options *o,
		     struct spec_capabilities *caps)
{
	if (o->caps_n == 0)
		return;
	add_names(p, o, &caps->bounding);
	add_names(p, o, &caps->effective);
	add_names(p, o, &caps->permitted);
	caps->at = JSON_OPTIONS + PLAN_EXEC_CAP;
}

static void set_user(const struct planner *p, const struct plan_exec_options *o,
		     struct spec_user *user)
{
	const uint32_t at = JSON_OPTIONS + PLAN_EXEC_USER;
	if (o->has_uid || o->has_gid)
		user->at = at;
	if (o->has_uid)
		user->uid = (struct spec_uint) { .v = o->uid, .at = at };
	if (o->has_gid)
		user->gid = (struct spec_uint) { .v = o->gid, .at = at };
	if (o->gids_n == 0)
		return;
	size_t n = user->additional_gids.n;
	struct spec_uint *v = arena_array(p->arena, n + o->gids_n, sizeof(*v));
	if (n)
		memcpy(v, user->additional_gids.v, n * sizeof(*v));
	for (size_t i = 0; i < o->gids_n; i++)
		v[n + i] = (struct spec_uint) { o->gids[i], JSON_OPTIONS + PLAN_EXEC_GIDS };
	user->additional_gids.v = v;
	user->additional_gids.at = JSON_OPTIONS + PLAN_EXEC_GIDS;
	user->additional_gids.n = n + o->gids_n;
}

static void set_text(struct spec_str *place, const char *value, enum plan_exec_option option)
{
	if (value)
		*place = (struct spec_str) { .s = value, .at = JSON_OPTIONS + option };
}

static void apply_options(const struct planner *p, const struct plan_exec_options *o,
			  struct spec_process *process)
{
	if (!o->file)
		set_args(p, o, process);
	if (o->has_tty)
		process->terminal = (struct spec_bool) { true, JSON_OPTIONS + PLAN_EXEC_TTY };
	set_text(&process->cwd, o->cwd, PLAN_EXEC_CWD);
	set_text(&process->apparmor_profile, o->apparmor, PLAN_EXEC_APPARMOR);
	set_text(&process->selinux_label, o->label, PLAN_EXEC_LABEL);
	if (!process->cwd.s)
		process->cwd.s = "/";
	if (o->no_new_privs != PLAN_AS_IS)
		process->no_new_privileges.v = o->no_new_privs == PLAN_YES;
	set_user(p, o, &process->user);
	add_env(p, o, &process->env);
	add_caps(p, o, &process->capabilities);
}

/* config.json with the process that is wanted, in the document that its places belong to. */
static struct spec *make_spec(const struct planner *p, const struct spec *config,
			      const struct plan_exec_options *o)
{
	struct spec *spec = arena_new(p->arena, struct spec);
	*spec = *config;
	if (o->file) {
		spec->doc = o->file->doc;
		if (config->linux.intel_rdt.at)
			spec->linux.intel_rdt.at = JSON_ELSEWHERE;
		spec->process = o->file->process;
		inherit_rights(&config->process, &spec->process);
		inherit_limits(&config->process, &spec->process, p->arena);
		if (config->linux.seccomp.at)
			spec->linux.seccomp.at = JSON_ELSEWHERE;
		if (config->linux.seccomp.listener_path.at)
			spec->linux.seccomp.listener_path.at = JSON_ELSEWHERE;
		if (config->linux.personality.at)
			spec->linux.personality.at = JSON_ELSEWHERE;
		if (config->linux.memory_policy.at)
			spec->linux.memory_policy.at = spec->linux.memory_policy.nodes.at =
				JSON_ELSEWHERE;
	}
	spec->doc.options = plan_exec_option_names;
	apply_options(p, o, &spec->process);
	return spec;
}

/* ---- the plan ---- */

/* Where the container's terminals come from is seen on its own plan, which is made once more. */
static int plan_terminal(const struct planner *p, const struct spec *config, struct err *err)
{
	struct plan scratch = { .id = p->plan->id, .spec = config };
	struct spec_problems told = { 0 }; /* when it was started */
	struct planner container = *p;
	int r = 0;

	container.spec = config;
	container.plan = &scratch;
	container.problems = &told;
	if (p->spec->process.terminal.v) {
		r = plan_make_namespaces(&container, err);
		if (r == 0)
			r = plan_make_user(&container, err);
		if (r == 0)
			r = plan_make_root(&container, err);
		if (r == 0)
			r = plan_make_mounts(&container, err);
	}
	return r < 0 ? r : plan_make_exec_terminal(p, &scratch, err);
}

static int plan_cpus(const struct planner *p, const struct spec_str *list, const cpu_set_t **ret,
		     struct err *err)
{
	if (!list->s || !*list->s)
		return 0;
	cpu_set_t *cpus = arena_new(p->arena, cpu_set_t);
	if (!plan_parse_list(list->s, cpus)) {
		err_say(err, ERR_CONFIG, EINVAL,
			"expected a list of CPUs below %d such as 0-3,7, found \"%s\"", CPU_SETSIZE,
			list->s);
		err_at(err, list->at);
		return -EINVAL;
	}
	*ret = cpus;
	return 0;
}

static int plan_affinity(const struct planner *p, struct err *err)
{
	const struct spec_cpu_affinity *a = &p->spec->process.exec_cpu_affinity;
	struct plan_process *process = &p->plan->process;

	process->cpus_initial_at = a->initial.at;
	process->cpus_final_at = a->final.at;
	int r = plan_cpus(p, &a->initial, &process->cpus_initial, err);
	return r < 0 ? r : plan_cpus(p, &a->final, &process->cpus_final, err);
}

static void plan_namespaces(const struct planner *p, const struct plan_container *c)
{
	struct plan_namespaces *ns = &p->plan->ns;
	const struct spec_namespace *mount = spec_find_namespace(c->config, SPEC_NS_MOUNT);

	ns->enter_flags = c->ns_flags;
	if (c->ns_flags & CLONE_NEWPID)
		ns->join[ns->join_n++] = (struct plan_join) {
			.type = SPEC_NS_PID,
			.path = arena_printf(p->arena, "of container %s", c->id),
		};
	/* Without a mount namespace of its own it has only changed its root. */
	p->plan->root.kind = mount && !mount->path.s ? PLAN_ROOT_DIRECTORY : PLAN_ROOT_CHROOT;
}

static void plan_users(const struct planner *p, const struct plan_container *c)
{
	struct plan_user *user = &p->plan->user;

	user->is_privileged = p->host->caps_permitted >> CAP_SYS_ADMIN & 1;
	user->is_joined = c->ns_flags & CLONE_NEWUSER;
	user->denies_setgroups = c->denies_setgroups;
	/* Its own files in /proc are closed to a process that hides and has no privilege. */
	user->hides_late = !user->is_privileged;
	if (!user->is_joined)
		return;
	user->uids.lines = &c->config->linux.uid_mappings;
	user->gids.lines = &c->config->linux.gid_mappings;
}

int plan_make_exec(const struct plan_container *container, const struct plan_exec_options *options,
		   const struct host *host, struct arena *arena, struct plan *ret,
		   struct spec_problems *problems, struct err *err)
{
	static const struct spec_strv none = { 0 };
	const struct plan_options po = {
		.id = container->id,
		.bundle = container->bundle,
		.flags = PLAN_EXEC | options->flags,
		.console_socket = options->console_socket,
		.preserve_fds = options->preserve_fds,
	};
	struct planner p = { NULL, &po, host, arena, ret, problems };
	struct spec *spec = make_spec(&p, container->config, options);

	p.spec = spec;
	*ret = (struct plan) {
		.id = container->id,
		.flags = po.flags,
		.spec = spec,
		.masked = &none,
		.readonly = &none,
		.new_keyring = true,
	};
	plan_namespaces(&p, container);
	plan_users(&p, container);
	int r = plan_terminal(&p, container->config, err);
	if (r == 0)
		r = plan_check_ids(&p, err);
	if (r == 0)
		r = plan_make_labels(&p, err);
	if (r == 0)
		r = plan_affinity(&p, err);
	if (r == 0)
		r = plan_make_scheduling(&p, err);
	if (r == 0)
		r = plan_make_memory_policy(&p, err);
	if (r == 0)
		r = plan_make_rdt(&p, err);
	if (r == 0)
		r = plan_make_listener(&p, err);
	if (r < 0)
		json_locate(&spec->doc, err);
	else
		plan_make_process(&p);
	return r;
}
