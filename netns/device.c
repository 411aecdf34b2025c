/*
 * Moving a device between network namespaces. The kernel takes its addresses away on the way, with
 * all else that is not the device's own but IP's; hull reads them before and gives them again. It
 * comes to the container under a number that hull chooses, so that it can be found there whatever
 * the kernel calls it (S-146). Parent, with CAP_NET_ADMIN over both.
 */
#include "netns/device.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"

#define INDEX_TRIES 1024

/* ---- the namespaces ---- */

void netns_pair_init(struct netns_pair *p)
{
	*p = (struct netns_pair) {
		.host_fd = -EBADF,
		.container_fd = -EBADF,
		.host.fd = -EBADF,
		.container.fd = -EBADF,
	};
}

int netns_pair_open(struct netns_pair *p, struct err *err)
{
	struct stat host, container;

	p->host_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (p->host_fd < 0 || fstat(p->host_fd, &host) < 0 ||
	    fstat(p->container_fd, &container) < 0)
		return err_sys(err, errno, "cannot open hull's own network namespace");
	if (host.st_ino == container.st_ino && host.st_dev == container.st_dev)
		return err_say(err, ERR_CONFIG, EPERM,
			       "the container would be in the host's network namespace");
	int r = netlink_open(&p->host, err);
	return r < 0 ? r : netlink_open_in(&p->container, p->container_fd, err);
}

void netns_pair_done(struct netns_pair *p)
{
	netlink_close(&p->host);
	netlink_close(&p->container);
	fd_close(&p->host_fd);
	fd_close(&p->container_fd);
}

/* ---- there ---- */

/* A free number there, if possible the one that it has here. */
static int choose_index(struct netlink *nl, struct netns_device *d)
{
	struct link other;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < INDEX_TRIES; i++) {
		d->new_index = d->link.index + i;
		r = link_get(nl, d->new_index, &other);
	}
	return r == -ENODEV ? 0 : r < 0 ? r : -EBUSY;
}

static int examine_failed(const struct netlink *host, const char *name, int code, struct err *err)
{
	return netlink_failed(host, code, err, "cannot examine the network device '%s'", name);
}

int netns_device_find(struct netlink *host, const char *name, struct link *ret, struct err *err)
{
	int r = link_find(host, name, ret);
	if (r != -ENODEV)
		return r < 0 ? examine_failed(host, name, -r, err) : 0;
	err_say(err, ERR_CONFIG, ENODEV, "there is no network device '%s' on the host", name);
	err_hint(err, "ip link lists them, in the network namespace that hull is in");
	return -ENODEV;
}

int netns_device_read(struct netns_pair *p, const char *name, struct arena *arena,
		      struct netns_device *ret, struct err *err)
{
	*ret = (struct netns_device) { 0 };
	int r = netns_device_find(&p->host, name, &ret->link, err);
	if (r < 0)
		return r;
	r = address_list(&p->host, ret->link.index, arena, &ret->addresses);
	if (r == 0)
		r = route_list(&p->host, ret->link.index, arena, &ret->routes);
	if (r < 0)
		return examine_failed(&p->host, name, -r, err);
	r = choose_index(&p->container, ret);
	return r < 0 ? netlink_failed(&p->container, -r, err,
				      "cannot find a number for the network device '%s'", name)
		     : 0;
}

static int move_failed(const struct netns_pair *p, const struct netns_device *d, const char *as,
		       int code, struct err *err)
{
	const char *name = d->link.name;
	if (code == EEXIST) {
		err_say(err, ERR_CONFIG, EEXIST,
			"cannot move the network device '%s': there is a '%s' in the container's "
			"network namespace",
			name, as);
		err_hint(err, "give it another name; in \"%s%%d\" the kernel chooses the number",
			 "eth");
		return -code;
	}
	netlink_failed(&p->host, code, err, "cannot move the network device '%s'", name);
	if (code == EPERM)
		err_hint(err, "it takes CAP_NET_ADMIN over the host's network and the container's");
	return -code;
}

/* The request is not atomic: a name may be refused when the device is there already. */
static int move(struct netns_pair *p, struct netns_device *d, const char *as, struct err *err)
{
	const struct link_target to = { p->container_fd, d->new_index, as };
	struct link other;

	if (!strchr(as, '%') && link_find(&p->container, as, &other) == 0)
		return move_failed(p, d, as, EEXIST, err);
	int r = link_move(&p->host, d->link.index, &to);
	if (r < 0)
		move_failed(p, d, as, -r,
			    err); /* before the next question: it has the kernel's words */
	d->is_moved = r == 0 || link_get(&p->host, d->link.index, &other) == -ENODEV;
	return r;
}

static bool is_chosen(const struct link *l)
{
	return l->has_addr_gen_mode && (l->addr_gen_mode == IN6_ADDR_GEN_MODE_NONE ||
					l->addr_gen_mode == IN6_ADDR_GEN_MODE_RANDOM);
}

