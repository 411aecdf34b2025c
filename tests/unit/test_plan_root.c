/* Roots: lists of layers, what goes with them, and propagation; paths in normal form. */
#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <cmocka.h>

#include "planned.h"
#include "plan/parts.h"

#define LOWER "\"dev.hull.rootfs.lower\": "
#define UPPER "\"dev.hull.rootfs.upper\": "
#define WORK  "\"dev.hull.rootfs.work\": "

static int make(struct planned *p, const char *annotations)
{
	return planned_make(p,
			    arena_printf(&p->arena,
					 ", \"linux\": {\"namespaces\": [{\"type\": \"mount\"}]}, "
					 "\"annotations\": {%s}",
					 annotations));
}

/* The layers, topmost first, separated by blanks. */
static const char *layers(struct planned *p)
{
	const struct plan_overlay *o = &p->plan.root.overlay;
	struct str s;
	str_init(&s, &p->arena);
	for (size_t i = 0; i < o->lower_n; i++)
		str_printf(&s, "%s%s", i ? " " : "", o->lower[i].s);
	return s.text;
}

static void test_layers(void **state)
{
	static const char *const cases[][2] = {
		{ "a", "/bundle/a /bundle/rootfs" },
		{ "a:b:/c", "/bundle/a /bundle/b /c /bundle/rootfs" },
		{ "a\\\\:b", "/bundle/a:b /bundle/rootfs" },
		{ "a\\\\\\\\:b", "/bundle/a\\ /bundle/b /bundle/rootfs" },
		{ "a\\\\\\\\\\\\:b", "/bundle/a\\:b /bundle/rootfs" },
		{ "a\\\\b\\\\", "/bundle/a\\b\\ /bundle/rootfs" },
		{ "a,b", "/bundle/a,b /bundle/rootfs" },
		{ "rootfs", "/bundle/rootfs" },
		{ "rootfs:a", "/bundle/rootfs /bundle/a" },
		{ "/bundle/rootfs:a", "/bundle/rootfs /bundle/a" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		assert_int_equal(make(&p, arena_printf(&p.arena, LOWER "\"%s\"", cases[i][0])), 0);
		assert_int_equal(p.plan.root.kind, PLAN_ROOT_OVERLAY);
		assert_string_equal(layers(&p), cases[i][1]);
		assert_null(p.plan.root.overlay.upper);
	}
}

static void test_empty_elements(void **state)
{
	static const char *const cases[] = { "", ":", "a:", ":a", "a::b", "\\\\::a" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		int r = make(&p, arena_printf(&p.arena, LOWER "\"%s\"", cases[i]));
		assert_int_equal(r, i == 5 ? 0 : -EINVAL);
		if (i == 5)
			assert_string_equal(layers(&p), "/bundle/: /bundle/a /bundle/rootfs");
		else
			assert_string_equal(p.err.path, "annotations[\"dev.hull.rootfs.lower\"]");
	}
}

static int make_layers(struct planned *p, unsigned n)
{
	struct str s;
	str_init(&s, &p->arena);
	str_append(&s, LOWER "\"");
	for (unsigned i = 0; i < n; i++)
		str_printf(&s, "%sl%u", i ? ":" : "", i);
	str_append(&s, "\"");
	return make(p, s.text);
}

static void test_many_layers(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_layers(&p, 100), 0);
	assert_int_equal(p.plan.root.overlay.lower_n, 101);
	assert_string_equal(p.plan.root.overlay.lower[0].s, "/bundle/l0");
	assert_string_equal(p.plan.root.overlay.lower[99].s, "/bundle/l99");
	assert_string_equal(p.plan.root.overlay.lower[100].s, "/bundle/rootfs");
	assert_int_equal(make_layers(&p, 199), 0);
	assert_int_equal(make_layers(&p, 200), -E2BIG);
	assert_int_equal(p.err.kind, ERR_LIMIT);
	assert_int_equal(make_layers(&p, 1000), -E2BIG);
}

static void test_upper(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make(&p, UPPER "\"u\", " WORK "\"/w\""), 0);
	assert_string_equal(p.plan.root.overlay.upper, "/bundle/u");
	assert_string_equal(p.plan.root.overlay.work, "/w");
	assert_string_equal(layers(&p), "/bundle/rootfs");
	assert_int_equal(make(&p, UPPER "\"u\""), -EINVAL);
	assert_int_equal(make(&p, WORK "\"w\""), -EINVAL);
	assert_string_equal(p.err.path, "annotations[\"dev.hull.rootfs.work\"]");
}

