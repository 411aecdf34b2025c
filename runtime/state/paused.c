/*
 * A container that is paused: its first process is there, and its cgroup is frozen. Asked by the
 * commands that show a status to people and engines, and by `start`, to refuse at once.
 */
#include "base/fd.h"
#include "cgroup/cgroup.h"
#include "cgroup/enter.h"
#include "state/state.h"

static bool is_frozen(const char *path)
{
	_cleanup_close_ int fd = -EBADF;
	return path && cgroup_find(path, &fd, NULL) == 0 && cgroup_is_frozen(fd);
}

enum state_status state_status_shown(const struct state *state, int *ret_pidfd)
{
	enum state_status status = state_status_now(state, ret_pidfd);
	bool is_there = status == STATE_CREATED || status == STATE_RUNNING;
	return is_there && is_frozen(state->cgroup) ? STATE_PAUSED : status;
}
