/*
 * Device programs: what the program answers is compared with a model that keeps the set of
 * allowed (type, major, minor, letter) as the rules describe it. Rules by hand and at random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/cgroup.h"
#include "ebpf.h"

#define ANY (-1)
#define R   BPF_DEVCG_ACC_READ
#define W   BPF_DEVCG_ACC_WRITE
#define M   BPF_DEVCG_ACC_MKNOD

struct test_rule {
	bool allow;
	const char *type; /* NULL: not given */
	int64_t major, minor;
	const char *access; /* NULL: not given */
};

static struct spec_device_rule to_spec(const struct test_rule *t)
{
	return (struct spec_device_rule) {
		.allow = { t->allow, 1 },
		.type = { t->type, t->type ? 2 : 0 },
		.major = { t->major, t->major == ANY ? 0 : 3 },
		.minor = { t->minor, t->minor == ANY ? 0 : 4 },
		.access = { t->access, t->access ? 5 : 0 },
		.at = 6,
	};
}

static int plan(const struct test_rule *rules, size_t n, struct arena *arena,
		struct cgroup_plan *ret, struct err *err)
{
	struct spec_resources res = { 0 };
	struct spec_device_rule *v = arena_array(arena, n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = to_spec(&rules[i]);
	res.devices.v = v;
	res.devices.n = n;
	return cgroup_plan_resources(&res, arena, ret, err);
}

static int ask(const struct cgroup_plan *p, uint32_t type, uint32_t major, uint32_t minor,
	       uint32_t access)
{
	struct bpf_cgroup_dev_ctx ctx = {
		.access_type = access << 16 | type,
		.major = major,
		.minor = minor,
	};
	if (!p->device_insns)
		return 1;
	return ebpf_run(p->device_insns, p->device_insns_n, &ctx);
}

/* ---- the model ---- */

static uint32_t access_bits(const char *s)
{
	if (!s)
		return R | W | M;
	return (strchr(s, 'r') ? R : 0u) | (strchr(s, 'w') ? W : 0u) | (strchr(s, 'm') ? M : 0u);
}

static bool matches(const struct test_rule *t, uint32_t type, uint32_t major, uint32_t minor)
{
	const char *want = type == BPF_DEVCG_DEV_CHAR ? "c" : "b";
	if (t->type && strcmp(t->type, "a") != 0 && strcmp(t->type, want) != 0)
		return false;
	return (t->major == ANY || t->major == major) && (t->minor == ANY || t->minor == minor);
}

static const struct test_rule defaults[] = {
	{ true, "c", ANY, ANY, "m" }, { true, "b", ANY, ANY, "m" },  { true, "c", 1, 3, NULL },
	{ true, "c", 1, 5, NULL },    { true, "c", 1, 7, NULL },     { true, "c", 1, 8, NULL },
	{ true, "c", 1, 9, NULL },    { true, "c", 5, 0, NULL },     { true, "c", 5, 1, NULL },
	{ true, "c", 5, 2, NULL },    { true, "c", 136, ANY, NULL }, { true, "c", 10, 200, NULL },
};

static uint32_t model_apply(const struct test_rule *t, uint32_t allowed, uint32_t type,
			    uint32_t major, uint32_t minor)
{
	if (!matches(t, type, major, minor))
		return allowed;
	uint32_t bits = access_bits(t->access);
	return t->allow ? allowed | bits : allowed & ~bits;
}

static uint32_t model(const struct test_rule *rules, size_t n, uint32_t type, uint32_t major,
		      uint32_t minor)
{
	size_t place = 0;
	for (size_t i = 0; i < n; i++)
		if (!rules[i].allow && rules[i].major == ANY && rules[i].minor == ANY)
			place = i + 1;
	uint32_t allowed = n == 0 ? R | W | M : 0;
	for (size_t i = 0; i <= n; i++) {
		for (size_t k = 0; i == place && n > 0 && k < ARRAY_SIZE(defaults); k++)
			allowed = model_apply(&defaults[k], allowed, type, major, minor);
		if (i < n)
			allowed = model_apply(&rules[i], allowed, type, major, minor);
	}
	return allowed;
}

/* ---- by hand ---- */

static const struct test_rule deny_all = { false, NULL, ANY, ANY, "rwm" };

static void test_no_rules_need_no_program(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	struct cgroup_plan p;
	struct err err;
	assert_int_equal(plan(NULL, 0, &arena, &p, &err), 0);
	assert_null(p.device_insns);
	/* What docker sends for a privileged container. */
	const struct test_rule all[] = { { true, NULL, ANY, ANY, "rwm" } };
	assert_int_equal(plan(all, 1, &arena, &p, &err), 0);
	assert_null(p.device_insns);
	const struct test_rule again[] = { deny_all, { true, "a", ANY, ANY, NULL } };
	assert_int_equal(plan(again, 2, &arena, &p, &err), 0);
	assert_null(p.device_insns);
}

static void test_engines_rules(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	const struct test_rule rules[] = {
		deny_all,
		{ true, "c", 1, 5, "rwm" },
		{ true, "b", 8, 0, "r" },
		{ false, "c", 10, 229, "rwm" },
	};
	struct cgroup_plan p;
	assert_int_equal(plan(rules, ARRAY_SIZE(rules), &arena, &p, NULL), 0);
	assert_int_equal(ebpf_check(p.device_insns, p.device_insns_n), 0);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 1, 3, R | W), 1);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 136, 77, R | W), 1);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_BLOCK, 8, 0, R), 1);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_BLOCK, 8, 0, R | W), 0);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_BLOCK, 8, 1, R), 0);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_BLOCK, 8, 1, M), 1);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 10, 229, R), 0);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 10, 229, M), 0);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 1, 1, 0), 1);
}

