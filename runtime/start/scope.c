/*
 * Parent, stages 1 and 2, with --systemd-cgroup: the container's cgroup is that of a scope, which
 * systemd makes and ends. Until the child has been cloned into it an anchor of hull's keeps the
 * scope alive (cgroup/systemd.h); all limits are in force before, but that of processes, which must
 * not count the anchor. Should: leave no unit behind, whatever fails.
 */
#include "start/steps.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "cgroup/enter.h"
#include "cgroup/left.h"

#define PIDS_FILE "pids.max"

/*
 * Before the state claims the unit: whoever deletes what this start leaves must find nothing else
 * under that name. Slices are systemd's to remove.
 */
int scope_check(const struct start *s, struct err *err)
{
	if (!s->plan->scope.unit || s->state.cgroup_kept < strlen(s->plan->cgroup_path))
		return 0;
	int r = err_say(err, ERR_BUSY, EBUSY,
			"systemd has a unit '%s' already, with the cgroup '%s'",
			s->plan->scope.unit, s->plan->cgroup_path);
	err_hint(err, "choose another cgroupsPath, or delete the container that it is of");
	err_at(err, s->plan->spec->linux.cgroups_path.at);
	return r;
}

int scope_make(struct start *s, struct cgroup *ret, struct err *err)
{
	int r = systemd_start(&s->cgroup_root, &s->plan->scope, &s->plan->cgroup, ret, &s->anchor,
			      err);
	if (r < 0 && err && !err->at)
		err_at(err, s->plan->spec->linux.cgroups_path.at);
	return r;
}

/* The last write counts, as it does when all are made. */
static const struct cgroup_write *pids_limit(const struct start *s)
{
	const struct cgroup_plan *plan = &s->plan->cgroup;
	for (size_t i = plan->writes_n; i > 0; i--)
		if (strcmp(plan->writes[i - 1].file, PIDS_FILE) == 0)
			return &plan->writes[i - 1];
	return NULL;
}

static int write_pids(const struct start *s, const char *value, struct err *err)
{
	const struct cgroup_write *limit = pids_limit(s);
	if (!limit)
		return 0;
	int r = fd_write_value(s->cgroup_fd, PIDS_FILE, value ? value : limit->value);
	if (r == 0)
		return 0;
	err_sys(err, -r, "cannot write to the cgroup's '" PIDS_FILE "'");
	err_at(err, limit->at);
	return r;
}

int scope_make_room(struct start *s, struct err *err)
{
	return s->anchor.pid > 0 ? write_pids(s, "max", err) : 0;
}

/* By what the kernel says: the container's process may begin only within its limits. */
static int check_moved(const struct start *s, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	return cgroup_open_of_process(s->cgroup_fd, s->state.cgroup, s->pid, &fd, err);
}

/* The child that waits for it is the user's, and nothing of it has begun. */
int scope_attach(struct start *s, const char *below, struct err *err)
{
	int r = 0;
	if (s->moved_fds[1] >= 0 && atomic_load(&s->channel.page->is_beside)) {
		r = systemd_attach(s->state.unit, below, s->pid, err);
		if (r == 0)
			r = check_moved(s, err);
		if (r == 0)
			(void)!send(s->moved_fds[1], "", 1, MSG_NOSIGNAL);
		else
			err_hint(err, "%s",
				 "systemd-run --user --scope hull ... starts it from where the "
				 "user's systemd needs no help");
	}
	born_done(s);
	return r;
}

int scope_settle(struct start *s, struct err *err)
{
	if (s->anchor.pid <= 0)
		return 0;
	int r = scope_attach(s, NULL, err);
	if (r == 0)
		r = systemd_wait_entered(s->cgroup_fd, s->pidfd, err);
	systemd_release(&s->anchor);
	return r < 0 ? r : write_pids(s, NULL, err);
}

static bool has_ended(const struct start *s)
{
	return s->cgroup_fd >= 0 && cgroup_is_removed(s->cgroup_fd);
}

int scope_end(struct start *s, struct err *err)
{
	systemd_release(&s->anchor);
	if (!s->state.unit)
		return 0;
	/* A scope whose cgroup is gone has ended, and the next of its name may be another's. */
	bool is_gone = has_ended(s);
	int r = systemd_stop(s->state.unit, s->state.unit_is_user,
			     is_gone ? NULL : s->plan->cgroup_path, err);
	if (r == 0 || !has_ended(s))
		return r;
	err_clear(err); /* by itself, with its last process: no bus is needed for that */
	return 0;
}
