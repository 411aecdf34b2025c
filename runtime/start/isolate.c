/*
 * Child, stages 3 to 5: out of the caller's world.
 *
 * Should: close what belongs to the parent, become invisible to others, join and make namespaces.
 * Must not: leave a way for a process in a joined namespace to look into this one;
 * keep the lock on the state directory, which the parent needs (an inherited flock deadlocks).
 */
#include "start/steps.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "netns/netns.h"
#include "plan/parts.h"
#include "start/proc.h"
#include "start/sys.h"
#include "start/tolerate.h"

#define ISOLATE_MAX_ARGUMENTS (8 * 1024 * 1024) /* the kernel's own limit is 6 MB */

/*
 * Written while the file still is the caller's, and with the caller's rights: by the stage where
 * there is one, for the child inherits it.
 */
int isolate_oom_score(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	char value[16];
	if (!process->has_oom_score_adj)
		return 0;
	int opened = s->proc_fd < 0 ? proc_open_plain(&s->proc_fd, err) : 0;
	if (opened < 0)
		return opened;
	snprintf(value, sizeof(value), "%d", process->oom_score_adj);
	int r = proc_write(s->proc_fd, "self/oom_score_adj", value);
	if (r < 0) {
		err_sys(err, -r, "cannot set the oom score adjustment to %d",
			process->oom_score_adj);
		if (r == -EACCES)
			err_hint(err, "lowering it needs CAP_SYS_RESOURCE");
		err_at(err, process->oom_score_adj_at);
	}
	return r;
}

int isolate_hide(struct err *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot hide the process");
	return 0;
}

/* Not this process but its next child will be in the pid namespace. */
static int join_pid(const struct start *s, struct err *err)
{
	const struct plan_namespaces *ns = &s->plan->ns;

	for (unsigned i = 0; i < ns->join_n; i++) {
		if (ns->join[i].type != SPEC_NS_PID || setns(s->join_fds[i], CLONE_NEWPID) == 0)
			continue;
		int r = err_sys(err, errno, "cannot join the pid namespace '%s'", ns->join[i].path);
		if (r == -EPERM && s->plan->user.is_joined)
			err_hint(err,
				 "it does not belong to the user namespace that is joined, too");
		err_at(err, ns->join[i].at);
		return r;
	}
	return 0;
}

/* In place of clone3, when what only the caller may join has to come first (plan_unshares). */
static int make_namespaces(struct start *s, struct err *err)
{
	if (!plan_unshares(s->plan))
		return 0;
	int r = join_pid(s, err);
	if (r == 0 && unshare((int)ahead_clone_flags(s)) < 0)
		r = clone_failed(s, errno, err);
	if (r == 0)
		r = isolate_hide(err);
	if (r == 0 && channel_send(s->channel.child_fd, CHANNEL_UNSHARED) < 0)
		r = channel_given_up(err);
	return r;
}

