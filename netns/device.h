/*
 * Devices of the host that go into a container (S-144 to S-150): moved, renamed, with their
 * addresses, set up; and back again when the start fails. Parent, with CAP_NET_ADMIN over both
 * network namespaces.
 */
#ifndef HULL_NETNS_DEVICE_H
#define HULL_NETNS_DEVICE_H

#include "base/arena.h"
#include "netns/address.h"
#include "netns/link.h"
#include "netns/route.h"

/* Two network namespaces, each with a socket in it. */
struct netns_pair {
	int host_fd, container_fd; /* the namespaces */
	struct netlink host, container;
};
void netns_pair_init(struct netns_pair *p);
/* Opens the rest of it; `container_fd` is there. EPERM, with a text: both are the same. */
_must_check_ int netns_pair_open(struct netns_pair *p, struct err *err);
void netns_pair_done(struct netns_pair *p);

struct netns_device {
	struct link link;           /* as it was */
	struct addresses addresses; /* all that it had */
	struct routes routes;       /* by it, on the host */
	unsigned new_index;         /* in the container */
	bool is_moved;
};

/* Is there such a device of the host? */
_must_check_ int netns_device_find(struct netlink *host, const char *name, struct link *ret,
				   struct err *err);

/*
 * Looks at the host's device `name`, and chooses a number for it in the container: all that is
 * needed to bring it back is known before it is moved.
 */
_must_check_ int netns_device_read(struct netns_pair *p, const char *name, struct arena *arena,
				   struct netns_device *ret, struct err *err);

/*
 * Moves it and calls it `as` there; NULL: as before. It is to be given to netns_device_return()
 * also after a failure, as long as the pair is open. EBUSY: its number is taken by now; read again.
 */
_must_check_ int netns_device_move(struct netns_pair *p, struct netns_device *device,
				   const char *as, struct err *err);

/* Has it been moved, and is it still there? For who only knows what was read. */
bool netns_device_is_away(struct netns_pair *p, const struct netns_device *device);

/* Undoes it: name, addresses, routes, the bridge that it was a port of, and whether it was up. */
_must_check_ int netns_device_return(struct netns_pair *p, struct netns_device *device,
				     struct err *err);

#endif
