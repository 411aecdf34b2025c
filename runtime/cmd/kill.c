/*
 * hull kill: sends a signal to a container's first process, by a pidfd that is known to be that
 * process. SIGKILL goes to all that is in the cgroup too, at once and by the kernel, so
 * that nothing of it outlives the first one: without a pid namespace, frozen, or in cgroups of its
 * own.
 */
#include "cmd/container.h"

#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "cgroup/procs.h"
#include "cmd/signal.h"
#include "state/others.h"

struct kill_options {
	bool all, regex;
	const char *signal;
};
#define KILL(member) offsetof(struct kill_options, member)

static const struct option kill_table[] = {
	{ "all", 'a', OPTION_FLAG, KILL(all), NULL,
	  "to all its processes, also when the first one has ended" },
	{ "regex", 'r', OPTION_FLAG, KILL(regex), NULL,
	  "ID is an extended regular expression: all containers that match" },
	{ "signal", 0, OPTION_TEXT, KILL(signal), "SIGNAL", "the same as the argument SIGNAL" },
	{ 0 },
};

struct kill_job {
	int signal;
	bool all;
};

/* To the first process; what was found at `pidfd` may have ended since. */
static int send_signal(int pidfd, int signal, const char *id, struct err *err)
{
	if (pidfd_send_signal(pidfd, signal, NULL, 0) == 0)
		return 0;
	if (errno == ESRCH)
		return container_not_running(id, err);
	return err_sys(err, errno, "cannot send signal %d to container '%s'", signal, id);
}

/* Is the container's first process one among ours, and not the first of a pid namespace? */
static bool shares_pid_namespace(pid_t pid)
{
	struct stat own, other;
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	return stat("/proc/self/ns/pid", &own) < 0 || stat(path, &other) < 0 ||
	       (own.st_ino == other.st_ino && own.st_dev == other.st_dev);
}

static int no_way_to_all(const char *id, struct err *err)
{
	err_say(err, ERR_HOST, ENOTSUP,
		"container '%s' has no cgroup, by which all its processes are found", id);
	err_hint(err, "without --all the signal goes to its first process");
	return -ENOTSUP;
}

/*
 * Without a cgroup there is only the kernel's promise that the end of a pid namespace's first
 * process is the end of all of them.
 */
static int kill_without_cgroup(const struct container *c, const struct kill_job *job, int pidfd,
			       struct err *err)
{
	const struct state *state = &c->state;
	if (job->all && (job->signal != SIGKILL || shares_pid_namespace(state->pid)))
		return no_way_to_all(state->id, err);
	state_note_kill(&c->store, state, job->signal);
	return send_signal(pidfd, job->signal, state->id, err);
}

/* The cgroup is opened before the process is known to be there: so it is the container's. */
static int kill_running(const struct container *c, const struct kill_job *job, struct err *err)
{
	_cleanup_close_ int pidfd = -EBADF, cgroup = -EBADF;
	struct err why = { 0 };
	const char *id = c->state.id;

	int found = container_open_cgroup(c, &cgroup, &why);
	int r = state_open_process(&c->state, &pidfd);
	if (r == -ESRCH)
		return container_not_running(id, err);
	if (r < 0)
		return state_process_unknown(&c->state, -r, err);
	if (found == -ENOENT)
		return kill_without_cgroup(c, job, pidfd, err);
	state_note_kill(&c->store, &c->state, job->signal);
	if (job->all && job->signal != SIGKILL)
		return found < 0 ? (*err = why, found)
				 : cgroup_signal_all(cgroup, job->signal, err);
	r = send_signal(pidfd, job->signal, id, err);
	if (r < 0 || job->signal != SIGKILL)
		return r;
	return found < 0 ? (*err = why, found)
			 : cgroup_kill_all(cgroup, state_cgroup_existed(&c->state), err);
}

/* With --all what a dead first process has left behind; the state's lock keeps the cgroup its own.
 */
static int kill_stopped(struct cmd *cmd, const char *id, const struct kill_job *job,
			struct err *err)
{
	_cleanup_container_ struct container c;
	_cleanup_close_ int cgroup = -EBADF, lock = -EBADF;

	int r = container_open(cmd, id, CONTAINER_LOCK, &c, err);
	if (r < 0)
		return r;
	if (c.state.status != STATE_STOPPED)
		return kill_running(&c, job, err);
	r = container_open_cgroup(&c, &cgroup, err);
	if (r == 0)
		r = others_hold_cgroup(&c.entry, &c.state, cgroup, &lock, err);
	if (r != 0)
		return r == -ENOENT || r > 0 ? 0 : r;
	return job->signal == SIGKILL ? cgroup_kill_all(cgroup, state_cgroup_existed(&c.state), err)
				      : cgroup_signal_all(cgroup, job->signal, err);
}

static int kill_one(struct cmd *cmd, const char *id, void *context, struct err *err)
{
	const struct kill_job *job = context;
	_cleanup_container_ struct container c;

	int r = container_open(cmd, id, CONTAINER_READ, &c, err);
	if (r < 0)
		return r;
	switch (c.state.status) {
	case STATE_STOPPED:
		return job->all ? kill_stopped(cmd, id, job, err) : container_not_running(id, err);
	case STATE_CREATING:
		r = container_not_running(id, err);
		err_hint(err, "its start has not come to an end; hull delete --force %s ends it",
			 id);
		return r;
	default:
		return kill_running(&c, job, err);
	}
}

static int kill_command(struct cmd *cmd, void *options, struct err *err)
{
	const struct kill_options *o = options;
	struct kill_job job = { .signal = SIGTERM, .all = o->all };
	const char *argument = cmd->args_n > 1 ? cmd->args[1] : NULL;

	if (argument && o->signal)
		return err_say(err, ERR_CONFIG, EINVAL,
			       "the signal is given twice: '%s' and --signal %s", argument,
			       o->signal);
	const char *signal = argument ? argument : o->signal;
	int r = signal ? signal_parse(signal, &job.signal, err) : 0;
	return r < 0 ? r : container_each(cmd, cmd->args[0], o->regex, kill_one, &job, err);
}

const struct command command_kill = {
	.name = "kill",
	.group = "lifecycle",
	.synopsis = "[--all] ID [SIGNAL]",
	.summary = "send a signal to a container (default: TERM)",
	.options = kill_table,
	.options_size = sizeof(struct kill_options),
	.min_args = 1,
	.max_args = 2,
	.run = kill_command,
	.failure = 1,
};
