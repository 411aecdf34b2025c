/*
 * The classes of service on a tree of plain files, as resctrl shows them: no machine of the tests
 * has the real one. Where that fills a new directory, the tests do.
 */
#include "start/resctrl.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/str.h"
#include "tmpdir.h"

#define DEFAULTS "    MB:0=100;1=100\n    L3:0=00fff;1=00fff\n"

struct tree {
	struct tmpdir dir;
	struct err err;
	int class;
	bool made;
};

static void fill(struct tree *t, const char *class, const char *schemata)
{
	char name[128];
	snprintf(name, sizeof(name), "%s/tasks", class);
	tmpdir_write(&t->dir, name, 0600, "");
	snprintf(name, sizeof(name), "%s/schemata", class);
	tmpdir_write(&t->dir, name, 0600, schemata);
	snprintf(name, sizeof(name), "%s/mon_groups", class);
	tmpdir_mkdir(&t->dir, name, 0700);
}

static void init(struct tree *t)
{
	*t = (struct tree) { .class = -EBADF };
	tmpdir_init(&t->dir);
	fill(t, ".", DEFAULTS);
	tmpdir_mkdir(&t->dir, "info", 0700);
	tmpdir_write(&t->dir, "info/last_cmd_status", 0600, "ok\n");
}

static void add_class(struct tree *t, const char *class, const char *schemata)
{
	tmpdir_mkdir(&t->dir, class, 0700);
	fill(t, class, schemata);
}

static void done(struct tree *t)
{
	fd_close(&t->class);
	tmpdir_done(&t->dir);
}
#define _cleanup_tree_ _cleanup_(done)

static void assert_file(struct tree *t, const char *name, const char *text)
{
	char have[4096];
	_cleanup_close_ int fd = openat(t->dir.fd, name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t n = fd_read_all(fd, have, sizeof(have) - 1);
	assert_true(n >= 0);
	have[n] = '\0';
	assert_string_equal(have, text);
}

static bool exists(struct tree *t, const char *name)
{
	return faccessat(t->dir.fd, name, F_OK, 0) == 0;
}

static int enter(struct tree *t, const struct plan_rdt *rdt)
{
	fd_close(&t->class);
	err_clear(&t->err);
	t->made = false;
	if (resctrl_has_class(t->dir.fd, rdt->class, &t->err) == 0)
		return resctrl_make(t->dir.fd, rdt, &t->made, &t->class, &t->err);
	return resctrl_join(t->dir.fd, rdt, &t->class, &t->err);
}

static int configure(struct tree *t, const struct plan_rdt *rdt)
{
	err_clear(&t->err);
	return resctrl_configure(t->dir.fd, t->class, rdt, t->made, &t->err);
}

/* ---- the class ---- */

static void test_own_class(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt rdt = { .class = "web" };
	init(&t);
	assert_int_equal(resctrl_has_class(t.dir.fd, "web", &t.err), 0);
	assert_int_equal(enter(&t, &rdt), 0);
	assert_true(t.made);
	assert_int_equal(resctrl_has_class(t.dir.fd, "web", &t.err), 1);
	/* Without a schema none is written: this one has no file for it. */
	assert_int_equal(configure(&t, &rdt), 0);
	assert_file(&t, "schemata", DEFAULTS);
}

/* One of that name is somebody else's, and stays. */
static void test_own_class_is_taken(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt rdt = { .class = "web" };
	init(&t);
	add_class(&t, "web", DEFAULTS);
	assert_int_equal(enter(&t, &rdt), -EEXIST);
	assert_false(t.made);
	assert_true(t.err.hint[0]);
	assert_true(exists(&t, "web/tasks"));
}

static void test_named_class(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt bare = { .class = "gold", .is_named = true };
	const struct plan_rdt rdt = { .class = "gold", .is_named = true, .schemata = "L3:0=f\n" };
	init(&t);
	assert_int_equal(enter(&t, &bare), -ENOENT); /* S-192 */
	assert_false(exists(&t, "gold"));
	assert_string_equal(t.err.message, "there is no class of service 'gold'");
	assert_int_equal(enter(&t, &rdt), 0);
	assert_true(t.made);
	assert_int_equal(enter(&t, &bare), 0);
	assert_false(t.made);
	assert_int_equal(enter(&t, &rdt), 0);
	assert_false(t.made);
}

/* S-187: it is always there, and in nobody's way. */
static void test_root_class(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt rdt = { .class = "/", .is_named = true };
	init(&t);
	assert_int_equal(resctrl_has_class(t.dir.fd, "/", &t.err), 1);
	assert_int_equal(enter(&t, &rdt), 0);
	assert_false(t.made);
	assert_int_equal(resctrl_assign(t.class, NULL, 4711, &t.err), 0);
	assert_file(&t, "tasks", "4711\n");
}

/* What others do after the question: what the state says by then is no longer so. */
static void test_meanwhile(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt rdt = { .class = "gold", .is_named = true, .schemata = "L3:0=f\n" };
	const struct plan_rdt own = { .class = "web" };
	init(&t);
	assert_int_equal(resctrl_join(t.dir.fd, &rdt, &t.class, &t.err), -EAGAIN);
	assert_false(exists(&t, "gold"));
	add_class(&t, "gold", DEFAULTS);
	assert_int_equal(resctrl_make(t.dir.fd, &rdt, &t.made, &t.class, &t.err), -EAGAIN);
	assert_false(t.made);
	add_class(&t, "web", DEFAULTS);
	assert_int_equal(resctrl_make(t.dir.fd, &own, &t.made, &t.class, &t.err), -EEXIST);
	assert_false(t.made);
}

/* What leads out of the tree is no class. */
static void test_link(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt rdt = { .class = "gold", .is_named = true };
	init(&t);
	tmpdir_symlink(&t.dir, "/tmp", "gold");
	assert_true(enter(&t, &rdt) < 0);
	assert_true(resctrl_has_class(t.dir.fd, "gold", &t.err) < 0);
}

/* ---- schemata ---- */

static void test_write_order(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt rdt = {
		.class = "gold",
		.is_named = true,
		.schemas = "L3:0=f\nMB:0=20\n",
		.schemata = "L3:0=ff\nL2:0=1\n",
	};
	init(&t);
	assert_int_equal(enter(&t, &rdt), 0);
	fill(&t, "gold", "");
	assert_int_equal(configure(&t, &rdt), 0);
	assert_file(&t, "gold/schemata", "L3:0=f\nMB:0=20\nL3:0=ff\nL2:0=1\n");
	assert_file(&t, "schemata", DEFAULTS);
}

/* How large a file can become by this process. */
static void limit_files(rlim_t soft)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
}

