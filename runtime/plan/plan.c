/*
 * Making a plan: from what config.json says to what will be done. Runs in the parent before
 * anything exists; pure, so that it can be tested without root and for hosts that are not there.
 */
#include "plan/plan.h"

#include <string.h>

#include "base/str.h"
#include "plan/parts.h"

const char *plan_path_normal(struct arena *arena, const char *path)
{
	struct str s;
	str_init(&s, arena);
	while (*path) {
		size_t n = strcspn(path, "/");
		if (n > 0 && !(n == 1 && path[0] == '.')) {
			str_append(&s, "/");
			str_append_n(&s, path, n);
		}
		path += n + (path[n] == '/');
	}
	return s.used ? s.text : "/";
}

bool plan_path_is_root(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");
		if (n > 2 || strncmp(path, "..", n) != 0)
			return false;
		path += n + (path[n] == '/');
	}
	return true;
}

bool plan_path_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	if (n == 1 && dir[0] == '/')
		return true;
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

const char *plan_bundle_path(const struct planner *p, const char *path)
{
	if (path[0] == '/')
		return path;
	return arena_printf(p->arena, "%s/%s", p->options->bundle, path);
}

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

static int check_caller(const struct planner *p, struct err *err)
{
	const struct plan_user *user = &p->plan->user;
	if (p->host->uid == 0 || user->is_privileged || user->is_new || user->is_joined)
		return 0;
	err_say(err, ERR_PERMISSION, EPERM,
		"user %u can run a container only in a user namespace, but there is none",
		p->host->uid);
	err_hint(err, "add {\"type\": \"user\"} to linux.namespaces, with linux.uidMappings and "
		      "linux.gidMappings; hull spec --rootless writes such a config.json");
	return -EPERM;
}

/* `create` needs none: it is `start` that must fail then (S-036). */
static int check_process(const struct planner *p, struct err *err)
{
	if (p->spec->process.at || (p->options->flags & PLAN_CREATE))
		return 0;
	err_say(err, ERR_CONFIG, EINVAL, "there is no process to start");
	err_hint(
		err,
		"\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"], \"user\": {\"uid\": 0, \"gid\": 0}}");
	err_at(err, p->spec->doc.root ? p->spec->doc.root->at : 0);
	return -EINVAL;
}

/* Elsewhere nobody is orphaned to it, and its end would not be the container's. */
static int check_init(const struct planner *p, struct err *err)
{
	if (!(p->options->flags & PLAN_INIT) || (p->plan->ns.clone_flags & CLONE_NEWPID))
		return 0;
	err_say(err, ERR_CONFIG, EINVAL, "--init needs a new pid namespace");
	err_hint(err, "add {\"type\": \"pid\"} to linux.namespaces; without one no init is needed, "
		      "for hull itself reaps orphans");
	err_at(err, p->spec->linux.namespaces.at);
	return -EINVAL;
}

/* What lies over the root itself goes away with the old root, and would protect nothing. */
static int check_protected(const struct planner *p, struct err *err)
{
	const struct spec_strv *lists[] = { p->plan->masked, p->plan->readonly };
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (size_t j = 0; j < lists[i]->n; j++) {
			if (!plan_path_is_root(lists[i]->v[j].s))
				continue;
			err_say(err, ERR_CONFIG, EINVAL,
				"the root filesystem itself cannot be in this list");
			err_hint(err, "root.readonly makes it read-only");
			err_at(err, lists[i]->v[j].at);
			return -EINVAL;
		}
	return 0;
}

int plan_make(const struct spec *spec, const struct plan_options *options, const struct host *host,
	      struct arena *arena, struct plan *ret, struct spec_problems *problems,
	      struct err *err)
{
	struct planner p = { spec, options, host, arena, ret, problems };

	*ret = (struct plan) {
		.id = options->id,
		.bundle = options->bundle,
		.flags = options->flags,
		.spec = spec,
		.masked = &spec->linux.masked_paths,
		.readonly = &spec->linux.readonly_paths,
		.new_keyring = !(options->flags & PLAN_NO_NEW_KEYRING),
	};
	int (*const parts[])(const struct planner *, struct err *) = {
		/* clang-format off */
		check_process,
		plan_choose_network,
		plan_make_namespaces,
		check_init,
		plan_make_user,
		check_caller,
		plan_make_network,
		plan_check_bridge,
		plan_make_root,
		plan_make_cgroup,
		plan_make_mounts,
		plan_make_terminal,
		plan_check_ids,
		plan_make_labels,
		plan_make_sysctls,
		check_protected,
		plan_make_scheduling,
		plan_make_memory_policy,
		plan_make_rdt,
		plan_make_listener,
		/* clang-format on */
	};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = parts[i](&p, err);
		if (r < 0) {
			json_locate(&spec->doc, err);
			return r;
		}
	}
	plan_delegate_cgroup(&p);
	plan_make_process(&p);
	int r = plan_make_hooks(&p, err);
	if (r < 0)
		json_locate(&spec->doc, err);
	return r;
}
