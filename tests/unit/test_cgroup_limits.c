/*
 * linux.resources to writes: each case is a few members of the spec and the lines that must come
 * out, "file=value", or the error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/cgroup.h"

#define SET(x)         \
	{              \
		(x), 7 \
	}
#define LIST(...)                                         \
	{                                                 \
		(__VA_ARGS__), ARRAY_SIZE(__VA_ARGS__), 7 \
	}

/* The plan as text: "file=value;" and "|or_file=or_value;" for a second name. */
static const char *plan_text(const struct spec_resources *res, struct arena *arena,
			     struct cgroup_plan *p)
{
	struct err err;
	int r = cgroup_plan_resources(res, arena, p, &err);
	if (r < 0) {
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_int_not_equal(err.at, 0);
		return "error";
	}
	struct str s;
	str_init(&s, arena);
	for (size_t i = 0; i < p->writes_n; i++) {
		const struct cgroup_write *w = &p->writes[i];
		assert_int_not_equal(w->at, 0);
		str_printf(&s, "%s=%s", w->file, w->value);
		if (w->or_file)
			str_printf(&s, "|%s=%s", w->or_file, w->or_value);
		str_append(&s, ";");
	}
	return s.text;
}

static const char *controllers_text(const struct cgroup_plan *p, struct arena *arena)
{
	struct str s;
	str_init(&s, arena);
	for (size_t i = 0; p->controllers[i]; i++) {
		assert_int_not_equal(p->controllers_at[i], 0);
		str_printf(&s, "%s ", p->controllers[i]);
	}
	return s.text;
}

struct limits_case {
	const char *want;
	struct spec_resources res;
};

static void check(const struct limits_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		struct cgroup_plan p;
		assert_string_equal(plan_text(&cases[i].res, &arena, &p), cases[i].want);
	}
}

static void test_memory(void **state)
{
	(void)state;
	static const struct limits_case cases[] = {
		{ "", { .memory = { .limit = SET(0), .swap = SET(0), .reservation = SET(0) } } },
		{ "memory.max=33554432;", { .memory = { .limit = SET(33554432) } } },
		{ "memory.max=max;", { .memory = { .limit = SET(-1) } } },
		{ "memory.low=4096;", { .memory = { .reservation = SET(4096) } } },
		{ "memory.max=100;memory.swap.max=50;",
		  { .memory = { .limit = SET(100), .swap = SET(150) } } },
		{ "memory.max=100;memory.swap.max=0;",
		  { .memory = { .limit = SET(100), .swap = SET(100) } } },
		{ "memory.max=100;memory.swap.max=max;",
		  { .memory = { .limit = SET(100), .swap = SET(-1) } } },
		{ "memory.swap.max=max;", { .memory = { .swap = SET(-1) } } },
		{ "error", { .memory = { .limit = SET(100), .swap = SET(99) } } },
		{ "error", { .memory = { .swap = SET(99) } } },
		{ "error", { .memory = { .limit = SET(-1), .swap = SET(99) } } },
		{ "error", { .memory = { .limit = SET(-2) } } },
		{ "error", { .memory = { .reservation = SET(-2) } } },
		{ "error", { .memory = { .limit = SET(9), .swap = SET(-2) } } },
		{ "error", { .memory = { .swappiness = SET(0) } } },
		{ "error", { .memory = { .disable_oom_killer = SET(true) } } },
		{ "",
		  { .memory = { .disable_oom_killer = SET(false),
				.use_hierarchy = SET(true),
				.check_before_update = SET(true),
				.kernel = SET(5),
				.kernel_tcp = SET(5) } } },
	};
	check(cases, ARRAY_SIZE(cases));
}

