/*
 * What `hull check` says beside errors and warnings of a start: what is allowed and done as it
 * stands, but is hardly what its author means. Pure.
 */
#include <string.h>

#include "spec/spec_tables.h"

/* Less than this is spent before the program has done anything: its page tables and stacks. */
#define ADVISE_MEMORY_MIN (INT64_C(1) << 20)

static bool is_told(const struct json *user)
{
	return user && json_get(user, "username") && !json_get(user, "uid");
}

/* The specification requires them, and every runtime takes 0 for what is not there. */
static void advise_ids(const struct spec *spec, struct arena *arena, struct spec_problems *problems)
{
	const struct json *process = json_get(spec->doc.root, "process");
	const struct json *user = process ? json_get(process, "user") : NULL;
	static const char *const keys[] = { "uid", "gid" };
	if (!process || is_told(user))
		return; /* a user with a name alone is worth a word at every start (spec_process.c)
			 */
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (user && json_get(user, keys[i]))
			continue;
		struct err *err = spec_problem_add(
			arena, problems, SPEC_WARNING, user ? user->at : process->at,
			"process.user.%s is missing: the program runs as %s 0", keys[i],
			i ? "group" : "user");
		err_hint(err, "say so: \"user\": {\"uid\": 0, \"gid\": 0}");
	}
}

static void advise_memory(const struct spec *spec, struct arena *arena,
			  struct spec_problems *problems)
{
	const struct spec_int *limit = &spec->linux.resources.memory.limit;
	if (!limit->at || limit->v <= 0 || limit->v >= ADVISE_MEMORY_MIN)
		return;
	struct err *err = spec_problem_add(
		arena, problems, SPEC_WARNING, limit->at,
		"a start itself needs about as much as this limit of %lld bytes",
		(long long)limit->v);
	err_hint(err, "the limit is in bytes, and 1048576 are one megabyte");
}

static void advise_env(const struct spec *spec, struct arena *arena, struct spec_problems *problems)
{
	const struct spec_strv *env = &spec->process.env;
	for (size_t i = 0; i < env->n; i++) {
		if (strchr(env->v[i].s, '='))
			continue;
		struct err *err = spec_problem_add(arena, problems, SPEC_WARNING, env->v[i].at,
						   "'%s' is no variable: it has no '='",
						   env->v[i].s);
		err_hint(err, "nothing is taken from hull's own environment: write %s=value",
			 env->v[i].s);
	}
}

static void advise_destinations(const struct spec *spec, struct arena *arena,
				struct spec_problems *problems)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct spec_str *d = &spec->mounts.v[i].destination;
		if (!d->at || d->s[0] == '/')
			continue;
		struct err *err = spec_problem_add(arena, problems, SPEC_WARNING, d->at,
						   "the destination is no absolute path");
		err_hint(err, "it is taken for /%s", d->s);
	}
}

static void advise_cgroup(const struct spec *spec, struct arena *arena,
			  struct spec_problems *problems)
{
	const struct spec_str *path = &spec->linux.cgroups_path;
	const char *colon = path->at ? strchr(path->s, ':') : NULL;
	if (!colon || !strchr(colon + 1, ':') || strchr(path->s, '/'))
		return;
	struct err *err = spec_problem_add(arena, problems, SPEC_WARNING, path->at,
					   "'%s' is taken for the name of one cgroup", path->s);
	err_hint(err, "SLICE:PREFIX:NAME is for systemd: hull --systemd-cgroup ...");
}

static void advise_keys(const struct spec *spec, struct arena *arena,
			struct spec_problems *problems)
{
	struct bind b = { .arena = arena, .problems = problems, .doc = &spec->doc };
	bind_tell_unknown(&b, spec->doc.root, &spec_config_object);
}

void spec_advise(const struct spec *spec, bool has_systemd, struct arena *arena,
		 struct spec_problems *problems)
{
	advise_keys(spec, arena, problems);
	advise_env(spec, arena, problems);
	advise_destinations(spec, arena, problems);
	if (!has_systemd)
		advise_cgroup(spec, arena, problems);
	advise_ids(spec, arena, problems);
	advise_memory(spec, arena, problems);
}
