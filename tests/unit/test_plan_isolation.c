/* Namespaces, sysctls and devices of a plan: what touches only the container, and what is refused.
 */
#include "plan/plan.h"

#include <linux/sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <cmocka.h>

#include "planned.h"
#include "plan/parts.h"

/* ---- namespaces ---- */

static int make_namespaces(struct planned *p, const char *list, const char *more)
{
	return planned_make(
		p, arena_printf(&p->arena, ", \"linux\": {\"namespaces\": [%s]%s}", list, more));
}

static void test_new_namespaces(void **state)
{
	static const struct {
		const char *type;
		uint64_t clone, unshare;
	} cases[] = {
		{ "pid", CLONE_NEWPID, 0 },   { "network", CLONE_NEWNET, 0 },
		{ "mount", CLONE_NEWNS, 0 },  { "ipc", CLONE_NEWIPC, 0 },
		{ "uts", CLONE_NEWUTS, 0 },   { "cgroup", 0, CLONE_NEWCGROUP },
		{ "time", 0, CLONE_NEWTIME },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		assert_int_equal(
			make_namespaces(&p,
					arena_printf(&p.arena, "{\"type\": \"%s\"}", cases[i].type),
					""),
			0);
		assert_int_equal(p.plan.ns.clone_flags, cases[i].clone);
		assert_int_equal(p.plan.ns.unshare_flags, cases[i].unshare);
		assert_int_equal(p.plan.ns.join_n, 0);
		assert_int_equal(p.plan.ns.loopback, strcmp(cases[i].type, "network") == 0);
	}
}

/* An existing network has its loopback already. */
static void test_joined_namespaces(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_namespaces(&p,
					 "{\"type\": \"network\", \"path\": \"/run/n\"}, "
					 "{\"type\": \"uts\"}, "
					 "{\"type\": \"pid\", \"path\": \"/p\"}",
					 ""),
			 0);
	assert_int_equal(p.plan.ns.clone_flags, CLONE_NEWUTS);
	assert_int_equal(p.plan.ns.join_n, 2);
	assert_int_equal(p.plan.ns.join[0].type, SPEC_NS_NETWORK);
	assert_string_equal(p.plan.ns.join[0].path, "/run/n");
	assert_int_equal(p.plan.ns.join[1].type, SPEC_NS_PID);
	assert_false(p.plan.ns.loopback);
}

static void test_time(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(make_namespaces(&p, "{\"type\": \"time\"}",
					 ", \"timeOffsets\": {\"monotonic\": {\"secs\": -3600, "
					 "\"nanosecs\": 999999999}, \"boottime\": {\"secs\": 5}}"),
			 0);
	assert_string_equal(p.plan.ns.time_offsets, "monotonic -3600 999999999\nboottime 5 0\n");
	assert_int_equal(make_namespaces(&p, "{\"type\": \"time\"}", ""), 0);
	assert_null(p.plan.ns.time_offsets);
	p.host.has_time_namespaces = false;
	assert_int_equal(make_namespaces(&p, "{\"type\": \"time\"}", ""), -EOPNOTSUPP);
	assert_int_equal(p.err.kind, ERR_HOST);
	assert_string_equal(p.err.path, "linux.namespaces[0]");
}

/* ---- sysctls ---- */

static int make_sysctl(struct planned *p, const char *key)
{
	return planned_make_linux(p, arena_printf(&p->arena, ", \"sysctl\": {\"%s\": \"1\"}", key));
}

/* The first separator decides whether dots or slashes separate (S-202, sysctl.d(5)). */
static void test_sysctl_paths(void **state)
{
	static const char *const cases[][2] = {
		{ "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
		{ "net/ipv4/ip_forward", "net/ipv4/ip_forward" },
		{ "net.ipv4.conf.eno2/100.rp_filter", "net/ipv4/conf/eno2.100/rp_filter" },
		{ "net/ipv4/conf/eno2.100/rp_filter", "net/ipv4/conf/eno2.100/rp_filter" },
		{ "net.ipv4/conf", "net/ipv4.conf" },
		{ "kernel.shmmax", "kernel/shmmax" },
		{ "kernel/shm_rmid_forced", "kernel/shm_rmid_forced" },
		{ "kernel.msgmnb", "kernel/msgmnb" },
		{ "kernel.sem", "kernel/sem" },
		{ "kernel.domainname", "kernel/domainname" },
		{ "kernel.hostname", "kernel/hostname" },
		{ "fs.mqueue.queues_max", "fs/mqueue/queues_max" },
	};
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(make_sysctl(&p, cases[i][0]), 0);
		assert_int_equal(p.plan.sysctls_n, 1);
		assert_string_equal(p.plan.sysctls[0].key, cases[i][0]);
		assert_string_equal(p.plan.sysctls[0].path, cases[i][1]);
		assert_string_equal(p.plan.sysctls[0].value, "1");
	}
}

