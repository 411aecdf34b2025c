/*
 * Planning the namespaces (S-118 to S-130): which are made by clone3, which the child unshares
 * (design: a cgroup namespace must be made inside the new cgroup, a time namespace before its
 * offsets freeze), and which existing ones are joined.
 */
#include <linux/sched.h>

#include "base/str.h"
#include "plan/parts.h"

static const struct {
	enum spec_ns_type type;
	uint64_t flag;
	bool by_child;
} ns_table[] = {
	{ SPEC_NS_PID, CLONE_NEWPID, false },      { SPEC_NS_NETWORK, CLONE_NEWNET, false },
	{ SPEC_NS_MOUNT, CLONE_NEWNS, false },     { SPEC_NS_IPC, CLONE_NEWIPC, false },
	{ SPEC_NS_UTS, CLONE_NEWUTS, false },      { SPEC_NS_USER, CLONE_NEWUSER, false },
	{ SPEC_NS_CGROUP, CLONE_NEWCGROUP, true }, { SPEC_NS_TIME, CLONE_NEWTIME, true },
};

uint64_t plan_namespace_flag(enum spec_ns_type type)
{
	for (size_t i = 0; i < ARRAY_SIZE(ns_table); i++)
		if (ns_table[i].type == type)
			return ns_table[i].flag;
	return 0;
}

bool plan_joins(const struct plan *plan, enum spec_ns_type type)
{
	for (unsigned i = 0; i < plan->ns.join_n; i++)
		if (plan->ns.join[i].type == type)
			return true;
	return false;
}

bool plan_moves(const struct plan *plan)
{
	return plan_joins(plan, SPEC_NS_PID);
}

/*
 * Who is in a new user namespace has no rights over an existing pid namespace. So the child says
 * that its own child shall be there (plan_moves) before it makes the user namespace and all that
 * belongs to it. From then on until pivot it must have no child, for that would see the host's
 * files from in there: hooks.c and mounts.c refuse what would need one.
 */
bool plan_unshares(const struct plan *plan)
{
	return plan_moves(plan) && plan->user.is_new && plan->user.has_stage;
}

static void plan_new(struct plan_namespaces *ns, enum spec_ns_type type)
{
	for (size_t i = 0; i < ARRAY_SIZE(ns_table); i++)
		if (ns_table[i].type == type)
			*(ns_table[i].by_child ? &ns->unshare_flags
					       : &ns->clone_flags) |= ns_table[i].flag;
	if (type == SPEC_NS_NETWORK)
		ns->loopback = true;
}

static int check_time(const struct planner *p, const struct spec_namespace *spec, struct err *err)
{
	if ((enum spec_ns_type)spec->type.v != SPEC_NS_TIME || p->host->has_time_namespaces)
		return 0;
	err_say(err, ERR_HOST, EOPNOTSUPP, "this kernel has no time namespaces");
	err_at(err, spec->at);
	return -EOPNOTSUPP;
}

/* The lines of timens_offsets: "monotonic 3600 0". */
static const char *time_offsets(const struct planner *p)
{
	const struct spec_linux *l = &p->spec->linux;
	if (l->time_offsets.n == 0)
		return NULL;
	struct str s;
	str_init(&s, p->arena);
	for (size_t i = 0; i < l->time_offsets.n; i++) {
		const struct spec_time_offset *o = &l->time_offsets.v[i];
		str_printf(&s, "%s %lld %llu\n", o->clock, (long long)o->secs.v,
			   (unsigned long long)o->nanosecs.v);
	}
	return s.text;
}

/* --net in place of what config.json says. */
static void plan_net(struct plan *plan)
{
	switch (plan->network.kind) {
	case PLAN_NET_NEW:
	case PLAN_NET_BRIDGE:
		plan_new(&plan->ns, SPEC_NS_NETWORK);
		break;
	case PLAN_NET_CONTAINER:
		plan->ns.join[plan->ns.join_n++] = (struct plan_join) {
			.type = SPEC_NS_NETWORK,
			.path = plan->network.container,
			.container = plan->network.container,
		};
		break;
	default:
		break;
	}
}

int plan_make_namespaces(const struct planner *p, struct err *err)
{
	struct plan_namespaces *ns = &p->plan->ns;
	const struct spec_linux *l = &p->spec->linux;

	for (size_t i = 0; i < l->namespaces.n; i++) {
		const struct spec_namespace *spec = &l->namespaces.v[i];
		enum spec_ns_type type = (enum spec_ns_type)spec->type.v;
		if (type == SPEC_NS_NETWORK && p->plan->network.kind != PLAN_NET_CONFIG)
			continue;
		int r = check_time(p, spec, err);
		if (r < 0)
			return r;
		if (!spec->path.s || !*spec->path.s)
			plan_new(ns, type);
		else
			ns->join[ns->join_n++] = (struct plan_join) {
				.type = type,
				.path = spec->path.s,
				.at = spec->path.at,
			};
	}
	plan_net(p->plan);
	ns->time_offsets = time_offsets(p);
	ns->time_offsets_at = l->time_offsets.at;
	ns->hostname = p->spec->hostname.s;
	ns->hostname_at = p->spec->hostname.at;
	ns->domainname = p->spec->domainname.s;
	ns->domainname_at = p->spec->domainname.at;
	for (unsigned i = 0; i < ns->join_n; i++)
		ns->join[i].is_changed = ns->join[i].type == SPEC_NS_UTS &&
					 (ns->hostname || ns->domainname);
	return 0;
}
