/*
 * Parent: moves devices of the host into the container's network namespace, and puts them back when
 * the start fails. Where that namespace exists already, and so will outlive a hull that is killed,
 * what each device was stands in a file of the state directory before it is moved: `delete` puts it
 * back by that. With the caller's privilege over both namespaces.
 *
 * Must not: move a device back that the container has been given (S-150): then there is no file.
 */
#include "start/devices.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "start/steps.h"

#define DEVICES_MAGIC    0x68756c02u /* and the version of what follows */
#define DEVICES_FILE_MAX ((size_t)16 * 1024 * 1024)
#define DEVICES_TRIES    8 /* for a number that is taken meanwhile */

/* The file: one head, and for each device one record with its addresses and routes behind it. */
struct head {
	uint32_t magic, record_size, address_size;
	uint64_t dev, ino; /* of the namespace, which may have another file by then */
	uint32_t is_of_container;
	char path[PATH_MAX]; /* its file; or the id of the container whose own it is */
};
struct record {
	struct link link;
	uint32_t new_index, addresses_n, routes_size;
};

/* ---- the file ---- */

static const struct plan_join *joined(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->ns.join_n; i++)
		if (plan->ns.join[i].type == SPEC_NS_NETWORK)
			return &plan->ns.join[i];
	return NULL;
}

static int open_file(const struct start *s, int *ret_fd)
{
	const struct plan_join *join = joined(s->plan);
	struct head head = { .magic = DEVICES_MAGIC,
			     .record_size = sizeof(struct record),
			     .address_size = sizeof(struct address) };
	struct stat st;

	if (!join)
		return 0;
	const char *path = join->container ? join->container : join->path;
	if (strlen(path) >= sizeof(head.path))
		return -ENAMETOOLONG;
	if (fstat(s->network.container_fd, &st) < 0)
		return -errno;
	head.dev = st.st_dev;
	head.ino = st.st_ino;
	head.is_of_container = join->container != NULL;
	strncpy(head.path, path, sizeof(head.path) - 1);
	_cleanup_close_ int fd = openat(s->entry.fd, STATE_DEVICES_FILE,
					O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
					0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, &head, sizeof(head));
	if (r == 0)
		*ret_fd = fd_take(&fd);
	return r;
}

static int note(int fd, const struct netns_device *d)
{
	const struct record record = { d->link, d->new_index, (uint32_t)d->addresses.n,
				       (uint32_t)d->routes.size };
	if (fd < 0)
		return 0;
	int r = fd_write_all(fd, &record, sizeof(record));
	if (r == 0)
		r = fd_write_all(fd, d->addresses.v, d->addresses.n * sizeof(*d->addresses.v));
	return r < 0 ? r : fd_write_all(fd, d->routes.bytes, d->routes.size);
}

/* ---- there ---- */

static int move_one(struct start *s, int fd, size_t i, struct err *err)
{
	const struct plan_net_device *plan = &s->plan->network.devices[i];
	struct netns_device *d = &s->devices[i];
	int r = -EBUSY;

	for (int tries = 0; r == -EBUSY && !d->is_moved && tries < DEVICES_TRIES; tries++) {
		r = netns_device_read(&s->network, plan->name, s->arena, d, err);
		int noted = r == 0 ? note(fd, d) : 0;
		if (noted < 0)
			r = err_sys(err, -noted, "cannot note what '%s' was", plan->name);
		if (r == 0)
			r = netns_device_move(&s->network, d, plan->as, err);
	}
	if (r < 0)
		err_at(err, plan->at);
	return r;
}

int devices_move(struct start *s, struct err *err)
{
	const struct plan_network *n = &s->plan->network;
	_cleanup_close_ int fd = -EBADF;

	int r = n->devices_n ? open_file(s, &fd) : 0;
	if (r < 0)
		return err_sys(err, -r, "cannot note which network devices are moved");
	s->devices = arena_array(s->arena, n->devices_n + 1, sizeof(*s->devices));
	for (size_t i = 0; r == 0 && i < n->devices_n; i++)
		r = move_one(s, fd, i, err);
	return r;
}

/* While the file is there, whoever deletes the container would take them from it. */
int devices_give(const struct start *s, struct err *err)
{
	if (!s->plan->network.devices_n)
		return 0;
	if (unlinkat(s->entry.fd, STATE_DEVICES_FILE, 0) == 0 || errno == ENOENT)
		return 0;
	return err_sys(err, errno, "cannot note that the network devices are the container's");
}

/* ---- and back ---- */

