/*
 * The state file and its directory: what is written is read again, broken and foreign files are
 * refused, a process is never taken for another one, and an id has one owner.
 */
#include "state/state.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/str.h"
#include "tmpdir.h"

/* A store in a directory of the test's own. */
struct fixture {
	struct tmpdir dir;
	struct arena arena;
	struct state_store store;
	struct state_entry *held; /* a child must not inherit its lock */
	struct err err;
};

static void fixture_init(struct fixture *f)
{
	*f = (struct fixture) { 0 };
	tmpdir_init(&f->dir);
	arena_init(&f->arena);
	const char *path = arena_printf(&f->arena, "%s/store", f->dir.path);
	assert_int_equal(
		state_store_open(&f->store, path, NULL, STATE_STORE_CREATE, &f->arena, &f->err), 0);
}

static void fixture_done(struct fixture *f)
{
	state_store_close(&f->store);
	arena_done(&f->arena);
	tmpdir_done(&f->dir);
}

#define _cleanup_fixture_ _cleanup_(fixture_done)

static struct spec_pair pairs[] = {
	{ .key = "org.example", .value = "a \"b\"\n\x01" },
	{ .key = "empty", .value = "" },
};
static const struct spec_map annotations = { .v = pairs, .n = 2 };

static const struct state typical = {
	.id = "web",
	.bundle = "/srv/b\xc3\xbcndle",
	.rootfs = "/srv/root",
	.cgroup = "/hull/web",
	.status = STATE_RUNNING,
	.pid = 4711,
	.pid_start = UINT64_MAX,
	.boot_id = "b0071d00-0000-4000-8000-000000000000",
	.created = "2026-11-21T23:10:00.000000001Z",
	.owner = UINT32_MAX,
	.annotations = &annotations,
};

/* The text of a state file; it lives as long as the arena. */
static char *file_of(struct fixture *f, const struct state *state, size_t *ret_size)
{
	struct state_entry entry;
	char *text;
	assert_int_equal(state_claim(&f->store, "file", &entry, &f->err), 0);
	assert_int_equal(state_write(&entry, state, &f->err), 0);
	assert_int_equal(
		fd_read_file(entry.fd, "state.json", 65536, &f->arena, &text, ret_size, &f->err),
		0);
	assert_int_equal(state_remove(&entry, &f->err), 0);
	return text;
}

/* ---- the file ---- */

static void test_round_trip(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state_entry entry;
	struct state got;
	(void)unused;
	fixture_init(&f);
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	assert_int_equal(state_write(&entry, &typical, &f.err), 0);
	state_entry_close(&entry);
	assert_int_equal(state_read(&f.store, "web", &f.arena, &got, &f.err), 0);
	assert_string_equal(got.id, typical.id);
	assert_string_equal(got.bundle, typical.bundle);
	assert_string_equal(got.rootfs, typical.rootfs);
	assert_string_equal(got.cgroup, typical.cgroup);
	assert_int_equal(got.status, typical.status);
	assert_int_equal(got.pid, typical.pid);
	assert_true(got.pid_start == typical.pid_start);
	assert_string_equal(got.boot_id, typical.boot_id);
	assert_string_equal(got.created, typical.created);
	assert_int_equal(got.owner, typical.owner);
	assert_int_equal(got.annotations->n, 2);
	assert_string_equal(got.annotations->v[0].value, pairs[0].value);
	assert_string_equal(got.annotations->v[1].key, "empty");
}

static void test_least(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state least = { .id = "a", .bundle = "/", .created = "x" }, got;
	size_t size;
	(void)unused;
	fixture_init(&f);
	char *text = file_of(&f, &least, &size);
	assert_int_equal(state_parse(text, size, &f.arena, &got, &f.err), 0);
	assert_int_equal(got.status, STATE_CREATING);
	assert_null(got.cgroup);
	assert_null(got.boot_id);
	assert_null(got.annotations);
	assert_int_equal(got.pid, 0);
}

/* Replaced as a whole: a second writing leaves nothing of the first, and no other file. */
static void test_replaced(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state_entry entry;
	struct state other = { .id = "web", .bundle = "/b", .created = "x" }, got;
	char list[128];
	(void)unused;
	fixture_init(&f);
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	assert_int_equal(state_write(&entry, &typical, &f.err), 0);
	assert_int_equal(state_write(&entry, &other, &f.err), 0);
	assert_int_equal(state_read(&f.store, "web", &f.arena, &got, &f.err), 0);
	assert_null(got.annotations);
	tmpdir_list(&f.dir, "store/web", list, sizeof(list));
	assert_null(strstr(list, ".new"));
	state_entry_close(&entry);
}

