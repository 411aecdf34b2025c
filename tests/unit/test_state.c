/*
 * The state file: what is written is read again, broken and foreign files are refused, and a
 * process is never taken for another one.
 */
#include "state/state.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "storedir.h"

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
	.pid_ns = 4026531836,
	.time_ns = 4026531834,
	.created = "2026-11-21T23:10:00.000000001Z",
	.owner = UINT32_MAX,
	.layer_dev = 42,
	.layer_ino = UINT64_MAX,
	.rdt_class = "gold",
	.rdt_is_owned = true,
	.rdt_is_monitored = true,
	.rdt_ino = UINT64_MAX,
	.has_init = true,
	.no_process = true,
	.annotations = &annotations,
};

/* The text of a state file; it lives as long as the arena. */
static char *file_of(struct storedir *f, const struct state *state, size_t *ret_size)
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
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry;
	struct state got;
	(void)unused;
	storedir_init(&f);
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
	assert_int_equal(got.pid_ns, typical.pid_ns);
	assert_int_equal(got.time_ns, typical.time_ns);
	assert_string_equal(got.created, typical.created);
	assert_int_equal(got.owner, typical.owner);
	assert_int_equal(got.layer_dev, typical.layer_dev);
	assert_true(got.layer_ino == typical.layer_ino);
	assert_string_equal(got.rdt_class, typical.rdt_class);
	assert_true(got.rdt_is_owned);
	assert_true(got.rdt_is_monitored);
	assert_true(got.rdt_ino == typical.rdt_ino);
	assert_true(got.has_init);
	assert_true(got.no_process);
	assert_int_equal(got.annotations->n, 2);
	assert_string_equal(got.annotations->v[0].value, pairs[0].value);
	assert_string_equal(got.annotations->v[1].key, "empty");
}

static void test_least(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state least = { .id = "a", .bundle = "/", .created = "x" }, got;
	size_t size;
	(void)unused;
	storedir_init(&f);
	char *text = file_of(&f, &least, &size);
	assert_int_equal(state_parse(text, size, &f.arena, &got, &f.err), 0);
	assert_int_equal(got.status, STATE_CREATING);
	assert_null(got.cgroup);
	assert_null(got.boot_id);
	assert_null(got.annotations);
	assert_null(got.rdt_class);
	assert_int_equal(got.pid, 0);
}

/* What a broken file names is not removed: nothing outside of resctrl, and not its root. */
static void test_class_of_service(void **unused)
{
	static const struct {
		const char *class;
		bool is_known, is_owned;
	} rows[] = {
		{ "gold", true, true },  { "/", true, false },   { "..", false, false },
		{ ".", false, false },   { "", false, false },   { "../x", false, false },
		{ "a/b", false, false }, { "/x", false, false },
	};
	_cleanup_storedir_ struct storedir f;
	struct state state = typical, got;
	size_t size;
	(void)unused;
	storedir_init(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		state.rdt_class = rows[i].class;
		char *text = file_of(&f, &state, &size);
		assert_int_equal(state_parse(text, size, &f.arena, &got, &f.err), 0);
		assert_int_equal(got.rdt_class != NULL, rows[i].is_known);
		assert_int_equal(got.rdt_is_owned, rows[i].is_owned);
	}
}

