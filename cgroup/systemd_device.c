/*
 * linux.resources.devices in systemd's words. Of programs at a cgroup all must allow an access, so
 * hull's own (device.c), which knows the rules to the letter, decides; systemd's, which knows only
 * what is allowed, may be wider but never narrower. Pure; no privilege.
 */
#include "cgroup/limits.h"
#include "cgroup/systemd_parts.h"

#include <inttypes.h>

/*
 * How bpf-devices.c of systemd takes them: a node by its numbers, which need not exist; all minors
 * of a major, by its number since 240; a whole type. One minor of all majors it cannot name.
 */
static const char *device_name(const struct device_allowed *d, struct arena *arena)
{
	const char *type = d->type == 'b' ? "block" : "char";
	if (d->major < 0)
		return arena_printf(arena, "%s-*", type);
	if (d->minor < 0)
		return arena_printf(arena, "%s-%" PRId64, type, d->major);
	return arena_printf(arena, "/dev/%s/%" PRId64 ":%" PRId64, type, d->major, d->minor);
}

static const char *access_text(uint32_t access, struct arena *arena)
{
	return arena_printf(arena, "%s%s%s", access & BPF_DEVCG_ACC_READ ? "r" : "",
			    access & BPF_DEVCG_ACC_WRITE ? "w" : "",
			    access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

static bool covers(const struct device_allowed *a, const struct device_allowed *b)
{
	return a->type == b->type && (a->major < 0 || a->major == b->major) &&
	       (a->minor < 0 || a->minor == b->minor);
}

/*
 * Each device once, since the last entry of a name replaces the others. And systemd allows an
 * access only when one entry has all of its letters: so each has those of all that cover it.
 */
static size_t merge(struct device_allowed *v, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].major < 0)
			v[i].minor = -1; /* wider: see device_name() */
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			if (covers(&v[j], &v[i]))
				v[i].access |= v[j].access;
	for (size_t i = 0; i < n; i++) {
		size_t same = 0;
		while (same < kept && !(covers(&v[same], &v[i]) && covers(&v[i], &v[same])))
			same++;
		if (same == kept)
			v[kept++] = v[i];
	}
	return kept;
}

static void put_policy(struct systemd_list *list, const char *policy)
{
	systemd_put(list, &(struct systemd_property) {
				  .name = "DevicePolicy",
				  .signature = "s",
				  .text = policy,
				  .since = 240,
			  });
}

int systemd_plan_devices(const struct spec_resources *resources, const struct cgroup_plan *plan,
			 bool is_update, struct systemd_list *list, struct err *err)
{
	struct device_allowed *allowed;
	size_t n;
	struct systemd_property p = { .name = "DeviceAllow", .signature = "a(ss)", .since = 240 };
	if (!plan->device_insns && !is_update)
		return 0;
	put_policy(list, plan->device_insns ? "strict" : "auto");
	int r = device_list_allowed(resources, list->arena, &allowed, &n, err);
	if (r < 0)
		return r;
	n = merge(allowed, n);
	struct systemd_item *items = arena_array(list->arena, n, sizeof(*items));
	for (size_t i = 0; i < n; i++) {
		items[i].text = device_name(&allowed[i], list->arena);
		items[i].second = access_text(allowed[i].access, list->arena);
	}
	p.items = items;
	p.n = plan->device_insns ? n : 0; /* an empty list takes all away */
	p.resets = is_update;
	systemd_put(list, &p);
	return 0;
}
