/*
 * New limits in the place of those in force, all of them or none. What must be known of the old
 * ones runc remembers in its state; hull asks the kernel, which also knows what others have
 * changed. Runs in `hull update`.
 */
#include "cgroup/update.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/str.h"
#include "cgroup/events.h"
#include "cgroup/limits.h"
#include "cgroup/revert.h"

/* "50000 100000" or "max 100000" in cpu.max; false when the controller is not enabled yet. */
static bool read_cpu_max(int fd, int64_t *ret_quota, uint64_t *ret_period)
{
	char text[64];
	if (fd_read_value(fd, "cpu.max", text, sizeof(text)) < 0)
		return false;
	if (sscanf(text, "max %" SCNu64, ret_period) == 1) {
		*ret_quota = -1;
		return true;
	}
	return sscanf(text, "%" SCNd64 " %" SCNu64, ret_quota, ret_period) == 2;
}

static void complete_cpu(int fd, struct spec_cpu *cpu)
{
	bool has_quota = cpu->quota.at && cpu->quota.v != 0;
	bool has_period = cpu->period.at && cpu->period.v != 0;
	int64_t quota;
	uint64_t period;

	if (has_quota == has_period || !read_cpu_max(fd, &quota, &period))
		return;
	if (has_quota)
		cpu->period = (struct spec_uint) { .v = period, .at = cpu->quota.at };
	else
		cpu->quota = (struct spec_int) { .v = quota, .at = cpu->period.at };
}

static void complete_swap(int fd, struct spec_memory *m)
{
	bool has_limit = m->limit.at && m->limit.v != 0;
	if (!m->swap.at || m->swap.v <= 0 || has_limit)
		return;
	uint64_t limit = cgroup_read_number(fd, 0, "memory.max");
	if (limit <= INT64_MAX)
		m->limit = (struct spec_int) { .v = (int64_t)limit, .at = m->swap.at };
}

static int check_usage(int fd, const struct spec_memory *m, struct err *err)
{
	if (!m->check_before_update.v || !m->limit.at || m->limit.v <= 0)
		return 0;
	uint64_t usage = cgroup_read_number(fd, 0, "memory.current");
	if (usage == CGROUP_NUMBER_NONE || usage <= (uint64_t)m->limit.v)
		return 0;
	int r = err_say(err, ERR_BUSY, EBUSY,
			"the container uses %" PRIu64 " bytes, more than the new limit of %" PRId64,
			usage, m->limit.v);
	err_hint(err, "without checkBeforeUpdate the kernel reclaims what it can, and kills");
	err_at(err, m->limit.at);
	return r;
}

int cgroup_complete_resources(int fd, struct spec_resources *resources, struct err *err)
{
	complete_cpu(fd, &resources->cpu);
	complete_swap(fd, &resources->memory);
	return check_usage(fd, &resources->memory, err);
}

/* ---- all or nothing ---- */

/* What is being written, and how it is taken back. */
struct update {
	int fd;
	const struct cgroup_plan *plan;
	struct arena *arena;
	struct revert *done;
	size_t done_n;
};

/* A value that stands in the way of another one while both change: it becomes 0 in between. */
static const struct {
	const char *file, *blocks;
} blocking[] = {
	{ "cpu.max.burst", "cpu.max" }, /* never above the quota */
	{ "cpu.idle", "cpu.weight" },   /* an idle cgroup refuses a weight */
};

/* Taken back in vain: the kernel has reclaimed and killed. So they are written when all else is. */
static bool is_costly(const struct cgroup_write *w)
{
	return str_eq(w->file, "memory.max") || str_eq(w->file, "memory.high");
}

static const struct cgroup_write *find_write(const struct cgroup_plan *plan, const char *file)
{
	for (size_t i = 0; i < plan->writes_n; i++)
		if (str_eq(plan->writes[i].file, file))
			return &plan->writes[i];
	return NULL;
}

static int write_one(struct update *u, const struct cgroup_write *w, struct err *err)
{
	struct revert *done = &u->done[u->done_n];
	revert_read(u->fd, w->file, w->value, u->arena, done);
	if (!done->value && w->or_file)
		revert_read(u->fd, w->or_file, w->or_value, u->arena, done);
	int r = apply_write(u->fd, w, err);
	u->done_n += r == 0;
	return r;
}

static int write_blocking(struct update *u, struct err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(blocking); i++) {
		const struct cgroup_write *w = find_write(u->plan, blocking[i].file);
		if (!w || !find_write(u->plan, blocking[i].blocks))
			continue;
		struct cgroup_write none = *w;
		none.value = "0";
		r = write_one(u, &none, err);
	}
	return r;
}

static int write_all(struct update *u, struct err *err)
{
	int r = write_blocking(u, err);
	for (int costly = 0; costly < 2; costly++)
		for (size_t i = 0; r == 0 && i < u->plan->writes_n; i++)
			if (is_costly(&u->plan->writes[i]) == costly)
				r = write_one(u, &u->plan->writes[i], err);
	return r;
}

int cgroup_update(int fd, const struct cgroup_update *wanted, struct arena *arena, struct err *err)
{
	_cleanup_close_ int program = -EBADF;
	const struct cgroup_plan *plan = wanted->plan;
	struct update u = { .fd = fd, .plan = plan, .arena = arena };
	u.done = arena_array(arena, plan->writes_n + ARRAY_SIZE(blocking), sizeof(*u.done));
	if (wanted->has_devices && plan->device_insns) {
		program = device_load(plan->device_insns, plan->device_insns_n, err);
		if (program < 0)
			return program;
	}
	int r = write_all(&u, err);
	if (r == 0 && wanted->agree)
		r = wanted->agree(wanted->context, err);
	if (r == 0 && wanted->has_devices)
		r = device_swap(fd, program, err);
	if (r == 0)
		return 0;
	const struct revert *failed = revert_all(fd, u.done, u.done_n);
	if (failed)
		err_hint(err, "'%s' could not be set back to what it was, '%s'", failed->file,
			 failed->value);
	return r;
}
