/* The file of leases: read, judged, changed in memory, and replaced as a whole. */
#include "state/leases.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/str.h"

#define LEASES_DIR         "@network" /* '@' cannot be in an id */
#define LEASES_FILE        "leases"
#define LEASES_MAX         16384
#define LEASES_BRIDGES_MAX 256
#define LEASES_FILE_MAX    ((size_t)8 * 1024 * 1024)
#define LEASES_PAUSE_MS    10
#define LEASES_FIELDS      7 /* one more than any line has */

/* ---- reading ---- */

/* "10.117.0.2" */
static bool read_address(const char *text, uint32_t *ret)
{
	uint32_t address = 0;
	for (int i = 0; i < 4; i++) {
		char part[4];
		uint64_t v;
		size_t n = strcspn(text, ".");
		if (n >= sizeof(part) || (text[n] == '.') != (i < 3))
			return false;
		memcpy(part, text, n);
		part[n] = '\0';
		if (str_to_u64(part, 255, &v) < 0)
			return false;
		address = address << 8 | (uint32_t)v;
		text += n + (i < 3);
	}
	*ret = address;
	return true;
}

/* Splits a line in place; how many words. */
static size_t split(char *line, char *words[static LEASES_FIELDS])
{
	size_t n = 0;
	for (char *at = line; *at && n < LEASES_FIELDS;) {
		words[n++] = at;
		at += strcspn(at, " ");
		if (*at == ' ')
			*at++ = '\0';
	}
	return n;
}

/* bridge NAME NAMESPACE GATEWAY PREFIX made|found */
static bool read_bridge(char **word, size_t n, struct lease_bridge *ret)
{
	uint64_t prefix;
	if (n != 6 || !spec_is_interface(word[1]) ||
	    str_to_u64(word[2], UINT64_MAX, &ret->netns) < 0 ||
	    !read_address(word[3], &ret->gateway) || str_to_u64(word[4], 32, &prefix) < 0)
		return false;
	ret->name = word[1];
	ret->prefix = (unsigned)prefix;
	ret->is_made = str_eq(word[5], "made");
	return ret->is_made || str_eq(word[5], "found");
}

/* lease BRIDGE NAMESPACE ADDRESS ID */
static bool read_lease(char **word, size_t n, struct lease *ret)
{
	if (n != 5 || !spec_is_interface(word[1]) ||
	    str_to_u64(word[2], UINT64_MAX, &ret->netns) < 0 ||
	    !read_address(word[3], &ret->address) || state_check_id(word[4], NULL) < 0)
		return false;
	ret->bridge = word[1];
	ret->id = word[4];
	return true;
}

static bool read_line(struct leases *l, char *line)
{
	struct lease_bridge bridge = { 0 };
	struct lease lease = { 0 };
	char *words[LEASES_FIELDS];
	size_t n = split(line, words);

	if (n > 0 && str_eq(words[0], "bridge"))
		return read_bridge(words, n, &bridge) && leases_add_bridge(l, &bridge) == 0;
	return n > 0 && str_eq(words[0], "lease") && read_lease(words, n, &lease) &&
	       leases_add(l, &lease) == 0;
}

int leases_parse(const char *text, struct leases *ret, struct err *err)
{
	*ret = (struct leases) { .fd = -EBADF };
	arena_init(&ret->arena);
	char *at = arena_strdup(&ret->arena, text);
	for (unsigned line = 1; *at; line++) {
		char *end = at + strcspn(at, "\n");
		char *next = *end ? end + 1 : end;
		*end = '\0';
		if (!read_line(ret, at))
			return err_say(err, ERR_INTERNAL, EUCLEAN,
				       "line %u of the file of addresses is broken", line);
		at = next;
	}
	return 0;
}

/* ---- the file ---- */