/* A request for rw is denied when one of its letters is: no letter hides behind the other. */
static void test_letters_are_decided_one_by_one(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	const struct test_rule rules[] = {
		{ true, NULL, ANY, ANY, NULL },
		{ false, "c", 1, 11, "w" },
	};
	struct cgroup_plan p;
	assert_int_equal(plan(rules, ARRAY_SIZE(rules), &arena, &p, NULL), 0);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 1, 11, R), 1);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 1, 11, R | W), 0);
	const struct test_rule parts[] = {
		deny_all,
		{ true, "c", 1, 11, "r" },
		{ true, "c", 1, ANY, "w" },
	};
	assert_int_equal(plan(parts, ARRAY_SIZE(parts), &arena, &p, NULL), 0);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 1, 11, R | W), 1);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 1, 12, R | W), 0);
}

static void test_defaults_can_be_denied(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	const struct test_rule rules[] = { deny_all, { false, "c", 10, 200, NULL } };
	struct cgroup_plan p;
	assert_int_equal(plan(rules, ARRAY_SIZE(rules), &arena, &p, NULL), 0);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 10, 200, R), 0);
	assert_int_equal(plan(rules, 1, &arena, &p, NULL), 0);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 10, 200, R), 1);
}

static void test_large_numbers(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	const struct test_rule rules[] = { deny_all, { true, "c", 4294967295, 2147483648, NULL } };
	struct cgroup_plan p;
	assert_int_equal(plan(rules, ARRAY_SIZE(rules), &arena, &p, NULL), 0);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 4294967295u, 2147483648u, R), 1);
	assert_int_equal(ask(&p, BPF_DEVCG_DEV_CHAR, 4294967295u, 0, R), 0);
}

static void test_bad_rules(void **state)
{
	(void)state;
	static const struct {
		struct test_rule rule;
		uint32_t at;
	} bad[] = {
		{ { true, "x", ANY, ANY, NULL }, 2 }, { { true, "u", 1, 3, NULL }, 2 },
		{ { true, "c", -2, ANY, NULL }, 3 },  { { true, "c", 4294967296, 0, NULL }, 3 },
		{ { true, "c", 1, -7, NULL }, 4 },    { { true, "c", 1, 3, "" }, 5 },
		{ { true, "c", 1, 3, "rx" }, 5 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		struct cgroup_plan p;
		struct err err;
		assert_int_equal(plan(&bad[i].rule, 1, &arena, &p, &err), -EINVAL);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_int_equal(err.at, bad[i].at);
	}
}

/* ---- at random ---- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static struct test_rule random_rule(uint32_t *seed)
{
	static const char *const types[] = { NULL, "a", "b", "c", "c" };
	static const char *const access[] = { NULL, "rwm", "r", "w", "m", "rw", "wm", "rm" };
	static const int64_t numbers[] = { ANY, ANY, 1, 3, 5, 136, 200 };
	return (struct test_rule) {
		.allow = next_random(seed) % 2,
		.type = types[next_random(seed) % ARRAY_SIZE(types)],
		.major = numbers[next_random(seed) % ARRAY_SIZE(numbers)],
		.minor = numbers[next_random(seed) % ARRAY_SIZE(numbers)],
		.access = access[next_random(seed) % ARRAY_SIZE(access)],
	};
}

static void compare(const struct test_rule *rules, size_t n, const struct cgroup_plan *p)
{
	static const uint32_t majors[] = { 0, 1, 5, 10, 136 };
	static const uint32_t minors[] = { 0, 1, 3, 5, 200 };
	for (size_t i = 0; i < ARRAY_SIZE(majors) * ARRAY_SIZE(minors) * 2 * 8; i++) {
		uint32_t access = i % 8;
		uint32_t type = i / 8 % 2 ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK;
		uint32_t major = majors[i / 16 % ARRAY_SIZE(majors)];
		uint32_t minor = minors[i / 16 / ARRAY_SIZE(majors)];
		bool want = (access & ~model(rules, n, type, major, minor)) == 0;
		assert_int_equal(ask(p, type, major, minor, access), want);
	}
}

static void test_random_rules(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (int round = 0; round < 2000; round++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		struct test_rule rules[12];
		size_t n = next_random(&seed) % ARRAY_SIZE(rules);
		for (size_t i = 0; i < n; i++)
			rules[i] = random_rule(&seed);
		struct cgroup_plan p;
		assert_int_equal(plan(rules, n, &arena, &p, NULL), 0);
		if (p.device_insns)
			assert_int_equal(ebpf_check(p.device_insns, p.device_insns_n), 0);
		compare(rules, n, &p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_rules_need_no_program),
		cmocka_unit_test(test_engines_rules),
		cmocka_unit_test(test_letters_are_decided_one_by_one),
		cmocka_unit_test(test_defaults_can_be_denied),
		cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_bad_rules),
		cmocka_unit_test(test_random_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
