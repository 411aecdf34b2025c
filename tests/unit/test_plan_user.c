/* User namespaces of a plan: the texts of the maps, who writes them, and ids that are in none. */
#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "planned.h"

#define SINGLE "{\"containerID\": 0, \"hostID\": 1000, \"size\": 1}"
#define RANGE  "{\"containerID\": 0, \"hostID\": 100000, \"size\": 65536}"

static int make_user(struct planned *p, const char *uids, const char *gids, const char *more)
{
	return planned_make(p, arena_printf(&p->arena,
					    ", \"linux\": {\"namespaces\": [{\"type\": \"mount\"}, "
					    "{\"type\": \"user\"}], \"uidMappings\": [%s], "
					    "\"gidMappings\": [%s]}%s",
					    uids, gids, more));
}

static void make_unprivileged(struct planned *p)
{
	p->host.uid = 1000;
	p->host.gid = 1000;
	p->host.caps_permitted = 0;
}

static void test_texts(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_user(&p,
				   RANGE ", {\"containerID\": 70000, \"hostID\": 0, \"size\": 2}",
				   SINGLE, ""),
			 0);
	assert_string_equal(p.plan.user.uids.text, "0 100000 65536\n70000 0 2\n");
	assert_string_equal(p.plan.user.gids.text, "0 1000 1\n");
	assert_string_equal(p.plan.user.uids.args[3], "70000");
	assert_string_equal(p.plan.user.uids.args[5], "2");
	assert_null(p.plan.user.uids.args[6]);
}

static void test_lookup(void **state)
{
	static const struct {
		uint32_t id, host;
		bool found;
	} cases[] = {
		{ 0, 100000, true }, { 65535, 165535, true },  { 65536, 0, false },
		{ 69999, 0, false }, { 70000, 0, true },       { 70001, 1, true },
		{ 70002, 0, false }, { UINT32_MAX, 0, false },
	};
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_user(&p,
				   RANGE ", {\"containerID\": 70000, \"hostID\": 0, \"size\": 2}",
				   RANGE, ""),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t host = 0;
		assert_int_equal(plan_id_is_mapped(&p.plan.user.uids, cases[i].id, &host),
				 cases[i].found);
		assert_int_equal(host, cases[i].host);
	}
}

/* n lines of one id each, from `first` on the host. */
static const char *many_lines(struct planned *p, size_t n, unsigned long first)
{
	struct str s;
	str_init(&s, &p->arena);
	for (size_t i = 0; i < n; i++)
		str_printf(&s, "%s{\"containerID\": %zu, \"hostID\": %lu, \"size\": 1}",
			   i ? ", " : "", i, first + 2 * i);
	return s.text;
}

/* UID_GID_MAP_MAX_EXTENTS lines, and less than a page. */
static void test_most(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_user(&p, many_lines(&p, 340, 1), RANGE, ""), 0);
	assert_int_equal(make_user(&p, many_lines(&p, 341, 1), RANGE, ""), -E2BIG);
	assert_string_equal(p.err.path, "linux.uidMappings");
	assert_int_equal(make_user(&p, RANGE, many_lines(&p, 340, 1000000000), ""), -E2BIG);
	assert_string_equal(p.err.path, "linux.gidMappings");
}

