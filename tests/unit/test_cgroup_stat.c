/* The numbers of a cgroup: the kernel's texts, also broken ones, and runc's shape of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/stat.h"
#include "cmd/report_stat.h"
#include "tmpdir.h"

static void pressure(void **state _unused_)
{
	_cleanup_arena_ struct arena arena;
	struct stat_pressure p = { 0 };
	arena_init(&arena);
	stat_parse_pressure("some avg10=1.25 avg60=0.50 avg300=12.00 total=123456\n"
			    "full avg10=0.00 avg60=0.01 avg300=100.00 total=99\n",
			    &arena, &p);
	assert_true(p.is_there);
	assert_string_equal(p.some.avg10, "1.25");
	assert_string_equal(p.some.avg300, "12.00");
	assert_int_equal(p.some.total, 123456);
	assert_string_equal(p.full.avg60, "0.01");
	assert_int_equal(p.full.total, 99);
	/* What is missing or is no number stays zero: it is copied into JSON. */
	stat_parse_pressure("some avg10=\"} avg60=1. avg300=.5 total=x more=1\n\nbad\n", &arena,
			    &p);
	assert_string_equal(p.some.avg10, "0.00");
	assert_string_equal(p.some.avg60, "0.00");
	assert_string_equal(p.some.avg300, "0.00");
	assert_int_equal(p.some.total, 0);
	assert_string_equal(p.full.avg10, "0.00");
}

static void io(void **state _unused_)
{
	_cleanup_arena_ struct arena arena;
	struct cgroup_stat s = { 0 };
	arena_init(&arena);
	stat_parse_io("8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n"
		      "broken rbytes=1\n"
		      "253:0 wbytes=7 new=8\n",
		      &arena, &s);
	assert_int_equal(s.io_n, 2);
	assert_int_equal(s.io[0].major, 8);
	assert_int_equal(s.io[0].minor, 16);
	assert_int_equal(s.io[0].rbytes, 1);
	assert_int_equal(s.io[0].wios, 4);
	assert_int_equal(s.io[0].dios, 6);
	assert_int_equal(s.io[1].major, 253);
	assert_int_equal(s.io[1].wbytes, 7);
	assert_int_equal(s.io[1].rbytes, 0);
	stat_parse_io("", &arena, &s);
	assert_int_equal(s.io_n, 0);
}

static void pairs(void **state _unused_)
{
	_cleanup_arena_ struct arena arena;
	struct stat_memory m = { 0 };
	arena_init(&arena);
	stat_parse_pairs("anon 4096\nfile 8192\nbad\nworse x\nslab 1", &arena, &m);
	assert_int_equal(m.raw_n, 3);
	assert_string_equal(m.raw[1].key, "file");
	assert_int_equal(m.raw[1].value, 8192);
	assert_string_equal(m.raw[2].key, "slab");
}

struct dir {
	struct tmpdir tmp;
	struct arena arena;
	struct err err;
	int fd;
};

static void dir_init(struct dir *d)
{
	memset(d, 0, sizeof(*d));
	tmpdir_init(&d->tmp);
	arena_init(&d->arena);
	d->fd = openat(d->tmp.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d->fd >= 0);
}

static void dir_done(struct dir *d)
{
	close(d->fd);
	arena_done(&d->arena);
	tmpdir_done(&d->tmp);
}

/* A cgroup without any controller: what is not known is left out. */
static void report_of_little(void **state _unused_)
{
	struct dir d;
	struct cgroup_stat s;
	struct str out;
	dir_init(&d);
	tmpdir_write(&d.tmp, "cgroup.events", 0600, "populated 1\nfrozen 0\n");
	tmpdir_write(&d.tmp, "cpu.stat", 0600, "usage_usec 5\nuser_usec 3\nsystem_usec 2\n");
	assert_int_equal(cgroup_read_stat(d.fd, &d.arena, &s, &d.err), 0);
	str_init(&out, &d.arena);
	report_stat(&out, "web", &s);
	assert_string_equal(
		out.text,
		"{\"type\":\"stats\",\"id\":\"web\",\"data\":{\"cpu\":{\"usage\":{\"total\":5000,"
		"\"kernel\":2000,\"user\":3000},\"throttling\":{}},\"cpuset\":{},\"memory\":{"
		"\"usage\":{},\"swap\":{\"failcnt\":0},\"kernel\":{\"failcnt\":0},\"kernelTCP\":{"
		"\"failcnt\":0},\"raw\":{}},\"pids\":{},\"blkio\":{\"ioServiceBytesRecursive\":[],"
		"\"ioServicedRecursive\":[]},\"hugetlb\":{},\"intel_rdt\":{},"
		"\"network_interfaces\":[]}}\n");
	dir_done(&d);
}

