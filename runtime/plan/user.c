/*
 * Planning the user namespace (S-125 to S-128): the texts of its maps and who may write them;
 * whether a stage process is needed between hull and the container; who opens the trees that are
 * bound into it; and that every id of config.json has a place in the maps. Pure.
 */
#include "plan/parts.h"

#include <linux/mount.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>

#include "base/str.h"

#define PLAN_MAP_MAX_LINES 340  /* UID_GID_MAP_MAX_EXTENTS of the kernel */
#define PLAN_MAP_MAX_SIZE  4095 /* one write of less than a page (user_namespaces(7)) */

/* ---- the maps ---- */

bool plan_id_is_mapped(const struct plan_id_map *map, uint32_t id, uint32_t *ret_host)
{
	for (size_t i = 0; map->lines && i < map->lines->n; i++) {
		const struct spec_id_mapping *m = &map->lines->v[i];
		if (id < m->container_id.v || id - m->container_id.v >= m->size.v)
			continue;
		*ret_host = (uint32_t)(m->host_id.v + (id - m->container_id.v));
		return true;
	}
	return false;
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static int check_line(const struct spec_id_mappings *lines, size_t index, struct err *err)
{
	const struct spec_id_mapping *m = &lines->v[index];
	for (size_t i = 0; i < index; i++) {
		const struct spec_id_mapping *o = &lines->v[i];
		bool inside = overlaps(m->container_id.v, m->size.v, o->container_id.v, o->size.v);
		bool outside = overlaps(m->host_id.v, m->size.v, o->host_id.v, o->size.v);
		if (!inside && !outside)
			continue;
		err_say(err, ERR_CONFIG, EINVAL, "this mapping overlaps line %zu of the map %s",
			i + 1, inside ? "inside the container" : "on the host");
		err_hint(err,
			 "each id of the container is one of the host, and the other way round");
		err_at(err, m->at);
		return -EINVAL;
	}
	return 0;
}

/* The text for uid_map or gid_map, and the same as arguments of newuidmap or newgidmap. */
int plan_make_map(const struct planner *p, const struct spec_id_mappings *lines,
		  struct plan_id_map *ret, struct err *err)
{
	struct str text;
	str_init(&text, p->arena);
	if (lines->n > PLAN_MAP_MAX_LINES) {
		err_say(err, ERR_LIMIT, E2BIG, "a map of %zu lines: the kernel takes at most %d",
			lines->n, PLAN_MAP_MAX_LINES);
		err_at(err, lines->at);
		return -E2BIG;
	}
	ret->lines = lines;
	ret->args = arena_array(p->arena, 3 * lines->n + 1, sizeof(*ret->args));
	for (size_t i = 0; i < lines->n; i++) {
		const struct spec_id_mapping *m = &lines->v[i];
		int r = check_line(lines, i, err);
		if (r < 0)
			return r;
		const uint64_t numbers[] = { m->container_id.v, m->host_id.v, m->size.v };
		for (size_t k = 0; k < ARRAY_SIZE(numbers); k++) {
			const char *n = arena_printf(p->arena, "%llu",
						     (unsigned long long)numbers[k]);
			ret->args[3 * i + k] = n;
			str_printf(&text, "%s%c", n, k + 1 < ARRAY_SIZE(numbers) ? ' ' : '\n');
		}
	}
	if (text.used > PLAN_MAP_MAX_SIZE) {
		err_say(err, ERR_LIMIT, E2BIG, "a map of %zu bytes: the kernel takes at most %d",
			text.used, PLAN_MAP_MAX_SIZE);
		err_at(err, lines->at);
		return -E2BIG;
	}
	ret->text = text.used ? text.text : "";
	return 0;
}

/*
 * Without privilege a process may map one id, its own (user_namespaces(7)); for more there are
 * newuidmap and newgidmap, which know what the host's administrator allows.
 */
static enum plan_map_writer find_writer(const struct planner *p, const struct plan_id_map *map,
					uint32_t own_id)
{
	const struct spec_id_mappings *l = map->lines;
	if (p->plan->user.is_privileged ||
	    (l->n == 1 && l->v[0].size.v == 1 && l->v[0].host_id.v == own_id))
		return PLAN_MAP_BY_HULL;
	return PLAN_MAP_BY_HELPER;
}

int plan_make_user(const struct planner *p, struct err *err)
{
	struct plan_user *user = &p->plan->user;
	const struct spec_linux *l = &p->spec->linux;
	const struct spec_namespace *ns = spec_find_namespace(p->spec, SPEC_NS_USER);
	bool has_mounts = p->plan->ns.clone_flags & CLONE_NEWNS;

	user->is_privileged = p->host->caps_permitted >> CAP_SYS_ADMIN & 1;
	user->denies_setgroups = p->host->denies_setgroups;
	if (!ns)
		return 0;
	user->at = ns->at;
	user->is_new = p->plan->ns.clone_flags & CLONE_NEWUSER;
	user->is_joined = !user->is_new;
	int r = plan_make_map(p, &l->uid_mappings, &user->uids, err);
	if (r == 0)
		r = plan_make_map(p, &l->gid_mappings, &user->gids, err);
	if (r < 0)
		return r;
	/* Who joins it is no longer the caller; and what the caller may join must come first. */
	user->has_stage = user->is_joined ||
			  (user->is_privileged && (has_mounts || p->plan->ns.join_n > 0));
	user->trees = !has_mounts           ? PLAN_TREES_PARENT
		      : user->is_privileged ? PLAN_TREES_STAGE
					    : PLAN_TREES_CHILD;
	if (user->is_joined)
		return 0;
	user->hides_late = !user->is_privileged;
	user->uids.writer = find_writer(p, &user->uids, p->host->uid);
	user->gids.writer = find_writer(p, &user->gids, p->host->gid);
	if (!user->is_privileged && user->gids.writer == PLAN_MAP_BY_HULL)
		user->denies_setgroups = true;
	return 0;
}

/* ---- ids that must be in the maps ---- */

static int check_id(const struct plan_id_map *map, const char *what, uint64_t id, uint32_t at,
		    struct err *err)
{
	uint32_t host;
	if (!map->lines || map->lines->n == 0 || plan_id_is_mapped(map, (uint32_t)id, &host))
		return 0;
	const struct spec_id_mapping *first = &map->lines->v[0];
	bool is_gid = what[0] == 'g';
	err_say(err, ERR_CONFIG, EINVAL, "%s %llu does not exist in the container's user namespace",
		what, (unsigned long long)id);
	if (map->lines->n == 1 && first->size.v == 1)
		err_hint(err, "linux.%s has only id %llu", is_gid ? "gidMappings" : "uidMappings",
			 (unsigned long long)first->container_id.v);
	else
		err_hint(err, "linux.%s has %llu to %llu%s", is_gid ? "gidMappings" : "uidMappings",
			 (unsigned long long)first->container_id.v,
			 (unsigned long long)(first->container_id.v + first->size.v - 1),
			 map->lines->n > 1 ? " and more, but not this one" : "");
	err_at(err, at);
	return -EINVAL;
}

static int check_process_ids(const struct planner *p, struct err *err)
{
	const struct plan_user *user = &p->plan->user;
	const struct spec_user *who = &p->spec->process.user;

	int r = check_id(&user->uids, "user", who->uid.v, who->uid.at, err);
	if (r == 0)
		r = check_id(&user->gids, "group", who->gid.v, who->gid.at, err);
	if (r == 0 && user->denies_setgroups && who->additional_gids.n > 0) {
		r = err_say(err, ERR_CONFIG, EPERM,
			    "additional groups cannot be set in this user namespace (R-068)");
		err_hint(err,
			 "leave them out, or map a range of groups: for a user without privilege "
			 "/etc/subgid says which");
		err_at(err, who->additional_gids.v[0].at);
	}
	for (size_t i = 0; r == 0 && i < who->additional_gids.n; i++)
		r = check_id(&user->gids, "group", who->additional_gids.v[i].v,
			     who->additional_gids.v[i].at, err);
	return r;
}

/* tmpfs, devpts and others take owners as options; the kernel would only say EINVAL. */
static int check_mount_ids(const struct planner *p, const struct plan_mount *m, struct err *err)
{
	const struct plan_user *user = &p->plan->user;
	for (size_t i = 0; i < m->options_n; i++) {
		const struct plan_fs_option *o = &m->options[i];
		bool is_uid = str_eq(o->key, "uid"), is_gid = str_eq(o->key, "gid");
		uint64_t id;
		if ((!is_uid && !is_gid) || !o->value || str_to_u64(o->value, UINT32_MAX, &id) < 0)
			continue;
		int r = check_id(is_uid ? &user->uids : &user->gids, is_uid ? "user" : "group", id,
				 o->at, err);
		if (r == 0)
			continue;
		if (str_eq(m->type, "devpts"))
			err_hint(err, "leave the option out: terminals then belong to the group "
				      "of whoever opens them");
		return r;
	}
	return 0;
}

int plan_check_ids(const struct planner *p, struct err *err)
{
	const struct plan *plan = p->plan;
	const struct plan_user *user = &plan->user;

	int r = check_process_ids(p, err);
	for (size_t i = 0; r == 0 && i < plan->mounts_n; i++)
		r = check_mount_ids(p, &plan->mounts[i], err);
	for (size_t i = 0; r == 0 && i < plan->devices_n; i++) {
		const struct plan_device *d = &plan->devices[i];
		if (!d->at || d->how == PLAN_DEVICE_BIND)
			continue;
		r = check_id(&user->uids, "user", d->uid, d->at, err);
		if (r == 0)
			r = check_id(&user->gids, "group", d->gid, d->at, err);
	}
	return r;
}

/*
 * A cgroup that the container sees whole and may write to is its user's (S-157). Not so for callers
 * who could not give anything away.
 */
void plan_delegate_cgroup(const struct planner *p)
{
	struct plan *plan = p->plan;
	const struct plan_user *user = &plan->user;
	uint32_t uid;

	if (!user->is_new || !user->is_privileged || !(plan->ns.unshare_flags & CLONE_NEWCGROUP) ||
	    !plan_id_is_mapped(&user->uids, (uint32_t)p->spec->process.user.uid.v, &uid))
		return;
	for (size_t i = 0; i < plan->mounts_n; i++) {
		const struct plan_mount *m = &plan->mounts[i];
		if (m->kind != PLAN_MOUNT_NEW || !str_eq(m->type, "cgroup2") ||
		    !str_eq(m->destination, "/sys/fs/cgroup") ||
		    ((m->attr.set | m->attr_recursive.set) & MOUNT_ATTR_RDONLY))
			continue;
		plan->delegates_cgroup = true;
		plan->cgroup_owner = uid;
	}
}

enum plan_device_how plan_device_way(const struct planner *p, mode_t mode)
{
	const struct plan_user *user = &p->plan->user;
	if (S_ISFIFO(mode))
		return PLAN_DEVICE_NODE;
	/* No device can be made below the first user namespace: what the host has is bound. */
	if (p->host->in_user_namespace || user->trees == PLAN_TREES_CHILD)
		return PLAN_DEVICE_BIND;
	return user->trees == PLAN_TREES_STAGE ? PLAN_DEVICE_STAGED : PLAN_DEVICE_NODE;
}
