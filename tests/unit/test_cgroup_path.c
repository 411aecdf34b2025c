/*
 * Paths of cgroups: the normal form of cgroupsPath, and walking, removing and the fitness check on
 * plain directories that look like a cgroup tree, without root and without cgroups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "cgroup/cgroup.h"
#include "cgroup/path.h"

#define TIMEOUT_MS 60000

static void test_normal_form(void **state)
{
	(void)state;
	static const struct {
		const char *path, *want; /* NULL: an error */
	} cases[] = {
		{ NULL, "/hull/web" },
		{ "", "/hull/web" },
		{ "/docker/0123", "/docker/0123" },
		{ "pods/x", "/hull/pods/x" },
		{ "system.slice:docker:x", "/hull/system.slice:docker:x" },
		{ "/", NULL },
		{ "/a/", NULL },
		{ "/a//b", NULL },
		{ "/../a", NULL },
		{ "/a/..", NULL },
		{ "a/../../b", NULL },
		{ "..", NULL },
		{ "/a/./b", NULL },
		{ "/...", "/..." },
		{ "/a\nb", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		const char *got = NULL;
		struct err err;
		int r = cgroup_plan_path(cases[i].path, "web", &arena, &got, &err);
		assert_int_equal(r, cases[i].want ? 0 : -EINVAL);
		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
		else
			assert_int_equal(err.kind, ERR_CONFIG);
	}
}

static void test_long_paths(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	const char *got;
	char *name = arena_alloc(&arena, 300);
	memset(name, 'x', NAME_MAX);
	assert_int_equal(cgroup_plan_path(name, "i", &arena, &got, NULL), 0);
	name[NAME_MAX] = 'x';
	assert_int_equal(cgroup_plan_path(name, "i", &arena, &got, NULL), -EINVAL);
	char *path = arena_alloc(&arena, PATH_MAX + 2);
	for (size_t i = 0; i < PATH_MAX; i += 2)
		memcpy(path + i, "/a", 2);
	assert_int_equal(cgroup_plan_path(path, "i", &arena, &got, NULL), -EINVAL);
}

/* ---- a tree of plain directories ---- */

struct tree {
	char dir[64];
	struct cgroup_root root;
};

static int tree_setup(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));
	if (!t)
		return -1;
	snprintf(t->dir, sizeof(t->dir), "/tmp/hull-test-cgroup-XXXXXX");
	if (!mkdtemp(t->dir))
		return -1;
	t->root.path = t->dir;
	t->root.fd = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = t;
	return t->root.fd < 0;
}

static int tree_teardown(void **state)
{
	struct tree *t = *state;
	cgroup_root_close(&t->root);
	int r = rmdir(t->dir);
	free(t);
	return r;
}

static void make(const struct tree *t, const char *path)
{
	assert_int_equal(mkdirat(t->root.fd, path, 0755), 0);
}

