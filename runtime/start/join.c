/*
 * One more process in a container that is there (`hull exec`).
 *
 * Parent: it knows the container's first process by a descriptor, has made a plan from the
 * config.json of its start (plan/exec.c), opens its cgroup, and makes the child in it.
 * Child: the same steps as at a start, but for those that build something. It hides first,
 * gives away what is hull's, and enters all namespaces by one setns, which either does it all or
 * nothing. It is in the cgroup by then and so may also enter the cgroup namespace: with nsdelegate
 * a process that is in there could not be moved any more.
 *
 * Entering a pid namespace moves only children. The one that becomes the program is made last, when
 * it has nothing that the program will not have (isolate.c): whoever may trace it in there finds no
 * descriptor, root or privilege of the host.
 *
 * Must not: follow any name of the container before it is inside; leave the process outside of the
 * container's limits; take anything from the bundle, which may be another one by now.
 */
#include "start/join.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "base/str.h"
#include "cgroup/enter.h"
#include "start/steps.h"

#define END_WAIT_MS 2000

void join_init(struct join *join)
{
	*join = (struct join) { .pidfd = -EBADF, .enter_fd = -EBADF };
}

void join_done(struct join *join)
{
	fd_close(&join->pidfd);
	fd_close(&join->enter_fd);
}

/* ---- parent: looking at the container ---- */

static const struct {
	const char *name; /* in /proc/PID/ns */
	uint64_t flag;
} namespaces[] = {
	{ "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS },        { "uts", CLONE_NEWUTS },
	{ "ipc", CLONE_NEWIPC },   { "net", CLONE_NEWNET },       { "pid", CLONE_NEWPID },
	{ "time", CLONE_NEWTIME }, { "cgroup", CLONE_NEWCGROUP },
};

/* "net:[4026531840]"; "" for a type that this kernel does not have. */
static int read_link(int ns_fd, const char *name, char *buf, size_t size)
{
	ssize_t n = readlinkat(ns_fd, name, buf, size - 1);
	if (n < 0 && errno != ENOENT)
		return -errno;
	buf[n < 0 ? 0 : n] = '\0';
	return 0;
}

static int compare_namespaces(int its_fd, int own_fd, uint64_t *ret)
{
	char its[64], own[64];
	*ret = 0;
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		int r = read_link(its_fd, namespaces[i].name, its, sizeof(its));
		if (r == 0)
			r = read_link(own_fd, namespaces[i].name, own, sizeof(own));
		if (r < 0)
			return r;
		if (!str_eq(its, own))
			*ret |= namespaces[i].flag;
	}
	return 0;
}

static int examine_failed(const struct join *join, int code, struct err *err)
{
	err_sys(err, code, "cannot look at the container's first process %d", (int)join->pid);
	if (code == EACCES || code == EPERM)
		err_hint(err, "only who started the container may, and root");
	return -code;
}

/*
 * Who ends gives its namespaces up, and answers ESRCH, a moment before the descriptor tells of its
 * end: in between stands the end of all others of its pid namespace.
 */
bool join_has_ended(const struct join *join, int error)
{
	return pidfd_wait(join->pidfd, error == -ESRCH ? END_WAIT_MS : 0);
}

/* It is still the one that the descriptor stands for, and so was when it was looked at by number.
 */
int join_check_alive(const struct join *join, struct err *err)
{
	if (!join_has_ended(join, 0))
		return 0;
	return err_say(err, ERR_NOT_FOUND, ESRCH, "cannot exec in a stopped container");
}

static int read_setgroups(int proc_fd, bool *ret)
{
	char text[16];
	int r = fd_read_value(proc_fd, "setgroups", text, sizeof(text));
	*ret = r == 0 && str_eq(text, "deny");
	return r;
}

static int examine(const struct join *join, struct plan_container *ret)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d", (int)join->pid);
	_cleanup_close_ int proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int its_fd = openat(proc_fd, "ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int own_fd = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = its_fd < 0 || own_fd < 0 ? -errno : 0;
	if (r == 0)
		r = compare_namespaces(its_fd, own_fd, &ret->ns_flags);
	return r < 0 ? r : read_setgroups(proc_fd, &ret->denies_setgroups);
}

