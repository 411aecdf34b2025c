/* Noting the times of steps, in parent and child, and putting them together in the parent. */
#include "start/timeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "start/steps.h"

#define PROGRAM_STEP "run"

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void timeline_init(struct timeline *t)
{
	memset(t, 0, sizeof(*t));
	t->origin = nanoseconds(CLOCK_MONOTONIC);
	t->wall_offset = (int64_t)(nanoseconds(CLOCK_REALTIME) - t->origin);
}

static uint64_t elapsed(const struct timeline *t)
{
	return nanoseconds(CLOCK_MONOTONIC) - t->origin;
}

void timeline_stop(struct timeline *t)
{
	if (!t || !t->is_open)
		return;
	t->rows[t->n - 1].end = elapsed(t);
	t->is_open = false;
}

void timeline_step(struct timeline *t, const char *step)
{
	if (!t)
		return;
	timeline_stop(t);
	if (t->n == TIMELINE_ROWS)
		return;
	t->rows[t->n++] = (struct timeline_row) { .step = step, .begin = elapsed(t) };
	t->is_open = true;
}

void timeline_fail(struct timeline *t)
{
	if (!t || t->n == 0)
		return;
	timeline_stop(t);
	t->rows[t->n - 1].failed = true;
}

void timeline_program_ended(struct timeline *t)
{
	if (t)
		t->program_ended = elapsed(t);
}

uint64_t timeline_child_now(void)
{
	return nanoseconds(CLOCK_REALTIME);
}

/* ---- what each step was about ---- */

static const char *about_parse(const struct start *s, struct arena *arena)
{
	return arena_printf(arena, "config.json %zu bytes", s->plan->spec->doc.size);
}

static const char *about_plan(const struct start *s, struct arena *arena)
{
	unsigned namespaces = s->plan->ns.join_n;
	for (uint64_t f = s->plan->ns.clone_flags | s->plan->ns.unshare_flags; f; f &= f - 1)
		namespaces++;
	return arena_printf(arena, "%zu mounts, %u namespaces, %zu devices", s->plan->mounts_n,
			    namespaces, s->plan->devices_n);
}

static const char *about_state(const struct start *s, struct arena *arena)
{
	return arena_printf(arena, "%s/%s", s->store->path, s->plan->id);
}

static const char *about_filter(const struct start *s, struct arena *arena)
{
	if (!s->filter.insns)
		return "none";
	return arena_printf(arena, "%u instructions, %s", s->filter.len,
			    s->filter.from_cache ? "from the cache" : "compiled");
}

static const char *about_cgroup(const struct start *s, struct arena *arena)
{
	if (!s->state.cgroup && s->cgroup_root.fd < 0)
		return "none";
	return arena_printf(arena, "%s, %zu limits", s->plan->cgroup_path,
			    s->plan->cgroup.writes_n);
}

static const char *about_clone(const struct start *s, struct arena *arena)
{
	if (s->state.pid == 0)
		return NULL;
	return arena_printf(arena, "pid %d", (int)s->state.pid);
}

static const char *about_ahead(const struct start *s, struct arena *arena _unused_)
{
	return ahead_text(s);
}

static const char *say_mounts(const struct start *s, enum channel_mounts part, size_t n,
			      struct arena *arena)
{
	const struct channel_slowest *slowest = &s->channel.page->slowest[part];
	unsigned mount = atomic_load(&slowest->mount);
	uint64_t ns = atomic_load(&slowest->ns);
	if (ns == 0 || mount >= s->plan->mounts_n)
		return NULL;
	return arena_printf(arena, "%zu; slowest %s %" PRIu64 " us", n,
			    s->plan->mounts[mount].destination, ns / 1000);
}

static const char *about_mounts(const struct start *s, struct arena *arena)
{
	return say_mounts(s, CHANNEL_MOUNTS_BEFORE, s->plan->mounts_before_network_n, arena);
}

static const char *about_later_mounts(const struct start *s, struct arena *arena)
{
	size_t n = s->plan->mounts_n - s->plan->mounts_before_network_n;
	return say_mounts(s, CHANNEL_MOUNTS_AFTER, n, arena);
}

static const char *about_privileges(const struct start *s, struct arena *arena)
{
	const struct plan_process *p = &s->plan->process;
	return arena_printf(arena, "user %u, group %u%s", (unsigned)p->uid, (unsigned)p->gid,
			    p->no_new_privs ? ", no_new_privs" : "");
}

