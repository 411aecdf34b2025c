/*
 * A bridge of the host, and cables to it: each a pair of devices (veth), one of which is a port of
 * the bridge, the other eth0 in a container. IPv4. Parent, with CAP_NET_ADMIN.
 */
#ifndef HULL_NETNS_BRIDGE_H
#define HULL_NETNS_BRIDGE_H

#include "base/arena.h"
#include "netns/device.h"

#define BRIDGE_CABLE_SIZE IFNAMSIZ

struct bridge {
	char name[IFNAMSIZ];
	unsigned index;
	uint32_t gateway; /* its own address, in the host's byte order */
	unsigned prefix;
	char alias[128];       /* who has made it */
	char cable_alias[128]; /* who lays cables to it: he alone takes them away again */
};

/* 1: there is such a bridge; 0: nothing of that name. Another device is an error. */
_must_check_ int bridge_find(struct netlink *nl, const char *name, struct arena *arena,
			     struct bridge *ret, struct err *err);

/*
 * A subnet that no route of the host leads to, or into: the given one, which is an error when it is
 * not free; or where `prefix` is 0 the first that is.
 */
_must_check_ int bridge_choose_subnet(struct netlink *nl, uint32_t *subnet, unsigned *prefix,
				      struct err *err);

/* Makes it of name, gateway, prefix and alias, and fills its index. On failure there is none. */
_must_check_ int bridge_make(struct netlink *nl, struct bridge *bridge, struct err *err);

/*
 * 1: there is a device of that name: the address is in use by somebody whom the caller does not
 * know of, on this bridge or on another one of the same subnet. 0: there is none.
 */
_must_check_ int bridge_has_cable(struct netlink *nl, uint32_t address, struct err *err);

/* Lays a cable into the container: eth0 with this address and a default route to the bridge. */
_must_check_ int bridge_connect(struct netns_pair *p, const struct bridge *bridge, uint32_t address,
				struct err *err);

/* Takes the cable away, unless it went with the container or is another's; so with the bridge. */
_must_check_ int bridge_disconnect(struct netlink *nl, uint32_t address, const char *alias,
				   struct err *err);
_must_check_ int bridge_remove(struct netlink *nl, const char *name, const char *alias,
			       struct err *err);

/* "10.1.2.0", for people. */
struct bridge_text {
	char s[16];
};
struct bridge_text bridge_address_text(uint32_t address);

#endif