int isolate_process(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;

	/* First of all, before any namespace that others may be in is entered. What an unprivileged
	 * parent still has to write about this process it could not, then (user.c). */
	int r = plan->user.hides_late ? 0 : isolate_hide(err);
	if (r == 0)
		r = descriptors_close_parents(s, err);
	if (r == 0)
		r = make_namespaces(s, err);
	if (r < 0)
		return r;
	isolate_wipe_arguments();
	/* Until the program runs; for people. */
	if (prctl(PR_SET_NAME, STATE_CHILD_NAME, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot name the process");
	if (plan->new_keyring && sys_new_session_keyring() < 0 &&
	    !tolerate(s, TOLERATE_KEYRING, errno)) {
		r = err_sys(err, errno, "cannot make a session keyring");
		if (!(plan->flags & PLAN_EXEC))
			err_hint(err, "--no-new-keyring keeps the caller's");
		return r;
	}
	if (setsid() < 0)
		return err_sys(err, errno, "cannot make a session");
	s->caller_umask = umask(0);
	/* What may be hidden below other mounts is reached by a clone; to give that up takes as
	 * long as ten mounts, so what is this process's own is not looked for there. */
	if (plan->sysctls_n || plan->labels_n)
		r = proc_open(&s->proc_fd, err);
	else if (plan->process.has_oom_score_adj || plan->ns.time_offsets ||
		 plan->process.home_index >= 0)
		r = proc_open_plain(&s->proc_fd, err);
	return r < 0 || plan->user.has_stage ? r : isolate_oom_score(s, err);
}

int isolate_join(struct start *s, enum spec_ns_type type, struct err *err)
{
	const struct plan_namespaces *ns = &s->plan->ns;

	for (unsigned i = 0; i < ns->join_n; i++) {
		if (ns->join[i].type != type)
			continue;
		if (setns(s->join_fds[i], (int)plan_namespace_flag(ns->join[i].type)) < 0) {
			int r = err_sys(err, errno, "cannot join the %s namespace '%s'",
					spec_ns_name(ns->join[i].type), ns->join[i].path);
			if (r == -EPERM && s->plan->user.is_new && !s->plan->user.has_stage)
				err_hint(err, "only who has rights over it may join it, and not "
					      "from a new user namespace: join its own, too");
			err_at(err, ns->join[i].at);
			return r;
		}
		fd_close(&s->join_fds[i]);
		int r = type == SPEC_NS_USER ? isolate_hide(err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int join_namespaces(struct start *s, struct err *err)
{
	const struct plan_namespaces *ns = &s->plan->ns;
	int r = 0;
	for (unsigned i = 0; r == 0 && i < ns->join_n && !s->plan->user.has_stage; i++)
		if (ns->join[i].type != SPEC_NS_PID) /* isolate_pid() */
			r = isolate_join(s, ns->join[i].type, err);
	return r;
}

/*
 * clone3 would freeze the offsets of a new time namespace before anybody could write them: it is
 * made for children, gets its offsets, and is then joined (time_namespaces(7)). It needs the
 * caller's /proc, and comes before user_enter(): from then on the file is not this process's own.
 */
int isolate_time(struct start *s, struct err *err)
{
	if (!(s->plan->ns.unshare_flags & CLONE_NEWTIME))
		return 0;
	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(err, errno, "cannot make a time namespace");
	if (s->plan->ns.time_offsets) {
		int r = proc_write(s->proc_fd, "self/timens_offsets", s->plan->ns.time_offsets);
		if (r < 0) {
			err_sys(err, -r, "cannot set the time offsets");
			err_at(err, s->plan->ns.time_offsets_at);
			return r;
		}
	}
	_cleanup_close_ int fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
		return err_sys(err, errno, "cannot enter the time namespace");
	return 0;
}

int isolate_namespaces(struct start *s, struct err *err)
{
	const struct plan_namespaces *ns = &s->plan->ns;

	/* Made here and not by clone3: its root is the cgroup that the process is in now. */
	if ((ns->unshare_flags & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, errno, "cannot make a cgroup namespace");
	return join_namespaces(s, err);
}

/* Among the mounts: those before it are made while others make the network. Sysctls and hooks come
 * later, and find there what the parent has made (network.c). */
int isolate_network(struct start *s, struct err *err)
{
	int r = ahead_enter(s, err);
	if (r == 0 && s->plan->ns.loopback && !atomic_load(&s->channel.page->loopback_is_up))
		r = netns_loopback_up(err);
	if (r == 0 && plan_has_network(s->plan) &&
	    channel_receive(s->channel.child_fd) != CHANNEL_NETWORK)
		r = channel_given_up(err);
	return r;
}

int isolate_names(struct start *s, struct err *err)
{
	const struct plan_namespaces *ns = &s->plan->ns;

	if (ns->hostname && sethostname(ns->hostname, strlen(ns->hostname)) < 0) {
		int r = err_sys(err, errno, "cannot set the host name '%s'", ns->hostname);
		err_at(err, ns->hostname_at);
		return r;
	}
	if (ns->domainname && setdomainname(ns->domainname, strlen(ns->domainname)) < 0) {
		int r = err_sys(err, errno, "cannot set the domain name '%s'", ns->domainname);
		err_at(err, ns->domainname_at);
		return r;
	}
	return 0;
}

/*
 * Joining an existing pid namespace does not move this process: it decides where its next child
 * will be. After pivot, since that child could otherwise be used to look at the host; with the
 * privilege that it needs, which the child must not have any more.
 */
int isolate_pid(struct start *s, struct err *err)
{
	const struct plan_namespaces *ns = &s->plan->ns;

	int r = descriptors_close_built(s, err);
	if (r == 0 && !plan_unshares(s->plan))
		r = join_pid(s, err);
	for (unsigned i = 0; r == 0 && i < ns->join_n; i++)
		if (ns->join[i].type == SPEC_NS_PID)
			fd_close(&s->join_fds[i]);
	return r;
}

/*
 * The arguments and the environment of hull, which /proc shows. They lie in one piece: from
 * the first argument to the name that the kernel has put behind them. Nothing of the plan is in it:
 * main() works on a copy.
 */
void isolate_wipe_arguments(void)
{
	char *start = program_invocation_name;
	char *end = (char *)getauxval(AT_EXECFN);
	if (end > start && end - start < ISOLATE_MAX_ARGUMENTS)
		explicit_bzero(start, (size_t)(end - start));
}

/*
 * The second clone, into the existing pid namespace. Processes there that may trace any other get
 * hold of the new one: it must not have anything that the program will not have. So this
 * is the last step but exec. (A filter without no_new_privs needs CAP_SYS_ADMIN until then.) Nor
 * may both share their memory (CLONE_VM), which would cost less: who writes to the new one's would
 * reach the old one, which is in the host's pid namespace until it has ended.
 *
 * The new process is a child of the parent (CLONE_PARENT), which learns its number from the page,
 * where the kernel stores it before the new process runs: READY comes from that one.
 */
int isolate_move(struct start *s, struct err *err)
{
	struct clone_args args = {
		.flags = CLONE_PARENT | CLONE_PARENT_SETTID,
		.parent_tid = (uint64_t)(uintptr_t)&s->channel.page->moved_pid,
	};

	if (!plan_moves(s->plan))
		return 0;
	long pid = sys_clone3(&args);
	if (pid < 0)
		return err_sys(err, errno, "cannot make a process in the pid namespace");
	if (pid > 0)
		_exit(0);
	/* The session's leader has just gone, and with it the right to take a terminal. */
	if (setsid() < 0)
		return err_sys(err, errno, "cannot make a session");
	return console_control(s, err);
}
