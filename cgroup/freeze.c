/*
 * The freezer, a part of cgroup v2 itself that needs no controller: `hull pause` and `resume`, with
 * write access to the cgroup. The kernel stops processes one by one, so that waiting is for its
 * word, by events with a deadline. A frozen process can still be killed.
 */
#include "cgroup/freeze.h"

#include "base/clock.h"
#include "base/fd.h"
#include "cgroup/path.h"

static int gone(struct err *err)
{
	return err_say(err, ERR_NOT_FOUND, ENOENT, "the cgroup of the container is gone");
}

/* Half frozen is the worst of all states: the container would hang without being paused. */
static int take_back(int fd, int r, struct err *err)
{
	if (fd_write_value(fd, "cgroup.freeze", "0") < 0)
		err_hint(err, "and it may be stopped in part: hull resume lets it go on");
	return r;
}

static int freeze_timed_out(int fd, int timeout_ms, struct err *err)
{
	err_say(err, ERR_BUSY, ETIMEDOUT,
		"processes of the container did not stop within %d ms; it goes on", timeout_ms);
	err_hint(err, "they wait inside the kernel (state D), often for a disk or NFS");
	return take_back(fd, -ETIMEDOUT, err);
}

int cgroup_freeze(int fd, int timeout_ms, struct err *err)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int r = fd_write_value(fd, "cgroup.freeze", "1");
	if (r == -ENOENT || r == -ENODEV)
		return gone(err);
	if (r < 0)
		return err_sys(err, -r, "cannot freeze the container's cgroup");
	r = path_wait_event(fd, "frozen", 1, deadline);
	if (r == -ENOENT || r == -ENODEV)
		return gone(err);
	if (r == -ETIMEDOUT)
		return freeze_timed_out(fd, timeout_ms, err);
	if (r < 0)
		return take_back(fd, err_sys(err, -r, "cannot wait for the container to stop"),
				 err);
	return 0;
}

/* Thawing needs nobody's help: what is still frozen then is so by a cgroup above. */
int cgroup_thaw(int fd, int timeout_ms, struct err *err)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int r = fd_write_value(fd, "cgroup.freeze", "0");
	if (r == -ENOENT || r == -ENODEV)
		return gone(err);
	if (r < 0)
		return err_sys(err, -r, "cannot thaw the container's cgroup");
	r = path_wait_event(fd, "frozen", 0, deadline);
	if (r == -ENOENT || r == -ENODEV)
		return gone(err);
	if (r == -ETIMEDOUT)
		return err_say(err, ERR_BUSY, EBUSY,
			       "the container stays frozen by a cgroup above its own");
	return r < 0 ? err_sys(err, -r, "cannot wait for the container to go on") : 0;
}
