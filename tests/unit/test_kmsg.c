/*
 * The kernel log about killed processes: records as Linux 6.1, 6.12 and 6.18 have written them, and
 * what a container could try to make of them by the names of its processes and cgroups.
 */
#include "explain/kmsg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/defer.h"

/* A parent's limit, and both processes killed as a group (6.12, shortened). */
static const char *const group[] = {
	"4,636,25861643,-;dd invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
	"oom_score_adj=0\n",
	"4,639,25861783,-;Tainted: [E]=UNSIGNED_MODULE\n",
	"6,694,25862555,-;memory: usage 24576kB, limit 24576kB, failcnt 24\n",
	"6,695,25862607,-;swap: usage 0kB, limit 0kB, failcnt 0\n",
	"6,696,25862615,-;Memory cgroup stats for /par:\n",
	"6,697,25862742,-;anon 24948736\n",
	"6,698,25862753,-;file 4096\n",
	"6,699,25862759,-;kernel 212992\n",
	"6,700,25862764,-;kernel_stack 16384\n",
	"6,709,25862810,-;file_mapped 4096\n",
	"6,713,25862830,-;anon_thp 23068672\n",
	"6,762,25863084,-;Tasks state (memory values in pages):\n",
	"6,764,25863107,-;[    457]     0   457      565      363        0        0       363    "
	"28672        0             0 sh\n",
	"6,766,25863147,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,"
	"mems_allowed=0,oom_memcg=/par,task_memcg=/par/leaf,task=dd,pid=458,uid=0\n",
	"3,767,25863352,-;Memory cgroup out of memory: Killed process 458 (dd) total-vm:67796kB, "
	"anon-rss:24248kB, file-rss:0kB, shmem-rss:1020kB, UID:0 pgtables:76kB oom_score_adj:0\n",
	"6,768,25863791,-;Tasks in /par/leaf are going to be killed due to memory.oom.group set\n",
	"3,769,25863902,-;Memory cgroup out of memory: Killed process 457 (sh) total-vm:2260kB, "
	"anon-rss:0kB, file-rss:0kB, shmem-rss:1452kB, UID:0 pgtables:28kB oom_score_adj:0\n",
	"3,770,25865796,-;Memory cgroup out of memory: Killed process 458 (dd) total-vm:67796kB, "
	"anon-rss:24248kB, file-rss:0kB, shmem-rss:1020kB, UID:0 pgtables:76kB oom_score_adj:0\n",
	NULL,
};

static const char *const global[] = {
	"6,900,30000000,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,"
	"mems_allowed=0,global_oom,task_memcg=/par/leaf,task=dd,pid=458,uid=0\n",
	"3,901,30000100,-;Out of memory: Killed process 458 (dd) total-vm:67796kB, "
	"anon-rss:24248kB, file-rss:0kB, shmem-rss:1020kB, UID:0 pgtables:76kB oom_score_adj:0\n",
	NULL,
};

/* 6.18, with the dictionary that some records have. */
static const char seccomp[] =
	"5,342,2591074516,-;audit: type=1326 audit(1795921910.163:2): auid=4294967295 uid=0 gid=0 "
	"ses=4294967295 pid=27761 comm=\"mkdir\" exe=\"/bin/busybox\" sig=31 arch=c000003e "
	"syscall=83 compat=0 ip=0x47b567 code=0x80000000\n SUBSYSTEM=x\n";

static void feed(struct kmsg_inquiry *q, const char *record)
{
	kmsg_feed(q, record, strlen(record));
}

static struct kmsg_inquiry ask(const char *cgroup, uint64_t pid, const char *const *records)
{
	struct kmsg_inquiry q = { .cgroup = cgroup, .pid = pid };
	for (; *records; records++)
		feed(&q, *records);
	return q;
}

/* ---- out of memory ---- */

static void test_group(void **state)
{
	(void)state;
	struct kmsg_inquiry q = ask("/par/leaf", 457, group);
	assert_true(q.has_oom && q.has_stats && q.first_killed);
	assert_false(q.is_global);
	assert_string_equal(q.oom_cgroup, "/par");
	assert_int_equal(q.victim, 458);
	assert_string_equal(q.victim_name, "dd");
	assert_int_equal(q.victims, 2);
	assert_int_equal(q.kills, 3);
	assert_int_equal(q.anon, 24948736);
	assert_int_equal(q.file, 4096);
	assert_int_equal(q.kernel, 212992);
}

/* An earlier container of the same name is in the log, too. */
static void test_skip(void **state)
{
	(void)state;
	struct kmsg_inquiry q = { .cgroup = "/par/leaf", .pid = 9, .skip = 3 };
	for (const char *const *r = group; *r; r++)
		feed(&q, *r);
	assert_false(q.has_oom || q.has_stats);
	assert_int_equal(q.victims, 0);
	for (const char *const *r = global; *r; r++)
		feed(&q, *r);
	assert_true(q.has_oom && q.is_global);
	assert_int_equal(q.victims, 1);
	assert_int_equal(q.kills, 4);
}

