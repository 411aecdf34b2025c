/*
 * What containers use at the moment: rates from two looks at their counters, shares of limits, as
 * a table for people and as one JSON object a line. Pure.
 */
#include "cmd/report_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cmd/report.h"
#include "cmd/table.h"

#define REMARK_THROTTLED 100 /* of 1000 periods */
#define REMARK_MEMORY    90  /* percent of the limit */

/* Neither unknown nor without a limit. */
static bool is_number(uint64_t v)
{
	return v != CGROUP_NUMBER_NONE && v != CGROUP_NUMBER_MAX;
}

/* ---- between two looks ---- */

/* A counter that has gone back is another container's. */
static uint64_t per_second(uint64_t before, uint64_t now, int64_t ms)
{
	if (!is_number(before) || !is_number(now) || now < before || ms <= 0)
		return LOAD_NONE;
	return (now - before) * 1000 / (uint64_t)ms;
}

static uint64_t sum_io(const struct cgroup_stat *s, bool is_read)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < s->io_n; i++)
		sum += is_read ? s->io[i].rbytes : s->io[i].wbytes;
	return sum;
}

static uint64_t throttled_of(const struct stat_cpu *before, const struct stat_cpu *now)
{
	if (!is_number(now->quota) || !is_number(before->periods) || !is_number(now->periods))
		return LOAD_NONE;
	if (now->periods <= before->periods || now->throttled_periods < before->throttled_periods)
		return 0;
	return (now->throttled_periods - before->throttled_periods) * 1000 /
	       (now->periods - before->periods);
}

void report_load_rates(const struct load *before, const struct load *now, int64_t ms,
		       struct load_rates *ret)
{
	const struct cgroup_stat *s = &now->stat;
	*ret = (struct load_rates) { LOAD_NONE, LOAD_NONE, LOAD_NONE, LOAD_NONE, LOAD_NONE };
	if (!now->has_stat)
		return;
	if (is_number(s->cpu.quota) && s->cpu.period > 0)
		ret->limit_millicores = s->cpu.quota * 1000 / s->cpu.period;
	if (!before || !before->has_stat)
		return;
	uint64_t usec = per_second(before->stat.cpu.usage, s->cpu.usage, ms);
	ret->millicores = usec == LOAD_NONE ? usec : usec / 1000;
	ret->throttled = throttled_of(&before->stat.cpu, &s->cpu);
	ret->read = per_second(sum_io(&before->stat, true), sum_io(s, true), ms);
	ret->written = per_second(sum_io(&before->stat, false), sum_io(s, false), ms);
}

const struct load *report_load_before(const struct loads *before, const struct load *now)
{
	for (size_t i = 0; before && i < before->n; i++)
		if (str_eq(before->v[i].id, now->id) && str_eq(before->v[i].created, now->created))
			return &before->v[i];
	return NULL;
}

/* ---- the table ---- */

static uint64_t percent(uint64_t part, uint64_t whole)
{
	return (part * 100 + whole / 2) / whole;
}

static void add(struct table *t, struct str *cell)
{
	table_add(t, cell->used ? cell->text : "-");
	str_init(cell, t->arena);
}

static void add_bytes(struct table *t, struct str *cell, uint64_t n)
{
	if (is_number(n)) {
		report_bytes(cell, n);
		if (n < 1024)
			str_append(cell, " B");
	}
	add(t, cell);
}

static void add_cpu(struct table *t, struct str *cell, const struct load_rates *r)
{
	if (is_number(r->millicores))
		str_printf(cell, "%" PRIu64 ".%02" PRIu64, r->millicores / 1000,
			   r->millicores % 1000 / 10);
	add(t, cell);
	if (is_number(r->limit_millicores) && r->limit_millicores > 0 && is_number(r->millicores))
		str_printf(cell, "%" PRIu64 " %% of %" PRIu64 ".%02" PRIu64,
			   percent(r->millicores, r->limit_millicores), r->limit_millicores / 1000,
			   r->limit_millicores % 1000 / 10);
	add(t, cell);
	if (is_number(r->throttled))
		str_printf(cell, "%" PRIu64 " %%", r->throttled / 10);
	add(t, cell);
}

