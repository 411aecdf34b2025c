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