/* Without a memory controller of its own a container is in a cgroup of others. */
static void test_by_pid(void **state)
{
	(void)state;
	struct kmsg_inquiry q = ask("/other", 458, group);
	assert_true(q.has_oom && q.first_killed);
	assert_string_equal(q.oom_cgroup, "/par");
	assert_false(ask(NULL, 0, group).has_oom);
}

static void test_other_containers(void **state)
{
	(void)state;
	static const char *const others[] = { "/par/lea", "/par/leaf2", "/leaf", "/par/leaf/x",
					      "/other" };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct kmsg_inquiry q = ask(others[i], 7, group);
		assert_false(q.has_oom);
		assert_int_equal(q.victims, 0);
	}
	/* The parent of it: below it is in it. */
	assert_true(ask("/par", 7, group).has_oom);
}

static void test_first_process_lives(void **state)
{
	(void)state;
	struct kmsg_inquiry q = ask("/par/leaf", 400, group);
	assert_true(q.has_oom);
	assert_false(q.first_killed);
}

static void test_global(void **state)
{
	(void)state;
	struct kmsg_inquiry q = ask("/par/leaf", 458, global);
	assert_true(q.has_oom && q.is_global && q.first_killed);
	assert_false(q.has_stats);
	assert_string_equal(q.oom_cgroup, "");
	assert_string_equal(q.victim_name, "dd");
}

/* 6.1 logs all statistics in one record. */
static void test_stats_in_one_record(void **state)
{
	(void)state;
	const char *const records[] = {
		"6,1,1,-;Memory cgroup stats for /par:\n",
		"6,2,1,-;anon 100\\x0afile 7\\x0akernel 30\\x0akernel_stack 9\\x0afile_dirty 5\n",
		group[13],
		NULL,
	};
	struct kmsg_inquiry q = ask("/par/leaf", 1, records);
	assert_int_equal(q.anon, 100);
	assert_int_equal(q.file, 7);
	assert_int_equal(q.kernel, 30);
}

/* The dump is limited in its rate; the killed process itself is always named. */
static void test_only_the_process(void **state)
{
	(void)state;
	static const char *const records[] = { NULL, NULL };
	struct kmsg_inquiry q = ask("/par/leaf", 458, records);
	feed(&q, group[14]);
	assert_true(q.first_killed);
	assert_false(q.has_oom);
	q = ask("/par/leaf", 457, records);
	feed(&q, group[14]);
	assert_int_equal(q.victims, 0);
}

#define OOM(limit, leaf, task, pid)                                                             \
	"6,1,1,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0," \
	"oom_memcg=" limit ",task_memcg=" leaf ",task=" task ",pid=" pid ",uid=0\n"
#define KILLED(pid, name)                                                                       \
	"3,1,1,-;Memory cgroup out of memory: Killed process " pid " (" name ") total-vm:2kB, " \
	"anon-rss:0kB\n"

