/*
 * Network devices: finding, changing, moving and removing one (RTM_GETLINK, RTM_NEWLINK,
 * RTM_DELLINK). All return -errno without a text; see netlink.h. Parent.
 */
#ifndef HULL_NETNS_LINK_H
#define HULL_NETNS_LINK_H

#include <net/if.h>

#include "netns/netlink.h"

struct link {
	unsigned index;
	unsigned flags;    /* IFF_* */
	unsigned master;   /* the index of the bridge or bond that it is a port of; 0: none */
	unsigned peer;     /* what it is the other end of, or on top of; 0: none */
	bool is_peer_here; /* in the same network namespace, whose index that is */
	bool has_addr_gen_mode;
	uint8_t addr_gen_mode; /* how IPv6 makes its link-local address */
	char name[IFNAMSIZ];
	char kind[IFNAMSIZ]; /* "bridge", "veth"; "" for hardware */
	char alias[128];     /* for people */
};

/* ENODEV: there is none of that name, or with that number. */
_must_check_ int link_find(struct netlink *nl, const char *name, struct link *ret);
_must_check_ int link_get(struct netlink *nl, unsigned index, struct link *ret);

/*
 * Moves it into another network namespace, where it is called `name` (a "%d" in it is the kernel's
 * to fill) and has the number `new_index`. Not atomic: after a failure it may be there all the same
 * under its old name. EBUSY: that number is taken.
 */
struct link_target {
	int namespace_fd;
	unsigned new_index;
	const char *name; /* NULL: as it is */
};
_must_check_ int link_move(struct netlink *nl, unsigned index, const struct link_target *to);

/* How IPv6 makes its link-local address: IN6_ADDR_GEN_MODE_*. */
_must_check_ int link_set_addr_gen_mode(struct netlink *nl, unsigned index, uint8_t mode);
_must_check_ int link_set_master(struct netlink *nl, unsigned index, unsigned master);
_must_check_ int link_set_alias(struct netlink *nl, unsigned index, const char *alias);
_must_check_ int link_set_up(struct netlink *nl, unsigned index);

/* Of no such device it is 0: that is what was wanted. */
_must_check_ int link_delete(struct netlink *nl, const char *name);

#endif
