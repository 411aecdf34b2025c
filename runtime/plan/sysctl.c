/*
 * Planning sysctls: only those that belong to a namespace of the container's own, so that none of
 * the host's can be changed, and the rule of sysctl.d(5) for dots and slashes (S-202).
 */
#include <sched.h>
#include <string.h>

#include "base/str.h"
#include "plan/parts.h"

enum sysctl_match { SYSCTL_EXACT, SYSCTL_PREFIX };

static const struct {
	const char *path;
	enum sysctl_match match;
	uint64_t flag; /* of the namespace that it belongs to */
	const char *ns;
} sysctl_table[] = {
	{ "net/", SYSCTL_PREFIX, CLONE_NEWNET, "network" },
	{ "kernel/msgmax", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/msgmnb", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/msgmni", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/msg_next_id", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/auto_msgmni", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/sem", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/sem_next_id", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/shmall", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/shmmax", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/shmmni", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/shm_next_id", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "kernel/shm_rmid_forced", SYSCTL_EXACT, CLONE_NEWIPC, "ipc" },
	{ "fs/mqueue/", SYSCTL_PREFIX, CLONE_NEWIPC, "ipc" },
	{ "kernel/domainname", SYSCTL_EXACT, CLONE_NEWUTS, "uts" },
	{ "kernel/hostname", SYSCTL_EXACT, CLONE_NEWUTS, "uts" },
	{ "user/", SYSCTL_PREFIX, CLONE_NEWUSER, "user" },
};

/*
 * The first separator decides: after a dot, dots separate and slashes are dots of names
 * ("net.ipv4.conf.eno2/100.rp_filter"); after a slash the key is a path as it is.
 */
static char *sysctl_path(struct arena *arena, const char *key)
{
	char *path = arena_strdup(arena, key);
	char first = key[strcspn(key, "./")];
	for (char *c = path; first == '.' && *c; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return path;
}

static bool has_bad_component(const char *path)
{
	for (const char *s = path; s; s = strchr(s, '/')) {
		s += *s == '/';
		size_t n = strcspn(s, "/");
		if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return true;
	}
	return false;
}

/*
 * A namespace of the container's own: a new one, or one that it joins by path. Of the latter the
 * parent makes sure that it is not hull's own (prepare.c).
 */
static bool has_namespace(struct plan *plan, uint64_t flag)
{
	for (unsigned i = 0; i < plan->ns.join_n; i++)
		if (plan_namespace_flag(plan->ns.join[i].type) == flag) {
			plan->ns.join[i].is_changed = true;
			return true;
		}
	return plan->ns.clone_flags & flag;
}

#define KERNEL "kernel/"

/* Of the one that can be set below kernel/, what is behind that. */
static const char *next_kernel_sysctl(void *state)
{
	for (size_t *i = state; *i < ARRAY_SIZE(sysctl_table); (*i)++)
		if (str_has_prefix(sysctl_table[*i].path, KERNEL))
			return sysctl_table[(*i)++].path + strlen(KERNEL);
	return NULL;
}

static int refuse_unknown(const char *path, struct err *err)
{
	size_t i = 0;
	const char *near = str_has_prefix(path, KERNEL)
				   ? str_nearest(path + strlen(KERNEL), next_kernel_sysctl, &i)
				   : NULL;
	err_say(err, ERR_CONFIG, EPERM,
		"this sysctl belongs to no namespace and would change the host");
	if (near)
		err_hint(err, "did you mean 'kernel.%s'?", near);
	else
		err_hint(err, "only net.*, fs.mqueue.*, user.* and the ipc and uts ones of "
			      "kernel.* can be set");
	return -EPERM;
}

static int check_sysctl(struct plan *plan, const char *path, struct err *err)
{
	if (has_bad_component(path))
		return err_say(err, ERR_CONFIG, EINVAL, "'%s' is no name of a sysctl", path);
	for (size_t i = 0; i < ARRAY_SIZE(sysctl_table); i++) {
		bool hit = sysctl_table[i].match == SYSCTL_PREFIX
				   ? str_has_prefix(path, sysctl_table[i].path)
				   : str_eq(path, sysctl_table[i].path);
		if (!hit)
			continue;
		if (has_namespace(plan, sysctl_table[i].flag))
			return 0;
		err_say(err, ERR_CONFIG, EPERM,
			"this sysctl would change the host: it belongs to the %s namespace",
			sysctl_table[i].ns);
		err_hint(err, "add {\"type\": \"%s\"} to linux.namespaces", sysctl_table[i].ns);
		return -EPERM;
	}
	return refuse_unknown(path, err);
}

int plan_make_sysctls(const struct planner *p, struct err *err)
{
	const struct spec_map *map = &p->spec->linux.sysctl;
	struct plan *plan = p->plan;

	plan->sysctls = arena_array(p->arena, map->n + 1, sizeof(*plan->sysctls));
	for (size_t i = 0; i < map->n; i++) {
		const char *path = sysctl_path(p->arena, map->v[i].key);
		int r = check_sysctl(plan, path, err);
		if (r < 0) {
			err_at(err, map->v[i].at);
			return r;
		}
		plan->sysctls[plan->sysctls_n++] = (struct plan_sysctl) {
			.key = map->v[i].key,
			.path = path,
			.value = map->v[i].value,
			.at = map->v[i].at,
		};
	}
	return 0;
}