static void test_refused_sysctls(void **state)
{
	static const struct {
		const char *key;
		int code;
	} cases[] = {
		{ "vm.swappiness", -EPERM },
		{ "kernel.core_pattern", -EPERM },
		{ "kernel.shmmaxx", -EPERM },
		{ "kernel.sem.x", -EPERM },
		{ "kernel.modprobe", -EPERM },
		{ "fs.mqueue", -EPERM },
		{ "fs.file-max", -EPERM },
		{ "net", -EPERM },
		{ "network.x", -EPERM },
		{ "x", -EPERM },
		{ "user.max_user_namespaces", -EPERM },
		{ "net/../kernel/core_pattern", -EINVAL },
		{ "net.//.kernel.core_pattern", -EINVAL },
		{ "net/./ipv4", -EINVAL },
		{ "net./.ipv4", -EINVAL },
		{ "net//ipv4", -EINVAL },
		{ "net..ipv4", -EINVAL },
		{ "net/", -EINVAL },
		{ "net.", -EINVAL },
		{ "..", -EINVAL },
		{ "net.ipv4.", -EINVAL },
		{ "/net/ipv4/ip_forward", -EPERM },
		{ "net/ipv4/..", -EINVAL },
		{ ".net.ipv4", -EPERM },
	};
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(make_sysctl(&p, cases[i].key), cases[i].code);
		assert_int_equal(p.err.kind, ERR_CONFIG);
		assert_true(p.err.at > 0);
	}
}

