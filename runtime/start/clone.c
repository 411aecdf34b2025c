/*
 * Parent, stage 2, and the first steps of the child. One clone3 makes the namespaces and puts the
 * child into its cgroup, so that it never runs outside its limits and no lock is taken to move it.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "start/hooks.h"
#include "start/stage.h"
#include "start/sys.h"
#include "start/timeline.h"

static const struct child_step start_steps[] = {
	{ "cgroup", born_tell },
	{ "process", isolate_process },
	{ "time namespace", isolate_time },
	{ "user namespace", user_enter },
	{ "namespaces", isolate_namespaces },
	{ "hostname", isolate_names },
	{ "open", open_in_child },
	{ "root", rootfs_attach },
	{ "mounts", mount_before_network }, /* which is made meanwhile (ahead.c) */
	{ "network", isolate_network },
	{ "mounts, later", mount_after_network },
	{ "devices", dev_make_all },
	{ "terminal", console_make },
	{ "hooks", hooks_create },
	{ "label", lsm_set_labels },
	{ "sysctl", sysctl_write_all },
	{ "home", home_fill },
	{ "cwd", cwd_make },
	{ "read-only", readonly_late },
	{ "masks", mask_all },
	{ "sharing", share_all },
	{ "pivot", pivot_into_root },
	{ "pid namespace", isolate_pid },
	{ "controlling terminal", console_take },
	{ "privileges", drop_privileges },
	{ "move", isolate_move },
	{ "exec", exec_program },
	{ NULL, NULL },
};

_Static_assert(ARRAY_SIZE(start_steps) <= CHANNEL_TIME_EXEC, "a time for each step");

static const struct child_step *steps_of(const struct start *s)
{
	return s->plan->flags & PLAN_EXEC ? join_child_steps : start_steps;
}

const char *child_step_name(const struct start *s, unsigned index)
{
	const struct child_step *step = steps_of(s);
	while (index > 0 && step->name)
		step++, index--;
	return step->name;
}

/* The parent must be able to read the error even if the socket is broken: first the page. */
static _Noreturn void child_fail(struct start *s, unsigned step)
{
	struct err *err = &s->channel.page->err;
	if (!err->code)
		err->code = EINVAL;
	if (!err->step[0])
		err_step(err, "%s", child_step_name(s, step));
	if (channel_send(s->channel.child_fd, CHANNEL_FAILED) < 0)
		_exit(1); /* the end tells it, too */
	/* Until GO or the end of file the parent may want to look at this process's namespaces. */
	channel_keep_child(&s->channel); /* or its own copy would keep the end of file away */
	enum channel_message m;
	do
		m = channel_receive(s->channel.child_fd);
	while (m == CHANNEL_MAPPED || m == CHANNEL_NAMESPACE || m == CHANNEL_NETWORK);
	_exit(1);
}

void child_main(struct start *s)
{
	struct channel_page *page = s->channel.page; /* of all steps but the end of the last */
	const struct child_step *steps = steps_of(s);

	for (unsigned i = 0; steps[i].name; i++) {
		atomic_store(&page->step, i);
		atomic_store(&page->times[i], timeline_child_now());
		if (steps[i].run(s, &page->err) < 0)
			child_fail(s, i);
	}
	_exit(1); /* the last step returns only when it fails */
}

static const char *clone_hint(const struct start *s, int code)
{
	switch (code) {
	case EPERM:
		if (s->plan->user.is_new)
			return "this host may forbid user namespaces (sysctl "
			       "kernel.unprivileged_userns_clone, or "
			       "kernel.apparmor_restrict_unprivileged_userns), or hull runs in a "
			       "chroot";
		return "making these namespaces needs CAP_SYS_ADMIN";
	case ENOSPC:
	case EUSERS:
		return "a limit in /proc/sys/user/max_*_namespaces is reached";
	case EAGAIN:
		return "the limit of processes of the caller or of the cgroup (pids.max) is reached";
	case EINVAL:
		return "this kernel may lack one of the namespaces";
	case EACCES:
		return s->plan->scope.is_user
			       ? "no process of the caller's cgroup may go to the user's scopes: "
				 "systemd-run --user --scope hull ... starts it from there"
			       : NULL;
	case EBUSY:
		return "the cgroup has controllers enabled for cgroups below it";
	default:
		return NULL;
	}
}

/* An exec's cgroup goes with its container. */
int clone_failed(const struct start *s, int code, struct err *err)
{
	if (s->plan->flags & PLAN_EXEC && join_check_alive(&s->join, err) < 0)
		return -err->code;
	err_sys(err, code, "cannot make the container's process");
	if (clone_hint(s, code))
		err_hint(err, "%s", clone_hint(s, code));
	return -code;
}

/* Trees and namespaces live on in the child; held here, they would keep it from unmounting. */
static void close_childs_fds(struct start *s)
{
	for (size_t i = 0; i < s->plan->mounts_n; i++) {
		fd_close(&s->mount_fds[i]);
		fd_close(&s->peer_fds[i]);
	}
	network_keep(s);
	for (unsigned i = 0; i < s->plan->ns.join_n; i++)
		fd_close(&s->join_fds[i]);
	fd_close(&s->ahead.user_fd);
	fd_close(&s->join.enter_fd);
	if (s->plan->root.kind != PLAN_ROOT_CHROOT) /* diagnose.c looks at that one */
		fd_close(&s->root_fd);
	channel_keep_parent(&s->channel);
}

static int clone_directly(struct start *s, const struct clone_args *child, struct err *err)
{
	int pidfd = -EBADF;
	long pid = born_clone(s, child, &pidfd);
	if (pid < 0)
		return clone_failed(s, errno, err);
	if (pid == 0)
		child_main(s);
	s->pid = (pid_t)pid;
	s->pidfd = pidfd;
	return 0;
}

int clone_child(struct start *s, struct err *err)
{
	struct clone_args args = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };

	if (!plan_unshares(s->plan))
		args.flags |= ahead_clone_flags(s);
	if (s->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)s->cgroup_fd;
	}
	hooks_prepare(s);
	int r = park_prepare(s, err);
	if (r == 0)
		r = born_prepare(s, err);
	if (r == 0)
		r = channel_open(&s->channel, err);
	clock_gettime(CLOCK_MONOTONIC_RAW, &s->cloned);
	if (r == 0)
		r = init_prepare(s, err);
	if (r == 0)
		r = s->plan->user.has_stage ? stage_clone(s, &args, err)
					    : clone_directly(s, &args, err);
	close_childs_fds(s);
	fd_close(&s->gate.fd);
	return r;
}