/* The kernel's own words are beside the errno. */
static void test_write_fails(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt rdt = { .class = "gold", .is_named = true, .schemata = "L3:0=0\n" };
	init(&t);
	tmpdir_write(&t.dir, "info/last_cmd_status", 0600, "mask 0 has too few bits\n");
	assert_int_equal(enter(&t, &rdt), 0);
	fill(&t, "gold", "");
	limit_files(0);
	int r = configure(&t, &rdt);
	limit_files(RLIM_INFINITY);
	assert_int_equal(r, -EFBIG);
	assert_string_equal(t.err.kernel, "mask 0 has too few bits");
	assert_non_null(strstr(t.err.message, "'L3:0=0'"));
}

struct comparison {
	const char *have, *schemas, *schemata;
	const char *differs; /* NULL: it does not */
};

static const struct comparison comparisons[] = {
	{ DEFAULTS, "L3:0=fff;1=fff\n", NULL, NULL },
	{ DEFAULTS, "L3:1=FFF\n", NULL, NULL },
	{ DEFAULTS, "L3: 0 = 0x0fff ; 1=fff\n", NULL, NULL },
	{ DEFAULTS, "MB:0=100\n", "L3:0=fff\n", NULL },
	{ DEFAULTS, "L3:0=ff\n", NULL, "L3:0=ff" },
	{ DEFAULTS, "L3:0=fff\nMB:0=90\n", NULL, "MB:0=90" },
	{ DEFAULTS, "L3:0=fff;2=fff\n", NULL, "L3:0=fff;2=fff" },
	{ DEFAULTS, NULL, "L2:0=f\n", "L2:0=f" },
	{ DEFAULTS, NULL, "nonsense\n", "nonsense" },
	{ DEFAULTS, NULL, ":\n", ":" },
	{ DEFAULTS, NULL, "L3:0\n", "L3:0" },
	{ DEFAULTS, NULL, "L3:=fff\n", "L3:=fff" },
	{ DEFAULTS, "L3:0=ff\n", "L3:0=fff\n", NULL }, /* what is written last counts */
	{ DEFAULTS, "L3:0=fff\n", "L3:0=ff\n", "L3:0=ff" },
	{ "L3:0=f", "L3:00=f\n", NULL, NULL },
	{ "", NULL, "L3:0=f\n", "L3:0=f" },
	{ "L3:0=0;1=1\n", "L3:0=00\n", NULL, NULL },
};

/* S-191: others may have made it for something else. */
static void test_compare(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++) {
		const struct comparison *c = &comparisons[i];
		const struct plan_rdt rdt = {
			.class = "gold",
			.is_named = true,
			.schemas = c->schemas,
			.schemata = c->schemata,
		};
		_cleanup_tree_ struct tree t;
		init(&t);
		add_class(&t, "gold", c->have);
		assert_int_equal(enter(&t, &rdt), 0);
		int r = configure(&t, &rdt);
		char expected[200] = "";
		if (c->differs)
			snprintf(
				expected, sizeof(expected),
				"the class of service 'gold' exists, and its schemata are not '%s'",
				c->differs);
		assert_string_equal(t.err.message, expected);
		assert_int_equal(r, c->differs ? -EEXIST : 0);
		assert_file(&t, "gold/schemata", c->have);
	}
}

