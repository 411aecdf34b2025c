/* Messages about routes (RTM_GETROUTE, RTM_NEWROUTE): see the header. Parent. */
#include "netns/route.h"

#include <arpa/inet.h>
#include <string.h>

#define ROUTE_TRIES 16 /* for a list that changes while it is read */

struct search {
	uint32_t subnet;
	unsigned prefix;
	bool found;
	struct route *ret;
};

static int compare(const struct nlmsghdr *answer, void *context)
{
	const struct rtattr *table[RTA_OIF + 1];
	const struct rtmsg *head = NLMSG_DATA(answer);
	struct search *s = context;

	if (answer->nlmsg_type != RTM_NEWROUTE || answer->nlmsg_len < NLMSG_LENGTH(sizeof(*head)) ||
	    head->rtm_family != AF_INET || head->rtm_dst_len == 0 || head->rtm_dst_len > 32)
		return 0;
	netlink_parse(answer, sizeof(*head), table, ARRAY_SIZE(table));
	struct route route = { ntohl(netlink_u32(table[RTA_DST])), head->rtm_dst_len };
	unsigned common = route.prefix < s->prefix ? route.prefix : s->prefix;
	if ((route.destination ^ s->subnet) >> (32 - common) ||
	    (s->found && route.prefix >= s->ret->prefix))
		return 0;
	s->found = true;
	*s->ret = route;
	return 0;
}

int route_find_overlap(struct netlink *nl, uint32_t subnet, unsigned prefix, struct route *ret)
{
	struct search s = { .subnet = subnet, .prefix = prefix, .ret = ret };
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < ROUTE_TRIES; i++) {
		struct netlink_message m;
		struct rtmsg *head = netlink_begin(&m, RTM_GETROUTE, NLM_F_DUMP, sizeof(*head));
		head->rtm_family = AF_INET;
		r = netlink_ask(nl, &m, compare, &s);
	}
	return r < 0 ? r : s.found;
}

int route_add_default(struct netlink *nl, unsigned index, uint32_t gateway)
{
	struct netlink_message m;
	struct rtmsg *head = netlink_begin(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
					   sizeof(*head));
	head->rtm_family = AF_INET;
	head->rtm_table = RT_TABLE_MAIN;
	head->rtm_protocol = RTPROT_STATIC;
	head->rtm_scope = RT_SCOPE_UNIVERSE;
	head->rtm_type = RTN_UNICAST;
	netlink_put_u32(&m, RTA_GATEWAY, htonl(gateway));
	netlink_put_u32(&m, RTA_OIF, index);
	return netlink_ask(nl, &m, NULL, NULL);
}
