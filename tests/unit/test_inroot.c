/*
 * The path resolver against root filesystems that want out: absolute and climbing links, dangling
 * ones, chains, loops, links of /proc, and a process that exchanges a directory with a link to the
 * host while paths are made. "host" stands beside "root": nothing in it may ever change.
 */
#include "base/inroot.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "tmpdir.h"

#define HOST_TREE "canary dir/ dir/inner"

struct fixture {
	struct tmpdir tmp;
	int root;
};

static void setup(struct fixture *f)
{
	tmpdir_init(&f->tmp);
	tmpdir_mkdir(&f->tmp, "host", 0755);
	tmpdir_write(&f->tmp, "host/canary", 0644, "host");
	tmpdir_mkdir(&f->tmp, "host/dir", 0755);
	tmpdir_write(&f->tmp, "host/dir/inner", 0644, "host");
	tmpdir_mkdir(&f->tmp, "root", 0755);
	f->root = openat(f->tmp.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->root >= 0);
}

static void teardown(struct fixture *f)
{
	if (f->root < 0)
		return;
	fd_close(&f->root);
	tmpdir_done(&f->tmp);
}

#define _cleanup_fixture_ _cleanup_(teardown)

/* After each attempt the host's tree is what it was. */
static void assert_host_unchanged(struct fixture *f)
{
	char tree[4096];
	tmpdir_list(&f->tmp, "host", tree, sizeof(tree));
	assert_string_equal(tree, HOST_TREE);
}

static void assert_root_is(struct fixture *f, const char *expected)
{
	char tree[4096];
	tmpdir_list(&f->tmp, "root", tree, sizeof(tree));
	assert_string_equal(tree, expected);
}

/* The descriptor is the file of that name. Closes it. */
static void assert_is_file(struct fixture *f, int fd, const char *name)
{
	struct stat a, b;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstatat(f->tmp.fd, name, &b, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(a.st_dev, b.st_dev);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void test_open_stays_inside(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	char to_host[128];
	setup(&f);
	tmpdir_mkdir(&f.tmp, "root/etc", 0755);
	tmpdir_write(&f.tmp, "root/etc/file", 0644, "");
	tmpdir_symlink(&f.tmp, "/etc/file", "root/absolute");
	tmpdir_symlink(&f.tmp, "../../../../etc/file", "root/climbing");
	snprintf(to_host, sizeof(to_host), "%s/host/canary", f.tmp.path);
	tmpdir_symlink(&f.tmp, to_host, "root/to-host");
	tmpdir_symlink(&f.tmp, "../host/canary", "root/beside");

	static const char *const inside[] = { "/etc/file",         "etc/file",  "//etc//file",
					      "/absolute",         "/climbing", "/../../etc/file",
					      "/etc/../etc/./file" };
	struct err err;
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
		assert_is_file(&f, inroot_open(f.root, inside[i], O_PATH, &err), "root/etc/file");
	assert_int_equal(inroot_open(f.root, "/to-host", O_PATH, &err), -ENOENT);
	assert_int_equal(inroot_open(f.root, "/beside", O_PATH, &err), -ENOENT);
	assert_int_equal(inroot_open(f.root, "../host/canary", O_PATH, &err), -ENOENT);
	assert_int_equal(inroot_open(f.root, "", O_PATH, &err), -ENOENT);
	assert_string_equal(err.message, "cannot open '' in the root filesystem");
	assert_is_file(&f, inroot_open(f.root, "/absolute", O_PATH | O_NOFOLLOW, &err),
		       "root/absolute");
	assert_is_file(&f, inroot_try(f.root, "/", O_PATH | O_DIRECTORY), "root");
}

/* 40 links are followed, as everywhere in the kernel; the 41st is one too many. */
static void test_chains_and_loops(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	struct err err;
	char name[32], target[32];
	setup(&f);
	tmpdir_write(&f.tmp, "root/link0", 0644, "");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "root/link%d", i);
		snprintf(target, sizeof(target), "/link%d", i - 1);
		tmpdir_symlink(&f.tmp, target, name);
	}
	tmpdir_symlink(&f.tmp, "loop-b", "root/loop-a");
	tmpdir_symlink(&f.tmp, "loop-a", "root/loop-b");
	assert_is_file(&f, inroot_open(f.root, "link40", O_PATH, &err), "root/link0");
	assert_int_equal(inroot_open(f.root, "link41", O_PATH, &err), -ELOOP);
	assert_non_null(strstr(err.hint, "loop"));
	assert_int_equal(inroot_mkdir(f.root, "loop-a", 0755, &err), -ELOOP);
	assert_int_equal(inroot_mkdir(f.root, "loop-a/x/y", 0755, &err), -ELOOP);
	assert_int_equal(inroot_create_file(f.root, "loop-a", 0644, &err), -ELOOP);
	assert_int_equal(inroot_create_file(f.root, "link41", 0644, &err), -ELOOP);
}

