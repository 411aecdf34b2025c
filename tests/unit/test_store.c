/* The directories of states: who may own them, and that an id has one owner at a time. */
#include "state/state.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "storedir.h"

static const struct state typical = {
	.id = "web",
	.bundle = "/srv/bundle",
	.status = STATE_RUNNING,
	.created = "2026-11-21T23:10:00.000000001Z",
};

/* ---- the directories ---- */

static void test_ids(void **unused)
{
	char id[258];
	struct err err;
	(void)unused;
	static const char *const good[] = { "a", "A-b_c.d+9", "...", "-x", "0", "..a" };
	static const char *const bad[] = { "",    ".",    "..",       "a/b",      "/",
					   "a b", "a\n",  "\xc3\xa4", "@seccomp", "a:b",
					   "a*",  "a\\b", "~",        "a,b" };
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(state_check_id(good[i], &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(state_check_id(bad[i], &err), -EINVAL);
	memset(id, 'a', sizeof(id));
	id[255] = '\0';
	assert_int_equal(state_check_id(id, &err), 0);
	id[255] = 'a';
	id[256] = '\0';
	assert_int_equal(state_check_id(id, &err), -EINVAL);
}

static void test_claim_and_remove(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry, other;
	char list[128];
	struct stat st;
	(void)unused;
	storedir_init(&f);
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	assert_int_equal(fstat(entry.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(state_claim(&f.store, "web", &other, &f.err), -EEXIST);
	assert_int_equal(f.err.kind, ERR_BUSY);
	tmpdir_write(&f.dir, "store/web/state.json.new", 0600, "half");
	assert_int_equal(state_write(&entry, &typical, &f.err), 0);
	tmpdir_write(&f.dir, "store/web/state.json.new", 0600, "half");
	assert_int_equal(state_remove(&entry, &f.err), 0);
	tmpdir_list(&f.dir, "store", list, sizeof(list));
	assert_string_equal(list, "");
	assert_int_equal(state_lock(&f.store, "web", &entry, &f.err), -ENOENT);
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	state_entry_close(&entry);
}

/* The config.json of the start, for those who come later; it goes with the state. */
static void test_config_is_kept(void **unused)
{
	static const char text[] = "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"}}";
	const struct json_doc doc = { .text = text, .size = sizeof(text) - 1 };
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry;
	struct spec_problems problems;
	struct spec spec;
	char list[128];
	struct stat st;
	(void)unused;
	storedir_init(&f);
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	assert_int_equal(state_read_config(&f.store, "web", &f.arena, &spec, &problems, &f.err),
			 -ENOENT);
	assert_int_equal(f.err.kind, ERR_NOT_FOUND);
	assert_int_equal(state_write_config(&entry, &doc, &f.err), 0);
	assert_int_equal(fstatat(entry.fd, "config.json", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(state_read_config(&f.store, "web", &f.arena, &spec, &problems, &f.err), 0);
	assert_string_equal(spec.root.path.s, "r");
	/* Nobody's file is written to in its place. */
	assert_int_equal(state_write_config(&entry, &doc, &f.err), -EEXIST);
	assert_int_equal(state_remove(&entry, &f.err), 0);
	tmpdir_list(&f.dir, "store", list, sizeof(list));
	assert_string_equal(list, "");
	assert_int_equal(state_read_config(&f.store, "web", &f.arena, &spec, &problems, &f.err),
			 -ENOENT);
}

/* A directory that somebody else's claim has filled already is not one's own. */
static void test_claim_of_a_used_directory(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry;
	(void)unused;
	storedir_init(&f);
	tmpdir_mkdir(&f.dir, "store/web", 0700);
	tmpdir_write(&f.dir, "store/web/state.json", 0600, "{}");
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), -EEXIST);
	assert_true(entry.fd < 0);
}

/* What is no directory of hull's own is not followed. */
static void test_link_in_place(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry;
	struct state got;
	(void)unused;
	storedir_init(&f);
	tmpdir_mkdir(&f.dir, "elsewhere", 0700);
	tmpdir_write(&f.dir, "elsewhere/state.json", 0600, STOREDIR_FILE("1", "\"running\"", "5"));
	tmpdir_symlink(&f.dir, "../elsewhere", "store/web");
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), -EEXIST);
	assert_true(state_lock(&f.store, "web", &entry, &f.err) < 0);
	assert_true(entry.fd < 0);
	assert_true(state_read(&f.store, "web", &f.arena, &got, &f.err) < 0);
	tmpdir_write(&f.dir, "store/file", 0600, "");
	assert_true(state_lock(&f.store, "file", &entry, &f.err) < 0);
}

