/*
 * runc's JSON for a container's numbers, from those of cgroup v2: nanoseconds for the CPU, memory
 * and swap as one sum, "unlimited" as the largest number. What is not known is left out. Pure.
 */
#include "cmd/report_stat.h"

#include <string.h>

#include "base/json.h"

static bool is_there(uint64_t v)
{
	return v != CGROUP_NUMBER_NONE;
}

static void put(struct json_out *o, const char *key, uint64_t v)
{
	if (!is_there(v))
		return;
	json_out_key(o, key);
	json_out_uint(o, v == CGROUP_NUMBER_MAX ? UINT64_MAX : v);
}

static void put_nanoseconds(struct json_out *o, const char *key, uint64_t microseconds)
{
	put(o, key, is_there(microseconds) ? microseconds * 1000 : microseconds);
}

/* ---- pressure ---- */

static void put_pressure_line(struct json_out *o, const char *key,
			      const struct stat_pressure_line *line)
{
	json_out_key(o, key);
	json_out_object(o);
	json_out_key(o, "avg10");
	json_out_number(o, line->avg10);
	json_out_key(o, "avg60");
	json_out_number(o, line->avg60);
	json_out_key(o, "avg300");
	json_out_number(o, line->avg300);
	put(o, "total", line->total);
	json_out_object_end(o);
}

static void put_pressure(struct json_out *o, const struct stat_pressure *p)
{
	if (!p->is_there)
		return;
	json_out_key(o, "psi");
	json_out_object(o);
	put_pressure_line(o, "some", &p->some);
	put_pressure_line(o, "full", &p->full);
	json_out_object_end(o);
}

/* ---- the controllers ---- */

static void put_cpu(struct json_out *o, const struct stat_cpu *cpu)
{
	json_out_key(o, "cpu");
	json_out_object(o);
	json_out_key(o, "usage");
	json_out_object(o);
	put_nanoseconds(o, "total", cpu->usage);
	put_nanoseconds(o, "kernel", cpu->system);
	put_nanoseconds(o, "user", cpu->user);
	json_out_object_end(o);
	json_out_key(o, "throttling");
	json_out_object(o);
	put(o, "periods", cpu->periods);
	put(o, "throttledPeriods", cpu->throttled_periods);
	put_nanoseconds(o, "throttledTime", cpu->throttled);
	json_out_object_end(o);
	put_pressure(o, &cpu->pressure);
	json_out_object_end(o);
}

static void put_usage(struct json_out *o, const char *key, uint64_t limit, uint64_t usage,
		      uint64_t peak, uint64_t hits)
{
	json_out_key(o, key);
	json_out_object(o);
	put(o, "limit", limit);
	put(o, "usage", usage);
	put(o, "max", peak);
	put(o, "failcnt", hits);
	json_out_object_end(o);
}

/* The two of cgroup v2 as the one of v1, which runc still prints. */
static uint64_t sum(uint64_t memory, uint64_t swap)
{
	if (!is_there(memory) || !is_there(swap))
		return CGROUP_NUMBER_NONE;
	if (memory == CGROUP_NUMBER_MAX || swap == CGROUP_NUMBER_MAX)
		return CGROUP_NUMBER_MAX;
	return memory + swap;
}

static void put_raw(struct json_out *o, const struct stat_memory *m)
{
	json_out_key(o, "raw");
	json_out_object(o);
	for (size_t i = 0; i < m->raw_n; i++)
		put(o, m->raw[i].key, m->raw[i].value);
	json_out_object_end(o);
}

static void put_memory(struct json_out *o, const struct stat_memory *m)
{
	json_out_key(o, "memory");
	json_out_object(o);
	for (size_t i = 0; i < m->raw_n; i++)
		if (str_eq(m->raw[i].key, "file"))
			put(o, "cache", m->raw[i].value);
	put_usage(o, "usage", m->limit, m->usage, m->peak, m->limit_hits);
	put_usage(o, "swap", sum(m->limit, m->swap_limit), sum(m->usage, m->swap_usage),
		  CGROUP_NUMBER_NONE, 0);
	put_usage(o, "kernel", CGROUP_NUMBER_NONE, CGROUP_NUMBER_NONE, CGROUP_NUMBER_NONE, 0);
	put_usage(o, "kernelTCP", CGROUP_NUMBER_NONE, CGROUP_NUMBER_NONE, CGROUP_NUMBER_NONE, 0);
	put_raw(o, m);
	put_pressure(o, &m->pressure);
	json_out_object_end(o);
}

