/*
 * Parent, stage 7: the child is on its way. Who it is goes into the state and the pid
 * file, so that others can find it; then it gets its resource limits, and the word to go.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "start/tolerate.h"

bool start_waits_for_ready(const struct plan *plan)
{
	return plan_moves(plan) || plan->terminal.is_wanted || plan->process.rlimits_n > 0 ||
	       plan->hooks[PLAN_HOOK_PRESTART].n + plan->hooks[PLAN_HOOK_CREATE_RUNTIME].n > 0;
}

bool start_keeps_channel(const struct plan *plan)
{
	return plan->hooks[PLAN_HOOK_CREATE_CONTAINER].n +
		       plan->hooks[PLAN_HOOK_START_CONTAINER].n +
		       plan->hooks[PLAN_HOOK_POSTSTART].n >
	       0;
}

/* ---- record ---- */

/* It is renamed into its place: what is there already must be a file that may be replaced. */
int release_check_pid_file(struct start *s, struct err *err)
{
	struct stat st;
	if (!s->pid_file)
		return 0;
	if (fstatat(AT_FDCWD, s->pid_file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 0
			       : err_sys(err, errno, "cannot write the pid file '%s'", s->pid_file);
	if (S_ISREG(st.st_mode))
		return 0;
	return err_say(err, ERR_CONFIG, EEXIST, "the pid file '%s' exists and is no regular file",
		       s->pid_file);
}

/* The file whose descriptor it is gets its name. */
static int link_file(int fd, const char *path)
{
	char number[32];
	if (linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	/* Without CAP_DAC_READ_SEARCH. */
	snprintf(number, sizeof(number), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, number, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* For a file system without nameless files; a hull that is killed here leaves the file. */
static int write_and_rename(const char *path, const char *text)
{
	char temporary[PATH_MAX];
	int n = snprintf(temporary, sizeof(temporary), "%s.%d.new", path, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return -ENAMETOOLONG;
	_cleanup_close_ int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		(void)!unlink(temporary);
	return r;
}

/* A file without a name until it is complete: whenever hull is killed, nothing half is left. */
static int write_nameless(const char *path, const char *text)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int n = slash ? snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path) + 1,
				 path)
		      : snprintf(directory, sizeof(directory), ".");
	if (n < 0 || (size_t)n >= sizeof(directory))
		return -ENAMETOOLONG;
	_cleanup_close_ int fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EOPNOTSUPP || errno == EISDIR ? write_and_rename(path, text)
							      : -errno;
	int r = fd_write_all(fd, text, strlen(text));
	if (r == 0)
		r = link_file(fd, path);
	if (r != -EEXIST)
		return r;
	/* That of an earlier container: release_check_pid_file() has seen that it may go. */
	return unlink(path) < 0 && errno != ENOENT ? -errno : link_file(fd, path);
}

/* Complete when it appears, without a newline: engines parse the whole file. */
static int write_pid_file(struct start *s, struct err *err)
{
	char text[16];
	if (!s->pid_file)
		return 0;
	snprintf(text, sizeof(text), "%d", (int)s->pid);
	int r = write_nameless(s->pid_file, text);
	s->pid_file_made = r == 0;
	return r < 0 ? err_sys(err, -r, "cannot write the pid file '%s'", s->pid_file) : 0;
}

/* Nothing but a worse explanation depends on it. */
static int open_namespace(const struct start *s, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)s->pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		(void)tolerate(s, TOLERATE_MOUNT_NS, errno);
	return fd;
}

/*
 * To look at the container's files when its program cannot be executed. An unprivileged hull must
 * open them before the child hides (user.c).
 */
void record_namespaces(struct start *s)
{
	const struct plan_user *user = &s->plan->user;
	if (s->root_fd >= 0 || s->mount_ns_fd >= 0) /* else diagnose.c needs none */
		return;
	s->mount_ns_fd = open_namespace(s, "mnt");
	if (user->is_new || user->is_joined)
		s->user_ns_fd = open_namespace(s, "user");
}

/* Which process is the container, for those who come after us. */
static int record_process(struct start *s, struct err *err)
{
	int r = state_identify(&s->state, s->pid, s->arena, err);
	if (r < 0)
		return r;
	/* Still STATE_CREATING: that the program runs is seen on the process (state_status_now). */
	r = state_write(&s->entry, &s->state, err);
	if (r == 0)
		r = write_pid_file(s, err);
	state_unlock(&s->entry);
	return r;
}

int record_child(struct start *s, struct err *err)
{
	/* From here on there may be something that they have to put away. */
	if (s->plan->hooks[PLAN_HOOK_POSTSTOP].n)
		s->state.poststop = &s->plan->spec->hooks.poststop;
	record_namespaces(s);
	if (!plan_moves(s->plan))
		return record_process(s, err);
	/* Who it is will be known later (follow); until then nobody else must wait for us. */
	int r = s->state.poststop ? state_write(&s->entry, &s->state, err) : 0;
	state_unlock(&s->entry);
	return r;
}

/* ---- release ---- */

/* The child has become another process, which is our child too (isolate_pid). */
static int follow(struct start *s, struct err *err)
{
	pid_t pid = channel_moved(&s->channel);
	int pidfd = pid > 0 ? pidfd_open(pid, 0) : (errno = ESRCH, -1);
	if (pidfd < 0)
		return err_sys(err, errno, "cannot follow the process into the pid namespace");
	(void)!waitid(P_PIDFD, (id_t)s->pidfd, &(siginfo_t) { 0 }, WEXITED);
	fd_close(&s->pidfd);
	s->pid = pid;
	s->pidfd = pidfd;
	int r = state_relock(&s->entry, err);
	return r < 0 ? r : record_process(s, err);
}

static int rlimit_failed(const struct plan_rlimit *l, int code, struct err *err)
{
	if (code == ESRCH) /* it is dead, which says more: supervise() finds out why */
		return 0;
	err_sys(err, code, "cannot set the resource limit to %llu, at most %llu",
		(unsigned long long)l->limit.rlim_cur, (unsigned long long)l->limit.rlim_max);
	if (code == EPERM)
		err_hint(err, "raising a hard limit needs CAP_SYS_RESOURCE");
	err_at(err, l->at);
	return -code;
}

/* Those that the child could not set itself (exec.c): with the caller's rights. */
static int set_rlimits(const struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	uint64_t left = atomic_load(&s->channel.page->rlimits_left);

	for (size_t i = 0; i < process->rlimits_n; i++) {
		if (!(left >> i & 1))
			continue;
		const struct plan_rlimit *l = &process->rlimits[i];
		struct rlimit limit = { l->limit.rlim_cur, l->limit.rlim_max };
		if (prlimit(s->pid, (unsigned)l->resource, &limit, NULL) < 0)
			return rlimit_failed(l, errno, err);
	}
	return 0;
}

/* A signal that arrived up to now must end the start, and not be lost on a young program. */
static bool is_given_up(const struct start *s)
{
	sigset_t pending;
	if (sigpending(&pending) < 0)
		return false;
	for (int signal = 1; signal < SIGRTMIN; signal++)
		if (start_ends_by(s, signal) && sigismember(&pending, signal))
			return true;
	return false;
}

int release_child(struct start *s, struct err *err)
{
	int r = 0;
	if (plan_moves(s->plan))
		r = follow(s, err);
	if (r == 0)
		r = set_rlimits(s, err);
	if (r == 0 && s->plan->terminal.is_wanted)
		r = s->plan->terminal.socket ? console_socket_send(s, err)
					     : tty_begin(&s->tty, err);
	if (r < 0 || is_given_up(s)) /* supervise() will read the signal */
		return r;
	/* The last word between the two. A child that is gone has left its reason in the page; one
	 * that cannot be told sees the end of file, and gives up. */
	if (channel_send(s->channel.parent_fd, CHANNEL_GO) < 0 || !start_keeps_channel(s->plan))
		fd_close(&s->channel.parent_fd);
	return 0;
}
