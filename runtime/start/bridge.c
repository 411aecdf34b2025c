/*
 * Parent: a container's place on a bridge. Under the lock of the leases (state/leases.h) the bridge
 * is found or made and an address is chosen; that stands in the file before any device is made, and
 * goes from it after they are gone. With the caller's privilege over the host's network.
 *
 * Should: leave nothing, whoever dies when: delete finds the lease by the container's id, and the
 * next start on a bridge finds those of containers that are no more.
 * A container that joins the network of another one has a lease of the same address: the cable is
 * both's, and goes with the last of them.
 *
 * Must not: remove a bridge that was there before, or is in use.
 */
#include "start/bridge.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "start/namespace.h"
#include "state/leases.h"

#define OWNER_SIZE  64
#define OWNER_WORD  "hull " /* how the alias of a bridge that a hull has made begins */
#define GATEWAY_BIT 1       /* the first address of a subnet */
#define CABLES_MAX  65536   /* of others, that are passed over */

/* What all that follows works with. */
struct place {
	struct netlink nl;
	struct leases leases;
	int store_fd;
	uint64_t netns;
	char owner[OWNER_SIZE]; /* the alias of this store's bridges */
};

/* The leases are open; the rest of it. */
static int place_ask(struct place *p, int store_fd, struct err *err)
{
	struct stat st;

	p->store_fd = store_fd;
	if (fstatat(AT_FDCWD, "/proc/self/ns/net", &st, 0) < 0)
		return err_sys(err, errno, "cannot examine hull's own network namespace");
	p->netns = st.st_ino;
	if (fstat(store_fd, &st) < 0)
		return err_sys(err, errno, "cannot examine the state directory");
	snprintf(p->owner, sizeof(p->owner), OWNER_WORD "%llx:%llx", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return netlink_open(&p->nl, err);
}

static void place_close(struct place *p)
{
	leases_close(&p->leases);
	netlink_close(&p->nl);
}

/* ---- giving back ---- */

/* -ENODEV: that network namespace is not to be had. */
static int remove_elsewhere(const struct place *p, const struct lease_bridge *b, struct err *err)
{
	struct netlink there = { .fd = -EBADF };
	struct err ours = { 0 };
	struct stat st;
	_cleanup_close_ int fd = namespace_open(-EBADF, 1, "net");
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != b->netns)
		return -ENODEV;
	int r = netlink_open_in(&there, fd, &ours);
	if (r == -EXDEV && err)
		*err = ours;
	if (r < 0)
		return r == -EXDEV ? r : -ENODEV;
	r = bridge_remove(&there, b->name, p->owner, err);
	netlink_close(&there);
	return r == -ENODEV ? 0 : r;
}

/*
 * One in another network namespace than hull's: the host's is most often that of process 1; else it
 * is left to the next hull that comes by there.
 */
static int drop_bridge(struct place *p, struct lease_bridge *b, struct err *err)
{
	int r = 0;
	if (leases_use_bridge(&p->leases, b))
		return 0;
	if (b->is_made && b->netns == p->netns)
		r = bridge_remove(&p->nl, b->name, p->owner, err);
	else if (b->is_made)
		r = remove_elsewhere(p, b, err);
	if (r == -ENODEV)
		return 0;
	if (r == 0)
		leases_remove_bridge(&p->leases, b);
	return r;
}

/* Those that nobody has come by for are of network namespaces that are no more. */
static void forget_elsewhere(struct place *p)
{
	for (size_t i = p->leases.bridges_n; i-- > 0;) {
		struct lease_bridge *b = &p->leases.bridges[i];
		if (b->netns != p->netns && !leases_use_bridge(&p->leases, b))
			leases_remove_bridge(&p->leases, b);
	}
}

/* The bridges that nobody uses any more, but for the one that is about to be used. */
static int drop_bridges(struct place *p, const char *wanted, struct err *err)
{
	int r = 0;
	for (size_t i = p->leases.bridges_n; r == 0 && i-- > 0;)
		if (!wanted || !str_eq(p->leases.bridges[i].name, wanted))
			r = drop_bridge(p, &p->leases.bridges[i], err);
	return r;
}

/*
 * What stands on a cable: a hull with another --root may have laid one for the same address, to a
 * bridge that both found; or a container on another bridge with the same subnet.
 */
static void print_cable_alias(const struct place *p, const char *bridge, size_t size, char *ret)
{
	snprintf(ret, size, "%s %s", p->owner, bridge);
}

static int drop_lease(struct place *p, struct lease *lease, struct err *err)
{
	char alias[sizeof((struct bridge) { 0 }.cable_alias)];
	print_cable_alias(p, lease->bridge, sizeof(alias), alias);
	/* In another network namespace it goes with the container's own. */
	int r = lease->netns == p->netns && !leases_share(&p->leases, lease)
			? bridge_disconnect(&p->nl, lease->address, alias, err)
			: 0;
	if (r == 0)
		leases_remove(&p->leases, lease);
	return r;
}

static bool has_lease(const struct leases *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].id, id))
			return true;
	return false;
}

