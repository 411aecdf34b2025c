/*
 * What takes a write to a cgroup file back: from the text that the kernel shows before it, and the
 * value that is going to be written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/revert.h"
#include "cgroup/update.h"

static void test_values(void **state)
{
	(void)state;
	static const struct {
		const char *file, *text, *value, *want;
	} cases[] = {
		{ "memory.max", "max", "1048576", "max" },
		{ "cpu.max", "5000 50000", "max 100000", "5000 50000" },
		/* A list is cleared by an empty line. */
		{ "cpuset.cpus", "", "0-1", "\n" },
		{ "cpuset.cpus.partition", "root invalid (Parent is not a partition root)",
		  "member", "root" },
		{ "io.max", "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=2 wbps=3",
		  "8:16 rbps=9", "8:16 rbps=2 wbps=3" },
		{ "io.max", "8:16 rbps=2", "8:1 rbps=9",
		  "8:1 rbps=max wbps=max riops=max wiops=max" },
		{ "io.max", "", "8:1 rbps=9", "8:1 rbps=max wbps=max riops=max wiops=max" },
		{ "io.weight", "default 100\n8:0 50", "500", "default 100" },
		{ "io.weight", "default 100\n8:0 50", "default 500", "default 100" },
		{ "io.weight", "default 100\n8:0 50", "8:0 500", "8:0 50" },
		{ "io.weight", "default 100", "8:0 500", "8:0 default" },
		{ "io.bfq.weight", "100", "500", "100" },
		{ "io.latency", "", "8:0 target=100", "8:0 target=0" },
		{ "rdma.max", "rxe0 hca_handle=max hca_object=7\nrxe1 hca_handle=1 hca_object=2",
		  "rxe1 hca_handle=5", "rxe1 hca_handle=1 hca_object=2" },
		{ "misc.max", "", "sev 5", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena arena;
		arena_init(&arena);
		const char *got = revert_value(cases[i].file, cases[i].text, cases[i].value,
					       &arena);
		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
		else
			assert_null(got);
	}
}

static void put(int dir, const char *file, const char *text)
{
	_cleanup_close_ int fd = openat(dir, file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* The last one first: the file that was written twice has its first value in the end. */
static void test_order(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena arena;
	char path[] = "/tmp/hull-revert-XXXXXX", text[64];
	struct revert v[3];
	arena_init(&arena);
	assert_non_null(mkdtemp(path));
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(dir, "cpu.max.burst", "7777");
	revert_read(dir, "cpu.max.burst", "0", &arena, &v[0]);
	put(dir, "cpu.max.burst", "0000");
	revert_read(dir, "no.such.file", "1", &arena, &v[1]);
	assert_null(v[1].value);
	revert_read(dir, "cpu.max.burst", "5", &arena, &v[2]);
	assert_null(revert_all(dir, v, ARRAY_SIZE(v)));
	assert_int_equal(fd_read_value(dir, "cpu.max.burst", text, sizeof(text)), 0);
	assert_string_equal(text, "7777");
	/* What cannot be set back is named. */
	v[1] = (struct revert) { "no.such.file", "1" };
	assert_ptr_equal(revert_all(dir, v, ARRAY_SIZE(v)), &v[1]);
	unlinkat(dir, "cpu.max.burst", 0);
	assert_int_equal(rmdir(path), 0);
}

static void assert_text(int dir, const char *file, const char *want)
{
	char text[64];
	assert_int_equal(fd_read_value(dir, file, text, sizeof(text)), 0);
	assert_string_equal(text, want);
}

static int disagree(void *context, struct err *err)
{
	assert_text(*(int *)context, "pids.max", "7777");
	return err_say(err, ERR_BUSY, EBUSY, "no");
}

/* All of an update, or nothing: also when somebody else refuses it after the kernel. */
static void test_take_back(void **state)
{
	(void)state;
	static struct cgroup_write writes[] = {
		{ .file = "pids.max", .value = "7777" },
		{ .file = "memory.high", .value = "2222" },
	};
	const struct cgroup_plan plan = { .writes = writes, .writes_n = ARRAY_SIZE(writes) };
	_cleanup_arena_ struct arena arena;
	char path[] = "/tmp/hull-revert-XXXXXX";
	struct err err = { 0 };
	arena_init(&arena);
	assert_non_null(mkdtemp(path));
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(dir, "pids.max", "1000");
	put(dir, "memory.high", "5555");
	struct cgroup_update wanted = { .plan = &plan, .agree = disagree, .context = &dir };
	assert_int_equal(cgroup_update(dir, &wanted, &arena, &err), -EBUSY);
	assert_string_equal(err.message, "no");
	assert_int_equal(err.hint[0], 0);
	assert_text(dir, "pids.max", "1000");
	assert_text(dir, "memory.high", "5555");
	wanted.agree = NULL;
	assert_int_equal(cgroup_update(dir, &wanted, &arena, &err), 0);
	assert_text(dir, "memory.high", "2222");
	unlinkat(dir, "memory.high", 0);
	unlinkat(dir, "pids.max", 0);
	assert_int_equal(rmdir(path), 0);
}

/* What hull's own process in the cgroup needs, and the plan's again: the last that it has. */
static void test_pids(void **state)
{
	(void)state;
	static struct cgroup_write writes[] = {
		{ .file = "pids.max", .value = "1" },
		{ .file = "pids.max", .value = "2" },
		{ .file = "cpu.idle", .value = "1" },
	};
	const struct cgroup_plan none = { 0 },
				 plan = { .writes = writes, .writes_n = ARRAY_SIZE(writes) };
	char path[] = "/tmp/hull-revert-XXXXXX";
	struct err err = { 0 };
	assert_non_null(mkdtemp(path));
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(cgroup_lift_pids(dir, &none, &err), 0);
	assert_int_equal(cgroup_limit_pids(dir, &none, &err), 0);
	put(dir, "pids.max", "100");
	assert_int_equal(cgroup_lift_pids(dir, &plan, &err), 0);
	assert_text(dir, "pids.max", "max");
	put(dir, "pids.max", "9"); /* a plain file is not replaced as a whole */
	assert_int_equal(cgroup_limit_pids(dir, &plan, &err), 0);
	assert_text(dir, "pids.max", "2");
	unlinkat(dir, "pids.max", 0);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_take_back),
		cmocka_unit_test(test_pids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
