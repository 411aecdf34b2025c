/*
 * The loopback interface of a new network namespace exists, but is down. One RTM_NEWLINK request
 * and its acknowledgement bring it up. Runs in the child between clone and exec, with CAP_NET_ADMIN
 * over the new namespace: no allocation, and no wait without an end.
 */
#include "netns/netns.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "base/defer.h"

#define LOOPBACK_INDEX 1 /* the kernel registers lo first in every namespace (net/core/dev.c) */
#define LOOPBACK_SEQ   1 /* the socket carries one request */
#define ANSWER_MS      5000

/* Room for the request, and for an acknowledgement that quotes the request. */
union message {
	struct nlmsghdr header;
	char bytes[512];
};

static size_t build_request(union message *m)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(m->bytes);
	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = LOOPBACK_SEQ;
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(h, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = LOOPBACK_INDEX;
	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	return h->nlmsg_len;
}

static int send_request(int sock)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	union message m = { 0 };
	size_t size = build_request(&m);
	ssize_t n;
	do
		n = sendto(sock, m.bytes, size, 0, (const struct sockaddr *)&kernel,
			   sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Only the kernel, port 0, is believed. The number of bytes, or -errno. */
static ssize_t receive_once(int sock, union message *m)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_size = sizeof(from);
	ssize_t n = recvfrom(sock, m->bytes, sizeof(m->bytes), MSG_DONTWAIT | MSG_TRUNC,
			     (struct sockaddr *)&from, &from_size);
	if (n < 0)
		return -errno;
	if (from.nl_pid != 0)
		return -EAGAIN;
	return (size_t)n > sizeof(m->bytes) ? -EMSGSIZE : n;
}

/*
 * rtnetlink answers before sendto() returns, so that the answer is there at once; should that ever
 * change, it is waited for, but not for ever.
 */
static ssize_t receive_answer(int sock, union message *m)
{
	ssize_t n = receive_once(sock, m);
	if (n != -EAGAIN && n != -EINTR)
		return n;
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int ready = poll(&p, 1, ANSWER_MS);
	if (ready < 0)
		return -errno;
	return ready == 0 ? -ETIMEDOUT : receive_once(sock, m);
}

static int request_up(void)
{
	_cleanup_close_ int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (sock < 0)
		return -errno;
	int r = send_request(sock);
	if (r < 0)
		return r;
	union message answer;
	ssize_t n = receive_answer(sock, &answer);
	if (n < 0)
		return (int)n;
	/* The acknowledgement stops the run; anything but it is not an answer to this request. */
	r = mnl_cb_run(answer.bytes, (size_t)n, LOOPBACK_SEQ, 0, NULL, NULL);
	if (r < 0)
		return -errno;
	return r == MNL_CB_STOP ? 0 : -EPROTO;
}

int netns_loopback_up(struct err *err)
{
	int r = request_up();
	if (r == 0)
		return 0;
	err_sys(err, -r, "cannot bring up the loopback interface of the new network namespace");
	if (r == -EPERM)
		err_hint(err, "this takes CAP_NET_ADMIN in the user namespace that owns it");
	return r;
}
