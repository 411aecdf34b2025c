/*
 * Mounts whose files are shown with other ids: those for which config.json wants it, and layers of
 * an overlay whose files belong to the host's root and users, as images are unpacked, with the ids
 * of a container's user namespace.
 */
#ifndef HULL_START_SHIFT_H
#define HULL_START_SHIFT_H

#include "start/start.h"

/*
 * Parent: gives the detached tree of a mount the map that the plan has for it, or does nothing. The
 * namespaces that this takes stay open until shift_close(). 0, or -errno.
 */
_must_check_ int shift_mount(struct start *s, const struct plan_mount *m, int tree,
			     struct err *err);
void shift_close(struct start *s);

/*
 * Stage: an id-mapped clone of the directory, attached below the stage's tmpfs: its descriptor.
 * -EALREADY: the directory already belongs to somebody of the container; -EOPNOTSUPP: its file
 * system cannot. Then it is used as it is. Any other -errno has the error filled.
 */
_must_check_ int shift_clone(struct start *s, const char *path, struct err *err);

#endif
