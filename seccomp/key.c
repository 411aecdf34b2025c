/*
 * The key of a compiled filter: everything that its bytes depend on, written so that two profiles
 * that differ in anything never give the same bytes (every list and string has its length before
 * it). The listener is not part of it: it changes who is told, not the program. Pure; runs in the
 * parent, on the fast path of a start: no libseccomp work.
 */
#include "seccomp/profile.h"

#include <seccomp.h>
#include <string.h>

#define KEY_FORMAT 2u /* to be raised when other bytes are made of a profile */

static void put_u64(struct str *s, uint64_t v)
{
	str_append_n(s, (const char *)&v, sizeof(v));
}

static void put_u32(struct str *s, uint32_t v)
{
	str_append_n(s, (const char *)&v, sizeof(v));
}

static void put_text(struct str *s, const char *text)
{
	size_t n = strlen(text);
	put_u32(s, (uint32_t)n);
	str_append_n(s, text, n);
}

/* Given and absent differ even where the values are the same: the default may be another. */
static void put_uint(struct str *s, const struct spec_uint *v)
{
	put_u32(s, v->at != 0);
	put_u64(s, v->at ? v->v : 0);
}

static void put_names(struct str *s, const struct spec_strv *names)
{
	put_u32(s, names->at != 0);
	put_u64(s, names->n);
	for (size_t i = 0; i < names->n; i++)
		put_text(s, names->v[i].s);
}

static void put_rule(struct str *s, const struct spec_seccomp_rule *rule)
{
	put_u64(s, (uint64_t)rule->action.v);
	put_uint(s, &rule->errno_ret);
	put_names(s, &rule->names);
	put_u64(s, rule->args.n);
	for (size_t i = 0; i < rule->args.n; i++) {
		const struct spec_seccomp_arg *arg = &rule->args.v[i];
		put_u64(s, (uint64_t)arg->op.v);
		put_uint(s, &arg->index);
		put_uint(s, &arg->value);
		put_uint(s, &arg->value_two);
	}
}

void key_write(const struct spec_seccomp *spec, struct str *ret)
{
	const struct scmp_version *library = seccomp_version();

	put_text(ret, HULL_VERSION);
	put_u32(ret, KEY_FORMAT);
	put_u32(ret, library->major);
	put_u32(ret, library->minor);
	put_u32(ret, library->micro);
	put_u32(ret, seccomp_arch_native());

	put_u64(ret, (uint64_t)spec->default_action.v);
	put_uint(ret, &spec->default_errno_ret);
	put_names(ret, &spec->architectures);
	put_names(ret, &spec->flags);
	put_u64(ret, spec->syscalls.n);
	for (size_t i = 0; i < spec->syscalls.n; i++)
		put_rule(ret, &spec->syscalls.v[i]);
	while (ret->used % sizeof(uint64_t) != 0)
		str_append_n(ret, "", 1);
}
