/*
 * hull events: a container's numbers, once or again and again, and a word when the kernel kills one
 * of its processes for want of memory. It waits for the kernel's events until the container is
 * empty; it takes no lock and changes nothing.
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

static int show_oom(const char *id, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	struct str out;
	arena_init(&arena);
	str_init(&out, &arena);
	report_event(&out, id, "oom");
	return cmd_print(&out, err);
}

/* ---- again and again ---- */

struct watch {
	const char *id;
	int cgroup;
	int events_fd, memory_fd; /* poll(2) tells of a change since they were read; or -EBADF */
	uint64_t kills;
};
#define _cleanup_watch_ _cleanup_(watch_done)

static void watch_done(struct watch *w)
{
	fd_close(&w->events_fd);
	fd_close(&w->memory_fd);
}

static int open_file(int cgroup, const char *file)
{
	return openat(cgroup, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Reads the whole file, which also arms the next poll. 0, or -errno. */
static int read_again(int fd, char *buf, size_t size)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	ssize_t n = fd_read_all(fd, buf, size - 1);
	if (n < 0)
		return (int)n;
	buf[n] = '\0';
	return 0;
}

/* 1 when there is nobody left in the cgroup, or no cgroup. */
static int has_ended(const struct watch *w)
{
	char text[256];
	int r = read_again(w->events_fd, text, sizeof(text));
	if (r == -ENODEV || r == -ENOENT)
		return 1;
	return r < 0 ? r : cgroup_find_event(text, "populated") == 0;
}

static int look_for_kills(struct watch *w, struct err *err)
{
	char text[512];
	if (w->memory_fd < 0 || read_again(w->memory_fd, text, sizeof(text)) < 0)
		return 0;
	uint64_t kills = cgroup_find_event(text, "oom_kill");
	if (kills == CGROUP_NUMBER_NONE || kills <= w->kills)
		return 0;
	w->kills = kills;
	return show_oom(w->id, err);
}

/* Until `deadline`. 1: the container has ended. */
static int wait_for_events(struct watch *w, int64_t deadline, struct err *err)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = w->events_fd, .events = POLLPRI },
			{ .fd = w->memory_fd, .events = POLLPRI },
		};
		int r = look_for_kills(w, err);
		if (r < 0)
			return r;
		r = has_ended(w);
		if (r != 0)
			return r < 0 ? err_sys(err, -r, "cannot watch the container's cgroup") : 1;
		int64_t left = deadline - clock_ms();
		if (left <= 0)
			return 0;
		if (poll(fds, ARRAY_SIZE(fds), (int)left) < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for events");
	}
}

static int watch_open(struct watch *w, struct err *err)
{
	w->events_fd = open_file(w->cgroup, "cgroup.events");
	if (w->events_fd < 0)
		return err_sys(err, errno, "cannot watch the container's cgroup");
	w->memory_fd = open_file(w->cgroup, "memory.events"); /* not without the controller */
	uint64_t kills = cgroup_read_event(w->cgroup, 0, "memory.events", "oom_kill");
	w->kills = kills == CGROUP_NUMBER_NONE ? 0 : kills;
	return 0;
}

static int watch_on(const char *id, int cgroup, int interval_ms, struct err *err)
{
	_cleanup_watch_ struct watch w = {
		.id = id, .cgroup = cgroup, .events_fd = -EBADF, .memory_fd = -EBADF
	};
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
