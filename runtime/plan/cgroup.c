/*
 * Planning the container's cgroup: where it is, whose it is (hull's, or a scope that systemd
 * makes), which limits and device rules are in force in it, and what a caller without privilege
 * must do without. Pure; see plan.h.
 */
#include "base/str.h"
#include "plan/parts.h"

/* A cgroup that is not named: below /hull, or for those who may not be there below their own. */
static const char *cgroup_path(const struct planner *p)
{
	const char *path = p->spec->linux.cgroups_path.s;
	const char *own = p->host->cgroup;
	if (!*own || (path && *path == '/'))
		return path && *path ? path : NULL;
	if (str_eq(own, "/"))
		own = "";
	return path && *path ? arena_printf(p->arena, "%s/%s", own, path)
			     : arena_printf(p->arena, "%s/hull-%s", own, p->options->id);
}

static void leave_out_device_rules(const struct planner *p, const char *what, const char *hint)
{
	struct cgroup_plan *cgroup = &p->plan->cgroup;
	if (!cgroup->device_insns)
		return;
	cgroup->device_insns = NULL;
	cgroup->device_insns_n = 0;
	struct err *warning = spec_problem_add(p->arena, p->problems, SPEC_WARNING,
					       p->spec->linux.resources.devices.at,
					       "device rules %s", what);
	err_hint(warning, "%s", hint);
}

/* In a user namespace without privilege no program can be attached; nor can a device be made. */
static void skip_device_rules(const struct planner *p)
{
	const struct plan_user *user = &p->plan->user;
	bool unprivileged = (user->is_new || user->is_joined) && !user->is_privileged;

	if (unprivileged || p->host->in_user_namespace)
		leave_out_device_rules(p, "need root and are left out",
				       "a container of an unprivileged user can make no device "
				       "anyway");
}

/* The caller wants none: a limit is a contradiction, and device rules, which every engine sends,
 * go. */
static int do_without_cgroup(const struct planner *p, struct err *err)
{
	struct plan *plan = p->plan;

	if (plan->cgroup.writes_n > 0) {
		err_say(err, ERR_CONFIG, EINVAL,
			"a limit needs a cgroup, and --cgroup-manager=disabled asks for none");
		err_hint(err, "leave out the limit or the option");
		err_at(err, plan->cgroup.writes[0].at);
		return -EINVAL;
	}
	leave_out_device_rules(p,
			       "are left out: they need a cgroup, and --cgroup-manager=disabled "
			       "asks for none",
			       "what the capabilities of the container allow holds");
	return 0;
}

/* Who is not root of the host has a systemd of his own. */
static int name_scope(const struct planner *p, struct err *err)
{
	struct plan *plan = p->plan;
	const struct systemd_wish wish = {
		.cgroups_path = p->spec->linux.cgroups_path.s,
		.id = p->options->id,
		.is_user = p->host->uid != 0 || p->host->in_user_namespace,
		.home = p->host->systemd_home ? p->host->systemd_home : "",
	};
	int r = systemd_plan_scope(&wish, p->arena, &plan->scope, err);
	plan->cgroup_path = plan->scope.path;
	return r;
}

/* They mean something to systemd only. */
static void warn_of_properties(const struct planner *p)
{
	const struct spec_map *all = &p->spec->annotations;
	for (size_t i = 0; i < all->n; i++) {
		if (!str_has_prefix(all->v[i].key, SYSTEMD_ANNOTATION))
			continue;
		struct err *warning = spec_problem_add(
			p->arena, p->problems, SPEC_WARNING, all->v[i].key_at,
			"the annotation '%s' is left out: systemd does not make the cgroup",
			all->v[i].key);
		err_hint(warning, "hull --systemd-cgroup lets it");
	}
}

static int name_cgroup(const struct planner *p, struct err *err)
{
	int r;
	if (p->options->flags & PLAN_SYSTEMD) {
		r = name_scope(p, err);
	} else {
		warn_of_properties(p);
		r = cgroup_plan_path(cgroup_path(p), p->options->id, p->arena,
				     &p->plan->cgroup_path, err);
	}
	if (r < 0)
		err_at(err, p->spec->linux.cgroups_path.at);
	return r;
}

int plan_make_cgroup(const struct planner *p, struct err *err)
{
	const struct spec_str *path = &p->spec->linux.cgroups_path;
	struct plan *plan = p->plan;

	int r = name_cgroup(p, err);
	if (r < 0)
		return r;
	const struct spec_resources resources = plan_device_rules(p);
	r = cgroup_plan_resources(&resources, p->arena, &plan->cgroup, err);
	skip_device_rules(p);
	if (r == 0 && (p->options->flags & PLAN_NO_CGROUP))
		return do_without_cgroup(p, err);
	if (r == 0 && plan->scope.unit)
		r = systemd_plan_properties(&resources, &plan->cgroup, &p->spec->annotations,
					    p->arena, &plan->scope.properties, err);
	plan->needs_cgroup = (path->s && *path->s) || plan->scope.unit ||
			     plan->cgroup.writes_n > 0 || plan->cgroup.device_insns;
	plan->may_lack_cgroup = !plan->needs_cgroup &&
				(p->host->uid != 0 || p->host->in_user_namespace);
	return r;
}