/* ---- update ---- */

static void test_change(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	struct arena arena;
	const char *old = "";
	init(&t);
	arena_init(&arena);
	assert_int_equal(resctrl_change(t.dir.fd, "web", "L3:0=f\n", &arena, &old, &t.err),
			 -ENOENT);
	assert_null(old);
	add_class(&t, "web", DEFAULTS);
	assert_int_equal(
		resctrl_change(t.dir.fd, "web", "    MB:0=050;1=050\n", &arena, &old, &t.err), 0);
	assert_file(&t, "web/schemata", "    MB:0=050;1=050\n    L3:0=00fff;1=00fff\n");
	assert_string_equal(old, DEFAULTS);
	assert_file(&t, "schemata", DEFAULTS);
	assert_int_equal(resctrl_change_back(t.dir.fd, "web", old, &t.err), 0);
	assert_file(&t, "web/schemata", DEFAULTS);
	arena_done(&arena);
}

/* What was cut off has been taken in part: so there is something to be put back. What the kernel
 * refuses it has not taken. */
static void test_change_fails(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	struct arena arena;
	const char *old = NULL;
	init(&t);
	arena_init(&arena);
	add_class(&t, "web", DEFAULTS);
	limit_files(4);
	int r = resctrl_change(t.dir.fd, "web", "    MB:0=050;1=050\n", &arena, &old, &t.err);
	limit_files(RLIM_INFINITY);
	assert_int_equal(r, -EFBIG);
	assert_string_equal(old, DEFAULTS);
	assert_int_equal(unlinkat(t.dir.fd, "web/schemata", 0), 0);
	tmpdir_symlink(&t.dir, "../schemata", "web/schemata");
	assert_true(resctrl_change(t.dir.fd, "web", "MB:0=50\n", &arena, &old, &t.err) < 0);
	assert_null(old);
	assert_file(&t, "schemata", DEFAULTS);
	arena_done(&arena);
}

/* ---- monitoring, processes, the end ---- */

static void test_monitor(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt rdt = { .class = "gold", .is_named = true };
	const struct resctrl_left left = { .class = "gold", .id = "web", .is_monitored = true };
	init(&t);
	add_class(&t, "gold", DEFAULTS);
	assert_int_equal(enter(&t, &rdt), 0);
	assert_false(resctrl_has_group(t.class, "web"));
	assert_int_equal(resctrl_monitor(t.class, "web", &t.err), 0);
	assert_true(resctrl_has_group(t.class, "web"));
	assert_int_equal(resctrl_monitor(t.class, "web", &t.err), -EEXIST);
	assert_true(exists(&t, "gold/mon_groups/web"));
	/* Not in the group without its file, as nobody is of whom nothing would be counted. */
	assert_int_equal(resctrl_assign(t.class, "web", 7, &t.err), -ENOENT);
	tmpdir_write(&t.dir, "gold/mon_groups/web/tasks", 0600, "");
	assert_int_equal(resctrl_assign(t.class, "web", 4711, &t.err), 0);
	assert_file(&t, "gold/tasks", "4711\n");
	assert_file(&t, "gold/mon_groups/web/tasks", "4711\n");
	assert_int_equal(unlinkat(t.dir.fd, "gold/mon_groups/web/tasks", 0), 0);
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
	assert_false(exists(&t, "gold/mon_groups/web"));
	assert_true(exists(&t, "gold/tasks"));
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
}

static void test_cannot_monitor(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt rdt = { .class = "web" };
	init(&t);
	assert_int_equal(enter(&t, &rdt), 0);
	assert_int_equal(resctrl_monitor(t.class, "web", &t.err), -ENOTSUP);
	assert_true(t.err.hint[0]);
}

static void test_remove(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt rdt = { .class = "web" };
	struct resctrl_left left = { .class = "web", .id = "web", .is_owned = true };
	struct stat st;
	init(&t);
	assert_int_equal(enter(&t, &rdt), 0);
	assert_int_equal(fstat(t.class, &st), 0);
	left.ino = st.st_ino;
	tmpdir_mkdir(&t.dir, "web/x", 0700); /* as of plain files, not empty */
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), -ENOTEMPTY);
	assert_int_equal(unlinkat(t.dir.fd, "web/x", AT_REMOVEDIR), 0);
	left.is_owned = false;
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
	assert_true(exists(&t, "web"));
	left.is_owned = true;
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
	assert_false(exists(&t, "web"));
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
}

