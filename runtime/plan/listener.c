/*
 * Who is notified of system calls (SCMP_ACT_NOTIFY, S-212 to S-220). The descriptor for that comes
 * to be in the child, together with the filter, and from then on a call that is notified of waits
 * for an answer that nobody can give yet. So hull needs a few calls that are not: to pass the
 * descriptor on, to wait until the listener has it, and to load the rest of the filter. They are
 * chosen here; a profile that leaves none is refused, as it would wait for itself for ever. Pure;
 * runs in the parent.
 */
#include <seccomp.h>
#include <sys/syscall.h>

#include "base/str.h"
#include "plan/parts.h"

struct need {
	const char *what;
	struct {
		const char *name;
		int number;
	} calls[2]; /* one of them is enough */
};

enum { NEED_SEND, NEED_WAIT, NEED_LOAD, NEEDS };

static const struct need needs[NEEDS] = {
	[NEED_SEND] = { "gives the listener away by",
			{ { "sendmsg", SYS_sendmsg }, { "sendmmsg", SYS_sendmmsg } } },
	[NEED_WAIT] = { "waits until the listener is given away by",
			{ { "recvfrom", SYS_recvfrom }, { "read", SYS_read } } },
	[NEED_LOAD] = { "loads the rest of the filter by", { { "seccomp", SYS_seccomp } } },
};

/* ---- what the profile notifies of ---- */

static const struct spec_int *find_notify(const struct spec_seccomp *s)
{
	if (s->default_action.v == SCMP_ACT_NOTIFY)
		return &s->default_action;
	for (size_t i = 0; i < s->syscalls.n; i++)
		if (s->syscalls.v[i].action.v == SCMP_ACT_NOTIFY)
			return &s->syscalls.v[i].action;
	return NULL;
}

static bool is_named(const struct spec_seccomp_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->names.n; i++)
		if (str_eq(rule->names.v[i].s, name))
			return true;
	return false;
}

/*
 * The action that notifies of a call, or NULL. With conditions, it counts as if they always held:
 * what hull's own arguments will be is not known here.
 */
static const struct spec_int *notifies_of(const struct spec_seccomp *s, const char *name)
{
	bool spared = s->default_action.v != SCMP_ACT_NOTIFY;

	for (size_t i = 0; i < s->syscalls.n; i++) {
		const struct spec_seccomp_rule *rule = &s->syscalls.v[i];
		if (!is_named(rule, name))
			continue;
		if (rule->action.v == SCMP_ACT_NOTIFY)
			return &rule->action;
		spared = spared || rule->args.n == 0;
	}
	return spared ? NULL : &s->default_action;
}

/* ---- what hull does with it ---- */

static int refuse(const struct spec_seccomp *s, const struct need *need,
		  const struct spec_int *action, struct arena *arena, struct err *err)
{
	const char *second = need->calls[1].name;
	bool by_default = action == &s->default_action;
	const char *names = second ? arena_printf(arena, "%s and %s", need->calls[0].name, second)
				   : need->calls[0].name;

	err_say(err, ERR_CONFIG, ENOTSUP,
		"SCMP_ACT_NOTIFY cannot be %s for %s: nobody could answer yet",
		by_default ? "the default" : "the action", names);
	err_hint(err, "hull %s %s: %s %s another action%s", need->what,
		 second ? "one of them" : "it", by_default ? "add a rule that gives" : "give",
		 second ? "one" : "it", by_default ? ", such as SCMP_ACT_ALLOW" : "");
	err_at(err, s->at == JSON_ELSEWHERE ? JSON_ELSEWHERE : action->at);
	return -ENOTSUP;
}

/* NULL, with its number; or the action that stands in the way of them all. */
static const struct spec_int *choose(const struct spec_seccomp *s, const struct need *need,
				     int *ret)
{
	const struct spec_int *action = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(need->calls) && need->calls[i].name; i++) {
		action = notifies_of(s, need->calls[i].name);
		if (action)
			continue;
		*ret = need->calls[i].number;
		return NULL;
	}
	return action;
}

int plan_find_listener(const struct spec *spec, const char *bundle, struct arena *arena,
		       struct plan_listener *ret, struct err *err)
{
	const struct spec_seccomp *s = &spec->linux.seccomp;
	struct plan_listener listener = { .is_wanted = true, .at = s->listener_path.at };
	int chosen[NEEDS] = { 0 };

	*ret = (struct plan_listener) { 0 };
	if (!s->at || !find_notify(s)) /* then the path means nothing (S-214) */
		return 0;
	for (size_t i = 0; i < NEEDS; i++) {
		const struct spec_int *action = choose(s, &needs[i], &chosen[i]);
		if (action)
			return refuse(s, &needs[i], action, arena, err);
	}
	const char *path = s->listener_path.s;
	listener.path = path[0] == '/' ? path : arena_printf(arena, "%s/%s", bundle, path);
	listener.metadata = s->listener_metadata.s;
	listener.send_call = chosen[NEED_SEND];
	listener.wait_call = chosen[NEED_WAIT];
	listener.hears_of_exec = notifies_of(s, "execve");
	listener.hears_of_exit = notifies_of(s, "exit_group");
	*ret = listener;
	return 0;
}

int plan_make_listener(const struct planner *p, struct err *err)
{
	struct plan_listener *listener = &p->plan->listener;
	const struct spec_hook_list *hooks = &p->spec->hooks.start_container;

	int r = plan_find_listener(p->spec, p->options->bundle, p->arena, listener, err);
	if (r == 0 && listener->is_wanted && hooks->n > 0 && !(p->options->flags & PLAN_EXEC))
		spec_problem_add(p->arena, p->problems, SPEC_WARNING, hooks->at,
				 "startContainer hooks run before the seccomp listener is there: "
				 "the calls that it hears of fail with ENOSYS in them");
	return r;
}
