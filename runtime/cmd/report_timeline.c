/*
 * How the timeline of a start looks: a table for people, and Chrome's trace event format for
 * chrome://tracing, Perfetto and the like. Pure.
 */
#include "cmd/report_timeline.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "cmd/escape.h"

static const char *const who_names[] = { [TIMELINE_PARENT] = "parent", [TIMELINE_CHILD] = "child" };

#define US(ns) (((ns) + 500) / 1000)

/* ---- for people ---- */

static void append_took(struct str *out, const struct timeline_row *row)
{
	if (row->end >= row->begin && row->end)
		str_printf(out, " %6" PRIu64, US(row->end - row->begin));
	else
		str_append(out, "      -");
}

static void append_row(struct str *out, const struct timeline_row *row, enum report_flags flags)
{
	bool is_red = row->failed && (flags & REPORT_COLOUR);
	str_append(out, is_red ? "\033[1;31m" : "");
	str_printf(out, " %6" PRIu64, US(row->begin));
	append_took(out, row);
	str_printf(out, "  %-7s ", who_names[row->who]);
	if (!row->detail && !row->failed) {
		str_printf(out, "%s\n", row->step);
		return;
	}
	str_printf(out, "%-13s  %s", row->step, row->failed ? "FAILED: " : "");
	if (row->detail)
		escape_append(out, row->detail, strlen(row->detail));
	str_append(out, is_red ? "\033[0m\n" : "\n");
}

static void append_ms(struct str *out, uint64_t ns)
{
	str_printf(out, "%" PRIu64 ".%02" PRIu64 " ms", ns / 1000000, ns / 10000 % 100);
}

static void append_sum(struct str *out, const struct timeline *t)
{
	uint64_t program = 0;
	for (unsigned i = 0; i < t->n; i++)
		if (t->rows[i].who == TIMELINE_CHILD && strcmp(t->rows[i].step, "run") == 0 &&
		    t->rows[i].end > t->rows[i].begin)
			program = t->rows[i].end - t->rows[i].begin;
	str_append(out, "total ");
	append_ms(out, t->total);
	if (program && program <= t->total) {
		str_append(out, "; hull ");
		append_ms(out, t->total - program);
		str_append(out, ", program ");
		append_ms(out, program);
	}
	str_append(out, "\n");
}

void report_timeline(struct str *out, const struct timeline *t, enum report_flags flags)
{
	str_append(out, "  at us   took  who     step\n");
	for (unsigned i = 0; i < t->n; i++)
		append_row(out, &t->rows[i], flags);
	append_sum(out, t);
}

/* ---- Chrome's trace event format ---- */

static void put_number(struct json_out *o, const char *key, uint64_t n)
{
	json_out_key(o, key);
	json_out_uint(o, n);
}

static void put_common(struct json_out *o, const char *name, const char *phase, unsigned thread)
{
	json_out_object(o);
	json_out_member(o, "name", name);
	json_out_member(o, "ph", phase);
	put_number(o, "pid", 1);
	put_number(o, "tid", thread + 1);
}

static void put_thread(struct json_out *o, unsigned thread)
{
	put_common(o, "thread_name", "M", thread);
	json_out_key(o, "args");
	json_out_object(o);
	json_out_member(o, "name", who_names[thread]);
	json_out_object_end(o);
	json_out_object_end(o);
}

static void put_detail(struct json_out *o, const char *text)
{
	struct str safe;
	str_init(&safe, o->str->arena);
	escape_append(&safe, text, strlen(text));
	json_out_member(o, "detail", safe.text);
}

/* "X" is a step with its duration, "i" a moment; both in microseconds. */
static void put_row(struct json_out *o, const struct timeline_row *row)
{
	bool is_whole = row->end && row->end >= row->begin;
	put_common(o, row->step, is_whole ? "X" : "i", row->who);
	json_out_member(o, "cat", row->failed ? "failed" : "start");
	put_number(o, "ts", row->begin / 1000);
	if (is_whole)
		put_number(o, "dur", (row->end - row->begin) / 1000);
	else
		json_out_member(o, "s", "t");
	json_out_key(o, "args");
	json_out_object(o);
	if (row->detail)
		put_detail(o, row->detail);
	if (row->failed) {
		json_out_key(o, "failed");
		json_out_bool(o, true);
	}
	json_out_object_end(o);
	json_out_object_end(o);
}

void report_timeline_json(struct str *out, const struct timeline *t)
{
	struct json_out o;
	json_out_init(&o, out, JSON_OUT_COMPACT);
	json_out_object(&o);
	json_out_member(&o, "displayTimeUnit", "ms");
	json_out_key(&o, "traceEvents");
	json_out_array(&o);
	for (unsigned i = 0; i < ARRAY_SIZE(who_names); i++)
		put_thread(&o, i);
	for (unsigned i = 0; i < t->n; i++)
		put_row(&o, &t->rows[i]);
	json_out_array_end(&o);
	json_out_object_end(&o);
	str_append(out, "\n");
}