/* The first child that hull's own first process has had, which lives as long as that one. */
static pid_t read_program(const struct join *join)
{
	char path[64], text[64];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)join->pid, (int)join->pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

/*
 * Once more when there is a descriptor: the number has not become somebody else's meanwhile. And
 * the process whose children were read is the first one, not somebody who has got its number.
 */
static int take_program(struct join *join)
{
	pid_t pid = read_program(join);
	_cleanup_close_ int pidfd = pid > 0 ? pidfd_open(pid, 0) : (errno = ESRCH, -1);
	if (pidfd < 0 || read_program(join) != pid)
		return pidfd < 0 ? -errno : -ESRCH;
	if (join_check_alive(join, NULL) < 0)
		return -ESRCH; /* as the caller finds, too, by the descriptor that is kept */
	fd_close(&join->pidfd);
	join->pidfd = fd_take(&pidfd);
	join->pid = pid;
	return 0;
}

int join_examine(struct join *join, struct plan_container *ret, struct err *err)
{
	int r = examine(join, ret);
	if (r == -EACCES && join->has_init) {
		r = take_program(join);
		if (r == 0)
			r = examine(join, ret);
	}
	int alive = join_check_alive(join, err);
	if (alive < 0)
		return alive;
	return r < 0 ? examine_failed(join, -r, err) : 0;
}

/* ---- parent: its steps ---- */

static int open_cgroup(struct start *s, struct err *err)
{
	const struct join *join = &s->join;

	if (!join->cgroup && join->sub_cgroup)
		return err_say(err, ERR_CONFIG, EINVAL,
			       "--cgroup is given, but the container has no cgroup");
	if (!join->cgroup)
		return 0;
	_cleanup_close_ int fd = -EBADF;
	int r = cgroup_root_open(&s->cgroup_root, err);
	if (r == 0)
		r = cgroup_open(&s->cgroup_root, join->cgroup, &fd, err);
	if (r == 0 && join->sub_cgroup)
		return cgroup_open_below(fd, join->sub_cgroup, &s->cgroup_fd, err);
	if (r == 0)
		s->cgroup_fd = fd_take(&fd);
	return r;
}

/* Its root where no mount namespace leads there: what the first process has for one. */
static int open_root(struct start *s, struct err *err)
{
	char path[48];
	if (s->plan->root.kind != PLAN_ROOT_CHROOT)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)s->join.pid);
	s->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int code = errno, r = join_check_alive(&s->join, err);
	if (r == 0 && s->root_fd < 0)
		r = err_sys(err, code, "cannot open the container's root");
	return r;
}

static int copy_fd(int fd, int *ret, struct err *err)
{
	*ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *ret < 0 ? err_sys(err, errno, "cannot copy a descriptor") : 0;
}

/* What the child enters by, and where a failed exec is examined (diagnose.c). */
static int open_process(struct start *s, struct err *err)
{
	fd_close(&s->join.enter_fd);
	int r = copy_fd(s->join.pidfd, &s->join.enter_fd, err);
	if (r == 0 && (s->plan->ns.enter_flags & CLONE_NEWNS) && s->examine_mount_fd < 0)
		r = copy_fd(s->join.pidfd, &s->examine_mount_fd, err);
	if (r == 0 && (s->plan->ns.enter_flags & CLONE_NEWUSER) && s->examine_user_fd < 0)
		r = copy_fd(s->join.pidfd, &s->examine_user_fd, err);
	return r;
}

/*
 * A cgroup that has controllers enabled for cgroups below it takes no process any more: then the
 * first one has moved to one of those, and the new one goes where it is.
 */
static int follow_first(struct start *s, struct err *err)
{
	_cleanup_close_ int fd = fd_take(&s->cgroup_fd);
	channel_close(&s->channel);
	err_clear(err);
	int r = cgroup_open_of_process(fd, s->join.cgroup, s->join.pid, &s->cgroup_fd, err);
	if (r == 0)
		r = open_process(s, err);
	return r < 0 ? r : clone_child(s, err);
}

