/* The page and the socket pair between parent and child. Used by both; the child never allocates.
 */
#include "start/channel.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"

#define RECEIVE_TRIES    100
#define RECEIVE_PAUSE_NS 10000000

int channel_open(struct channel *ret, struct err *err)
{
	int fds[2];

	*ret = (struct channel) { .parent_fd = -EBADF, .child_fd = -EBADF };
	void *page = mmap(NULL, sizeof(struct channel_page), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return err_sys(err, errno, "cannot make the memory shared with the container");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		int code = errno;
		munmap(page, sizeof(struct channel_page));
		return err_sys(err, code, "cannot make the socket to the container");
	}
	ret->page = page;
	ret->parent_fd = fds[0];
	ret->child_fd = fds[1];
	return 0;
}

void channel_close(struct channel *c)
{
	fd_close(&c->parent_fd);
	fd_close(&c->child_fd);
	if (c->page)
		munmap(c->page, sizeof(*c->page));
	c->page = NULL;
}

bool channel_error(const struct channel *c, struct err *ret)
{
	return err_take_shared(ret, &c->page->err) < 0;
}

void channel_program(const struct channel *c, char ret[static PATH_MAX])
{
	memcpy(ret, c->page->program, PATH_MAX);
	ret[PATH_MAX - 1] = '\0';
}

/* ECHILD is said of everybody else's processes. */
static pid_t own_child(pid_t pid)
{
	siginfo_t info;
	if (pid <= 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return 0;
	return pid;
}

pid_t channel_moved(const struct channel *c)
{
	return own_child(atomic_load(&c->page->moved_pid));
}

pid_t channel_staged(const struct channel *c)
{
	return own_child(c->page->staged_pid);
}

void channel_keep_parent(struct channel *c)
{
	fd_close(&c->child_fd);
}

void channel_keep_child(struct channel *c)
{
	fd_close(&c->parent_fd);
}

int channel_send(int fd, enum channel_message message)
{
	char byte = (char)message;
	ssize_t n;
	do
		n = send(fd, &byte, 1, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : n < 0 ? -errno : -EIO;
}

int channel_tell(const struct channel *c, enum channel_message message, int sent)
{
	int r = sent < 0 ? channel_send(c->parent_fd, message)
			 : channel_send_fd(c->parent_fd, message, sent);
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

int channel_given_up(struct err *err)
{
	return err_say(err, ERR_INTERNAL, ECANCELED, "hull gave up the start");
}

/* Want of memory passes, or it does not; the message stays where it is. */
static bool may_pass(int code, unsigned *tries)
{
	const struct timespec pause = { .tv_nsec = RECEIVE_PAUSE_NS };

	if (code == EINTR)
		return true;
	if (code != ENOMEM || *tries == 0)
		return false;
	(*tries)--;
	(void)nanosleep(&pause, NULL);
	return true;
}

enum channel_message channel_receive(int fd)
{
	unsigned tries = RECEIVE_TRIES;
	char byte = 0;
	ssize_t n;
	do
		n = recv(fd, &byte, 1, 0);
	while (n < 0 && may_pass(errno, &tries));
	return n == 1 ? (enum channel_message)byte : CHANNEL_EOF;
}

void channel_put_fd(struct msghdr *message, union channel_one_fd *control, int sent)
{
	message->msg_control = control->room;
	message->msg_controllen = sizeof(control->room);
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &sent, sizeof(int));
}

ssize_t channel_send_some(int socket, const void *text, size_t size, int sent)
{
	union channel_one_fd control = { .header = { 0 } };
	struct iovec iov = { .iov_base = (void *)text, .iov_len = size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (sent >= 0)
		channel_put_fd(&message, &control, sent);
	do
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int channel_send_text(int socket, const void *text, size_t size, int sent)
{
	ssize_t n = channel_send_some(socket, text, size, sent);
	return n == (ssize_t)size ? 0 : n < 0 ? (int)n : -EIO;
}

int channel_send_fd(int fd, enum channel_message message, int sent)
{
	char byte = (char)message;
	return channel_send_text(fd, &byte, 1, sent);
}

int channel_receive_text(int socket, void *text, size_t size, int *ret_fd)
{
	union channel_one_fd control;
	struct iovec iov = { .iov_base = text, .iov_len = size };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n;

	*ret_fd = -EBADF;
	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	if (n > 0 && !(message.msg_flags & MSG_CTRUNC)) /* else the kernel has closed the rest */
		return (int)n;
	fd_close(ret_fd);
	return -ECONNRESET;
}

int channel_receive_byte(int socket, char *ret_byte, int *ret_fd)
{
	int n = channel_receive_text(socket, ret_byte, 1, ret_fd);
	return n < 0 ? n : 0;
}

enum channel_message channel_receive_fd(int fd, int *ret_fd)
{
	char byte;
	return channel_receive_byte(fd, &byte, ret_fd) < 0 ? CHANNEL_EOF
							   : (enum channel_message)byte;
}
