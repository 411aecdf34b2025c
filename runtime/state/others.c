/*
 * Parent, and commands that destroy: which other containers of the store are still alive. A lock
 * ends with the hull that holds it, but a container that hull leaves goes on with what it has; so
 * its state is asked, which outlives hull. With the caller's rights.
 */
#include "state/others.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/cgroup.h"

bool others_is_within(const char *cgroup, const char *top)
{
	size_t n = strlen(top);
	return strncmp(cgroup, top, n) == 0 && (cgroup[n] == '/' || cgroup[n] == '\0');
}

/* The same cgroup, or one of them is above the other. */
static bool is_around(const char *a, const char *b)
{
	return others_is_within(a, b) || others_is_within(b, a);
}

/* What has no process yet has its hull, and that the locks. */
static bool is_alive(const struct state *state)
{
	return state->pid != 0 && state_status_now(state, NULL) != STATE_STOPPED;
}

/* 1: it is one that is looked for. A broken state counts for what could be read of it. */
static int look_at(const struct state_store *store, const char *id,
		   const struct others_search *search, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	struct state state;
	struct err why;

	arena_init(&arena);
	int r = state_read(store, id, &arena, &state, &why);
	if (r == 0 || r == -EUCLEAN)
		r = search->matches(&state, search->context) && is_alive(&state);
	else if (r == -ENOENT)
		r = 0;
	else if (err)
		*err = why;
	arena_wipe(&arena); /* the memory becomes that of a container's process */
	return r;
}

int others_note_cgroup(const struct state_entry *entry, const struct state *own, struct err *err)
{
	if (symlinkat(own->cgroup, entry->fd, STATE_CGROUP_LINK) == 0)
		return 0;
	/* None is as good, a wrong one is not. */
	if (unlinkat(entry->fd, STATE_CGROUP_LINK, 0) == 0 || errno == ENOENT)
		return 0;
	return err_sys(err, errno, "cannot note the cgroup of container '%s'", own->id);
}

/* By its note: what is looked for cannot be this one. */
static bool is_elsewhere(const struct state_store *store, const char *id, const char *cgroup)
{
	char link[STATE_ID_SIZE + sizeof(STATE_CGROUP_LINK)], text[PATH_MAX];

	if (!cgroup)
		return false;
	snprintf(link, sizeof(link), "%s/" STATE_CGROUP_LINK, id);
	ssize_t n = readlinkat(store->fd, link, text, sizeof(text));
	if (n <= 0 || n == sizeof(text))
		return false;
	text[n] = '\0';
	return !is_around(cgroup, text);
}

int others_find(const struct state_entry *entry, const struct others_search *search,
		char ret_id[STATE_ID_SIZE], struct err *err)
{
	const struct state_store store = { .path = "of this container", .fd = entry->store_fd };
	_cleanup_arena_ struct arena arena;
	struct state_ids ids;

	arena_init(&arena);
	int r = state_list(&store, &arena, &ids, err);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		if (strcmp(ids.v[i], entry->id) == 0 ||
		    is_elsewhere(&store, ids.v[i], search->cgroup))
			continue;
		r = look_at(&store, ids.v[i], search, err);
		if (r > 0)
			snprintf(ret_id, STATE_ID_SIZE, "%s", ids.v[i]);
	}
	arena_wipe(&arena);
	return r;
}

static bool shares_cgroup(const struct state *other, const void *context)
{
	const struct state *own = context;
	return own->cgroup && other->cgroup && is_around(own->cgroup, other->cgroup);
}

int others_find_in_cgroup(const struct state_entry *entry, const struct state *own,
			  char ret_id[STATE_ID_SIZE], struct err *err)
{
	const struct others_search search = {
		.matches = shares_cgroup,
		.context = own,
		.cgroup = own->cgroup,
	};
	return others_find(entry, &search, ret_id, err);
}

/*
 * Only a container that had a process had found it empty; and when that one is gone and somebody
 * holds the cgroup all the same, it is a later container's, or its own hull is just about to empty
 * it. A later one that its hull has left holds nothing, but its state says where it is; that is
 * asked under the lock, so that nobody comes meanwhile.
 */
int others_hold_cgroup(const struct state_entry *entry, const struct state *state, int fd,
		       int *ret_lock, struct err *err)
{
	char id[STATE_ID_SIZE];
	bool existed = state_cgroup_existed(state);
	if (existed && state->pid == 0)
		return 1;
	if (state->pid != 0 && state->status != STATE_STOPPED)
		return 0;
	if (cgroup_lock(fd, state->cgroup, ret_lock, NULL) == -EBUSY && existed)
		return 1;
	return others_find_in_cgroup(entry, state, id, err);
}
