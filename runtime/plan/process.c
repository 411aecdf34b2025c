/*
 * Planning the process (S-092 to S-115): argument and environment vectors, ids, limits, and the
 * state of signals and descriptors that it starts with.
 */
#include <string.h>

#include "base/str.h"
#include "plan/parts.h"

static const char **copy_strv(struct arena *arena, const struct spec_strv *v, size_t spare)
{
	const char **copy = arena_array(arena, v->n + spare + 1, sizeof(*copy));
	for (size_t i = 0; i < v->n; i++)
		copy[i] = v->v[i].s;
	return copy;
}

/* The value of a variable in env, or NULL; the last one wins, as with getenv() of most shells. */
static const char *env_value(const struct spec_strv *env, const char *name)
{
	size_t n = strlen(name);
	const char *value = NULL;
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i].s, name, n) == 0 && env->v[i].s[n] == '=')
			value = env->v[i].s + n + 1;
	return value;
}

/* env as given; then the variables of systemd's socket activation; then HOME if it is missing. */
static void plan_env(const struct planner *p, struct plan_process *process)
{
	const struct spec_strv *env = &p->spec->process.env;
	size_t n = env->n;

	process->env = copy_strv(p->arena, env, 4);
	/* Only in a new pid namespace is the number of the process known before it exists. */
	if (p->options->listen_fds > 0 && (p->plan->ns.clone_flags & CLONE_NEWPID)) {
		process->env[n++] = arena_printf(p->arena, "LISTEN_FDS=%u", p->options->listen_fds);
		if (p->options->flags & PLAN_INIT)
			process->listen_pid = arena_alloc(p->arena, PLAN_LISTEN_PID_SIZE);
		process->env[n++] = process->listen_pid ? process->listen_pid : "LISTEN_PID=1";
		if (p->options->listen_names)
			process->env[n++] = arena_printf(p->arena, "LISTEN_FDNAMES=%s",
							 p->options->listen_names);
	}
	process->path = env_value(env, "PATH");
	process->home_index = -1;
	if (!env_value(env, "HOME")) {
		process->home_index = (int)n;
		process->env[n] = arena_alloc(p->arena, PLAN_HOME_SIZE);
	}
}

static void plan_user(const struct planner *p, struct plan_process *process)
{
	const struct spec_user *user = &p->spec->process.user;

	process->uid = (uid_t)user->uid.v;
	process->gid = (gid_t)user->gid.v;
	process->user_at = user->at;
	process->groups_n = user->additional_gids.n;
	process->groups = arena_array(p->arena, process->groups_n + 1, sizeof(gid_t));
	for (size_t i = 0; i < process->groups_n; i++)
		process->groups[i] = (gid_t)user->additional_gids.v[i].v;
	process->has_umask = user->umask.at != 0;
	process->umask = (mode_t)user->umask.v;
}

static void plan_rlimits(const struct planner *p, struct plan_process *process)
{
	const struct spec_process *spec = &p->spec->process;

	process->rlimits_n = spec->rlimits.n; /* at most one of each kind: spec_check */
	process->rlimits = arena_array(p->arena, process->rlimits_n + 1, sizeof(*process->rlimits));
	for (size_t i = 0; i < process->rlimits_n; i++)
		process->rlimits[i] = (struct plan_rlimit) {
			.resource = (int)spec->rlimits.v[i].type.v,
			.limit = { .rlim_cur = spec->rlimits.v[i].soft.v,
				   .rlim_max = spec->rlimits.v[i].hard.v },
			.at = spec->rlimits.v[i].at,
		};
}

void plan_make_process(const struct planner *p)
{
	const struct spec_process *spec = &p->spec->process;
	struct plan_process *process = &p->plan->process;
	const struct spec_personality *personality = &p->spec->linux.personality;

	process->args = copy_strv(p->arena, &spec->args, 0);
	process->args_at = spec->args.n ? spec->args.v[0].at : spec->args.at;
	process->cwd = spec->cwd.s ? spec->cwd.s : "/"; /* without a process */
	process->cwd_at = spec->cwd.at;
	plan_env(p, process);
	plan_user(p, process);
	plan_rlimits(p, process);
	process->no_new_privs = spec->no_new_privileges.v;
	process->has_oom_score_adj = spec->oom_score_adj.at != 0;
	process->oom_score_adj = (int)spec->oom_score_adj.v;
	process->oom_score_adj_at = spec->oom_score_adj.at;
	process->has_personality = personality->at != 0;
	process->personality = (unsigned long)personality->domain.v;
	process->personality_at = personality->at;
	process->reset_signals = p->host->signals_ignored;
	process->first_closed_fd = 3 + p->options->preserve_fds + p->options->listen_fds;
	plan_make_capabilities(p);
}
