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
	struct systemd_item *items = arena_array(list->arena, n, sizeof(*items));
	for (size_t i = 0; i < n; i++) {
		items[i].text = device_name(&allowed[i], list->arena);
		items[i].second = allowed[i].access;
	}
	p.items = items;
	p.n = plan->device_insns ? n : 0; /* an empty list takes all away */
	p.resets = is_update;
	systemd_put(list, &p);
	return 0;
}
