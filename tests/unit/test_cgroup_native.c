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
#include "cgroup/procs.h"

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
	int r = n->skip ? 0 : cgroup_remove(&n->root, n->base, 0, KILL_TIMEOUT_MS, &err);
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

/* A cgroup that nobody holds. */
static int create(const struct native *n, const char *below, int *fd, struct err *err)
{
	char path[128];
	struct cgroup got;
	snprintf(path, sizeof(path), "%s%s", n->base, below);
	int r = cgroup_create(&n->root, path, NULL, &got, err);
	if (r < 0)
		return r;
	fd_close(&got.lock_fd);
	*fd = got.fd;
	return 0;
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
	_cleanup_close_ int opened = -EBADF;
	struct cgroup got, again;
	struct err err;
	char path[128];
	size_t kept;
	snprintf(path, sizeof(path), "%s/a/b", n->base);
	assert_int_equal(cgroup_find_kept(&n->root, path, &kept, &err), 0);
	assert_int_equal(kept, strlen(n->base));
	assert_int_equal(cgroup_create(&n->root, path, NULL, &got, &err), 0);
	assert_int_equal(got.kept, kept);
	/* Empty, but somebody is about to use it. */
	assert_int_equal(cgroup_create(&n->root, path, NULL, &again, &err), -EBUSY);
	assert_non_null(strstr(err.message, "a container is using it"));
	fd_close(&got.lock_fd);
	assert_int_equal(cgroup_create(&n->root, path, NULL, &again, &err), 0);
	assert_int_equal(again.kept, strlen(path));
	fd_close(&again.fd);
	fd_close(&again.lock_fd);
	assert_int_equal(cgroup_open(&n->root, path, &opened, &err), 0);
	assert_int_equal(cgroup_remove(&n->root, path, got.kept, KILL_TIMEOUT_MS, &err), 0);
	fd_close(&opened);
	assert_int_equal(cgroup_open(&n->root, path, &opened, &err), -ENOENT);
	assert_int_equal(cgroup_kill(got.fd, false, KILL_TIMEOUT_MS, &err), 0);
	fd_close(&got.fd);
}

/* Parents go only as far as they were made, and only as long as nobody else is in them. */
static void test_parents_in_use_stay(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int mine = -EBADF, other = -EBADF;
	struct err err;
	char path[128], parent[128];
	snprintf(parent, sizeof(parent), "%s/p/q", n->base);
	snprintf(path, sizeof(path), "%s/p/q/mine/x", n->base);
	assert_int_equal(create(n, "/p/q/mine/x", &mine, &err), 0);
	assert_int_equal(create(n, "/p/q/other", &other, &err), 0);
	pid_t pid = sleeper(other);
	assert_int_equal(cgroup_remove(&n->root, path, strlen(n->base), KILL_TIMEOUT_MS, &err), 0);
	assert_int_equal(faccessat(n->root.fd, path + 1, F_OK, 0), -1);
	assert_int_equal(faccessat(n->root.fd, parent + 1, F_OK, 0), 0);
	assert_int_equal(cgroup_kill(other, false, KILL_TIMEOUT_MS, &err), 0);
	assert_killed(pid);
	snprintf(path, sizeof(path), "%s/p/q/other", n->base);
	assert_int_equal(cgroup_remove(&n->root, path, strlen(n->base), KILL_TIMEOUT_MS, &err), 0);
	snprintf(parent, sizeof(parent), "%s/p", n->base);
	assert_int_equal(faccessat(n->root.fd, parent + 1, F_OK, 0), -1);
	assert_int_equal(faccessat(n->root.fd, n->base + 1, F_OK, 0), 0);
}

