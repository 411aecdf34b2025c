/*
 * What a container may not take from the others of its store, or share with them, while they are
 * alive, also without a hull: their cgroups, and the directories that their overlays write to.
 */
#ifndef HULL_STATE_OTHERS_H
#define HULL_STATE_OTHERS_H

#include "state/state.h"

struct others_search {
	bool (*matches)(const struct state *other, const void *context);
	const void *context;
	const char *cgroup; /* only one in it, above it or below it can match; NULL: any */
};

/*
 * Looks for a container besides that of `entry` which matches and has a process that is alive. 1:
 * there is one, ret_id; 0: none. Who holds the lock of the thing in question misses nobody: a hull
 * releases it when its container is dead, or its process stands in the state.
 */
_must_check_ int others_find(const struct state_entry *entry, const struct others_search *search,
			     char ret_id[STATE_ID_SIZE], struct err *err);

/*
 * Notes the cgroup of `own`, which does not change any more, where a search sees it without reading
 * the whole state: with hundreds of containers each start would take twice as long. A state without
 * that note is read.
 */
_must_check_ int others_note_cgroup(const struct state_entry *entry, const struct state *own,
				    struct err *err);

/* The same: one in the cgroup of `own`, in one above it or in one below it. */
_must_check_ int others_find_in_cgroup(const struct state_entry *entry, const struct state *own,
				       char ret_id[STATE_ID_SIZE], struct err *err);

/* Is it `top`, or below that? Both in normal form. */
bool others_is_within(const char *cgroup, const char *top);

/*
 * For who ends a container: 1: its cgroup, open at `fd`, may be full of other people's processes:
 * the container has none of its own any more, and it existed before, or another container is in it,
 * above or below. 0: it is its own, and *ret_lock keeps out later ones, where it must.
 */
_must_check_ int others_hold_cgroup(const struct state_entry *entry, const struct state *state,
				    int fd, int *ret_lock, struct err *err);

#endif