static void add_memory(struct table *t, struct str *cell, const struct stat_memory *m)
{
	add_bytes(t, cell, m->usage);
	if (is_number(m->limit) && m->limit > 0 && is_number(m->usage)) {
		str_printf(cell, "%" PRIu64 " %% of ", percent(m->usage, m->limit));
		report_bytes(cell, m->limit);
	}
	add(t, cell);
	add_bytes(t, cell, m->swap_usage);
}

static void add_pids(struct table *t, struct str *cell, const struct cgroup_stat *s)
{
	if (is_number(s->pids))
		str_printf(cell, "%" PRIu64, s->pids);
	if (is_number(s->pids) && is_number(s->pids_limit))
		str_printf(cell, "/%" PRIu64, s->pids_limit);
	add(t, cell);
}

/* Of the last ten seconds: some are waiting, all are; percent without a fraction. */
static void add_pressure(struct table *t, struct str *cell, const struct stat_pressure *p)
{
	if (p->is_there)
		str_printf(cell, "%.*s/%.*s", (int)strcspn(p->some.avg10, "."), p->some.avg10,
			   (int)strcspn(p->full.avg10, "."), p->full.avg10);
	add(t, cell);
}

static const char *const heads[] = {
	"ID",   "STATUS", "CPU",     "OF LIMIT", "THROTTLED", "MEMORY",    "OF LIMIT", "SWAP",
	"PIDS", "READ/S", "WRITE/S", "OOM",      "CPU WAITS", "MEM WAITS", "IO WAITS",
};

static void add_row(struct table *t, const struct load *load, const struct load_rates *r)
{
	const struct cgroup_stat *s = &load->stat;
	struct str cell;
	str_init(&cell, t->arena);
	table_add(t, load->id);
	table_add(t, load->status);
	add_cpu(t, &cell, r);
	if (!load->has_stat) {
		for (size_t i = 5; i < ARRAY_SIZE(heads); i++)
			table_add(t, "-");
		return;
	}
	add_memory(t, &cell, &s->memory);
	add_pids(t, &cell, s);
	add_bytes(t, &cell, r->read);
	add_bytes(t, &cell, r->written);
	if (is_number(s->memory.oom_kills))
		str_printf(&cell, "%" PRIu64, s->memory.oom_kills);
	add(t, &cell);
	add_pressure(t, &cell, &s->cpu.pressure);
	add_pressure(t, &cell, &s->memory.pressure);
	add_pressure(t, &cell, &s->io_pressure);
}

static void remark(struct str *out, const struct load *load, const struct load_rates *r)
{
	const struct stat_memory *m = &load->stat.memory;
	if (!load->has_stat)
		return;
	if (is_number(r->throttled) && r->throttled >= REMARK_THROTTLED)
		str_printf(out,
			   "%s: throttled in %" PRIu64 " %% of its periods: cpu.max is %" PRIu64
			   ".%02" PRIu64 " CPUs\n",
			   load->id, r->throttled / 10, r->limit_millicores / 1000,
			   r->limit_millicores % 1000 / 10);
	if (is_number(m->usage) && is_number(m->limit) && m->limit > 0 &&
	    percent(m->usage, m->limit) >= REMARK_MEMORY)
		str_printf(out,
			   "%s: memory at %" PRIu64 " %% of its limit, reached %" PRIu64
			   " times so far\n",
			   load->id, percent(m->usage, m->limit),
			   is_number(m->limit_hits) ? m->limit_hits : 0);
}

