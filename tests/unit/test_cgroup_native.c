/*
 * The cgroup library on the cgroup2 mount of this host: creation, fitness, killing, removal, and
 * device programs in the kernel. Needs root with write access there; elsewhere every test is
 * skipped with its reason. Limits are tested in the guest (tests/vm), which has all controllers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/cgroup.h"

#define KILL_TIMEOUT_MS 60000

struct native {
	struct cgroup_root root;
	char base[64]; /* "/hull-test-PID": all cgroups of a test are below it */
	const char *skip;
};

static int setup(void **state)
{
	static int serial;
	struct native *n = calloc(1, sizeof(*n));
	if (!n)
		return -1;
	*state = n;
	n->root.fd = -EBADF;
	snprintf(n->base, sizeof(n->base), "/hull-test-%d-%d", getpid(), serial++);
	struct err err;
	if (cgroup_root_open(&n->root, &err) < 0) {
		n->skip = "no cgroup2 mount";
	} else if (mkdirat(n->root.fd, n->base + 1, 0755) < 0) {
		n->skip = "no write access to the cgroup2 mount";
	}
	return 0;
}

static int teardown(void **state)
{
	struct native *n = *state;
	struct err err;
	int r = n->skip ? 0 : cgroup_remove(&n->root, n->base, &err);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", err.message, err_text(err.code).s);
	cgroup_root_close(&n->root);
	free(n);
	return r;
}

static struct native *native_or_skip(void **state)
{
	struct native *n = *state;
	if (n->skip) {
		print_message("skipped: %s\n", n->skip);
		skip();
	}
	return n;
}

static int create(const struct native *n, const char *below, int *fd, struct err *err)
{
	char path[128];
	bool made;
	snprintf(path, sizeof(path), "%s%s", n->base, below);
	return cgroup_create(&n->root, path, NULL, fd, &made, err);
}

