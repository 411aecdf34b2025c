/*
 * Parent, stage 1: what a start needs before there is a process: the claim on the id, with a state
 * that says what is going to be made; the seccomp filter; the cgroup, with all limits in
 * force. State and cgroup outlive the process; finish.c removes them.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/enter.h"
#include "start/proc.h"
#include "start/tolerate.h"
#include "state/others.h"

/*
 * Where nothing in config.json needs a cgroup, a host without cgroup2 does well enough, and a
 * caller may lack the right to make one. Any other failure is one: the container must not lack the
 * cgroup by which it is ended and counted just because a call has failed.
 */
static bool may_lack(struct start *s, int code)
{
	if (s->plan->needs_cgroup)
		return false;
	if (s->cgroup_root.fd < 0 && tolerate_early(s, TOLERATE_NO_CGROUP2, code))
		return true;
	return s->plan->may_lack_cgroup && tolerate_early(s, TOLERATE_CGROUP, code);
}

/*
 * Who has the caller's number has all rights over his user namespaces, and so over who is in there,
 * be it without a capability; but not over memory that is not to be dumped (ptrace(2)). That of a
 * helper is hull's (ahead_user.c), or a copy of it (shift.c), as the child's is at first. R-001.
 */
int prepare_hide(struct start *s, struct err *err)
{
	const struct plan_user *user = &s->plan->user;
	bool is_inside = user->is_new || s->plan->shifts_n > 0;
	return user->is_privileged && is_inside ? isolate_hide(err) : 0;
}

/* What is there before us will not be ours to remove, whenever hull dies from here on (S-040). */
static int find_cgroup(struct start *s, struct err *err)
{
	if (s->plan->flags & PLAN_NO_CGROUP) {
		s->state.cgroup = NULL;
		return 0;
	}
	int r = cgroup_root_open(&s->cgroup_root, err);
	if (r == 0)
		r = cgroup_find_kept(&s->cgroup_root, s->plan->cgroup_path, &s->state.cgroup_kept,
				     err);
	if (r == 0)
		r = scope_check(s, err);
	if (r == 0 && s->plan->scope.unit) /* its slices are systemd's to remove */
		s->state.cgroup_kept = (size_t)(strrchr(s->plan->cgroup_path, '/') -
						s->plan->cgroup_path);
	if (r == 0)
		return 0;
	bool lacks = may_lack(s, -r);
	cgroup_root_close(&s->cgroup_root);
	if (lacks) {
		s->state.cgroup = NULL;
		err_clear(err);
		return 0;
	}
	err_step(err, "cgroup");
	return r;
}

int prepare_check(struct start *s, struct err *err)
{
	int r = proc_check_own(err);
	return r < 0 ? r : find_cgroup(s, err);
}

int prepare_claim(struct start *s, struct err *err)
{
	int r = state_claim(s->store, s->plan->id, &s->entry, err);
	if (r < 0)
		return r;
	s->state.status = STATE_CREATING;
	r = state_write(&s->entry, &s->state, err);
	return r < 0 ? r : state_write_config(&s->entry, &s->plan->spec->doc, err);
}

int prepare_filter(struct start *s, struct err *err)
{
	const struct spec_seccomp *seccomp = &s->plan->spec->linux.seccomp;
	if (!seccomp->at)
		return 0;
	_cleanup_close_ int cache = state_open_cache(s->store);
	int r = seccomp_prepare(seccomp, cache, s->arena, &s->filter, err);
	if (r == 0 && s->plan->listener.is_wanted)
		seccomp_split(&s->filter, s->arena, &s->listener.parts);
	if (r == 0 && s->filter.has_unknown)
		seccomp_check(seccomp, s->arena, s->problems);
	return r;
}

/* Others may have made or removed parents of the cgroup since the intent was written. */
static int record_kept(struct start *s, size_t kept, struct err *err)
{
	if (kept == s->state.cgroup_kept)
		return 0;
	s->state.cgroup_kept = kept;
	return state_write(&s->entry, &s->state, err);
}