/* With its bridge, when it was the last one there. */
static int give_back(struct place *p, struct lease *lease, struct err *err)
{
	const struct lease old = *lease;
	int r = drop_lease(p, lease, err);
	struct lease_bridge *b = leases_find_bridge(&p->leases, old.bridge, old.netns);
	return r < 0 || !b ? r : drop_bridge(p, b, err);
}

/*
 * When something cannot be removed, the file stays as it is, so that the next attempt finds it by
 * the container's id. Other bridges that nobody uses are removed by the way.
 */
static int release(struct place *p, const char *id, struct err *err)
{
	int r = 0;
	for (size_t i = p->leases.n; r == 0 && i-- > 0;)
		if (str_eq(p->leases.v[i].id, id))
			r = give_back(p, &p->leases.v[i], err);
	if (r < 0)
		return r;
	(void)!drop_bridges(p, NULL, NULL);
	return leases_write(&p->leases, err);
}

int bridge_release(int store_fd, const char *id, int timeout_ms, struct err *err)
{
	struct place p = { .nl.fd = -EBADF };

	if (!leases_may_have(store_fd, id))
		return 0;
	int r = leases_open(store_fd, LEASES_EXISTING, timeout_ms, &p.leases, err);
	if (r < 0 || !has_lease(&p.leases, id)) {
		leases_close(&p.leases);
		return r;
	}
	r = place_ask(&p, store_fd, err);
	if (r == 0)
		r = release(&p, id, err);
	place_close(&p);
	return r;
}

/* ---- taking ---- */

/* Leases of containers whose state was removed by others; and one of ours, before it began. */
static int prune(struct place *p, const struct plan *plan, struct err *err)
{
	int r = 0;
	for (size_t i = p->leases.n; r == 0 && i-- > 0;) {
		struct lease *l = &p->leases.v[i];
		if (str_eq(l->id, plan->id) ||
		    (faccessat(p->store_fd, l->id, F_OK, 0) < 0 && errno == ENOENT))
			r = drop_lease(p, l, err);
	}
	return r < 0 ? r : drop_bridges(p, plan->network.bridge, err);
}

static int check_found(const struct plan_network *n, const struct bridge *b, struct err *err)
{
	if (!b->prefix) {
		err_say(err, ERR_CONFIG, EADDRNOTAVAIL, "the bridge '%s' has no IPv4 address",
			b->name);
		err_hint(err, "hull changes nothing of a bridge that it has not made: give it one "
			      "(ip addr add), or name another bridge");
		return -EADDRNOTAVAIL;
	}
	uint32_t hosts = b->prefix < 32 ? UINT32_MAX >> b->prefix : 0;
	if (!n->prefix || (n->prefix == b->prefix && n->subnet == (b->gateway & ~hosts)))
		return 0;
	err_say(err, ERR_CONFIG, EEXIST, "the bridge '%s' has another subnet already: %s/%u",
		b->name, bridge_address_text(b->gateway & ~hosts).s, b->prefix);
	err_hint(err, "leave --subnet out, or name another bridge");
	return -EEXIST;
}

static int check_owner(const struct place *p, const struct bridge *b, struct err *err)
{
	if (!str_has_prefix(b->alias, OWNER_WORD) || str_eq(b->alias, p->owner))
		return 0;
	err_say(err, ERR_BUSY, EBUSY, "the bridge '%s' is that of a hull with another --root",
		b->name);
	err_hint(err, "--net bridge=NAME names another one");
	return -EBUSY;
}

/* A bridge that is not finished, because its hull was killed, is made once more. */
static int find_bridge(struct place *p, struct start *s, bool *ret_made, struct err *err)
{
	const struct plan_network *n = &s->plan->network;
	const struct lease_bridge *known = leases_find_bridge(&p->leases, n->bridge, p->netns);

	int r = bridge_find(&p->nl, n->bridge, s->arena, &s->bridge, err);
	if (r <= 0)
		return r;
	r = check_owner(p, &s->bridge, err);
	if (r < 0)
		return r;
	*ret_made = str_eq(s->bridge.alias, p->owner) || (known && known->is_made);
	if (*ret_made && !s->bridge.prefix && !(known && leases_use_bridge(&p->leases, known)))
		return bridge_remove(&p->nl, n->bridge, s->bridge.alias, err);
	r = check_found(n, &s->bridge, err);
	return r < 0 ? r : 1;
}

static int choose_bridge(const struct place *p, struct start *s, struct netlink *nl,
			 struct err *err)
{
	const struct plan_network *n = &s->plan->network;
	uint32_t subnet = n->subnet;
	unsigned prefix = n->prefix;

	int r = bridge_choose_subnet(nl, &subnet, &prefix, err);
	if (r < 0)
		return r;
	s->bridge = (struct bridge) { .gateway = subnet | GATEWAY_BIT, .prefix = prefix };
	snprintf(s->bridge.name, sizeof(s->bridge.name), "%s", n->bridge);
	snprintf(s->bridge.alias, sizeof(s->bridge.alias), "%s", p->owner);
	return 0;
}

