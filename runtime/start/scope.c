/*
 * Parent, stages 1 and 2, with --systemd-cgroup: the container's cgroup is that of a scope, which
 * systemd makes and ends. Until the child has been cloned into it an anchor of hull's keeps the
 * scope alive (cgroup/systemd.h); all limits are in force before, but that of processes, which must
 * not count the anchor. Should: leave no unit behind, whatever fails.
 */
#include "start/steps.h"

#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "cgroup/enter.h"
#include "cgroup/update.h"

#define UNDO_MS 2000 /* for taking back a scope; finish.c tries once more */

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

static int watch_signals(void *context, struct err *err)
{
	struct start *s = context;
	return start_read_signals(s, s->result, err);
}

static struct systemd_patience patience(struct start *s)
{
	return (struct systemd_patience) {
		.timeout_ms = state_time_left(&s->entry, STATE_BY_START),
		.watch_fd = s->signal_fd,
		.watch = watch_signals,
		.context = s,
	};
}

int scope_make(struct start *s, struct cgroup *ret, struct err *err)
{
	const struct systemd_making making = {
		.root = &s->cgroup_root,
		.scope = &s->plan->scope,
		.plan = &s->plan->cgroup,
		.patience = patience(s),
		.undo_ms = UNDO_MS,
	};
	return systemd_start(&making, ret, &s->anchor, err);
}

int scope_make_room(struct start *s, struct err *err)
{
	return s->anchor.pid > 0 ? cgroup_lift_pids(s->cgroup_fd, &s->plan->cgroup, err) : 0;
}

/* Has systemd move it, and believes what the kernel says of it: the container's process may begin
 * only within its limits. */
static int move(struct start *s, const char *below, struct err *err)
{
	char found[PATH_MAX];
	const struct systemd_patience until = patience(s);
	int r = systemd_attach(s->state.unit, below, s->pid, &until, err);
	return r < 0 ? r : cgroup_find_process(s->state.cgroup, s->pid, found, sizeof(found), err);
}

/* Hull got a signal, has waited long enough, or the process is gone: that is no refusal. */
static bool is_over(int failed)
{
	return failed == -EINTR || failed == -ETIMEDOUT || failed == -ECHILD;
}

/* One more process of a container goes where the first one is, when it could not go to the scope's
 * own cgroup: as in join.c, but systemd does not tell why it could not. The first error stays. */
static int move_to_first(struct start *s, int failed, struct err *err)
{
	char first[PATH_MAX];
	struct err again = { 0 };
	if (is_over(failed) || s->join.pid <= 0 ||
	    cgroup_find_process(s->state.cgroup, s->join.pid, first, sizeof(first), NULL) < 0 ||
	    !*first || move(s, first, &again) < 0)
		return failed;
	err_clear(err);
	return 0;
}

/* The child that waits for it is the user's, and nothing of it has begun. */
int scope_attach(struct start *s, const char *below, struct err *err)
{
	int r = 0;
	if (s->moved_fds[1] >= 0 && atomic_load(&s->channel.page->is_beside)) {
		r = move(s, below, err);
		if (r < 0 && !below)
			r = move_to_first(s, r, err);
		if (r == 0)
			(void)!send(s->moved_fds[1], "", 1, MSG_NOSIGNAL);
		else if (!is_over(r))
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
	const struct systemd_patience until = patience(s);
	int r = scope_attach(s, NULL, err);
	if (r == 0)
		r = systemd_wait_entered(s->cgroup_fd, s->pidfd, &until, err);
	systemd_release(&s->anchor);
	return r < 0 ? r : cgroup_limit_pids(s->cgroup_fd, &s->plan->cgroup, err);
}

int scope_end(struct start *s, enum state_by by, struct err *err)
{
	systemd_release(&s->anchor);
	if (!s->state.unit)
		return 0;
	const struct systemd_unit unit = { s->state.unit, s->state.unit_is_user,
					   s->plan->cgroup_path, s->cgroup_fd };
	return systemd_stop(&unit, state_time_left(&s->entry, by), err);
}
