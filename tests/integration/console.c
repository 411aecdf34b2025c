/*
 * console PATH COMMAND...: listens on a socket as an engine does for --console-socket, runs the
 * command, and only when that has ended or has sent something accepts the terminal. Prints the text
 * that came with it, how many descriptors came, and all that the terminal shows until its end. The
 * exit status is the command's; 99 after twenty seconds.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t command_pid;

static void too_late(int signal_number)
{
	(void)signal_number;
	if (command_pid > 0)
		kill(command_pid, SIGKILL);
	_exit(99);
}

/* The name is there when it can be connected to, not between bind and listen. */
static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s.new", path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0 || rename(address.sun_path, path) != 0)
		return -1;
	return fd;
}

/* The first descriptor of the one message, or -1. */
static int receive(int fd)
{
	char text[256] = { 0 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof(control.room) };
	int got = -1;

	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&got, CMSG_DATA(c), sizeof(got));
	printf("%s, descriptors: %zu\n", text, (c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	return got;
}

int main(int argc, char **argv)
{
	char buf[4096];
	ssize_t n;
	int status;

	if (argc < 3)
		return 2;
	int listener = listen_at(argv[1]);
	if (listener < 0) {
		perror(argv[1]);
		return 2;
	}
	signal(SIGALRM, too_late);
	alarm(20);
	command_pid = fork();
	if (command_pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	int connection = accept(listener, NULL, NULL);
	int master = receive(connection);
	fflush(stdout);
	while (master >= 0 && (n = read(master, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	if (waitpid(command_pid, &status, 0) < 0)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
