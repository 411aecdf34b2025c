/*
 * Planning id-mapped mounts (S-084 to S-089): which map of ids a mount is shown with. Mounts
 * with equal maps share one, for each costs a user namespace that is made for it. Pure.
 */
#include <string.h>

#include "base/str.h"
#include "plan/parts.h"

static int refuse(const struct plan_mount *m, enum err_kind kind, int code, struct err *err,
		  const char *text)
{
	err_say(err, kind, code, "%s", text);
	err_at(err, m->shift_at);
	return -code;
}

/* Shows something of the container's namespaces; in the parent it would be those of the host. */
static bool is_of_namespaces(const struct plan_mount *m)
{
	static const char *const types[] = { "proc",    "sysfs",  "mqueue", "devpts",
					     "cgroup2", "cgroup", "binder" };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(m->type, types[i]))
			return true;
	return false;
}

static int check_possible(const struct planner *p, const struct plan_mount *m, struct err *err)
{
	if (m->kind != PLAN_MOUNT_BIND && (m->kind != PLAN_MOUNT_NEW || is_of_namespaces(m)))
		return refuse(m, ERR_CONFIG, EINVAL, err,
			      "only a bind mount or a file system with files of its own can be "
			      "id-mapped");
	if (p->plan->user.is_privileged)
		return 0;
	refuse(m, ERR_PERMISSION, EPERM, err, "an id-mapped mount needs privilege on the host");
	err_hint(err, "CAP_SYS_ADMIN over the file system: a container of root can have it");
	return -EPERM;
}

struct maps {
	const struct spec_id_mappings *uids, *gids;
};

static bool is_same(const struct plan_shift *a, const struct plan_shift *b)
{
	return a->is_joined == b->is_joined && str_eq(a->uids.text, b->uids.text) &&
	       str_eq(a->gids.text, b->gids.text);
}

static int make_maps(const struct planner *p, const struct maps *maps, const struct plan_mount *m,
		     struct plan_shift *ret, struct err *err)
{
	if (maps->uids->n == 0 || maps->gids->n == 0)
		return refuse(m, ERR_CONFIG, EINVAL, err,
			      "an id-mapped mount needs uidMappings and gidMappings, or neither");
	int r = plan_make_map(p, maps->uids, &ret->uids, err);
	return r < 0 ? r : plan_make_map(p, maps->gids, &ret->gids, err);
}

/* Those of the option idmap=... */
static int make_own_maps(const struct planner *p, const struct spec_mount *spec,
			 const struct plan_mount *m, struct plan_shift *ret, struct err *err)
{
	struct spec_id_mappings *lines = arena_array(p->arena, 2, sizeof(*lines));
	const struct maps maps = { &lines[0], &lines[1] };
	if (spec->uid_mappings.n > 0 || spec->gid_mappings.n > 0)
		return refuse(m, ERR_CONFIG, EINVAL, err,
			      "the map is given twice: in this option, and in uidMappings or "
			      "gidMappings");
	int r = plan_parse_shift(p, m, &lines[0], &lines[1], err);
	return r < 0 ? r : make_maps(p, &maps, m, ret, err);
}

/* Without lines of its own the mount has those of the container (S-085). */
static int find_map(const struct planner *p, const struct spec_mount *spec,
		    const struct plan_mount *m, struct plan_shift *ret, struct err *err)
{
	const struct plan_user *user = &p->plan->user;

	*ret = (struct plan_shift) { .uids.text = "", .gids.text = "" };
	if (m->shift_text)
		return make_own_maps(p, spec, m, ret, err);
	const struct maps given = { &spec->uid_mappings, &spec->gid_mappings };
	if (spec->uid_mappings.n > 0 || spec->gid_mappings.n > 0)
		return make_maps(p, &given, m, ret, err);
	if (user->uids.lines && user->uids.lines->n > 0 && user->gids.lines->n > 0) {
		ret->uids = user->uids;
		ret->gids = user->gids;
		return 0;
	}
	ret->is_joined = user->is_joined;
	if (ret->is_joined)
		return 0;
	refuse(m, ERR_CONFIG, EINVAL, err, "an id-mapped mount without a map");
	err_hint(err, "give it uidMappings and gidMappings, or the container a user namespace");
	return -EINVAL;
}

int plan_make_shift(const struct planner *p, const struct spec_mount *spec, struct plan_mount *m,
		    struct err *err)
{
	struct plan *plan = p->plan;
	struct plan_shift shift;

	/* Maps alone mean the option, too (S-088). */
	if (!m->shift_at)
		m->shift_at = spec->uid_mappings.n   ? spec->uid_mappings.at
			      : spec->gid_mappings.n ? spec->gid_mappings.at
						     : 0;
	if (!m->shift_at)
		return 0;
	int r = check_possible(p, m, err);
	if (r == 0)
		r = find_map(p, spec, m, &shift, err);
	if (r < 0)
		return r;
	size_t i = 0;
	while (i < plan->shifts_n && !is_same(&plan->shifts[i], &shift))
		i++;
	if (i == plan->shifts_n)
		plan->shifts[plan->shifts_n++] = shift;
	m->shift = &plan->shifts[i];
	m->takes_mode = false; /* it is made where the image is not seen yet */
	return 0;
}
