/*
 * Planning what the parent does in the container's network namespace (S-144 to S-151): which
 * devices of the host go there, under which names. Pure; see plan.h.
 */
#include <linux/capability.h>
#include <string.h>

#include "base/str.h"
#include "plan/parts.h"

bool plan_has_network(const struct plan *plan)
{
	return plan->network.devices_n > 0 || plan->network.kind == PLAN_NET_BRIDGE;
}

/* Otherwise nothing would be moved, or the host's own network would be changed. */
static int check_namespace(const struct planner *p, struct err *err)
{
	struct plan_namespaces *ns = &p->plan->ns;

	for (unsigned i = 0; i < ns->join_n; i++)
		if (ns->join[i].type == SPEC_NS_NETWORK)
			ns->join[i].is_changed = true;
	if (ns->loopback || plan_joins(p->plan, SPEC_NS_NETWORK))
		return 0;
	err_say(err, ERR_CONFIG, EINVAL, "network devices need a network namespace to go to");
	err_hint(err, "%s",
		 p->plan->network.kind == PLAN_NET_HOST
			 ? "--net host gives it none of its own"
			 : "add {\"type\": \"network\"} to linux.namespaces");
	err_at(err, p->spec->linux.net_devices.at);
	return -EINVAL;
}

static int check_privilege(const struct planner *p, struct err *err)
{
	if (p->host->caps_permitted >> CAP_NET_ADMIN & 1)
		return 0;
	err_say(err, ERR_PERMISSION, EPERM,
		"the caller may not move a network device out of the host's network namespace");
	err_hint(err, "it takes CAP_NET_ADMIN, which root has");
	err_at(err, p->spec->linux.net_devices.at);
	return -EPERM;
}

/* Of two devices with one name the second would be refused when the first is there already. */
static int check_names(const struct plan_network *n, struct err *err)
{
	for (size_t i = 0; i < n->devices_n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct plan_net_device *a = &n->devices[i], *b = &n->devices[j];
			const char *name = a->as ? a->as : a->name;
			if (strchr(name, '%') || !str_eq(name, b->as ? b->as : b->name))
				continue;
			err_say(err, ERR_CONFIG, EEXIST,
				"two network devices cannot both be called '%s'", name);
			err_at(err, a->at);
			return -EEXIST;
		}
	return 0;
}

int plan_make_network(const struct planner *p, struct err *err)
{
	const struct spec_linux *l = &p->spec->linux;
	struct plan_network *n = &p->plan->network;

	if (l->net_devices.n == 0)
		return 0;
	n->devices = arena_array(p->arena, l->net_devices.n, sizeof(*n->devices));
	for (size_t i = 0; i < l->net_devices.n; i++) {
		const struct spec_net_device *d = &l->net_devices.v[i];
		n->devices[n->devices_n++] = (struct plan_net_device) {
			.name = d->host_name,
			.as = d->name.s && *d->name.s ? d->name.s : NULL,
			.at = d->key_at,
		};
	}
	int r = check_namespace(p, err);
	if (r == 0)
		r = check_privilege(p, err);
	return r < 0 ? r : check_names(n, err);
}
