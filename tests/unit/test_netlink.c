/*
 * Messages of rtnetlink: what is built can be read again, what does not fit is never sent, and the
 * kernel's answers come whole: in a child with a new user and network namespace.
 */
#include "netns/netlink.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>

#include "netns/address.h"
#include "netns/bridge.h"
#include "netns/link.h"
#include "netns/route.h"

#define SKIPPED 77

static void test_build(void **state)
{
	const struct rtattr *table[IFLA_LINKINFO + 1], *info[IFLA_INFO_KIND + 1];
	struct netlink_message m;
	char text[8];
	(void)state;

	struct ifinfomsg *head = netlink_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					       sizeof(*head));
	head->ifi_index = 7;
	netlink_put_text(&m, IFLA_IFNAME, "abc");
	netlink_put_u32(&m, IFLA_MTU, 1400);
	struct rtattr *nest = netlink_nest(&m, IFLA_LINKINFO);
	netlink_put_text(&m, IFLA_INFO_KIND, "veth");
	netlink_nest_end(&m, nest);
	/* NLM_F_EXCL is a bit of NLM_F_DUMP, and yet an answer is asked for. */
	assert_true(m.header.nlmsg_flags & NLM_F_ACK);
	netlink_parse(&m.header, sizeof(*head), table, ARRAY_SIZE(table));
	netlink_text(table[IFLA_IFNAME], text, sizeof(text));
	assert_string_equal(text, "abc");
	assert_int_equal(netlink_u32(table[IFLA_MTU]), 1400);
	netlink_parse_nest(table[IFLA_LINKINFO], info, ARRAY_SIZE(info));
	netlink_text(info[IFLA_INFO_KIND], text, sizeof(text));
	assert_string_equal(text, "veth");
	/* Shorter than what is read, longer than its place, and not there. */
	assert_int_equal(netlink_u32(table[IFLA_MASTER]), 0);
	netlink_text(table[IFLA_IFNAME], text, 3);
	assert_string_equal(text, "ab");
	assert_int_equal(netlink_bytes(table[IFLA_MTU], text, 2), 2);
	netlink_parse_nest(NULL, info, ARRAY_SIZE(info));
	assert_null(info[IFLA_INFO_KIND]);
}

static int is_in_table(const struct nlattr *attr, void *table)
{
	const struct rtattr *const *t = table;
	return (const void *)t[mnl_attr_get_type(attr)] == attr ? MNL_CB_OK : MNL_CB_ERROR;
}

/* libmnl, which everybody uses, builds the same bytes, and reads hull's. */
static void test_like_libmnl(void **state)
{
	static const uint8_t odd[] = { 1, 2, 3 };
	_Alignas(struct nlmsghdr) char bytes[NETLINK_MESSAGE_SIZE] = { 0 };
	struct netlink_message m;
	(void)state;

	struct ifinfomsg *head = netlink_begin(&m, RTM_NEWLINK, NLM_F_CREATE, sizeof(*head));
	head->ifi_index = 7;
	netlink_put_text(&m, IFLA_IFNAME, "four");
	netlink_put(&m, IFLA_ADDRESS, odd, sizeof(odd));
	struct rtattr *info = netlink_nest(&m, IFLA_LINKINFO);
	netlink_put_text(&m, IFLA_INFO_KIND, "veth");
	struct rtattr *data = netlink_nest(&m, IFLA_INFO_DATA);
	head = netlink_put_bytes(&m, sizeof(*head));
	head->ifi_index = 8;
	netlink_put_text(&m, IFLA_IFNAME, "eth0");
	netlink_nest_end(&m, data);
	netlink_nest_end(&m, info);
	netlink_put_u32(&m, IFLA_MTU, 1400);

	struct nlmsghdr *h = mnl_nlmsg_put_header(bytes);
	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK;
	head = mnl_nlmsg_put_extra_header(h, sizeof(*head));
	head->ifi_index = 7;
	mnl_attr_put_strz(h, IFLA_IFNAME, "four");
	mnl_attr_put(h, IFLA_ADDRESS, sizeof(odd), odd);
	struct nlattr *mnl_info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	struct nlattr *mnl_data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	head = mnl_nlmsg_put_extra_header(h, sizeof(*head));
	head->ifi_index = 8;
	mnl_attr_put_strz(h, IFLA_IFNAME, "eth0");
	mnl_attr_nest_end(h, mnl_data);
	mnl_attr_nest_end(h, mnl_info);
	mnl_attr_put_u32(h, IFLA_MTU, 1400);

	assert_int_equal(m.header.nlmsg_len, h->nlmsg_len);
	assert_memory_equal(m.bytes, bytes, h->nlmsg_len);

	const struct rtattr *table[IFLA_LINKINFO + 1];
	netlink_parse(&m.header, sizeof(*head), table, ARRAY_SIZE(table));
	assert_int_equal(mnl_attr_parse(&m.header, sizeof(*head), is_in_table, table), MNL_CB_OK);
}

