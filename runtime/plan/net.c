/*
 * Planning what --net asks for in place of config.json's network namespace: none, the host's, that
 * of another container, or a new one; with a bridge a cable to it comes into that (bridge.c of the
 * start). Pure; see plan.h.
 */
#include <arpa/inet.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <string.h>

#include "base/str.h"
#include "plan/parts.h"

#define NET_PREFIX_MIN 8
#define NET_PREFIX_MAX 30 /* room for the bridge and one container */

/* ---- the option ---- */

/* A word, or one with "=" or ":" and a name behind it. */
static const struct net_word {
	const char *word;
	enum plan_net kind;
	char separator; /* 0: nothing may follow */
	bool needs_name;
} net_words[] = {
	{ "none", PLAN_NET_NEW, 0, false },
	{ "private", PLAN_NET_NEW, 0, false },
	{ "host", PLAN_NET_HOST, 0, false },
	{ "bridge", PLAN_NET_BRIDGE, '=', false },
	{ "container", PLAN_NET_CONTAINER, ':', true },
};

static const struct net_word *find_word(const char *text, const char **ret_name)
{
	for (size_t i = 0; i < ARRAY_SIZE(net_words); i++) {
		const struct net_word *w = &net_words[i];
		size_t n = strlen(w->word);
		if (strncmp(text, w->word, n) != 0)
			continue;
		*ret_name = text[n] ? text + n + 1 : NULL;
		if (text[n] ? w->separator == text[n] && text[n + 1] : !w->needs_name)
			return w;
	}
	return NULL;
}

static int parse_word(const char *text, struct plan_network *ret, struct err *err)
{
	const char *name;
	const struct net_word *w = find_word(text, &name);
	if (!w) {
		err_say(err, ERR_CONFIG, EINVAL, "--net cannot be '%s'", text);
		err_hint(err, "it is none, host, private, bridge, bridge=NAME or container:ID");
		return -EINVAL;
	}
	ret->kind = w->kind;
	ret->container = w->kind == PLAN_NET_CONTAINER ? name : NULL;
	ret->bridge = w->kind != PLAN_NET_BRIDGE ? NULL : name ? name : PLAN_BRIDGE_DEFAULT;
	if (!ret->bridge || (spec_is_interface(ret->bridge) && !strchr(ret->bridge, '%')))
		return 0;
	err_say(err, ERR_CONFIG, EINVAL, "'%s' cannot be the name of a bridge", ret->bridge);
	err_hint(err, "a name has at most 15 bytes, without '/', ':', '%%' and blanks");
	return -EINVAL;
}

static uint32_t mask_of(unsigned prefix)
{
	return UINT32_MAX << (32 - prefix);
}

/* What can be no network of hosts: "this", the loopback, multicast and beyond. */
static bool is_usable(uint32_t subnet)
{
	uint32_t first = subnet >> 24;
	return first != 0 && first != 127 && first < 224;
}

static int parse_subnet(const char *text, struct plan_network *ret, struct err *err)
{
	char address[INET_ADDRSTRLEN];
	struct in_addr in;
	uint64_t prefix = 0;
	size_t n = strcspn(text, "/");

	bool ok = n < sizeof(address) && text[n] == '/' &&
		  str_to_u64(text + n + 1, NET_PREFIX_MAX, &prefix) == 0 &&
		  prefix >= NET_PREFIX_MIN;
	if (ok) {
		memcpy(address, text, n);
		address[n] = '\0';
		ok = inet_pton(AF_INET, address, &in) == 1 && is_usable(ntohl(in.s_addr)) &&
		     !(ntohl(in.s_addr) & ~mask_of((unsigned)prefix));
	}
	if (!ok) {
		err_say(err, ERR_CONFIG, EINVAL, "--subnet cannot be '%s'", text);
		err_hint(err, "it is the first address of an IPv4 network, with 8 to 30 bits: "
			      "10.1.2.0/24");
		return -EINVAL;
	}
	ret->subnet = ntohl(in.s_addr);
	ret->prefix = (unsigned)prefix;
	return 0;
}

int plan_choose_network(const struct planner *p, struct err *err)
{
	struct plan_network *n = &p->plan->network;
	const char *net = p->options->net, *subnet = p->options->subnet;

	int r = net ? parse_word(net, n, err) : 0;
	if (r == 0 && subnet && n->kind != PLAN_NET_BRIDGE) {
		r = err_say(err, ERR_CONFIG, EINVAL, "--subnet is for a bridge only");
		err_hint(err, "--net bridge, or --net bridge=NAME");
	}
	if (r == 0 && n->container && str_eq(n->container, p->options->id))
		r = err_say(err, ERR_CONFIG, EINVAL,
			    "container '%s' cannot join its own network before it exists",
			    n->container);
	return r < 0 || !subnet ? r : parse_subnet(subnet, n, err);
}

/* ---- what it needs ---- */

int plan_check_bridge(const struct planner *p, struct err *err)
{
	if (p->plan->network.kind != PLAN_NET_BRIDGE ||
	    (p->host->caps_permitted >> CAP_NET_ADMIN & 1))
		return 0;
	err_say(err, ERR_PERMISSION, EPERM, "the caller may not make or use a bridge");
	err_hint(err, "it takes CAP_NET_ADMIN, which root has; --net none needs none");
	return -EPERM;
}

/* ---- names of other hosts ---- */

static bool is_replaced(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mounts_n; i++)
		if (str_eq(plan->mounts[i].destination, "/etc") ||
		    str_eq(plan->mounts[i].destination, PLAN_RESOLV_CONF))
			return true;
	return false;
}

/*
 * A file of the container's state directory over that of the image, so that nothing is written to
 * the image; what config.json mounts there is left alone. `plan->mounts` has room for one more.
 */
void plan_add_resolv_conf(const struct planner *p)
{
	struct plan *plan = p->plan;
	if (plan->network.kind != PLAN_NET_BRIDGE || !(plan->ns.clone_flags & CLONE_NEWNS) ||
	    is_replaced(plan))
		return;
	plan->mounts[plan->mounts_n++] = (struct plan_mount) {
		.kind = PLAN_MOUNT_FILE,
		.destination = PLAN_RESOLV_CONF,
		.source = "resolv.conf",
		.attr.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		.propagation = MS_PRIVATE,
	};
}
