/* Inside of cgroup/: delegation by a list that is elsewhere than the kernel's, for tests. */
#ifndef HULL_CGROUP_DELEGATE_H
#define HULL_CGROUP_DELEGATE_H

#include "cgroup/cgroup.h"

/*
 * As cgroup_delegate(), with the list in the file `delegate` of the directory `list_dir` (-EBADF:
 * there is none).
 */
_must_check_ int delegate_by_list(int fd, int list_dir, uint32_t uid, struct err *err);

#endif
