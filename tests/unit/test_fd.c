/* Descriptors: ownership, and reading and writing files whole. */
#include "base/fd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "tmpdir.h"

static void test_ownership(void **state)
{
	(void)state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int moved = fd_take(&fd);
	assert_int_equal(fd, -EBADF);
	assert_true(moved >= 0);
	fd = moved;
	errno = ENOTTY;
	fd_close(&fd);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(fd, -EBADF);
	assert_int_equal(fcntl(moved, F_GETFD), -1);
	fd_close(&fd);
}

/* Larger than a pipe holds: short writes are continued, and the reader gets it all. */
static void test_write_all_and_read_all(void **state)
{
	(void)state;
	static char out[300000], in[300001];
	int pipes[2];
	memset(out, 'x', sizeof(out));
	out[sizeof(out) - 1] = 'e';
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(fd_write_all(pipes[1], out, sizeof(out)) == 0 ? 0 : 1);
	close(pipes[1]);
	assert_int_equal(fd_read_all(pipes[0], in, sizeof(in)), sizeof(out));
	assert_memory_equal(in, out, sizeof(out));
	close(pipes[0]);
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void test_all_errors(void **state)
{
	(void)state;
	char byte = 'x';
	assert_int_equal(fd_write_all(-1, &byte, 1), -EBADF);
	assert_int_equal(fd_write_all(-1, &byte, 0), 0);
	assert_int_equal(fd_read_all(-1, &byte, 1), -EBADF);
	_cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(fd_write_all(full, &byte, 1), -ENOSPC);
	_cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_all(null, &byte, 1), 0);
}

static int read_file(struct tmpdir *t, const char *name, size_t limit, char *text, struct err *err)
{
	_cleanup_arena_ struct arena a;
	char *got = NULL;
	size_t size = 0;
	arena_init(&a);
	int r = fd_read_file(t->fd, name, limit, &a, &got, &size, err);
	if (r == 0)
		memcpy(text, got, size + 1);
	return r;
}

static void test_read_file(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	struct err err;
	char text[64];
	tmpdir_init(&t);
	tmpdir_write(&t, "ten", 0644, "0123456789");
	tmpdir_write(&t, "empty", 0644, "");
	tmpdir_mkdir(&t, "dir", 0755);
	assert_int_equal(mkfifoat(t.fd, "fifo", 0644), 0);
	assert_int_equal(read_file(&t, "ten", 10, text, &err), 0);
	assert_string_equal(text, "0123456789");
	assert_int_equal(read_file(&t, "empty", 0, text, &err), 0);
	assert_string_equal(text, "");
	assert_int_equal(read_file(&t, "ten", 63, text, &err), 0);
	assert_string_equal(text, "0123456789");
	assert_int_equal(read_file(&t, "ten", 9, text, &err), -EFBIG);
	assert_string_equal(err.message, "'ten' is larger than 9 bytes");
	assert_int_equal(read_file(&t, "none", 9, text, &err), -ENOENT);
	assert_string_equal(err.message, "cannot open 'none'");
	assert_int_equal(read_file(&t, "dir", 9, text, &err), -EISDIR);
	assert_int_equal(read_file(&t, "fifo", 9, text, &err), -EINVAL);
	assert_string_equal(err.message, "'fifo' is not a regular file");
}

/* Files of /proc say that they are empty. */
static void test_read_file_without_size(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct err err;
	char *text;
	size_t size;
	arena_init(&a);
	assert_int_equal(fd_read_file(AT_FDCWD, "/proc/self/status", 65536, &a, &text, &size, &err),
			 0);
	assert_true(size > 100);
	assert_int_equal(strlen(text), size);
	/* A limit that is just enough, for a file that is larger than the first guess. */
	size_t whole;
	assert_int_equal(
		fd_read_file(AT_FDCWD, "/proc/filesystems", 65536, &a, &text, &whole, &err), 0);
	assert_int_equal(fd_read_file(AT_FDCWD, "/proc/filesystems", whole, &a, &text, &size, &err),
			 0);
	assert_int_equal(size, whole);
	assert_int_equal(
		fd_read_file(AT_FDCWD, "/proc/filesystems", whole - 1, &a, &text, &size, &err),
		-EFBIG);
	assert_int_equal(fd_read_file(AT_FDCWD, "/proc/self/status", 100, &a, &text, &size, &err),
			 -EFBIG);
}

static void test_write_value(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	char text[16];
	tmpdir_init(&t);
	tmpdir_write(&t, "max", 0644, "");
	tmpdir_symlink(&t, "max", "link");
	assert_int_equal(fd_write_value(t.fd, "max", "4096\n"), 0);
	assert_int_equal(fd_read_value(t.fd, "max", text, sizeof(text)), 0);
	assert_string_equal(text, "4096");
	assert_int_equal(fd_write_value(t.fd, "none", "1"), -ENOENT);
	assert_int_equal(faccessat(t.fd, "none", F_OK, 0), -1);
	assert_int_equal(fd_write_value(t.fd, "link", "1"), -ELOOP);
	assert_int_equal(fd_write_value(AT_FDCWD, "/dev/full", "1"), -ENOSPC);
}

static void test_read_value(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	char text[5];
	tmpdir_init(&t);
	tmpdir_write(&t, "four", 0644, "1234");
	tmpdir_write(&t, "five", 0644, "12345");
	tmpdir_write(&t, "newline", 0644, "123\n");
	tmpdir_write(&t, "two", 0644, "1\n\n");
	tmpdir_write(&t, "empty", 0644, "");
	tmpdir_symlink(&t, "four", "link");
	assert_int_equal(fd_read_value(t.fd, "four", text, sizeof(text)), 0);
	assert_string_equal(text, "1234");
	assert_int_equal(fd_read_value(t.fd, "newline", text, sizeof(text)), 0);
	assert_string_equal(text, "123");
	assert_int_equal(fd_read_value(t.fd, "two", text, sizeof(text)), 0);
	assert_string_equal(text, "1\n");
	assert_int_equal(fd_read_value(t.fd, "empty", text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(fd_read_value(t.fd, "five", text, sizeof(text)), -EFBIG);
	assert_int_equal(fd_read_value(t.fd, "link", text, sizeof(text)), -ELOOP);
	assert_int_equal(fd_read_value(t.fd, "none", text, sizeof(text)), -ENOENT);
	assert_int_equal(fd_read_value(t.fd, ".", text, sizeof(text)), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ownership),
		cmocka_unit_test(test_write_all_and_read_all),
		cmocka_unit_test(test_all_errors),
		cmocka_unit_test(test_read_file),
		cmocka_unit_test(test_read_file_without_size),
		cmocka_unit_test(test_write_value),
		cmocka_unit_test(test_read_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
