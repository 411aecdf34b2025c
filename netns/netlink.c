/*
 * Building a message of rtnetlink, sending it, and reading the answer: the only place that knows
 * how one looks. Parent, with the caller's privilege; bounded in size and time, no allocation.
 */
#include "netns/netlink.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/fd.h"

#define NETLINK_ANSWER_SIZE 32768 /* what the kernel sends at once at most */
#define NETLINK_ANSWERS_MAX 65536
#define NETLINK_SECONDS     10
#define NETLINK_TRIES       16 /* for a list that changes while it is read */
#define RETURN_TRIES        3

/* ---- the socket ---- */

static int open_socket(int *ret_fd)
{
	static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
	const struct timeval limit = { .tv_sec = NETLINK_SECONDS };
	const int on = 1;

	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (setsockopt(fd, SOL_NETLINK, options[i], &on, sizeof(on)) < 0)
			return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	*ret_fd = fd_take(&fd);
	return 0;
}

int netlink_open(struct netlink *ret, struct err *err)
{
	*ret = (struct netlink) { .fd = -EBADF };
	int r = open_socket(&ret->fd);
	return r < 0 ? err_sys(err, -r, "cannot ask the kernel about the network") : 0;
}

/* What hull does from here on it would do there, so it is tried more than once. */
static int come_back(int own)
{
	int r = -EIO;
	for (int i = 0; r < 0 && i < RETURN_TRIES; i++)
		r = setns(own, CLONE_NEWNET) < 0 ? -errno : 0;
	return r;
}