static void report_of_much(void **state _unused_)
{
	struct dir d;
	struct cgroup_stat s;
	struct str out;
	dir_init(&d);
	tmpdir_write(&d.tmp, "cgroup.events", 0600, "populated 1\nfrozen 0\n");
	tmpdir_write(&d.tmp, "memory.current", 0600, "100\n");
	tmpdir_write(&d.tmp, "memory.max", 0600, "1000\n");
	tmpdir_write(&d.tmp, "memory.swap.current", 0600, "7\n");
	tmpdir_write(&d.tmp, "memory.swap.max", 0600, "max\n");
	tmpdir_write(&d.tmp, "memory.events", 0600, "low 0\nmax 3\noom_kill 1\n");
	tmpdir_write(&d.tmp, "memory.stat", 0600, "anon 1\nfile 64\n");
	tmpdir_write(&d.tmp, "pids.current", 0600, "2\n");
	tmpdir_write(&d.tmp, "pids.max", 0600, "max\n");
	tmpdir_write(&d.tmp, "hugetlb.2MB.current", 0600, "5\n");
	tmpdir_write(&d.tmp, "hugetlb.2MB.rsvd.current", 0600, "6\n");
	tmpdir_write(&d.tmp, "hugetlb.2MB.events", 0600, "max 4\n");
	tmpdir_write(&d.tmp, "io.stat", 0600, "8:0 rbytes=1 wbytes=2 rios=3 wios=4\n");
	assert_int_equal(cgroup_read_stat(d.fd, &d.arena, &s, &d.err), 0);
	str_init(&out, &d.arena);
	report_stat(&out, "web", &s);
	assert_non_null(strstr(out.text, "\"cache\":64,\"usage\":{\"limit\":1000,\"usage\":100,"
					 "\"failcnt\":3}"));
	assert_non_null(strstr(out.text, "\"swap\":{\"limit\":18446744073709551615,\"usage\":107,"
					 "\"failcnt\":0}"));
	assert_non_null(strstr(out.text, "\"raw\":{\"anon\":1,\"file\":64}"));
	assert_non_null(strstr(out.text, "\"pids\":{\"current\":2}"));
	assert_non_null(strstr(out.text, "\"hugetlb\":{\"2MB\":{\"usage\":5,\"failcnt\":4}}"));
	assert_non_null(strstr(out.text, "{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":2}"));
	dir_done(&d);
}

static void gone(void **state _unused_)
{
	struct dir d;
	struct cgroup_stat s;
	dir_init(&d);
	assert_int_equal(cgroup_read_stat(d.fd, &d.arena, &s, &d.err), -ENOENT);
	dir_done(&d);
}

static void limit_event(void **state _unused_)
{
	_cleanup_arena_ struct arena arena;
	struct str out;
	arena_init(&arena);
	str_init(&out, &arena);
	report_limit_event(&out, "web", "pids.events", "max", 12);
	assert_string_equal(out.text, "{\"type\":\"limit\",\"id\":\"web\",\"data\":{\"file\":"
				      "\"pids.events\",\"event\":\"max\",\"count\":12}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pressure),       cmocka_unit_test(io),
		cmocka_unit_test(pairs),          cmocka_unit_test(report_of_little),
		cmocka_unit_test(report_of_much), cmocka_unit_test(gone),
		cmocka_unit_test(limit_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
