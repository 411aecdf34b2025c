/*
 * The directories: the store, and one for each container in it. All is done on descriptors of
 * directories that belong to the caller; a link in their place is refused.
 */
#include "state/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "state/parts.h"

#define STATE_LIST_BUFFER  8192
#define STATE_DEFAULT_PATH "/run/hull"
#define STATE_FILE         "state.json"
#define STATE_CONFIG_FILE  "config.json"
#define STATE_ID_MAX       (STATE_ID_SIZE - 1)
/* Longer than any command that makes progress holds a lock; the pause between two attempts. */
#define STATE_LOCK_PAUSE_MS 10
#define STATE_MOMENT_MS     100
#define WORK_MS             ((int64_t)STATE_WORK_SECONDS * 1000)
#define STATE_LOCKS_SIZE    (64 * 1024)
/* '@' cannot be in an id. */
#define STATE_CACHE_DIR "@seccomp"

int state_check_id(const char *id, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+.-";
	size_t n = strlen(id);
	if (n > 0 && n <= STATE_ID_MAX && strspn(id, allowed) == n && !str_eq(id, ".") &&
	    !str_eq(id, ".."))
		return 0;
	err_say(err, ERR_CONFIG, EINVAL, "'%s' cannot be the id of a container", id);
	err_hint(err, "an id has 1 to %d letters, digits and characters of '_+.-'", STATE_ID_MAX);
	return -EINVAL;
}

int state_no_such(const char *id, struct err *err)
{
	/* Engines look for these words. */
	err_say(err, ERR_NOT_FOUND, ENOENT, "container '%s' does not exist", id);
	if (err)
		err->flags |= ERR_NO_CONTAINER;
	return -ENOENT;
}

/* ---- the store ---- */

static const char *default_path(const char *runtime_dir, struct arena *arena)
{
	if (!runtime_dir)
		return STATE_DEFAULT_PATH;
	return arena_printf(arena, "%s/hull", runtime_dir);
}

