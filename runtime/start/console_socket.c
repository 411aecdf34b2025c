/*
 * Parent, stages 1 and 7: --console-socket. Whoever called hull listens on a socket and gets the
 * other side of the container's terminal there, as one message with the name that runc gives it;
 * no answer is waited for, since some callers accept only after hull has returned.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

#define CONSOLE_SOCKET_TIMEOUT_S 5
#define CONSOLE_SOCKET_NAME      "/dev/ptmx"

static const char *connect_hint(int code)
{
	switch (code) {
	case ENOENT:
		return "whoever wants the terminal must listen there before hull is called";
	case ECONNREFUSED:
		return "nobody listens on it any more";
	case EAGAIN:
		return "its listener has more connections waiting than it takes";
	case EPROTOTYPE:
		return "it must be a stream socket";
	default:
		return NULL;
	}
}

static int failed(const char *path, int code, struct err *err)
{
	err_sys(err, code, "cannot connect to the console socket '%s'", path);
	if (connect_hint(code))
		err_hint(err, "%s", connect_hint(code));
	return -code;
}

int console_socket_connect(struct start *s, struct err *err)
{
	const char *path = s->plan->terminal.socket;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = CONSOLE_SOCKET_TIMEOUT_S };
	struct stat st;

	if (!path)
		return 0;
	_cleanup_close_ int at = open(path, O_PATH | O_CLOEXEC);
	if (at < 0 || fstat(at, &st) < 0)
		return failed(path, errno, err);
	if (!S_ISSOCK(st.st_mode))
		return err_say(err, ERR_CONFIG, ENOTSOCK, "the console socket '%s' is no socket",
			       path);
	/* By descriptor: the path may be longer than the 107 bytes that an address holds. */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", at);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return failed(path, errno, err);
	s->tty.socket_fd = fd_take(&fd);
	return 0;
}

int console_socket_send(struct start *s, struct err *err)
{
	struct tty *tty = &s->tty;
	int r = tty->master_fd < 0
			? -EPROTO
			: channel_send_text(tty->socket_fd, CONSOLE_SOCKET_NAME,
					    sizeof(CONSOLE_SOCKET_NAME) - 1, tty->master_fd);
	if (r < 0)
		return err_sys(err, -r, "cannot send the terminal to the console socket '%s'",
			       s->plan->terminal.socket);
	fd_close(&tty->master_fd);
	fd_close(&tty->socket_fd);
	return 0;
}
