/*
 * Making a bridge and cables to it: see the header. A container's end of a cable is made in its
 * network namespace at once, and goes with that; the other end goes with it. Parent.
 */
#include "netns/bridge.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "netns/route.h"

#define BRIDGE_END "eth0"
/* Where subnets come from when none is given: 256 of 24 bits. */
#define BRIDGE_POOL      0x0a750000u /* 10.117.0.0 */
#define BRIDGE_POOL_SIZE 256
#define BRIDGE_PREFIX    24

struct bridge_text bridge_address_text(uint32_t address)
{
	struct bridge_text text;
	snprintf(text.s, sizeof(text.s), "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
		 address >> 8 & 255, address & 255);
	return text;
}

/* ---- the bridge ---- */

/* Its first address is that of the gateway. */
static int read_address(struct netlink *nl, struct arena *arena, struct bridge *ret)
{
	struct addresses list;
	int r = address_list(nl, ret->index, arena, &list);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const struct address *a = &list.v[i];
		uint32_t bytes;
		if (a->family != AF_INET || a->local_size != sizeof(bytes))
			continue;
		memcpy(&bytes, a->local, sizeof(bytes));
		ret->gateway = ntohl(bytes);
		ret->prefix = a->prefix;
		break;
	}
	return r;
}

int bridge_find(struct netlink *nl, const char *name, struct arena *arena, struct bridge *ret,
		struct err *err)
{
	struct link link;
	int r = link_find(nl, name, &link);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return netlink_failed(nl, -r, err, "cannot look for the bridge '%s'", name);
	if (!str_eq(link.kind, "bridge")) {
		err_say(err, ERR_BUSY, EEXIST, "there is a network device '%s' that is no bridge",
			name);
		err_hint(err, "--net bridge=NAME names another one");
		return -EEXIST;
	}
	*ret = (struct bridge) { .index = link.index };
	snprintf(ret->name, sizeof(ret->name), "%s", link.name);
	snprintf(ret->alias, sizeof(ret->alias), "%s", link.alias);
	r = read_address(nl, arena, ret);
	return r < 0 ? netlink_failed(nl, -r, err, "cannot read the address of the bridge '%s'",
				      name)
		     : 1;
}

static int routes_failed(const struct netlink *nl, int r, struct err *err)
{
	return netlink_failed(nl, -r, err, "cannot read the routes of the host");
}

static int check_subnet(struct netlink *nl, uint32_t subnet, unsigned prefix, struct err *err)
{
	struct route route;
	int r = route_find_overlap(nl, subnet, prefix, &route);
	if (r <= 0)
		return r < 0 ? routes_failed(nl, r, err) : 0;
	err_say(err, ERR_BUSY, EEXIST, "the subnet %s/%u overlaps a route of the host, to %s/%u",
		bridge_address_text(subnet).s, prefix, bridge_address_text(route.destination).s,
		route.prefix);
	err_hint(err, "choose another --subnet; without one hull looks for one that is free");
	return -EEXIST;
}

int bridge_choose_subnet(struct netlink *nl, uint32_t *subnet, unsigned *prefix, struct err *err)
{
	struct route route;
	if (*prefix)
		return check_subnet(nl, *subnet, *prefix, err);
	for (uint32_t i = 0; i < BRIDGE_POOL_SIZE; i++) {
		uint32_t candidate = BRIDGE_POOL + (i << (32 - BRIDGE_PREFIX));
		int r = route_find_overlap(nl, candidate, BRIDGE_PREFIX, &route);
		if (r < 0)
			return routes_failed(nl, r, err);
		if (r > 0)
			continue;
		*subnet = candidate;
		*prefix = BRIDGE_PREFIX;
		return 0;
	}
	err_say(err, ERR_BUSY, ENOSPC, "all of %s/16 is in use by routes of the host",
		bridge_address_text(BRIDGE_POOL).s);
	err_hint(err, "--subnet names another one");
	return -ENOSPC;
}

/* By itself a bridge takes the hardware address of a port, and another when that goes. */
static int make_link(struct netlink *nl, const struct bridge *bridge)
{
	struct netlink_message m;
	uint32_t gateway = htonl(bridge->gateway);
	uint8_t hardware[6] = { 0x02, 'h' };

	memcpy(hardware + 2, &gateway, sizeof(gateway));
	netlink_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	netlink_put_text(&m, IFLA_IFNAME, bridge->name);
	netlink_put(&m, IFLA_ADDRESS, hardware, sizeof(hardware));
	struct rtattr *info = netlink_nest(&m, IFLA_LINKINFO);
	netlink_put_text(&m, IFLA_INFO_KIND, "bridge");
	netlink_nest_end(&m, info);
	return netlink_ask(nl, &m, NULL, NULL);
}

static int set_up(struct netlink *nl, struct bridge *bridge)
{
	struct address address;
	struct link link;

	int r = link_find(nl, bridge->name, &link);
	if (r == 0)
		r = link_set_alias(nl, link.index, bridge->alias);
	address_make(&address, bridge->gateway, bridge->prefix);
	if (r == 0)
		r = address_add(nl, link.index, &address, "", "");
	if (r == 0)
		r = link_set_up(nl, link.index);
	bridge->index = link.index;
	return r;
}