/* Without a namespace of its own the container would change the host's. */
static void test_sysctls_of_the_host(void **state)
{
	static const char *const cases[][2] = {
		{ "net.ipv4.ip_forward", "network" },
		{ "kernel.shmmax", "ipc" },
		{ "fs.mqueue.msg_max", "ipc" },
		{ "kernel.domainname", "uts" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		const char *sysctl = arena_printf(&p.arena, ", \"sysctl\": {\"%s\": \"1\"}",
						  cases[i][0]);
		assert_int_equal(make_namespaces(&p, "{\"type\": \"mount\"}", sysctl), -EPERM);
		assert_non_null(strstr(p.err.message, cases[i][1]));
		const char *joined = arena_printf(
			&p.arena, "{\"type\": \"mount\"}, {\"type\": \"%s\", \"path\": \"/x\"}",
			cases[i][1]);
		assert_int_equal(make_namespaces(&p, joined, sysctl), 0);
	}
}

/* ---- devices ---- */

static const struct plan_device *device(const struct planned *p, const char *path)
{
	const struct plan_device *found = NULL;
	for (size_t i = 0; i < p->plan.devices_n; i++)
		if (strcmp(p->plan.devices[i].path, path) == 0) {
			assert_null(found);
			found = &p->plan.devices[i];
		}
	return found;
}

static void test_default_devices(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(planned_make_linux(&p, ""), 0);
	assert_int_equal(p.plan.devices_n, 6);
	assert_int_equal(p.plan.links_n, 5);
	assert_int_equal(device(&p, "/dev/full")->rdev, makedev(1, 7));
	assert_int_equal(device(&p, "/dev/tty")->mode, S_IFCHR | 0666);
}

static void test_own_devices(void **state)
{
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	assert_int_equal(planned_make_linux(
				 &p, ", \"devices\": ["
				     "{\"type\": \"c\", \"path\": \"/dev//./null\", \"major\": 1, "
				     "\"minor\": 3, \"fileMode\": 0, \"uid\": 5, \"gid\": 6}, "
				     "{\"type\": \"u\", \"path\": \"/x/fuse\", \"major\": 10, "
				     "\"minor\": 229}, "
				     "{\"type\": \"b\", \"path\": \"/dev/sda\", \"major\": 8, "
				     "\"minor\": 0, \"fileMode\": 432}, "
				     "{\"type\": \"p\", \"path\": \"/dev/fifo\"}]"),
			 0);
	assert_int_equal(p.plan.devices_n, 9); /* null is replaced (S-138) */
	assert_int_equal(device(&p, "/dev/null")->mode, S_IFCHR);
	assert_int_equal(device(&p, "/dev/null")->uid, 5);
	assert_int_equal(device(&p, "/dev/null")->gid, 6);
	assert_int_equal(device(&p, "/x/fuse")->mode, S_IFCHR | 0666);
	assert_int_equal(device(&p, "/x/fuse")->rdev, makedev(10, 229));
	assert_int_equal(device(&p, "/dev/sda")->mode, S_IFBLK | 0660);
	assert_int_equal(device(&p, "/dev/fifo")->mode, S_IFIFO | 0666);
	assert_int_equal(device(&p, "/dev/fifo")->rdev, 0);
}

/* Nothing is made in a /dev that is the host's. */
static void test_bound_dev(void **state)
{
	static const struct {
		const char *mounts;
		unsigned devices;
	} cases[] = {
		{ "\"destination\": \"/dev\", \"source\": \"/dev\", \"options\": [\"rbind\"]", 0 },
		{ "\"destination\": \"dev/\", \"source\": \"/dev\", \"options\": [\"bind\"]", 0 },
		{ "\"destination\": \"/dev\", \"source\": \"/dev\", \"options\": [\"rbind\"]}, "
		  "{\"destination\": \"/dev\", \"options\": [\"remount\", \"ro\"]",
		  0 },
		{ "\"destination\": \"/dev\", \"source\": \"/dev\", \"options\": [\"rbind\"]}, "
		  "{\"destination\": \"/dev\", \"type\": \"tmpfs\"",
		  6 },
		{ "\"destination\": \"/dev\", \"type\": \"tmpfs\"}, "
		  "{\"destination\": \"/dev\", \"source\": \"/dev\", \"options\": [\"bind\"]",
		  0 },
		{ "\"destination\": \"/device\", \"source\": \"/dev\", \"options\": [\"bind\"]",
		  6 },
		{ "\"destination\": \"/dev/shm\", \"source\": \"/dev\", \"options\": [\"bind\"]",
		  6 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_planned_ struct planned p;
		planned_init(&p);
		assert_int_equal(planned_make_mount(&p, cases[i].mounts), 0);
		assert_int_equal(p.plan.devices_n, cases[i].devices);
		assert_int_equal(p.plan.links_n, cases[i].devices ? 5 : 0);
	}
}

/* ---- mount points in /proc ---- */

static void test_proc(void **state)
{
	static const struct {
		const char *destination;
		int code;
	} cases[] = {
		{ "/proc", 0 },
		{ "/proc/cpuinfo", 0 },
		{ "//proc/./uptime", 0 },
		{ "/proc/net/dev", 0 },
		{ "/process", 0 },
		{ "/proc/sys", -EPERM },
		{ "/proc/self/attr", -EPERM },
		{ "/proc/cpuinfo/x", -EPERM },
		{ "/proc/1", -EPERM },
		{ "/", -EINVAL },
		{ "/.", -EINVAL },
	};
	_cleanup_planned_ struct planned p;
	(void)state;
	planned_init(&p);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *mount = arena_printf(
			&p.arena,
			"\"destination\": \"%s\", \"source\": \"/s\", \"options\": [\"bind\"]",
			cases[i].destination);
		assert_int_equal(planned_make_mount(&p, mount), cases[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_namespaces),
		cmocka_unit_test(test_joined_namespaces),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_sysctl_paths),
		cmocka_unit_test(test_refused_sysctls),
		cmocka_unit_test(test_sysctls_of_the_host),
		cmocka_unit_test(test_default_devices),
		cmocka_unit_test(test_own_devices),
		cmocka_unit_test(test_bound_dev),
		cmocka_unit_test(test_proc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
