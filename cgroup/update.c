/*
 * What new limits need to know of those in force: runc remembers them in its state; hull asks the
 * kernel, which also knows what others have changed. Runs in `hull update`.
 */
#include "cgroup/update.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/fd.h"
#include "cgroup/events.h"

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
