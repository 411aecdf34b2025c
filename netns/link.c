/* Messages about network devices: see the header. Parent. */
#include "netns/link.h"

#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>

/* ---- asking ---- */

static void fill_af(const struct rtattr *spec, struct link *ret)
{
	const struct rtattr *families[AF_INET6 + 1], *inet6[IFLA_INET6_ADDR_GEN_MODE + 1];

	netlink_parse_nest(spec, families, ARRAY_SIZE(families));
	netlink_parse_nest(families[AF_INET6], inet6, ARRAY_SIZE(inet6));
	ret->has_addr_gen_mode = inet6[IFLA_INET6_ADDR_GEN_MODE];
	ret->addr_gen_mode = netlink_u8(inet6[IFLA_INET6_ADDR_GEN_MODE]);
}

static int fill(const struct nlmsghdr *answer, void *context)
{
	const struct rtattr *table[IFLA_LINK_NETNSID + 1], *info[IFLA_INFO_KIND + 1];
	const struct ifinfomsg *head = NLMSG_DATA(answer);
	struct link *ret = context;

	if (answer->nlmsg_type != RTM_NEWLINK || answer->nlmsg_len < NLMSG_LENGTH(sizeof(*head)))
		return 0;
	netlink_parse(answer, sizeof(*head), table, ARRAY_SIZE(table));
	netlink_parse_nest(table[IFLA_LINKINFO], info, ARRAY_SIZE(info));
	*ret = (struct link) {
		.index = (unsigned)head->ifi_index,
		.flags = head->ifi_flags,
		.master = netlink_u32(table[IFLA_MASTER]),
		.peer = netlink_u32(table[IFLA_LINK]),
		.is_peer_here = table[IFLA_LINK] && !table[IFLA_LINK_NETNSID],
	};
	netlink_text(table[IFLA_IFNAME], ret->name, sizeof(ret->name));
	netlink_text(info[IFLA_INFO_KIND], ret->kind, sizeof(ret->kind));
	netlink_text(table[IFLA_IFALIAS], ret->alias, sizeof(ret->alias));
	fill_af(table[IFLA_AF_SPEC], ret);
	return 0;
}

static struct ifinfomsg *begin(struct netlink_message *m, uint16_t type, unsigned index)
{
	struct ifinfomsg *head = netlink_begin(m, type, 0, sizeof(*head));
	head->ifi_index = (int)index;
	return head;
}

static int ask(struct netlink *nl, struct netlink_message *m, struct link *ret)
{
	*ret = (struct link) { 0 };
	int r = netlink_ask(nl, m, fill, ret);
	return r < 0 || ret->index ? r : -ENODEV;
}

int link_find(struct netlink *nl, const char *name, struct link *ret)
{
	struct netlink_message m;
	begin(&m, RTM_GETLINK, 0);
	netlink_put_text(&m, IFLA_IFNAME, name);
	return ask(nl, &m, ret);
}

int link_get(struct netlink *nl, unsigned index, struct link *ret)
{
	struct netlink_message m;
	begin(&m, RTM_GETLINK, index);
	return ask(nl, &m, ret);
}

/* ---- changing ---- */

int link_move(struct netlink *nl, unsigned index, const struct link_target *to)
{
	struct netlink_message m;
	begin(&m, RTM_NEWLINK, index);
	netlink_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)to->namespace_fd);
	netlink_put_u32(&m, IFLA_NEW_IFINDEX, to->new_index);
	if (to->name)
		netlink_put_text(&m, IFLA_IFNAME, to->name);
	return netlink_ask(nl, &m, NULL, NULL);
}

int link_set_addr_gen_mode(struct netlink *nl, unsigned index, uint8_t mode)
{
	struct netlink_message m;
	begin(&m, RTM_NEWLINK, index);
	struct rtattr *spec = netlink_nest(&m, IFLA_AF_SPEC);
	struct rtattr *inet6 = netlink_nest(&m, AF_INET6);
	netlink_put(&m, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	netlink_nest_end(&m, inet6);
	netlink_nest_end(&m, spec);
	return netlink_ask(nl, &m, NULL, NULL);
}

int link_set_master(struct netlink *nl, unsigned index, unsigned master)
{
	struct netlink_message m;
	begin(&m, RTM_NEWLINK, index);
	netlink_put_u32(&m, IFLA_MASTER, master);
	return netlink_ask(nl, &m, NULL, NULL);
}

int link_set_alias(struct netlink *nl, unsigned index, const char *alias)
{
	struct netlink_message m;
	begin(&m, RTM_NEWLINK, index);
	netlink_put_text(&m, IFLA_IFALIAS, alias);
	return netlink_ask(nl, &m, NULL, NULL);
}

int link_set_up(struct netlink *nl, unsigned index)
{
	struct netlink_message m;
	struct ifinfomsg *head = begin(&m, RTM_NEWLINK, index);
	head->ifi_flags = head->ifi_change = IFF_UP;
	return netlink_ask(nl, &m, NULL, NULL);
}

int link_delete(struct netlink *nl, const char *name)
{
	struct netlink_message m;
	begin(&m, RTM_DELLINK, 0);
	netlink_put_text(&m, IFLA_IFNAME, name);
	int r = netlink_ask(nl, &m, NULL, NULL);
	return r == -ENODEV ? 0 : r;
}
