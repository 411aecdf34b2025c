/* What each mount option of the specification means (S-073 to S-083), alone and in company. */
#include "plan/plan.h"

#include <linux/mount.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <cmocka.h>

#include "planned.h"

#define RO     MOUNT_ATTR_RDONLY
#define NOSUID MOUNT_ATTR_NOSUID
#define ATIME  MOUNT_ATTR__ATIME
#define NOAT   MOUNT_ATTR_NOATIME
#define STRICT MOUNT_ATTR_STRICTATIME
#define NOLINK MOUNT_ATTR_NOSYMFOLLOW
#define NODIR  MOUNT_ATTR_NODIRATIME

/* "ro,nosuid" as the members of a mount; `kind` is "bind", "rbind" or the type of a new one. */
static int make(struct planned *p, const char *kind, const char *words)
{
	struct str s;
	bool bind = strstr(kind, "bind") != NULL;
	str_init(&s, &p->arena);
	str_printf(&s, "\"destination\": \"/d\", %s, \"options\": [\"%s\"",
		   bind ? "\"source\": \"/s\"" : "\"type\": \"tmpfs\"", bind ? kind : "defaults");
	while (*words) {
		size_t n = strcspn(words, ",");
		str_printf(&s, ", \"%.*s\"", (int)n, words);
		words += n + (words[n] == ',');
	}
	str_append(&s, "]");
	return planned_make_mount(p, s.text);
}

/* "sync mode=755": what the file system is told. */
static const char *fs_options(struct planned *p, const struct plan_mount *m)
{
	struct str s;
	str_init(&s, &p->arena);
	for (size_t i = 0; i < m->options_n; i++)
		str_printf(&s, "%s%s%s%s", i ? " " : "", m->options[i].key,
			   m->options[i].value ? "=" : "",
			   m->options[i].value ? m->options[i].value : "");
	return s.text;
}

struct attr_case {
	const char *words;
	struct plan_attr own, all; /* of the mount, of a whole tree */
};

static void assert_attrs(const char *kind, const struct attr_case *c)
{
	_cleanup_planned_ struct planned p;
	planned_init(&p);
	assert_int_equal(make(&p, kind, c->words), 0);
	const struct plan_mount *m = &p.plan.mounts[0];
	assert_int_equal(m->attr.set, c->own.set);
	assert_int_equal(m->attr.clear, c->own.clear);
	assert_int_equal(m->attr_recursive.set, c->all.set);
	assert_int_equal(m->attr_recursive.clear, c->all.clear);
	assert_string_equal(fs_options(&p, m), "");
	assert_int_equal(m->propagation, MS_PRIVATE);
}

/* Each alone: the same for a bind and for a new file system. */
static const struct attr_case single[] = {
	{ "ro", { RO, 0 }, { 0 } },
	{ "rw", { 0, RO }, { 0 } },
	{ "nosuid", { NOSUID, 0 }, { 0 } },
	{ "suid", { 0, NOSUID }, { 0 } },
	{ "nodev", { MOUNT_ATTR_NODEV, 0 }, { 0 } },
	{ "dev", { 0, MOUNT_ATTR_NODEV }, { 0 } },
	{ "noexec", { MOUNT_ATTR_NOEXEC, 0 }, { 0 } },
	{ "exec", { 0, MOUNT_ATTR_NOEXEC }, { 0 } },
	{ "nodiratime", { NODIR, 0 }, { 0 } },
	{ "diratime", { 0, NODIR }, { 0 } },
	{ "nosymfollow", { NOLINK, 0 }, { 0 } },
	{ "symfollow", { 0, NOLINK }, { 0 } },
	{ "noatime", { NOAT, ATIME }, { 0 } },
	{ "strictatime", { STRICT, ATIME }, { 0 } },
	{ "relatime", { 0, ATIME }, { 0 } },
	{ "atime", { 0, ATIME }, { 0 } },
	{ "norelatime", { 0, ATIME }, { 0 } },
	{ "nostrictatime", { 0, ATIME }, { 0 } },
	{ "defaults", { 0 }, { 0 } },
	{ "iversion", { 0 }, { 0 } },
	{ "noiversion", { 0 }, { 0 } },
	{ "silent", { 0 }, { 0 } },
	{ "loud", { 0 }, { 0 } },
};

static void test_single(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(single); i++) {
		assert_attrs("tmpfs", &single[i]);
		assert_attrs("bind", &single[i]);
	}
}

