/*
 * hull's own executable, out of reach of a container. While a container is
 * started, its processes may come to see one of hull's, and through /proc/PID/exe its file, which
 * they could overwrite as soon as nobody executes it any more (CVE-2019-5736). So hull executes
 * itself once more from something that cannot be written, before it does anything else.
 */
#ifndef HULL_SEAL_SEAL_H
#define HULL_SEAL_SEAL_H

#include "base/err.h"

/* For the two that seal, seal.c and entry.c. */
#define SEAL_SELF       "/proc/self/exe"
#define SEAL_TRIED      "HULL_SEAL_TRIED"
#define SEAL_ATTRIBUTES (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/*
 * The commands that entry.c seals for (main.c: those with `seals`), each with its end. One that is
 * missing is sealed a little later; a test compares the two.
 */
#define SEAL_COMMANDS "run\0create\0exec\0"

/*
 * 0 when this process is executed from a sealed file. Otherwise it executes itself from one, with
 * the same arguments, environment and descriptors, and does not return; or -errno with the error
 * filled, when neither a read-only mount of its own nor a sealed copy can be had. The caller's
 * descriptors 0 to 2 must be open.
 */
_must_check_ int seal_self(char **argv, struct err *err);

#endif
