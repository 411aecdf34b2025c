/*
 * Which files of a cgroup are given to the container's user (S-157 to S-161), on a directory that
 * looks like one, by a list that looks like the kernel's. Needs root, to give files away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/delegate.h"
#include "tmpdir.h"

#define USER 54321

static const char *const files[] = { "cgroup.procs",  "cgroup.threads", "cgroup.subtree_control",
				     "cgroup.freeze", "memory.max",     "memory.oom.group" };

static bool is_given(int dir, const char *name)
{
	struct stat st;
	assert_int_equal(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), 0);
	assert_true(st.st_uid == USER || st.st_uid == 0);
	return st.st_uid == USER;
}

/* `list` NULL: the kernel has none. `given` has a letter for each of `files`. */
static void check(const char *list, const char *given)
{
	_cleanup_tmpdir_ struct tmpdir tmp;
	struct err err;
	char got[ARRAY_SIZE(files) + 1] = "", name[64];
	tmpdir_init(&tmp);
	tmpdir_mkdir(&tmp, "cgroup", 0755);
	tmpdir_mkdir(&tmp, "sys", 0755);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(name, sizeof(name), "cgroup/%s", files[i]);
		tmpdir_write(&tmp, name, 0644, "");
	}
	tmpdir_write(&tmp, "outside", 0644, "");
	if (list)
		tmpdir_write(&tmp, "sys/delegate", 0644, list);
	_cleanup_close_ int dir = openat(tmp.fd, "cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int sys = openat(tmp.fd, "sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (geteuid() != 0)
		skip();
	assert_int_equal(delegate_by_list(dir, sys, USER, &err), 0);
	assert_true(is_given(dir, ""));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		got[i] = is_given(dir, files[i]) ? 'y' : 'n';
	assert_string_equal(got, given);
	assert_false(is_given(tmp.fd, "outside"));
}

static void by_the_kernels_list(void **state _unused_)
{
	check("cgroup.procs\ncgroup.threads\ncgroup.subtree_control\nmemory.oom.group\n", "yyynny");
}

/* Of controllers that this cgroup does not have; and nothing that is no file's name. */
static void missing_files(void **state _unused_)
{
	check("cgroup.procs\nmemory.reclaim\n\n../outside\nmemory.oom.group\n", "ynnnny");
}

static void without_a_list(void **state _unused_)
{
	check(NULL, "yyynnn");
}

static void nothing_to_give(void **state _unused_)
{
	struct err err;
	assert_int_equal(delegate_by_list(-EBADF, -EBADF, USER, &err), -EBADF);
	assert_non_null(strstr(err.message, "cannot give the cgroup to user 54321"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_kernels_list),
		cmocka_unit_test(missing_files),
		cmocka_unit_test(without_a_list),
		cmocka_unit_test(nothing_to_give),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
