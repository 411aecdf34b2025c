/*
 * The one resolver of paths below a root filesystem that somebody else wrote. The kernel walks the
 * path (openat2 with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS): symbolic links and ".." stay
 * inside, links of /proc that jump elsewhere are refused. What comes back is a descriptor, and
 * everything that follows is done to that descriptor, never to the path again.
 *
 * There is no fallback in user space: every supported kernel has openat2, and the fallbacks of
 * others had the bugs. Runs in the child between clone and exec: no allocation.
 *
 * Paths may be absolute or relative; both are taken from `rootfd`. Every descriptor is O_CLOEXEC
 * and the caller's to close. Missing parts are made one component at a time on the descriptor of
 * their parent: nothing can appear outside, whoever exchanges directories meanwhile. A dangling
 * link has what it points to made inside the root; ".." behind a part that is missing is refused.
 */
#ifndef HULL_BASE_INROOT_H
#define HULL_BASE_INROOT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Opens an existing file with the flags of open(2), most often O_PATH. The fd, or -errno. */
_must_check_ int inroot_open(int rootfd, const char *path, int flags, struct err *err);

/* The same for a path that may well be missing: the fd, or -errno without an error text. */
_must_check_ int inroot_try(int rootfd, const char *path, int flags);

/*
 * A directory, made with its parents where missing. Only directories that are made get `mode`
 * (under the caller's umask). An O_PATH fd, or -errno; ENOTDIR when something else is there.
 */
_must_check_ int inroot_mkdir(int rootfd, const char *path, mode_t mode, struct err *err);

/*
 * A place to mount a file on: what is there (anything but a directory; its last link is followed),
 * or an empty regular file made with `mode`, parents with 0755. An O_PATH fd, or -errno; EISDIR
 * when a directory is there.
 */
_must_check_ int inroot_create_file(int rootfd, const char *path, mode_t mode, struct err *err);

/*
 * The parent directory of `path`, made with 0755 where missing, and the last component, for the
 * *at() calls that make a node or a link there. An O_PATH fd, or -errno; EINVAL when the path ends
 * in "", "." or "..", ENAMETOOLONG when the component does not fit.
 */
_must_check_ int inroot_parent(int rootfd, const char *path, char *ret_name, size_t size,
			       struct err *err);

/* The id of the mount that `fd` lies on (statx, STX_MNT_ID). 0, or -errno without a text. */
_must_check_ int inroot_mount_id(int fd, uint64_t *ret);

#endif