/* Starts and ends that meet in one new parent: each finds its way, and the parent goes at last. */
static void test_parents_of_many_at_once(void **state)
{
	enum { STARTS = 8, ROUNDS = 50 };
	const struct native *n = native_or_skip(state);
	char path[128];
	int status, failed = 0;
	for (int i = 0; i < STARTS; i++) {
		if (fork() != 0)
			continue;
		struct err err;
		snprintf(path, sizeof(path), "%s/many/parents/%d", n->base, i);
		for (int round = 0; round < ROUNDS; round++) {
			struct cgroup got;
			if (cgroup_create(&n->root, path, NULL, &got, &err) < 0)
				_exit(1);
			fd_close(&got.fd);
			fd_close(&got.lock_fd);
			if (cgroup_remove(&n->root, path, strlen(n->base), KILL_TIMEOUT_MS, &err) <
			    0)
				_exit(2);
		}
		_exit(0);
	}
	for (int i = 0; i < STARTS; i++) {
		assert_true(wait(&status) > 0);
		failed += status != 0;
	}
	assert_int_equal(failed, 0);
	snprintf(path, sizeof(path), "%s/many", n->base);
	assert_int_equal(faccessat(n->root.fd, path + 1, F_OK, 0), -1);
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
	assert_int_equal(cgroup_kill(fd, false, KILL_TIMEOUT_MS, &err), 0);
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
	assert_int_equal(cgroup_kill(top, false, KILL_TIMEOUT_MS, &err), 0);
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
	assert_int_equal(cgroup_kill(fd, false, KILL_TIMEOUT_MS, &err), 0);
	assert_killed(pid);
	char path[128];
	snprintf(path, sizeof(path), "%s/bomb", n->base);
	assert_int_equal(cgroup_remove(&n->root, path, strlen(n->base), KILL_TIMEOUT_MS, &err), 0);
}

/* Whether a process can be made in it, which the kernel may refuse after cgroup.kill. */
static bool is_entered(int fd)
{
	int status;
	pid_t pid = fork_into(fd);
	if (pid == 0)
		_exit(7);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static void test_kill_stays(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int top = -EBADF, leaf = -EBADF;
	struct err err;
	assert_int_equal(create(n, "/s", &top, &err), 0);
	assert_int_equal(create(n, "/s/1", &leaf, &err), 0);
	pid_t pids[] = { sleeper(leaf), sleeper(top) };
	assert_int_equal(fd_write_value(leaf, "cgroup.freeze", "1"), 0);
	wait_frozen(leaf);
	assert_int_equal(cgroup_kill(top, true, KILL_TIMEOUT_MS, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		assert_killed(pids[i]);
	assert_true(is_entered(top));
	pid_t pid = sleeper(top);
	assert_int_equal(cgroup_kill_all(top, true, &err), 0);
	assert_killed(pid);
	assert_true(is_entered(top));
}

/* Deeper than signals go: then it must be cgroup.kill, and nobody complains. */
static void test_kill_stays_deep(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int fd = -EBADF;
	char path[1024] = "";
	struct err err;
	assert_int_equal(create(n, "/deep", &fd, &err), 0);
	pid_t pid = sleeper(fd);
	for (size_t i = 0; i < 260; i++) {
		memcpy(path + 2 * i, "d/", sizeof("d/"));
		assert_int_equal(mkdirat(fd, path, 0755), 0);
	}
	_cleanup_close_ int leaf = openat(fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t deep = sleeper(leaf);
	assert_int_equal(cgroup_kill_all(fd, true, &err), 0);
	assert_killed(pid);
	assert_killed(deep);
}

static void test_kill_times_out(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_close_ int fd = -EBADF;
	struct err err;
	assert_int_equal(create(n, "/slow", &fd, &err), 0);
	pid_t pid = sleeper(fd);
	int r = cgroup_kill(fd, false, 0, &err);
	assert_true(r == 0 || r == -ETIMEDOUT);
	assert_int_equal(cgroup_kill(fd, false, KILL_TIMEOUT_MS, &err), 0);
	assert_killed(pid);
}

static void test_missing_controller(void **state)
{
	const struct native *n = native_or_skip(state);
	const struct cgroup_plan plan = { .controllers = { "nothing" }, .controllers_at = { 9 } };
	char path[128];
	struct cgroup got;
	struct err err;
	snprintf(path, sizeof(path), "%s/x/y", n->base);
	assert_int_equal(cgroup_create(&n->root, path, &plan, &got, &err), -ENODEV);
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

/* Nothing but the default devices, and no writing to /dev/zero. */
static void plan_denials(struct arena *arena, struct cgroup_plan *ret)
{
	struct spec_device_rule rules[] = {
		{ .allow = { false, 1 }, .at = 1 },
		{ .type = { "c", 1 }, .major = { 1, 1 }, .minor = { 5, 1 }, .access = { "w", 1 } },
	};
	struct spec_resources res = { .devices = { rules, ARRAY_SIZE(rules), 1 } };
	struct err err;
	assert_int_equal(cgroup_plan_resources(&res, arena, ret, &err), 0);
}

static void apply_or_skip(int fd, const struct cgroup_plan *plan)
{
	struct err err;
	int r = cgroup_apply(fd, plan, &err);
	if (r == -EPERM) {
		print_message("skipped: device programs are not permitted here\n");
		skip();
	}
	if (r < 0)
		print_message("%s: %s: %s\n", err.message, err_text(err.code).s, err.kernel);
	assert_int_equal(r, 0);
}

/* A device program that allows everything, under a name of its own. */
static int attach_foreign(int cgroup, const char *name)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE };
	load.insns = (uint64_t)(uintptr_t)insns;
	load.insn_cnt = ARRAY_SIZE(insns);
	load.license = (uint64_t)(uintptr_t) "GPL";
	snprintf(load.prog_name, sizeof(load.prog_name), "%s", name);
	int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (program < 0)
		return -errno;
	union bpf_attr attach = { 0 };
	attach.target_fd = (uint32_t)cgroup;
	attach.attach_bpf_fd = (uint32_t)program;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	int r = (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach));
	r = r < 0 ? -errno : 0;
	fd_close(&program);
	return r;
}

static unsigned count_programs(int cgroup)
{
	uint32_t ids[64];
	union bpf_attr attr = { 0 };
	attr.query.target_fd = (uint32_t)cgroup;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = ARRAY_SIZE(ids);
	assert_int_equal(syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)), 0);
	return attr.query.prog_cnt;
}

