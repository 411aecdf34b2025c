/* A filter in two parts, of which the first notifies and the second forbids; and the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "bpf.h"
#include "profile.h"
#include "seccomp/listen.h"

#define CALLS 700

static uint32_t answer(const struct seccomp_filter *f, uint32_t arch, int nr, uint64_t arg)
{
	const uint64_t args[6] = { arg, arg, arg, arg, arg, arg };
	return filter_answer(f, arch, nr, args);
}

/* What the whole answers is what one of the parts answers, and the other one allows. */
static void check_parts(const struct seccomp_filter *whole, struct arena *arena)
{
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64 };
	static const uint64_t args[] = { 0, 1, 7, UINT64_MAX };
	struct seccomp_pair parts;

	seccomp_split(whole, arena, &parts);
	for (size_t a = 0; a < ARRAY_SIZE(arches); a++)
		for (int nr = 0; nr < CALLS; nr++)
			for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
				uint32_t all = answer(whole, arches[a], nr, args[i]);
				uint32_t first = answer(&parts.notify, arches[a], nr, args[i]);
				uint32_t second = answer(&parts.rest, arches[a], nr, args[i]);
				bool told = all == SECCOMP_RET_USER_NOTIF;
				assert_int_equal(first, told ? all : SECCOMP_RET_ALLOW);
				assert_int_equal(second, told ? SECCOMP_RET_ALLOW : all);
			}
	assert_true(parts.notify.has_notify);
	assert_false(parts.rest.has_notify);
	assert_int_equal(parts.notify.flags, whole->flags);
}

static void test_parts_do_what_the_whole_does(void **state)
{
	static const uint32_t defaults[] = { SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(0), SCMP_ACT_KILL,
					     SCMP_ACT_NOTIFY, SCMP_ACT_LOG };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		struct profile p;
		profile_init(&p, defaults[i], -1);
		profile_add_arch(&p, "SCMP_ARCH_X86");
		profile_add_rule(&p, SCMP_ACT_NOTIFY, -1, "mkdir", "mkdirat", NULL);
		profile_add_rule(&p, SCMP_ACT_NOTIFY, -1, "socket", NULL);
		profile_add_arg(&p, 0, SCMP_CMP_EQ, 7, 0);
		profile_add_rule(&p, SCMP_ACT_KILL_PROCESS, -1, "reboot", NULL);
		profile_add_rule(&p, SCMP_ACT_ERRNO(0), 55, "chmod", NULL);
		profile_add_rule(&p, SCMP_ACT_TRACE(0), 3, "chown", NULL);
		profile_add_rule(&p, SCMP_ACT_TRAP, -1, "sync", NULL);
		profile_add_rule(&p, SCMP_ACT_ALLOW, -1, "read", "write", NULL);
		struct seccomp_filter whole = profile_compile(&p);
		check_parts(&whole, &p.arena);
		profile_done(&p);
	}
}

/* ---- in the kernel ---- */

static void expect_call(int listener, int nr, int error)
{
	struct seccomp_notif request;
	struct seccomp_notif_resp response;

	memset(&request, 0, sizeof(request));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0 || request.data.nr != nr)
		_exit(3);
	response = (struct seccomp_notif_resp) { .id = request.id, .error = -error };
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0)
		_exit(4);
}

/* A process that loads both, makes a call of each kind, and has another one to answer it. */
static int run_parts(const struct seccomp_pair *parts)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	int listener = seccomp_listen(&parts->notify);
	if (listener < 0)
		return 2;
	pid_t agent = fork();
	if (agent == 0) {
		expect_call(listener, SYS_mkdirat, 17);
		_exit(0);
	}
	if (seccomp_install(&parts->rest) < 0)
		return 5;
	if (mkdirat(-1, "x", 0700) == 0 || errno != 17)
		return 6;
	if (fchmod(-1, 0) == 0 || errno != 55)
		return 7;
	return 0;
}

static void test_the_kernel_takes_them(void **state)
{
	static const char *const flags[] = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
					     "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
					     "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" };
	(void)state;
	/* Each alone, none, and all of them. */
	for (size_t i = 0; i <= ARRAY_SIZE(flags) + 1; i++) {
		struct profile p;
		struct seccomp_pair parts;
		int status = 0;

		profile_init(&p, SCMP_ACT_ALLOW, -1);
		for (size_t k = 0; k < ARRAY_SIZE(flags); k++)
			if (i == k || i > ARRAY_SIZE(flags))
				profile_add_flag(&p, flags[k]);
		profile_add_rule(&p, SCMP_ACT_NOTIFY, -1, "mkdirat", NULL);
		profile_add_rule(&p, SCMP_ACT_ERRNO(0), 55, "fchmod", NULL);
		struct seccomp_filter whole = profile_compile(&p);
		seccomp_split(&whole, &p.arena, &parts);
		pid_t pid = fork();
		if (pid == 0) {
			alarm(20);
			_exit(run_parts(&parts));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		profile_done(&p);
	}
}

/* As for a startContainer hook: with the whole filter and no listener. */
static int run_without_listener(const struct seccomp_filter *whole)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_install(whole) < 0)
		return 1;
	return mkdirat(-1, "x", 0700) < 0 && errno == ENOSYS ? 0 : 2;
}

static void test_without_a_listener_calls_fail(void **state)
{
	struct profile p;
	int status = 0;

	(void)state;
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	profile_add_flag(&p, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
	profile_add_rule(&p, SCMP_ACT_NOTIFY, -1, "mkdirat", NULL);
	struct seccomp_filter whole = profile_compile(&p);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(20);
		_exit(run_without_listener(&whole));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	profile_done(&p);
}

static void test_flags_of_the_kernel(void **state)
{
	(void)state;
	assert_true(seccomp_knows_flag("SECCOMP_FILTER_FLAG_TSYNC"));
	assert_true(seccomp_knows_flag("SECCOMP_FILTER_FLAG_LOG"));
	assert_true(seccomp_knows_flag("SECCOMP_FILTER_FLAG_SPEC_ALLOW"));
	assert_true(seccomp_knows_flag("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"));
	assert_false(seccomp_knows_flag("SECCOMP_FILTER_FLAG_OTHER"));
	assert_false(seccomp_knows_flag(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_do_what_the_whole_does),
		cmocka_unit_test(test_the_kernel_takes_them),
		cmocka_unit_test(test_without_a_listener_calls_fail),
		cmocka_unit_test(test_flags_of_the_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