static int address_failed(const struct netlink *nl, const struct address *a, const char *name,
			  int code, struct err *err)
{
	char text[ADDRESS_TEXT_SIZE];
	address_print(a, text);
	netlink_failed(nl, code, err, "cannot give the address %s to the network device '%s'", text,
		       name);
	if (a->family == AF_INET6 && (code == EACCES || code == EPERM || code == EOPNOTSUPP))
		err_hint(err, "IPv6 may be off there (sysctl net.ipv6.conf.all.disable_ipv6)");
	return -code;
}

/* It is there, and down: what it had before comes first. */
static int set_up(struct netns_pair *p, const struct netns_device *d, struct err *err)
{
	struct netlink *nl = &p->container;
	struct link now;

	int r = link_get(nl, d->new_index, &now);
	if (r == 0 && is_chosen(&d->link))
		r = link_set_addr_gen_mode(nl, now.index, d->link.addr_gen_mode);
	if (r < 0)
		return netlink_failed(nl, -r, err, "cannot set up the network device '%s'",
				      d->link.name);
	for (size_t i = 0; i < d->addresses.n; i++) {
		const struct address *a = &d->addresses.v[i];
		r = address_moves(a) ? address_add(nl, now.index, a, d->link.name, now.name) : 0;
		if (r < 0)
			return address_failed(nl, a, now.name, -r, err);
	}
	r = link_set_up(nl, now.index);
	return r < 0 ? netlink_failed(nl, -r, err, "cannot set the network device '%s' up",
				      now.name)
		     : 0;
}

int netns_device_move(struct netns_pair *p, struct netns_device *d, const char *as, struct err *err)
{
	int r = move(p, d, as ? as : d->link.name, err);
	return r < 0 ? r : set_up(p, d, err);
}

/* ---- and back ---- */

/* Its old number, unless somebody has taken that meanwhile. */
static int move_back(struct netns_pair *p, const struct netns_device *d, unsigned *ret_index)
{
	struct link_target to = { .namespace_fd = p->host_fd, .name = d->link.name };
	int r = -EBUSY;

	for (unsigned i = 0; r == -EBUSY && i < INDEX_TRIES; i++) {
		to.new_index = *ret_index = d->link.index + i;
		r = link_move(&p->container, d->new_index, &to);
	}
	return r;
}

static int give_back(struct netns_pair *p, const struct netns_device *d, unsigned index)
{
	int r = 0;
	if (is_chosen(&d->link))
		r = link_set_addr_gen_mode(&p->host, index, d->link.addr_gen_mode);
	for (size_t i = 0; r == 0 && i < d->addresses.n; i++) {
		const struct address *a = &d->addresses.v[i];
		if (address_is_kernels(a))
			continue;
		r = address_add(&p->host, index, a, d->link.name, d->link.name);
		r = r == -EEXIST ? 0 : r; /* older kernels do not say which ones are theirs */
	}
	if (r == 0 && d->link.master)
		r = link_set_master(&p->host, index, d->link.master);
	if (r == 0 && (d->link.flags & IFF_UP))
		r = link_set_up(&p->host, index);
	return r < 0 ? r : route_restore(&p->host, index, &d->routes);
}

/* The host's end of a cable goes with the other one, and nobody there can make another. */
static bool is_plugged(struct netns_pair *p, const struct netns_device *d)
{
	struct link peer;
	if (!str_eq(d->link.kind, "veth") || !d->link.is_peer_here)
		return true;
	return link_get(&p->host, d->link.peer, &peer) == 0 && peer.peer == d->new_index;
}

/*
 * Others in an existing namespace may have removed it, and made one with its number. What the
 * kernel tells apart for sure is hardware, which nobody can make, and a cable by its other end;
 * else it is the kind of device.
 */
static int check_there(struct netns_pair *p, const struct netns_device *d)
{
	struct link there;
	int r = link_get(&p->container, d->new_index, &there);
	return r < 0 || (str_eq(there.kind, d->link.kind) && is_plugged(p, d)) ? r : -ENODEV;
}

bool netns_device_is_away(struct netns_pair *p, const struct netns_device *d)
{
	struct link here;
	return link_get(&p->host, d->link.index, &here) == -ENODEV && check_there(p, d) == 0;
}

int netns_device_return(struct netns_pair *p, struct netns_device *d, struct err *err)
{
	unsigned index;
	if (!d->is_moved)
		return 0;
	d->is_moved = false;
	int r = check_there(p, d);
	if (r == 0)
		r = move_back(p, d, &index);
	if (r == -ENODEV) /* `delete --force` was faster, or somebody has removed it */
		return 0;
	if (r < 0)
		return netlink_failed(&p->container, -r, err,
				      "cannot put the network device '%s' back", d->link.name);
	r = give_back(p, d, index);
	return r < 0 ? netlink_failed(&p->host, -r, err,
				      "the network device '%s' is back, but not as it was",
				      d->link.name)
		     : 0;
}