static int take_lock(int fd, int timeout_ms, struct err *err)
{
	const struct timespec pause = { .tv_nsec = LEASES_PAUSE_MS * 1000000L };

	for (int left = timeout_ms;; left -= LEASES_PAUSE_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, errno, "cannot lock the addresses of containers");
		if (left <= 0)
			return err_say(err, ERR_BUSY, ETIMEDOUT,
				       "another hull did not release the addresses of containers "
				       "in %d ms",
				       timeout_ms);
		(void)nanosleep(&pause, NULL);
	}
}

static int read_file(int fd, struct leases *ret, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	char *text;
	size_t size;

	arena_init(&arena);
	int r = fd_read_file(fd, LEASES_FILE, LEASES_FILE_MAX, &arena, &text, &size, err);
	if (r == -ENOENT)
		text = arena_strdup(&arena, "");
	if (r == 0 || r == -ENOENT)
		r = leases_parse(text, ret, err);
	if (r < 0)
		err_hint(err,
			 "it is '%s/%s' in the state directory; when no container runs there "
			 "it may be removed",
			 LEASES_DIR, LEASES_FILE);
	arena_wipe(&arena);
	return r;
}

int leases_open(int store_fd, enum leases_flags flags, int timeout_ms, struct leases *ret,
		struct err *err)
{
	*ret = (struct leases) { .fd = -EBADF };
	arena_init(&ret->arena);
	if (flags == LEASES_CREATE && mkdirat(store_fd, LEASES_DIR, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make the directory '%s'", LEASES_DIR);
	_cleanup_close_ int fd = openat(store_fd, LEASES_DIR,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && flags == LEASES_EXISTING)
		return 0;
	if (fd < 0)
		return err_sys(err, errno, "cannot open the directory '%s'", LEASES_DIR);
	int r = take_lock(fd, timeout_ms, err);
	if (r == 0)
		r = read_file(fd, ret, err);
	if (r < 0)
		leases_close(ret);
	else
		ret->fd = fd_take(&fd);
	return r;
}

static bool is_named(const char *text, const char *id)
{
	size_t size = strlen(id);
	for (const char *at = strstr(text, id); at; at = strstr(at + 1, id))
		if (at > text && at[-1] == ' ' && (at[size] == '\n' || at[size] == '\0'))
			return true;
	return false;
}

bool leases_may_have(int store_fd, const char *id)
{
	_cleanup_arena_ struct arena arena;
	char *text;
	size_t size;

	arena_init(&arena);
	int r = fd_read_file(store_fd, LEASES_DIR "/" LEASES_FILE, LEASES_FILE_MAX, &arena, &text,
			     &size, NULL);
	bool may = r < 0 ? r != -ENOENT : is_named(text, id);
	arena_wipe(&arena);
	return may;
}

static void put_address(struct str *out, uint32_t a)
{
	str_printf(out, " %u.%u.%u.%u ", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static void print(const struct leases *l, struct str *out)
{
	for (size_t i = 0; i < l->bridges_n; i++) {
		const struct lease_bridge *b = &l->bridges[i];
		str_printf(out, "bridge %s %llu", b->name, (unsigned long long)b->netns);
		put_address(out, b->gateway);
		str_printf(out, "%u %s\n", b->prefix, b->is_made ? "made" : "found");
	}
	for (size_t i = 0; i < l->n; i++) {
		str_printf(out, "lease %s %llu", l->v[i].bridge, (unsigned long long)l->v[i].netns);
		put_address(out, l->v[i].address);
		str_printf(out, "%s\n", l->v[i].id);
	}
}

static int replace(int fd, const struct str *text)
{
	_cleanup_close_ int file = openat(fd, LEASES_FILE ".new",
					  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
					  0600);
	int r = file < 0 ? -errno : fd_write_all(file, text->text, text->used);
	if (r == 0 && renameat(fd, LEASES_FILE ".new", fd, LEASES_FILE) < 0)
		r = -errno;
	if (r < 0)
		(void)!unlinkat(fd, LEASES_FILE ".new", 0);
	return r;
}

int leases_write(const struct leases *l, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	struct str text;
	int r = 0;

	arena_init(&arena);
	str_init(&text, &arena);
	print(l, &text);
	if (text.used)
		r = replace(l->fd, &text);
	else if (unlinkat(l->fd, LEASES_FILE, 0) < 0 && errno != ENOENT)
		r = -errno;
	arena_wipe(&arena);
	return r < 0 ? err_sys(err, -r, "cannot write the addresses of containers") : 0;
}

void leases_close(struct leases *l)
{
	arena_wipe(&l->arena);
	arena_done(&l->arena);
	arena_init(&l->arena);
	l->n = l->bridges_n = 0;
	fd_close(&l->fd);
}

/* ---- what is in it ---- */

struct lease_bridge *leases_find_bridge(const struct leases *l, const char *name, uint64_t netns)
{
	for (size_t i = 0; i < l->bridges_n; i++)
		if (l->bridges[i].netns == netns && str_eq(l->bridges[i].name, name))
			return &l->bridges[i];
	return NULL;
}

static bool is_on(const struct lease *lease, const struct lease_bridge *bridge)
{
	return lease->netns == bridge->netns && str_eq(lease->bridge, bridge->name);
}

bool leases_use_bridge(const struct leases *l, const struct lease_bridge *bridge)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_on(&l->v[i], bridge))
			return true;
	return false;
}

bool leases_share(const struct leases *l, const struct lease *lease)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct lease *other = &l->v[i];
		if (other != lease && other->netns == lease->netns &&
		    other->address == lease->address && str_eq(other->bridge, lease->bridge) &&
		    !str_eq(other->id, lease->id))
			return true;
	}
	return false;
}