static const char *about_exec(const struct start *s, struct arena *arena)
{
	const char *program = s->plan->process.args[0];
	return arena_printf(arena, "%s", program ? program : "nothing");
}

static const char *about_program(const struct start *s, struct arena *arena)
{
	if (s->exit.signal[0])
		return arena_strdup(arena, s->exit.signal);
	return arena_printf(arena, "exit status %" PRIu64, s->exit.code);
}

static const struct {
	const char *step;
	const char *(*say)(const struct start *s, struct arena *arena);
} about[] = {
	{ "parse", about_parse },
	{ "plan", about_plan },
	{ "state", about_state },
	{ "filter", about_filter },
	{ "cgroup", about_cgroup },
	{ "clone", about_clone },
	{ "mounts", about_mounts },
	{ "mounts, later", about_later_mounts },
	{ "network namespace", about_ahead },
	{ "privileges", about_privileges },
	{ "exec", about_exec },
	{ PROGRAM_STEP, about_program },
};

static void set_detail(struct timeline_row *row, const struct start *s, struct arena *arena)
{
	for (size_t i = 0; i < ARRAY_SIZE(about); i++)
		if (strcmp(about[i].step, row->step) == 0)
			row->detail = about[i].say(s, arena);
}

/* ---- all of it ---- */

/* The child's moments as nanoseconds after the beginning; 0: it did not come there. */
static uint64_t of_child(const struct timeline *t, uint64_t wall)
{
	return wall ? wall - (uint64_t)t->wall_offset - t->origin : 0;
}

static struct timeline_row *add_row(struct timeline *t, const char *step, uint64_t begin,
				    uint64_t end)
{
	static struct timeline_row none;
	if (t->n == TIMELINE_ROWS)
		return &none;
	struct timeline_row *row = &t->rows[t->n++];
	*row = (struct timeline_row) { step, TIMELINE_CHILD, begin, end, false, NULL };
	return row;
}

/* "mounts, 8 of 11" is the failure of the step "mounts", and of "mounts, later". */
static bool is_failure_of(const struct timeline_row *last, const struct err *failure)
{
	size_t n = strcspn(last->step, ",");
	bool is_same = strcspn(failure->step, ",") == n &&
		       strncmp(failure->step, last->step, n) == 0;
	return is_same || (failure->flags & ERR_CHILDS_HOOK);
}

static bool has_failed(const struct timeline *t)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->rows[i].failed)
			return true;
	return false;
}

static void add_child(struct timeline *t, const struct start *s, const struct err *failure)
{
	const struct channel_page *page = s->channel.page;
	uint64_t executed = of_child(t, atomic_load(&page->times[CHANNEL_TIME_EXEC]));
	struct timeline_row *last = NULL;
	for (unsigned i = 0; child_step_name(s, i) && i < CHANNEL_TIME_EXEC; i++) {
		uint64_t begin = of_child(t, atomic_load(&page->times[i]));
		uint64_t end = of_child(t, atomic_load(&page->times[i + 1]));
		if (begin == 0)
			break;
		if (!child_step_name(s, i + 1))
			end = executed;
		last = add_row(t, child_step_name(s, i), begin, end);
	}
	if (failure && last && is_failure_of(last, failure)) {
		last->failed = true;
		last->end = 0;
	} else if (executed && !failure) {
		add_row(t, PROGRAM_STEP, executed, t->program_ended);
	}
}

/* Hooks of the runtime's side run while the child waits, or after it. */
static void mark_hooks(struct timeline *t, const struct err *failure)
{
	for (unsigned i = t->n; failure && (failure->flags & ERR_ABOUT_HOOK) && i-- > 0;)
		if (t->rows[i].who == TIMELINE_PARENT && strcmp(t->rows[i].step, "hooks") == 0) {
			t->rows[i].failed = true;
			return;
		}
}

static int compare(const void *a, const void *b)
{
	const struct timeline_row *x = a, *y = b;
	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

void timeline_collect(struct timeline *t, const struct start *s, const struct err *failure,
		      struct arena *arena)
{
	timeline_stop(t);
	t->total = elapsed(t);
	if (s && s->channel.page)
		add_child(t, s, failure);
	if (!has_failed(t))
		mark_hooks(t, failure);
	for (unsigned i = 0; i < t->n; i++) {
		struct timeline_row *row = &t->rows[i];
		if (row->failed && failure)
			row->detail = arena_strdup(arena, failure->message);
		else if (s)
			set_detail(row, s, arena);
	}
	qsort(t->rows, t->n, sizeof(t->rows[0]), compare);
}