/* Replaced as a whole: a second writing leaves nothing of the first, and no other file. */
static void test_replaced(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry;
	struct state other = { .id = "web", .bundle = "/b", .created = "x" }, got;
	char list[128];
	(void)unused;
	storedir_init(&f);
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
	_cleanup_storedir_ struct storedir f;
	struct state got;
	size_t size;
	(void)unused;
	storedir_init(&f);
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
	_cleanup_storedir_ struct storedir f;
	struct state got;
	size_t size;
	(void)unused;
	storedir_init(&f);
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

static void test_wrong_members(void **unused)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ STOREDIR_FILE("1", "\"running\"", "5"), 0 },
		{ STOREDIR_FILE("2", "\"running\"", "5"), -EUCLEAN },
		{ STOREDIR_FILE("0", "\"running\"", "5"), -EUCLEAN },
		{ STOREDIR_FILE("\"1\"", "\"running\"", "5"), -EUCLEAN },
		{ STOREDIR_FILE("1.0", "\"running\"", "5"), -EUCLEAN },
		{ STOREDIR_FILE("4294967297", "\"running\"", "5"), -EUCLEAN },
		{ STOREDIR_FILE("1", "\"paused\"", "5"), -EUCLEAN },
		{ STOREDIR_FILE("1", "3", "5"), -EUCLEAN },
		{ STOREDIR_FILE("1", "\"running\"", "-5"), 0 },
		{ STOREDIR_FILE("1", "\"running\"", "4294967301"), 0 },
		{ STOREDIR_FILE("1", "\"running\"", "\"5\""), 0 },
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
	_cleanup_storedir_ struct storedir f;
	struct state got;
	(void)unused;
	storedir_init(&f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = arena_strdup(&f.arena, cases[i].text);
		assert_int_equal(state_parse(text, strlen(text), &f.arena, &got, &f.err),
				 cases[i].code);
		/* A pid that is no pid is none; it is never another number. */
		if (cases[i].code == 0)
			assert_true(got.pid == 0 || got.pid == 5);
	}
}

/* What stays of a cgroup is a beginning of its path; a record that says else claims nothing. */
static void test_kept_part_of_the_cgroup(void **unused)
{
	static const struct {
		const char *cgroup, *kept; /* members of hull's object */
		int code;
		size_t want;
	} cases[] = {
		{ "\"/a/b\"", "\"/\"", 0, 0 },
		{ "\"/a/b\"", "\"/a\"", 0, 2 },
		{ "\"/a/b\"", "\"/a/b\"", 0, 4 },
		{ "\"/a/b\"", "\"/a/\"", -EUCLEAN, 4 },
		{ "\"/ab\"", "\"/a\"", -EUCLEAN, 3 },
		{ "\"/a/b\"", "\"/a/b/c\"", -EUCLEAN, 4 },
		{ "\"/a/b\"", "\"a\"", -EUCLEAN, 4 },
		{ "\"/a/b\"", "\"\"", -EUCLEAN, 4 },
		{ "\"/a/b\"", "2", -EUCLEAN, 4 },
		{ "\"a/b\"", "\"/\"", 0, 0 }, /* no path of hull's: there is no cgroup */
		{ "\"\"", "\"/\"", 0, 0 },
	};
	_cleanup_storedir_ struct storedir f;
	struct state got;
	(void)unused;
	storedir_init(&f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = arena_printf(&f.arena,
					  "{\"version\": 1, \"id\": \"a\", \"bundle\": \"/\", "
					  "\"status\": \"running\", \"created\": \"x\", "
					  "\"hull\": {\"cgroup\": %s, \"cgroupKept\": %s}}",
					  cases[i].cgroup, cases[i].kept);
		assert_int_equal(state_parse(text, strlen(text), &f.arena, &got, &f.err),
				 cases[i].code);
		assert_int_equal(got.cgroup_kept, cases[i].want);
	}
}

static void test_kept_is_written(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state state = typical, got;
	size_t size;
	(void)unused;
	storedir_init(&f);
	static const size_t parts[] = { 0, sizeof("/hull") - 1, sizeof("/hull/web") - 1 };
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		state.cgroup_kept = parts[i];
		const char *text = file_of(&f, &state, &size);
		assert_int_equal(state_parse(text, size, &f.arena, &got, &f.err), 0);
		assert_int_equal(got.cgroup_kept, parts[i]);
	}
}

