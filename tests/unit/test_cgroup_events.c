/* Counters of cgroups: the texts of their files, and how far up there is something to read. */
#include "cgroup/events.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/fd.h"
#include "tmpdir.h"

static void test_find(void **state)
{
	(void)state;
	static const char text[] =
		"low 0\noom 18\noom_kill 3\noom_group_kill max\nbad 1x\nempty \n";
	assert_int_equal(cgroup_find_event(text, "low"), 0);
	assert_int_equal(cgroup_find_event(text, "oom"), 18);
	assert_int_equal(cgroup_find_event(text, "oom_kill"), 3);
	assert_true(cgroup_find_event(text, "oom_group_kill") == CGROUP_NUMBER_MAX);
	assert_true(cgroup_find_event(text, "bad") == CGROUP_NUMBER_NONE);
	assert_true(cgroup_find_event(text, "empty") == CGROUP_NUMBER_NONE);
	assert_true(cgroup_find_event(text, "kill") == CGROUP_NUMBER_NONE);
	assert_true(cgroup_find_event("", "low") == CGROUP_NUMBER_NONE);
}

static void test_parents(void **state)
{
	(void)state;
	assert_int_equal(cgroup_count_parents("/a"), 0);
	assert_int_equal(cgroup_count_parents("/hull/web"), 1);
	assert_int_equal(cgroup_count_parents("/a/b/c/d"), 3);
	assert_int_equal(cgroup_count_parents("/"), 0);
}

static void test_read(void **state)
{
	_cleanup_tmpdir_ struct tmpdir d;
	(void)state;
	tmpdir_init(&d);
	tmpdir_mkdir(&d, "a", 0700);
	tmpdir_mkdir(&d, "a/b", 0700);
	tmpdir_write(&d, "a/b/memory.peak", 0600, "4096\n");
	tmpdir_write(&d, "a/memory.max", 0600, "max\n");
	tmpdir_write(&d, "memory.events", 0600, "oom 2\noom_kill 1\n");
	_cleanup_close_ int fd = openat(d.fd, "a/b", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(cgroup_read_number(fd, 0, "memory.peak"), 4096);
	assert_true(cgroup_read_number(fd, 1, "memory.max") == CGROUP_NUMBER_MAX);
	assert_int_equal(cgroup_read_event(fd, 2, "memory.events", "oom_kill"), 1);
	assert_true(cgroup_read_event(fd, 0, "memory.events", "oom") == CGROUP_NUMBER_NONE);
	assert_true(cgroup_read_number(fd, 1000, "memory.max") == CGROUP_NUMBER_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_parents),
		cmocka_unit_test(test_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
