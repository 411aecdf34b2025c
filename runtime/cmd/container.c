/*
 * What the commands on an existing container have in common: finding it by its name, or several by
 * a regular expression, its state, and its cgroup. With the caller's rights.
 */
#include "cmd/container.h"

#include <regex.h>
#include <string.h>

#include "base/fd.h"
#include "cgroup/enter.h"

int container_open_store(struct cmd *cmd, const char *id, struct state_store *ret, struct err *err)
{
	int r = cmd_open_store(cmd, STATE_STORE_EXISTING, ret, err);
	return r == -ENOENT ? state_no_such(id, err) : r;
}

int container_open(struct cmd *cmd, const char *id, enum container_flags flags,
		   struct container *ret, struct err *err)
{
	*ret = (struct container) { .store.fd = -EBADF, .entry.fd = -EBADF };
	int r = state_check_id(id, err);
	if (r == 0)
		r = container_open_store(cmd, id, &ret->store, err);
	if (r == 0 && flags == CONTAINER_LOCK)
		r = state_lock(&ret->store, id, &ret->entry, err);
	if (r == 0)
		r = (flags == CONTAINER_LOCK ? state_read : state_read_settled)(
			&ret->store, id, &cmd->arena, &ret->state, err);
	if (r == 0)
		ret->state.status = state_status_now(&ret->state, NULL);
	return r;
}

void container_done(struct container *c)
{
	state_entry_close(&c->entry);
	state_store_close(&c->store);
}

int container_open_cgroup(const struct container *c, int *ret_fd, struct err *err)
{
	if (!c->state.cgroup) {
		err_say(err, ERR_HOST, ENOENT, "container '%s' has no cgroup of its own",
			c->state.id);
		err_hint(err,
			 "without privilege hull needs a cgroup that is delegated to the user, "
			 "and a limit or a cgroupsPath in config.json that asks for one");
		return -ENOENT;
	}
	int r = cgroup_find(c->state.cgroup, ret_fd, err);
	return r == -ENODEV ? -ENOENT : r;
}

int container_not_running(const char *id, struct err *err)
{
	err_say(err, ERR_CONFIG, ESRCH, "container not running: '%s'", id);
	err_hint(err, "hull state %s tells what it is", id);
	return -ESRCH;
}

/* ---- several ---- */

static int compile(const char *pattern, regex_t *ret, struct err *err)
{
	char why[128];
	int r = regcomp(ret, pattern, REG_EXTENDED | REG_NOSUB);
	if (r == 0)
		return 0;
	regerror(r, ret, why, sizeof(why));
	return err_say(err, ERR_CONFIG, EINVAL, "'%s' is not a regular expression: %s", pattern,
		       why);
}

/* The ids that match; a store that does not exist yet has none. */
static int find_matching(struct cmd *cmd, const char *pattern, struct state_ids *ret,
			 struct err *err)
{
	struct state_store store;
	struct state_ids all = { 0 };
	regex_t regex;

	*ret = (struct state_ids) { 0 };
	int r = compile(pattern, &regex, err);
	if (r < 0)
		return r;
	r = cmd_open_store(cmd, STATE_STORE_EXISTING, &store, err);
	if (r == 0) {
		r = state_list(&store, &cmd->arena, &all, err);
		state_store_close(&store);
	}
	ret->v = arena_array(&cmd->arena, all.n, sizeof(*ret->v));
	for (size_t i = 0; i < all.n; i++)
		if (regexec(&regex, all.v[i], 0, NULL, 0) == 0)
			ret->v[ret->n++] = all.v[i];
	regfree(&regex);
	return r == -ENOENT ? 0 : r;
}

int container_each(struct cmd *cmd, const char *name, bool is_regex,
		   int (*act)(struct cmd *cmd, const char *id, void *context, struct err *err),
		   void *context, struct err *err)
{
	struct state_ids ids;
	int failure = 0;

	if (!is_regex)
		return act(cmd, name, context, err);
	int r = find_matching(cmd, name, &ids, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ids.n; i++) {
		struct err one = { 0 };
		r = act(cmd, ids.v[i], context, &one);
		if (r >= 0)
			continue;
		if (failure < 0)
			cmd_report_warning(cmd, err);
		failure = r;
		*err = one;
	}
	return failure;
}