static void test_cpu(void **state)
{
	(void)state;
	static const struct limits_case cases[] = {
		{ "", { .cpu = { .shares = SET(0), .quota = SET(0), .period = SET(0) } } },
		{ "cpu.weight=1;", { .cpu = { .shares = SET(1) } } },
		{ "cpu.weight=1;", { .cpu = { .shares = SET(2) } } },
		{ "cpu.weight=39;", { .cpu = { .shares = SET(1024) } } },
		{ "cpu.weight=77;", { .cpu = { .shares = SET(2000) } } },
		{ "cpu.weight=10000;", { .cpu = { .shares = SET(262144) } } },
		{ "cpu.weight=10000;", { .cpu = { .shares = SET(UINT64_MAX) } } },
		{ "cpu.max=50000 100000;", { .cpu = { .quota = SET(50000) } } },
		{ "cpu.max=max 100000;", { .cpu = { .quota = SET(-1) } } },
		{ "cpu.max=max 5000;", { .cpu = { .period = SET(5000) } } },
		{ "cpu.max=2000 5000;", { .cpu = { .quota = SET(2000), .period = SET(5000) } } },
		{ "cpu.max=2000 100000;cpu.max.burst=2000;",
		  { .cpu = { .quota = SET(2000), .burst = SET(2000) } } },
		{ "cpu.max.burst=0;", { .cpu = { .burst = SET(0) } } },
		{ "error", { .cpu = { .quota = SET(2000), .burst = SET(2001) } } },
		{ "error", { .cpu = { .quota = SET(-2) } } },
		{ "cpu.weight=39;cpu.idle=1;", { .cpu = { .shares = SET(1024), .idle = SET(1) } } },
		{ "cpu.idle=0;", { .cpu = { .idle = SET(0) } } },
		{ "cpuset.cpus=0-1,3;cpuset.mems=0;",
		  { .cpu = { .cpus = SET("0-1,3"), .mems = SET("0") } } },
		{ "", { .cpu = { .cpus = SET(""), .mems = SET("") } } },
		{ "error", { .cpu = { .realtime_runtime = SET(1000) } } },
		{ "error", { .cpu = { .realtime_period = SET(1000) } } },
		{ "", { .cpu = { .realtime_period = SET(0), .realtime_runtime = SET(0) } } },
	};
	check(cases, ARRAY_SIZE(cases));
}

static void test_pids(void **state)
{
	(void)state;
	static const struct limits_case cases[] = {
		{ "pids.max=16;", { .pids = { .limit = SET(16) } } },
		{ "pids.max=0;", { .pids = { .limit = SET(0) } } },
		{ "pids.max=max;", { .pids = { .limit = SET(-1) } } },
		{ "error", { .pids = { .limit = SET(-2) } } },
	};
	check(cases, ARRAY_SIZE(cases));
}

static void test_io(void **state)
{
	(void)state;
	static struct spec_weight_device weight[] = { { SET(8), SET(16), SET(500), { 0 }, 7 } };
	static struct spec_weight_device leaf[] = { { SET(8), SET(0), { 0 }, SET(10), 7 } };
	static struct spec_weight_device none[] = { { SET(8), SET(0), { 0 }, { 0 }, 7 } };
	static struct spec_throttle_device rate[] = { { SET(8), SET(0), SET(1048576), 7 },
						      { SET(8), SET(1), SET(0), 7 } };
	static const struct limits_case cases[] = {
		{ "", { .block_io = { .weight = SET(0) } } },
		{ "io.bfq.weight=10|io.weight=1;", { .block_io = { .weight = SET(10) } } },
		{ "io.bfq.weight=1000|io.weight=10000;", { .block_io = { .weight = SET(1000) } } },
		{ "io.bfq.weight=8:16 500|io.weight=8:16 4950;",
		  { .block_io = { .weight_device = LIST(weight) } } },
		{ "error", { .block_io = { .weight = SET(9) } } },
		{ "error", { .block_io = { .weight = SET(1001) } } },
		{ "error", { .block_io = { .leaf_weight = SET(10) } } },
		{ "error", { .block_io = { .weight_device = LIST(leaf) } } },
		{ "error", { .block_io = { .weight_device = LIST(none) } } },
		{ "io.max=8:0 rbps=1048576;io.max=8:1 rbps=max;",
		  { .block_io = { .read_bps = LIST(rate) } } },
		{ "io.max=8:0 wbps=1048576;io.max=8:1 wbps=max;",
		  { .block_io = { .write_bps = LIST(rate) } } },
		{ "io.max=8:0 riops=1048576;io.max=8:1 riops=max;",
		  { .block_io = { .read_iops = LIST(rate) } } },
		{ "io.max=8:0 wiops=1048576;io.max=8:1 wiops=max;",
		  { .block_io = { .write_iops = LIST(rate) } } },
	};
	check(cases, ARRAY_SIZE(cases));
}

