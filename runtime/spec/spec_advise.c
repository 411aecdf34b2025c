/*
 * What `hull check` says beside errors and warnings of a start: what is allowed and done as it
 * stands, but is hardly what its author means. Pure.
 */
#include "spec/spec.h"

/* Less than this is spent before the program has done anything: its page tables and stacks. */
#define ADVISE_MEMORY_MIN (INT64_C(1) << 20)

/* The specification requires them, and every runtime takes 0 for what is not there. */
static void advise_ids(const struct spec *spec, struct arena *arena, struct spec_problems *problems)
{
	const struct json *process = json_get(spec->doc.root, "process");
	const struct json *user = process ? json_get(process, "user") : NULL;
	static const char *const keys[] = { "uid", "gid" };
	if (!process)
		return;
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

void spec_advise(const struct spec *spec, struct arena *arena, struct spec_problems *problems)
{
	advise_ids(spec, arena, problems);
	advise_memory(spec, arena, problems);
}
