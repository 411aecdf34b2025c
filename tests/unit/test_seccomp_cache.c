/*
 * The cache of compiled filters: what it gives back is what compiling gives, whatever happened to
 * its files, and profiles that differ in anything never share an entry.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <limits.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/fd.h"
#include "profile.h"
#include "seccomp/profile.h"
#include "tmpdir.h"

#define NOBODY 65534

static void sample_profile(struct profile *p)
{
	profile_init(p, SCMP_ACT_ERRNO(0), -1);
	profile_add_arch(p, "SCMP_ARCH_X86");
	profile_add_rule(p, SCMP_ACT_ALLOW, -1, "read", "statx", NULL);
	profile_add_rule(p, SCMP_ACT_ERRNO(0), 5, "socket", NULL);
	profile_add_arg(p, 0, SCMP_CMP_EQ, 16, 0);
}

static struct seccomp_filter prepare(struct profile *p, int dirfd)
{
	struct seccomp_filter f = { 0 };
	struct err err = { 0 };
	if (seccomp_prepare(&p->spec, dirfd, &p->arena, &f, &err) < 0)
		fail_msg("cannot prepare the profile: %s", err.message);
	return f;
}

static void assert_same(const struct seccomp_filter *a, const struct seccomp_filter *b)
{
	assert_int_equal(a->len, b->len);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->has_notify, b->has_notify);
	assert_int_equal(a->has_unknown, b->has_unknown);
	assert_memory_equal(a->insns, b->insns, a->len * sizeof(*a->insns));
}

/* The sample through the cache is right, and came from where it is expected. */
static void assert_prepared(int dirfd, bool from_cache)
{
	struct profile p;
	sample_profile(&p);
	struct seccomp_filter compiled = profile_compile(&p);
	struct seccomp_filter prepared = prepare(&p, dirfd);
	assert_same(&prepared, &compiled);
	assert_int_equal(prepared.from_cache, from_cache);
	profile_done(&p);
}

/* How many files there are, and the name of the last. */
static size_t entries(int dirfd, char name[NAME_MAX + 1])
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	size_t n = 0;

	assert_non_null(dir);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		snprintf(name, NAME_MAX + 1, "%s", e->d_name);
	}
	closedir(dir);
	return n;
}

/* A directory whose one entry is the sample's. */
struct fixture {
	struct tmpdir tmp;
	char entry[NAME_MAX + 1];
	char bytes[4096]; /* the entry as it was written */
	size_t size;
};

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	assert_non_null(x);
	tmpdir_init(&x->tmp);
	assert_prepared(x->tmp.fd, false);
	assert_int_equal(entries(x->tmp.fd, x->entry), 1);
	_cleanup_close_ int fd = openat(x->tmp.fd, x->entry, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd_read_all(fd, x->bytes, sizeof(x->bytes));
	assert_in_range(n, 100, sizeof(x->bytes) - 1);
	x->size = (size_t)n;
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;
	tmpdir_done(&x->tmp);
	free(x);
	return 0;
}

/* Puts other bytes into the entry, as an accident would. */
static void overwrite(const struct fixture *x, const void *bytes, size_t size)
{
	_cleanup_close_ int fd = openat(x->tmp.fd, x->entry, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, size), 0);
}

