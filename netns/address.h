/*
 * Addresses of network devices: all that belongs to one is read, so that it can be given again to
 * the device where it is next, or when it comes back. Parent; see netlink.h.
 */
#ifndef HULL_NETNS_ADDRESS_H
#define HULL_NETNS_ADDRESS_H

#include <linux/if_addr.h>
#include <net/if.h>

#include "base/arena.h"
#include "netns/netlink.h"

#define ADDRESSES_MAX 1024 /* of one device */

struct address {
	uint8_t family, prefix, scope, protocol;
	uint32_t flags;    /* IFA_F_* */
	uint32_t priority; /* of its route; 0: the kernel's choice */
	/* Of `size` bytes; `local` is missing where it is the same (IPv6 without a peer). */
	size_t size, local_size;
	uint8_t address[16], local[16];
	bool has_broadcast, has_lifetime;
	uint32_t broadcast;
	struct ifa_cacheinfo lifetime;
	char label[IFNAMSIZ]; /* IPv4: the device's name, also with ":" and more; "": none */
};
struct addresses {
	struct address *v;
	size_t n;
};

/* Those of the device, in the kernel's order, which says what is primary. -errno without a text. */
_must_check_ int address_list(struct netlink *nl, unsigned index, struct arena *arena,
			      struct addresses *ret);

/* An IPv4 address in the host's byte order, permanent, with the broadcast address of its subnet. */
void address_make(struct address *ret, uint32_t address, unsigned prefix);

/* Is it one that goes with a device into a container (S-147)? */
bool address_moves(const struct address *a);

/* Is it one that the kernel makes itself, and makes again? */
bool address_is_kernels(const struct address *a);

/*
 * Gives it to a device that was called `before` when the address was read, and is `now`: its label
 * follows, as in a rename. -errno without a text.
 */
_must_check_ int address_add(struct netlink *nl, unsigned index, const struct address *a,
			     const char *before, const char *now);

/* "192.0.2.1/24", for people. */
#define ADDRESS_TEXT_SIZE 64
void address_print(const struct address *a, char ret[static ADDRESS_TEXT_SIZE]);

#endif