static int full(const struct start *s, struct err *err)
{
	err_say(err, ERR_LIMIT, ENOSPC, "no address is left on the bridge '%s' (%s/%u)",
		s->bridge.name, bridge_address_text(s->bridge.gateway).s, s->bridge.prefix);
	err_hint(err, "delete containers there, or use another bridge with a larger --subnet");
	return -ENOSPC;
}

/* One that nobody has: neither in our leases, nor by a cable of others. */
static int choose_address(struct place *p, struct start *s, const struct lease_bridge *record,
			  struct err *err)
{
	int r = 1;
	s->address = 0;
	for (int i = 0; r > 0 && i < CABLES_MAX; i++) {
		s->address = leases_free_address(&p->leases, record, s->address);
		r = s->address ? bridge_has_cable(&p->nl, s->address, err) : full(s, err);
	}
	return r > 0 ? full(s, err) : r;
}

/* Into the file, before anything of it is made. */
static int take(struct place *p, struct start *s, bool made, struct err *err)
{
	const struct bridge *b = &s->bridge;
	struct lease_bridge record = { b->name, p->netns, b->gateway, b->prefix, made };
	struct lease_bridge *known = leases_find_bridge(&p->leases, b->name, p->netns);

	if (known)
		leases_remove_bridge(&p->leases, known);
	if (leases_are_full(&p->leases))
		forget_elsewhere(p);
	int r = choose_address(p, s, &record, err);
	if (r < 0)
		return r;
	const struct lease lease = { b->name, p->netns, s->address, s->plan->id };
	if (leases_add_bridge(&p->leases, &record) < 0 || leases_add(&p->leases, &lease) < 0)
		return full(s, err);
	r = leases_write(&p->leases, err);
	s->has_lease = r == 0;
	return r;
}

/* Another store was faster: so it is that one's, and not to be removed with our lease. */
static int lost_race(struct place *p, const struct start *s, struct err *err)
{
	struct lease_bridge *known = leases_find_bridge(&p->leases, s->bridge.name, p->netns);
	if (known)
		known->is_made = false;
	err_hint(err, "somebody else has made it at the same moment: try again, or name another "
		      "one with --net bridge=NAME");
	int written = leases_write(&p->leases, NULL);
	return written < 0 ? written : -EEXIST;
}

static int take_place(struct place *p, struct start *s, struct err *err)
{
	bool made = true;
	int r = prune(p, s->plan, err);
	int found = r < 0 ? r : find_bridge(p, s, &made, err);
	if (found == 0)
		r = choose_bridge(p, s, &p->nl, err);
	if (r < 0 || found < 0)
		return r < 0 ? r : found;
	print_cable_alias(p, s->bridge.name, sizeof(s->bridge.cable_alias), s->bridge.cable_alias);
	r = take(p, s, made, err);
	if (r == 0 && !found)
		r = bridge_make(&p->nl, &s->bridge, err);
	return r == -EEXIST && !found ? lost_race(p, s, err) : r;
}

static int share_lease(struct place *p, struct start *s, const struct lease *of, struct err *err)
{
	const struct lease own = { of->bridge, of->netns, of->address, s->plan->id };
	int r = leases_add(&p->leases, &own);
	if (r < 0)
		return err_sys(err, -r, "cannot note that the address is this container's, too");
	r = leases_write(&p->leases, err);
	s->has_lease = r == 0;
	return r;
}

/* Of the container whose network is joined, if it is on a bridge. */
static int share_place(struct start *s, struct err *err)
{
	struct place p = { .nl.fd = -EBADF };
	const char *other = s->plan->network.container;

	if (!leases_may_have(s->store->fd, other))
		return 0;
	int r = leases_open(s->store->fd, LEASES_EXISTING,
			    state_time_left(&s->entry, STATE_BY_START), &p.leases, err);
	for (size_t i = 0; r == 0 && !s->has_lease && i < p.leases.n; i++)
		if (str_eq(p.leases.v[i].id, other))
			r = share_lease(&p, s, &p.leases.v[i], err);
	leases_close(&p.leases);
	return r;
}

int bridge_prepare(struct start *s, struct err *err)
{
	struct place p = { .nl.fd = -EBADF };

	if (s->plan->network.kind == PLAN_NET_CONTAINER)
		return share_place(s, err);
	if (s->plan->network.kind != PLAN_NET_BRIDGE)
		return 0;
	int r = leases_open(s->store->fd, LEASES_CREATE, state_time_left(&s->entry, STATE_BY_START),
			    &p.leases, err);
	if (r == 0)
		r = place_ask(&p, s->store->fd, err);
	if (r == 0)
		r = take_place(&p, s, err);
	place_close(&p);
	return r < 0 ? r : resolv_write(s, err);
}

int bridge_lay(struct start *s, struct err *err)
{
	if (s->plan->network.kind != PLAN_NET_BRIDGE)
		return 0;
	return bridge_connect(&s->network, &s->bridge, s->address, err);
}
