/* The socket between parent and child: a message, and at most one descriptor with it. */
#include "start/channel.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"

static unsigned open_fds(void)
{
	unsigned n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_one(void **state)
{
	struct channel c;
	int got = -EBADF;
	(void)state;

	assert_int_equal(channel_open(&c, NULL), 0);
	assert_int_equal(channel_send_fd(c.child_fd, CHANNEL_TERMINAL, c.child_fd), 0);
	assert_int_equal(channel_receive_fd(c.parent_fd, &got), CHANNEL_TERMINAL);
	assert_true(got >= 0);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	fd_close(&got);
	assert_int_equal(channel_send(c.child_fd, CHANNEL_READY), 0);
	assert_int_equal(channel_receive_fd(c.parent_fd, &got), CHANNEL_READY);
	assert_int_equal(got, -EBADF);
	channel_keep_parent(&c);
	assert_int_equal(channel_receive_fd(c.parent_fd, &got), CHANNEL_EOF);
	channel_close(&c);
}

/* Who does not want a descriptor does not get one into its table. */
static void test_unwanted(void **state)
{
	struct channel c;
	(void)state;

	assert_int_equal(channel_open(&c, NULL), 0);
	unsigned before = open_fds();
	assert_int_equal(channel_send_fd(c.child_fd, CHANNEL_TERMINAL, c.child_fd), 0);
	assert_int_equal(channel_receive(c.parent_fd), CHANNEL_TERMINAL);
	assert_int_equal(open_fds(), before);
	channel_close(&c);
}

static void send_two(int socket)
{
	int two[2] = { socket, socket };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(two))];
	} control = { .header = { 0 } };
	char byte = CHANNEL_TERMINAL;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(two));
	memcpy(CMSG_DATA(c), two, sizeof(two));
	assert_int_equal(sendmsg(socket, &message, 0), 1);
}

static void test_two(void **state)
{
	struct channel c;
	int got = 7;
	(void)state;

	assert_int_equal(channel_open(&c, NULL), 0);
	unsigned before = open_fds();
	send_two(c.child_fd);
	assert_int_equal(channel_receive_fd(c.parent_fd, &got), CHANNEL_EOF);
	assert_int_equal(got, -EBADF);
	assert_int_equal(open_fds(), before);
	channel_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_unwanted),
		cmocka_unit_test(test_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
