/*
 * engine PIDFILE COMMAND... [-- COMMAND...]...: calls a runtime as engines do. It is a subreaper,
 * dies with its own parent (as conmon has its runtimes do), runs the commands one after the other
 * until one fails, and says "N" for each exit status; then it waits for the process of the pid file
 * as for a child of its own and says "container exited N" or "container killed N". All on file
 * descriptor 9, since 0 to 2 are the container's. The exit status is that of the last command; 99
 * after twenty seconds, with the container killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAY_FD 9

static volatile pid_t command_pid, container_pid;

static void too_late(int signal_number)
{
	(void)signal_number;
	if (command_pid > 0)
		kill(command_pid, SIGKILL);
	if (container_pid > 0)
		kill(container_pid, SIGKILL);
	_exit(99);
}

static int run(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(SAY_FD);
		execv(argv[0], argv);
		_exit(127);
	}
	command_pid = pid;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 126;
	command_pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The number as engines read it: the whole file, nothing else in it. */
static pid_t read_pid(const char *path)
{
	char text[32] = { 0 }, *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	long pid = n > 0 ? strtol(text, &end, 10) : 0;
	return n > 0 && *end == '\0' && pid > 0 ? (pid_t)pid : 0;
}

static void await_container(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		dprintf(SAY_FD, "container is no child: %s\n", strerror(errno));
	else if (WIFEXITED(status))
		dprintf(SAY_FD, "container exited %d\n", WEXITSTATUS(status));
	else
		dprintf(SAY_FD, "container killed %d\n", WTERMSIG(status));
}

int main(int argc, char **argv)
{
	int result = 0;
	char **command = argv + 2;

	signal(SIGALRM, too_late);
	alarm(20);
	if (argc < 3 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return 98;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (result == 0 && *command) {
		char **end = command;
		while (*end && strcmp(*end, "--") != 0)
			end++;
		char **next = *end ? end + 1 : end;
		*end = NULL;
		result = run(command);
		dprintf(SAY_FD, "%d\n", result);
		container_pid = read_pid(argv[1]);
		command = next;
	}
	if (container_pid > 0)
		await_container(container_pid);
	else
		dprintf(SAY_FD, "no container\n");
	return result;
}
