/*
 * Which container has which address on which bridge: one file for all containers of a store, in a
 * directory whose lock (flock) is held from reading to writing. What is going to be made stands in
 * it before it is made, so that whoever comes after a hull that was killed can remove it.
 *
 * An address belongs to a bridge, and a bridge to a network namespace, known by its inode: hulls
 * in different ones may share a store.
 */
#ifndef HULL_STATE_LEASES_H
#define HULL_STATE_LEASES_H

#include "state/state.h"

struct lease_bridge {
	const char *name;
	uint64_t netns;
	uint32_t gateway; /* in the host's byte order */
	unsigned prefix;
	bool is_made; /* by hull, which removes it with the last lease */
};
struct lease {
	const char *bridge;
	uint64_t netns;
	uint32_t address;
	const char *id;
};
struct leases {
	int fd; /* holds the lock; -EBADF: there are none, and nothing can be written */
	struct arena arena;
	struct lease_bridge *bridges;
	size_t bridges_n;
	struct lease *v;
	size_t n;
};

enum leases_flags { LEASES_EXISTING, LEASES_CREATE };

/* Locks and reads them; with LEASES_EXISTING it is no error that there never were any. */
_must_check_ int leases_open(int store_fd, enum leases_flags flags, int timeout_ms,
			     struct leases *ret, struct err *err);
/*
 * May there be one of this id? Without the lock, for who holds that of its state, without which
 * none is made for it: so what has no bridge depends neither on the lock nor on what else is in the
 * file.
 */
bool leases_may_have(int store_fd, const char *id);
_must_check_ int leases_write(const struct leases *l, struct err *err);
/* Wipes what was read, and gives up the lock. */
void leases_close(struct leases *l);

struct lease_bridge *leases_find_bridge(const struct leases *l, const char *name, uint64_t netns);
bool leases_use_bridge(const struct leases *l, const struct lease_bridge *bridge);
/* Has another container the same address, by the same cable? */
bool leases_share(const struct leases *l, const struct lease *lease);

/* May no bridge be added any more? */
bool leases_are_full(const struct leases *l);
/* ENOSPC, without a text: no more fit. Strings are copied. */
_must_check_ int leases_add_bridge(struct leases *l, const struct lease_bridge *bridge);
_must_check_ int leases_add(struct leases *l, const struct lease *lease);
void leases_remove_bridge(struct leases *l, struct lease_bridge *bridge);
void leases_remove(struct leases *l, struct lease *lease);

/* The first address of the bridge's subnet that nobody has, behind `after` (0: of all); 0: none. */
uint32_t leases_free_address(const struct leases *l, const struct lease_bridge *bridge,
			     uint32_t after);

/* For tests, and for leases_open(): fills all but the descriptor. */
_must_check_ int leases_parse(const char *text, struct leases *ret, struct err *err);

#endif