/* Whatever stands there now is not taken, and a good entry takes its place. */
static void assert_replaced(const struct fixture *x)
{
	struct stat st;
	char name[NAME_MAX + 1];

	assert_prepared(x->tmp.fd, false);
	assert_prepared(x->tmp.fd, true);
	assert_int_equal(fstatat(x->tmp.fd, x->entry, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_size, x->size);
	assert_int_equal(entries(x->tmp.fd, name), 1);
}

static void test_hit(void **state)
{
	const struct fixture *x = *state;
	assert_prepared(x->tmp.fd, true);
	assert_prepared(x->tmp.fd, true);
}

/* What stands beside the program comes back too. */
static void test_hit_of_other_kinds(void **state)
{
	const struct fixture *x = *state;
	for (int i = 0; i < 2; i++) {
		struct profile p;
		profile_init(&p, SCMP_ACT_ALLOW, -1);
		profile_add_flag(&p, "SECCOMP_FILTER_FLAG_LOG");
		profile_add_rule(&p, SCMP_ACT_NOTIFY, -1, "mkdir", "opennat", NULL);
		struct seccomp_filter compiled = profile_compile(&p);
		struct seccomp_filter prepared = prepare(&p, x->tmp.fd);
		assert_int_equal(prepared.from_cache, i);
		assert_true(prepared.has_unknown);
		assert_true(prepared.has_notify);
		assert_int_equal(prepared.flags, SECCOMP_FILTER_FLAG_LOG);
		assert_same(&prepared, &compiled);
		profile_done(&p);
	}
}

static void test_no_cache(void **state)
{
	(void)state;
	assert_prepared(-EBADF, false);
	assert_prepared(1 << 20, false); /* nothing is open there */
}

static void test_every_damaged_byte(void **state)
{
	const struct fixture *x = *state;
	for (size_t i = 0; i < x->size; i++) {
		char bytes[sizeof(x->bytes)];
		memcpy(bytes, x->bytes, x->size);
		bytes[i] = (char)(bytes[i] ^ 0x10);
		overwrite(x, bytes, x->size);
		assert_prepared(x->tmp.fd, false);
	}
	assert_prepared(x->tmp.fd, true);
}

static void test_every_wrong_size(void **state)
{
	const struct fixture *x = *state;
	for (size_t size = 0; size < x->size; size++) {
		overwrite(x, x->bytes, size);
		assert_prepared(x->tmp.fd, false);
	}
	for (size_t more = 1; more <= 16; more++) {
		char bytes[sizeof(x->bytes) + 16] = { 0 };
		memcpy(bytes, x->bytes, x->size);
		overwrite(x, bytes, x->size + more);
		assert_prepared(x->tmp.fd, false);
	}
	assert_prepared(x->tmp.fd, true);
}

static void test_wrong_mode(void **state)
{
	const struct fixture *x = *state;
	static const mode_t modes[] = { 0644, 0666, 0620, 0400, 04600, 01600 };
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(fchmodat(x->tmp.fd, x->entry, modes[i], 0), 0);
		assert_replaced(x);
	}
}

static void test_second_link(void **state)
{
	const struct fixture *x = *state;
	assert_int_equal(linkat(x->tmp.fd, x->entry, x->tmp.fd, "other", 0), 0);
	assert_prepared(x->tmp.fd, false);
	assert_int_equal(unlinkat(x->tmp.fd, "other", 0), 0);
	assert_prepared(x->tmp.fd, true);
}

static void test_symlink(void **state)
{
	const struct fixture *x = *state;
	assert_int_equal(renameat(x->tmp.fd, x->entry, x->tmp.fd, "real"), 0);
	assert_int_equal(symlinkat("real", x->tmp.fd, x->entry), 0);
	assert_prepared(x->tmp.fd, false);
	assert_int_equal(unlinkat(x->tmp.fd, "real", 0), 0);
	assert_prepared(x->tmp.fd, true);
}

static void test_fifo(void **state)
{
	const struct fixture *x = *state;
	assert_int_equal(unlinkat(x->tmp.fd, x->entry, 0), 0);
	assert_int_equal(mkfifoat(x->tmp.fd, x->entry, 0600), 0);
	assert_replaced(x);
}

/* Nothing can replace it, and nothing is left of the attempt. */
static void test_directory_in_the_way(void **state)
{
	const struct fixture *x = *state;
	char name[NAME_MAX + 1];
	assert_int_equal(unlinkat(x->tmp.fd, x->entry, 0), 0);
	assert_int_equal(mkdirat(x->tmp.fd, x->entry, 0700), 0);
	assert_prepared(x->tmp.fd, false);
	assert_prepared(x->tmp.fd, false);
	assert_int_equal(entries(x->tmp.fd, name), 1);
}

static void test_foreign_owner(void **state)
{
	const struct fixture *x = *state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(fchownat(x->tmp.fd, x->entry, NOBODY, NOBODY, 0), 0);
	assert_replaced(x);
	assert_int_equal(fchownat(x->tmp.fd, ".", NOBODY, NOBODY, 0), 0);
	assert_prepared(x->tmp.fd, false);
	assert_prepared(x->tmp.fd, false);
}