/* The recursive form of each is about the whole tree of a bind. */
static void test_recursive(void **state)
{
	static const char *const words[] = {
		"ro",      "rw",    "nosuid",      "suid",          "nodev",       "dev",
		"noexec",  "exec",  "nodiratime",  "diratime",      "relatime",    "norelatime",
		"noatime", "atime", "strictatime", "nostrictatime", "nosymfollow", "symfollow",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char word[32];
		snprintf(word, sizeof(word), "r%s", words[i]);
		for (size_t k = 0; k < ARRAY_SIZE(single); k++) {
			if (strcmp(single[k].words, words[i]) != 0)
				continue;
			struct attr_case c = { .words = word, .all = single[k].own };
			assert_attrs("rbind", &c);
			/* Below a new file system there is nothing yet. */
			c = (struct attr_case) { .words = word, .own = single[k].own };
			assert_attrs("tmpfs", &c);
		}
	}
}

/* The last of two that contradict wins (S-072); what does not contradict stays. */
static void test_last_wins(void **state)
{
	static const struct attr_case cases[] = {
		{ "ro,rw", { 0, RO }, { 0 } },
		{ "rw,ro", { RO, 0 }, { 0 } },
		{ "ro,rw,ro", { RO, 0 }, { 0 } },
		{ "nosuid,suid,ro", { RO, NOSUID }, { 0 } },
		{ "noatime,strictatime", { STRICT, ATIME }, { 0 } },
		{ "strictatime,noatime", { NOAT, ATIME }, { 0 } },
		{ "noatime,relatime", { 0, ATIME }, { 0 } },
		{ "noatime,atime", { 0, ATIME }, { 0 } },
		{ "strictatime,atime", { STRICT, ATIME }, { 0 } },
		{ "noatime,nostrictatime", { NOAT, ATIME }, { 0 } },
		{ "strictatime,nostrictatime", { 0, ATIME }, { 0 } },
		{ "noatime,norelatime", { NOAT, ATIME }, { 0 } },
		{ "nodiratime,noatime", { NODIR | NOAT, ATIME }, { 0 } },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_attrs("tmpfs", &cases[i]);
		assert_attrs("rbind", &cases[i]);
	}
}

/* A word about the whole tree is about its top too, so that "rw,rro" leaves nothing writable. */
static void test_recursive_and_own(void **state)
{
	static const struct attr_case binds[] = {
		{ "rw,rro", { 0 }, { RO, 0 } },
		{ "rro,rw", { 0, RO }, { RO, 0 } },
		{ "ro,rrw", { 0 }, { 0, RO } },
		{ "rro,rrw", { 0 }, { 0, RO } },
		{ "rro,ro", { RO, 0 }, { RO, 0 } },
		{ "noatime,rstrictatime", { 0 }, { STRICT, ATIME } },
		{ "rstrictatime,noatime", { NOAT, ATIME }, { STRICT, ATIME } },
		{ "suid,rnosuid,ro", { RO, 0 }, { NOSUID, 0 } },
	};
	static const struct attr_case news[] = {
		{ "rw,rro", { RO, 0 }, { 0 } },
		{ "rro,rw", { 0, RO }, { 0 } },
		{ "rnoatime,strictatime", { STRICT, ATIME }, { 0 } },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(binds); i++)
		assert_attrs("rbind", &binds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(news); i++)
		assert_attrs("tmpfs", &news[i]);
}

static void test_propagation(void **state)
{
	static const struct {
		const char *words;
		uint64_t flag;
	} cases[] = {
		{ "", MS_PRIVATE },
		{ "private", MS_PRIVATE },
		{ "rprivate", MS_PRIVATE },
		{ "shared", MS_SHARED },
		{ "rshared", MS_SHARED },
		{ "slave", MS_SLAVE },
		{ "rslave", MS_SLAVE },
		{ "unbindable", MS_UNBINDABLE },
		{ "runbindable", MS_UNBINDABLE },
		{ "rshared,slave", MS_SLAVE },
		{ "slave,rprivate", MS_PRIVATE },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		assert_int_equal(make(&p, i % 2 ? "rbind" : "tmpfs", cases[i].words), 0);
		assert_int_equal(p.plan.mounts[0].propagation, cases[i].flag);
	}
}

/* What every file system takes, and what only it knows, goes to it in the order given. */
static void test_data(void **state)
{
	static const char *const cases[][2] = {
		{ "sync,async,dirsync", "sync async dirsync" },
		{ "lazytime,nolazytime,mand,nomand", "lazytime nolazytime mand nomand" },
		{ "mode=755,ro,size=64k", "mode=755 size=64k" },
		{ "a=b=c,nosuid,d=,flag", "a=b=c d= flag" },
		{ "mode=755,mode=700", "mode=755 mode=700" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		assert_int_equal(make(&p, "tmpfs", cases[i][0]), 0);
		assert_string_equal(fs_options(&p, &p.plan.mounts[0]), cases[i][1]);
		assert_int_equal(p.problems.warnings, 0);
	}
}

/* A bind has no file system of its own: its data is refused, its superblock is left alone. */
static void test_bind_data(void **state)
{
	static const char *const refused[] = { "size=1m", "x", "relatme", "RO", "mode=755" };
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		assert_int_equal(make(&p, "bind", refused[i]), -EINVAL);
		assert_int_equal(p.err.kind, ERR_CONFIG);
		assert_string_equal(p.err.path, "mounts[0].options[1]");
		assert_int_equal(make(&p, "remount,bind", refused[i]), -EINVAL);
	}
	assert_int_equal(make(&p, "bind", "sync"), 0);
	assert_int_equal(p.plan.mounts[0].options_n, 0);
	assert_int_equal(p.problems.warnings, 1);
}

