/*
 * Parent, stages 1 and 7: --console-socket and --pidfd-socket, and the agent of seccomp
 * (listener.h). Whoever called hull listens on a socket and gets the other side of the container's
 * terminal there, or a pidfd of its first process, as one message with the text that runc sends
 * along; no answer is waited for, since some callers accept only after hull has returned.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "start/fail.h"

#define SOCKET_TIMEOUT_S 5
#define TERMINAL_TEXT    "/dev/ptmx"
#define PIDFD_TEXT       "standard"
#define PIDFD_TEXT_EXEC  "setns"
#define AGENT            "seccomp agent's"

static const char *connect_hint(int code)
{
	switch (code) {
	case ENOENT:
		return "whoever wants it must listen there before hull is called";
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

static int failed(const char *what, const char *path, int code, struct err *err)
{
	err_sys(err, code, "cannot connect to the %s socket '%s'", what, path);
	if (connect_hint(code))
		err_hint(err, "%s", connect_hint(code));
	return -code;
}

static int find(const char *what, const char *path, int *ret_fd, struct err *err)
{
	struct stat st;
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return failed(what, path, errno, err);
	if (!S_ISSOCK(st.st_mode))
		return err_say(err, ERR_CONFIG, ENOTSOCK, "the %s socket '%s' is no socket", what,
			       path);
	*ret_fd = fd_take(&fd);
	return 0;
}

static int connect_to(const char *what, const char *path, int *ret_fd, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = SOCKET_TIMEOUT_S };
	_cleanup_close_ int at = -EBADF;

	if (!path)
		return 0;
	int r = find(what, path, &at, err);
	if (r < 0)
		return r;
	/* By descriptor: the path may be longer than the 107 bytes that an address holds. */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", at);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return failed(what, path, errno, err);
	*ret_fd = fd_take(&fd);
	return 0;
}

int find_agent(const struct plan_listener *listener, struct err *err)
{
	_cleanup_close_ int found = -EBADF;
	int r = find(AGENT, listener->path, &found, err);
	if (r < 0)
		err_at(err, listener->at);
	return r;
}

/* Not to be held up when the agent takes no more than what the connection has room for. */
static int connect_agent(struct start *s, struct err *err)
{
	int r = connect_to(AGENT, s->plan->listener.path, &s->listener.socket_fd, err);
	if (r == 0 && s->listener.socket_fd >= 0 &&
	    fcntl(s->listener.socket_fd, F_SETFL, O_NONBLOCK) < 0)
		r = err_sys(err, errno, "cannot set up the %s socket", AGENT);
	return r;
}

int caller_sockets_connect_agent(struct start *s, struct err *err)
{
	const struct plan_listener *listener = &s->plan->listener;
	if (!listener->is_wanted)
		return 0;
	/* It hears of the container by one connection, which will be that of `start`. */
	if (s->plan->flags & PLAN_CREATE && !s->state.has_gate)
		return find_agent(listener, err);
	int r = connect_agent(s, err);
	if (r < 0)
		err_at(err, listener->at);
	return r;
}

int caller_sockets_connect(struct start *s, struct err *err)
{
	int r = connect_to("console", s->plan->terminal.socket, &s->tty.socket_fd, err);
	if (r == 0)
		r = connect_to("pidfd", s->pidfd_socket, &s->pidfd_socket_fd, err);
	return r < 0 ? r : caller_sockets_connect_agent(s, err);
}

int console_socket_send(struct start *s, struct err *err)
{
	struct tty *tty = &s->tty;
	int r = tty->master_fd < 0 ? -EPROTO
				   : channel_send_text(tty->socket_fd, TERMINAL_TEXT,
						       sizeof(TERMINAL_TEXT) - 1, tty->master_fd);
	if (r < 0)
		return err_sys(err, -r, "cannot send the terminal to the console socket '%s'",
			       s->plan->terminal.socket);
	fd_close(&tty->master_fd);
	fd_close(&tty->socket_fd);
	return 0;
}

int pidfd_socket_send(struct start *s, struct err *err)
{
	if (s->pidfd_socket_fd < 0)
		return 0;
	const char *text = s->plan->flags & PLAN_EXEC ? PIDFD_TEXT_EXEC : PIDFD_TEXT;
	int r = channel_send_text(s->pidfd_socket_fd, text, strlen(text), s->pidfd);
	if (r < 0)
		return err_sys(err, -r, "cannot send a pidfd to the socket '%s'", s->pidfd_socket);
	fd_close(&s->pidfd_socket_fd);
	return 0;
}
