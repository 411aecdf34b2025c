/* HOME from the passwd file of an image, which may be anything. */
#include "start/home.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/fd.h"
#include "plan/plan.h"
#include "tmpdir.h"

/* ---- one line ---- */

static void test_lines(void **state)
{
	static const struct {
		const char *line;
		uid_t uid;
		const char *home; /* NULL: none */
	} cases[] = {
		{ "root:x:0:0:root:/root:/bin/sh", 0, "/root" },
		{ "root:x:0:0:root:/root", 0, "/root" },
		{ ":::", 0, NULL },
		{ "::0:::/a:", 0, "/a" },
		{ "::0:::/a:b:c:d", 0, "/a" },
		{ "root:x:0:0:root", 0, NULL },
		{ "root:x:0:0:root:", 0, NULL },
		{ "root:x:0:0:root::", 0, NULL },
		{ "root:x:0:0:root:relative:", 0, NULL },
		{ "root:x:0:0:root:/root:/bin/sh", 1, NULL },
		{ "u:x:4294967295:0::/u:", 4294967295, "/u" },
		{ "u:x:4294967296:0::/u:", 0, NULL },
		{ "u:x:-1:0::/u:", 4294967295, NULL },
		{ "u:x:00:0::/u:", 0, "/u" },
		{ "u:x: 0:0::/u:", 0, NULL },
		{ "u:x:+0:0::/u:", 0, NULL },
		{ "u:x:0x0:0::/u:", 0, NULL },
		{ "u:x::0::/u:", 0, NULL },
		{ "u:x:0000000000000000000000000:0::/u:", 0, NULL },
		{ "u:x:0:0::/a b\tc:", 0, "/a b\tc" },
		{ "", 0, NULL },
		{ "root", 0, NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[64] = "old";
		bool found = home_parse_line(cases[i].line, strlen(cases[i].line), cases[i].uid,
					     buf, sizeof(buf));
		assert_int_equal(found, cases[i].home != NULL);
		assert_string_equal(buf, found ? cases[i].home : "old");
	}
}

/* A home that does not fit is none: a path that is cut off would be another one. */
static void test_size(void **state)
{
	const char line[] = "::0:::/abcdef:";
	char buf[9];
	(void)state;
	for (size_t size = 1; size <= sizeof(buf); size++) {
		memset(buf, 'x', sizeof(buf));
		bool found = home_parse_line(line, strlen(line), 0, buf, size);
		assert_int_equal(found, size > strlen("/abcdef"));
		assert_true(size == sizeof(buf) || buf[size] == 'x');
	}
}

/* ---- a file ---- */

static void assert_home(struct tmpdir *t, uid_t uid, const char *expected)
{
	char buf[PLAN_HOME_SIZE];
	_cleanup_close_ int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(home_find(t->fd, proc_fd, uid, buf, sizeof(buf)), 0);
	assert_string_equal(buf, expected);
}

static void with_passwd(const void *text, size_t size, uid_t uid, const char *expected)
{
	_cleanup_tmpdir_ struct tmpdir t;
	tmpdir_init(&t);
	tmpdir_mkdir(&t, "etc", 0755);
	tmpdir_write_bytes(&t, "etc/passwd", text, size);
	assert_home(&t, uid, expected);
}

static void test_files(void **state)
{
	static const struct {
		const char *text;
		uid_t uid;
		const char *expected;
	} cases[] = {
		{ "root:x:0:0::/root:/bin/sh\nuser:x:7:7::/home/u:/bin/sh\n", 7, "HOME=/home/u" },
		{ "root:x:0:0::/root:/bin/sh\nuser:x:7:7::/home/u:/bin/sh", 7, "HOME=/home/u" },
		{ "user:x:7:7::/first:\nuser:x:7:7::/second:\n", 7, "HOME=/first" },
		{ "user:x:7:7::relative:\nuser:x:7:7::/second:\n", 7, "HOME=/second" },
		{ "root:x:0:0::/root:\n", 7, "HOME=/" },
		{ "", 0, "HOME=/" },
		{ "\n\n\n::0:::/x:\n", 0, "HOME=/x" },
		{ "::0:::/x:\r\n", 0, "HOME=/x" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		with_passwd(cases[i].text, strlen(cases[i].text), cases[i].uid, cases[i].expected);
}

static void test_no_file(void **state)
{
	_cleanup_tmpdir_ struct tmpdir t;
	(void)state;
	tmpdir_init(&t);
	assert_home(&t, 0, "HOME=/");
	tmpdir_mkdir(&t, "etc", 0755);
	assert_home(&t, 0, "HOME=/");
	tmpdir_mkdir(&t, "etc/passwd", 0755);
	assert_home(&t, 0, "HOME=/");
}

/* A fifo must not hold up the start; a link leads only to what is in the image. */
static void test_special_files(void **state)
{
	_cleanup_tmpdir_ struct tmpdir t;
	(void)state;
	tmpdir_init(&t);
	tmpdir_mkdir(&t, "etc", 0755);
	assert_int_equal(mkfifoat(t.fd, "etc/passwd", 0600), 0);
	assert_home(&t, 0, "HOME=/");

	_cleanup_tmpdir_ struct tmpdir links;
	tmpdir_init(&links);
	tmpdir_mkdir(&links, "etc", 0755);
	tmpdir_symlink(&links, "/etc/real", "etc/passwd");
	assert_home(&links, 0, "HOME=/");
	tmpdir_write(&links, "etc/real", 0600, "::0:::/in:\n");
	assert_home(&links, 0, "HOME=/in");
}

/* Exchanged all the time with a fifo, which is never opened, not even for a moment. */
static void test_exchanged(void **state)
{
	_cleanup_tmpdir_ struct tmpdir t;
	char path[PATH_MAX], event[4096];
	(void)state;
	tmpdir_init(&t);
	tmpdir_mkdir(&t, "etc", 0755);
	tmpdir_write(&t, "etc/passwd", 0600, "");
	assert_int_equal(mkfifoat(t.fd, "etc/other", 0600), 0);
	_cleanup_close_ int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/etc/other", t.fd);
	assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	pid_t pid = fork();
	for (int i = 0; pid == 0 && i < 200000; i++)
		(void)!renameat2(t.fd, "etc/passwd", t.fd, "etc/other", RENAME_EXCHANGE);
	if (pid == 0)
		_exit(0);
	while (waitpid(pid, NULL, WNOHANG) == 0)
		assert_home(&t, 0, "HOME=/");
	assert_int_equal(read(watch, event, sizeof(event)), -1);
}

/* Long lines, and lines that lie across the end of the buffer. */
static void test_long_lines(void **state)
{
	_cleanup_arena_ struct arena arena;
	(void)state;
	arena_init(&arena);
	for (size_t before = 4000; before < 4200; before += 7) {
		char *text = arena_alloc(&arena, before + 32);
		memset(text, '\n', before);
		memcpy(text + before, "::9:::/nine:\n", 14);
		with_passwd(text, strlen(text), 9, "HOME=/nine");
	}
	char *longest = arena_alloc(&arena, 10000);
	memset(longest, 'a', 5000);
	memcpy(longest + 5000, "\n::9:::/nine:\n", 15);
	with_passwd(longest, strlen(longest), 9, "HOME=/");
}

static void test_binary(void **state)
{
	static const char text[] = "\0\xff\n::9:::/ni\0ne:\n";
	_cleanup_arena_ struct arena arena;
	(void)state;
	arena_init(&arena);
	with_passwd(text, sizeof(text) - 1, 9, "HOME=/ni");
	char *all = arena_alloc(&arena, 65536);
	for (size_t i = 0; i < 65536; i++)
		all[i] = (char)(i * 2654435761u >> 24);
	with_passwd(all, 65536, 9, "HOME=/");
}

/* A file without an end is given up on. */
static void test_huge(void **state)
{
	_cleanup_arena_ struct arena arena;
	size_t size = (size_t)2 * 1024 * 1024;
	(void)state;
	arena_init(&arena);
	char *text = arena_alloc(&arena, size + 32);
	memset(text, '\n', size);
	memcpy(text + size, "::9:::/nine:\n", 13);
	with_passwd(text, size + 13, 9, "HOME=/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),         cmocka_unit_test(test_size),
		cmocka_unit_test(test_files),         cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_special_files), cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_binary),        cmocka_unit_test(test_huge),
		cmocka_unit_test(test_exchanged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
