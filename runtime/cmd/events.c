/*
 * hull events: a container's numbers, once or again and again, and a word when it meets a limit or
 * the kernel kills one of its processes for want of memory. It waits for the kernel's events until
 * the container is empty; it takes no lock and changes nothing.
 */
#include "cmd/container.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cgroup/events.h"
#include "cgroup/stat.h"
#include "cmd/report_stat.h"

#define EVENTS_INTERVAL_MS 5000

struct events_options {
	bool stats;
	const char *interval;
};
#define EVENTS(member) offsetof(struct events_options, member)

static const struct option events_table[] = {
	{ "stats", 0, OPTION_FLAG, EVENTS(stats), NULL, "show the numbers once" },
	{ "interval", 0, OPTION_TEXT, EVENTS(interval), "TIME",
	  "how often to show them, such as 500ms, 5s (default) or 2m" },
	{ 0 },
};

/* ---- one look ---- */

/* Its memory is given back at once: this may go on for days. */
static int show_stats(const char *id, int cgroup, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	struct cgroup_stat stat;
	struct str out;

	arena_init(&arena);
	str_init(&out, &arena);
	int r = cgroup_read_stat(cgroup, &arena, &stat, err);
	if (r < 0)
		return r;
	report_stat(&out, id, &stat);
	return cmd_print(&out, err);
}

/* ---- again and again ---- */

/* Files of counters, of which the kernel tells when one changes. */
static const char *const watched[] = { "memory.events", "memory.swap.events", "pids.events" };

static const struct {
	size_t file;
	const char *key;
	bool is_oom; /* which every process that is killed is worth a word */
} counters[] = {
	{ 0, "oom_kill", true }, { 0, "max", false }, { 0, "high", false },
	{ 1, "max", false },     { 2, "max", false },
};

#define LIMIT_QUIET_MS 1000 /* a limit may be met a thousand times a second */

struct watch {
	const char *id;
	int cgroup;
	int events_fd;                /* poll(2) tells of a change since it was read */
	int fds[ARRAY_SIZE(watched)]; /* the same; -EBADF: without the controller */
	uint64_t seen[ARRAY_SIZE(counters)];
	int64_t quiet_until[ARRAY_SIZE(counters)];
	int64_t wake; /* when one that is quiet may speak again */
};
#define _cleanup_watch_ _cleanup_(watch_done)

static void watch_done(struct watch *w)
{
	fd_close(&w->events_fd);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		fd_close(&w->fds[i]);
}