static pid_t fork_into(int cgroup)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup,
	};
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* A process in the cgroup that only waits to be killed. */
static pid_t sleeper(int cgroup)
{
	pid_t pid = fork_into(cgroup);
	if (pid == 0) {
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void assert_killed(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void wait_frozen(int fd)
{
	_cleanup_close_ int events = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	char text[128];
	do {
		struct pollfd p = { .fd = events, .events = POLLPRI };
		assert_true(lseek(events, 0, SEEK_SET) == 0);
		ssize_t n = fd_read_all(events, text, sizeof(text) - 1);
		assert_true(n > 0);
		text[n] = '\0';
		if (strstr(text, "frozen 1"))
			return;
		assert_true(poll(&p, 1, KILL_TIMEOUT_MS) > 0);
	} while (true);
}

/* ---- tests ---- */

static void test_create_open_remove(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int fd = -EBADF, again = -EBADF, opened = -EBADF;
	struct err err;
	char path[128];
	bool made = false;
	snprintf(path, sizeof(path), "%s/a/b", n->base);
	assert_int_equal(cgroup_create(&n->root, path, NULL, &fd, &made, &err), 0);
	assert_true(made);
	assert_int_equal(cgroup_create(&n->root, path, NULL, &again, &made, &err), 0);
	assert_false(made);
	assert_int_equal(cgroup_open(&n->root, path, &opened, &err), 0);
	assert_int_equal(cgroup_remove(&n->root, path, &err), 0);
	fd_close(&opened);
	assert_int_equal(cgroup_open(&n->root, path, &opened, &err), -ENOENT);
	assert_int_equal(cgroup_kill(fd, KILL_TIMEOUT_MS, &err), 0);
}

static void test_occupied_or_frozen_is_refused(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int fd = -EBADF, second = -EBADF;
	struct err err;
	assert_int_equal(create(n, "/busy", &fd, &err), 0);
	pid_t pid = sleeper(fd);
	assert_int_equal(create(n, "/busy", &second, &err), -EBUSY);
	assert_non_null(strstr(err.message, "has processes"));
	assert_int_equal(cgroup_kill(fd, KILL_TIMEOUT_MS, &err), 0);
	assert_killed(pid);
	assert_int_equal(create(n, "/busy", &second, &err), 0);
	fd_close(&second);
	assert_int_equal(fd_write_value(fd, "cgroup.freeze", "1"), 0);
	assert_int_equal(create(n, "/busy", &second, &err), -EBUSY);
	assert_non_null(strstr(err.message, "frozen"));
	/* Below a frozen one: refused as well, and not left behind. */
	assert_int_equal(create(n, "/busy/below", &second, &err), -EBUSY);
	assert_int_equal(faccessat(fd, "below", F_OK, 0), -1);
}

static void test_kill_frozen_and_nested(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int top = -EBADF, leaf = -EBADF;
	struct err err;
	assert_int_equal(create(n, "/k", &top, &err), 0);
	assert_int_equal(create(n, "/k/1/2/3", &leaf, &err), 0);
	pid_t pids[] = { sleeper(leaf), sleeper(leaf), sleeper(top) };
	assert_int_equal(fd_write_value(leaf, "cgroup.freeze", "1"), 0);
	wait_frozen(leaf);
	assert_int_equal(cgroup_kill(top, KILL_TIMEOUT_MS, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		assert_killed(pids[i]);
}

/* Processes that fork while they are being killed: at most 2^8 of them. */
static void test_kill_fork_bomb(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int fd = -EBADF;
	struct err err;
	assert_int_equal(create(n, "/bomb", &fd, &err), 0);
	pid_t pid = fork_into(fd);
	if (pid == 0) {
		for (int i = 0; i < 8; i++)
			(void)fork();
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	assert_int_equal(cgroup_kill(fd, KILL_TIMEOUT_MS, &err), 0);
	assert_killed(pid);
	char path[128];
	snprintf(path, sizeof(path), "%s/bomb", n->base);
	assert_int_equal(cgroup_remove(&n->root, path, &err), 0);
}

static void test_kill_times_out(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int fd = -EBADF;
	struct err err;
	assert_int_equal(create(n, "/slow", &fd, &err), 0);
	pid_t pid = sleeper(fd);
	int r = cgroup_kill(fd, 0, &err);
	assert_true(r == 0 || r == -ETIMEDOUT);
	assert_int_equal(cgroup_kill(fd, KILL_TIMEOUT_MS, &err), 0);
	assert_killed(pid);
}

static void test_missing_controller(void **state)
{
	const struct native *n = native_or_skip(state);
	const struct cgroup_plan plan = { .controllers = { "nothing" }, .controllers_at = { 9 } };
	char path[128];
	int fd = -EBADF;
	bool made = false;
	struct err err;
	snprintf(path, sizeof(path), "%s/x/y", n->base);
	assert_int_equal(cgroup_create(&n->root, path, &plan, &fd, &made, &err), -ENODEV);
	assert_int_equal(err.at, 9);
	snprintf(path, sizeof(path), "%s/x", n->base);
	assert_int_equal(faccessat(n->root.fd, path + 1, F_OK, 0), -1);
}

/* ---- device programs in the kernel ---- */

/* 0 when the device can be opened by a process in the cgroup, else its errno. */
static int open_inside(int cgroup, const char *device, int flags)
{
	pid_t pid = fork_into(cgroup);
	if (pid == 0)
		_exit(open(device, flags | O_CLOEXEC) < 0 ? errno : 0);
	int status;
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_device_program(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	_cleanup_close_ int fd = -EBADF;
	struct err err;
	struct spec_device_rule rules[] = {
		{ .allow = { false, 1 }, .at = 1 },
		{ .type = { "c", 1 }, .major = { 1, 1 }, .minor = { 5, 1 }, .access = { "w", 1 } },
	};
	struct spec_resources res = { .devices = { rules, ARRAY_SIZE(rules), 1 } };
	struct cgroup_plan plan;
	assert_int_equal(cgroup_plan_resources(&res, &arena, &plan, &err), 0);
	assert_int_equal(create(n, "/dev", &fd, &err), 0);
	int r = cgroup_apply(fd, &plan, &err);
	if (r == -EPERM) {
		print_message("skipped: device programs are not permitted here\n");
		skip();
	}
	if (r < 0)
		print_message("%s: %s: %s\n", err.message, err_text(err.code).s, err.kernel);
	assert_int_equal(r, 0);
	assert_int_equal(open_inside(fd, "/dev/null", O_RDWR), 0);
	assert_int_equal(open_inside(fd, "/dev/kmsg", O_RDONLY), EPERM);
	assert_int_equal(open_inside(fd, "/dev/zero", O_RDONLY), 0);
	assert_int_equal(open_inside(fd, "/dev/zero", O_RDWR), EPERM);
}

static void test_broken_program_is_an_error(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int fd = -EBADF;
	struct err err;
	struct bpf_insn insns[] = { { .code = BPF_JMP | BPF_EXIT } }; /* r0 was never set */
	const struct cgroup_plan plan = { .device_insns = insns, .device_insns_n = 1 };
	assert_int_equal(create(n, "/bad", &fd, &err), 0);
	int r = cgroup_apply(fd, &plan, &err);
	assert_true(r == -EACCES || r == -EPERM);
	if (r == -EACCES)
		assert_non_null(strstr(err.kernel, "R0"));
}

static void test_unknown_file(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int fd = -EBADF;
	struct err err;
	assert_int_equal(create(n, "/f", &fd, &err), 0);
	struct cgroup_write writes[] = {
		{ .file = "cgroup.max.descendants", .value = "7", .at = 1 },
		{ .file = "a.x", .value = "1", .flags = CGROUP_WRITE_IF_PRESENT, .at = 2 },
		{ .file = "a.x", .value = "?", .or_file = "cgroup.max.depth", .or_value = "5" },
		{ .file = "a.x", .value = "1", .or_file = "a.y", .or_value = "1", .at = 4 },
	};
	const struct cgroup_plan plan = { .writes = writes, .writes_n = ARRAY_SIZE(writes) };
	assert_int_equal(cgroup_apply(fd, &plan, &err), -ENODEV);
	assert_int_equal(err.at, 4);
	assert_string_equal(err.message, "this kernel has no cgroup file 'a.x' and no 'a.y'");
	char text[32];
	assert_int_equal(fd_read_value(fd, "cgroup.max.descendants", text, sizeof(text)), 0);
	assert_string_equal(text, "7");
	assert_int_equal(fd_read_value(fd, "cgroup.max.depth", text, sizeof(text)), 0);
	assert_string_equal(text, "5");
}

/* ---- limits in the kernel ---- */

struct limit_case {
	const char *controller, *file, *want;
	struct spec_resources res;
};

static void check_limit(const struct native *n, const struct limit_case *c)
{
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	_cleanup_close_ int fd = -EBADF;
	struct cgroup_plan plan;
	char path[128], text[256];
	bool made;
	struct err err;
	/* Not the file's name itself, which the kernel puts into the parent. */
	snprintf(path, sizeof(path), "%s/limit/of-%s", n->base, c->file);
	assert_int_equal(cgroup_plan_resources(&c->res, &arena, &plan, &err), 0);
	int r = cgroup_create(&n->root, path, &plan, &fd, &made, &err);
	if (r == -ENODEV) {
		print_message("not checked: %s\n", err.message);
		assert_non_null(strstr(err.message, c->controller));
		return;
	}
	if (r == 0)
		r = cgroup_apply(fd, &plan, &err);
	if (r < 0)
		print_message("%s: %s: %s\n", c->file, err.message, err_text(err.code).s);
	assert_int_equal(r, 0);
	assert_int_equal(fd_read_value(fd, c->file, text, sizeof(text)), 0);
	assert_string_equal(text, c->want);
}

#define SET(x)         \
	{              \
		(x), 7 \
	}
#define LIST(...)                                         \
	{                                                 \
		(__VA_ARGS__), ARRAY_SIZE(__VA_ARGS__), 7 \
	}

/* What is not offered by this host is checked in the guest. */
static void test_limits_read_back(void **state)
{
	const struct native *n = native_or_skip(state);
	static struct spec_hugepage_limit pages[] = { { SET("2MB"), SET(4194304), 7 } };
	static struct spec_pair high[] = { { "memory.high", "16777216", 7, 7 } };
	static const struct limit_case cases[] = {
		{ "memory", "memory.max", "33554432", { .memory = { .limit = SET(33554432) } } },
		{ "memory", "memory.max", "max", { .memory = { .limit = SET(-1) } } },
		{ "memory",
		  "memory.low",
		  "8388608",
		  { .memory = { .reservation = SET(8388608) } } },
		{ "memory",
		  "memory.swap.max",
		  "4194304",
		  { .memory = { .limit = SET(33554432), .swap = SET(37748736) } } },
		{ "memory", "memory.high", "16777216", { .unified = LIST(high) } },
		{ "cpu", "cpu.weight", "39", { .cpu = { .shares = SET(1024) } } },
		{ "cpu",
		  "cpu.max",
		  "20000 50000",
		  { .cpu = { .quota = SET(20000), .period = SET(50000) } } },
		{ "cpu",
		  "cpu.max.burst",
		  "10000",
		  { .cpu = { .quota = SET(20000), .burst = SET(10000) } } },
		{ "cpu", "cpu.idle", "1", { .cpu = { .shares = SET(512), .idle = SET(1) } } },
		{ "cpuset", "cpuset.cpus", "0", { .cpu = { .cpus = SET("0") } } },
		{ "pids", "pids.max", "0", { .pids = { .limit = SET(0) } } },
		{ "pids", "pids.max", "max", { .pids = { .limit = SET(-1) } } },
		{ "io", "io.weight", "default 4950", { .block_io = { .weight = SET(500) } } },
		{ "hugetlb",
		  "hugetlb.2MB.rsvd.max",
		  "4194304",
		  { .hugepage_limits = LIST(pages) } },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_limit(n, &cases[i]);
}

#define NATIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NATIVE(test_create_open_remove),     NATIVE(test_occupied_or_frozen_is_refused),
		NATIVE(test_kill_frozen_and_nested), NATIVE(test_kill_fork_bomb),
		NATIVE(test_kill_times_out),         NATIVE(test_missing_controller),
		NATIVE(test_device_program),         NATIVE(test_broken_program_is_an_error),
		NATIVE(test_unknown_file),           NATIVE(test_limits_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
