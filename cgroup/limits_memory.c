/*
 * linux.resources.memory as writes. Pure; no privilege. The members were made for cgroup v1, whose
 * swap limit counts memory and swap together (S-163); cgroup v2 counts swap alone.
 */
#include "cgroup/limits.h"

#include <inttypes.h>

static int refuse_number(const char *what, const struct spec_int *value, struct err *err)
{
	int r = err_say(err, ERR_CONFIG, EINVAL, "memory.%s is %" PRId64, what, value->v);
	err_hint(err, "bytes, or -1 for unlimited");
	err_at(err, value->at);
	return r;
}

/*
 * Zero means "not set" where engines send zero, and -1 is unlimited. A total below the limit of
 * memory is a contradiction, and without that limit there is nothing to subtract; both are errors
 * in runc and crun, too.
 */
static int plan_swap(struct limits *l, const struct spec_memory *m, struct err *err)
{
	int64_t swap = m->swap.v;
	if (!m->swap.at || swap == 0)
		return 0;
	if (swap > 0) {
		int r = 0;
		if (!m->limit.at || m->limit.v <= 0)
			r = err_say(err, ERR_CONFIG, EINVAL,
				    "memory.swap is the total of memory and swap, and "
				    "memory.limit is not set");
		else if (swap < m->limit.v)
			r = err_say(err, ERR_CONFIG, EINVAL,
				    "memory.swap (%" PRId64
				    ") is the total of memory and swap, and is "
				    "below memory.limit (%" PRId64 ")",
				    swap, m->limit.v);
		err_at(r < 0 ? err : NULL, m->swap.at);
		if (r < 0)
			return r;
		swap -= m->limit.v;
	}
	struct cgroup_write write = {
		.file = "memory.swap.max",
		.value = limits_max_text(l->arena, swap),
		.controller = "memory",
		/* A kernel without swap uses none, and limits nothing. */
		.flags = swap <= 0 ? CGROUP_WRITE_IF_PRESENT : 0,
		.at = m->swap.at,
	};
	return limits_add(l, &write, err);
}

static int refuse_v1(const struct spec_memory *m, struct err *err)
{
	if (m->swappiness.at)
		return limits_refuse_v1("memory.swappiness", m->swappiness.at, err);
	if (m->disable_oom_killer.v)
		return limits_refuse_v1("memory.disableOOMKiller", m->disable_oom_killer.at, err);
	return 0;
}

/*
 * Ignored: kernel and kernelTCP (NOT RECOMMENDED by the spec, S-164; v2 counts kernel memory as
 * memory), useHierarchy (always so in v2), checkBeforeUpdate (a new cgroup uses nothing yet; for
 * `update` see update.c).
 */
int limits_plan_memory(struct limits *l, const struct spec_memory *m, struct err *err)
{
	const struct {
		const char *name, *file;
		const struct spec_int *value;
	} plain[] = {
		{ "limit", "memory.max", &m->limit },
		{ "reservation", "memory.low", &m->reservation },
	};
	int r = refuse_v1(m, err);
	if (r < 0)
		return r;
	if (m->swap.at && m->swap.v < -1)
		return refuse_number("swap", &m->swap, err);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		const struct spec_int *value = plain[i].value;
		if (!value->at || value->v == 0)
			continue;
		if (value->v < -1)
			return refuse_number(plain[i].name, value, err);
		r = limits_set(l, plain[i].file, limits_max_text(l->arena, value->v), value->at,
			       err);
		if (r < 0)
			return r;
	}
	return plan_swap(l, m, err);
}
