/* The facts of a /proc/PID/status, and what is not one. */
#include "plan/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/defer.h"

static const char typical[] = "Name:\tbash\nUmask:\t0022\nUid:\t1000\t1001\t1002\t1003\n"
			      "Gid:\t100\t101\t102\t103\nGroups:\t4 24 \n"
			      "SigIgn:\t0000000000384004\nCapInh:\t0000000000000000\n"
			      "CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000000\n"
			      "CapBnd:\t00000000a80425fb\nSeccomp:\t0\n";

static void test_typical(void **state)
{
	struct host host = { 0 };
	(void)state;
	assert_int_equal(host_parse_status(typical, &host), 0);
	assert_int_equal(host.uid, 1000);
	assert_int_equal(host.gid, 100);
	assert_true(host.caps_permitted == 0x1ffffffffff);
	assert_true(host.caps_bounding == 0xa80425fb);
	assert_true(host.signals_ignored == 0x384004);
}

/* The name of a process is chosen by others; the kernel writes a newline in it as \n. */
static void test_names_of_fields(void **state)
{
	struct host host = { 0 };
	const char *text = "Name:\tUid:\nXUid:\t5\nUidX:\t6\nUid:\t7\nGid:\t8\nSigIgn:\t0\n"
			   "CapPrm:\t0\nCapBnd:\t0\nUid:\t9\n";
	(void)state;
	assert_int_equal(host_parse_status(text, &host), 0);
	assert_int_equal(host.uid, 7);
	assert_int_equal(host.gid, 8);
}

static void test_missing(void **state)
{
	static const char *const fields[] = { "Uid", "Gid", "SigIgn", "CapPrm", "CapBnd" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		char text[sizeof(typical)];
		struct host host;
		memcpy(text, typical, sizeof(text));
		*strstr(text, fields[i]) = 'x';
		assert_int_equal(host_parse_status(text, &host), -ENODATA);
	}
}

static void test_no_numbers(void **state)
{
	static const char *const texts[] = {
		"Uid:\tx\n",
		"Uid:\t\nGid:\tx\n",
		"Uid:\t0\nGid:\t0\nCapPrm:\tg\n",
		"Uid:\t0\nGid:\t0\nCapPrm:\t0\nCapBnd:\t1ffffffffffffffff\nSigIgn:\t0\n",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct host host;
		assert_int_equal(host_parse_status(texts[i], &host), -EINVAL);
	}
}

/* Cut off anywhere, it is an error or the facts, never something between. */
static void test_cut_off(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(typical); n++) {
		char text[sizeof(typical)];
		struct host host = { 0 };
		memcpy(text, typical, n);
		text[n] = '\0';
		int r = host_parse_status(text, &host);
		bool has_all = n >
			       (size_t)(strstr(typical, "CapBnd:") - typical) + strlen("CapBnd:\t");
		assert_int_equal(r == 0, has_all);
	}
}

static void test_probe(void **state)
{
	struct host host;
	struct err err;
	(void)state;
	assert_int_equal(host_probe(&host, &err), 0);
	assert_int_equal(host.uid, getuid());
	assert_int_equal(host.gid, getgid());
}

/* Only the line of version 2 counts, and only what can be named from here. */
static void test_cgroup(void **state)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{ "0::/user.slice/a b\n", "/user.slice/a b" },
		{ "9:name=systemd:/x\n0::/\n", "/" },
		{ "4:memory:/x\n", "" },
		{ "1:name=systemd:/x0::/y\n0::/z", "/z" },
		{ "0::/../other\n", "" },
		{ "", "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host host = { 0 };
		host_parse_cgroup(cases[i].text, &host);
		assert_string_equal(host.cgroup, cases[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_typical),         cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_names_of_fields), cmocka_unit_test(test_missing),
		cmocka_unit_test(test_no_numbers),      cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_probe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