/* A link as the second name must not be written through. */
static void test_link_as_new_file(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry;
	char *text;
	size_t size;
	(void)unused;
	storedir_init(&f);
	tmpdir_write(&f.dir, "victim", 0600, "precious");
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	tmpdir_symlink(&f.dir, "../../victim", "store/web/state.json.new");
	assert_true(state_write(&entry, &typical, &f.err) < 0);
	assert_int_equal(fd_read_file(f.dir.fd, "victim", 100, &f.arena, &text, &size, &f.err), 0);
	assert_string_equal(text, "precious");
	state_entry_close(&entry);
}

static int open_store(struct storedir *f, const char *name, enum state_store_flags flags)
{
	struct state_store store;
	const char *path = arena_printf(&f->arena, "%s/%s", f->dir.path, name);
	int r = state_store_open(&store, path, NULL, flags, &f->arena, &f->err);
	assert_int_equal(store.fd >= 0, r == 0);
	state_store_close(&store);
	return r;
}

static void test_store(void **unused)
{
	static const mode_t open_modes[] = { 0770, 0707, 01777, 0722 };
	_cleanup_storedir_ struct storedir f;
	struct stat st;
	(void)unused;
	storedir_init(&f);
	assert_int_equal(open_store(&f, "none", STATE_STORE_EXISTING), -ENOENT);
	assert_int_equal(open_store(&f, "above/and/below", STATE_STORE_CREATE), 0);
	assert_int_equal(fstatat(f.dir.fd, "above", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(open_store(&f, "made", STATE_STORE_CREATE), 0);
	assert_int_equal(fstatat(f.dir.fd, "made", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	tmpdir_write(&f.dir, "file", 0600, "");
	assert_int_equal(open_store(&f, "file", STATE_STORE_CREATE), -ENOTDIR);
	assert_int_equal(open_store(&f, "file/below", STATE_STORE_CREATE), -ENOTDIR);
	for (size_t i = 0; i < ARRAY_SIZE(open_modes); i++) {
		tmpdir_chmod(&f.dir, "made", open_modes[i]);
		assert_int_equal(open_store(&f, "made", STATE_STORE_CREATE), -EPERM);
	}
	tmpdir_chmod(&f.dir, "made", 0755);
	assert_int_equal(open_store(&f, "made", STATE_STORE_CREATE), 0);
}

static void test_store_of_somebody_else(void **unused)
{
	(void)unused;
	if (geteuid() != 0)
		skip();
	_cleanup_storedir_ struct storedir f;
	storedir_init(&f);
	assert_int_equal(open_store(&f, "made", STATE_STORE_CREATE), 0);
	assert_int_equal(fchownat(f.dir.fd, "made", 1000, (gid_t)-1, 0), 0);
	assert_int_equal(open_store(&f, "made", STATE_STORE_CREATE), -EPERM);
	assert_int_equal(f.err.kind, ERR_PERMISSION);
}

static void test_list(void **unused)
{
	(void)unused;
	_cleanup_storedir_ struct storedir f;
	struct state_ids ids;
	storedir_init(&f);
	assert_int_equal(state_list(&f.store, &f.arena, &ids, &f.err), 0);
	assert_int_equal(ids.n, 0);
	/* More than fit at first; and what is no container's. */
	for (int i = 99; i >= 0; i--)
		assert_int_equal(mkdirat(f.store.fd, arena_printf(&f.arena, "c%02d", i), 0700), 0);
	assert_int_equal(mkdirat(f.store.fd, "@seccomp", 0700), 0);
	assert_int_equal(state_list(&f.store, &f.arena, &ids, &f.err), 0);
	assert_int_equal(ids.n, 100);
	assert_string_equal(ids.v[0], "c00");
	assert_string_equal(ids.v[42], "c42");
	assert_string_equal(ids.v[99], "c99");
	for (int i = 0; i < 100; i++)
		assert_int_equal(unlinkat(f.store.fd, ids.v[i], AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(f.store.fd, "@seccomp", AT_REMOVEDIR), 0);
}

static void test_cache(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	(void)unused;
	storedir_init(&f);
	for (int i = 0; i < 2; i++) {
		_cleanup_close_ int fd = state_open_cache(&f.store);
		assert_true(fd >= 0);
	}
	assert_int_equal(unlinkat(f.store.fd, "@seccomp", AT_REMOVEDIR), 0);
	tmpdir_symlink(&f.dir, "/tmp", "store/@seccomp");
	assert_int_equal(state_open_cache(&f.store), -1);
}

/* ---- several processes ---- */

/* A child that runs a function and exits with what it returns. */
static pid_t child(int (*run)(struct storedir *f), struct storedir *f, struct state_entry *held)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (held) /* or it would hold that lock too */
			state_entry_close(held);
		_exit(run(f));
	}
	return pid;
}

static int exit_code(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int lock_in_child(struct storedir *f)
{
	struct state_entry entry;
	int r = state_lock(&f->store, "web", &entry, &f->err);
	return r == 0 ? 0 : r == -ENOENT ? 2 : 1;
}

static bool ends_within(pid_t pid, unsigned milliseconds)
{
	siginfo_t info = { 0 };
	for (unsigned i = 0; i < milliseconds; i += 10) {
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
		    info.si_pid)
			return true;
		nanosleep(&(struct timespec) { .tv_nsec = 10000000 }, NULL);
	}
	return false;
}

static void test_lock(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry;
	(void)unused;
	storedir_init(&f);
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	pid_t pid = child(lock_in_child, &f, &entry);
	assert_false(ends_within(pid, 200));
	state_unlock(&entry);
	assert_int_equal(exit_code(pid), 0);
	assert_int_equal(state_relock(&entry, &f.err), 0);
	/* Whoever waited for a container that was deleted meanwhile must not touch its successor.
	 */
	pid = child(lock_in_child, &f, &entry);
	assert_false(ends_within(pid, 200));
	assert_int_equal(state_remove(&entry, &f.err), 0);
	assert_int_equal(exit_code(pid), 2);
}

static void assert_left(const struct state_entry *entry, enum state_by by, int most)
{
	int left = state_time_left(entry, by);
	assert_true(left <= most && left > most - 5000);
}

/* What is waited for under the lock is over before those who wait for it give up. */
static void test_time_left(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry;
	const int all = STATE_WORK_SECONDS * 1000;
	(void)unused;
	storedir_init(&f);
	assert_true(STATE_BY_REST <= 100 && STATE_LOCK_SECONDS > STATE_WORK_SECONDS);
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	assert_left(&entry, STATE_BY_START, all * STATE_BY_START / 100);
	assert_left(&entry, STATE_BY_STOP, all * STATE_BY_STOP / 100);
	/* Later there is less of it, also for who asks for the lock that it has already. */
	entry.deadline -= 11000;
	assert_int_equal(state_relock(&entry, &f.err), 0);
	assert_left(&entry, STATE_BY_STOP, all * STATE_BY_STOP / 100 - 11000);
	entry.deadline -= 60000; /* a moment */
	assert_true(state_time_left(&entry, STATE_BY_KILL) > 0);
	assert_true(state_time_left(&entry, STATE_BY_REST) <= 1000);
	/* Who has it anew, or not at all, has all the time. */
	state_unlock(&entry);
	assert_left(&entry, STATE_BY_STOP, all * STATE_BY_STOP / 100);
	assert_int_equal(state_relock(&entry, &f.err), 0);
	assert_left(&entry, STATE_BY_STOP, all * STATE_BY_STOP / 100);
	assert_int_equal(state_remove(&entry, &f.err), 0);
}

/* A container that is deleted while its lock is not held is not found again. */
static void test_relock_after_remove(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state_entry mine, other;
	(void)unused;
	storedir_init(&f);
	assert_int_equal(state_claim(&f.store, "web", &mine, &f.err), 0);
	state_unlock(&mine);
	assert_int_equal(state_lock(&f.store, "web", &other, &f.err), 0);
	assert_int_equal(state_remove(&other, &f.err), 0);
	assert_int_equal(state_relock(&mine, &f.err), -ENOENT);
	state_entry_close(&mine);
	/* Nor is another one of the same name. */
	assert_int_equal(state_claim(&f.store, "web", &mine, &f.err), 0);
	state_unlock(&mine);
	assert_int_equal(state_lock(&f.store, "web", &other, &f.err), 0);
	assert_int_equal(state_remove(&other, &f.err), 0);
	assert_int_equal(state_claim(&f.store, "web", &other, &f.err), 0);
	state_unlock(&other);
	assert_int_equal(state_relock(&mine, &f.err), -ENOENT);
	state_entry_close(&mine);
	state_entry_close(&other);
}

static int claim_in_child(struct storedir *f)
{
	struct state_entry entry;
	/* All wait for the same moment: the parent holds this file's lock until they are there. */
	_cleanup_close_ int gate = openat(f->dir.fd, "gate", O_RDONLY | O_CLOEXEC);
	if (gate < 0 || flock(gate, LOCK_SH) < 0)
		return 3;
	int r = state_claim(&f->store, "web", &entry, &f->err);
	return r == 0 ? 0 : r == -EEXIST ? 1 : 2;
}

static void test_claim_race(void **unused)
{
	enum { CHILDREN = 50 };
	_cleanup_storedir_ struct storedir f;
	pid_t pids[CHILDREN];
	unsigned winners = 0, losers = 0;
	(void)unused;
	storedir_init(&f);
	tmpdir_write(&f.dir, "gate", 0600, "");
	_cleanup_close_ int gate = openat(f.dir.fd, "gate", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(gate, LOCK_EX), 0);
	for (unsigned i = 0; i < CHILDREN; i++)
		pids[i] = child(claim_in_child, &f, NULL);
	assert_int_equal(flock(gate, LOCK_UN), 0);
	for (unsigned i = 0; i < CHILDREN; i++) {
		int code = exit_code(pids[i]);
		winners += code == 0;
		losers += code == 1;
	}
	assert_int_equal(winners, 1);
	assert_int_equal(losers, CHILDREN - 1);
}

/* Claims and forced deletes of one id: at no time do two of them own it. */
static int claim_and_remove(struct storedir *f)
{
	for (int i = 0; i < 200; i++) {
		struct state_entry entry;
		int r = i % 2 ? state_lock(&f->store, "web", &entry, &f->err)
			      : state_claim(&f->store, "web", &entry, &f->err);
		if (r == -EEXIST || r == -ENOENT)
			continue;
		if (r < 0)
			return 1;
		int owner = openat(f->dir.fd, "owner", O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (owner < 0)
			return 2;
		fd_close(&owner);
		if (state_write(&entry, &typical, &f->err) < 0)
			return 3;
		if (unlinkat(f->dir.fd, "owner", 0) < 0)
			return 4;
		if (i % 4 ? state_remove(&entry, &f->err) < 0 : 0)
			return 5;
		state_entry_close(&entry);
	}
	return 0;
}

static void test_claims_and_removes(void **unused)
{
	enum { CHILDREN = 8 };
	_cleanup_storedir_ struct storedir f;
	pid_t pids[CHILDREN];
	(void)unused;
	storedir_init(&f);
	for (unsigned i = 0; i < CHILDREN; i++)
		pids[i] = child(claim_and_remove, &f, NULL);
	for (unsigned i = 0; i < CHILDREN; i++)
		assert_int_equal(exit_code(pids[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_claim_and_remove),
		cmocka_unit_test(test_config_is_kept),
		cmocka_unit_test(test_claim_of_a_used_directory),
		cmocka_unit_test(test_link_in_place),
		cmocka_unit_test(test_link_as_new_file),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_store_of_somebody_else),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_time_left),
		cmocka_unit_test(test_relock_after_remove),
		cmocka_unit_test(test_claim_race),
		cmocka_unit_test(test_claims_and_removes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
