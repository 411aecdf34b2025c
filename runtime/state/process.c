/*
 * Parent, and every command that asks for a container: is its first process still there, is it the
 * one that was recorded, and has it executed the program? Everything is read from /proc/PID/stat,
 * with the caller's rights; names, which a program chooses for itself, prove
 * nothing, but for that of hull's own process 1, which runs nothing of the container.
 */
#include "state/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "base/str.h"
#include "cgroup/cgroup.h"
#include "cgroup/enter.h"
#include "cgroup/events.h"

/* Fields of /proc/PID/stat, counted as in proc_pid_stat(5). */
#define FIELD_NAME  2
#define FIELD_FLAGS 9
#define FIELD_START 22

/*
 * PF_FORKNOEXEC: the kernel sets it by fork, clears it by execve before it closes descriptors, and
 * lets nobody else touch it; a zombie keeps it.
 */
#define FLAG_NOT_EXECUTED 0x40

struct process_stat {
	bool is_init;      /* field 2: hull's own process 1, whose child has executed */
	bool has_executed; /* from field 9 */
	uint64_t start;    /* field 22: clock ticks after boot */
};

/* `text` begins at the bracket that ends the name. */
static int parse_number(const char *text, int field, uint64_t *ret)
{
	char number[24];
	for (int at = FIELD_NAME; text && at < field; at++)
		text = strchr(text + 1, ' ');
	size_t n = text ? strcspn(text + 1, " ") : sizeof(number);
	if (n >= sizeof(number))
		return -EINVAL;
	memcpy(number, text + 1, n);
	number[n] = '\0';
	return str_to_u64(number, UINT64_MAX, ret);
}

/* The name may hold blanks and brackets. */
static int read_stat(pid_t pid, struct process_stat *ret)
{
	char path[32], text[1024];
	uint64_t flags = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int r = fd_read_value(AT_FDCWD, path, text, sizeof(text));
	if (r < 0)
		return r;
	const char *s = strrchr(text, ')');
	if (!s || s[1] != ' ')
		return -EINVAL;
	const char *name = strchr(text, '(') + 1;
	ret->is_init = (size_t)(s - name) == strlen(STATE_INIT_NAME) &&
		       str_has_prefix(name, STATE_INIT_NAME);
	r = parse_number(s, FIELD_FLAGS, &flags);
	ret->has_executed = !(flags & FLAG_NOT_EXECUTED);
	return r < 0 ? r : parse_number(s, FIELD_START, &ret->start);
}

int state_has_executed(pid_t pid, uint64_t pid_start)
{
	struct process_stat stat;
	int r = read_stat(pid, &stat);
	if (r == -ENOENT || r == -ESRCH)
		return 1;
	if (r < 0)
		return r;
	return (pid_start && stat.start != pid_start) || stat.has_executed;
}

/* From linux/pidfd.h of 6.15; older headers lack it. */
struct process_info {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_status;
};
#define PROCESS_GET_INFO  _IOWR(0xff, 11, struct process_info)
#define PROCESS_INFO_EXIT (UINT64_C(1) << 3)

int state_end_signal(int pidfd)
{
	struct process_info info = { .mask = PROCESS_INFO_EXIT };
	if (ioctl(pidfd, PROCESS_GET_INFO, &info) < 0 || !(info.mask & PROCESS_INFO_EXIT))
		return 0;
	return WIFSIGNALED(info.exit_status) ? WTERMSIG(info.exit_status) : 0;
}

/*
 * This boot, and the namespaces of this process in which numbers of processes and their times have
 * a meaning: the same numbers elsewhere are other processes. 0 for one that the kernel does not
 * have.
 */
struct here {
	char boot_id[64];
	uint64_t pid_ns, time_ns;
	int ns_code; /* -errno: the namespaces cannot be told */
};

static int read_namespaces(struct here *ret)
{
	struct stat st;
	if (fstatat(AT_FDCWD, "/proc/self/ns/pid", &st, 0) < 0)
		return -errno;
	ret->pid_ns = st.st_ino;
	if (fstatat(AT_FDCWD, "/proc/self/ns/time", &st, 0) < 0) {
		st.st_ino = 0;
		if (errno != ENOENT)
			return -errno;
	}
	ret->time_ns = st.st_ino;
	return 0;
}

/* Read once: none of it changes for a process, and only the parent asks. 0 or -errno of the boot.
 */
static int get_here(const struct here **ret)
{
	static struct here here;
	static bool is_known;

	*ret = &here;
	if (is_known)
		return 0;
	int r = fd_read_value(AT_FDCWD, "/proc/sys/kernel/random/boot_id", here.boot_id,
			      sizeof(here.boot_id));
	if (r < 0)
		return r;
	here.ns_code = read_namespaces(&here);
	is_known = here.ns_code == 0;
	return 0;
}

