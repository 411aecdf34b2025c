/*
 * Compiled filters kept in a directory of the caller's (below its state directory, on a tmpfs),
 * one file per profile, readable and writable by the caller only. Whoever may write there may
 * choose a container's filter, so nothing is taken from a directory or a file that anybody else
 * could have written. The file's name is a hash of the key and decides nothing: the whole key
 * stands in the file and is compared, so that a collision can only miss. Runs in the parent.
 */
#include "seccomp/profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fd.h"

#define CACHE_MAGIC       "hullbpf1"
#define CACHE_PREFIX      "bpf-" /* an entry */
#define CACHE_TEMPORARY   "new-" /* one that is being written, or was left so by a crash */
#define CACHE_MAX_KEY     ((size_t)256 * 1024)
#define CACHE_MAX_ENTRIES 64
#define CACHE_NAME_SIZE   32

/* An entry: this, the key, the instructions. Native byte order: the key names the machine. */
struct cache_header {
	char magic[8];
	uint64_t key_size;
	uint64_t insns_size;
	uint64_t has_unknown;
	uint64_t checksum; /* of has_unknown and the instructions */
};

/* FNV-1a; against accidents, not against enemies: those cannot write here. */
#define CACHE_HASH_START 0xcbf29ce484222325u

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
	const unsigned char *p = data;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

static uint64_t checksum(uint64_t has_unknown, const void *insns, size_t size)
{
	uint64_t hash = hash_bytes(CACHE_HASH_START, &has_unknown, sizeof(has_unknown));
	return hash_bytes(hash, insns, size);
}

static void make_name(const char *prefix, uint64_t number, char ret[static CACHE_NAME_SIZE])
{
	snprintf(ret, CACHE_NAME_SIZE, "%s%016" PRIx64, prefix, number);
}

static void entry_name(const struct str *key, char ret[static CACHE_NAME_SIZE])
{
	make_name(CACHE_PREFIX, hash_bytes(CACHE_HASH_START, key->text, key->used), ret);
}

/* Of the caller, and nobody else may put or exchange files in it. */
static bool is_own_directory(int dirfd)
{
	struct stat st;
	return fstat(dirfd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* One link: a second name could be in a directory where others write. */
static bool is_own_file(const struct stat *st)
{
	return S_ISREG(st->st_mode) && (st->st_mode & 07777) == 0600 && st->st_nlink == 1 &&
	       st->st_uid == geteuid();
}

/* ---- reading ---- */

static bool is_plausible_size(off_t size, size_t key_size)
{
	size_t least = sizeof(struct cache_header) + key_size;
	if (size <= (off_t)least ||
	    (size_t)size > least + BPF_MAXINSNS * sizeof(struct sock_filter))
		return false;
	return ((size_t)size - least) % sizeof(struct sock_filter) == 0;
}

/* Reads the entry whole; NULL when there is none that could be it. */
static struct cache_header *read_entry(int dirfd, const struct str *key, struct arena *arena,
				       size_t *ret_size)
{
	char name[CACHE_NAME_SIZE];
	struct stat st;

	entry_name(key, name);
	_cleanup_close_ int fd = openat(dirfd, name,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!is_own_file(&st) || !is_plausible_size(st.st_size, key->used))
		return NULL;
	struct cache_header *entry = arena_alloc(arena, (size_t)st.st_size);
	if (fd_read_all(fd, entry, (size_t)st.st_size) != st.st_size)
		return NULL;
	*ret_size = (size_t)st.st_size;
	return entry;
}

static bool is_intact(const struct cache_header *entry, size_t size, const struct str *key)
{
	const char *body = (const char *)(entry + 1);

	return memcmp(entry->magic, CACHE_MAGIC, sizeof(entry->magic)) == 0 &&
	       entry->key_size == key->used &&
	       entry->insns_size == size - sizeof(*entry) - key->used &&
	       memcmp(body, key->text, key->used) == 0 &&
	       entry->checksum == checksum(entry->has_unknown, body + key->used, entry->insns_size);
}

bool cache_load(int dirfd, const struct str *key, struct arena *arena, struct seccomp_filter *ret)
{
	size_t size;

	if (key->used > CACHE_MAX_KEY || !is_own_directory(dirfd))
		return false;
	struct cache_header *entry = read_entry(dirfd, key, arena, &size);
	if (!entry || !is_intact(entry, size, key))
		return false;
	/* Aligned: the key's size is a multiple of 8. */
	ret->insns = (struct sock_filter *)(void *)((char *)(entry + 1) + key->used);
	ret->len = (unsigned short)(entry->insns_size / sizeof(struct sock_filter));
	ret->has_unknown = entry->has_unknown != 0;
	return true;
}

/* ---- writing ---- */

static int write_entry(int fd, const struct str *key, const struct seccomp_filter *filter)
{
	struct cache_header header = {
		.key_size = key->used,
		.insns_size = filter->len * sizeof(*filter->insns),
		.has_unknown = filter->has_unknown,
	};
	memcpy(header.magic, CACHE_MAGIC, sizeof(header.magic));
	header.checksum = checksum(header.has_unknown, filter->insns, header.insns_size);

	if (fchmod(fd, 0600) < 0) /* the umask may have taken more away */
		return -errno;
	int r = fd_write_all(fd, &header, sizeof(header));
	if (r == 0)
		r = fd_write_all(fd, key->text, key->used);
	if (r == 0)
		r = fd_write_all(fd, filter->insns, header.insns_size);
	return r;
}

/* The oldest entry but `keep`; returns how many there are. */
static size_t find_oldest(DIR *dir, const char *keep, char ret[static CACHE_NAME_SIZE])
{
	struct timespec oldest = { .tv_sec = INT64_MAX };
	size_t n = 0;

	rewinddir(dir);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		struct stat st;
		if (!str_has_prefix(e->d_name, CACHE_PREFIX) &&
		    !str_has_prefix(e->d_name, CACHE_TEMPORARY))
			continue;
		n++;
		if (str_eq(e->d_name, keep) || strlen(e->d_name) >= CACHE_NAME_SIZE ||
		    fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (st.st_mtim.tv_sec < oldest.tv_sec ||
		    (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec)) {
			oldest = st.st_mtim;
			memcpy(ret, e->d_name, strlen(e->d_name) + 1);
		}
	}
	return n;
}

/* Each store adds one, so one is what has to go as a rule; what cannot go ends it. */
static void prune(int cache_dirfd, const char *keep)
{
	char name[CACHE_NAME_SIZE] = "";
	int fd = openat(cache_dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		fd_close(&fd);
		return;
	}
	while (find_oldest(dir, keep, name) > CACHE_MAX_ENTRIES)
		if (unlinkat(cache_dirfd, name, 0) < 0)
			break;
	closedir(dir);
}

void cache_store(int dirfd, const struct str *key, const struct seccomp_filter *filter)
{
	char temporary[CACHE_NAME_SIZE], name[CACHE_NAME_SIZE];
	uint64_t number;

	if (key->used > CACHE_MAX_KEY || !filter->insns || !is_own_directory(dirfd))
		return;
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		return;
	make_name(CACHE_TEMPORARY, number, temporary);
	entry_name(key, name);
	_cleanup_close_ int fd = openat(dirfd, temporary,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	/* Under its name only when whole: others may be reading at this moment. */
	if (write_entry(fd, key, filter) < 0 || renameat(dirfd, temporary, dirfd, name) < 0) {
		unlinkat(dirfd, temporary, 0);
		return;
	}
	prune(dirfd, name);
}