/* There and back: hull has one thread, and does nothing in between but to open the socket. */
int netlink_open_in(struct netlink *ret, int namespace_fd, struct err *err)
{
	*ret = (struct netlink) { .fd = -EBADF };
	_cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return err_sys(err, errno, "cannot open hull's own network namespace");
	if (setns(namespace_fd, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "cannot enter the container's network namespace");
	int r = open_socket(&ret->fd);
	int back = come_back(own);
	if (back < 0) {
		netlink_close(ret);
		err_sys(err, -back, "cannot return to hull's own network namespace");
		return -EXDEV;
	}
	return r < 0 ? err_sys(err, -r, "cannot ask the kernel about the container's network") : 0;
}

void netlink_close(struct netlink *nl)
{
	fd_close(&nl->fd);
}

/* ---- building ---- */

/* A message that is full has a length that cannot be, and stays so. */
static bool is_full(const struct netlink_message *m)
{
	return m->header.nlmsg_len > sizeof(m->bytes);
}

void *netlink_put_bytes(struct netlink_message *m, size_t size)
{
	size_t at = NLMSG_ALIGN(m->header.nlmsg_len);
	if (is_full(m) || size > sizeof(m->bytes) || at + NLMSG_ALIGN(size) > sizeof(m->bytes)) {
		m->header.nlmsg_len = UINT32_MAX;
		return m->bytes + sizeof(m->header); /* of what is not sent */
	}
	m->header.nlmsg_len = (uint32_t)(at + NLMSG_ALIGN(size));
	return m->bytes + at;
}

void *netlink_begin(struct netlink_message *m, uint16_t type, unsigned flags, size_t size)
{
	memset(m, 0, sizeof(*m));
	m->header.nlmsg_len = NLMSG_HDRLEN;
	m->header.nlmsg_type = type;
	m->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	if ((flags & NLM_F_DUMP) != NLM_F_DUMP) /* NLM_F_EXCL is one of its two bits */
		m->header.nlmsg_flags |= NLM_F_ACK;
	return netlink_put_bytes(m, size);
}

void netlink_put(struct netlink_message *m, uint16_t type, const void *data, size_t size)
{
	struct rtattr *attr = netlink_put_bytes(m, RTA_LENGTH(size));
	if (is_full(m))
		return;
	attr->rta_type = type;
	attr->rta_len = (uint16_t)RTA_LENGTH(size);
	if (size > 0)
		memcpy(RTA_DATA(attr), data, size);
}

void netlink_put_u32(struct netlink_message *m, uint16_t type, uint32_t value)
{
	netlink_put(m, type, &value, sizeof(value));
}

void netlink_put_text(struct netlink_message *m, uint16_t type, const char *text)
{
	netlink_put(m, type, text, strlen(text) + 1);
}

struct rtattr *netlink_nest(struct netlink_message *m, uint16_t type)
{
	char *at = m->bytes + NLMSG_ALIGN(is_full(m) ? 0 : m->header.nlmsg_len);
	netlink_put(m, type | NLA_F_NESTED, NULL, 0);
	return (struct rtattr *)(void *)at;
}

void netlink_nest_end(struct netlink_message *m, struct rtattr *nest)
{
	if (!is_full(m))
		nest->rta_len = (uint16_t)(m->bytes + m->header.nlmsg_len - (char *)nest);
}

/* ---- asking ---- */

/* Behind an answer's error: the kernel's words (NETLINK_EXT_ACK). */
static void keep_words(struct netlink *nl, const struct nlmsghdr *answer)
{
	const struct rtattr *table[NLMSGERR_ATTR_MAX + 1];
	const struct nlmsgerr *e = NLMSG_DATA(answer);
	size_t echo = answer->nlmsg_flags & NLM_F_CAPPED || e->msg.nlmsg_len < sizeof(e->msg)
			      ? 0
			      : e->msg.nlmsg_len - sizeof(e->msg);

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	netlink_parse(answer, sizeof(*e) + NLMSG_ALIGN(echo), table, ARRAY_SIZE(table));
	netlink_text(table[NLMSGERR_ATTR_MSG], nl->words, sizeof(nl->words));
}

/* 1: the answer goes on; 0 or -errno: it has ended so. */
static int read_end(struct netlink *nl, const struct nlmsghdr *answer)
{
	int code = 0;
	if (answer->nlmsg_type != NLMSG_ERROR && answer->nlmsg_type != NLMSG_DONE)
		return 1;
	if (answer->nlmsg_len < NLMSG_LENGTH(sizeof(code)))
		return answer->nlmsg_type == NLMSG_DONE ? 0 : -EPROTO;
	memcpy(&code, NLMSG_DATA(answer), sizeof(code));
	if (answer->nlmsg_type == NLMSG_ERROR && code != 0 &&
	    answer->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		keep_words(nl, answer);
	return code > 0 ? -EPROTO : code;
}

struct answering {
	struct netlink *nl;
	netlink_each *each;
	void *context;
	int result; /* of `each`, or of a list that changed */
};

/* NLMSG_OK compares a size with and one without sign, which clang warns of. */
static bool is_whole(const struct nlmsghdr *message, int size)
{
	return size >= (int)sizeof(*message) && message->nlmsg_len >= sizeof(*message) &&
	       message->nlmsg_len <= (unsigned)size;
}

/* All that came at once; as read_end(). */
static int read_answers(struct answering *a, const char *bytes, int size)
{
	const struct nlmsghdr *answer = (const struct nlmsghdr *)(const void *)bytes;

	for (; is_whole(answer, size); answer = NLMSG_NEXT(answer, size)) {
		if (answer->nlmsg_seq != a->nl->number) /* of a question that was given up */
			continue;
		if (answer->nlmsg_flags & NLM_F_DUMP_INTR)
			a->result = -EAGAIN;
		int r = read_end(a->nl, answer);
		if (r <= 0)
			return r;
		if (a->each && a->result == 0)
			a->result = a->each(answer, a->context);
	}
	return 1;
}

/* Only the kernel may answer: its number is 0. */
static ssize_t receive(const struct netlink *nl, char *bytes, size_t size)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_size = sizeof(from);

	ssize_t n = recvfrom(nl->fd, bytes, size, MSG_TRUNC, (struct sockaddr *)&from, &from_size);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if ((size_t)n > size)
		return -EMSGSIZE;
	return from_size == sizeof(from) && from.nl_pid == 0 ? n : 0;
}

int netlink_ask(struct netlink *nl, struct netlink_message *m, netlink_each *each, void *context)
{
	_Alignas(struct nlmsghdr) char bytes[NETLINK_ANSWER_SIZE];
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct answering a = { .nl = nl, .each = each, .context = context };

	nl->words[0] = '\0';
	if (is_full(m))
		return -EMSGSIZE;
	m->header.nlmsg_seq = ++nl->number;
	if (sendto(nl->fd, m->bytes, m->header.nlmsg_len, 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	for (int i = 0; i < NETLINK_ANSWERS_MAX; i++) {
		ssize_t n = receive(nl, bytes, sizeof(bytes));
		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		int r = read_answers(&a, bytes, (int)n);
		if (r <= 0)
			return r < 0 ? r : a.result;
	}
	return -E2BIG;
}

int netlink_list_whole(struct netlink *nl, netlink_list *list, void *context)
{
	int r = -EAGAIN;
	for (int i = 0; r == -EAGAIN && i < NETLINK_TRIES; i++)
		r = list(nl, context);
	return r;
}

int netlink_failed(const struct netlink *nl, int code, struct err *err, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	int r = err_sys(err, code, "%s", text);
	if (nl->words[0])
		err_kernel(err, "%s", nl->words);
	return r;
}

/* ---- reading ---- */

static void parse(const char *at, int size, const struct rtattr **table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		table[i] = NULL;
	const struct rtattr *attr = (const struct rtattr *)(const void *)at;
	for (; RTA_OK(attr, size); attr = RTA_NEXT(attr, size)) {
		unsigned type = attr->rta_type & NLA_TYPE_MASK;
		if (type < n)
			table[type] = attr;
	}
}

void netlink_parse(const struct nlmsghdr *answer, size_t size, const struct rtattr **table,
		   size_t n)
{
	int head = (int)NLMSG_SPACE(size);
	parse((const char *)answer + head, (int)answer->nlmsg_len - head, table, n);
}

void netlink_parse_nest(const struct rtattr *nest, const struct rtattr **table, size_t n)
{
	parse(nest ? RTA_DATA(nest) : NULL, nest ? (int)RTA_PAYLOAD(nest) : 0, table, n);
}

size_t netlink_bytes(const struct rtattr *attr, void *ret, size_t size)
{
	size_t n = attr ? RTA_PAYLOAD(attr) : 0;
	if (n > size)
		n = size;
	if (n > 0)
		memcpy(ret, RTA_DATA(attr), n);
	return n;
}

uint32_t netlink_u32(const struct rtattr *attr)
{
	uint32_t value = 0;
	return netlink_bytes(attr, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

uint8_t netlink_u8(const struct rtattr *attr)
{
	uint8_t value = 0;
	(void)netlink_bytes(attr, &value, sizeof(value));
	return value;
}

void netlink_text(const struct rtattr *attr, char *ret, size_t size)
{
	size_t n = netlink_bytes(attr, ret, size - 1);
	ret[n] = '\0';
}
