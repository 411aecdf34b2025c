/* What `stats` makes of two looks at a container's counters: rates, shares, the table, JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cmd/report_load.h"

static struct stat_io_device disk_before[] = { { .rbytes = 0, .wbytes = 1000 } };
static struct stat_io_device disk_now[] = { { .rbytes = 2097152, .wbytes = 1000 } };

static struct load busy(uint64_t usage, uint64_t periods, uint64_t throttled,
			struct stat_io_device *disk)
{
	return (struct load) {
		.id = "busy",
		.status = "running",
		.created = "then",
		.has_stat = true,
		.stat = {
			.cpu = { .usage = usage, .periods = periods,
				 .throttled_periods = throttled, .quota = 150000,
				 .period = 100000,
				 .pressure = { true, { "12.34", "0.00", "0.00", 1 },
					       { "4.00", "0.00", "0.00", 1 } } },
			.memory = { .usage = 94 << 20, .limit = 100 << 20, .limit_hits = 7,
				    .swap_usage = 0, .swap_limit = CGROUP_NUMBER_MAX,
				    .oom_kills = 2 },
			.pids = 6, .pids_limit = 64,
			.io = disk, .io_n = 1,
		},
	};
}

static struct load bare(void)
{
	return (struct load) {
		.id = "bare",
		.status = "running",
		.created = "then",
		.has_stat = true,
		.stat = { .cpu = { .usage = 5,
				   .periods = CGROUP_NUMBER_NONE,
				   .throttled_periods = CGROUP_NUMBER_NONE,
				   .quota = CGROUP_NUMBER_NONE,
				   .period = CGROUP_NUMBER_NONE },
			  .memory = { CGROUP_NUMBER_NONE,
				      CGROUP_NUMBER_NONE,
				      CGROUP_NUMBER_NONE,
				      CGROUP_NUMBER_NONE,
				      CGROUP_NUMBER_NONE,
				      CGROUP_NUMBER_NONE,
				      CGROUP_NUMBER_NONE,
				      CGROUP_NUMBER_NONE,
				      NULL,
				      0,
				      { 0 } },
			  .pids = CGROUP_NUMBER_NONE,
			  .pids_limit = CGROUP_NUMBER_NONE },
	};
}

struct looks {
	struct load before_v[2], now_v[3];
	struct loads before, now;
};

/* Two seconds apart; one container has come meanwhile, under the name of one that is gone. */
static void make(struct looks *l)
{
	l->before_v[0] = busy(1000000, 100, 10, disk_before);
	l->before_v[1] = bare();
	l->now_v[0] = busy(3400000, 120, 15, disk_now);
	l->now_v[1] = bare();
	l->now_v[1].created = "later";
	l->now_v[2] = (struct load) { .id = "gone", .status = "stopped", .created = "then" };
	l->before = (struct loads) { l->before_v, 2, 10000 };
	l->now = (struct loads) { l->now_v, 3, 12000 };
}

static void rates(void **state _unused_)
{
	struct looks l;
	struct load_rates r;
	make(&l);
	report_load_rates(&l.before_v[0], &l.now_v[0], 2000, &r);
	assert_int_equal(r.millicores, 1200);
	assert_int_equal(r.limit_millicores, 1500);
	assert_int_equal(r.throttled, 250);
	assert_int_equal(r.read, 1048576);
	assert_int_equal(r.written, 0);
	/* No time has passed, no earlier look, a counter that went back: not known. */
	report_load_rates(&l.before_v[0], &l.now_v[0], 0, &r);
	assert_true(r.millicores == LOAD_NONE);
	report_load_rates(NULL, &l.now_v[0], 2000, &r);
	assert_true(r.millicores == LOAD_NONE);
	assert_int_equal(r.limit_millicores, 1500);
	report_load_rates(&l.now_v[0], &l.before_v[0], 2000, &r);
	assert_true(r.millicores == LOAD_NONE);
	assert_null(report_load_before(&l.before, &l.now_v[1]));
}

static void table(void **state _unused_)
{
	_cleanup_arena_ struct arena arena;
	struct looks l;
	struct str out;
	make(&l);
	arena_init(&arena);
	str_init(&out, &arena);
	report_load_table(&out, &l.before, &l.now, &arena);
	assert_string_equal(
		out.text,
		"ID    STATUS   CPU   OF LIMIT      THROTTLED  MEMORY    OF LIMIT           SWAP  "
		"PIDS  READ/S   WRITE/S  OOM  CPU WAITS  MEM WAITS  IO WAITS\n"
		"busy  running  1.20  80 % of 1.50  25 %       94.0 MiB  94 % of 100.0 MiB  0 B   "
		"6/64  1.0 MiB  0 B      2    12/4       -          -\n"
		"bare  running  -     -             -          -         -                  -     "
		"-     -        -        -    -          -          -\n"
		"gone  stopped  -     -             -          -         -                  -     "
		"-     -        -        -    -          -          -\n"
		"busy: throttled in 25 % of its periods: cpu.max is 1.50 CPUs\n"
		"busy: memory at 94 % of its limit, reached 7 times so far\n");
}

static void json(void **state _unused_)
{
	_cleanup_arena_ struct arena arena;
	struct looks l;
	struct str out;
	make(&l);
	arena_init(&arena);
	str_init(&out, &arena);
	report_load_json(&out, &l.before, &l.now);
	assert_string_equal(
		out.text,
		"{\"id\":\"busy\",\"status\":\"running\",\"cpu\":{\"cores\":1.200,\"limit\":1.500,"
		"\"share\":0.800,\"throttled\":0.250,\"usageUsec\":3400000},"
		"\"memory\":{\"usage\":98566144,\"limit\":104857600,\"share\":0.940},"
		"\"swap\":{\"usage\":0},\"oomKills\":2,"
		"\"pids\":{\"usage\":6,\"limit\":64,\"share\":0.093},"
		"\"io\":{\"readPerSecond\":1048576,\"writtenPerSecond\":0,\"read\":2097152,"
		"\"written\":1000},\"pressure\":{\"cpu\":{\"some\":12.34,\"full\":4.00}}}\n"
		"{\"id\":\"bare\",\"status\":\"running\",\"cpu\":{\"usageUsec\":5},\"memory\":{},"
		"\"swap\":{},\"pids\":{},\"io\":{\"read\":0,\"written\":0},\"pressure\":{}}\n"
		"{\"id\":\"gone\",\"status\":\"stopped\"}\n");
}

static void cpu_max(void **state _unused_)
{
	struct stat_cpu cpu;
	stat_parse_cpu_max("50000 100000", &cpu);
	assert_int_equal(cpu.quota, 50000);
	assert_int_equal(cpu.period, 100000);
	stat_parse_cpu_max("max 100000", &cpu);
	assert_true(cpu.quota == CGROUP_NUMBER_MAX);
	stat_parse_cpu_max("", &cpu);
	assert_true(cpu.quota == CGROUP_NUMBER_NONE && cpu.period == CGROUP_NUMBER_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(table),
		cmocka_unit_test(json),
		cmocka_unit_test(cpu_max),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
