/*
 * The loopback interface: down in a new network namespace, up after the call, and an error without
 * the privilege. The tests run in children with new user and network namespaces.
 */
#include "netns/netns.h"

#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define SKIPPED 77

static int loopback_is_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(sock, SIOCGIFFLAGS, &request) < 0)
		return -1;
	return (request.ifr_flags & IFF_UP) != 0;
}

static int brings_it_up(void)
{
	struct err err;
	if (loopback_is_up() != 0)
		return 1;
	if (netns_loopback_up(&err) != 0)
		return 2;
	if (loopback_is_up() != 1)
		return 3;
	return netns_loopback_up(&err) != 0 ? 4 : 0; /* once more changes nothing */
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	return (int)syscall(SYS_capset, &header, none);
}

static int fails_without_privilege(void)
{
	struct err err = { 0 };
	if (drop_capabilities() < 0)
		return 1;
	if (netns_loopback_up(&err) != -EPERM)
		return 2;
	if (err.code != EPERM || err.kind != ERR_PERMISSION || !strstr(err.message, "loopback"))
		return 3;
	return strstr(err.hint, "CAP_NET_ADMIN") ? 0 : 4;
}

static void run_in_namespace(int (*test)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? SKIPPED : test());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED) {
		print_message("skipped: no new user and network namespaces for this user here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_up(void **state)
{
	(void)state;
	run_in_namespace(brings_it_up);
}

static void test_no_privilege(void **state)
{
	(void)state;
	run_in_namespace(fails_without_privilege);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_no_privilege),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