bool leases_are_full(const struct leases *l)
{
	return l->bridges_n == LEASES_BRIDGES_MAX;
}

int leases_add_bridge(struct leases *l, const struct lease_bridge *bridge)
{
	if (leases_are_full(l))
		return -ENOSPC;
	if (!l->bridges)
		l->bridges = arena_array(&l->arena, LEASES_BRIDGES_MAX, sizeof(*l->bridges));
	struct lease_bridge *b = &l->bridges[l->bridges_n++];
	*b = *bridge;
	b->name = arena_strdup(&l->arena, bridge->name);
	return 0;
}

int leases_add(struct leases *l, const struct lease *lease)
{
	if (l->n == LEASES_MAX)
		return -ENOSPC;
	if (!l->v)
		l->v = arena_array(&l->arena, LEASES_MAX, sizeof(*l->v));
	struct lease *v = &l->v[l->n++];
	*v = *lease;
	v->bridge = arena_strdup(&l->arena, lease->bridge);
	v->id = arena_strdup(&l->arena, lease->id);
	return 0;
}

void leases_remove_bridge(struct leases *l, struct lease_bridge *bridge)
{
	*bridge = l->bridges[--l->bridges_n];
}

void leases_remove(struct leases *l, struct lease *lease)
{
	*lease = l->v[--l->n];
}

static bool is_free(const struct leases *l, const struct lease_bridge *bridge, uint32_t address)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_on(&l->v[i], bridge) && l->v[i].address == address)
			return false;
	return address != bridge->gateway;
}

/* Neither the first nor the last, which mean the network and all of it. */
uint32_t leases_free_address(const struct leases *l, const struct lease_bridge *bridge,
			     uint32_t after)
{
	if (bridge->prefix < 1 || bridge->prefix > 30)
		return 0;
	uint32_t hosts = UINT32_MAX >> bridge->prefix;
	uint32_t subnet = bridge->gateway & ~hosts;
	uint32_t first = after ? after - subnet + 1 : 1;
	for (uint32_t i = first; i < hosts && i - first < l->n + 2; i++)
		if (is_free(l, bridge, subnet + i))
			return subnet + i;
	return 0;
}