/* The directory itself and no link to one: who can change a link chooses where it leads. */
static int open_store(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* With the directories above it: engines name one of theirs that they do not make. */
static int make_store(const char *path, struct arena *arena)
{
	char *part = arena_strdup(arena, path);
	for (char *at = strchr(part + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int check_owner(int fd, const char *path, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot examine the state directory '%s'", path);
	if (st.st_uid != geteuid())
		return err_say(err, ERR_PERMISSION, EPERM,
			       "the state directory '%s' belongs to user %u, not to %u", path,
			       st.st_uid, geteuid());
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_say(err, ERR_PERMISSION, EPERM,
			       "the state directory '%s' can be written by others", path);
	return 0;
}

int state_store_open(struct state_store *ret, const char *path, const char *runtime_dir,
		     enum state_store_flags flags, struct arena *arena, struct err *err)
{
	ret->path = path ? path : default_path(runtime_dir, arena);
	ret->fd = -EBADF;
	_cleanup_close_ int fd = open_store(ret->path);
	if (fd < 0 && errno == ENOENT && flags == STATE_STORE_CREATE) {
		int r = make_store(ret->path, arena);
		if (r < 0) {
			err_sys(err, -r, "cannot make the state directory '%s'", ret->path);
			err_hint(err, "--root DIR names another one");
			return r;
		}
		fd = open_store(ret->path);
	}
	if (fd < 0) {
		int r = err_sys(err, errno, "cannot open the state directory '%s'", ret->path);
		if (r == -ENOTDIR)
			err_hint(err, "it must be a directory, not a link to one");
		return r;
	}
	int r = check_owner(fd, ret->path, err);
	if (r == 0)
		ret->fd = fd_take(&fd);
	return r;
}

void state_store_close(struct state_store *store)
{
	fd_close(&store->fd);
}

int state_open_cache(const struct state_store *store)
{
	if (mkdirat(store->fd, STATE_CACHE_DIR, 0700) < 0 && errno != EEXIST)
		return -1;
	return openat(store->fd, STATE_CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- all containers ---- */

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_id(struct arena *arena, struct state_ids *ids, size_t *room, const char *name)
{
	if (ids->n == *room) {
		const char **old = ids->v;
		*room = *room ? *room * 2 : 32;
		ids->v = arena_array(arena, *room, sizeof(*ids->v));
		for (size_t i = 0; i < ids->n; i++)
			ids->v[i] = old[i];
	}
	ids->v[ids->n++] = arena_strdup(arena, name);
}

/* By getdents64: what readdir() frees keeps the names of others in the memory of process 1. */
static int read_ids(int fd, struct arena *arena, struct state_ids *ret)
{
	char *buf = arena_alloc(arena, STATE_LIST_BUFFER);
	size_t room = 0;
	ssize_t n;

	while ((n = getdents64(fd, buf, STATE_LIST_BUFFER)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *e = (const struct dirent64 *)(const void *)(buf +
											   at);
			if (state_check_id(e->d_name, NULL) == 0)
				add_id(arena, ret, &room, e->d_name);
			at += e->d_reclen;
		}
	}
	return n < 0 ? -errno : 0;
}

int state_list(const struct state_store *store, struct arena *arena, struct state_ids *ret,
	       struct err *err)
{
	*ret = (struct state_ids) { 0 };
	_cleanup_close_ int fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : read_ids(fd, arena, ret);
	if (r < 0)
		return err_sys(err, -r, "cannot list the state directory '%s'", store->path);
	if (ret->n > 0)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_ids);
	return 0;
}

/* ---- one container ---- */

/* Who holds a lock on the file, by a line of /proc/locks; 0: nobody knows. */
static pid_t lock_holder(int fd)
{
	struct stat st;
	char wanted[64], text[STATE_LOCKS_SIZE];
	const char *line = NULL;

	if (fstat(fd, &st) < 0)
		return 0;
	snprintf(wanted, sizeof(wanted), " %02x:%02x:%llu ", major(st.st_dev), minor(st.st_dev),
		 (unsigned long long)st.st_ino);
	_cleanup_close_ int locks = open("/proc/locks", O_RDONLY | O_CLOEXEC);
	ssize_t n = locks < 0 ? -1 : fd_read_all(locks, text, sizeof(text) - 1);
	if (n > 0) {
		text[n] = '\0';
		line = strstr(text, wanted); /* "1: FLOCK  ADVISORY  WRITE 4711 00:15:80 0 EOF" */
	}
	while (line && line > text && line[-1] != ' ')
		line--;
	return line ? (pid_t)strtol(line, NULL, 10) : 0;
}

/* A hull that is stopped or hangs must not hold up all others for ever. */
static int lock_timed_out(int fd, const char *id, struct err *err)
{
	pid_t holder = lock_holder(fd);
	char who[32] = "another process";

	/* The lock may be held by a descriptor that a dead process has left to others. */
	if (holder > 0 && (kill(holder, 0) == 0 || errno == EPERM))
		snprintf(who, sizeof(who), "process %d", (int)holder);
	err_say(err, ERR_BUSY, ETIMEDOUT,
		"the state of '%s' is locked by %s, which did not release it in %d s", id, who,
		STATE_LOCK_SECONDS);
	err_hint(err, "it is another hull at work on that container, or one that was stopped");
	return -ETIMEDOUT;
}

static int take_lock(int fd, const char *id, struct err *err)
{
	const struct timespec pause = { .tv_nsec = STATE_LOCK_PAUSE_MS * 1000000L };

	for (int left = STATE_LOCK_SECONDS * 1000;; left -= STATE_LOCK_PAUSE_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, errno, "cannot lock the state of '%s'", id);
		if (left <= 0)
			return lock_timed_out(fd, id, err);
		(void)nanosleep(&pause, NULL);
	}
}

static int open_entry(const struct state_store *store, const char *id, struct state_entry *ret,
		      struct err *err)
{
	*ret = (struct state_entry) { .id = id, .store_fd = store->fd, .fd = -EBADF };
	ret->fd = openat(store->fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ret->fd >= 0)
		return 0;
	return errno == ENOENT ? state_no_such(id, err)
			       : err_sys(err, errno, "cannot open the state of '%s'", id);
}

/* Whoever had the lock before may have deleted the container while we waited. */
static int check_still_there(const struct state_entry *entry, struct err *err)
{
	struct stat mine, named;
	if (fstat(entry->fd, &mine) < 0)
		return err_sys(err, errno, "cannot examine the state of '%s'", entry->id);
	int r = fstatat(entry->store_fd, entry->id, &named, AT_SYMLINK_NOFOLLOW);
	if (r < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot find the state of '%s'", entry->id);
	if (r < 0 || mine.st_ino != named.st_ino || mine.st_dev != named.st_dev)
		return state_no_such(entry->id, err);
	return 0;
}

static int lock_entry(const struct state_store *store, const char *id, struct state_entry *ret,
		      struct err *err)
{
	int r = open_entry(store, id, ret, err);
	if (r < 0)
		return r;
	r = state_relock(ret, err);
	if (r < 0)
		state_entry_close(ret);
	return r;
}

int state_lock(const struct state_store *store, const char *id, struct state_entry *ret,
	       struct err *err)
{
	const struct timespec pause = { .tv_nsec = 5 * STATE_LOCK_PAUSE_MS * 1000000L };

	int r = lock_entry(store, id, ret, err);
	if (r < 0 || faccessat(ret->fd, STATE_FILE, F_OK, 0) == 0)
		return r;
	/* Somebody may have made the directory to claim the id, and be about to lock it: after him.
	 */
	state_entry_close(ret);
	(void)nanosleep(&pause, NULL);
	return lock_entry(store, id, ret, err);
}

static int is_taken(const char *id, struct err *err)
{
	err_say(err, ERR_BUSY, EEXIST, "container '%s' exists already", id);
	err_hint(err,
		 "choose another id, or remove it: hull delete %s, with --force if it is running",
		 id);
	return -EEXIST;
}

int state_claim(const struct state_store *store, const char *id, struct state_entry *ret,
		struct err *err)
{
	*ret = (struct state_entry) { .id = id, .store_fd = store->fd, .fd = -EBADF };
	if (mkdirat(store->fd, id, 0700) < 0)
		return errno == EEXIST ? is_taken(id, err)
				       : err_sys(err, errno, "cannot make the state of '%s'", id);
	int r = lock_entry(store, id, ret, err);
	/* Between the two calls a delete --force may have removed the directory; and the one that
	 * is locked now may then be another claim's, which has written its state already. */
	if (r == -ENOENT || (r == 0 && faccessat(ret->fd, STATE_FILE, F_OK, 0) == 0)) {
		state_entry_close(ret);
		return is_taken(id, err);
	}
	if (r < 0)
		(void)!unlinkat(store->fd, id, AT_REMOVEDIR);
	return r;
}

/* Who has it already gets no more time by asking again. */
int state_relock(struct state_entry *entry, struct err *err)
{
	int r = take_lock(entry->fd, entry->id, err);
	if (r < 0)
		return r;
	if (entry->deadline == 0)
		entry->deadline = clock_ms() + WORK_MS;
	return check_still_there(entry, err);
}

void state_unlock(struct state_entry *entry)
{
	if (entry->fd >= 0)
		(void)!flock(entry->fd, LOCK_UN);
	entry->deadline = 0;
}

void state_entry_close(struct state_entry *entry)
{
	fd_close(&entry->fd);
	entry->deadline = 0;
}

int state_time_left(const struct state_entry *entry, enum state_by by)
{
	const int64_t now = clock_ms();
	const int64_t end = entry->deadline ? entry->deadline : now + WORK_MS;
	const int64_t left = end - WORK_MS + WORK_MS * (int64_t)by / 100 - now;
	return left > STATE_MOMENT_MS ? (int)left : STATE_MOMENT_MS;
}

/* A new file: whoever has claimed the id comes here once. */
int state_write_config(const struct state_entry *entry, const struct json_doc *config,
		       struct err *err)
{
	_cleanup_close_ int fd = openat(entry->fd, STATE_CONFIG_FILE,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, config->text, config->size);
	return r < 0 ? err_sys(err, -r, "cannot keep the configuration of '%s'", entry->id) : 0;
}

void state_forget_config(const struct state_entry *entry)
{
	(void)!unlinkat(entry->fd, STATE_CONFIG_FILE, 0);
}

int state_read_config(const struct state_store *store, const char *id, struct arena *arena,
		      struct spec *ret, struct spec_problems *problems, struct err *err)
{
	struct state_entry entry;
	int r = open_entry(store, id, &entry, err);
	if (r < 0)
		return r;
	r = spec_load(arena, entry.fd, STATE_CONFIG_FILE, ret, problems, err);
	state_entry_close(&entry);
	if (r == -ENOENT)
		err_say(err, ERR_NOT_FOUND, ENOENT,
			"the configuration with which container '%s' was started is not there", id);
	return r;
}

#define REMOVE_TRIES 100

/* `hull kill` has no lock, and may leave its note at any time until the directory is gone. */
static int remove_directory(const struct state_entry *entry)
{
	for (int i = 0; i < REMOVE_TRIES; i++) {
		if (unlinkat(entry->store_fd, entry->id, AT_REMOVEDIR) == 0)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -errno;
		(void)!unlinkat(entry->fd, STATE_KILL_FILE, 0);
	}
	return -ENOTEMPTY;
}

int state_remove(struct state_entry *entry, struct err *err)
{
	/* Those with a ".new" are what a hull that was killed had not finished. */
	static const char *const files[] = {
		STATE_FILE,        STATE_FILE ".new",      STATE_CONFIG_FILE,
		STATE_GATE_FILE,   STATE_GATE_FILE ".new", STATE_HOOKS_FILE,
		STATE_RESOLV_FILE, STATE_DEVICES_FILE,     STATE_CGROUP_LINK,
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (unlinkat(entry->fd, files[i], 0) < 0 && errno != ENOENT)
			return err_sys(err, errno, "cannot remove the state of '%s'", entry->id);
	int r = remove_directory(entry);
	if (r < 0 && r != -ENOENT)
		return err_sys(err, -r, "cannot remove the state directory of '%s'", entry->id);
	state_entry_close(entry);
	return 0;
}