#define MAP "[{\"containerID\": 0, \"hostID\": 100000, \"size\": 10}]"
#define MAPPED(words, uids, gids)                                                 \
	"\"destination\": \"/d\", \"source\": \"/s\", \"options\": [" words "], " \
	"\"uidMappings\": " uids ", \"gidMappings\": " gids

static void test_idmap(void **state)
{
	static const char *const words[] = { "idmap", "ridmap" };
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		/* Only of a bind; and there must be a map (S-085). */
		assert_int_equal(make(&p, "tmpfs", words[i]), -EINVAL);
		assert_string_equal(p.err.path, "mounts[0].options[1]");
		assert_int_equal(make(&p, "bind", words[i]), -EINVAL);
		assert_string_equal(p.err.path, "mounts[0].options[1]");
	}
	assert_int_equal(planned_make_mount(&p, MAPPED("\"bind\", \"idmap\"", MAP, MAP)), 0);
	const struct plan_mount *m = &p.plan.mounts[0];
	assert_string_equal(m->shift->uids.text, "0 100000 10\n");
	assert_string_equal(m->shift->gids.text, "0 100000 10\n");
	assert_true(!m->shift_recursive && !m->shift->is_joined && p.plan.shifts_n == 1);
	assert_int_equal(planned_make_mount(&p, MAPPED("\"rbind\", \"ridmap\"", MAP, MAP)), 0);
	assert_true(p.plan.mounts[0].shift_recursive);
	/* Maps alone mean the option (S-088); empty ones nothing. */
	assert_int_equal(planned_make_mount(&p, MAPPED("\"bind\"", MAP, MAP)), 0);
	assert_non_null(p.plan.mounts[0].shift);
	assert_int_equal(planned_make_mount(&p, MAPPED("\"bind\"", "[]", "[]")), 0);
	assert_null(p.plan.mounts[0].shift);
	assert_int_equal(planned_make_mount(&p, MAPPED("\"bind\"", MAP, "[]")), -EINVAL);
	assert_string_equal(p.err.path, "mounts[0].uidMappings");
}

#define WORD(word) \
	"\"destination\": \"/d\", \"source\": \"/s\", \"options\": [\"bind\", \"" word "\"]"

/* The maps in the option itself (S-090). */
static void test_idmap_text(void **state)
{
	static const char *const bad[] = {
		"idmap=uids=0-1",
		"idmap=uids=0-1-0;gids=0-1-1",
		"idmap=uids=0-1-1",
		"idmap=uids=0-1-1;uids=0-1-1;gids=0-1-1",
		"idmap=uids=0-1-1;gids=",
		"idmap=uids=0-1-1#;gids=0-1-1",
		"idmap=uids=-1-1-1;gids=0-1-1",
		"idmap=uids=0-1-1x;gids=0-1-1",
		"idmap=users=0-1-1",
		"idmap=uids=0-4294967295-2;gids=0-1-1",
		"idmap=uids=@0-1-1;gids=0-1-1",
		"idmap=uids=0-1-1#0-2-1;gids=0-1-1",
		"idmap=0-1-1",
	};
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(
		planned_make_mount(&p, WORD("idmap=uids=0-1000-1#7-1007-2;gids=0-2000-10")), 0);
	const struct plan_mount *m = &p.plan.mounts[0];
	assert_string_equal(m->shift->uids.text, "0 1000 1\n7 1007 2\n");
	assert_string_equal(m->shift->gids.text, "0 2000 10\n");
	assert_false(m->shift_recursive);
	assert_int_equal(planned_make_mount(&p, WORD("ridmap=gids=0-1-1;uids=0-1-1;")), 0);
	assert_true(p.plan.mounts[0].shift_recursive);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(make(&p, "bind", bad[i]), -EINVAL);
		assert_string_equal(p.err.path, "mounts[0].options[1]");
	}
	assert_int_equal(planned_make_mount(
				 &p, MAPPED("\"bind\", \"idmap=uids=0-1-1;gids=0-1-1\"", MAP, MAP)),
			 -EINVAL);
	/* Without a value it is the plain option. */
	assert_int_equal(planned_make_mount(&p, MAPPED("\"bind\", \"idmap=\"", MAP, MAP)), 0);
}

