/*
 * hull stats: what containers use at the moment, for people: redrawn on a terminal until somebody
 * presses q, else once; as JSON for programs. Two looks make a rate, so there are always two. It
 * takes no lock and changes nothing.
 */
#include "cmd/container.h"

#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cgroup/stat.h"
#include "cmd/report_load.h"
#include "cmd/screen.h"

#define STATS_INTERVAL_MS 1000
#define STATS_ONCE_MS     200 /* between the two looks */

struct stats_options {
	const char *format, *interval;
	bool once;
};
#define STATS(member) offsetof(struct stats_options, member)

static const struct option stats_table[] = {
	{ "once", 0, OPTION_FLAG, STATS(once), NULL, "show the numbers once" },
	{ "format", 'f', OPTION_TEXT, STATS(format), "FORMAT",
	  "table (default), or json: one object a line" },
	{ "interval", 0, OPTION_TEXT, STATS(interval), "TIME",
	  "how often to look, such as 500ms, 1s (default) or 1m" },
	{ 0 },
};

struct stats {
	const struct state_store *store;
	const struct cgroup_root *root; /* NULL: there is none */
	char **ids;                     /* none: all */
	size_t ids_n;
	int interval_ms;
	bool is_json, is_live;
};

/* ---- looking ---- */

/* What lives as long as the look that it is of. */
struct look {
	struct arena arena;
	struct loads loads;
	bool is_there;
};

static void read_load(const struct stats *s, const struct state *state, struct arena *arena,
		      struct load *ret)
{
	_cleanup_close_ int cgroup = -EBADF;
	struct err err;
	enum state_status status = state_status_shown(state, NULL);
	*ret = (struct load) {
		.id = arena_strdup(arena, state->id),
		.status = state_status_name(status),
		.created = arena_strdup(arena, state->created),
	};
	if (status == STATE_STOPPED || !state->cgroup || !s->root)
		return;
	/* It may end at any time. */
	if (cgroup_open(s->root, state->cgroup, &cgroup, &err) == 0)
		ret->has_stat = cgroup_read_load(cgroup, arena, &ret->stat, &err) == 0;
}

static int read_ids(const struct stats *s, struct arena *arena, struct state_ids *ret,
		    struct err *err)
{
	if (s->ids_n == 0)
		return state_list(s->store, arena, ret, err);
	*ret = (struct state_ids) { .v = arena_array(arena, s->ids_n, sizeof(*ret->v)) };
	for (; ret->n < s->ids_n; ret->n++)
		ret->v[ret->n] = s->ids[ret->n];
	return 0;
}

/* One that is gone is left out, one whose state cannot be read as well: `list` tells of it. */
static int look(const struct stats *s, struct look *ret, struct err *err)
{
	struct state_ids ids;
	if (ret->is_there)
		arena_done(&ret->arena);
	arena_init(&ret->arena);
	ret->is_there = true;
	ret->loads = (struct loads) { 0 };
	int r = read_ids(s, &ret->arena, &ids, err);
	if (r < 0)
		return r;
	ret->loads.v = arena_array(&ret->arena, ids.n + 1, sizeof(*ret->loads.v));
	ret->loads.time_ms = clock_ms();
	for (size_t i = 0; i < ids.n; i++) {
		struct state state;
		struct err ignored;
		if (state_read_settled(s->store, ids.v[i], &ret->arena, &state, &ignored) == 0)
			read_load(s, &state, &ret->arena, &ret->loads.v[ret->loads.n++]);
	}
	return 0;
}

static void look_done(struct look *l)
{
	if (l->is_there)
		arena_done(&l->arena);
}

#define _cleanup_look_ _cleanup_(look_done)

/* ---- showing ---- */

/* "hull stats    14:02:11   every 1 s   4 containers   q: quit" */
static void append_title(const struct stats *s, const struct loads *loads, struct str *out)
{
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	if (!localtime_r(&now.tv_sec, &tm))
		return;
	str_printf(out, "hull stats   %02d:%02d:%02d   every %d.%d s   %zu container%s   q: quit\n",
		   tm.tm_hour, tm.tm_min, tm.tm_sec, s->interval_ms / 1000,
		   s->interval_ms % 1000 / 100, loads->n, loads->n == 1 ? "" : "s");
}