/* --overlay lies over everything, and what would have been written to is only read. */
static void test_option(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	p.options.flags |= PLAN_OVERLAY;
	assert_int_equal(make(&p, LOWER "\"a\", " UPPER "\"u\", " WORK "\"w\""), 0);
	assert_string_equal(layers(&p), "/bundle/u /bundle/a /bundle/rootfs");
	assert_null(p.plan.root.overlay.upper);
	p.options.overlay_dir = "/o";
	assert_int_equal(make(&p, ""), 0);
	assert_string_equal(layers(&p), "/bundle/rootfs");
	assert_string_equal(p.plan.root.overlay.dir, "/o");
	assert_string_equal(p.plan.root.overlay.upper, "/o/upper");
	assert_string_equal(p.plan.root.overlay.work, "/o/work");
	assert_int_equal(make_layers(&p, 199), 0);
}

/* An engine's user may set annotations without being the host's root: create ignores them. */
static void test_annotations_of_create(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	p.options.flags = 0;
	assert_int_equal(make(&p, LOWER "\"/\", " UPPER "\"/etc\""), 0);
	assert_int_equal(p.plan.root.kind, PLAN_ROOT_DIRECTORY);
	assert_string_equal(p.plan.root.path, "/bundle/rootfs");
	assert_int_equal(p.plan.root.overlay.lower_n, 0);
}

static void test_propagation(void **state)
{
	static const struct {
		const char *word;
		uint64_t flag;
		bool recursive;
	} cases[] = {
		{ "private", MS_PRIVATE, false },
		{ "rprivate", MS_PRIVATE, true },
		{ "slave", MS_SLAVE, false },
		{ "rslave", MS_SLAVE, true },
		{ "shared", MS_SHARED, false },
		{ "rshared", MS_SHARED, true },
		{ "unbindable", MS_UNBINDABLE, false },
		{ "runbindable", MS_UNBINDABLE, true },
		{ "", MS_PRIVATE, false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		assert_int_equal(
			planned_make_linux(&p,
					   arena_printf(&p.arena, ", \"rootfsPropagation\": \"%s\"",
							cases[i].word)),
			0);
		assert_int_equal(p.plan.root.propagation, cases[i].flag);
		assert_int_equal(p.plan.root.propagation_recursive, cases[i].recursive);
	}
}

/* ---- paths ---- */

static void test_normal(void **state)
{
	static const char *const cases[][2] = {
		{ "/", "/" },
		{ "", "/" },
		{ ".", "/" },
		{ "//", "/" },
		{ "/./.", "/" },
		{ "a", "/a" },
		{ "a/b", "/a/b" },
		{ "/a/", "/a" },
		{ "//a//b//", "/a/b" },
		{ "/./a/./b/.", "/a/b" },
		{ "/a/../b", "/a/../b" },
		{ "..", "/.." },
		{ "/.a/..b/c.", "/.a/..b/c." },
		{ "/a b/\t", "/a b/\t" },
	};
	_cleanup_arena_ struct arena arena;
	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(plan_path_normal(&arena, cases[i][0]), cases[i][1]);
}

static void test_below(void **state)
{
	(void)state;
	assert_true(plan_path_is_below("/proc", "/proc"));
	assert_true(plan_path_is_below("/proc/sys", "/proc"));
	assert_false(plan_path_is_below("/process", "/proc"));
	assert_false(plan_path_is_below("/pro", "/proc"));
	assert_false(plan_path_is_below("/x/proc", "/proc"));
	assert_true(plan_path_is_below("/", "/"));
	assert_true(plan_path_is_below("/a", "/"));
	assert_false(plan_path_is_below("/", "/a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),      cmocka_unit_test(test_empty_elements),
		cmocka_unit_test(test_many_layers), cmocka_unit_test(test_upper),
		cmocka_unit_test(test_option),      cmocka_unit_test(test_annotations_of_create),
		cmocka_unit_test(test_propagation), cmocka_unit_test(test_normal),
		cmocka_unit_test(test_below),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
