/*
 * The listener of seccomp (listener.h), in the parent with the caller's rights, and in the child
 * with those of its program, between the first part of the filter and execve.
 *
 * Must not: let an agent that does not read hold up the start; make a system call in the
 * child that nobody could answer, or that it does not need.
 */
#include "start/listener.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "start/steps.h"

#define LISTENER_SEND_MS 5000
#define LISTENER_EXEC_MS 10000

void listener_init(struct listener *listener)
{
	*listener = (struct listener) { .socket_fd = -EBADF };
}

void listener_done(struct listener *listener)
{
	fd_close(&listener->socket_fd);
}

/* ---- parent ---- */

/*
 * The container process state (S-217). Of a container that is made the status is "creating", also
 * by `start`: by that agents tell it from one more process, which comes to a "running" one.
 */
static void print_state(const struct start *s, struct str *ret)
{
	enum state_status status = s->plan->flags & PLAN_EXEC ? STATE_RUNNING : STATE_CREATING;
	struct json_out o;

	json_out_init(&o, ret, JSON_OUT_COMPACT);
	json_out_object(&o);
	json_out_member(&o, "ociVersion", STATE_OCI_VERSION);
	json_out_key(&o, "fds");
	json_out_array(&o);
	json_out_string(&o, "seccompFd");
	json_out_array_end(&o);
	json_out_key(&o, "pid");
	json_out_int(&o, s->pid);
	if (s->plan->listener.metadata)
		json_out_member(&o, "metadata", s->plan->listener.metadata);
	json_out_key(&o, "state");
	state_put_public(&o, &s->state, status);
	json_out_object_end(&o);
}

static int await_room(int fd, int64_t deadline)
{
	struct pollfd peer = { .fd = fd, .events = POLLOUT };
	int64_t left = deadline - clock_ms();
	if (left <= 0 || poll(&peer, 1, (int)left) == 0)
		return -ETIMEDOUT;
	return 0; /* an error of poll is met again by who sends */
}

/* The descriptor goes with the first bytes, and with no others (S-218). */
static int send_all(int fd, const char *text, size_t size, int sent)
{
	int64_t deadline = clock_ms() + LISTENER_SEND_MS;

	while (size > 0) {
		ssize_t n = channel_send_some(fd, text, size, sent);
		if (n == -EAGAIN)
			n = await_room(fd, deadline);
		else if (n > 0)
			sent = -EBADF;
		if (n < 0)
			return (int)n;
		text += n;
		size -= (size_t)n;
	}
	return 0;
}

static int send_failed(const struct start *s, int code, struct err *err)
{
	err_sys(err, code, "cannot send the seccomp listener to the agent at '%s'",
		s->plan->listener.path);
	if (code == ETIMEDOUT)
		err_hint(err, "it does not read what it is sent");
	else if (code == EPIPE || code == ECONNRESET)
		err_hint(err, "it has hung up before it was told of the container");
	err_at(err, s->plan->listener.at);
	err_step(err, "seccomp listener");
	return -code;
}

int listener_serve(struct start *s, int *take_fd, struct err *err)
{
	_cleanup_close_ int socket = fd_take(&s->listener.socket_fd);
	_cleanup_close_ int listener = fd_take(take_fd);
	struct str text;

	if (listener < 0 || socket < 0) /* it says so once */
		return err_say(err, ERR_INTERNAL, EPROTO, "the seccomp listener got lost");
	str_init(&text, s->arena);
	print_state(s, &text);
	int r = send_all(socket, text.text, text.used, listener);
	if (r < 0)
		return send_failed(s, -r, err);
	if (s->plan->listener.hears_of_exec)
		s->listener.deadline = clock_ms() + LISTENER_EXEC_MS;
	r = channel_tell(&s->channel, CHANNEL_GO, -EBADF);
	if (r < 0)
		return err_sys(err, -r, "cannot tell the container that its agent knows of it");
	return 0;
}

int listener_prepare(const struct start *s, int timeout)
{
	if (!s->listener.deadline)
		return timeout;
	int64_t left = s->listener.deadline - clock_ms();
	left = left < 0 ? 0 : left;
	return timeout < 0 || left < timeout ? (int)left : timeout;
}

int listener_check(const struct start *s, struct err *err)
{
	if (!s->listener.deadline || clock_ms() < s->listener.deadline)
		return 0;
	err_say(err, ERR_BUSY, ETIMEDOUT, "the agent at '%s' does not let the program be executed",
		s->plan->listener.path);
	err_hint(err, "SCMP_ACT_NOTIFY stands for execve, too, and it has not answered within %d s",
		 LISTENER_EXEC_MS / 1000);
	err_at(err, s->plan->listener.at);
	err_step(err, "seccomp listener");
	return -ETIMEDOUT;
}

/* ---- child ---- */

/*
 * An agent that is asked may not answer, and exit_group may be forbidden: then an instruction that
 * is none ends the process.
 */
_Noreturn void listener_exit(const struct start *s)
{
	if (!s->plan->listener.hears_of_exit)
		(void)syscall(SYS_exit_group, 1);
	__builtin_trap();
}

/* By the call that the plan has found nobody to be notified of; no other is made here. */
static bool give_away(const struct start *s, int listener)
{
	char byte = CHANNEL_LISTENER;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union channel_one_fd control = { .header = { 0 } };
	struct mmsghdr message = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	int fd = s->channel.child_fd;

	channel_put_fd(&message.msg_hdr, &control, listener);
	if (s->plan->listener.send_call == SYS_sendmmsg)
		return syscall(SYS_sendmmsg, fd, &message, 1, MSG_NOSIGNAL) == 1;
	return syscall(SYS_sendmsg, fd, &message.msg_hdr, MSG_NOSIGNAL) == 1;
}

/* The end of file is the end of hull, and of the start. */
static bool await_word(const struct start *s)
{
	char byte = 0;
	int fd = s->channel.child_fd;
	long n = s->plan->listener.wait_call == SYS_read
			 ? syscall(SYS_read, fd, &byte, 1)
			 : syscall(SYS_recvfrom, fd, &byte, 1, 0, NULL, NULL);
	return n == 1 && byte == CHANNEL_GO;
}

int listener_install(struct start *s, struct err *err)
{
	int listener = seccomp_listen(&s->listener.parts.notify);
	if (listener < 0) {
		err_sys(err, -listener, "cannot load the seccomp filter");
		if (listener == -EBUSY)
			err_hint(err, "hull is itself watched by a seccomp agent, and the kernel "
				      "takes one at a time");
		else if (listener == -EMFILE)
			err_hint(err, "RLIMIT_NOFILE of process.rlimits has no room for the "
				      "listener, which the program does not get");
		return listener;
	}
	int r = give_away(s, listener) && await_word(s) ? seccomp_install(&s->listener.parts.rest)
							: -ECANCELED;
	if (r == 0)
		return 0;
	if (r == -ECANCELED)
		(void)!channel_given_up(err);
	else
		err_sys(err, -r, "cannot load the seccomp filter");
	err_step(err, "exec");
	listener_exit(s);
}
