/* Reading and giving addresses (RTM_GETADDR, RTM_NEWADDR): see the header. Parent. */
#include "netns/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* What a caller may say of an address; all else is for the kernel to find out again. */
#define ADDRESS_FLAGS                                                                \
	(IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | \
	 IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

/* ---- reading ---- */

struct listing {
	unsigned index;
	int family;
	struct arena *arena;
	struct addresses *list;
};

static void fill(const struct ifaddrmsg *head, const struct rtattr *const *table,
		 struct address *ret)
{
	*ret = (struct address) {
		.family = head->ifa_family,
		.prefix = head->ifa_prefixlen,
		.scope = head->ifa_scope,
		.flags = table[IFA_FLAGS] ? netlink_u32(table[IFA_FLAGS]) : head->ifa_flags,
		.priority = netlink_u32(table[IFA_RT_PRIORITY]),
		.protocol = netlink_u8(table[IFA_PROTO]),
		.has_broadcast = table[IFA_BROADCAST],
		.broadcast = netlink_u32(table[IFA_BROADCAST]),
	};
	ret->size = netlink_bytes(table[IFA_ADDRESS], ret->address, sizeof(ret->address));
	ret->local_size = netlink_bytes(table[IFA_LOCAL], ret->local, sizeof(ret->local));
	ret->has_lifetime = netlink_bytes(table[IFA_CACHEINFO], &ret->lifetime,
					  sizeof(ret->lifetime)) == sizeof(ret->lifetime);
	netlink_text(table[IFA_LABEL], ret->label, sizeof(ret->label));
}

static int add_to_list(const struct nlmsghdr *answer, void *context)
{
	const struct rtattr *table[IFA_PROTO + 1];
	const struct ifaddrmsg *head = NLMSG_DATA(answer);
	struct listing *l = context;

	/* An older kernel, or one without this family, lists all that there is. */
	if (answer->nlmsg_type != RTM_NEWADDR || answer->nlmsg_len < NLMSG_LENGTH(sizeof(*head)) ||
	    head->ifa_index != l->index || head->ifa_family != l->family)
		return 0;
	if (l->list->n == ADDRESSES_MAX)
		return -E2BIG;
	if (!l->list->v)
		l->list->v = arena_array(l->arena, ADDRESSES_MAX, sizeof(*l->list->v));
	netlink_parse(answer, sizeof(*head), table, ARRAY_SIZE(table));
	fill(head, table, &l->list->v[l->list->n++]);
	return 0;
}

static int list(struct netlink *nl, void *context)
{
	struct listing *l = context;
	static const int families[] = { AF_INET, AF_INET6 };
	struct netlink_message m;
	int r = 0;

	l->list->n = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++) {
		l->family = families[i];
		struct ifaddrmsg *head = netlink_begin(&m, RTM_GETADDR, NLM_F_DUMP, sizeof(*head));
		head->ifa_family = (uint8_t)families[i];
		head->ifa_index = l->index;
		r = netlink_ask(nl, &m, add_to_list, l);
	}
	return r;
}

int address_list(struct netlink *nl, unsigned index, struct arena *arena, struct addresses *ret)
{
	struct listing l = { .index = index, .arena = arena, .list = ret };

	*ret = (struct addresses) { 0 };
	return netlink_list_whole(nl, list, &l);
}

void address_make(struct address *ret, uint32_t address, unsigned prefix)
{
	uint32_t bytes = htonl(address);
	*ret = (struct address) {
		.family = AF_INET,
		.prefix = (uint8_t)prefix,
		.size = sizeof(bytes),
		.local_size = sizeof(bytes),
		.has_broadcast = true,
		.broadcast = htonl(address | (prefix ? UINT32_MAX >> prefix : UINT32_MAX)),
	};
	memcpy(ret->address, &bytes, sizeof(bytes));
	memcpy(ret->local, &bytes, sizeof(bytes));
}

bool address_is_kernels(const struct address *a)
{
	return a->protocol != IFAPROT_UNSPEC && a->protocol <= IFAPROT_KERNEL_LL;
}

bool address_moves(const struct address *a)
{
	return (a->flags & IFA_F_PERMANENT) && a->scope == RT_SCOPE_UNIVERSE;
}

/* ---- giving ---- */

/* "eth0:1" of eth0 is "net:1" when that is called net; a label of its own stays. */
static void put_label(struct netlink_message *m, const char *label, const char *before,
		      const char *now)
{
	char text[2 * IFNAMSIZ];
	size_t n = strlen(before);

	if (strncmp(label, before, n) != 0 || (label[n] != '\0' && label[n] != ':'))
		snprintf(text, sizeof(text), "%s", label);
	else
		snprintf(text, sizeof(text), "%s%s", now, label + n);
	text[IFNAMSIZ - 1] = '\0';
	if (text[0])
		netlink_put_text(m, IFA_LABEL, text);
}

int address_add(struct netlink *nl, unsigned index, const struct address *a, const char *before,
		const char *now)
{
	struct netlink_message m;
	struct ifaddrmsg *head = netlink_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
					       sizeof(*head));
	head->ifa_family = a->family;
	head->ifa_prefixlen = a->prefix;
	head->ifa_scope = a->scope;
	head->ifa_index = index;
	netlink_put(&m, IFA_ADDRESS, a->address, a->size);
	if (a->local_size)
		netlink_put(&m, IFA_LOCAL, a->local, a->local_size);
	netlink_put_u32(&m, IFA_FLAGS, a->flags & ADDRESS_FLAGS);
	if (a->has_broadcast)
		netlink_put_u32(&m, IFA_BROADCAST, a->broadcast);
	if (a->has_lifetime)
		netlink_put(&m, IFA_CACHEINFO, &a->lifetime, sizeof(a->lifetime));
	if (a->priority)
		netlink_put_u32(&m, IFA_RT_PRIORITY, a->priority);
	if (a->protocol > IFAPROT_KERNEL_LL)
		netlink_put(&m, IFA_PROTO, &a->protocol, sizeof(a->protocol));
	put_label(&m, a->label, before, now);
	return netlink_ask(nl, &m, NULL, NULL);
}

void address_print(const struct address *a, char ret[static ADDRESS_TEXT_SIZE])
{
	char text[INET6_ADDRSTRLEN] = "?";
	const uint8_t *bytes = a->local_size ? a->local : a->address;
	(void)!inet_ntop(a->family, bytes, text, sizeof(text));
	snprintf(ret, ADDRESS_TEXT_SIZE, "%s/%u", text, a->prefix);
}
