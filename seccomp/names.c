/*
 * Names of system calls and architectures against what this libseccomp knows, and the nearest
 * name for a typing error. A rule for a name that nobody knows does nothing, which in a
 * profile is a hole or a breakage that should be seen. Pure; runs in the parent.
 */
#include "seccomp/profile.h"

#include <seccomp.h>

#define NAMES_MAX_NUMBER 1024 /* no native table of ours reaches this far */

static bool is_unknown(const char *name)
{
	return seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR;
}

bool profile_has_unknown(const struct spec_seccomp *spec)
{
	for (size_t i = 0; i < spec->syscalls.n; i++) {
		const struct spec_strv *names = &spec->syscalls.v[i].names;
		for (size_t k = 0; k < names->n; k++)
			if (is_unknown(names->v[k].s))
				return true;
	}
	return false;
}

/* The names of all native system calls, collected when the first unknown one is met. */
struct names {
	const char **v;
	size_t n;
	size_t next;
};

static void names_collect(struct names *names, struct arena *arena)
{
	names->v = arena_array(arena, NAMES_MAX_NUMBER, sizeof(*names->v));
	for (int i = 0; i < NAMES_MAX_NUMBER; i++) {
		_cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(),
									     i);
		if (name)
			names->v[names->n++] = arena_strdup(arena, name);
	}
}

static const char *names_next(void *state)
{
	struct names *names = state;
	return names->next < names->n ? names->v[names->next++] : NULL;
}

static const char *names_nearest(struct names *names, const char *name, struct arena *arena)
{
	if (!names->v)
		names_collect(names, arena);
	names->next = 0;
	return str_nearest(name, names_next, names);
}

static void check_syscalls(const struct spec_seccomp *spec, struct arena *arena,
			   struct spec_problems *problems)
{
	struct names names = { 0 };

	for (size_t i = 0; i < spec->syscalls.n; i++) {
		const struct spec_strv *v = &spec->syscalls.v[i].names;
		for (size_t k = 0; k < v->n; k++) {
			if (!is_unknown(v->v[k].s))
				continue;
			struct err *problem = spec_problem_add(
				arena, problems, SPEC_WARNING, v->v[k].at,
				"unknown system call '%s': the rule does nothing for it",
				v->v[k].s);
			if (!problem) /* there are more of them than are kept */
				continue;
			const char *nearest = names_nearest(&names, v->v[k].s, arena);
			if (nearest)
				err_hint(problem, "did you mean '%s'?", nearest);
		}
	}
}

/* That a name is one of the OCI's is spec/'s to check; a library may be older than the name. */
static void check_arches(const struct spec_seccomp *spec, struct arena *arena,
			 struct spec_problems *problems)
{
	for (size_t i = 0; i < spec->architectures.n; i++) {
		const struct spec_str *name = &spec->architectures.v[i];
		if (profile_arch_token(name->s) == 0)
			spec_problem_add(arena, problems, SPEC_ERROR, name->at,
					 "this libseccomp does not know the architecture '%s'",
					 name->s);
	}
}

void seccomp_check(const struct spec_seccomp *spec, struct arena *arena,
		   struct spec_problems *problems)
{
	check_syscalls(spec, arena, problems);
	check_arches(spec, arena, problems);
}
