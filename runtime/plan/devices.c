/*
 * Planning devices and links: those of config.json, and the default ones of config-linux.md
 * ("Default Devices") unless /dev is the host's by a bind mount (S-131 to S-142).
 */
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/str.h"
#include "plan/parts.h"

#define DEVICE_DEFAULT_MODE 0666

static const struct {
	const char *path;
	unsigned major, minor;
} default_devices[] = {
	{ "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

static const struct plan_link default_links[] = {
	{ "/dev/fd", "/proc/self/fd" },       { "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" }, { "/dev/stderr", "/proc/self/fd/2" },
	{ "/dev/ptmx", "pts/ptmx" },
};

bool plan_dev_is_bound(const struct plan *plan)
{
	bool bound = false;
	for (size_t i = 0; i < plan->mounts_n; i++)
		if (str_eq(plan->mounts[i].destination, "/dev") &&
		    plan->mounts[i].kind != PLAN_MOUNT_REMOUNT)
			bound = plan->mounts[i].kind == PLAN_MOUNT_BIND;
	return bound;
}

static bool is_planned(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->devices_n; i++)
		if (str_eq(plan->devices[i].path, path))
			return true;
	return false;
}

static void plan_one_device(const struct planner *p, const struct spec_device *spec,
			    struct plan_device *d)
{
	mode_t type = *spec->type.s == 'b' ? S_IFBLK : *spec->type.s == 'p' ? S_IFIFO : S_IFCHR;
	mode_t perm = spec->file_mode.at ? (mode_t)spec->file_mode.v & 07777 : DEVICE_DEFAULT_MODE;

	d->path = plan_path_normal(p->arena, spec->path.s);
	d->mode = type | perm;
	if (type != S_IFIFO)
		d->rdev = makedev((unsigned)spec->major.v, (unsigned)spec->minor.v);
	d->uid = (uid_t)spec->uid.v;
	d->gid = (gid_t)spec->gid.v;
	d->at = spec->at;
	d->how = plan_device_way(p, d->mode);
}

static void add_defaults(const struct planner *p)
{
	struct plan *plan = p->plan;
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++) {
		if (is_planned(plan, default_devices[i].path)) /* config.json replaces it (S-138) */
			continue;
		plan->devices[plan->devices_n++] = (struct plan_device) {
			.how = plan_device_way(p, S_IFCHR),
			.path = default_devices[i].path,
			.mode = S_IFCHR | DEVICE_DEFAULT_MODE,
			.rdev = makedev(default_devices[i].major, default_devices[i].minor),
		};
	}
	plan->links = arena_array(p->arena, ARRAY_SIZE(default_links), sizeof(*plan->links));
	memcpy(plan->links, default_links, sizeof(default_links));
	plan->links_n = ARRAY_SIZE(default_links);
}

/*
 * The rules with one more for each device that the config lists: it is going to be made, by a child
 * that these rules hold for already. dockerd takes away all letters of a device before it gives the
 * one that was asked for; that the node exists gives no access to what it stands for.
 */
struct spec_resources plan_device_rules(const struct planner *p)
{
	const struct spec_linux *l = &p->spec->linux;
	struct spec_resources with = l->resources;
	size_t n = with.devices.n;

	if (n == 0)
		return with;
	with.devices.v = arena_array(p->arena, n + l->devices.n, sizeof(*with.devices.v));
	memcpy(with.devices.v, l->resources.devices.v, n * sizeof(*with.devices.v));
	for (size_t i = 0; i < l->devices.n; i++) {
		const struct spec_device *d = &l->devices.v[i];
		if (*d->type.s == 'p')
			continue;
		with.devices.v[with.devices.n++] = (struct spec_device_rule) {
			.allow = { .v = true, .at = d->at },
			.type = { *d->type.s == 'b' ? "b" : "c", d->at },
			.major = { d->major.v, d->at },
			.minor = { d->minor.v, d->at },
			.access = { "m", d->at },
			.at = d->at,
		};
	}
	return with;
}

void plan_make_devices(const struct planner *p)
{
	struct plan *plan = p->plan;
	const struct spec_linux *l = &p->spec->linux;

	plan->devices = arena_array(p->arena, l->devices.n + ARRAY_SIZE(default_devices),
				    sizeof(*plan->devices));
	bool bound = plan_dev_is_bound(plan);
	for (size_t i = 0; i < l->devices.n; i++) {
		struct plan_device *d = &plan->devices[plan->devices_n++];
		plan_one_device(p, &l->devices.v[i], d);
		d->must_exist = bound && plan_path_is_below(d->path, "/dev");
	}
	if (plan->root.kind != PLAN_ROOT_CHROOT && !bound)
		add_defaults(p);
}
