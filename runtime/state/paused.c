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
	struct cgroup_root root;
	_cleanup_close_ int fd = -EBADF;

	if (!path || cgroup_root_open(&root, NULL) < 0)
		return false;
	int r = cgroup_open(&root, path, &fd, NULL);
	cgroup_root_close(&root);
	return r == 0 && cgroup_is_frozen(fd);
}

enum state_status state_status_shown(const struct state *state)
{
	enum state_status status = state_status_now(state);
	bool is_there = status == STATE_CREATED || status == STATE_RUNNING;
	return is_there && is_frozen(state->cgroup) ? STATE_PAUSED : status;
}
