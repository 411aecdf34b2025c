/*
 * The systemd driver as far as it is pure: names of units and the cgroups of slices, limits and
 * device rules in systemd's words, values of annotations. What systemd makes of it is seen in the
 * guest (tests/vm/systemd.bats).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/systemd_parts.h"

#define LIST(...)                                         \
	{                                                 \
		(__VA_ARGS__), ARRAY_SIZE(__VA_ARGS__), 7 \
	}

/* ---- names ---- */

/*
 * What cg_slice_to_path() says in systemd's src/test/test-cgroup-util.c (test_slice_to_path), and
 * what runc's TestExpandSlice and TestValidateSliceName refuse; our "" is the root.
 */
static void test_slices(void **state)
{
	(void)state;
	static const struct {
		const char *slice, *want; /* NULL: refused */
	} cases[] = {
		{ "foobar.slice", "/foobar.slice" },
		{ "foobar-waldo.slice", "/foobar.slice/foobar-waldo.slice" },
		{ "a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice" },
		{ "-.slice", "" },
		{ "a-b-c-d-e.slice",
		  "/a.slice/a-b.slice/a-b-c.slice/a-b-c-d.slice/a-b-c-d-e.slice" },
		{ "kubepods-pod\\x2d1.slice", "/kubepods.slice/kubepods-pod\\x2d1.slice" },
		{ "foobar.service", NULL },
		{ "--.slice", NULL },
		{ "-foo.slice", NULL },
		{ "foo-.slice", NULL },
		{ "-foo-.slice", NULL },
		{ "foo--bar.slice", NULL },
		{ "foo.slice/foo--bar.slice", NULL },
		{ "a-b.slice/c", NULL },
		{ ".slice", NULL },
		{ "", NULL },
		{ "slice", NULL },
		{ "a b.slice", NULL },
		{ "a@b.slice", NULL },
		{ "_a.slice", NULL },
		{ "..slice", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		const char *got = systemd_expand_slice(cases[i].slice, &arena);
		if (cases[i].want) {
			assert_non_null(got);
			assert_string_equal(got, cases[i].want);
		} else {
			assert_null(got);
		}
	}
}

static void test_scopes(void **state)
{
	(void)state;
	static const struct {
		const char *path, *id, *unit, *cgroup; /* unit NULL: refused */
		bool is_user;
	} cases[] = {
		{ NULL, "web", "hull-web.scope", "/system.slice/hull-web.scope", false },
		{ "", "web", "hull-web.scope", "/home/user.slice/hull-web.scope", true },
		/* as podman, docker, containerd's CRI and CRI-O write it */
		{ "machine.slice:libpod:01ab", "x", "libpod-01ab.scope",
		  "/machine.slice/libpod-01ab.scope", false },
		{ "system.slice:docker:01ab", "x", "docker-01ab.scope",
		  "/system.slice/docker-01ab.scope", false },
		{ "user.slice:libpod:01ab", "x", "libpod-01ab.scope",
		  "/home/user.slice/libpod-01ab.scope", true },
		{ "kubepods-besteffort-pod1_2.slice:cri-containerd:01", "x",
		  "cri-containerd-01.scope",
		  "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice/"
		  "cri-containerd-01.scope",
		  false },
		{ ":docker:1", "x", "docker-1.scope", "/system.slice/docker-1.scope", false },
		{ "a.slice::web", "x", "web.scope", "/a.slice/web.scope", false },
		{ "-.slice:p:n", "x", "p-n.scope", "/p-n.scope", false },
		/* '+' may be in an id and not in a unit's name */
		{ NULL, "a+b", "hull-a\\x2bb.scope", "/system.slice/hull-a\\x2bb.scope", false },
		{ "/hull/web", "x", NULL, NULL, false },
		{ "web", "x", NULL, NULL, false },
		{ "a.slice:web", "x", NULL, NULL, false },
		{ "a.slice:p:n:m", "x", NULL, NULL, false },
		{ "a.slice:p:", "x", NULL, NULL, false },
		{ "a:p:n", "x", NULL, NULL, false },
		{ "a--b.slice:p:n", "x", NULL, NULL, false },
		{ "../a.slice:p:n", "x", NULL, NULL, false },
		{ "a.slice:p:n/../m", "x", NULL, NULL, false },
		{ "a.slice:p:n m", "x", NULL, NULL, false },
		{ "a.slice:p:b.slice", "x", NULL, NULL, false },
		{ "a.slice:.p:n", "x", NULL, NULL, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		const struct systemd_wish wish = {
			.cgroups_path = cases[i].path,
			.id = cases[i].id,
			.is_user = cases[i].is_user,
			.home = cases[i].is_user ? "/home" : "",
		};
		struct systemd_scope scope = { 0 };
		struct err err = { 0 };
		int r = systemd_plan_scope(&wish, &arena, &scope, &err);
		assert_int_equal(r, cases[i].unit ? 0 : -EINVAL);
		if (!cases[i].unit) {
			assert_int_equal(err.kind, ERR_CONFIG);
			assert_true(err.hint[0]);
			continue;
		}
		assert_string_equal(scope.unit, cases[i].unit);
		assert_string_equal(scope.path, cases[i].cgroup);
		assert_int_equal(scope.is_user, cases[i].is_user);
	}
}

/* "hull-" and ".scope" leave 244 bytes for an id: UNIT_NAME_MAX is 256 with the NUL. */
static void test_long_names(void **state)
{
	(void)state;
	char id[256];
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	struct systemd_scope scope;
	const struct systemd_wish wish = { .id = id, .home = "" };
	memset(id, 'x', sizeof(id));
	id[244] = '\0';
	assert_int_equal(systemd_plan_scope(&wish, &arena, &scope, NULL), 0);
	assert_int_equal(strlen(scope.unit), 255);
	id[244] = 'x';
	id[245] = '\0';
	assert_int_equal(systemd_plan_scope(&wish, &arena, &scope, NULL), -EINVAL);
}

/* ---- limits ---- */

static const char *print_all(const struct systemd_properties *all, struct arena *arena)
{
	struct str s;
	str_init(&s, arena);
	for (size_t i = 0; i < all->n; i++) {
		str_append(&s, i ? "; " : "");
		systemd_print_property(all, i, &s);
	}
	return s.text;
}

/*
 * systemd.resource-control(5); the conversions of CPU times are those of crun
 * (src/libcrun/cgroup-systemd.c) and runc (libcontainer/cgroups/systemd/v2.go).
 */
static void test_limits(void **state)
{
	(void)state;
	static const struct {
		const char *file, *value, *want;
	} cases[] = {
		{ "memory.max", "33554432", "MemoryMax = 33554432" },
		{ "memory.max", "max", "MemoryMax = infinity" },
		{ "memory.high", "1", "MemoryHigh = 1" },
		{ "memory.low", "8388608", "MemoryLow = 8388608" },
		{ "memory.min", "0", "MemoryMin = 0" },
		{ "memory.swap.max", "0", "MemorySwapMax = 0" },
		{ "memory.zswap.max", "5", "MemoryZSwapMax = 5" },
		{ "memory.max", "10%", "" },
		{ "memory.oom.group", "1", "" },
		{ "pids.max", "10", "TasksMax = 10" },
		{ "pids.max", "max", "TasksMax = infinity" },
		{ "pids.max", "0", "TasksMax = 1" },
		{ "cpu.weight", "79", "CPUWeight = 79" },
		{ "cpu.idle", "1", "CPUWeight = 0" },
		{ "cpu.idle", "0", "CPUWeight = infinity" }, /* none */
		{ "cpu.max", "20000 50000",
		  "CPUQuotaPerSecUSec = 400000; CPUQuotaPeriodUSec = 50000" },
		{ "cpu.max", "250000 100000",
		  "CPUQuotaPerSecUSec = 2500000; CPUQuotaPeriodUSec = 100000" },
		{ "cpu.max", "max 50000",
		  "CPUQuotaPerSecUSec = infinity; CPUQuotaPeriodUSec = 50000" },
		{ "cpu.max", "20000", "CPUQuotaPerSecUSec = 200000" },
		{ "cpu.max", "1 0", "" },
		{ "cpu.max", "18446744073709551614 1", "" },
		{ "cpuset.cpus", "0", "AllowedCPUs = 01" },
		{ "cpuset.cpus", "0-2,9", "AllowedCPUs = 0207" },
		{ "cpuset.mems", "1", "AllowedMemoryNodes = 02" },
		{ "cpuset.cpus", "8192", "" },
		{ "cpuset.cpus", "0-", "" },
		{ "cpuset.cpus", "\n", "AllowedCPUs = " },
		{ "cpuset.mems", "\n", "AllowedMemoryNodes = " },
		{ "io.weight", "100", "IOWeight = 100" },
		{ "io.weight", "default 100", "IOWeight = 100" },
		{ "io.weight", "8:0 50", "IODeviceWeight = /dev/block/8:0 50" },
		{ "io.max", "8:0 rbps=1048576 wiops=max",
		  "IOReadBandwidthMax = /dev/block/8:0 1048576; "
		  "IOWriteIOPSMax = /dev/block/8:0 infinity" },
		{ "io.latency", "8:0 target=100",
		  "IODeviceLatencyTargetUSec = /dev/block/8:0 100" },
		{ "io.max", "rbps=1", "" },
		{ "hugetlb.2MB.max", "1", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		struct cgroup_write write = { .file = cases[i].file, .value = cases[i].value };
		const struct cgroup_plan plan = { .writes = &write, .writes_n = 1 };
		struct systemd_properties all = { 0 };
		struct systemd_list list = { .arena = &arena, .all = &all };
		systemd_plan_limits(&plan, &list);
		assert_string_equal(print_all(&all, &arena), cases[i].want);
	}
}

/* The last of a name counts, as in the files; devices of one property are gathered. */
static void test_several_limits(void **state)
{
	(void)state;
	static struct cgroup_write writes[] = {
		{ .file = "memory.max", .value = "1000000" },
		{ .file = "io.bfq.weight",
		  .value = "8:0 100",
		  .or_file = "io.weight",
		  .or_value = "8:0 910" },
		{ .file = "io.weight", .value = "8:16 7" },
		{ .file = "memory.max", .value = "2000000" },
	};
	const struct cgroup_plan plan = { .writes = writes, .writes_n = ARRAY_SIZE(writes) };
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	struct systemd_properties all = { 0 };
	struct systemd_list list = { .arena = &arena, .all = &all };
	systemd_plan_limits(&plan, &list);
	assert_string_equal(print_all(&all, &arena),
			    "MemoryMax = 2000000; "
			    "IODeviceWeight = /dev/block/8:0 910, /dev/block/8:16 7");
}

/* A weight counts, wherever it stands, but for an idle cgroup. */
static void test_idle(void **state)
{
	(void)state;
	static const struct {
		const char *idle, *want;
		bool idle_is_first;
	} cases[] = {
		{ "0", "CPUWeight = 79", false },
		{ "0", "CPUWeight = 79", true },
		{ "1", "CPUWeight = 0", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		const struct cgroup_write idle = { .file = "cpu.idle", .value = cases[i].idle };
		const struct cgroup_write weight = { .file = "cpu.weight", .value = "79" };
		struct cgroup_write writes[] = { weight, idle };
		if (cases[i].idle_is_first) {
			writes[0] = idle;
			writes[1] = weight;
		}
		const struct cgroup_plan plan = { .writes = writes, .writes_n = 2 };
		struct systemd_properties all = { 0 };
		struct systemd_list list = { .arena = &arena, .all = &all };
		systemd_plan_limits(&plan, &list);
		assert_string_equal(print_all(&all, &arena), cases[i].want);
	}
}

/* No property is sent to a systemd that would refuse it: NEWS of systemd has these numbers. */
static void test_versions(void **state)
{
	(void)state;
	static const struct {
		const char *file, *value, *name;
		unsigned since;
	} cases[] = {
		{ "memory.min", "1", "MemoryMin", 240 },
		{ "memory.zswap.max", "1", "MemoryZSwapMax", 253 },
		{ "cpu.idle", "1", "CPUWeight", 252 },
		{ "cpu.max", "1 1000", "CPUQuotaPeriodUSec", 242 },
		{ "cpuset.cpus", "0", "AllowedCPUs", 244 },
		{ "cpuset.mems", "0", "AllowedMemoryNodes", 244 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		struct cgroup_write write = { .file = cases[i].file, .value = cases[i].value };
		const struct cgroup_plan plan = { .writes = &write, .writes_n = 1 };
		struct systemd_properties all = { 0 };
		struct systemd_list list = { .arena = &arena, .all = &all };
		systemd_plan_limits(&plan, &list);
		const struct systemd_property *p = systemd_get(&all, cases[i].name);
		assert_non_null(p);
		assert_int_equal(p->since, cases[i].since);
	}
}

/* ---- devices ---- */

/* type NULL, minor negative: the rule does not say. */
static struct spec_device_rule allow(const char *type, int64_t major, int64_t minor,
				     const char *access)
{
	struct spec_device_rule rule = {
		.allow = { true, 7 },
		.major = { major, 7 },
		.access = { access, 7 },
	};
	if (type)
		rule.type = (struct spec_str) { type, 7 };
	if (minor >= 0)
		rule.minor = (struct spec_int) { minor, 7 };
	return rule;
}

static const char *device_text(const struct spec_resources *res, bool is_update,
			       struct arena *arena)
{
	struct cgroup_plan plan;
	struct systemd_properties all = { 0 };
	struct systemd_list list = { .arena = arena, .all = &all };
	assert_int_equal(cgroup_plan_resources(res, arena, &plan, NULL), 0);
	assert_int_equal(systemd_plan_devices(res, &plan, is_update, &list, NULL), 0);
	return print_all(&all, arena);
}

/* systemd.resource-control(5), DeviceAllow=; majors by number since 240 (src/core/bpf-devices.c).
 */
static void test_devices(void **state)
{
	(void)state;
	struct spec_device_rule rules[] = {
		{ .allow = { .v = false }, .access = { "rwm", 7 } },
		allow("c", 10, 229, "rw"),
		allow("b", 8, -1, "r"),
		allow(NULL, 9, 1, "w"),
	};
	const struct spec_resources res = { .devices = LIST(rules) };
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	const char *text = device_text(&res, false, &arena);
	assert_string_equal(text, "DevicePolicy = strict; DeviceAllow = char-* m, block-* m, "
				  "/dev/char/1:3 rwm, /dev/char/1:5 rwm, /dev/char/1:7 rwm, "
				  "/dev/char/1:8 rwm, /dev/char/1:9 rwm, /dev/char/5:0 rwm, "
				  "/dev/char/5:1 rwm, /dev/char/5:2 rwm, char-136 rwm, "
				  "/dev/char/10:200 rwm, /dev/char/10:229 rwm, block-8 rm, "
				  "/dev/char/9:1 wm, /dev/block/9:1 wm");
	const struct spec_resources none = { 0 };
	assert_string_equal(device_text(&none, false, &arena), "");
}

/*
 * In systemd's list the last entry of a device replaces the others, and one entry must have all
 * letters of an access (src/core/dbus-cgroup.c, src/core/bpf-devices.c): hull's rules add up.
 */
static void test_overlapping_devices(void **state)
{
	(void)state;
	struct spec_device_rule rules[] = {
		allow("b", 8, 1, "r"),
		allow("b", 8, -1, "w"),
		allow("b", 8, 1, "m"),
	};
	const struct spec_resources res = { .devices = LIST(rules) };
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	const char *text = device_text(&res, false, &arena);
	const char *found = strstr(text, ", /dev/block/8:1 rwm, block-8 wm");
	assert_non_null(found);
	assert_string_equal(found, ", /dev/block/8:1 rwm, block-8 wm"); /* and no second one */
}

/* An update takes the earlier list away, also when everything is allowed then. */
static void test_device_update(void **state)
{
	(void)state;
	static struct spec_device_rule rules[] = { { .allow = { true, 7 } } };
	const struct spec_resources res = { .devices = LIST(rules) };
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	assert_string_equal(device_text(&res, false, &arena), "");
	assert_string_equal(device_text(&res, true, &arena), "DevicePolicy = auto; DeviceAllow = ");
}

/* ---- annotations ---- */

/* GVariant's text format; the values are those of runc's docs/systemd.md and its tests, and more.
 */
static void test_values(void **state)
{
	(void)state;
	static const struct {
		const char *text, *signature, *want; /* signature NULL: refused */
	} cases[] = {
		{ "true", "b", "yes" },
		{ " false ", "b", "no" },
		{ "5", "i", "5" },
		{ "-5", "i", "-5" },
		{ "2147483648", NULL, NULL },
		{ "uint64 123456789012", "t", "123456789012" },
		{ "uint64 18446744073709551615", "t", "infinity" },
		{ "uint64 -1", NULL, NULL },
		{ "int64 -9000000000", "x", "-9000000000" },
		{ "byte 255", "y", "255" },
		{ "byte 256", NULL, NULL },
		{ "int16 -32768", "n", "-32768" },
		{ "int16 -32769", NULL, NULL },
		{ "uint16 65535", "q", "65535" },
		{ "@u 7", "u", "7" },
		{ "@t 7", "t", "7" },
		{ "1.5", "d", "1.5" },
		{ "double 2", "d", "2" },
		{ "1e400", NULL, NULL },
		{ "'inactive-or-failed'", "s", "inactive-or-failed" },
		{ "\"a 'b'\"", "s", "a 'b'" },
		{ "'it\\'s\\\\'", "s", "it's\\" },
		{ "''", "s", "" },
		{ "['a', 'b']", "as", "a, b" },
		{ "['a.service']", "as", "a.service" },
		{ "@as []", "as", "" },
		{ "[]", NULL, NULL },
		{ "[1, 2]", NULL, NULL },
		{ "['a'", NULL, NULL },
		{ "'a", NULL, NULL },
		{ "'a' 'b'", NULL, NULL },
		{ "a", NULL, NULL },
		{ "truely", NULL, NULL },
		{ "5 6", NULL, NULL },
		{ "uint64", NULL, NULL },
		{ "uint64 'a'", NULL, NULL },
		{ "string 5", NULL, NULL },
		{ "boolean 1", NULL, NULL },
		{ "('a', 5)", NULL, NULL },
		{ "0x10", NULL, NULL },
		{ "nan", NULL, NULL },
		{ "", NULL, NULL },
		{ " ", NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		struct systemd_property p = { .name = "X" };
		struct err err = { 0 };
		int r = systemd_parse_value(cases[i].text, &arena, &p, &err);
		if (r != (cases[i].signature ? 0 : -EINVAL))
			fail_msg("'%s': %d", cases[i].text, r);
		if (!cases[i].signature)
			continue;
		const struct systemd_properties one = { &p, 1 };
		assert_string_equal(p.signature, cases[i].signature);
		assert_string_equal(print_all(&one, &arena) + strlen("X = "), cases[i].want);
	}
}

struct annotation_case {
	const char *key, *value, *want; /* NULL: refused */
};

static void check_annotation(const struct annotation_case *c)
{
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	struct systemd_properties all = { 0 };
	struct systemd_list list = { .arena = &arena, .all = &all };
	struct err err = { 0 };
	struct spec_pair pair = { .key = c->key, .value = c->value, .key_at = 5, .at = 7 };
	const struct spec_map map = { .v = &pair, .n = 1 };
	systemd_put(&list, &(struct systemd_property) {
				   .name = "MemoryMax", .signature = "t", .number = 1 });
	int r = systemd_plan_annotations(&map, &list, &err);
	if (c->want) {
		assert_int_equal(r, 0);
		assert_string_equal(print_all(&all, &arena) + strlen("MemoryMax = 1"), c->want);
		return;
	}
	assert_int_equal(r, -EINVAL);
	assert_int_equal(err.at, 7);
	assert_non_null(strstr(err.message, c->key));
	assert_true(err.hint[0]);
}

static void test_annotations(void **state)
{
	(void)state;
	static const struct annotation_case cases[] = {
		{ "org.systemd.property.CollectMode", "'inactive-or-failed'",
		  "; CollectMode = inactive-or-failed" },
		{ "org.systemd.property.TimeoutStopUSec", "uint64 123000000",
		  "; TimeoutStopUSec = 123000000" },
		{ "org.systemd.property.TimeoutStopSec", "5", "; TimeoutStopUSec = 5000000" },
		{ "org.systemd.property.TimeoutStopSec", "1.5", "; TimeoutStopUSec = 1500000" },
		{ "org.systemd.property.TimeoutStopSec", "uint64 90",
		  "; TimeoutStopUSec = 90000000" },
		{ "org.systemd.property.TimeoutStopSec", "'5'", NULL },
		{ "org.systemd.property.TimeoutStopSec", "-5", NULL },
		{ "org.systemd.propertyX", "true", "" },
		{ "org.example.note", "anything", "" },
		{ "org.systemd.property.", "true", NULL },
		{ "org.systemd.property.collectMode", "true", NULL },
		{ "org.systemd.property.Collect Mode", "true", NULL },
		{ "org.systemd.property.CollectMode", "inactive", NULL },
		/* hull's to decide */
		{ "org.systemd.property.PIDs", "@as []", NULL },
		{ "org.systemd.property.Slice", "'system.slice'", NULL },
		{ "org.systemd.property.Delegate", "false", NULL },
		{ "org.systemd.property.MemoryMax", "uint64 5", NULL },
		{ "org.systemd.property.MemoryMax", "uint64 1", "" }, /* the same */
		{ "org.systemd.property.MemoryHigh", "uint64 5", "; MemoryHigh = 5" },
		{ "org.systemd.property.RuntimeMaxSec", "2", "; RuntimeMaxUSec = 2000000" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_annotation(&cases[i]);
}

/*
 * CVE-2024-3154, and what else systemd would do to the host for a scope of its own, by its
 * src/core/dbus-unit.c, dbus-scope.c, dbus-kill.c and dbus-cgroup.c.
 */
static void test_harmful_annotations(void **state)
{
	(void)state;
	static const struct annotation_case cases[] = {
		{ "org.systemd.property.Conflicts", "['sshd.service']", NULL },
		{ "org.systemd.property.SuccessAction", "'poweroff-force'", NULL },
		{ "org.systemd.property.FailureAction", "'reboot-immediate'", NULL },
		{ "org.systemd.property.JobTimeoutAction", "'poweroff'", NULL },
		{ "org.systemd.property.JobTimeoutSec", "1", NULL },
		{ "org.systemd.property.JobRunningTimeoutUSec", "uint64 1", NULL },
		{ "org.systemd.property.RebootArgument", "'x'", NULL },
		{ "org.systemd.property.Requires", "['poweroff.target']", NULL },
		{ "org.systemd.property.Wants", "['poweroff.target']", NULL },
		{ "org.systemd.property.BindsTo", "['sshd.service']", NULL },
		{ "org.systemd.property.PartOf", "['sshd.service']", NULL },
		{ "org.systemd.property.OnFailure", "['reboot.target']", NULL },
		{ "org.systemd.property.OnSuccess", "['reboot.target']", NULL },
		{ "org.systemd.property.PropagatesStopTo", "['sshd.service']", NULL },
		{ "org.systemd.property.Before", "['sysinit.target']", NULL },
		{ "org.systemd.property.After", "['multi-user.target']", NULL },
		{ "org.systemd.property.After", "['crio.service', 'x.target']", NULL },
		{ "org.systemd.property.After", "'crio.service'", NULL },
		{ "org.systemd.property.RefuseManualStop", "true", NULL },
		{ "org.systemd.property.KillMode", "'none'", NULL },
		{ "org.systemd.property.SendSIGKILL", "false", NULL },
		{ "org.systemd.property.FinalKillSignal", "15", NULL },
		{ "org.systemd.property.SurviveFinalKillSignal", "true", NULL },
		{ "org.systemd.property.ManagedOOMPreference", "'omit'", NULL },
		{ "org.systemd.property.MemoryMin", "uint64 1", NULL },
		{ "org.systemd.property.CPUWeight", "uint64 10000", NULL },
		{ "org.systemd.property.TasksMax", "uint64 18446744073709551615", NULL },
		{ "org.systemd.property.Description", "'sshd'", NULL },
		{ "org.systemd.property.Controller", "'x'", NULL },
		{ "org.systemd.property.NoSuchThing", "true", NULL },
		{ "org.systemd.property.RequiredBy", "['sshd.service']", NULL },
		{ "org.systemd.property.IPEgressFilterPath", "['/sys/fs/bpf/x']", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_annotation(&cases[i]);
}

/* ---- all ---- */

/* What hull says anyway may be said, and that it is to be ended when the host is shut down. */
static void test_own_annotations(void **state)
{
	(void)state;
	static const struct {
		const char *name, *value;
		int want;
		const char *says;
	} cases[] = {
		{ "org.systemd.property.Delegate", "true", 0, "Delegate = yes; " },
		{ "org.systemd.property.Delegate", "false", -EINVAL, "" },
		{ "org.systemd.property.Delegate", "'true'", -EINVAL, "" },
		{ "org.systemd.property.TasksAccounting", "false", -EINVAL, "" },
		{ "org.systemd.property.DefaultDependencies", "true", 0,
		  "; DefaultDependencies = yes; " },
		{ "org.systemd.property.After", "['crio.service']", 0, "; After = crio.service" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		const struct spec_resources res = { 0 };
		const struct cgroup_plan plan = { 0 };
		struct systemd_properties all;
		struct spec_pair pair = { .key = cases[i].name, .value = cases[i].value, .at = 7 };
		const struct spec_map map = { .v = &pair, .n = 1 };
		assert_int_equal(systemd_plan_properties(&res, &plan, &map, &arena, &all, NULL),
				 cases[i].want);
		if (cases[i].want == 0)
			assert_non_null(strstr(print_all(&all, &arena), cases[i].says));
	}
}

static void test_fixed(void **state)
{
	(void)state;
	const struct spec_resources res = { 0 };
	const struct cgroup_plan plan = { 0 };
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	struct systemd_properties all;
	assert_int_equal(systemd_plan_properties(&res, &plan, NULL, &arena, &all, NULL), 0);
	assert_string_equal(print_all(&all, &arena),
			    "Delegate = yes; DefaultDependencies = no; CPUAccounting = yes; "
			    "MemoryAccounting = yes; TasksAccounting = yes; IOAccounting = yes");
	assert_int_equal(systemd_plan_update(&res, &plan, &arena, &all, NULL), 0);
	assert_int_equal(all.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_several_limits),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_overlapping_devices),
		cmocka_unit_test(test_device_update),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_harmful_annotations),
		cmocka_unit_test(test_own_annotations),
		cmocka_unit_test(test_fixed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
