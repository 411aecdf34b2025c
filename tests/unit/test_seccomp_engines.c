/*
 * The profiles of docker, podman, buildah and containerd, as these engines write them: for every
 * system call number of every architecture, the program must answer what the profile says. What
 * it says is worked out here from the parsed profile, without libseccomp's filters.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile.h"

#define X32         0x40000000
#define LAST_NUMBER 700

static const char *const configs[] = {
	"engine-configs/docker-run.json",  "engine-configs/docker-run-tty.json",
	"engine-configs/podman-run.json",  "engine-configs/buildah-run.json",
	"engine-configs/ctr-seccomp.json",
};

static const struct {
	uint32_t token, arch;
	int bit; /* in every number */
} arches[] = {
	{ SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, 0 },
	{ SCMP_ARCH_X86, AUDIT_ARCH_I386, 0 },
	{ SCMP_ARCH_X32, AUDIT_ARCH_X86_64, X32 },
};

/* First arguments that the engines' rules look at, and others. */
static const uint64_t first_arguments[] = { 0,          8,          0x20000,    0x20008,
					    0xffffffff, 0x01200011, 0x7e020000, 0x10000000 };

static void load(const char *name, struct arena *arena, struct spec *spec)
{
	struct spec_problems problems = { 0 };
	struct err err = { 0 };
	int dirfd = open(TEST_INPUTS, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(dirfd >= 0);
	if (spec_load(arena, dirfd, name, spec, &problems, &err) < 0)
		fail_msg("%s: %s", name, err.message);
	close(dirfd);
}

/* ---- what the profile says ---- */

static uint32_t action_of(const struct spec_int *action, const struct spec_uint *code)
{
	if (action->v != SCMP_ACT_ERRNO(0))
		return (uint32_t)action->v;
	return SCMP_ACT_ERRNO(code->at ? (uint32_t)code->v : EPERM);
}

static bool names_it(const struct spec_seccomp_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->names.n; i++)
		if (strcmp(rule->names.v[i].s, name) == 0)
			return true;
	return false;
}

/* The engines use no other operators than these. */
static bool holds(const struct spec_seccomp_rule *rule, const uint64_t args[6])
{
	for (size_t i = 0; i < rule->args.n; i++) {
		const struct spec_seccomp_arg *c = &rule->args.v[i];
		uint64_t v = args[c->index.v];
		if (c->op.v == SCMP_CMP_EQ && v != c->value.v)
			return false;
		if (c->op.v == SCMP_CMP_NE && v == c->value.v)
			return false;
		if (c->op.v == SCMP_CMP_MASKED_EQ && (v & c->value.v) != c->value_two.v)
			return false;
	}
	return true;
}

static int highest(const struct spec_seccomp *spec, uint32_t token)
{
	int max = -1;
	for (size_t i = 0; i < spec->syscalls.n; i++) {
		const struct spec_strv *names = &spec->syscalls.v[i].names;
		for (size_t k = 0; k < names->n; k++) {
			int n = seccomp_syscall_resolve_name_arch(token, names->v[k].s);
			max = n > max ? n : max;
		}
	}
	return max;
}

static uint32_t expected(const struct spec_seccomp *spec, uint32_t token, int nr,
			 const uint64_t args[6])
{
	_cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(token, nr);

	for (size_t i = 0; name && i < spec->syscalls.n; i++) {
		const struct spec_seccomp_rule *rule = &spec->syscalls.v[i];
		if (names_it(rule, name) && holds(rule, args))
			return action_of(&rule->action, &rule->errno_ret);
	}
	if (nr > highest(spec, token))
		return SCMP_ACT_ERRNO(ENOSYS);
	return action_of(&spec->default_action, &spec->default_errno_ret);
}

/* ---- the tests ---- */

static void compare(const char *config, const struct spec_seccomp *spec,
		    const struct seccomp_filter *filter, size_t which)
{
	for (int n = 0; n <= LAST_NUMBER; n++) {
		int nr = arches[which].bit | n;
		for (size_t i = 0; i < ARRAY_SIZE(first_arguments); i++) {
			const uint64_t args[6] = { first_arguments[i] };
			uint32_t want = expected(spec, arches[which].token, nr, args);
			uint32_t got = filter_answer(filter, arches[which].arch, nr, args);
			if (got != want)
				fail_msg("%s: arch 0x%08x number 0x%x argument 0x%llx: 0x%08x, "
					 "expected 0x%08x",
					 config, arches[which].arch, nr,
					 (unsigned long long)args[0], got, want);
		}
	}
}

static void test_every_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		_cleanup_arena_ struct arena arena;
		struct seccomp_filter filter;
		struct spec spec = { 0 };
		struct err err = { 0 };

		arena_init(&arena);
		load(configs[i], &arena, &spec);
		assert_int_equal(seccomp_compile(&spec.linux.seccomp, &arena, &filter, &err), 0);
		for (size_t which = 0; which < ARRAY_SIZE(arches); which++)
			compare(configs[i], &spec.linux.seccomp, &filter, which);
	}
}

static void test_docker(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena arena;
	struct seccomp_filter filter;
	struct spec spec = { 0 };
	struct err err = { 0 };

	arena_init(&arena);
	load("engine-configs/docker-run.json", &arena, &spec);
	assert_int_equal(seccomp_compile(&spec.linux.seccomp, &arena, &filter, &err), 0);
	assert_int_equal(filter.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	assert_false(filter.has_notify);
	assert_int_equal(filter_answer_name(&filter, "read"), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_answer_name(&filter, "mount"), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(filter_answer_name(&filter, "clone3"), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(filter_answer(&filter, AUDIT_ARCH_X86_64, 600, NULL),
			 SECCOMP_RET_ERRNO | ENOSYS);
}

static void test_nothing_to_say_about_engines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		_cleanup_arena_ struct arena arena;
		struct spec_problems problems = { 0 };
		struct spec spec = { 0 };

		arena_init(&arena);
		load(configs[i], &arena, &spec);
		seccomp_check(&spec.linux.seccomp, &arena, &problems);
		assert_int_equal(problems.errors, 0);
		assert_int_equal(problems.warnings, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_number),
		cmocka_unit_test(test_docker),
		cmocka_unit_test(test_nothing_to_say_about_engines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