static void test_idmap_without_privilege(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	p.host.caps_permitted = 0;
	assert_int_equal(planned_make_mount(&p, MAPPED("\"bind\"", MAP, MAP)), -EPERM);
	assert_int_equal(p.err.kind, ERR_PERMISSION);
	assert_string_equal(p.err.path, "mounts[0].uidMappings");
}

static void test_copy_up(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make(&p, "tmpfs", "tmpcopyup"), 0);
	assert_true(p.plan.mounts[0].copies_up && p.plan.mounts[0].takes_mode);
	assert_int_equal(p.plan.mounts[0].options_n, 0); /* it is no word of the kernel's */
	assert_int_equal(make(&p, "tmpfs", "tmpcopyup,mode=700,ro"), 0);
	assert_true(p.plan.mounts[0].copies_up && !p.plan.mounts[0].takes_mode);
	assert_true(p.plan.mounts[0].late_readonly); /* or nothing could be copied into it */
	assert_int_equal(make(&p, "tmpfs", "ro"), 0);
	assert_true(p.plan.mounts[0].takes_mode && !p.plan.mounts[0].late_readonly);
	assert_int_equal(make(&p, "tmpfs", "mode=700"), 0);
	assert_false(p.plan.mounts[0].takes_mode);
	assert_int_equal(make(&p, "bind", "tmpcopyup"), -EINVAL);
	assert_string_equal(p.err.path, "mounts[0].options[1]");
	assert_int_equal(make(&p, "remount,bind", "tmpcopyup"), -EINVAL);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *mount;
		enum plan_mount_kind kind;
		bool recursive;
	} cases[] = {
		{ "\"options\": [\"bind\"], \"source\": \"s\"", PLAN_MOUNT_BIND, false },
		{ "\"options\": [\"rbind\"], \"source\": \"s\"", PLAN_MOUNT_BIND, true },
		{ "\"options\": [\"rbind\", \"bind\"], \"source\": \"s\"", PLAN_MOUNT_BIND, true },
		{ "\"type\": \"tmpfs\", \"options\": [\"bind\"], \"source\": \"s\"",
		  PLAN_MOUNT_BIND, false },
		{ "\"options\": [\"remount\", \"ro\"]", PLAN_MOUNT_REMOUNT, false },
		{ "\"options\": [\"bind\", \"remount\"]", PLAN_MOUNT_REMOUNT, false },
		{ "\"options\": [\"remount\", \"bind\"]", PLAN_MOUNT_REMOUNT, false },
		{ "\"type\": \"tmpfs\"", PLAN_MOUNT_NEW, false },
		{ "\"type\": \"cgroup\"", PLAN_MOUNT_CGROUP, false },
		{ "\"type\": \"cgroup2\", \"source\": \"x\"", PLAN_MOUNT_CGROUP, false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		assert_int_equal(
			planned_make_mount(&p, arena_printf(&p.arena, "\"destination\": \"d\", %s",
							    cases[i].mount)),
			0);
		assert_int_equal(p.plan.mounts[0].kind, cases[i].kind);
		assert_int_equal(p.plan.mounts[0].recursive, cases[i].recursive);
		assert_string_equal(p.plan.mounts[0].destination, "/d");
		if (cases[i].kind == PLAN_MOUNT_BIND)
			assert_string_equal(p.plan.mounts[0].source, "/bundle/s");
	}
}

/* Only a tmpfs in which hull still has to make something waits for its attribute. */
static void test_late_readonly(void **state)
{
	static const struct {
		const char *first, *second;
		bool late;
	} cases[] = {
		{ "/dev", "/x", true },         { "/run", "/run/lock", true },
		{ "/run", "/run", true },       { "/run", "/running", false },
		{ "/run/lock", "/run", false }, { "/run", "//run/./lock", true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		const char *mounts = arena_printf(
			&p.arena,
			"\"destination\": \"%s\", \"type\": \"tmpfs\", \"options\": [\"ro\"]}, "
			"{\"destination\": \"%s\", \"type\": \"tmpfs\"",
			cases[i].first, cases[i].second);
		assert_int_equal(planned_make_mount(&p, mounts), 0);
		assert_int_equal(p.plan.mounts[0].late_readonly, cases[i].late);
		assert_int_equal(p.plan.mounts[0].attr.set & RO, cases[i].late ? 0 : RO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_recursive),
		cmocka_unit_test(test_last_wins),
		cmocka_unit_test(test_recursive_and_own),
		cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_bind_data),
		cmocka_unit_test(test_idmap),
		cmocka_unit_test(test_idmap_text),
		cmocka_unit_test(test_idmap_without_privilege),
		cmocka_unit_test(test_copy_up),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_late_readonly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
