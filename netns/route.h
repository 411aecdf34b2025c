/* Routes of IPv4. All return -errno without a text; see netlink.h. Parent. */
#ifndef HULL_NETNS_ROUTE_H
#define HULL_NETNS_ROUTE_H

#include "netns/netlink.h"

/* Addresses in the host's byte order. */
struct route {
	uint32_t destination;
	unsigned prefix;
};

/*
 * Looks for the widest route to a part of this subnet, or to one that has it as a part; the default
 * route is none. 1: *ret; 0: there is none.
 */
_must_check_ int route_find_overlap(struct netlink *nl, uint32_t subnet, unsigned prefix,
				    struct route *ret);

_must_check_ int route_add_default(struct netlink *nl, unsigned index, uint32_t gateway);

#endif