static void test_hostile_names(void **state)
{
	(void)state;
	static const struct {
		const char *oom, *killed, *name;
	} cases[] = {
		{ OOM("/a", "/a", ",pid=1,uid=0", "9"), KILLED("9", ",pid=1,uid=0"),
		  ",pid=1,uid=0" },
		{ OOM("/a", "/a", ",oom_memcg=/b", "9"), KILLED("9", ") total-vm:1kB"),
		  ") total-vm:1kB" },
		{ OOM("/a", "/a", ",task_memcg=/b", "9"), KILLED("9", "x\\x0a3,1,1,-;y"),
		  "x\\x0a3,1,1,-;y" },
		{ OOM("/a", "/a", "", "9"), KILLED("9", ""), "" },
		{ OOM("/a", "/a", ") (", "9"), KILLED("9", ") ("), ") (" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kmsg_inquiry q = { .cgroup = "/a", .pid = 1 };
		feed(&q, cases[i].oom);
		feed(&q, cases[i].killed);
		assert_true(q.has_oom);
		assert_false(q.first_killed);
		assert_string_equal(q.oom_cgroup, "/a");
		assert_int_equal(q.victim, 9);
		assert_string_equal(q.victim_name, cases[i].name);
	}
}

/* Compared as the kernel prints it. */
static void test_cgroup_names(void **state)
{
	(void)state;
	struct kmsg_inquiry q = { .cgroup = "/a\xc3\xbc\\b" };
	feed(&q, OOM("/", "/a\\xc3\\xbc\\x5cb/below", "x", "9"));
	assert_true(q.has_oom);
}

/* ---- seccomp ---- */

static void test_seccomp(void **state)
{
	(void)state;
	struct kmsg_inquiry q = { .pid = 27761 };
	feed(&q, seccomp);
	assert_true(q.has_seccomp);
	assert_int_equal(q.arch, 0xc000003e);
	assert_int_equal(q.number, 83);
	assert_int_equal(q.action, 0x80000000);
	assert_string_equal(q.seccomp_name, "mkdir");
	q = (struct kmsg_inquiry) { .pid = 2776 };
	feed(&q, seccomp);
	assert_false(q.has_seccomp);
	q = (struct kmsg_inquiry) { .pid = 0 };
	feed(&q, seccomp);
	assert_false(q.has_seccomp);
}

/* audit writes names that are not plain in hexadecimal, so no name can look like a field. */
static void test_seccomp_hex(void **state)
{
	(void)state;
	struct kmsg_inquiry q = { .pid = 5 };
	feed(&q, "5,1,1,-;audit: type=1326 audit(1.1:2): auid=0 uid=0 gid=0 ses=1 pid=5 "
		 "comm=61200A1B5C exe=2F78 sig=31 arch=c000003e syscall=83 compat=0 ip=0x0 "
		 "code=0x0\n");
	assert_true(q.has_seccomp);
	assert_string_equal(q.seccomp_name, "a \\x0a\\x1b\\x5c");
	assert_int_equal(q.action, 0);
}

static void test_seccomp_others(void **state)
{
	(void)state;
	static const char *const records[] = {
		/* not a kill */
		"5,1,1,-;audit: type=1326 audit(1.1:2): pid=5 comm=\"a\" sig=0 arch=c000003e "
		"syscall=83 compat=0 ip=0x0 code=0x7ffc0000\n",
		/* cut off */
		"5,1,1,-;audit: type=1326 audit(1.1:2): pid=5 comm=\"a\" sig=31 arch=c000003e "
		"syscall=\n",
		"5,1,1,-;audit: type=1400 audit(1.1:2): pid=5 sig=31 arch=1 syscall=1 code=0x0\n",
		"5,1,1,-;audit: type=1326 audit(1.1:2): ppid=5 sig=31 arch=1 syscall=1 code=0x0\n",
		NULL,
	};
	assert_false(ask(NULL, 5, records).has_seccomp);
}

/* ---- whose record it is ---- */

static void test_records(void **state)
{
	(void)state;
	/* From user space (facility 1), too old, broken, or none at all. */
	static const char *const records[] = {
		"12,1,1000,-;"
		"oom-kill:constraint=x,oom_memcg=/a,task_memcg=/a,task=x,pid=5,uid=0\n",
		"4,1,99,-;"
		"oom-kill:constraint=x,oom_memcg=/a,task_memcg=/a,task=x,pid=5,uid=0\n",
		"4,1,1000,-"
		"oom-kill:constraint=x,oom_memcg=/a,task_memcg=/a,task=x,pid=5,uid=0\n",
		"4,1,1000,-;x oom-kill:constraint=x,oom_memcg=/a,task_memcg=/a,task=x,pid=5,uid=0\n",
		"4,1,1000,-;a\n oom-kill:constraint=x,oom_memcg=/a,task_memcg=/a,task=x,pid=5\n",
		"4,1;",
		"4,1,",
		",,,;",
		";",
		"",
		"4,1,1000,-;",
		"4,1,1000,-;oom-kill:",
		"4,1,1000,-;Tasks in ",
		"4,1,1000,-;Memory cgroup out of memory: Killed process ",
		"4,1,1000,-;audit: type=1326 ",
		NULL,
	};
	for (const char *const *r = records; *r; r++) {
		struct kmsg_inquiry q = { .cgroup = "/a", .pid = 5, .since_us = 100 };
		feed(&q, *r);
		assert_false(q.has_oom);
		assert_false(q.has_seccomp);
		assert_int_equal(q.victims, 0);
	}
}

/* Every part of every record, ended anywhere: nothing is read beyond it (for the sanitizers). */
static void test_cut(void **state)
{
	(void)state;
	for (const char *const *r = group; *r; r++)
		for (size_t n = 0; n <= strlen(*r); n++) {
			struct kmsg_inquiry q = { .cgroup = "/par/leaf", .pid = 457 };
			q.in_stats = true;
			kmsg_feed(&q, *r, n);
			assert_true(q.victims <= 1);
		}
	struct kmsg_inquiry q = { .cgroup = "/a", .pid = 5 };
	static char large[KMSG_RECORD_SIZE + 1];
	memset(large, '4', sizeof(large));
	kmsg_feed(&q, large, sizeof(large));
	assert_false(q.has_oom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_other_containers),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_by_pid),
		cmocka_unit_test(test_first_process_lives),
		cmocka_unit_test(test_global),
		cmocka_unit_test(test_stats_in_one_record),
		cmocka_unit_test(test_only_the_process),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_cgroup_names),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_seccomp_hex),
		cmocka_unit_test(test_seccomp_others),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