void report_load_table(struct str *out, const struct loads *before, const struct loads *now,
		       struct arena *arena)
{
	struct load_rates *rates = arena_array(arena, now->n + 1, sizeof(*rates));
	struct table t;
	table_init(&t, arena, ARRAY_SIZE(heads));
	t.min_width = 0;
	t.padding = 2;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&t, heads[i]);
	for (size_t i = 0; i < now->n; i++) {
		const struct load *load = &now->v[i];
		report_load_rates(report_load_before(before, load), load,
				  before ? now->time_ms - before->time_ms : 0, &rates[i]);
		add_row(&t, load, &rates[i]);
	}
	table_print(&t, out);
	for (size_t i = 0; i < now->n; i++)
		remark(out, &now->v[i], &rates[i]);
}

/* ---- JSON ---- */

/* What is not known, or not limited, has no member. */
static void put(struct json_out *o, const char *key, uint64_t v)
{
	if (!is_number(v))
		return;
	json_out_key(o, key);
	json_out_uint(o, v);
}

/* With three digits behind the point. */
static void put_thousandths(struct json_out *o, const char *key, uint64_t v)
{
	char text[32];
	if (!is_number(v))
		return;
	snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, v / 1000, v % 1000);
	json_out_key(o, key);
	json_out_number(o, text);
}

static void put_share(struct json_out *o, const char *key, uint64_t part, uint64_t whole)
{
	if (is_number(part) && is_number(whole) && whole > 0)
		put_thousandths(o, key, part * 1000 / whole);
}

static void begin(struct json_out *o, const char *key)
{
	json_out_key(o, key);
	json_out_object(o);
}

static void put_usage(struct json_out *o, const char *key, uint64_t usage, uint64_t limit)
{
	begin(o, key);
	put(o, "usage", usage);
	put(o, "limit", limit);
	put_share(o, "share", usage, limit);
	json_out_object_end(o);
}

static void put_pressure(struct json_out *o, const char *key, const struct stat_pressure *p)
{
	if (!p->is_there)
		return;
	begin(o, key);
	json_out_key(o, "some");
	json_out_number(o, p->some.avg10);
	json_out_key(o, "full");
	json_out_number(o, p->full.avg10);
	json_out_object_end(o);
}

static void put_load(struct json_out *o, const struct load *load, const struct load_rates *r)
{
	const struct cgroup_stat *s = &load->stat;
	begin(o, "cpu");
	put_thousandths(o, "cores", r->millicores);
	put_thousandths(o, "limit", r->limit_millicores);
	put_share(o, "share", r->millicores, r->limit_millicores);
	put_thousandths(o, "throttled", r->throttled);
	put(o, "usageUsec", s->cpu.usage);
	json_out_object_end(o);
	put_usage(o, "memory", s->memory.usage, s->memory.limit);
	put_usage(o, "swap", s->memory.swap_usage, s->memory.swap_limit);
	put(o, "oomKills", s->memory.oom_kills);
	put_usage(o, "pids", s->pids, s->pids_limit);
	begin(o, "io");
	put(o, "readPerSecond", r->read);
	put(o, "writtenPerSecond", r->written);
	put(o, "read", sum_io(s, true));
	put(o, "written", sum_io(s, false));
	json_out_object_end(o);
	begin(o, "pressure");
	put_pressure(o, "cpu", &s->cpu.pressure);
	put_pressure(o, "memory", &s->memory.pressure);
	put_pressure(o, "io", &s->io_pressure);
	json_out_object_end(o);
}

void report_load_json(struct str *out, const struct loads *before, const struct loads *now)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct load *load = &now->v[i];
		struct load_rates rates;
		struct json_out o;
		report_load_rates(report_load_before(before, load), load,
				  before ? now->time_ms - before->time_ms : 0, &rates);
		json_out_init(&o, out, JSON_OUT_COMPACT);
		json_out_object(&o);
		json_out_member(&o, "id", load->id);
		json_out_member(&o, "status", load->status);
		if (load->has_stat)
			put_load(&o, load, &rates);
		json_out_object_end(&o);
		str_append(out, "\n");
	}
}