static int show(const struct stats *s, struct screen *screen, const struct look *before,
		const struct look *now, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	const struct loads *old = before->is_there ? &before->loads : NULL;
	struct str out;
	arena_init(&arena);
	str_init(&out, &arena);
	if (s->is_json) {
		report_load_json(&out, old, &now->loads);
	} else {
		if (screen->is_terminal)
			append_title(s, &now->loads, &out);
		report_load_table(&out, old, &now->loads, &arena);
	}
	return screen_draw(screen, &out, err);
}

/* The chosen ones have all ended: there is nothing more to come. */
static bool is_over(const struct stats *s, const struct loads *loads)
{
	for (size_t i = 0; i < loads->n; i++)
		if (loads->v[i].has_stat)
			return false;
	return s->ids_n > 0;
}

/* 0, the exit status for a signal, or -errno. */
static int watch(const struct stats *s, struct err *err)
{
	_cleanup_look_ struct look a = { 0 }, b = { 0 };
	_cleanup_screen_ struct screen screen;
	struct look *before = &a, *now = &b;
	int signal_number = 0, r = screen_open(&screen, s->is_live, err);
	if (r == 0)
		r = look(s, before, err);
	/* A screen is not left empty, and rates need their time. */
	if (r == 0 && screen.is_terminal)
		r = show(s, &screen, now, before, err);
	while (r == 0) {
		enum screen_event event = screen_wait(&screen, s->interval_ms, &signal_number);
		if (event != SCREEN_TIME)
			break;
		r = look(s, now, err);
		if (r == 0)
			r = show(s, &screen, before, now, err);
		if (!s->is_live || is_over(s, &now->loads))
			break;
		struct look *swap = before;
		before = now;
		now = swap;
	}
	screen_done(&screen);
	return r < 0 || !signal_number ? r : cmd_die_by(signal_number);
}

/* ---- the command ---- */

static int check_ids(const struct stats *s, struct arena *arena, struct err *err)
{
	for (size_t i = 0; i < s->ids_n; i++) {
		struct state state;
		int r = state_check_id(s->ids[i], err);
		if (r == 0)
			r = state_read_settled(s->store, s->ids[i], arena, &state, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int show_stats(struct cmd *cmd, struct stats *s, struct err *err)
{
	struct cgroup_root root;
	struct err ignored;
	int r = check_ids(s, &cmd->arena, err);
	if (r < 0)
		return r;
	/* Without one containers have no numbers, but a name and a status. */
	s->root = cgroup_root_open(&root, &ignored) == 0 ? &root : NULL;
	r = watch(s, err);
	if (s->root)
		cgroup_root_close(&root);
	return r;
}

static int stats_command(struct cmd *cmd, void *options, struct err *err)
{
	const struct stats_options *o = options;
	struct state_store store;
	struct stats s = {
		.store = &store,
		.ids = cmd->args,
		.ids_n = (size_t)cmd->args_n,
		.interval_ms = o->once ? STATS_ONCE_MS : STATS_INTERVAL_MS,
	};
	int r = cmd_parse_format(o->format, NULL, &s.is_json, err);
	if (r == 0 && o->interval)
		r = cmd_parse_interval(o->interval, &s.interval_ms, err);
	if (r < 0)
		return r;
	s.is_live = !o->once && (s.is_json || isatty(STDOUT_FILENO));
	if (s.ids_n > 0)
		r = container_open_store(cmd, s.ids[0], &store, err);
	else
		r = cmd_open_store(cmd, STATE_STORE_EXISTING, &store, err);
	if (r == -ENOENT && s.ids_n == 0)
		return 0;
	if (r < 0)
		return r;
	r = show_stats(cmd, &s, err);
	state_store_close(&store);
	return r;
}

const struct command command_stats = {
	.name = "stats",
	.group = "look",
	.synopsis = "[--once] [--format FORMAT] [--interval TIME] [ID...]",
	.summary = "show what containers use, on a terminal again and again",
	.note = "OF LIMIT belongs to the column before it. The waits are the kernel's pressure of the\n"
		"last ten seconds in percent: some of the processes waited/all of them did. - is what\n"
		"the container's cgroup does not tell.",
	.options = stats_table,
	.options_size = sizeof(struct stats_options),
	.min_args = 0,
	.max_args = INT_MAX,
	.run = stats_command,
	.failure = 1,
};