/* May processes be moved from where the caller is into a cgroup below it? Or why not. */
static int may_enter(int cgroup_fd)
{
	return faccessat(cgroup_fd, "../cgroup.procs", W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* Nobody asked for one, and this caller may have none. */
static int do_without(struct start *s, struct err *err)
{
	cgroup_root_close(&s->cgroup_root);
	s->state.cgroup = NULL;
	err_clear(err);
	return state_write(&s->entry, &s->state, err);
}

/* finish.c tries to remove it once more, and keeps the state when that fails, too. */
static int note_left(struct start *s, size_t kept, int r)
{
	s->cgroup_left = true;
	s->state.cgroup_kept = kept;
	return r;
}

/* Takes the cgroup, which is no scope's, away again; whoever is in it has nothing to do with this
 * start. */
static int give_back(struct start *s, size_t kept, struct err *err)
{
	s->has_cgroup = false;
	fd_close(&s->cgroup_fd);
	fd_close(&s->cgroup_lock_fd);
	int r = cgroup_remove(&s->cgroup_root, s->plan->cgroup_path, kept,
			      state_time_left(&s->entry, STATE_BY_START), err);
	return r < 0 ? note_left(s, kept, r) : 0;
}

/* A container that hull is part of does not count: then it is meant so. */
static bool is_in_the_way(const struct state *other, const void *context)
{
	const char *path = context;
	return other->cgroup && others_is_within(path, other->cgroup) &&
	       !cgroup_has_caller(other->cgroup, strlen(other->cgroup));
}

/* By now, with the lock of ours: a container whose hull has left it holds none (S-155). */
static int check_others(struct start *s, const struct cgroup *made, struct err *err)
{
	const char *path = s->plan->cgroup_path;
	const struct others_search search = {
		.matches = is_in_the_way,
		.context = path,
		.cgroup = path,
	};
	char id[STATE_ID_SIZE];
	if (!made->is_older)
		return 0;
	int r = others_find(&s->entry, &search, id, err);
	if (r > 0) {
		r = err_say(
			err, ERR_BUSY, EBUSY,
			"cannot use cgroup '%s': it is the cgroup of container '%s', or below it",
			path, id);
		err_hint(err, "choose another cgroupsPath or delete that container");
	}
	if (r < 0)
		(void)!give_back(s, made->kept, NULL);
	return r;
}

static int make_cgroup(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;
	struct cgroup made;
	if (s->cgroup_root.fd < 0)
		return 0;
	int r = plan->scope.unit ? scope_make(s, &made, err)
				 : cgroup_create(&s->cgroup_root, plan->cgroup_path, &plan->cgroup,
						 &made, err);
	if (r < 0 && made.is_left)
		return note_left(s, made.kept, r);
	if (r < 0 && may_lack(s, -r))
		return do_without(s, err);
	if (r < 0)
		return r;
	s->has_cgroup = true;
	s->cgroup_fd = made.fd;
	s->cgroup_lock_fd = made.lock_fd;
	int entered = plan->may_lack_cgroup ? may_enter(s->cgroup_fd) : 0;
	if (entered < 0) {
		if (!may_lack(s, -entered))
			return err_sys(err, -entered, "cannot examine the cgroup's parent");
		r = give_back(s, made.kept, err);
		return r < 0 ? r : do_without(s, err);
	}
	r = check_others(s, &made, err);
	if (r < 0)
		return r;
	r = record_kept(s, made.kept, err);
	if (r == 0)
		r = others_note_cgroup(&s->entry, &s->state, err);
	/* Of a container whose hull was killed; they would bind this one, too. */
	if (r == 0 && plan->cgroup_path[made.kept] == '\0')
		r = cgroup_device_detach(s->cgroup_fd, err);
	if (r == 0)
		r = cgroup_apply(s->cgroup_fd, &plan->cgroup, err);
	if (r == 0)
		r = scope_make_room(s, err);
	if (r == 0 && plan->delegates_cgroup)
		r = cgroup_delegate(s->cgroup_fd, plan->cgroup_owner, err);
	return r;
}

/* What is not about a limit, nor ours to hear, is about the cgroup's place: that is then what
 * config.json must change. */
int prepare_cgroup(struct start *s, struct err *err)
{
	int r = make_cgroup(s, err);
	if (r < 0 && !err->at && !s->result->stop_signal)
		err_at(err, s->plan->spec->linux.cgroups_path.at);
	return r;
}