/* The last one first: two may have exchanged their names. */
void devices_return(struct start *s)
{
	struct err why;
	for (size_t i = s->devices ? s->plan->network.devices_n : 0; i-- > 0;) {
		if (netns_device_return(&s->network, &s->devices[i], &why) == 0)
			continue;
		err_at(&why, s->plan->network.devices[i].at);
		spec_problem_copy(s->arena, s->late, SPEC_WARNING, &why);
	}
}

/* -EBADF: it is not to be had; with the container its namespace has gone, too. */
static int open_noted(const struct head *head, const struct state_entry *entry)
{
	const struct state_store store = { .fd = entry->store_fd };
	int fd = -EBADF;
	if (!head->is_of_container)
		return open(head->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return network_open_of(&store, head->path, &fd, NULL) < 0 ? -EBADF : fd;
}

/* The namespace that the file names, if it is still the same: 1; 0: it is gone. */
static int open_pair(const struct head *head, const struct state_entry *entry, struct netns_pair *p,
		     struct err *err)
{
	struct stat st;
	p->container_fd = open_noted(head, entry);
	if (p->container_fd < 0 || fstat(p->container_fd, &st) < 0 || st.st_dev != head->dev ||
	    st.st_ino != head->ino)
		return 0;
	int r = netns_pair_open(p, err);
	return r < 0 ? r : 1;
}

/* What was noted of one device, and where the rest of it stands; the file may end in the middle. */
struct noted {
	struct record record;
	const char *addresses, *routes;
};

static size_t read_records(const char *at, size_t left, struct noted *ret)
{
	size_t n = 0;
	while (left >= sizeof(ret->record)) {
		struct noted *d = &ret[n];
		memcpy(&d->record, at, sizeof(d->record));
		d->record.link.name[sizeof(d->record.link.name) - 1] = '\0';
		d->record.link.kind[sizeof(d->record.link.kind) - 1] = '\0';
		d->addresses = at + sizeof(d->record);
		size_t size = sizeof(d->record) + d->record.addresses_n * sizeof(struct address);
		d->routes = at + size;
		size += d->record.routes_size;
		if (d->record.addresses_n > ADDRESSES_MAX ||
		    d->record.routes_size > ROUTES_SIZE_MAX || size > left)
			break; /* it was not written to its end, so it was not moved */
		at += size;
		left -= size;
		n++;
	}
	return n;
}

static int return_one(struct netns_pair *p, const struct noted *noted, struct arena *arena,
		      struct err *err)
{
	struct netns_device d = { .link = noted->record.link,
				  .new_index = noted->record.new_index };
	size_t n = noted->record.addresses_n;

	d.addresses.v = arena_array(arena, n + 1, sizeof(*d.addresses.v));
	d.addresses.n = n;
	memcpy(d.addresses.v, noted->addresses, n * sizeof(*d.addresses.v));
	d.routes.size = noted->record.routes_size;
	d.routes.bytes = arena_array(arena, d.routes.size + 1, 1);
	memcpy(d.routes.bytes, noted->routes, d.routes.size);
	d.is_moved = netns_device_is_away(p, &d);
	return netns_device_return(p, &d, err);
}

static int return_all(struct netns_pair *p, const char *at, size_t size, struct arena *arena,
		      struct err *err)
{
	struct noted *all = arena_array(arena, size / sizeof(struct record) + 1, sizeof(*all));
	int failure = 0;
	for (size_t i = read_records(at, size, all); i-- > 0;) {
		int r = return_one(p, &all[i], arena, failure ? NULL : err);
		failure = failure ? failure : r;
	}
	return failure;
}

int devices_rescue(const struct state_entry *entry, struct arena *arena, struct err *err)
{
	struct netns_pair p;
	struct head head;
	char *text;
	size_t size;

	if (faccessat(entry->fd, STATE_DEVICES_FILE, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	int r = fd_read_file(entry->fd, STATE_DEVICES_FILE, DEVICES_FILE_MAX, arena, &text, &size,
			     err);
	if (r < 0 || size < sizeof(head))
		return r;
	memcpy(&head, text, sizeof(head));
	head.path[sizeof(head.path) - 1] = '\0';
	if (head.magic != DEVICES_MAGIC || head.record_size != sizeof(struct record) ||
	    head.address_size != sizeof(struct address))
		return err_say(err, ERR_INTERNAL, EUCLEAN,
			       "what network devices were is noted by another version of hull");
	netns_pair_init(&p);
	r = open_pair(&head, entry, &p, err);
	if (r > 0)
		r = return_all(&p, text + sizeof(head), size - sizeof(head), arena, err);
	netns_pair_done(&p);
	return r;
}
