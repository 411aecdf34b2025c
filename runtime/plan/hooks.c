/*
 * Planning the hooks (S-050 to S-062): the programs of each kind in the order in which config.json
 * lists them, with argument and environment vectors ready for execve. Pure. Hooks that were kept in
 * a state file are planned by the same function, for `delete`.
 */
#include <linux/capability.h>

#include "base/str.h"
#include "plan/parts.h"

static const struct {
	const char *name; /* as config.json spells it */
	const char *where;
} kinds[PLAN_HOOK_KINDS] = {
	[PLAN_HOOK_PRESTART] = { "prestart", "" },
	[PLAN_HOOK_CREATE_RUNTIME] = { "createRuntime", "" },
	[PLAN_HOOK_CREATE_CONTAINER] = { "createContainer", " in the container's namespaces" },
	[PLAN_HOOK_START_CONTAINER] = { "startContainer", " inside the container" },
	[PLAN_HOOK_POSTSTART] = { "poststart", "" },
	[PLAN_HOOK_POSTSTOP] = { "poststop", "" },
};

const char *plan_hook_name(enum plan_hook_kind kind)
{
	return kinds[kind].name;
}

/* Without args the path itself is argv[0] (S-058); without env there is none (S-059, S-060). */
static void plan_hook(const struct spec_hook *spec, struct arena *arena, struct plan_hook *ret)
{
	size_t args_n = spec->args.n ? spec->args.n : 1;
	const char **args = arena_array(arena, args_n + 1, sizeof(*args));
	const char **env = arena_array(arena, spec->env.n + 1, sizeof(*env));

	args[0] = spec->path.s;
	for (size_t i = 0; i < spec->args.n; i++)
		args[i] = spec->args.v[i].s;
	for (size_t i = 0; i < spec->env.n; i++)
		env[i] = spec->env.v[i].s;
	*ret = (struct plan_hook) {
		.path = spec->path.s,
		.args = args,
		.env = env,
		.timeout = (unsigned)spec->timeout.v,
		.at = spec->path.at,
		.timeout_at = spec->timeout.at,
	};
}

void plan_make_hook_list(const struct spec_hook_list *spec, struct arena *arena,
			 struct plan_hooks *ret)
{
	ret->n = spec->n;
	ret->v = arena_array(arena, spec->n, sizeof(*ret->v));
	for (size_t i = 0; i < spec->n; i++)
		plan_hook(&spec->v[i], arena, &ret->v[i]);
}

/*
 * A startContainer hook is a program of the image and runs beside the child, which has yet to load
 * the filter, and may need CAP_SYS_ADMIN for it. Whoever may trace other processes could lead it
 * past the filter, or take that capability: no protection that is asked for may be so easy to lose.
 */
static int check_tracing(const struct planner *p, struct err *err)
{
	const struct plan_process *process = &p->plan->process;
	uint64_t caps = process->caps[PLAN_CAP_BOUNDING] | process->caps[PLAN_CAP_INHERITABLE];

	if (p->spec->hooks.start_container.n == 0 || !p->spec->linux.seccomp.at ||
	    !(caps >> CAP_SYS_PTRACE & 1))
		return 0;
	err_say(err, ERR_CONFIG, EPERM,
		"a startContainer hook with CAP_SYS_PTRACE could evade the seccomp filter");
	err_hint(
		err,
		"take CAP_SYS_PTRACE from process.capabilities, or make it a createContainer hook");
	err_at(err, p->spec->hooks.start_container.at);
	return -EPERM;
}

/*
 * The child that is to make its user namespace has said before where its children will be: in the
 * existing pid namespace, and so would be a hook, which has the host's files in sight and a number
 * that means nothing there. Whoever may trace processes in there would get at the host.
 */
static int check_pid_namespace(const struct planner *p, struct err *err)
{
	if (p->spec->hooks.create_container.n == 0 || !plan_unshares(p->plan))
		return 0;
	err_say(err, ERR_CONFIG, EPERM,
		"a createContainer hook would show the host's files to the existing pid "
		"namespace: with a new user namespace it would run in there");
	err_hint(err, "make it a createRuntime hook, join the user namespace that the pid "
		      "namespace belongs to, or make a new pid namespace");
	err_at(err, p->spec->hooks.create_container.at);
	return -EPERM;
}

int plan_make_hooks(const struct planner *p, struct err *err)
{
	const struct spec_hooks *h = &p->spec->hooks;
	const struct spec_hook_list *const lists[PLAN_HOOK_KINDS] = {
		[PLAN_HOOK_PRESTART] = &h->prestart,
		[PLAN_HOOK_CREATE_RUNTIME] = &h->create_runtime,
		[PLAN_HOOK_CREATE_CONTAINER] = &h->create_container,
		[PLAN_HOOK_START_CONTAINER] = &h->start_container,
		[PLAN_HOOK_POSTSTART] = &h->poststart,
		[PLAN_HOOK_POSTSTOP] = &h->poststop,
	};
	for (int kind = 0; kind < PLAN_HOOK_KINDS; kind++)
		plan_make_hook_list(lists[kind], p->arena, &p->plan->hooks[kind]);
	int r = check_tracing(p, err);
	return r < 0 ? r : check_pid_namespace(p, err);
}

/* "hook        prestart: /bin/setup as setup --all, env A=1, at most 5 s" */
void plan_print_hooks(const struct plan *plan, enum plan_hook_kind kind, struct str *out)
{
	for (size_t i = 0; i < plan->hooks[kind].n; i++) {
		const struct plan_hook *hook = &plan->hooks[kind].v[i];
		str_printf(out, "hook        %s%s: %s as", kinds[kind].name, kinds[kind].where,
			   hook->path);
		for (const char **arg = hook->args; *arg; arg++)
			str_printf(out, " %s", *arg);
		for (const char **env = hook->env; *env; env++)
			str_printf(out, "%s %s", env == hook->env ? ", env" : "", *env);
		if (hook->timeout)
			str_printf(out, ", at most %u s", hook->timeout);
		str_append(out, "\n");
	}
}