int bridge_make(struct netlink *nl, struct bridge *bridge, struct err *err)
{
	int r = make_link(nl, bridge);
	if (r < 0) {
		netlink_failed(nl, -r, err, "cannot make the bridge '%s'", bridge->name);
		if (r == -EOPNOTSUPP)
			err_hint(err, "this kernel has no bridges (module bridge)");
		return r;
	}
	r = set_up(nl, bridge);
	if (r < 0) {
		netlink_failed(nl, -r, err, "cannot set up the bridge '%s'", bridge->name);
		(void)!link_delete(nl, bridge->name);
	}
	return r;
}

/* ---- cables ---- */

/* What its port for a container with this address is called, on the host. */
static void name_cable(uint32_t address, char ret[static BRIDGE_CABLE_SIZE])
{
	snprintf(ret, BRIDGE_CABLE_SIZE, "hull%08x", address);
}

int bridge_has_cable(struct netlink *nl, uint32_t address, struct err *err)
{
	char name[BRIDGE_CABLE_SIZE];
	struct link link;

	name_cable(address, name);
	int r = link_find(nl, name, &link);
	return r == 0 ? 1
	       : r == -ENODEV
		       ? 0
		       : netlink_failed(nl, -r, err, "cannot look for the device '%s'", name);
}

static int make_cable(struct netns_pair *p, const struct bridge *bridge, const char *name)
{
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	netlink_put_text(&m, IFLA_IFNAME, name);
	netlink_put_u32(&m, IFLA_MASTER, bridge->index);
	struct rtattr *info = netlink_nest(&m, IFLA_LINKINFO);
	netlink_put_text(&m, IFLA_INFO_KIND, "veth");
	struct rtattr *data = netlink_nest(&m, IFLA_INFO_DATA);
	struct rtattr *peer = netlink_nest(&m, VETH_INFO_PEER);
	netlink_put_bytes(&m, sizeof(struct ifinfomsg));
	netlink_put_text(&m, IFLA_IFNAME, BRIDGE_END);
	netlink_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)p->container_fd);
	netlink_nest_end(&m, peer);
	netlink_nest_end(&m, data);
	netlink_nest_end(&m, info);
	return netlink_ask(&p->host, &m, NULL, NULL);
}

static int set_up_end(struct netlink *nl, const struct bridge *bridge, uint32_t own)
{
	struct address address;
	struct link end;

	address_make(&address, own, bridge->prefix);
	int r = link_find(nl, BRIDGE_END, &end);
	if (r == 0)
		r = address_add(nl, end.index, &address, "", "");
	if (r == 0)
		r = link_set_up(nl, end.index);
	return r < 0 ? r : route_add_default(nl, end.index, bridge->gateway);
}

int bridge_connect(struct netns_pair *p, const struct bridge *bridge, uint32_t address,
		   struct err *err)
{
	char name[BRIDGE_CABLE_SIZE];
	struct link link;

	name_cable(address, name);
	int r = make_cable(p, bridge, name);
	if (r == 0)
		r = link_find(&p->host, name, &link);
	if (r == 0)
		r = link_set_alias(&p->host, link.index, bridge->cable_alias);
	if (r == 0)
		r = link_set_up(&p->host, link.index);
	if (r < 0)
		return netlink_failed(&p->host, -r, err, "cannot lay a cable to the bridge '%s'",
				      bridge->name);
	r = set_up_end(&p->container, bridge, address);
	return r < 0 ? netlink_failed(&p->container, -r, err,
				      "cannot give the container its address %s",
				      bridge_address_text(address).s)
		     : 0;
}

/* ---- removing ---- */

/* Without an alias its hull was killed before it had given it one. */
static bool is_ours(const struct link *link, const char *kind, const char *alias)
{
	return str_eq(link->kind, kind) && (!link->alias[0] || str_eq(link->alias, alias));
}

/* One that is up without its alias is somebody else's: hull's own has it before. */
static bool is_our_bridge(const struct link *link, const char *alias)
{
	return is_ours(link, "bridge", alias) && (link->alias[0] || !(link->flags & IFF_UP));
}

int bridge_disconnect(struct netlink *nl, uint32_t address, const char *alias, struct err *err)
{
	char name[BRIDGE_CABLE_SIZE];
	struct link link;

	name_cable(address, name);
	int r = link_find(nl, name, &link);
	if (r == -ENODEV || (r == 0 && !is_ours(&link, "veth", alias)))
		return 0;
	if (r == 0)
		r = link_delete(nl, name);
	return r < 0 ? netlink_failed(nl, -r, err, "cannot remove the network device '%s'", name)
		     : 0;
}

int bridge_remove(struct netlink *nl, const char *name, const char *alias, struct err *err)
{
	struct link link;
	int r = link_find(nl, name, &link);
	/* It is gone, or somebody else's by now. */
	if (r == -ENODEV || (r == 0 && !is_our_bridge(&link, alias)))
		return 0;
	if (r == 0)
		r = link_delete(nl, name);
	return r < 0 ? netlink_failed(nl, -r, err, "cannot remove the bridge '%s'", name) : 0;
}