static void test_dangling_chain_is_bounded(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	struct err err;
	setup(&f);
	/* Each part of the path is a link that makes the path longer; none of them ever exists. */
	tmpdir_symlink(&f.tmp, "grow/missing/..", "root/grow");
	int fd = inroot_mkdir(f.root, "grow/x", 0755, &err);
	assert_true(fd == -ELOOP || fd == -EINVAL);
	assert_root_is(&f, "grow@");
}

static void test_mkdir_makes_parents(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	struct err err;
	struct stat st;
	setup(&f);
	assert_is_file(&f, inroot_mkdir(f.root, "/a/b/./c/", 0750, &err), "root/a/b/c");
	assert_root_is(&f, "a/ a/b/ a/b/c/");
	assert_int_equal(fstatat(f.tmp.fd, "root/a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_is_file(&f, inroot_mkdir(f.root, "a/b/../d", 0755, &err), "root/a/d");
	assert_is_file(&f, inroot_mkdir(f.root, "/", 0755, &err), "root");
	assert_is_file(&f, inroot_mkdir(f.root, ".", 0755, &err), "root");
	assert_is_file(&f, inroot_mkdir(f.root, "../../e", 0755, &err), "root/e");
	assert_root_is(&f, "a/ a/b/ a/b/c/ a/d/ e/");
	assert_host_unchanged(&f);
}

static void test_mkdir_refuses(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	struct err err;
	char longer[NAME_MAX + 2], longest[PATH_MAX + 2];
	setup(&f);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memset(longest, '/', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	tmpdir_write(&f.tmp, "root/file", 0644, "");
	assert_int_equal(inroot_mkdir(f.root, "a/../b", 0755, &err), -EINVAL);
	assert_int_equal(inroot_mkdir(f.root, "a/b/..", 0755, &err), -EINVAL);
	assert_string_equal(err.message,
			    "cannot make the directory 'a/b/..' in the root filesystem");
	assert_int_equal(inroot_mkdir(f.root, "", 0755, &err), -ENOENT);
	assert_int_equal(inroot_mkdir(f.root, "file", 0755, &err), -ENOTDIR);
	assert_int_equal(inroot_mkdir(f.root, "file/x", 0755, &err), -ENOTDIR);
	assert_int_equal(inroot_mkdir(f.root, longer, 0755, &err), -ENAMETOOLONG);
	assert_int_equal(inroot_mkdir(f.root, longest, 0755, &err), -ENAMETOOLONG);
	assert_root_is(&f, "file");
}

/* What a dangling link points to is made inside the root. */
static void test_mkdir_follows_dangling_links(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	struct err err;
	char to_host[128], inside[256];
	setup(&f);
	tmpdir_mkdir(&f.tmp, "root/var", 0755);
	tmpdir_symlink(&f.tmp, "/run", "root/var/run");
	tmpdir_symlink(&f.tmp, "../lock/deep", "root/var/lock");
	tmpdir_symlink(&f.tmp, "chain2", "root/chain1");
	tmpdir_symlink(&f.tmp, "/chain3", "root/chain2");
	assert_is_file(&f, inroot_mkdir(f.root, "/var/run/app", 0755, &err), "root/run/app");
	assert_is_file(&f, inroot_mkdir(f.root, "/var/lock", 0755, &err), "root/lock/deep");
	assert_is_file(&f, inroot_mkdir(f.root, "/chain1", 0755, &err), "root/chain3");

	snprintf(to_host, sizeof(to_host), "%s/host/new", f.tmp.path);
	tmpdir_symlink(&f.tmp, to_host, "root/to-host");
	tmpdir_symlink(&f.tmp, "../../../../../../tmp/climbed", "root/climbing");
	snprintf(inside, sizeof(inside), "root%s", to_host);
	assert_is_file(&f, inroot_mkdir(f.root, "/to-host", 0755, &err), inside);
	assert_is_file(&f, inroot_mkdir(f.root, "/climbing/x", 0755, &err), "root/tmp/climbed/x");
	assert_int_equal(access("/tmp/climbed", F_OK), -1);
	assert_host_unchanged(&f);
}

static void test_create_file(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	struct err err;
	struct stat st;
	char to_host[128], inside[256];
	setup(&f);
	assert_is_file(&f, inroot_create_file(f.root, "/etc/sub/hosts", 0640, &err),
		       "root/etc/sub/hosts");
	assert_int_equal(fstatat(f.tmp.fd, "root/etc/sub/hosts", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(fstatat(f.tmp.fd, "root/etc/sub", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_is_file(&f, inroot_create_file(f.root, "/etc/sub/hosts", 0, &err),
		       "root/etc/sub/hosts");
	tmpdir_symlink(&f.tmp, "/run/resolv.conf", "root/etc/resolv.conf");
	assert_is_file(&f, inroot_create_file(f.root, "etc/resolv.conf", 0644, &err),
		       "root/run/resolv.conf");
	snprintf(to_host, sizeof(to_host), "%s/host/new", f.tmp.path);
	tmpdir_symlink(&f.tmp, to_host, "root/to-host");
	snprintf(inside, sizeof(inside), "root%s", to_host);
	assert_is_file(&f, inroot_create_file(f.root, "to-host", 0644, &err), inside);
	assert_int_equal(inroot_create_file(f.root, "/etc", 0644, &err), -EISDIR);
	assert_int_equal(inroot_create_file(f.root, "/", 0644, &err), -EISDIR);
	assert_int_equal(inroot_create_file(f.root, "", 0644, &err), -ENOENT);
	assert_int_equal(inroot_create_file(f.root, "/new/..", 0644, &err), -EINVAL);
	assert_int_equal(inroot_create_file(f.root, "/new/.", 0644, &err), -EINVAL);
	assert_host_unchanged(&f);
}

/* A fifo or a device that is already there is a fine mount target and is not opened. */
static void test_create_file_takes_what_is_there(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	struct err err;
	setup(&f);
	assert_int_equal(mkfifoat(f.tmp.fd, "root/fifo", 0600), 0);
	assert_is_file(&f, inroot_create_file(f.root, "fifo", 0644, &err), "root/fifo");
}

static void test_parent(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	struct err err;
	char name[NAME_MAX + 1], tiny[4];
	setup(&f);
	tmpdir_symlink(&f.tmp, "/made", "root/dev");
	assert_is_file(&f, inroot_parent(f.root, "/dev/net/tun", name, sizeof(name), &err),
		       "root/made/net");
	assert_string_equal(name, "tun");
	assert_is_file(&f, inroot_parent(f.root, "null", name, sizeof(name), &err), "root");
	assert_string_equal(name, "null");
	assert_is_file(&f, inroot_parent(f.root, "/dev//", name, sizeof(name), &err), "root");
	assert_string_equal(name, "dev");
	static const char *const nameless[] = { "/", "/dev/..", "dev/.", "..", "." };
	for (size_t i = 0; i < ARRAY_SIZE(nameless); i++)
		assert_int_equal(inroot_parent(f.root, nameless[i], name, sizeof(name), &err),
				 -EINVAL);
	assert_int_equal(inroot_parent(f.root, "", name, sizeof(name), &err), -ENOENT);
	assert_int_equal(inroot_parent(f.root, "/dev/null", tiny, sizeof(tiny), &err),
			 -ENAMETOOLONG);
}

/* In a child with its own mount namespace; 77: this caller may not mount. */
static int try_magic_links(struct fixture *f)
{
	char top[128], proc[128];
	struct err err;
	snprintf(top, sizeof(top), "%s/root", f->tmp.path);
	snprintf(proc, sizeof(proc), "%s/root/proc", f->tmp.path);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("/proc", proc, NULL, MS_BIND | MS_REC, NULL) < 0)
		return 77;
	/* By path: the fixture's descriptors still belong to the mount namespace before. */
	_cleanup_close_ int root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	static const char *const jumps[] = { "/proc/self/root/etc", "/proc/self/cwd",
					     "/proc/self/fd/0", "/to-root/tmp" };
	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		if (inroot_open(root, jumps[i], O_PATH, &err) != -ELOOP)
			return 1 + (int)i;
		if (inroot_mkdir(root, jumps[i], 0755, &err) != -ELOOP)
			return 11 + (int)i;
		if (inroot_create_file(root, jumps[i], 0644, &err) != -ELOOP)
			return 21 + (int)i;
	}
	return 0;
}

static void test_magic_links(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	int status;
	setup(&f);
	tmpdir_mkdir(&f.tmp, "root/proc", 0755);
	tmpdir_symlink(&f.tmp, "/proc/self/root", "root/to-root");
	pid_t pid = fork();
	if (pid == 0)
		_exit(try_magic_links(&f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: this user may not mount\n");
		teardown(&f); /* skip() jumps over the cleanup */
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_host_unchanged(&f);
}

static void test_mount_id(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	uint64_t a, b;
	setup(&f);
	_cleanup_close_ int proc = open("/proc", O_PATH | O_CLOEXEC);
	assert_int_equal(inroot_mount_id(f.root, &a), 0);
	assert_int_equal(inroot_mount_id(f.tmp.fd, &b), 0);
	assert_true(a == b);
	assert_int_equal(inroot_mount_id(proc, &b), 0);
	assert_true(a != b);
	assert_int_equal(inroot_mount_id(-1, &b), -EBADF);
}

/* In a child: openat2 fails with this errno from now on. */
static int break_openat2(int code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(filter), .filter = filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int all_refuse(int root, int code)
{
	struct err err = { 0 };
	char name[16];
	if (break_openat2(code) < 0)
		return 1;
	if (inroot_open(root, "etc", O_PATH, &err) != -code)
		return 2;
	if (inroot_mkdir(root, "a/b", 0755, &err) != -code)
		return 3;
	if (inroot_create_file(root, "a/b", 0644, &err) != -code)
		return 4;
	if (inroot_parent(root, "a/b", name, sizeof(name), &err) != -code)
		return 5;
	return code == ENOSYS && !strstr(err.hint, "openat2") ? 6 : 0;
}

/* Without openat2 there is no second way; and what is always busy has an end. */
static void test_no_fallback(void **state)
{
	(void)state;
	static const int codes[] = { ENOSYS, EPERM, EAGAIN };
	_cleanup_fixture_ struct fixture f;
	setup(&f);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(all_refuse(f.root, codes[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	assert_root_is(&f, "");
}

/* Until it is killed: root/flip is now a directory, now a link to the host's directory. */
static _Noreturn void exchange_forever(int dirfd)
{
	for (;;)
		renameat2(dirfd, "root/flip", dirfd, "root/flop", RENAME_EXCHANGE);
}

static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Makes and removes a directory and a file below root/flip; counts what succeeded. */
static unsigned race_once(int root)
{
	struct err err;
	unsigned made = 0;
	_cleanup_close_ int dir = inroot_mkdir(root, "flip/x/y/z", 0755, &err);
	made += dir >= 0;
	_cleanup_close_ int file = inroot_create_file(root, "flip/../flip/f", 0644, &err);
	made += file >= 0;
	static const char *const traces[] = { "x/y/z", "x/y", "x", "f" };
	static const char *const tops[] = { "flip", "flop" };
	for (size_t t = 0; t < ARRAY_SIZE(tops); t++) {
		_cleanup_close_ int top = inroot_try(root, tops[t],
						     O_PATH | O_DIRECTORY | O_NOFOLLOW);
		for (size_t i = 0; top >= 0 && i < ARRAY_SIZE(traces); i++)
			unlinkat(top, traces[i], i < 3 ? AT_REMOVEDIR : 0);
	}
	return made;
}

static void test_exchange_race(void **state)
{
	(void)state;
	_cleanup_fixture_ struct fixture f;
	char to_host[128];
	unsigned made = 0, rounds = 0;
	setup(&f);
	snprintf(to_host, sizeof(to_host), "%s/host/dir", f.tmp.path);
	tmpdir_mkdir(&f.tmp, "root/flip", 0755);
	tmpdir_symlink(&f.tmp, to_host, "root/flop");
	pid_t pid = fork();
	if (pid == 0)
		exchange_forever(f.tmp.fd);
	for (double end = seconds_now() + 1.5; seconds_now() < end; rounds++)
		made += race_once(f.root);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	print_message("%u rounds, %u made\n", rounds, made);
	assert_true(made > 0);
	assert_host_unchanged(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_stays_inside),
		cmocka_unit_test(test_chains_and_loops),
		cmocka_unit_test(test_dangling_chain_is_bounded),
		cmocka_unit_test(test_mkdir_makes_parents),
		cmocka_unit_test(test_mkdir_refuses),
		cmocka_unit_test(test_mkdir_follows_dangling_links),
		cmocka_unit_test(test_create_file),
		cmocka_unit_test(test_create_file_takes_what_is_there),
		cmocka_unit_test(test_parent),
		cmocka_unit_test(test_magic_links),
		cmocka_unit_test(test_mount_id),
		cmocka_unit_test(test_no_fallback),
		cmocka_unit_test(test_exchange_race),
	};
	umask(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