static void test_directory_open_to_others(void **state)
{
	const struct fixture *x = *state;
	char name[NAME_MAX + 1];
	static const mode_t modes[] = { 0770, 0702, 01777 };
	assert_int_equal(unlinkat(x->tmp.fd, x->entry, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(chmod(x->tmp.path, modes[i]), 0);
		assert_prepared(x->tmp.fd, false);
		assert_int_equal(entries(x->tmp.fd, name), 0);
	}
}

static void test_any_umask(void **state)
{
	const struct fixture *x = *state;
	assert_int_equal(unlinkat(x->tmp.fd, x->entry, 0), 0);
	mode_t mask = umask(0777);
	assert_replaced(x);
	umask(mask);
}

/* The entry of one profile under the name of another, as after a collision of the names. */
static void test_name_decides_nothing(void **state)
{
	const struct fixture *x = *state;
	char other[NAME_MAX + 1];
	struct profile p;

	assert_int_equal(unlinkat(x->tmp.fd, x->entry, 0), 0);
	profile_init(&p, SCMP_ACT_ALLOW, -1);
	prepare(&p, x->tmp.fd);
	profile_done(&p);
	assert_int_equal(entries(x->tmp.fd, other), 1);
	assert_int_equal(renameat(x->tmp.fd, other, x->tmp.fd, x->entry), 0);
	assert_replaced(x);
}

static void test_bounded(void **state)
{
	const struct fixture *x = *state;
	char name[NAME_MAX + 1];

	for (int i = 0; i < 10; i++) { /* left by crashes */
		snprintf(name, sizeof(name), "new-%016d", i);
		tmpdir_write((struct tmpdir *)&x->tmp, name, 0600, "");
	}
	tmpdir_write((struct tmpdir *)&x->tmp, "another's", 0600, "");
	for (int i = 0; i < 100; i++) {
		struct profile p;
		profile_init(&p, SCMP_ACT_ERRNO(0), i);
		assert_false(prepare(&p, x->tmp.fd).from_cache);
		assert_true(prepare(&p, x->tmp.fd).from_cache);
		assert_in_range(entries(x->tmp.fd, name), 1, 64 + 1);
		profile_done(&p);
	}
	assert_int_equal(entries(x->tmp.fd, name), 64 + 1);
	assert_int_equal(faccessat(x->tmp.fd, "another's", F_OK, 0), 0);
	assert_prepared(x->tmp.fd, false);
}

/* Many at once, with the entry going away under them: each gets the right program. */
static void test_many_at_once(void **state)
{
	const struct fixture *x = *state;
	struct profile p;
	char name[NAME_MAX + 1];

	sample_profile(&p);
	struct seccomp_filter compiled = profile_compile(&p);
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();
		if (pid != 0)
			continue;
		for (int k = 0; k < 50; k++) {
			struct seccomp_filter f = prepare(&p, x->tmp.fd);
			if (f.len != compiled.len ||
			    memcmp(f.insns, compiled.insns, f.len * sizeof(*f.insns)) != 0)
				_exit(1);
			if (k % 7 == i % 7)
				unlinkat(x->tmp.fd, x->entry, 0);
		}
		_exit(0);
	}
	for (int i = 0; i < 8; i++) {
		int status = -1;
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_in_range(entries(x->tmp.fd, name), 0, 1);
	profile_done(&p);
}

/* ---- the key ---- */

static void change_default(struct profile *p)
{
	p->spec.default_action.v = SCMP_ACT_TRACE(0);
}
static void change_default_errno(struct profile *p)
{
	p->spec.default_errno_ret = (struct spec_uint) { .v = EPERM, .at = 9 };
}
static void change_default_errno_value(struct profile *p)
{
	p->spec.default_errno_ret = (struct spec_uint) { .v = ENOENT, .at = 9 };
}
static void change_arch(struct profile *p)
{
	p->spec.architectures.v[0].s = "SCMP_ARCH_X32";
}
static void add_arch(struct profile *p)
{
	profile_add_arch(p, "SCMP_ARCH_X32");
}
static void drop_arches(struct profile *p)
{
	p->spec.architectures = (struct spec_strv) { 0 };
}
static void no_flags(struct profile *p)
{
	p->spec.flags.at = 9;
}
static void add_flag(struct profile *p)
{
	profile_add_flag(p, "SECCOMP_FILTER_FLAG_LOG");
}
static void change_action(struct profile *p)
{
	p->spec.syscalls.v[1].action.v = SCMP_ACT_TRACE(0);
}
static void change_errno(struct profile *p)
{
	p->spec.syscalls.v[1].errno_ret.v = 6;
}
static void drop_errno(struct profile *p)
{
	p->spec.syscalls.v[1].errno_ret = (struct spec_uint) { 0 };
}
static void change_name(struct profile *p)
{
	p->spec.syscalls.v[0].names.v[0].s = "write";
}
static void shift_names(struct profile *p)
{
	p->spec.syscalls.v[0].names.v[0].s = "reads";
	p->spec.syscalls.v[0].names.v[1].s = "tatx";
}
static void join_names(struct profile *p)
{
	p->spec.syscalls.v[0].names.v[0].s = "readstatx";
	p->spec.syscalls.v[0].names.n = 1;
}
static void swap_names(struct profile *p)
{
	p->spec.syscalls.v[0].names.v[0].s = "statx";
	p->spec.syscalls.v[0].names.v[1].s = "read";
}
static void swap_rules(struct profile *p)
{
	struct spec_seccomp_rule rule = p->spec.syscalls.v[0];
	p->spec.syscalls.v[0] = p->spec.syscalls.v[1];
	p->spec.syscalls.v[1] = rule;
}
static void drop_rule(struct profile *p)
{
	p->spec.syscalls.n--;
}
static void add_rule(struct profile *p)
{
	profile_add_rule(p, SCMP_ACT_ALLOW, -1, "mkdir", NULL);
}
static void add_arg(struct profile *p)
{
	profile_add_arg(p, 1, SCMP_CMP_EQ, 16, 0);
}
static void drop_args(struct profile *p)
{
	p->spec.syscalls.v[1].args.n = 0;
}
static void change_arg_index(struct profile *p)
{
	p->spec.syscalls.v[1].args.v[0].index.v = 1;
}
static void change_arg_op(struct profile *p)
{
	p->spec.syscalls.v[1].args.v[0].op.v = SCMP_CMP_NE;
}
static void change_arg_value(struct profile *p)
{
	p->spec.syscalls.v[1].args.v[0].value.v = 1ull << 40;
}
static void change_arg_value_two(struct profile *p)
{
	p->spec.syscalls.v[1].args.v[0].value_two.v = 1;
}

static void (*const changes[])(struct profile *p) = {
	NULL,
	change_default,
	change_default_errno,
	change_default_errno_value,
	change_arch,
	add_arch,
	drop_arches,
	no_flags,
	add_flag,
	change_action,
	change_errno,
	drop_errno,
	change_name,
	shift_names,
	join_names,
	swap_names,
	swap_rules,
	drop_rule,
	add_rule,
	add_arg,
	drop_args,
	change_arg_index,
	change_arg_op,
	change_arg_value,
	change_arg_value_two,
};

static void make_key(size_t change, struct profile *p, struct str *ret)
{
	sample_profile(p);
	if (changes[change])
		changes[change](p);
	str_init(ret, &p->arena);
	key_write(&p->spec, ret);
	assert_int_equal(ret->used % 8, 0);
}

static void test_every_value_is_in_the_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		for (size_t k = 0; k <= i; k++) {
			struct profile p, q;
			struct str a, b;
			make_key(i, &p, &a);
			make_key(k, &q, &b);
			bool same = a.used == b.used && memcmp(a.text, b.text, a.used) == 0;
			if (same != (i == k))
				fail_msg("changes %zu and %zu: %s keys", i, k,
					 same ? "same" : "other");
			profile_done(&p);
			profile_done(&q);
		}
	}
}