static void test_hugetlb_and_rdma(void **state)
{
	(void)state;
	static struct spec_hugepage_limit pages[] = { { SET("2MB"), SET(4194304), 7 } };
	static struct spec_hugepage_limit outside[] = { { SET("../2MB"), SET(1), 7 } };
	static struct spec_rdma both[] = { { "mlx5_1", 7, SET(3), SET(10000), 7 } };
	static struct spec_rdma one[] = { { "mlx4_0", 7, { 0 }, SET(0), 7 } };
	static struct spec_rdma none[] = { { "mlx4_0", 7, { 0 }, { 0 }, 7 } };
	static const struct limits_case cases[] = {
		{ "hugetlb.2MB.rsvd.max=4194304|hugetlb.2MB.max=4194304;",
		  { .hugepage_limits = LIST(pages) } },
		{ "error", { .hugepage_limits = LIST(outside) } },
		{ "rdma.max=mlx5_1 hca_handle=3 hca_object=10000;", { .rdma = LIST(both) } },
		{ "rdma.max=mlx4_0 hca_object=0;", { .rdma = LIST(one) } },
		{ "error", { .rdma = LIST(none) } },
	};
	check(cases, ARRAY_SIZE(cases));
}

static void test_network(void **state)
{
	(void)state;
	static struct spec_net_priority prio[] = { { SET("eth0"), SET(1), 7 } };
	static const struct limits_case cases[] = {
		{ "error", { .network = { .class_id = SET(1048577) } } },
		{ "", { .network = { .class_id = SET(0) } } },
		{ "error", { .network = { .priorities = LIST(prio) } } },
	};
	check(cases, ARRAY_SIZE(cases));
}

static void test_unified(void **state)
{
	(void)state;
	static struct spec_pair high[] = { { "memory.high", "1000", 7, 7 },
					   { "cgroup.max.descendants", "5", 7, 7 },
					   { "io.max", "8:0 rbps=1\n8:16 rbps=2\n", 7, 7 },
					   { "cpuset.cpus", "", 7, 7 },
					   { "foo.bar", "x", 7, 7 } };
	static struct spec_pair slash[] = { { "../memory.max", "1", 7, 7 } };
	static struct spec_pair bare[] = { { "memory", "1", 7, 7 } };
	static struct spec_pair dots[] = { { "..", "1", 7, 7 } };
	static struct spec_pair empty[] = { { "", "1", 7, 7 } };
	static struct spec_pair procs[] = { { "cgroup.procs", "1", 7, 7 } };
	static struct spec_pair threads[] = { { "cgroup.threads", "1", 7, 7 } };
	static struct spec_pair freeze[] = { { "cgroup.freeze", "1", 7, 7 } };
	static struct spec_pair end[] = { { "cgroup.kill", "1", 7, 7 } };
	static struct spec_pair type[] = { { "cgroup.type", "threaded", 7, 7 } };
	static struct spec_pair subtree[] = { { "cgroup.subtree_control", "+pids", 7, 7 } };
	static const struct limits_case cases[] = {
		{ "memory.max=9;memory.high=1000;cgroup.max.descendants=5;io.max=8:0 rbps=1;"
		  "io.max=8:16 rbps=2;cpuset.cpus=\n;foo.bar=x;",
		  { .memory = { .limit = SET(9) }, .unified = LIST(high) } },
		{ "error", { .unified = LIST(slash) } },
		{ "error", { .unified = LIST(bare) } },
		{ "error", { .unified = LIST(dots) } },
		{ "error", { .unified = LIST(empty) } },
		{ "error", { .unified = LIST(procs) } },
		{ "error", { .unified = LIST(threads) } },
		{ "error", { .unified = LIST(freeze) } },
		{ "error", { .unified = LIST(end) } },
		{ "error", { .unified = LIST(type) } },
		{ "error", { .unified = LIST(subtree) } },
	};
	check(cases, ARRAY_SIZE(cases));
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	struct cgroup_plan p;
	plan_text(&cases[0].res, &arena, &p);
	assert_string_equal(controllers_text(&p, &arena), "memory io cpuset foo ");
}

static void test_too_many_controllers(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	struct spec_pair pairs[CGROUP_CONTROLLERS_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		pairs[i] = (struct spec_pair) { arena_printf(&arena, "c%zu.max", i), "1", 7, 7 };
	struct spec_resources res = { .unified = { pairs, ARRAY_SIZE(pairs), 7 } };
	struct cgroup_plan p;
	assert_string_equal(plan_text(&res, &arena, &p), "error");
	res.unified.n--;
	assert_string_not_equal(plan_text(&res, &arena, &p), "error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_pids),
		cmocka_unit_test(test_io),
		cmocka_unit_test(test_hugetlb_and_rdma),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_unified),
		cmocka_unit_test(test_too_many_controllers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
