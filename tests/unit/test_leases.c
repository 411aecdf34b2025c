/*
 * The file of leases: what is written can be read again, what is broken is said with its line, and
 * addresses are given in their order, never twice, until the subnet is full.
 */
#include "state/leases.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tmpdir.h"

#define NET(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static const char good[] = "bridge hull0 4026532402 10.117.0.1 24 made\n"
			   "bridge br-x 7 192.168.7.1 29 found\n"
			   "lease hull0 4026532402 10.117.0.2 web\n"
			   "lease hull0 4026532402 10.117.0.4 db.1\n"
			   "lease br-x 7 192.168.7.2 web\n";

static void test_parse(void **state)
{
	struct leases l;
	struct err err;
	(void)state;
	assert_int_equal(leases_parse(good, &l, &err), 0);
	assert_int_equal(l.bridges_n, 2);
	assert_int_equal(l.n, 3);
	const struct lease_bridge *b = leases_find_bridge(&l, "hull0", 4026532402);
	assert_non_null(b);
	assert_true(b->is_made);
	assert_int_equal(b->gateway, NET(10, 117, 0, 1));
	assert_int_equal(b->prefix, 24);
	assert_string_equal(l.v[1].id, "db.1");
	assert_int_equal(l.v[1].address, NET(10, 117, 0, 4));
	/* The same name in another network namespace is another bridge. */
	assert_null(leases_find_bridge(&l, "hull0", 7));
	assert_false(leases_find_bridge(&l, "br-x", 7)->is_made);
	leases_close(&l);
}

static void test_broken(void **state)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
		{ "lease\n", "line 1" },
		{ "\n", "line 1" },
		{ "lease hull0 7 10.0.0.2 ok\nfoo\n", "line 2" },
		{ "lease hull0 7 10.0.0.2 ../x\n", "line 1" },
		{ "lease hull0 7 10.0.0 x\n", "line 1" },
		{ "lease hull0 7 10.0.0.256 x\n", "line 1" },
		{ "lease hull0 7 10.0.0.1.2 x\n", "line 1" },
		{ "lease hull0 7 10..0.1 x\n", "line 1" },
		{ "lease hull0 7 10.0.0.0001 x\n", "line 1" },
		{ "lease a/b 7 10.0.0.2 x\n", "line 1" },
		{ "lease hull0 -7 10.0.0.2 x\n", "line 1" },
		{ "lease hull0 7 10.0.0.2 x y\n", "line 1" },
		{ "bridge hull0 7 10.0.0.1 33 made\n", "line 1" },
		{ "bridge hull0 7 10.0.0.1 24 mine\n", "line 1" },
		{ "bridge hull0 7 10.0.0.1 24\n", "line 1" },
		{ "bridge hull0 7 10.0.0.1 24 made x y\n", "line 1" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct leases l;
		struct err err = { 0 };
		assert_int_equal(leases_parse(cases[i].text, &l, &err), -EUCLEAN);
		assert_non_null(strstr(err.message, cases[i].line));
		leases_close(&l);
	}
}

static void test_addresses(void **state)
{
	struct leases l;
	struct err err;
	(void)state;
	assert_int_equal(leases_parse(good, &l, &err), 0);
	struct lease_bridge *b = leases_find_bridge(&l, "hull0", 4026532402);
	assert_int_equal(leases_free_address(&l, b, 0), NET(10, 117, 0, 3));
	assert_int_equal(leases_free_address(&l, b, NET(10, 117, 0, 3)), NET(10, 117, 0, 5));
	assert_int_equal(leases_free_address(&l, b, NET(10, 117, 0, 254)), 0);
	leases_remove(&l, &l.v[0]);
	assert_int_equal(leases_free_address(&l, b, 0), NET(10, 117, 0, 2));

	/* 8 addresses: the first and the last are none, one is the gateway's. */
	b = leases_find_bridge(&l, "br-x", 7);
	for (uint32_t n = 3; n <= 6; n++) {
		struct lease lease = { "br-x", 7, leases_free_address(&l, b, 0), "x" };
		assert_int_equal(lease.address, NET(192, 168, 7, n));
		assert_int_equal(leases_add(&l, &lease), 0);
	}
	assert_int_equal(leases_free_address(&l, b, 0), 0);

	/* A gateway in the middle, a subnet without room, and one that is no subnet. */
	struct lease_bridge odd = { "odd", 1, NET(10, 0, 0, 2), 30, true };
	assert_int_equal(leases_free_address(&l, &odd, 0), NET(10, 0, 0, 1));
	odd.prefix = 31;
	assert_int_equal(leases_free_address(&l, &odd, 0), 0);
	odd.prefix = 0;
	assert_int_equal(leases_free_address(&l, &odd, 0), 0);
	leases_close(&l);
}

static void test_use(void **state)
{
	struct leases l;
	struct err err;
	(void)state;
	assert_int_equal(leases_parse(good, &l, &err), 0);
	struct lease_bridge *b = leases_find_bridge(&l, "hull0", 4026532402);
	assert_true(leases_use_bridge(&l, b));
	for (size_t i = l.n; i-- > 0;)
		if (strcmp(l.v[i].bridge, "hull0") == 0)
			leases_remove(&l, &l.v[i]);
	assert_int_equal(l.n, 1);
	assert_false(leases_use_bridge(&l, b));
	leases_remove_bridge(&l, b);
	assert_int_equal(l.bridges_n, 1);
	assert_string_equal(l.bridges[0].name, "br-x");
	leases_close(&l);
}

static void test_file(void **state)
{
	struct tmpdir t;
	struct leases l;
	struct err err;
	(void)state;

	tmpdir_init(&t);
	const int dir = t.fd;
	assert_int_equal(leases_open(dir, LEASES_EXISTING, 100, &l, &err), 0);
	assert_int_equal(l.fd, -EBADF);
	leases_close(&l);
	assert_int_equal(leases_open(dir, LEASES_CREATE, 100, &l, &err), 0);
	const struct lease_bridge bridge = { "hull0", 5, NET(10, 0, 0, 1), 24, true };
	const struct lease lease = { "hull0", 5, NET(10, 0, 0, 2), "web" };
	assert_int_equal(leases_add_bridge(&l, &bridge), 0);
	assert_int_equal(leases_add(&l, &lease), 0);
	assert_int_equal(leases_write(&l, &err), 0);
	leases_close(&l);

	assert_int_equal(leases_open(dir, LEASES_EXISTING, 100, &l, &err), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].id, "web");
	assert_int_equal(l.bridges[0].prefix, 24);
	leases_remove(&l, &l.v[0]);
	leases_remove_bridge(&l, &l.bridges[0]);
	assert_int_equal(leases_write(&l, &err), 0);
	leases_close(&l);
	assert_int_equal(faccessat(dir, "@network/leases", F_OK, 0), -1);
	tmpdir_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),     cmocka_unit_test(test_broken),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_use),
		cmocka_unit_test(test_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
