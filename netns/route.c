/* Messages about routes (RTM_GETROUTE, RTM_NEWROUTE): see the header. Parent. */
#include "netns/route.h"

#include <arpa/inet.h>
#include <string.h>

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

static int search(struct netlink *nl, void *context)
{
	struct search *s = context;
	struct netlink_message m;
	struct rtmsg *head = netlink_begin(&m, RTM_GETROUTE, NLM_F_DUMP, sizeof(*head));
	head->rtm_family = AF_INET;
	s->found = false;
	return netlink_ask(nl, &m, compare, s);
}

int route_find_overlap(struct netlink *nl, uint32_t subnet, unsigned prefix, struct route *ret)
{
	struct search s = { .subnet = subnet, .prefix = prefix, .ret = ret };
	int r = netlink_list_whole(nl, search, &s);
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

/* ---- all that a device has ---- */

struct listing {
	unsigned index;
	struct arena *arena;
	struct routes *list;
};

/* Comes back by itself: with an address, or when a router speaks again. */
static bool is_kernels(const struct rtmsg *head)
{
	return (head->rtm_flags & RTM_F_CLONED) || head->rtm_protocol == RTPROT_KERNEL ||
	       head->rtm_protocol == RTPROT_RA || head->rtm_protocol == RTPROT_REDIRECT;
}

static int keep(const struct nlmsghdr *answer, void *context)
{
	const struct rtattr *table[RTA_OIF + 1];
	const struct rtmsg *head = NLMSG_DATA(answer);
	struct listing *l = context;
	size_t size = NLMSG_ALIGN(answer->nlmsg_len);

	if (answer->nlmsg_type != RTM_NEWROUTE || answer->nlmsg_len < NLMSG_LENGTH(sizeof(*head)))
		return 0;
	netlink_parse(answer, sizeof(*head), table, ARRAY_SIZE(table));
	if (netlink_u32(table[RTA_OIF]) != l->index || is_kernels(head))
		return 0;
	if (size > ROUTES_SIZE_MAX - l->list->size)
		return -E2BIG;
	if (!l->list->bytes)
		l->list->bytes = arena_array(l->arena, ROUTES_SIZE_MAX, 1);
	memcpy(l->list->bytes + l->list->size, answer, answer->nlmsg_len);
	l->list->size += size;
	return 0;
}

/* The kernel chooses by the device where it can; one that cannot lists all that there is. */
static int list(struct netlink *nl, void *context)
{
	struct listing *l = context;
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int r = 0;

	l->list->size = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++) {
		struct netlink_message m;
		struct rtmsg *head = netlink_begin(&m, RTM_GETROUTE, NLM_F_DUMP, sizeof(*head));
		head->rtm_family = families[i];
		netlink_put_u32(&m, RTA_OIF, l->index);
		r = netlink_ask(nl, &m, keep, l);
	}
	return r;
}

int route_list(struct netlink *nl, unsigned index, struct arena *arena, struct routes *ret)
{
	struct listing l = { .index = index, .arena = arena, .list = ret };

	*ret = (struct routes) { 0 };
	return netlink_list_whole(nl, list, &l);
}

/* Not what tells of its present state, nor the object of next hops, which went with the device. */
static bool is_told(unsigned type)
{
	return type != RTA_OIF && type != RTA_CACHEINFO && type != RTA_NH_ID;
}

static int restore_one(struct netlink *nl, unsigned index, const struct rtmsg *was,
		       const struct rtattr *const *table)
{
	struct netlink_message m;
	struct rtmsg *head = netlink_begin(&m, RTM_NEWROUTE, NLM_F_CREATE, sizeof(*head));

	*head = *was;
	head->rtm_flags &= RTNH_F_ONLINK;
	for (unsigned type = 1; type <= RTA_MAX; type++)
		if (table[type] && is_told(type))
			netlink_put(&m, (uint16_t)type, RTA_DATA(table[type]),
				    RTA_PAYLOAD(table[type]));
	netlink_put_u32(&m, RTA_OIF, index);
	int r = netlink_ask(nl, &m, NULL, NULL);
	return r == -EEXIST ? 0 : r;
}

/* Those by a gateway, or those without one, by which gateways are reached. */
static int restore_some(struct netlink *nl, unsigned index, const struct routes *routes,
			bool by_gateway)
{
	const struct rtattr *table[RTA_MAX + 1];
	int r = 0;

	for (size_t at = 0; r == 0 && routes->size - at >= sizeof(struct nlmsghdr);) {
		struct nlmsghdr *message = (struct nlmsghdr *)(void *)(routes->bytes + at);
		size_t size = NLMSG_ALIGN(message->nlmsg_len);
		if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)) ||
		    size > routes->size - at)
			return -EUCLEAN;
		netlink_parse(message, sizeof(struct rtmsg), table, ARRAY_SIZE(table));
		if (by_gateway == (table[RTA_GATEWAY] || table[RTA_VIA]))
			r = restore_one(nl, index, NLMSG_DATA(message), table);
		at += size;
	}
	return r;
}

int route_restore(struct netlink *nl, unsigned index, const struct routes *routes)
{
	int r = restore_some(nl, index, routes, false);
	return r < 0 ? r : restore_some(nl, index, routes, true);
}
