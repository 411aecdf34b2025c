/*
 * linux.resources.cpu as writes to cpu.* and cpuset.*. Pure; no privilege. Times are microseconds
 * in config.json and in the kernel's files.
 */
#include "cgroup/limits.h"

#include <inttypes.h>

#define CPU_SHARES_MIN     2
#define CPU_SHARES_MAX     262144
#define CPU_DEFAULT_PERIOD 100000 /* the kernel's, of a new cgroup */

/*
 * Shares of cgroup v1 (2 to 262144, default 1024) as a weight of v2 (1 to 10000, default 100), by
 * the straight line that runc up to 1.3.1 and crun up to 1.22 used, Debian 12's among them.
 * Newer ones bend the line so that 1024 gives 100 (opencontainers/runc#4896); it is not followed
 * here because weights only mean something among neighbours, and containers that other runtimes
 * of the same host started are the neighbours. Out of range values are clamped, as v1 does.
 */
static uint64_t weight_of_shares(uint64_t shares)
{
	if (shares < CPU_SHARES_MIN)
		shares = CPU_SHARES_MIN;
	if (shares > CPU_SHARES_MAX)
		shares = CPU_SHARES_MAX;
	return 1 + (shares - CPU_SHARES_MIN) * 9999 / (CPU_SHARES_MAX - CPU_SHARES_MIN);
}

static int plan_weight(struct limits *l, const struct spec_cpu *cpu, struct err *err)
{
	if (!cpu->shares.at || cpu->shares.v == 0)
		return 0;
	const char *value = arena_printf(l->arena, "%" PRIu64, weight_of_shares(cpu->shares.v));
	return limits_set(l, "cpu.weight", value, cpu->shares.at, err);
}

/* A quota or a period alone leaves the other one as a new cgroup has it. */
static int plan_quota(struct limits *l, const struct spec_cpu *cpu, struct err *err)
{
	bool has_quota = cpu->quota.at && cpu->quota.v != 0;
	bool has_period = cpu->period.at && cpu->period.v != 0;
	if (!has_quota && !has_period)
		return 0;
	if (has_quota && cpu->quota.v < -1) {
		int r = err_say(err, ERR_CONFIG, EINVAL, "cpu.quota is %" PRId64, cpu->quota.v);
		err_hint(err, "microseconds, or -1 for unlimited");
		err_at(err, cpu->quota.at);
		return r;
	}
	const char *quota = has_quota ? limits_max_text(l->arena, cpu->quota.v) : "max";
	uint64_t period = has_period ? cpu->period.v : CPU_DEFAULT_PERIOD;
	const char *value = arena_printf(l->arena, "%s %" PRIu64, quota, period);
	return limits_set(l, "cpu.max", value, has_quota ? cpu->quota.at : cpu->period.at, err);
}

/* After the quota, which the kernel compares it with (S-170). */
static int plan_burst(struct limits *l, const struct spec_cpu *cpu, struct err *err)
{
	if (!cpu->burst.at)
		return 0;
	if (cpu->quota.at && cpu->quota.v > 0 && cpu->burst.v > (uint64_t)cpu->quota.v) {
		int r = err_say(err, ERR_CONFIG, EINVAL,
				"cpu.burst (%" PRIu64 ") is above cpu.quota (%" PRId64 ")",
				cpu->burst.v, cpu->quota.v);
		err_at(err, cpu->burst.at);
		return r;
	}
	const char *value = arena_printf(l->arena, "%" PRIu64, cpu->burst.v);
	return limits_set(l, "cpu.max.burst", value, cpu->burst.at, err);
}

/* After the weight, which an idle cgroup refuses. */
static int plan_idle(struct limits *l, const struct spec_cpu *cpu, struct err *err)
{
	if (!cpu->idle.at)
		return 0;
	return limits_set(l, "cpu.idle", arena_printf(l->arena, "%" PRId64, cpu->idle.v),
			  cpu->idle.at, err);
}

static int plan_set(struct limits *l, const char *file, const struct spec_str *list,
		    struct err *err)
{
	if (!list->at || list->s[0] == '\0')
		return 0;
	return limits_set(l, file, list->s, list->at, err);
}

static int refuse_realtime(const struct spec_cpu *cpu, struct err *err)
{
	if (cpu->realtime_runtime.at && cpu->realtime_runtime.v != 0)
		return limits_refuse_v1("cpu.realtimeRuntime", cpu->realtime_runtime.at, err);
	if (cpu->realtime_period.at && cpu->realtime_period.v != 0)
		return limits_refuse_v1("cpu.realtimePeriod", cpu->realtime_period.at, err);
	return 0;
}

int limits_plan_cpu(struct limits *l, const struct spec_cpu *cpu, struct err *err)
{
	int r = refuse_realtime(cpu, err);
	if (r == 0)
		r = plan_weight(l, cpu, err);
	if (r == 0)
		r = plan_quota(l, cpu, err);
	if (r == 0)
		r = plan_burst(l, cpu, err);
	if (r == 0)
		r = plan_idle(l, cpu, err);
	if (r == 0)
		r = plan_set(l, "cpuset.cpus", &cpu->cpus, err);
	if (r == 0)
		r = plan_set(l, "cpuset.mems", &cpu->mems, err);
	return r;
}