int state_identify(struct state *state, pid_t pid, struct arena *arena, struct err *err)
{
	const struct here *here;
	struct process_stat stat;
	/* A child that has failed already is a zombie; that is for its parent to find out. */
	int r = read_stat(pid, &stat);
	if (r == 0)
		r = get_here(&here);
	if (r == 0)
		r = here->ns_code;
	if (r < 0)
		return err_sys(err, -r, "cannot identify the container's process");
	state->pid = pid;
	state->pid_start = stat.start;
	state->pid_ns = here->pid_ns;
	state->time_ns = here->time_ns;
	state->boot_id = arena_strdup(arena, here->boot_id);
	return 0;
}

/*
 * -ESRCH: it was in another boot; -EXDEV: what the number means, or the time, cannot be told from
 * here.
 */
static int check_here(const struct state *state, bool has_process)
{
	const struct here *here;
	int r = get_here(&here);
	if (r < 0)
		return r;
	if (!str_eq(here->boot_id, state->boot_id))
		return -ESRCH;
	if (!state->pid_ns)
		return 0;
	if (here->ns_code < 0 || here->pid_ns != state->pid_ns)
		return -EXDEV;
	return has_process && here->time_ns != state->time_ns ? -EXDEV : 0;
}

/*
 * 0 and the process, which cannot become another one any more; -ESRCH: it is gone. One that is dead
 * but not waited for keeps its number, and does not count as there. Its letter would not tell: it
 * is the first thread's, which may have ended while others go on.
 */
static int find_process(const struct state *state, int *ret_pidfd, struct process_stat *ret)
{
	if (state->pid <= 0 || !state->boot_id)
		return -ESRCH;
	/* First the descriptor, then the check: what it refers to cannot change any more. */
	_cleanup_close_ int pidfd = pidfd_open(state->pid, 0);
	int code = pidfd < 0 ? errno : 0;
	int r = check_here(state, code == 0);
	if (r < 0)
		return r;
	r = code ? -code : read_stat(state->pid, ret);
	/* No such process, or the number is a thread's by now. */
	if (r == -ESRCH || r == -ENOENT || r == -EINVAL)
		return -ESRCH;
	if (r < 0)
		return r;
	if (ret->start != state->pid_start || pidfd_is_dead(pidfd))
		return -ESRCH;
	*ret_pidfd = fd_take(&pidfd);
	return 0;
}

/* Its cgroup means the same everywhere. One that is not there may be out of sight. */
static bool has_nobody(const struct state *state)
{
	_cleanup_close_ int fd = -EBADF;
	return state->cgroup && cgroup_find(state->cgroup, &fd, NULL) == 0 &&
	       cgroup_read_event(fd, 0, "cgroup.events", "populated") == 0;
}

int state_open_process(const struct state *state, int *ret_pidfd)
{
	struct process_stat stat;
	return find_process(state, ret_pidfd, &stat);
}

int state_process_unknown(const struct state *state, int code, struct err *err)
{
	if (code != EXDEV)
		return err_sys(err, code, "cannot find the container's process %d",
			       (int)state->pid);
	err_say(err, ERR_HOST, EXDEV,
		"cannot find the container's process %d: it was started in another pid or time "
		"namespace",
		(int)state->pid);
	err_hint(err, "do it from where the container was started");
	return -EXDEV;
}

/* Process 1 of hull's own has executed nothing. */
static bool has_executed(const struct state *state, const struct process_stat *stat)
{
	return state->has_init ? stat->is_init : stat->has_executed;
}

int state_is_running(const struct state *state)
{
	_cleanup_close_ int pidfd = -EBADF;
	struct process_stat stat;
	int r = find_process(state, &pidfd, &stat);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	return has_executed(state, &stat);
}

enum state_status state_status_now(const struct state *state, int *ret_pidfd)
{
	_cleanup_close_ int pidfd = -EBADF;
	struct process_stat stat;

	if (ret_pidfd)
		*ret_pidfd = -EBADF;
	if (state->status == STATE_STOPPED)
		return STATE_STOPPED;
	if (state->status == STATE_CREATING && state->pid == 0)
		return STATE_CREATING;
	int r = find_process(state, &pidfd, &stat);
	if (r == 0 && ret_pidfd)
		*ret_pidfd = fd_take(&pidfd);
	if (r == -ESRCH || (r == -EXDEV && has_nobody(state)))
		return STATE_STOPPED;
	/* Another failure says nothing about the process: then it counts as there. */
	if (state->status == STATE_CREATING && (r < 0 || has_executed(state, &stat)))
		return STATE_RUNNING;
	if (state->status == STATE_CREATING && state->has_gate)
		return STATE_CREATED;
	return state->status;
}