static void test_full(void **state)
{
	static const char block[400] = { 1 };
	struct netlink nl = { .fd = -EBADF };
	struct netlink_message m;
	(void)state;

	netlink_begin(&m, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	for (int i = 0; i < 8; i++)
		netlink_put(&m, IFLA_IFALIAS, block, sizeof(block));
	struct rtattr *nest = netlink_nest(&m, IFLA_LINKINFO);
	netlink_put_u32(&m, IFLA_MTU, 1);
	netlink_nest_end(&m, nest);
	assert_int_equal(netlink_ask(&nl, &m, NULL, NULL), -EMSGSIZE);
}

/* Attributes whose length says more or less than there is. */
static void test_cut(void **state)
{
	const struct rtattr *table[4];
	_Alignas(struct nlmsghdr) char bytes[64] = { 0 };
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)bytes;
	struct rtattr *a = (struct rtattr *)(void *)(bytes + NLMSG_SPACE(4));
	(void)state;

	h->nlmsg_len = NLMSG_SPACE(4) + RTA_LENGTH(4);
	a->rta_type = 2;
	static const unsigned short lengths[] = { 0, 1, 3, 9, 64, UINT16_MAX };
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		a->rta_len = lengths[i];
		netlink_parse(h, 4, table, ARRAY_SIZE(table));
		assert_null(table[2]);
	}
	a->rta_len = RTA_LENGTH(4);
	netlink_parse(h, 4, table, ARRAY_SIZE(table));
	assert_ptr_equal(table[2], a);
	h->nlmsg_len = NLMSG_SPACE(4) - 2;
	netlink_parse(h, 4, table, ARRAY_SIZE(table));
	assert_null(table[2]);
}

#define MUST(x)                                   \
	do {                                      \
		if (!(x))                         \
			return 1 + __LINE__ % 76; \
	} while (0)

/* A line of this file says what was not so. */
static int talks_to_the_kernel(void)
{
	_cleanup_arena_ struct arena arena;
	struct addresses list;
	struct address address;
	struct bridge bridge = { .name = "br0", .gateway = 0x0a010201, .prefix = 24, .alias = "x" };
	struct bridge found = { 0 };
	struct route route;
	struct netlink nl;
	struct link link;
	struct err err = { 0 };
	uint32_t subnet = 0;
	unsigned prefix = 0;

	arena_init(&arena);
	MUST(netlink_open(&nl, &err) == 0);
	MUST(link_find(&nl, "lo", &link) == 0 && link.index == 1);
	MUST(link_find(&nl, "nowhere", &link) == -ENODEV);
	MUST(link_get(&nl, 4711, &link) == -ENODEV);
	MUST(link_delete(&nl, "nowhere") == 0);
	MUST(link_set_up(&nl, 1) == 0);
	MUST(address_list(&nl, 1, &arena, &list) == 0 && list.n >= 1);
	MUST(list.v[0].family == AF_INET && list.v[0].prefix == 8 && !address_moves(&list.v[0]));

	int r = bridge_make(&nl, &bridge, &err);
	if (r == -EOPNOTSUPP)
		return SKIPPED;
	MUST(r == 0 && bridge.index > 1);
	MUST(bridge_find(&nl, "br0", &arena, &found, &err) == 1);
	MUST(found.gateway == bridge.gateway && found.prefix == 24);
	MUST(strcmp(found.alias, "x") == 0);
	MUST(bridge_find(&nl, "br1", &arena, &found, &err) == 0);
	MUST(bridge_find(&nl, "lo", &arena, &found, &err) == -EEXIST);
	MUST(bridge_make(&nl, &bridge, &err) == -EEXIST);

	/* Routes that lead into a subnet, around it, and to the very same. */
	MUST(route_find_overlap(&nl, 0x0a010200, 24, &route) == 1);
	MUST(route_find_overlap(&nl, 0x0a010280, 25, &route) == 1 && route.prefix == 24);
	MUST(route_find_overlap(&nl, 0x0a000000, 8, &route) == 1);
	MUST(route_find_overlap(&nl, 0x0a010300, 24, &route) == 0);
	MUST(bridge_choose_subnet(&nl, &subnet, &prefix, &err) == 0);
	MUST(subnet == 0x0a750000 && prefix == 24);
	address_make(&address, 0x0a750007, 16);
	MUST(address_add(&nl, bridge.index, &address, "", "") == 0);
	prefix = 0;
	MUST(bridge_choose_subnet(&nl, &subnet, &prefix, &err) == -ENOSPC);
	MUST(address_add(&nl, bridge.index, &address, "", "") == -EEXIST);

	/* Another's bridge stays; its own goes, and it is no error when it is gone. */
	MUST(bridge_remove(&nl, "br0", "y", &err) == 0 && link_find(&nl, "br0", &link) == 0);
	MUST(bridge_remove(&nl, "br0", "x", &err) == 0 && link_find(&nl, "br0", &link) == -ENODEV);
	MUST(bridge_remove(&nl, "br0", "x", &err) == 0);
	netlink_close(&nl);
	return 0;
}

static void test_kernel(void **state)
{
	int status;
	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? SKIPPED : talks_to_the_kernel());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED) {
		print_message("skipped: no new network namespaces, or no bridges here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),  cmocka_unit_test(test_like_libmnl),
		cmocka_unit_test(test_full),   cmocka_unit_test(test_cut),
		cmocka_unit_test(test_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