/* Cut off at any byte it is broken, but for the newline at its end; it never crashes. */
static void test_truncated(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state got;
	size_t size;
	(void)unused;
	fixture_init(&f);
	const char *text = file_of(&f, &typical, &size);
	for (size_t n = 0; n <= size; n++) {
		struct arena arena;
		arena_init(&arena);
		char *part = arena_strndup(&arena, text, n);
		int r = state_parse(part, n, &arena, &got, &f.err);
		assert_int_equal(r, n >= size - 1 ? 0 : -EUCLEAN);
		arena_done(&arena);
	}
}

/* Each byte in turn becomes another one: read or refused, nothing else. */
static void test_damaged(void **unused)
{
	static const char bytes[] = { '\0', '"', '{', '}', ',', '9', '\xff', ' ' };
	_cleanup_fixture_ struct fixture f;
	struct state got;
	size_t size;
	(void)unused;
	fixture_init(&f);
	const char *text = file_of(&f, &typical, &size);
	for (size_t i = 0; i < size * sizeof(bytes); i++) {
		struct arena arena;
		arena_init(&arena);
		char *copy = arena_strndup(&arena, text, size);
		copy[i / sizeof(bytes)] = bytes[i % sizeof(bytes)];
		int r = state_parse(copy, size, &arena, &got, &f.err);
		assert_true(r == -EUCLEAN ||
			    (r == 0 && got.id && got.bundle && got.status <= STATE_STOPPED &&
			     got.pid >= 0 && strlen(got.created) < sizeof(got.created)));
		arena_done(&arena);
	}
}

#define GOOD(version, status, pid)                                                         \
	"{\"version\": " version ", \"id\": \"a\", \"bundle\": \"/\", \"status\": " status \
	", \"pid\": " pid ", \"created\": \"x\", \"hull\": {}}"

static void test_wrong_members(void **unused)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ GOOD("1", "\"running\"", "5"), 0 },
		{ GOOD("2", "\"running\"", "5"), -EUCLEAN },
		{ GOOD("0", "\"running\"", "5"), -EUCLEAN },
		{ GOOD("\"1\"", "\"running\"", "5"), -EUCLEAN },
		{ GOOD("1.0", "\"running\"", "5"), -EUCLEAN },
		{ GOOD("4294967297", "\"running\"", "5"), -EUCLEAN },
		{ GOOD("1", "\"paused\"", "5"), -EUCLEAN },
		{ GOOD("1", "3", "5"), -EUCLEAN },
		{ GOOD("1", "\"running\"", "-5"), 0 },
		{ GOOD("1", "\"running\"", "4294967301"), 0 },
		{ GOOD("1", "\"running\"", "\"5\""), 0 },
		{ "{\"version\": 1}", -EUCLEAN },
		{ "[]", -EUCLEAN },
		{ "null", -EUCLEAN },
		{ "", -EUCLEAN },
		{ "{\"version\": 1, \"id\": \"a\", \"bundle\": \"/\", \"status\": \"running\", "
		  "\"created\": \"x\"}",
		  -EUCLEAN },
		{ "{\"version\": 1, \"id\": 5, \"bundle\": \"/\", \"status\": \"running\", "
		  "\"created\": \"x\", \"hull\": {}}",
		  -EUCLEAN },
		{ "{\"version\": 1, \"id\": \"a\", \"bundle\": \"/\", \"status\": \"running\", "
		  "\"created\": \"x\", \"hull\": {}, \"new\": [{}], \"annotations\": 5}",
		  0 },
	};
	_cleanup_fixture_ struct fixture f;
	struct state got;
	(void)unused;
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = arena_strdup(&f.arena, cases[i].text);
		assert_int_equal(state_parse(text, strlen(text), &f.arena, &got, &f.err),
				 cases[i].code);
		/* A pid that is no pid is none; it is never another number. */
		if (cases[i].code == 0)
			assert_true(got.pid == 0 || got.pid == 5);
	}
}

static void test_created_is_too_long(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state got;
	(void)unused;
	fixture_init(&f);
	char *text = arena_printf(&f.arena,
				  "{\"version\": 1, \"id\": \"a\", \"bundle\": \"/\", \"status\": "
				  "\"running\", \"created\": \"%01000d\", \"hull\": {}}",
				  0);
	assert_int_equal(state_parse(text, strlen(text), &f.arena, &got, &f.err), 0);
	assert_int_equal(strlen(got.created), sizeof(got.created) - 1);
}

