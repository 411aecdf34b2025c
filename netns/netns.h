/*
 * Network namespaces: what the child does in its own. The parent's part is in device.h and
 * bridge.h. Runs between clone and exec: it does not allocate.
 */
#ifndef HULL_NETNS_NETNS_H
#define HULL_NETNS_NETNS_H

#include "base/err.h"

/*
 * Brings the loopback interface of the caller's network namespace up; the kernel gives it
 * 127.0.0.1 and ::1 itself. Runs in the child, inside a namespace that hull made: an existing one
 * belongs to somebody else and is left as it is. Needs CAP_NET_ADMIN over the namespace.
 * 0, or -errno.
 */
_must_check_ int netns_loopback_up(struct err *err);

#endif
