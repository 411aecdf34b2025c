/*
 * Parent: the container's class of service (S-186 to S-194), by resctrl.c. It is made in stage 1,
 * with the state saying before what will be; the process is put into it in stage 7, when it will be
 * no other one any more and has made none that stays; exec does that last part alone. In stage 9 it
 * goes again: the container's own always, one that closID names only when the start has failed and
 * nobody else is in it.
 */
#include "start/steps.h"

#include <sys/stat.h>

#include "base/fd.h"
#include "start/resctrl.h"

#define RDT_TRIES 8 /* for a class that others make and remove meanwhile */

/* Each failure is about the object as a whole, since the kernel does not say which part it means.
 */
static int located(const struct start *s, int r, struct err *err)
{
	if (r < 0)
		err_at(err, s->plan->rdt.at);
	return r;
}

static int write_owned(struct start *s, bool owned, struct err *err)
{
	if (s->state.rdt_is_owned == owned)
		return 0;
	s->state.rdt_is_owned = owned;
	return state_write(&s->entry, &s->state, err);
}

/* Which one it is: while the state does not say so, delete removes only one that nobody is in. */
static int note_class(struct start *s, int class, struct err *err)
{
	struct stat st;
	if (fstat(class, &st) < 0)
		return err_sys(err, errno, "cannot examine the class of service '%s'",
			       s->state.rdt_class);
	s->state.rdt_ino = st.st_ino;
	return state_write(&s->entry, &s->state, err);
}

/* -EAGAIN: somebody has made or removed it since we have looked. */
static int try_class(struct start *s, int root, int *ret_class, struct err *err)
{
	const struct plan_rdt *rdt = &s->plan->rdt;

	int there = resctrl_has_class(root, rdt->class, err);
	if (there < 0)
		return there;
	s->state.rdt_class = rdt->class;
	int r = write_owned(s, !there, err);
	if (r < 0)
		return r;
	if (there)
		return resctrl_join(root, rdt, ret_class, err);
	r = resctrl_make(root, rdt, &s->rdt_made, ret_class, err);
	if (r == 0)
		return note_class(s, *ret_class, err);
	/* The first failure is the one to tell of. */
	int written = write_owned(s, s->rdt_made, r == -EAGAIN ? err : NULL);
	return r == -EAGAIN && written < 0 ? written : r;
}

static int make_class(struct start *s, int root, int *ret_class, struct err *err)
{
	int r = -EAGAIN;
	for (int i = 0; r == -EAGAIN && i < RDT_TRIES; i++)
		r = try_class(s, root, ret_class, err);
	return r == -EAGAIN ? err_say(err, ERR_BUSY, EAGAIN,
				      "others make and remove the class of service '%s' again and "
				      "again",
				      s->plan->rdt.class)
			    : r;
}

static int make_group(struct start *s, int class, struct err *err)
{
	if (!s->plan->rdt.is_monitored)
		return 0;
	s->state.rdt_is_monitored = !resctrl_has_group(class, s->plan->id);
	int r = s->state.rdt_is_monitored ? state_write(&s->entry, &s->state, err) : 0;
	if (r == 0)
		r = resctrl_monitor(class, s->plan->id, err);
	if (r < 0) /* one that is there is somebody else's */
		s->state.rdt_is_monitored = false;
	return r;
}

int rdt_prepare(struct start *s, struct err *err)
{
	const struct plan_rdt *rdt = &s->plan->rdt;
	_cleanup_close_ int root = -EBADF, class = -EBADF;

	if (!rdt->class)
		return 0;
	int r = resctrl_open(&root, err);
	if (r == 0)
		r = make_class(s, root, &class, err);
	if (r == 0)
		r = resctrl_configure(root, class, rdt, s->rdt_made, err);
	if (r == 0)
		r = make_group(s, class, err);
	return located(s, r, err);
}

static int assign(const struct start *s, struct err *err)
{
	const struct plan_rdt *rdt = &s->plan->rdt;
	_cleanup_close_ int root = -EBADF, class = -EBADF;

	int r = resctrl_open(&root, err);
	if (r == 0)
		r = resctrl_open_class(root, rdt->class, &class, err);
	return r < 0 ? r
		     : resctrl_assign(class, rdt->is_monitored ? s->plan->id : NULL, s->pid, err);
}

/* A child that is dead has left its reason in the page: supervise() finds it. */
int rdt_assign(struct start *s, struct err *err)
{
	if (!s->plan->rdt.class)
		return 0;
	int r = assign(s, err);
	if (r != -ESRCH)
		return located(s, r, err);
	err_clear(err);
	return 0;
}

void rdt_give_away(struct start *s)
{
	if (s->plan->rdt.is_named)
		s->state.rdt_is_owned = false;
}

int rdt_remove(struct start *s, const struct start_result *result, struct err *err)
{
	const struct resctrl_left left = {
		.class = s->state.rdt_class,
		.id = s->plan->id,
		.is_owned = s->rdt_made && (!s->plan->rdt.is_named || !result->started),
		.is_named = s->plan->rdt.is_named,
		.is_monitored = s->state.rdt_is_monitored,
		.ino = s->state.rdt_ino,
	};
	int r = resctrl_clean(&left, err);
	/* The state, which stays then, must lead to it. */
	if (r < 0)
		(void)!write_owned(s, left.is_owned, NULL);
	return r;
}
