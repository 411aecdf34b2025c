/*
 * rtnetlink(7): one question to the kernel at a time, built in a buffer of fixed size, and its
 * answer, read to the end. In the parent alone, with the caller's privilege; nothing is allocated.
 *
 * libmnl builds the same bytes (a test compares them), but is there on Debian as a shared object
 * only. Loaded into hull, it and its C library are mapped into process 1 of hull's own, too, where
 * a container with CAP_SYS_PTRACE could write to the host's files, and a hull that
 * is older than the host's C library dies in it, also when all that it shall do is delete.
 */
#ifndef HULL_NETNS_NETLINK_H
#define HULL_NETNS_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define NETLINK_MESSAGE_SIZE 2048
#define NETLINK_WORDS_SIZE   256

/* A socket; it stays in the network namespace in which it was opened. */
struct netlink {
	int fd; /* -EBADF: none */
	uint32_t number;
	char words[NETLINK_WORDS_SIZE]; /* what the kernel said about the last failure, or "" */
};

struct netlink_message {
	union {
		struct nlmsghdr header;
		char bytes[NETLINK_MESSAGE_SIZE];
	};
};

/*
 * In the caller's network namespace, or in that of `namespace_fd`, which takes CAP_SYS_ADMIN.
 * -EXDEV: the caller is in the latter now and cannot come back, so nothing of it may go on.
 */
_must_check_ int netlink_open(struct netlink *ret, struct err *err);
_must_check_ int netlink_open_in(struct netlink *ret, int namespace_fd, struct err *err);
void netlink_close(struct netlink *nl);

/*
 * Begins a message of `type` (RTM_*) with NLM_F_* and the header of its family, of which it returns
 * the address, zeroed; then attributes are put behind it. What does not fit is refused by
 * netlink_ask().
 */
void *netlink_begin(struct netlink_message *m, uint16_t type, unsigned flags, size_t size);
void netlink_put(struct netlink_message *m, uint16_t type, const void *data, size_t size);
void netlink_put_u32(struct netlink_message *m, uint16_t type, uint32_t value);
void netlink_put_text(struct netlink_message *m, uint16_t type, const char *text);

/* What is put in between is inside of that attribute; and bytes that are no attribute. */
struct rtattr *netlink_nest(struct netlink_message *m, uint16_t type);
void netlink_nest_end(struct netlink_message *m, struct rtattr *nest);
void *netlink_put_bytes(struct netlink_message *m, size_t size);

/*
 * Sends it and reads the answer to its end; each message in it is given to `each` (NULL: there is
 * none that matters), whose failure is the result when the answer is read. 0, or -errno without an
 * error text: what the kernel answered. EAGAIN: a list changed while it was read; ask again.
 */
typedef int netlink_each(const struct nlmsghdr *answer, void *context);
_must_check_ int netlink_ask(struct netlink *nl, struct netlink_message *m, netlink_each *each,
			     void *context);

/* Calls `list`, which begins anew each time, until nothing has changed while it was asking. */
typedef int netlink_list(struct netlink *nl, void *context);
_must_check_ int netlink_list_whole(struct netlink *nl, netlink_list *list, void *context);

/* Fills the error, with the kernel's own words for the failure of the last netlink_ask(). */
_printf_(4, 5) int netlink_failed(const struct netlink *nl, int code, struct err *err,
				  const char *fmt, ...);

/*
 * The attributes behind a family's header of `size` bytes, or inside of one: table[type] is the
 * last of that type, or NULL.
 */
void netlink_parse(const struct nlmsghdr *answer, size_t size, const struct rtattr **table,
		   size_t n);
void netlink_parse_nest(const struct rtattr *nest, const struct rtattr **table, size_t n);

/* Their values: that of a missing or shorter one is 0, or "" (always terminated). */
uint32_t netlink_u32(const struct rtattr *attr);
uint8_t netlink_u8(const struct rtattr *attr);
void netlink_text(const struct rtattr *attr, char *ret, size_t size);
/* Copies at most `size` bytes; how many. */
size_t netlink_bytes(const struct rtattr *attr, void *ret, size_t size);

#endif