static void test_read_without_file(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state_entry entry;
	struct state got;
	(void)unused;
	fixture_init(&f);
	assert_int_equal(state_read(&f.store, "web", &f.arena, &got, &f.err), -ENOENT);
	assert_string_equal(f.err.message, "container 'web' does not exist");
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	assert_int_equal(state_read(&f.store, "web", &f.arena, &got, &f.err), -EUCLEAN);
	assert_non_null(strstr(f.err.hint, "delete --force web"));
	tmpdir_write(&f.dir, "store/web/state.json", 0600, "");
	assert_int_equal(state_read(&f.store, "web", &f.arena, &got, &f.err), -EUCLEAN);
	assert_int_equal(state_remove(&entry, &f.err), 0);
	assert_int_equal(state_read(&f.store, "web", &f.arena, &got, &f.err), -ENOENT);
}

static void test_print(void **unused)
{
	_cleanup_arena_ struct arena arena;
	struct str out;
	struct json_doc doc;
	struct err err;
	(void)unused;
	arena_init(&arena);
	str_init(&out, &arena);
	state_print(&typical, STATE_RUNNING, &out);
	assert_int_equal(json_parse(&arena, "x", out.text, out.used, &doc, &err), 0);
	assert_string_equal(json_get(doc.root, "status")->text, "running");
	assert_string_equal(json_get(doc.root, "pid")->text, "4711");
	assert_string_equal(json_get(doc.root, "ociVersion")->text, STATE_OCI_VERSION);
	str_init(&out, &arena);
	state_print(&typical, STATE_STOPPED, &out);
	assert_int_equal(json_parse(&arena, "x", out.text, out.used, &doc, &err), 0);
	assert_string_equal(json_get(doc.root, "pid")->text, "0");
}

/* ---- the process ---- */

/* A child that waits until it is killed. */
static pid_t sleeper(void)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void reap(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static enum state_status status_with(const struct state *state)
{
	_cleanup_close_ int pidfd = -EBADF;
	enum state_status status = state_status_now(state);
	assert_int_equal(state_open_process(state, &pidfd), status == STATE_RUNNING ? 0 : -ESRCH);
	return status;
}

static void test_process(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state state = typical;
	(void)unused;
	fixture_init(&f);
	pid_t pid = sleeper();
	assert_int_equal(state_identify(&state, pid, &f.arena, &f.err), 0);
	assert_int_equal(state.pid, pid);
	assert_int_equal(status_with(&state), STATE_RUNNING);

	struct state other = state; /* the number was given to another process */
	other.pid_start++;
	assert_int_equal(status_with(&other), STATE_STOPPED);
	other = state; /* another boot, in which the number and the time were the same */
	other.boot_id = typical.boot_id;
	assert_int_equal(status_with(&other), STATE_STOPPED);
	other.boot_id = NULL;
	assert_int_equal(status_with(&other), STATE_STOPPED);
	other = state;
	other.pid = 0;
	assert_int_equal(status_with(&other), STATE_STOPPED);
	other.status = STATE_CREATING;
	assert_int_equal(state_status_now(&other), STATE_CREATING);
	other = state; /* the file says that it has ended */
	other.status = STATE_STOPPED;
	assert_int_equal(state_status_now(&other), STATE_STOPPED);

	reap(pid);
	assert_int_equal(status_with(&state), STATE_STOPPED);
}

/* Dead but not waited for: the number is still taken, the container is gone. */
static void test_zombie(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state state = typical;
	siginfo_t info;
	(void)unused;
	fixture_init(&f);
	pid_t pid = sleeper();
	assert_int_equal(state_identify(&state, pid, &f.arena, &f.err), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(status_with(&state), STATE_STOPPED);
	reap(pid);
}

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
	_cleanup_fixture_ struct fixture f;
	struct state_entry entry, other;
	char list[128];
	struct stat st;
	(void)unused;
	fixture_init(&f);
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

/* A directory that somebody else's claim has filled already is not one's own. */
static void test_claim_of_a_used_directory(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state_entry entry;
	(void)unused;
	fixture_init(&f);
	tmpdir_mkdir(&f.dir, "store/web", 0700);
	tmpdir_write(&f.dir, "store/web/state.json", 0600, "{}");
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), -EEXIST);
	assert_true(entry.fd < 0);
}

