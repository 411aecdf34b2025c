/* What the files of this room share: the parts of the state file that are written elsewhere. */
#ifndef HULL_STATE_PARTS_H
#define HULL_STATE_PARTS_H

#include "base/json.h"
#include "state/state.h"

#define STATE_HOOKS_FILE "hooks.lock"
#define STATE_KILL_FILE  "killed"

/* The members that others read too, but the pid. */
void state_put_identity(struct json_out *o, const struct state *state, enum state_status status,
			const char *owner);

/* The hooks of one kind, which is the key. */
void state_put_hooks(struct json_out *o, const char *kind, const struct spec_hook_list *hooks);
/* NULL when there are none; when they are broken *ret_problem says so. */
const struct spec_hook_list *state_get_hooks(const struct json *root, const char *kind,
					     struct arena *arena, const char **ret_problem);

#endif