/* Where a value stands in the file is not part of the profile. */
static void test_places_are_not_in_the_key(void **state)
{
	(void)state;
	struct profile p, q;
	struct str a, b;

	sample_profile(&p);
	make_key(0, &q, &b);
	for (size_t i = 0; i < p.spec.syscalls.n; i++)
		p.spec.syscalls.v[i].names.at += 1000;
	p.spec.syscalls.v[1].errno_ret.at += 1000;
	str_init(&a, &p.arena);
	key_write(&p.spec, &a);
	assert_int_equal(a.used, b.used);
	assert_memory_equal(a.text, b.text, a.used);
	profile_done(&p);
	profile_done(&q);
}

#define with_entry(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_entry(test_hit),
		with_entry(test_hit_of_other_kinds),
		cmocka_unit_test(test_no_cache),
		with_entry(test_every_damaged_byte),
		with_entry(test_every_wrong_size),
		with_entry(test_wrong_mode),
		with_entry(test_second_link),
		with_entry(test_symlink),
		with_entry(test_fifo),
		with_entry(test_directory_in_the_way),
		with_entry(test_foreign_owner),
		with_entry(test_directory_open_to_others),
		with_entry(test_any_umask),
		with_entry(test_name_decides_nothing),
		with_entry(test_bounded),
		with_entry(test_many_at_once),
		cmocka_unit_test(test_every_value_is_in_the_key),
		cmocka_unit_test(test_places_are_not_in_the_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
