/* Routes. All return -errno without a text; see netlink.h. Parent. */
#ifndef HULL_NETNS_ROUTE_H
#define HULL_NETNS_ROUTE_H

#include "base/arena.h"
#include "netns/netlink.h"

/* IPv4, addresses in the host's byte order. */
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

/* The routes of a device, as the kernel described them: its messages, one behind the other. */
#define ROUTES_SIZE_MAX ((size_t)256 * 1024)
struct routes {
	char *bytes; /* in the arena */
	size_t size;
};

/*
 * Those that somebody has made, of both families and in all tables: what the kernel makes itself,
 * or learns from routers, is not among them, nor is a route over several devices. E2BIG: too many.
 */
_must_check_ int route_list(struct netlink *nl, unsigned index, struct arena *arena,
			    struct routes *ret);

/* Makes them again, for a device with that number now, which must be up and have its addresses. */
_must_check_ int route_restore(struct netlink *nl, unsigned index, const struct routes *routes);

#endif