static void put_pids(struct json_out *o, const struct cgroup_stat *s)
{
	json_out_key(o, "pids");
	json_out_object(o);
	put(o, "current", s->pids);
	/* No limit is none, as in runc. */
	put(o, "limit", s->pids_limit == CGROUP_NUMBER_MAX ? CGROUP_NUMBER_NONE : s->pids_limit);
	json_out_object_end(o);
}

static void put_io_entry(struct json_out *o, const struct stat_io_device *d, const char *op,
			 uint64_t value)
{
	json_out_object(o);
	put(o, "major", d->major);
	put(o, "minor", d->minor);
	json_out_member(o, "op", op);
	put(o, "value", value);
	json_out_object_end(o);
}

static void put_io(struct json_out *o, const struct cgroup_stat *s)
{
	json_out_key(o, "blkio");
	json_out_object(o);
	json_out_key(o, "ioServiceBytesRecursive");
	json_out_array(o);
	for (size_t i = 0; i < s->io_n; i++) {
		put_io_entry(o, &s->io[i], "Read", s->io[i].rbytes);
		put_io_entry(o, &s->io[i], "Write", s->io[i].wbytes);
		put_io_entry(o, &s->io[i], "Discard", s->io[i].dbytes);
	}
	json_out_array_end(o);
	json_out_key(o, "ioServicedRecursive");
	json_out_array(o);
	for (size_t i = 0; i < s->io_n; i++) {
		put_io_entry(o, &s->io[i], "Read", s->io[i].rios);
		put_io_entry(o, &s->io[i], "Write", s->io[i].wios);
		put_io_entry(o, &s->io[i], "Discard", s->io[i].dios);
	}
	json_out_array_end(o);
	put_pressure(o, &s->io_pressure);
	json_out_object_end(o);
}

static void put_hugetlb(struct json_out *o, const struct cgroup_stat *s)
{
	json_out_key(o, "hugetlb");
	json_out_object(o);
	for (size_t i = 0; i < s->hugetlb_n; i++) {
		json_out_key(o, s->hugetlb[i].size);
		json_out_object(o);
		put(o, "usage", s->hugetlb[i].usage);
		put(o, "failcnt", s->hugetlb[i].limit_hits);
		json_out_object_end(o);
	}
	json_out_object_end(o);
}

static void put_empty(struct json_out *o, const char *key)
{
	json_out_key(o, key);
	json_out_object(o);
	json_out_object_end(o);
}

static void begin(struct json_out *o, struct str *out, const char *id, const char *type)
{
	json_out_init(o, out, JSON_OUT_COMPACT);
	json_out_object(o);
	json_out_member(o, "type", type);
	json_out_member(o, "id", id);
}

void report_stat(struct str *out, const char *id, const struct cgroup_stat *stat)
{
	struct json_out o;
	begin(&o, out, id, "stats");
	json_out_key(&o, "data");
	json_out_object(&o);
	put_cpu(&o, &stat->cpu);
	put_empty(&o, "cpuset");
	put_memory(&o, &stat->memory);
	put_pids(&o, stat);
	put_io(&o, stat);
	put_hugetlb(&o, stat);
	put_empty(&o, "intel_rdt");
	json_out_key(&o, "network_interfaces");
	json_out_array(&o);
	json_out_array_end(&o);
	json_out_object_end(&o);
	json_out_object_end(&o);
	str_append(out, "\n");
}

void report_event(struct str *out, const char *id, const char *type)
{
	struct json_out o;
	begin(&o, out, id, type);
	json_out_object_end(&o);
	str_append(out, "\n");
}

void report_limit_event(struct str *out, const char *id, const char *file, const char *key,
			uint64_t count)
{
	struct json_out o;
	begin(&o, out, id, "limit");
	json_out_key(&o, "data");
	json_out_object(&o);
	json_out_member(&o, "file", file);
	json_out_member(&o, "event", key);
	put(&o, "count", count);
	json_out_object_end(&o);
	json_out_object_end(&o);
	str_append(out, "\n");
}
