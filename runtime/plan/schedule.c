/*
 * Planning how the process is scheduled (S-107 to S-109, S-111): its policy, and the priority of
 * what it reads and writes. In a user namespace nobody may ask for more than everybody may, so that
 * where the caller has CAP_SYS_NICE over the host the parent does it, and else the process itself.
 * It is done when all is built and nothing is made any more but the program: a process that is
 * scheduled by deadlines can make no other one, and one that resets on fork would keep it for
 * itself. What of a start still makes a process then is refused here. Pure.
 */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sys/capability.h>

#include "plan/parts.h"

static enum plan_scheduler_setter setter(const struct planner *p)
{
	bool may = p->host->caps_permitted >> CAP_SYS_NICE & 1;
	return may && !p->host->in_user_namespace ? PLAN_SCHEDULED_BY_PARENT
						  : PLAN_SCHEDULED_BY_CHILD;
}

static int check_init(const struct planner *p, struct err *err)
{
	const struct plan_scheduler *s = &p->plan->process.scheduler;
	if (!(p->options->flags & PLAN_INIT))
		return 0;
	if (s->flags & SCHED_FLAG_RESET_ON_FORK)
		err_say(err, ERR_CONFIG, EINVAL,
			"with --init the program would be reset, too: it is a child of process 1");
	else if (s->policy == SCHED_DEADLINE)
		err_say(err, ERR_CONFIG, EINVAL,
			"with --init there can be no SCHED_DEADLINE: process 1 could not make the "
			"program");
	else
		return 0;
	err_hint(err, "without --init the program is process 1");
	err_at(err, s->at);
	return -EINVAL;
}

static int check_hooks(const struct planner *p, struct err *err)
{
	const struct plan_scheduler *s = &p->plan->process.scheduler;
	if (s->policy != SCHED_DEADLINE || (s->flags & SCHED_FLAG_RESET_ON_FORK) ||
	    (p->options->flags & PLAN_EXEC) || p->spec->hooks.start_container.n == 0)
		return 0;
	err_say(err, ERR_CONFIG, EINVAL,
		"a process with SCHED_DEADLINE cannot run the hooks startContainer");
	err_hint(err, "with SCHED_FLAG_RESET_ON_FORK in process.scheduler.flags it can, and the "
		      "hooks are then scheduled as usual");
	err_at(err, s->at);
	return -EINVAL;
}

static int plan_scheduler(const struct planner *p, struct err *err)
{
	const struct spec_scheduler *spec = &p->spec->process.scheduler;

	if (!spec->at)
		return 0;
	p->plan->process.scheduler = (struct plan_scheduler) {
		.setter = setter(p),
		.policy = (unsigned)spec->policy.v,
		.nice = (int)spec->nice.v,
		.priority = (unsigned)spec->priority.v,
		.flags = spec->flags,
		.runtime = spec->runtime.v,
		.deadline = spec->deadline.v,
		.period = spec->period.v,
		.at = spec->at,
	};
	int r = check_init(p, err);
	return r < 0 ? r : check_hooks(p, err);
}

int plan_make_scheduling(const struct planner *p, struct err *err)
{
	const struct spec_io_priority *io = &p->spec->process.io_priority;

	if (io->at)
		p->plan->process.io_priority = (struct plan_io_priority) {
			.setter = setter(p),
			.value = IOPRIO_PRIO_VALUE((int)io->class.v, (int)io->priority.v),
			.at = io->at,
		};
	return plan_scheduler(p, err);
}

/* ---- as text ---- */

static const char *by(enum plan_scheduler_setter setter)
{
	return setter == PLAN_SCHEDULED_BY_PARENT ? "by hull, with the caller's rights"
						  : "by the process itself";
}

static void print_scheduler(const struct plan_scheduler *s, struct str *out)
{
	str_printf(out, "schedule    %s", spec_scheduler_name(s->policy));
	if (s->priority)
		str_printf(out, ", priority %u", s->priority);
	else if (s->policy == SCHED_DEADLINE)
		str_printf(out, ", runtime %llu ns, deadline %llu ns, period %llu ns",
			   (unsigned long long)s->runtime, (unsigned long long)s->deadline,
			   (unsigned long long)(s->period ? s->period : s->deadline));
	else
		str_printf(out, ", nice %d", s->nice);
	for (const struct str_name *f = spec_scheduler_flags; f->name; f++)
		if (s->flags & (uint64_t)f->value)
			str_printf(out, ", %s", f->name);
	str_printf(out, ", %s\n", by(s->setter));
}

void plan_print_scheduling(const struct plan_process *process, struct str *out)
{
	const struct plan_io_priority *io = &process->io_priority;
	static const char *const classes[] = {
		[IOPRIO_CLASS_RT] = "real-time",
		[IOPRIO_CLASS_BE] = "best-effort",
		[IOPRIO_CLASS_IDLE] = "idle",
	};
	if (process->scheduler.setter)
		print_scheduler(&process->scheduler, out);
	if (io->setter)
		str_printf(out, "schedule    io %s, level %d, %s\n",
			   classes[IOPRIO_PRIO_CLASS(io->value)], (int)IOPRIO_PRIO_DATA(io->value),
			   by(io->setter));
}
