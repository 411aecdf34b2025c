/*
 * How the process is scheduled: by the parent in stage 7, with the caller's rights, or by the child
 * in stage 6, which has as many (plan/schedule.c says why, and when). The process is alone in its
 * process group by then, and what it makes from here on takes after it (S-111).
 *
 * Must not: touch another process. The group is that of the child, which has a session of its own.
 */
#include "start/steps.h"

#include <linux/ioprio.h>
#include <unistd.h>

#include "start/sys.h"

static const char *scheduler_hint(const struct plan_scheduler *s, int code)
{
	bool may = s->setter == PLAN_SCHEDULED_BY_PARENT;
	switch (code) {
	case EPERM:
		if (!may)
			return "a real-time policy, SCHED_DEADLINE and a lower nice than the "
			       "caller's need CAP_SYS_NICE on the host";
		if (s->policy == SCHED_DEADLINE)
			return "a process with SCHED_DEADLINE must be allowed all processors of "
			       "its scheduling domain (cpuset, affinity)";
		return "the cgroup may have no share of real time (cpu.rt_runtime_us of cgroup v1)";
	case EBUSY:
		return "SCHED_DEADLINE: the processors have not so much time left (sched(7))";
	case EOPNOTSUPP:
		return "this kernel has no clamps of the utilization (CONFIG_UCLAMP_TASK)";
	case EINVAL:
		return s->policy == SCHED_DEADLINE
			       ? "the period may be out of the range of the sysctls "
				 "kernel.sched_deadline_period_min_us and _max_us, or the cgroup is "
				 "given real time by itself"
			       : "this kernel may lack the policy, or one of the flags";
	default:
		return NULL;
	}
}

static int set_scheduler(const struct plan_scheduler *s, pid_t pid, struct err *err)
{
	const struct sys_sched_attr attr = {
		.size = sizeof(attr),
		.policy = s->policy,
		.flags = s->flags,
		.nice = s->nice,
		.priority = s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};
	if (sys_sched_setattr(pid, &attr) == 0)
		return 0;
	int r = err_sys(err, errno, "cannot schedule the process by %s",
			spec_scheduler_name(s->policy));
	if (scheduler_hint(s, -r))
		err_hint(err, "%s", scheduler_hint(s, -r));
	err_at(err, s->at);
	return r;
}

static int set_io_priority(const struct plan_io_priority *io, pid_t pid, struct err *err)
{
	pid_t group = getpgid(pid);
	if (group >= 0 && sys_ioprio_set(SYS_IOPRIO_WHO_PGRP, group, io->value) == 0)
		return 0;
	int r = err_sys(err, errno, "cannot set the priority of input and output");
	if (r == -EPERM)
		err_hint(err, "IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN on the host");
	err_at(err, io->at);
	return r;
}

static int schedule(const struct start *s, enum plan_scheduler_setter setter, pid_t pid,
		    struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	int r = 0;
	if (process->io_priority.setter == setter)
		r = set_io_priority(&process->io_priority, pid, err);
	if (r == 0 && process->scheduler.setter == setter)
		r = set_scheduler(&process->scheduler, pid, err);
	return r;
}

/* A child that is dead has left its reason in the page: supervise() finds it. */
int schedule_child(struct start *s, struct err *err)
{
	int r = schedule(s, PLAN_SCHEDULED_BY_PARENT, s->pid, err);
	if (r != -ESRCH)
		return r;
	err_clear(err);
	return 0;
}

int schedule_self(struct start *s, struct err *err)
{
	return schedule(s, PLAN_SCHEDULED_BY_CHILD, 0, err);
}
