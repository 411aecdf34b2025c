/*
 * Layers of an overlay whose files belong to the host's root and users, as images are unpacked,
 * shown with the ids of a container's user namespace. In the stage (stage.c) only.
 */
#ifndef HULL_START_SHIFT_H
#define HULL_START_SHIFT_H

#include "start/start.h"

/*
 * An id-mapped clone of the directory, attached below the stage's tmpfs: its descriptor. -EALREADY:
 * the directory already belongs to somebody of the container; -EOPNOTSUPP: its file system cannot.
 * Then it is used as it is. Any other -errno has the error filled.
 */
_must_check_ int shift_clone(struct start *s, const char *path, struct err *err);

#endif
