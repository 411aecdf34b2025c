/*
 * One run of a command under ptrace: how many system calls the runtime makes, how many tasks it
 * uses, and its peak memory. Part of the benchmark; needs the right to trace the command.
 */
#ifndef HULL_TESTS_BENCH_TRACE_H
#define HULL_TESTS_BENCH_TRACE_H

#include <sys/stat.h>

struct trace {
	unsigned long calls; /* of all tasks, from the runtime's start to its end, without what the
			      * container's program does after its execve */
	unsigned long tasks; /* processes and threads, the program's first one among them */
	unsigned long peak_kb; /* VmHWM of the runtime's own process as it ends */
	int status;            /* as of waitpid */
};

/*
 * Runs argv; `program` is the file that the container executes: a task that executes it is let
 * go. 0, or -errno.
 */
int trace_run(char *const argv[], const struct stat *program, struct trace *ret);

#endif
