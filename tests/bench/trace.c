/*
 * The tracing run of the benchmark. The command is seized before it starts and every task that it
 * makes is followed; timing is not taken here, since each system call stops twice.
 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)

/* Waits for the tracer, so that it is there before the first instruction of the command. */
static void child(char *const argv[], const int gate[2])
{
	char byte;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	close(gate[1]);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		_exit(126);
	if (read(gate[0], &byte, 1) != 1)
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

static unsigned long peak_of(pid_t pid)
{
	char path[64];
	char line[256];
	unsigned long kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL && sscanf(line, "VmHWM: %lu", &kb) != 1)
		continue;
	fclose(f);
	return kb;
}

static int runs_program(pid_t pid, const struct stat *program)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	/* Not by device and inode: an overlay and a copy have others of the same file. */
	return stat(path, &st) == 0 && st.st_size == program->st_size &&
	       st.st_mtim.tv_sec == program->st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == program->st_mtim.tv_nsec;
}

static int is_call_entry(pid_t pid)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* A stop of one task: counts, and lets it go on, for good once it is the container's program. */
static void step(pid_t pid, int status, pid_t root, const struct stat *program, struct trace *t)
{
	int event = status >> 16;
	int signal = WSTOPSIG(status);

	switch (event) {
	case 0:
		if (signal == (SIGTRAP | 0x80)) {
			t->calls += (unsigned long)is_call_entry(pid);
			signal = 0;
		}
		break;
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		t->tasks++;
		signal = 0;
		break;
	case PTRACE_EVENT_EXEC:
		if (runs_program(pid, program)) {
			ptrace(PTRACE_DETACH, pid, NULL, NULL);
			return;
		}
		signal = 0;
		break;
	case PTRACE_EVENT_EXIT:
		if (pid == root)
			t->peak_kb = peak_of(pid);
		signal = 0;
		break;
	default:
		signal = 0;
		break;
	}
	ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)signal);
}

/* Until the command and all that it left are gone. */
static int follow(pid_t root, const struct stat *program, struct trace *t)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return errno == ECHILD ? 0 : -errno;
		if (WIFSTOPPED(status))
			step(pid, status, root, program, t);
		else if (pid == root)
			t->status = status;
	}
}

int trace_run(char *const argv[], const struct stat *program, struct trace *ret)
{
	struct trace t = { .tasks = 1, .status = -1 };
	int gate[2];
	pid_t pid;
	int r;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		child(argv, gate);
	close(gate[0]);
	r = pid < 0 ? -errno : 0;
	if (r == 0 && ptrace(PTRACE_SEIZE, pid, NULL, (void *)(intptr_t)OPTIONS) < 0)
		r = -errno;
	if (r == 0 && write(gate[1], "", 1) != 1)
		r = -errno;
	close(gate[1]);
	if (r == 0)
		r = follow(pid, program, &t);
	if (r == 0)
		*ret = t;
	return r;
}