/* Others have made one of the same name: when it is known which one was made, it is not that; and
 * else, when somebody is in it. */
static void test_remove_another(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	struct resctrl_left left = {
		.class = "web", .id = "web", .is_owned = true, .is_monitored = true, .ino = 1
	};
	init(&t);
	tmpdir_mkdir(&t.dir, "web", 0700);
	tmpdir_mkdir(&t.dir, "web/mon_groups", 0700);
	tmpdir_mkdir(&t.dir, "web/mon_groups/web", 0700);
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
	assert_true(exists(&t, "web/mon_groups/web"));
	assert_int_equal(unlinkat(t.dir.fd, "web/mon_groups/web", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(t.dir.fd, "web/mon_groups", AT_REMOVEDIR), 0);
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
	assert_true(exists(&t, "web"));
	tmpdir_write(&t.dir, "web/tasks", 0600, "4711\n");
	left.ino = 0;
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
	assert_true(exists(&t, "web/tasks"));
	assert_int_equal(unlinkat(t.dir.fd, "web/tasks", 0), 0);
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
	assert_false(exists(&t, "web"));
}

/* The same texts as of a start, and nothing is made. */
static void test_foresee(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	const struct plan_rdt own = { .class = "web", .is_monitored = true };
	const struct plan_rdt bare = { .class = "gold", .is_named = true };
	const struct plan_rdt rdt = { .class = "gold", .is_named = true, .schemata = "L3:0=f\n" };
	init(&t);
	assert_int_equal(resctrl_foresee(t.dir.fd, &own, &t.err), 0);
	assert_int_equal(resctrl_foresee(t.dir.fd, &rdt, &t.err), 0);
	assert_int_equal(resctrl_foresee(t.dir.fd, &bare, &t.err), -ENOENT);
	assert_string_equal(t.err.message, "there is no class of service 'gold'");
	assert_false(exists(&t, "gold"));
	assert_false(exists(&t, "web"));
	add_class(&t, "gold", DEFAULTS);
	assert_int_equal(resctrl_foresee(t.dir.fd, &bare, &t.err), 0);
	assert_int_equal(resctrl_foresee(t.dir.fd, &rdt, &t.err), -EEXIST);
	add_class(&t, "web", DEFAULTS);
	assert_int_equal(resctrl_foresee(t.dir.fd, &own, &t.err), -EEXIST);
	assert_int_equal(unlinkat(t.dir.fd, "mon_groups", AT_REMOVEDIR), 0);
	const struct plan_rdt other = { .class = "other", .is_monitored = true };
	assert_int_equal(resctrl_foresee(t.dir.fd, &other, &t.err), -ENOTSUP);
}

/* A class that closID names may have been joined meanwhile; the kernel would remove it all the
 * same. */
static void test_remove_joined(void **state _unused_)
{
	_cleanup_tree_ struct tree t;
	struct resctrl_left left = {
		.class = "gold", .id = "web", .is_owned = true, .is_named = true
	};
	init(&t);
	tmpdir_mkdir(&t.dir, "gold", 0700);
	tmpdir_write(&t.dir, "gold/tasks", 0600, "4711\n");
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
	assert_true(exists(&t, "gold/tasks"));
	struct stat st;
	assert_int_equal(fstatat(t.dir.fd, "gold", &st, 0), 0);
	left.ino = st.st_ino;
	left.is_named = false; /* what is its own goes, whoever is in it */
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), -ENOTEMPTY);
	left.is_named = true;
	tmpdir_write(&t.dir, "gold/tasks", 0600, "");
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), -ENOTEMPTY);
	assert_int_equal(unlinkat(t.dir.fd, "gold/tasks", 0), 0);
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), 0);
	assert_false(exists(&t, "gold"));
	/* Who is in it cannot be known: nobody is moved. */
	left.ino = 0;
	tmpdir_mkdir(&t.dir, "gold", 0700);
	tmpdir_symlink(&t.dir, "/dev/null", "gold/tasks");
	assert_int_equal(resctrl_remove(t.dir.fd, &left, &t.err), -ELOOP);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_class),   cmocka_unit_test(test_own_class_is_taken),
		cmocka_unit_test(test_named_class), cmocka_unit_test(test_root_class),
		cmocka_unit_test(test_meanwhile),   cmocka_unit_test(test_remove_another),
		cmocka_unit_test(test_link),        cmocka_unit_test(test_write_order),
		cmocka_unit_test(test_write_fails), cmocka_unit_test(test_compare),
		cmocka_unit_test(test_change),      cmocka_unit_test(test_change_fails),
		cmocka_unit_test(test_monitor),     cmocka_unit_test(test_cannot_monitor),
		cmocka_unit_test(test_remove),      cmocka_unit_test(test_remove_joined),
		cmocka_unit_test(test_foresee),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
