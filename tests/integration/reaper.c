/*
 * reaper COMMAND...: an engine's monitor: it runs the command, and inherits whatever that leaves
 * behind. Prints "command STATUS", and then for each orphan that ends "orphan PID STATUS" (128 and
 * the number of a signal), until none is left. The exit status is 0; 99 after twenty seconds.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void too_late(int signal_number)
{
	(void)signal_number;
	_exit(99);
}

static int value_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 2 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ||
	    signal(SIGALRM, too_late) == SIG_ERR)
		return 98;
	alarm(20);
	pid_t command = fork();
	if (command == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (command < 0 || waitpid(command, &status, 0) != command)
		return 98;
	printf("command %d\n", value_of(status));
	fflush(stdout);
	for (pid_t pid; (pid = waitpid(-1, &status, 0)) > 0 || errno == EINTR;)
		if (pid > 0)
			printf("orphan %d %d\n", (int)pid, value_of(status));
	return 0;
}