static void test_overlaps(void **state)
{
	static const struct {
		const char *second;
		int code;
	} cases[] = {
		{ "{\"containerID\": 65535, \"hostID\": 0, \"size\": 1}", -EINVAL },
		{ "{\"containerID\": 65536, \"hostID\": 0, \"size\": 100000}", 0 },
		{ "{\"containerID\": 65536, \"hostID\": 0, \"size\": 100001}", -EINVAL },
		{ "{\"containerID\": 65536, \"hostID\": 165535, \"size\": 1}", -EINVAL },
		{ "{\"containerID\": 65536, \"hostID\": 165536, \"size\": 1}", 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		const char *uids = arena_printf(&p.arena, RANGE ", %s", cases[i].second);
		assert_int_equal(make_user(&p, uids, RANGE, ""), cases[i].code);
		if (cases[i].code)
			assert_string_equal(p.err.path, "linux.uidMappings[1]");
	}
}

static void test_who_writes(void **state)
{
	static const struct {
		const char *uids, *gids;
		bool is_root;
		enum plan_map_writer uid_writer, gid_writer;
		bool denies;
	} cases[] = {
		{ RANGE, RANGE, true, PLAN_MAP_BY_HULL, PLAN_MAP_BY_HULL, false },
		{ SINGLE, SINGLE, true, PLAN_MAP_BY_HULL, PLAN_MAP_BY_HULL, false },
		{ SINGLE, SINGLE, false, PLAN_MAP_BY_HULL, PLAN_MAP_BY_HULL, true },
		{ RANGE, RANGE, false, PLAN_MAP_BY_HELPER, PLAN_MAP_BY_HELPER, false },
		{ RANGE, SINGLE, false, PLAN_MAP_BY_HELPER, PLAN_MAP_BY_HULL, true },
		{ "{\"containerID\": 0, \"hostID\": 1001, \"size\": 1}", SINGLE, false,
		  PLAN_MAP_BY_HELPER, PLAN_MAP_BY_HULL, true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		if (!cases[i].is_root)
			make_unprivileged(&p);
		assert_int_equal(make_user(&p, cases[i].uids, cases[i].gids, ""), 0);
		const struct plan_user *user = &p.plan.user;
		assert_int_equal(user->uids.writer, cases[i].uid_writer);
		assert_int_equal(user->gids.writer, cases[i].gid_writer);
		assert_int_equal(user->denies_setgroups, cases[i].denies);
		assert_int_equal(user->has_stage, cases[i].is_root);
		assert_int_equal(user->hides_late, !cases[i].is_root);
		assert_int_equal(user->trees,
				 cases[i].is_root ? PLAN_TREES_STAGE : PLAN_TREES_CHILD);
	}
}

/* Without a mount namespace nothing is attached, and nothing needs a stage. */
static void test_no_mount_namespace(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	const char *members = ", \"linux\": {\"namespaces\": [{\"type\": \"user\"}%s], "
			      "\"uidMappings\": [" RANGE "], \"gidMappings\": [" RANGE "]}";
	char text[512];
	snprintf(text, sizeof(text), "%.*s%s", (int)(strstr(members, "%s") - members), members,
		 strstr(members, "%s") + 2);
	assert_int_equal(planned_make(&p, text), 0);
	assert_false(p.plan.user.has_stage);
	assert_int_equal(p.plan.user.trees, PLAN_TREES_PARENT);
	snprintf(text, sizeof(text), "%.*s, {\"type\": \"uts\", \"path\": \"/u\"}%s",
		 (int)(strstr(members, "%s") - members), members, strstr(members, "%s") + 2);
	assert_int_equal(planned_make(&p, text), 0);
	assert_true(p.plan.user.has_stage);
}

static void test_joined(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	make_unprivileged(&p);
	assert_int_equal(planned_make(&p, ", \"linux\": {\"namespaces\": [{\"type\": \"mount\"}, "
					  "{\"type\": \"pid\", \"path\": \"/p\"}, "
					  "{\"type\": \"user\", \"path\": \"/u\"}]}"),
			 0);
	assert_true(p.plan.user.is_joined && p.plan.user.has_stage);
	assert_false(p.plan.user.hides_late);
	assert_false(p.plan.user.denies_setgroups);
	assert_int_equal(p.plan.user.uids.writer, PLAN_MAP_BY_NOBODY);
	assert_true(plan_moves(&p.plan));
}

/* Every place where config.json names an id. */
static void test_unmapped(void **state)
{
	static const struct {
		const char *more, *path;
	} cases[] = {
		{ ", \"mounts\": [{\"destination\": \"/t\", \"type\": \"tmpfs\", \"options\": "
		  "[\"uid=70000\"]}]",
		  "mounts[0].options[0]" },
		{ ", \"mounts\": [{\"destination\": \"/t\", \"type\": \"devpts\", \"options\": "
		  "[\"newinstance\", \"gid=70000\"]}]",
		  "mounts[0].options[1]" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		assert_int_equal(make_user(&p, RANGE, RANGE, cases[i].more), -EINVAL);
		assert_string_equal(p.err.path, cases[i].path);
		assert_true(p.err.hint[0]);
	}
	_cleanup_planned_ struct planned p;
	planned_init(&p);
	assert_int_equal(
		make_user(&p, "{\"containerID\": 1, \"hostID\": 1, \"size\": 1}", RANGE, ""),
		-EINVAL);
	assert_string_equal(p.err.path, "process.user.uid");
	assert_int_equal(
		make_user(&p, RANGE, "{\"containerID\": 1, \"hostID\": 1, \"size\": 1}", ""),
		-EINVAL);
	assert_string_equal(p.err.path, "process.user.gid");
}

/* All capabilities of the kernel are in a new user namespace, whatever the caller lacks. */
static void test_capabilities(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	make_unprivileged(&p);
	p.host.caps_bounding = 0;
	assert_int_equal(make_user(&p, SINGLE, SINGLE, ""), 0);
	assert_true(p.plan.process.caps_drop == p.host.caps_known);
}

/* Devices: made in the stage, or bound from the host by who can make none. */
static void test_devices(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_user(&p, RANGE, RANGE, ""), 0);
	assert_int_equal(p.plan.devices[0].how, PLAN_DEVICE_STAGED);
	p.host.in_user_namespace = true;
	assert_int_equal(make_user(&p, RANGE, RANGE, ""), 0);
	assert_int_equal(p.plan.devices[0].how, PLAN_DEVICE_BIND);
	p.host.in_user_namespace = false;
	make_unprivileged(&p);
	assert_int_equal(make_user(&p, SINGLE, SINGLE, ""), 0);
	assert_int_equal(p.plan.devices[0].how, PLAN_DEVICE_BIND);
}

static void test_caller(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	make_unprivileged(&p);
	assert_int_equal(planned_make_linux(&p, ""), -EPERM);
	assert_int_equal(p.err.kind, ERR_PERMISSION);
	assert_non_null(strstr(p.err.hint, "spec --rootless"));
}

/* No cgroup has to be there, unless config.json asks for one; then below the caller's own. */
static void test_cgroup(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	make_unprivileged(&p);
	snprintf(p.host.cgroup, sizeof(p.host.cgroup), "/user.slice/1000");
	assert_int_equal(make_user(&p, SINGLE, SINGLE, ""), 0);
	assert_string_equal(p.plan.cgroup_path, "/user.slice/1000/hull-web");
	assert_true(p.plan.may_lack_cgroup);
	snprintf(p.host.cgroup, sizeof(p.host.cgroup), "/");
	assert_int_equal(make_user(&p, SINGLE, SINGLE, ""), 0);
	assert_string_equal(p.plan.cgroup_path, "/hull-web");
	_cleanup_planned_ struct planned root;
	planned_init(&root);
	assert_int_equal(make_user(&root, RANGE, RANGE, ""), 0);
	assert_string_equal(root.plan.cgroup_path, "/hull/web");
	assert_false(root.plan.may_lack_cgroup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),        cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_most),         cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_who_writes),   cmocka_unit_test(test_no_mount_namespace),
		cmocka_unit_test(test_joined),       cmocka_unit_test(test_unmapped),
		cmocka_unit_test(test_capabilities), cmocka_unit_test(test_devices),
		cmocka_unit_test(test_caller),       cmocka_unit_test(test_cgroup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
