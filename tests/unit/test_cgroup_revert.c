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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