/* Only hull's own go, however many there are, and none of a parent or of anybody else. */
static void test_device_detach(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	_cleanup_close_ int parent = -EBADF, fd = -EBADF;
	struct cgroup_plan plan;
	struct err err;
	plan_denials(&arena, &plan);
	assert_int_equal(create(n, "/dev", &parent, &err), 0);
	assert_int_equal(create(n, "/dev/below", &fd, &err), 0);
	assert_int_equal(cgroup_device_detach(fd, &err), 0);
	apply_or_skip(fd, &plan);
	assert_int_equal(attach_foreign(fd, "hull_device"), 0);
	assert_int_equal(attach_foreign(fd, ""), 0);
	for (int i = 0; i < 61; i++)
		apply_or_skip(fd, &plan);
	assert_int_equal(count_programs(fd), 64);
	assert_int_equal(cgroup_apply(fd, &plan, &err), -E2BIG);
	assert_int_equal(open_inside(fd, "/dev/zero", O_RDWR), EPERM);
	assert_int_equal(cgroup_device_detach(fd, &err), 0);
	assert_int_equal(count_programs(fd), 2);
	assert_int_equal(open_inside(fd, "/dev/zero", O_RDWR), 0);
	apply_or_skip(parent, &plan);
	assert_int_equal(cgroup_device_detach(fd, &err), 0);
	assert_int_equal(count_programs(parent), 1);
	assert_int_equal(open_inside(fd, "/dev/zero", O_RDWR), EPERM);
}

static void test_device_program(void **state)
{
	const struct native *n = native_or_skip(state);
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	_cleanup_close_ int fd = -EBADF;
	struct err err;
	struct cgroup_plan plan;
	plan_denials(&arena, &plan);
	assert_int_equal(create(n, "/dev", &fd, &err), 0);
	apply_or_skip(fd, &plan);
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
	struct cgroup got;
	struct cgroup_plan plan;
	char path[128], text[256];
	struct err err;
	/* Not the file's name itself, which the kernel puts into the parent. */
	snprintf(path, sizeof(path), "%s/limit/of-%s", n->base, c->file);
	assert_int_equal(cgroup_plan_resources(&c->res, &arena, &plan, &err), 0);
	int r = cgroup_create(&n->root, path, &plan, &got, &err);
	if (r == -ENODEV) {
		print_message("not checked: %s\n", err.message);
		assert_non_null(strstr(err.message, c->controller));
		return;
	}
	assert_int_equal(r, 0);
	fd_close(&got.lock_fd);
	_cleanup_close_ int fd = got.fd;
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
		NATIVE(test_create_open_remove),
		NATIVE(test_occupied_or_frozen_is_refused),
		NATIVE(test_kill_frozen_and_nested),
		NATIVE(test_kill_fork_bomb),
		NATIVE(test_kill_stays),
		NATIVE(test_missing_controller),
		NATIVE(test_kill_stays_deep),
		NATIVE(test_missing_controller),
		NATIVE(test_kill_times_out),
		NATIVE(test_missing_controller),
		NATIVE(test_device_program),
		NATIVE(test_broken_program_is_an_error),
		NATIVE(test_unknown_file),
		NATIVE(test_limits_read_back),
		NATIVE(test_parents_in_use_stay),
		NATIVE(test_parents_of_many_at_once),
		NATIVE(test_device_detach),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
