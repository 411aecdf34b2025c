/*
 * hull update: shares of caches and memory bandwidth of the class of service that the container
 * has of its own. With the caller's rights.
 * Must not: change a class that others may be in; leave it changed when the update fails.
 */
#include "cmd/update_class.h"

#include "base/fd.h"
#include "start/resctrl.h"

static int check_owned(const struct state *state, struct err *err)
{
	if (state->rdt_class && state->rdt_is_owned)
		return 0;
	if (state->rdt_class) {
		err_say(err, ERR_BUSY, EPERM,
			"the class of service '%s' is not the container's own", state->rdt_class);
		err_hint(err, "others may be in it; to change it for all of them write to its "
			      "'schemata' below /sys/fs/resctrl");
		return -EPERM;
	}
	err_say(err, ERR_NOT_FOUND, ENOENT, "container '%s' has no class of service", state->id);
	err_hint(err, "it has one when its config.json has linux.intelRdt without a closID");
	return -ENOENT;
}

int update_class_write(struct update_class *ret, const struct state *state, const char *text,
		       struct arena *arena, struct err *err)
{
	*ret = (struct update_class) { .root = -EBADF, .name = state->rdt_class };
	if (!text)
		return 0;
	int r = check_owned(state, err);
	if (r == 0)
		r = resctrl_open(&ret->root, err);
	return r < 0 ? r : resctrl_change(ret->root, ret->name, text, arena, &ret->old, err);
}

void update_class_undo(const struct update_class *class, struct err *err)
{
	if (class->old && resctrl_change_back(class->root, class->name, class->old, NULL) < 0)
		err_hint(err, "the schemata of the class of service '%s' could not be put back",
			 class->name);
}
