/* Hand-made profiles: see the header. Runs in a test, with no privilege. */
#include "profile.h"

#include <setjmp.h>
#include <seccomp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bpf.h"

static struct spec_uint given(struct profile *p, int64_t v)
{
	if (v < 0)
		return (struct spec_uint) { 0 };
	return (struct spec_uint) { .v = (uint64_t)v, .at = p->next_at++ };
}

static void add_name(struct profile *p, struct spec_strv *to, const char *name)
{
	struct spec_str *v = arena_array(&p->arena, to->n + 1, sizeof(*v));
	if (to->n > 0)
		memcpy(v, to->v, to->n * sizeof(*v));
	v[to->n].s = arena_strdup(&p->arena, name);
	v[to->n].at = p->next_at++;
	to->v = v;
	to->n++;
	if (!to->at)
		to->at = p->next_at++;
}

void profile_init(struct profile *p, uint32_t action, int64_t errno_ret)
{
	memset(p, 0, sizeof(*p));
	arena_init(&p->arena);
	p->next_at = 1;
	p->spec.at = p->next_at++;
	p->spec.default_action = (struct spec_int) { .v = action, .at = p->next_at++ };
	p->spec.default_errno_ret = given(p, errno_ret);
}

void profile_done(struct profile *p)
{
	arena_done(&p->arena);
}

void profile_add_arch(struct profile *p, const char *name)
{
	add_name(p, &p->spec.architectures, name);
}

void profile_add_flag(struct profile *p, const char *name)
{
	add_name(p, &p->spec.flags, name);
}

struct spec_seccomp_rule *profile_add_rule(struct profile *p, uint32_t action, int64_t errno_ret,
					   ...)
{
	size_t n = p->spec.syscalls.n;
	va_list ap;

	if (!p->spec.syscalls.v)
		p->spec.syscalls.v = arena_array(&p->arena, PROFILE_MAX,
						 sizeof(*p->spec.syscalls.v));
	assert_true(n < PROFILE_MAX);
	struct spec_seccomp_rule *rule = &p->spec.syscalls.v[n];
	p->spec.syscalls.n++;
	p->spec.syscalls.at = p->next_at++;
	rule->at = p->next_at++;
	rule->action = (struct spec_int) { .v = action, .at = p->next_at++ };
	rule->errno_ret = given(p, errno_ret);
	va_start(ap, errno_ret);
	for (const char *name = va_arg(ap, const char *); name; name = va_arg(ap, const char *))
		add_name(p, &rule->names, name);
	va_end(ap);
	return rule;
}

void profile_add_arg(struct profile *p, uint64_t index, int op, uint64_t value, uint64_t two)
{
	struct spec_seccomp_rule *rule = &p->spec.syscalls.v[p->spec.syscalls.n - 1];
	size_t n = rule->args.n;
	struct spec_seccomp_arg *v = arena_array(&p->arena, n + 1, sizeof(*v));

	if (n > 0)
		memcpy(v, rule->args.v, n * sizeof(*v));
	v[n] = (struct spec_seccomp_arg) {
		.index = { .v = index, .at = p->next_at++ },
		.value = { .v = value, .at = p->next_at++ },
		.value_two = { .v = two, .at = p->next_at++ },
		.op = { .v = op, .at = p->next_at++ },
		.at = p->next_at++,
	};
	rule->args.v = v;
	rule->args.n++;
	rule->args.at = p->next_at++;
}

struct seccomp_filter profile_compile(struct profile *p)
{
	struct seccomp_filter filter = { 0 };
	struct err err = { 0 };

	if (seccomp_compile(&p->spec, &p->arena, &filter, &err) < 0)
		fail_msg("the profile does not compile: %s", err.message);
	return filter;
}

uint32_t filter_answer(const struct seccomp_filter *filter, uint32_t arch, int nr,
		       const uint64_t args[6])
{
	struct seccomp_data data = { .nr = nr, .arch = arch };
	uint32_t value = 0;

	if (args)
		memcpy(data.args, args, sizeof(data.args));
	assert_int_equal(bpf_run(filter->insns, filter->len, &data, &value, NULL), 0);
	return value;
}

uint32_t filter_answer_name(const struct seccomp_filter *filter, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);
	assert_true(nr >= 0);
	return filter_answer(filter, AUDIT_ARCH_X86_64, nr, NULL);
}