static void test_created_is_too_long(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state got;
	(void)unused;
	storedir_init(&f);
	char *text = arena_printf(&f.arena,
				  "{\"version\": 1, \"id\": \"a\", \"bundle\": \"/\", \"status\": "
				  "\"running\", \"created\": \"%01000d\", \"hull\": {}}",
				  0);
	assert_int_equal(state_parse(text, strlen(text), &f.arena, &got, &f.err), 0);
	assert_int_equal(strlen(got.created), sizeof(got.created) - 1);
}

static void test_read_without_file(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry;
	struct state got;
	(void)unused;
	storedir_init(&f);
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

/* A process that claims the id, and gives it up when the reader has had time to look. */
static pid_t claim_for_a_moment(struct storedir *f)
{
	const struct timespec moment = { .tv_nsec = 50 * 1000 * 1000 };
	struct state_entry entry;
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (state_claim(&f->store, "web", &entry, &f->err) < 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		(void)nanosleep(&moment, NULL);
		_exit(state_remove(&entry, &f->err) < 0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void test_read_settled(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state_entry entry;
	struct state got;
	int status;
	(void)unused;
	storedir_init(&f);
	pid_t pid = claim_for_a_moment(&f);
	assert_int_equal(state_read(&f.store, "web", &f.arena, &got, &f.err), -EUCLEAN);
	assert_int_equal(state_read_settled(&f.store, "web", &f.arena, &got, &f.err), -ENOENT);
	assert_string_equal(f.err.message, "container 'web' does not exist");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	/* With nobody at work it is broken, and nothing stays locked. */
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	state_entry_close(&entry);
	assert_int_equal(state_read_settled(&f.store, "web", &f.arena, &got, &f.err), -EUCLEAN);
	assert_non_null(strstr(f.err.hint, "delete --force web"));
	assert_int_equal(state_lock(&f.store, "web", &entry, &f.err), 0);
	assert_int_equal(state_remove(&entry, &f.err), 0);
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

/* ---- hooks ---- */

static struct spec_str hook_args[] = { { .s = "net" }, { .s = "a \"b\"\n" } };
static struct spec_str hook_env[] = { { .s = "A=1" } };
static struct spec_hook hook_v[] = {
	{ .path = { .s = "/bin/net", .at = UINT32_MAX },
	  .args = { .v = hook_args, .n = 2 },
	  .env = { .v = hook_env, .n = 1 },
	  .timeout = { .v = INT32_MAX, .at = 7 } },
	{ .path = { .s = "/bin/other" } },
};
static const struct spec_hook_list hook_list = { .v = hook_v, .n = 2 };

static void test_hooks(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state with = typical, got;
	size_t size;
	(void)unused;
	storedir_init(&f);
	with.poststop = &hook_list;
	char *text = file_of(&f, &with, &size);
	assert_int_equal(state_parse(text, size, &f.arena, &got, &f.err), 0);
	assert_int_equal(got.poststop->n, 2);
	const struct spec_hook *first = &got.poststop->v[0], *second = &got.poststop->v[1];
	assert_string_equal(first->path.s, "/bin/net");
	assert_int_equal(first->args.n, 2);
	assert_string_equal(first->args.v[1].s, hook_args[1].s);
	assert_int_equal(first->env.n, 1);
	assert_string_equal(first->env.v[0].s, "A=1");
	assert_true(first->timeout.v == INT32_MAX);
	assert_int_equal(first->path.at, UINT32_MAX);
	assert_int_equal(first->timeout.at, 7);
	assert_int_equal(second->args.n + second->env.n, 0);
	assert_null(got.poststart);
	with.poststart = &hook_list;
	with.poststop = NULL;
	text = file_of(&f, &with, &size);
	assert_int_equal(state_parse(text, size, &f.arena, &got, &f.err), 0);
	assert_int_equal(got.poststart->n, 2);
	assert_null(got.poststop);
	assert_true(second->timeout.v == 0);
}

/* Hooks that cannot have been written by hull are never run, nor forgotten in silence. */
static void test_wrong_hooks(void **unused)
{
	static const char *const wrong[] = {
		"{}",
		"[1]",
		"[{\"path\":\"bin/x\",\"args\":[],\"env\":[],\"timeout\":0}]",
		"[{\"args\":[],\"env\":[],\"timeout\":0}]",
		"[{\"path\":\"/x\",\"args\":[1],\"env\":[],\"timeout\":0}]",
		"[{\"path\":\"/x\",\"args\":[],\"env\":{},\"timeout\":0}]",
		"[{\"path\":\"/x\",\"args\":[],\"env\":[],\"timeout\":-1}]",
		"[{\"path\":\"/x\",\"args\":[],\"env\":[]}]",
	};
	_cleanup_arena_ struct arena arena;
	struct state got;
	struct err err;
	(void)unused;
	arena_init(&arena);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		const char *text = arena_printf(
			&arena,
			"{\"version\":1,\"id\":\"a\",\"bundle\":\"/\",\"status\":\"stopped\","
			"\"created\":\"x\",\"hull\":{},\"poststop\":%s}",
			wrong[i]);
		assert_int_equal(state_parse(text, strlen(text), &arena, &got, &err), -EUCLEAN);
		assert_non_null(strstr(err.message, "poststop"));
		assert_null(got.poststop);
	}
}

/* What a hook gets: the pid goes before it, as hooks do it. */
static void test_print_for_hook(void **unused)
{
	_cleanup_arena_ struct arena arena;
	struct str out;
	struct json_doc doc;
	struct err err;
	(void)unused;
	arena_init(&arena);
	str_init(&out, &arena);
	state_print_for_hook(&typical, STATE_CREATED, &out);
	assert_int_equal(out.text[0], '{');
	char *text = arena_printf(&arena, "{\"pid\":%d,%s", 7, out.text + 1);
	assert_int_equal(json_parse(&arena, "x", text, strlen(text), &doc, &err), 0);
	assert_string_equal(json_get(doc.root, "pid")->text, "7");
	assert_string_equal(json_get(doc.root, "status")->text, "created");
	assert_string_equal(json_get(doc.root, "bundle")->text, typical.bundle);
	assert_string_equal(json_get(json_get(doc.root, "annotations"), "org.example")->text,
			    pairs[0].value);
}

static void test_hooks_lock(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	_cleanup_close_ int first = -EBADF, second = -EBADF;
	struct state_entry entry;
	(void)unused;
	storedir_init(&f);
	assert_int_equal(state_claim(&f.store, "web", &entry, &f.err), 0);
	assert_int_equal(state_lock_hooks(&entry, &first, &f.err), 0);
	assert_int_equal(state_lock_hooks(&entry, &second, &f.err), -EBUSY);
	fd_close(&first);
	assert_int_equal(state_lock_hooks(&entry, &second, &f.err), 0);
	assert_int_equal(state_remove(&entry, &f.err), 0);
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
	_cleanup_close_ int pidfd = -EBADF, seen = -EBADF;
	enum state_status status = state_status_now(state, &seen);
	assert_int_equal(seen >= 0, status == STATE_RUNNING);
	assert_int_equal(state_open_process(state, &pidfd), status == STATE_RUNNING ? 0 : -ESRCH);
	return status;
}

static void test_process(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state state = typical;
	(void)unused;
	storedir_init(&f);
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
	assert_int_equal(state_status_now(&other, NULL), STATE_CREATING);
	other = state; /* the file says that it has ended */
	other.status = STATE_STOPPED;
	assert_int_equal(state_status_now(&other, NULL), STATE_STOPPED);

	reap(pid);
	assert_int_equal(status_with(&state), STATE_STOPPED);
}

/* Dead but not waited for: the number is still taken, the container is gone. */
static void test_zombie(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state state = typical;
	siginfo_t info;
	(void)unused;
	storedir_init(&f);
	pid_t pid = sleeper();
	assert_int_equal(state_identify(&state, pid, &f.arena, &f.err), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(status_with(&state), STATE_STOPPED);
	reap(pid);
}

static bool has_executed(pid_t pid)
{
	return state_has_executed(pid, 0) == 1;
}

/* No descriptor is left to ask with: that says nothing about the process. */
static void test_executed_unknown(void **unused)
{
	struct rlimit before, none;
	(void)unused;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int r = state_has_executed(getpid(), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
	assert_int_equal(state_has_executed(INT32_MAX, 0), 1);
}

static pid_t executed(void)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execl("/bin/sleep", STATE_CHILD_NAME, "60", NULL);
		_exit(127);
	}
	for (int i = 0; i < 10000 && !has_executed(pid); i++)
		usleep(1000);
	return pid;
}

/* What the flag says, and no name: this process is called as one that has not executed. */
static void test_executed(void **unused)
{
	siginfo_t info;
	char name[16];
	(void)unused;
	assert_int_equal(prctl(PR_GET_NAME, name), 0);
	assert_int_equal(prctl(PR_SET_NAME, STATE_CHILD_NAME), 0);
	assert_true(has_executed(getpid()));
	pid_t pids[] = { sleeper(), executed() };
	assert_int_equal(prctl(PR_SET_NAME, name), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_int_equal(has_executed(pids[i]), i == 1);
		assert_int_equal(state_has_executed(pids[i], 1), 1); /* the number was another's */
		kill(pids[i], SIGKILL);
		assert_int_equal(waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT), 0);
		assert_int_equal(has_executed(pids[i]), i == 1);
		reap(pids[i]);
	}
	assert_true(has_executed(pids[0]));
}

/* hull's own process 1 never executes, and says by its name that the program has. */
static void test_creating_init(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state state = typical;
	char name[16];
	(void)unused;
	storedir_init(&f);
	state.status = STATE_CREATING;
	assert_int_equal(state_identify(&state, getpid(), &f.arena, &f.err), 0);
	assert_int_equal(state_status_now(&state, NULL), STATE_CREATING);
	assert_int_equal(prctl(PR_GET_NAME, name), 0);
	assert_int_equal(prctl(PR_SET_NAME, STATE_INIT_NAME), 0);
	assert_int_equal(state_status_now(&state, NULL), STATE_RUNNING);
	assert_int_equal(prctl(PR_SET_NAME, name), 0);
}

static void test_creating(void **unused)
{
	_cleanup_storedir_ struct storedir f;
	struct state state = typical;
	(void)unused;
	storedir_init(&f);
	state.status = STATE_CREATING;
	state.has_init = false;
	pid_t pids[] = { sleeper(), executed() };
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_int_equal(state_identify(&state, pids[i], &f.arena, &f.err), 0);
		assert_int_equal(state_status_now(&state, NULL),
				 i ? STATE_RUNNING : STATE_CREATING);
		state.has_gate = true; /* it waits there, or has passed it */
		assert_int_equal(state_status_now(&state, NULL), i ? STATE_RUNNING : STATE_CREATED);
		state.has_gate = false;
		reap(pids[i]);
		assert_int_equal(state_status_now(&state, NULL), STATE_STOPPED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_class_of_service),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_wrong_members),
		cmocka_unit_test(test_created_is_too_long),
		cmocka_unit_test(test_kept_part_of_the_cgroup),
		cmocka_unit_test(test_kept_is_written),
		cmocka_unit_test(test_read_without_file),
		cmocka_unit_test(test_read_settled),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_wrong_hooks),
		cmocka_unit_test(test_print_for_hook),
		cmocka_unit_test(test_hooks_lock),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_zombie),
		cmocka_unit_test(test_executed),
		cmocka_unit_test(test_executed_unknown),
		cmocka_unit_test(test_creating),
		cmocka_unit_test(test_creating_init),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