/* Of the calling process, and of those that it makes. */
static int set_cpus(const cpu_set_t *cpus, uint32_t at, struct err *err)
{
	if (!cpus || sched_setaffinity(0, sizeof(*cpus), cpus) == 0)
		return 0;
	int r = err_sys(err, errno, "cannot run on these processors alone");
	if (r == -EINVAL)
		err_hint(err, "none of them is there, or the cgroup allows none (cpuset)");
	err_at(err, at);
	return r;
}

static int make_process(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	int r = set_cpus(process->cpus_initial, process->cpus_initial_at, err);
	if (r == 0)
		r = open_process(s, err);
	if (r == 0)
		r = clone_child(s, err);
	if (r == -EBUSY && s->cgroup_fd >= 0 && !s->join.sub_cgroup)
		r = follow_first(s, err);
	if (r == 0)
		r = scope_attach(s, s->join.sub_cgroup, err);
	else if (r == -EACCES && s->cgroup_fd >= 0)
		err_hint(err, "the caller may not move a process into the container's cgroup");
	/* It is the container's: nothing that follows may empty it. */
	fd_close(&s->cgroup_fd);
	return r;
}

static const struct parent_step parent_steps[] = {
	{ "signals", start_open_signals },
	{ "pid file", pid_file_check },
	{ "console socket", caller_sockets_connect },
	{ "filter", prepare_filter },
	{ "cgroup", open_cgroup },
	{ "root", open_root },
	{ "announce", start_announce },
	{ "clone", make_process },
	{ "record", record_exec },
	{ NULL, NULL },
};

int start_exec(struct start *s, struct start_result *ret, struct err *err)
{
	*ret = (struct start_result) { 0 };
	int r = start_run_steps(s, parent_steps, ret, err);
	if (r == 0)
		r = supervise(s, ret, err);
	start_note_lost_output(s, ret);
	tty_end(&s->tty);
	if (r < 0) {
		json_locate(&s->plan->spec->doc, err);
		finish_processes(s);
	}
	ret->started = r == 0;
	return r;
}

/* ---- child: its steps ---- */

static int enter_namespaces(struct start *s, struct err *err)
{
	uint64_t flags = s->plan->ns.enter_flags;

	/* At the latest (isolate.c): a process in there must not look into this one. */
	int r = isolate_hide(err);
	if (r < 0)
		return r;
	if (flags && setns(s->join.enter_fd, (int)flags) < 0) {
		r = err_sys(err, errno, "cannot enter the container's namespaces");
		if (r == -EPERM)
			err_hint(err, "only who started the container may, and root");
		return r;
	}
	fd_close(&s->join.enter_fd);
	if (!(flags & CLONE_NEWUSER))
		return 0;
	r = isolate_hide(err); /* new credentials have undone it */
	return r < 0 ? r : user_become_root(s, err);
}

/* The root of the mount namespace is the container's; else it is changed like the container's. */
static int enter_root(struct start *s, struct err *err)
{
	if (s->plan->root.kind == PLAN_ROOT_CHROOT)
		return pivot_into_root(s, err);
	s->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->root_fd < 0 ? err_sys(err, errno, "cannot open the container's root") : 0;
}

/* By now it is in the cgroup, whose processors these are. */
static int limit_cpus(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	return set_cpus(process->cpus_final, process->cpus_final_at, err);
}

const struct child_step join_child_steps[] = {
	{ "cgroup", born_tell },
	{ "process", isolate_process },
	{ "processors", limit_cpus },
	{ "namespaces", enter_namespaces },
	{ "root", enter_root },
	{ "terminal", console_make },
	{ "label", lsm_set_labels },
	{ "home", home_fill },
	{ "descriptors", descriptors_close_built },
	{ "controlling terminal", console_take },
	{ "privileges", drop_privileges },
	{ "move", isolate_move },
	{ "exec", exec_program },
	{ NULL, NULL },
};