static int open_file(int cgroup, const char *file)
{
	return openat(cgroup, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* 1 when there is nobody left in the cgroup, or no cgroup. */
static int has_ended(const struct watch *w)
{
	char text[256];
	int r = fd_read_again(w->events_fd, text, sizeof(text));
	if (r == -ENODEV || r == -ENOENT)
		return 1;
	return r < 0 ? r : cgroup_find_event(text, "populated") == 0;
}

static int show_change(const struct watch *w, size_t row, uint64_t count, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	struct str out;
	arena_init(&arena);
	str_init(&out, &arena);
	if (counters[row].is_oom)
		report_event(&out, w->id, "oom");
	else
		report_limit_event(&out, w->id, watched[counters[row].file], counters[row].key,
				   count);
	return cmd_print(&out, err);
}

/* One counter, by the text of its file. */
static int look_at_counter(struct watch *w, size_t row, const char *text, int64_t now,
			   struct err *err)
{
	uint64_t count = cgroup_find_event(text, counters[row].key);
	if (count == CGROUP_NUMBER_NONE || count <= w->seen[row])
		return 0;
	if (now < w->quiet_until[row]) {
		w->wake = w->quiet_until[row] < w->wake ? w->quiet_until[row] : w->wake;
		return 0;
	}
	w->seen[row] = count;
	w->quiet_until[row] = counters[row].is_oom ? 0 : now + LIMIT_QUIET_MS;
	return show_change(w, row, count, err);
}

static int look_for_changes(struct watch *w, struct err *err)
{
	char text[512];
	int64_t now = clock_ms();
	w->wake = INT64_MAX;
	for (size_t file = 0; file < ARRAY_SIZE(watched); file++) {
		if (w->fds[file] < 0 || fd_read_again(w->fds[file], text, sizeof(text)) < 0)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
			int r = counters[i].file == file ? look_at_counter(w, i, text, now, err)
							 : 0;
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int poll_watch(const struct watch *w, int64_t deadline)
{
	struct pollfd fds[1 + ARRAY_SIZE(watched)] = {
		{ .fd = w->events_fd, .events = POLLPRI },
	};
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		fds[1 + i] = (struct pollfd) { .fd = w->fds[i], .events = POLLPRI };
	int64_t left = (w->wake < deadline ? w->wake : deadline) - clock_ms();
	return poll(fds, ARRAY_SIZE(fds), left > 0 ? (int)left : 0);
}

/* Until `deadline`. 1: the container has ended. */
static int wait_for_events(struct watch *w, int64_t deadline, struct err *err)
{
	for (;;) {
		int r = look_for_changes(w, err);
		if (r < 0)
			return r;
		r = has_ended(w);
		if (r != 0)
			return r < 0 ? err_sys(err, -r, "cannot watch the container's cgroup") : 1;
		if (clock_ms() >= deadline)
			return 0;
		if (poll_watch(w, deadline) < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for events");
	}
}

/* What was counted before is no news. */
static int watch_open(struct watch *w, struct err *err)
{
	w->events_fd = open_file(w->cgroup, "cgroup.events");
	if (w->events_fd < 0)
		return err_sys(err, errno, "cannot watch the container's cgroup");
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		w->fds[i] = open_file(w->cgroup, watched[i]);
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		uint64_t count = cgroup_read_event(w->cgroup, 0, watched[counters[i].file],
						   counters[i].key);
		w->seen[i] = count == CGROUP_NUMBER_NONE ? 0 : count;
	}
	return 0;
}

static int watch_on(const char *id, int cgroup, int interval_ms, struct err *err)
{
	_cleanup_watch_ struct watch w = { .id = id, .cgroup = cgroup, .events_fd = -EBADF };
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		w.fds[i] = -EBADF;
	int r = watch_open(&w, err);
	while (r == 0) {
		r = show_stats(id, cgroup, err);
		if (r == -ENOENT) /* it has ended meanwhile */
			return 0;
		if (r == 0)
			r = wait_for_events(&w, clock_ms() + interval_ms, err);
	}
	return r < 0 ? r : 0;
}

static int events_command(struct cmd *cmd, void *options, struct err *err)
{
	const struct events_options *o = options;
	_cleanup_container_ struct container c;
	_cleanup_close_ int cgroup = -EBADF;
	const char *id = cmd->args[0];
	int interval_ms = EVENTS_INTERVAL_MS;

	int r = o->interval ? cmd_parse_interval(o->interval, &interval_ms, err) : 0;
	if (r < 0)
		return r;
	r = container_open(cmd, id, CONTAINER_READ, &c, err);
	if (r < 0)
		return r;
	if (c.state.status == STATE_STOPPED || c.state.status == STATE_CREATING)
		return container_not_running(id, err);
	r = container_open_cgroup(&c, &cgroup, err);
	if (r < 0)
		return r;
	return o->stats ? show_stats(id, cgroup, err) : watch_on(id, cgroup, interval_ms, err);
}

const struct command command_events = {
	.name = "events",
	.group = "look",
	.synopsis = "[--stats] [--interval TIME] ID",
	.summary = "show what a container uses, and when memory runs out",
	.options = events_table,
	.options_size = sizeof(struct events_options),
	.min_args = 1,
	.max_args = 1,
	.run = events_command,
	.failure = 1,
};