/* What is no directory of hull's own is not followed. */
static void test_link_in_place(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state_entry entry;
	struct state got;
	(void)unused;
	fixture_init(&f);
	tmpdir_mkdir(&f.dir, "elsewhere", 0700);
	tmpdir_write(&f.dir, "elsewhere/state.json", 0600, GOOD("1", "\"running\"", "5"));
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
	_cleanup_fixture_ struct fixture f;
	struct state_entry entry;
	char *text;
	size_t size;
	(void)unused;
	fixture_init(&f);
	tmpdir_write(&f.dir, "victim", 0600, "precious");
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	tmpdir_symlink(&f.dir, "../../victim", "store/web/state.json.new");
	assert_true(state_write(&entry, &typical, &f.err) < 0);
	assert_int_equal(fd_read_file(f.dir.fd, "victim", 100, &f.arena, &text, &size, &f.err), 0);
	assert_string_equal(text, "precious");
	state_entry_close(&entry);
}

static int open_store(struct fixture *f, const char *name, enum state_store_flags flags)
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
	_cleanup_fixture_ struct fixture f;
	struct stat st;
	(void)unused;
	fixture_init(&f);
	assert_int_equal(open_store(&f, "none", STATE_STORE_EXISTING), -ENOENT);
	assert_int_equal(open_store(&f, "none/below", STATE_STORE_CREATE), -ENOENT);
	assert_int_equal(open_store(&f, "made", STATE_STORE_CREATE), 0);
	assert_int_equal(fstatat(f.dir.fd, "made", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	tmpdir_write(&f.dir, "file", 0600, "");
	assert_int_equal(open_store(&f, "file", STATE_STORE_CREATE), -ENOTDIR);
	for (size_t i = 0; i < ARRAY_SIZE(open_modes); i++) {
		tmpdir_chmod(&f.dir, "made", open_modes[i]);
		assert_int_equal(open_store(&f, "made", STATE_STORE_CREATE), -EPERM);
	}
	tmpdir_chmod(&f.dir, "made", 0755);
	assert_int_equal(open_store(&f, "made", STATE_STORE_CREATE), 0);
	if (geteuid() != 0)
		skip();
	assert_int_equal(fchownat(f.dir.fd, "made", 1000, (gid_t)-1, 0), 0);
	assert_int_equal(open_store(&f, "made", STATE_STORE_CREATE), -EPERM);
	assert_int_equal(f.err.kind, ERR_PERMISSION);
}

static void test_cache(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	(void)unused;
	fixture_init(&f);
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
static pid_t child(int (*run)(struct fixture *f), struct fixture *f)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (f->held)
			state_entry_close(f->held);
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

static int lock_in_child(struct fixture *f)
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
	_cleanup_fixture_ struct fixture f;
	struct state_entry entry;
	(void)unused;
	fixture_init(&f);
	f.held = &entry;
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	pid_t pid = child(lock_in_child, &f);
	assert_false(ends_within(pid, 200));
	state_unlock(&entry);
	assert_int_equal(exit_code(pid), 0);
	assert_int_equal(state_relock(&entry, &f.err), 0);
	/* Whoever waited for a container that was deleted meanwhile must not touch its successor.
	 */
	pid = child(lock_in_child, &f);
	assert_false(ends_within(pid, 200));
	assert_int_equal(state_remove(&entry, &f.err), 0);
	assert_int_equal(exit_code(pid), 2);
}

/* A container that is deleted while its lock is not held is not found again. */
static void test_relock_after_remove(void **unused)
{
	_cleanup_fixture_ struct fixture f;
	struct state_entry mine, other;
	(void)unused;
	fixture_init(&f);
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

static int claim_in_child(struct fixture *f)
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
	_cleanup_fixture_ struct fixture f;
	pid_t pids[CHILDREN];
	unsigned winners = 0, losers = 0;
	(void)unused;
	fixture_init(&f);
	tmpdir_write(&f.dir, "gate", 0600, "");
	_cleanup_close_ int gate = openat(f.dir.fd, "gate", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(gate, LOCK_EX), 0);
	for (unsigned i = 0; i < CHILDREN; i++)
		pids[i] = child(claim_in_child, &f);
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
static int claim_and_remove(struct fixture *f)
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
	_cleanup_fixture_ struct fixture f;
	pid_t pids[CHILDREN];
	(void)unused;
	fixture_init(&f);
	for (unsigned i = 0; i < CHILDREN; i++)
		pids[i] = child(claim_and_remove, &f);
	for (unsigned i = 0; i < CHILDREN; i++)
		assert_int_equal(exit_code(pids[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_wrong_members),
		cmocka_unit_test(test_created_is_too_long),
		cmocka_unit_test(test_read_without_file),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_zombie),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_claim_and_remove),
		cmocka_unit_test(test_claim_of_a_used_directory),
		cmocka_unit_test(test_link_in_place),
		cmocka_unit_test(test_link_as_new_file),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_relock_after_remove),
		cmocka_unit_test(test_claim_race),
		cmocka_unit_test(test_claims_and_removes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