static bool exists(const struct tree *t, const char *path)
{
	return faccessat(t->root.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_remove_nested(void **state)
{
	const struct tree *t = *state;
	static const char *const dirs[] = { "p",     "p/c",   "p/c/1",   "p/c/1/a",
					    "p/c/2", "p/c/3", "p/c/3/b", "p/c/3/b/d" };
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		make(t, dirs[i]);
	assert_int_equal(cgroup_remove(&t->root, "/p/c", 2, TIMEOUT_MS, NULL), 0);
	assert_false(exists(t, "p/c"));
	assert_true(exists(t, "p"));
	assert_int_equal(cgroup_remove(&t->root, "/p/c", 2, TIMEOUT_MS, NULL), 0);
	assert_int_equal(cgroup_remove(&t->root, "/gone/c", 5, TIMEOUT_MS, NULL), 0);
	assert_int_equal(cgroup_remove(&t->root, "/p", 0, TIMEOUT_MS, NULL), 0);
	assert_false(exists(t, "p"));
}

/* A container may nest cgroups deeper than a path is long. */
static void test_remove_deep(void **state)
{
	const struct tree *t = *state;
	make(t, "deep");
	_cleanup_close_ int fd = openat(t->root.fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(mkdirat(fd, "a-name-of-some-length", 0755), 0);
		int next = openat(fd, "a-name-of-some-length", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fd_close(&fd);
		fd = next;
		assert_true(fd >= 0);
	}
	assert_int_equal(cgroup_remove(&t->root, "/deep", 0, TIMEOUT_MS, NULL), 0);
	assert_false(exists(t, "deep"));
}

static void test_links_are_not_followed(void **state)
{
	const struct tree *t = *state;
	int fd;
	struct cgroup got;
	size_t kept;
	assert_int_equal(symlinkat("/tmp", t->root.fd, "link"), 0);
	struct err err;
	assert_int_equal(cgroup_open(&t->root, "/link", &fd, &err), -ELOOP);
	assert_int_equal(cgroup_create(&t->root, "/link/x", NULL, &got, &err), -ELOOP);
	assert_int_equal(cgroup_find_kept(&t->root, "/link/x", &kept, &err), -ELOOP);
	assert_int_equal(unlinkat(t->root.fd, "link", 0), 0);
}

static void test_kept(void **state)
{
	const struct tree *t = *state;
	static const struct {
		const char *path;
		size_t kept;
	} cases[] = {
		{ "/a", 2 },        { "/a/b", 4 },     { "/a/b/c", 4 }, { "/a/c/d/e", 2 },
		{ "/ab", 0 },       { "/x/y/z", 0 },   { "/hull", 5 },  { "/hull/x", 5 },
		{ "/hull/x/y", 5 }, { "/hullx/y", 0 },
	};
	make(t, "a");
	make(t, "a/b");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t kept = 99;
		struct err err;
		assert_int_equal(cgroup_find_kept(&t->root, cases[i].path, &kept, &err), 0);
		assert_int_equal(kept, cases[i].kept);
	}
	assert_int_equal(cgroup_remove(&t->root, "/a/b", 0, TIMEOUT_MS, NULL), 0);
	assert_false(exists(t, "a"));
}

static void test_remove_parents(void **state)
{
	const struct tree *t = *state;
	static const char *const dirs[] = { "r", "r/s", "r/s/t", "r/s/t/u", "r/other" };
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		make(t, dirs[i]);
	/* All of it existed before: nothing goes. */
	assert_int_equal(cgroup_remove(&t->root, "/r/s/t", strlen("/r/s/t"), TIMEOUT_MS, NULL), 0);
	assert_true(exists(t, "r/s/t/u"));
	/* The cgroup is gone already, its parent is not. */
	assert_int_equal(
		cgroup_remove(&t->root, "/r/s/t/u/v/w", strlen("/r/s/t"), TIMEOUT_MS, NULL), 0);
	assert_false(exists(t, "r/s/t/u"));
	assert_true(exists(t, "r/s/t"));
	assert_int_equal(cgroup_remove(&t->root, "/r/s/t", 0, TIMEOUT_MS, NULL), 0);
	assert_false(exists(t, "r/s"));
	assert_true(exists(t, "r/other"));
	assert_int_equal(cgroup_remove(&t->root, "/r/other", 0, TIMEOUT_MS, NULL), 0);
	assert_false(exists(t, "r"));
}

/* Plain directories have no cgroup.events, so the creation fails at its last step. */
static void test_failure_removes_what_was_made(void **state)
{
	const struct tree *t = *state;
	struct cgroup got;
	struct err err;
	make(t, "old");
	assert_int_equal(cgroup_create(&t->root, "/old/a/b/c", NULL, &got, &err), -ENOENT);
	assert_true(exists(t, "old"));
	assert_false(exists(t, "old/a"));
	assert_int_equal(cgroup_create(&t->root, "/old", NULL, &got, &err), -ENOENT);
	assert_true(exists(t, "old"));
	assert_int_equal(cgroup_remove(&t->root, "/old", 0, TIMEOUT_MS, NULL), 0);
	assert_int_equal(cgroup_create(&t->root, "/new/a", NULL, &got, &err), -ENOENT);
	assert_false(exists(t, "new"));
}

static void write_file(const struct tree *t, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(t->root.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void test_missing_controller(void **state)
{
	const struct tree *t = *state;
	write_file(t, "cgroup.controllers", "hugetlb memory_like\n");
	write_file(t, "cgroup.subtree_control", "\n");
	const struct cgroup_plan plan = { .controllers = { "hull" }, .controllers_at = { 42 } };
	struct cgroup got;
	struct err err;
	assert_int_equal(cgroup_create(&t->root, "/x", &plan, &got, &err), -ENODEV);
	assert_int_equal(err.kind, ERR_HOST);
	assert_int_equal(err.at, 42);
	assert_non_null(strstr(err.message, "'hull' is not available in '/'"));
	assert_false(exists(t, "x"));
	assert_int_equal(unlinkat(t->root.fd, "cgroup.controllers", 0), 0);
	assert_int_equal(unlinkat(t->root.fd, "cgroup.subtree_control", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normal_form),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test_setup_teardown(test_remove_nested, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_remove_deep, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_remove_parents, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_kept, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_links_are_not_followed, tree_setup,
						tree_teardown),
		cmocka_unit_test_setup_teardown(test_failure_removes_what_was_made, tree_setup,
						tree_teardown),
		cmocka_unit_test_setup_teardown(test_missing_controller, tree_setup, tree_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
