/*
 * hull ps --format wide: the processes of a container as a tree, with their numbers inside and on
 * the host, and the users of the container. Reads the host's /proc with the caller's rights; what
 * has ended meanwhile is left out, what cannot be read is "-".
 */
#include "cmd/ps_wide.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd/amount.h"
#include "cmd/table.h"

#define PS_STATUS_SIZE  16384
#define PS_COMMAND_SIZE 161

struct process {
	uint64_t pid, parent, inner;
	uint64_t uid; /* in the container's user namespace */
	char state;
	uint64_t rss; /* bytes */
	uint64_t cpu_s;
	int64_t age_s;
	bool is_listed;
	char command[PS_COMMAND_SIZE];
};

/* ---- reading ---- */

/*
 * Between what stands there first and last is the list of groups, which a process of the container
 * may make as long as it likes: so the middle may be missing.
 */
static bool read_status(int dir, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir, "status", O_RDONLY | O_CLOEXEC);
	const size_t half = size / 2, last = size / 4;
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, buf, size - 1), more = n;

	while (more > 0 && (size_t)n == size - 1) {
		memmove(buf + half, buf + n - last, last);
		more = fd_read_all(fd, buf + half + last, size - 1 - half - last);
		n = (ssize_t)(half + last) + (more > 0 ? more : 0);
	}
	if (n <= 0 || more < 0)
		return false;
	buf[n] = '\0';
	return true;
}

/* The text behind "Name:" and blanks, "" when there is no such line. */
static const char *field(const char *status, const char *name)
{
	size_t n = strlen(name);
	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1 + strspn(line + n + 1, " \t");
	}
	return "";
}

static uint64_t number(const char *text)
{
	uint64_t n = 0;
	return sscanf(text, "%" SCNu64, &n) == 1 ? n : 0;
}

/* The last of the numbers of NSpid: where the process is. */
static uint64_t last_number(const char *text)
{
	size_t end = strcspn(text, "\n"), at = end;
	while (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9')
		at--;
	return number(text + at);
}

/* The id in the process's own user namespace. */
static uint64_t inner_id(int dir, uint64_t id)
{
	char text[PS_STATUS_SIZE];
	uint64_t inside, outside, size;
	if (fd_read_value(dir, "uid_map", text, sizeof(text)) < 0)
		return id;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64, &inside, &outside, &size) ==
			    3 &&
		    id >= outside && id - outside < size)
			return inside + (id - outside);
	}
	return id;
}

/* Its arguments; of a process without any, as those of the kernel and dead ones are, "[name]". */
static void read_command(int dir, const char *status, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir, "cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : fd_read_all(fd, buf, size - 1);
	while (n > 0 && buf[n - 1] == '\0')
		n--;
	if (n <= 0) {
		const char *name = field(status, "Name");
		snprintf(buf, size, "[%.*s]", (int)strcspn(name, "\n"), name);
		return;
	}
	buf[n] = '\0';
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
}

/* Fields 14, 15 and 22 of stat, which stand behind the name and its last parenthesis. */
static void read_times(int dir, struct process *p)
{
	char text[1024];
	uint64_t user, system, start;
	struct timespec now;
	long ticks = sysconf(_SC_CLK_TCK);
	if (fd_read_value(dir, "stat", text, sizeof(text)) < 0 || ticks <= 0)
		return;
	const char *rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1,
			    " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
			    " %*d %*d %*d %*d %*d %*d %" SCNu64,
			    &user, &system, &start) != 3)
		return;
	clock_gettime(CLOCK_BOOTTIME, &now);
	p->cpu_s = (user + system) / (uint64_t)ticks;
	p->age_s = now.tv_sec - (int64_t)(start / (uint64_t)ticks);
}

static bool read_process(pid_t pid, struct process *ret)
{
	char path[32], status[PS_STATUS_SIZE];
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	_cleanup_close_ int dir = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || !read_status(dir, status, sizeof(status)))
		return false;
	const char *uids = field(status, "Uid");
	uids += strcspn(uids, "\t "); /* the second one is the effective */
	*ret = (struct process) {
		.pid = (uint64_t)pid,
		.parent = number(field(status, "PPid")),
		.inner = last_number(field(status, "NSpid")),
		.uid = inner_id(dir, number(uids)),
		.state = *field(status, "State"),
		.rss = number(field(status, "VmRSS")) * 1024,
	};
	read_times(dir, ret);
	read_command(dir, status, ret->command, sizeof(ret->command));
	return true;
}

/* ---- the tree ---- */

struct tree {
	struct process *v;
	size_t n;
	struct table table;
};

static void add_row(struct tree *t, const struct process *p, unsigned depth)
{
	const uint64_t numbers[] = { p->inner, p->pid, p->uid };
	struct str cell;
	char text[32];
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		snprintf(text, sizeof(text), "%" PRIu64, numbers[i]);
		table_add(&t->table, text);
	}
	snprintf(text, sizeof(text), "%c", p->state ? p->state : '-');
	table_add(&t->table, text);
	str_init(&cell, t->table.arena);
	amount_bytes(&cell, p->rss);
	table_add(&t->table, cell.text);
	snprintf(text, sizeof(text), "%" PRIu64 ":%02" PRIu64, p->cpu_s / 60, p->cpu_s % 60);
	table_add(&t->table, text);
	str_init(&cell, t->table.arena);
	amount_age(&cell, p->age_s);
	table_add(&t->table, cell.text);
	str_init(&cell, t->table.arena);
	for (unsigned i = 0; i < depth; i++)
		str_append(&cell, "  ");
	str_append(&cell, p->command);
	table_add(&t->table, cell.text);
}

#define TREE_DEPTH 64 /* below it, children stand beside their parents */

/* In the order of the list, which is that of the numbers. */
static void add_children(struct tree *t, uint64_t parent, unsigned depth)
{
	for (size_t i = 0; i < t->n; i++) {
		struct process *p = &t->v[i];
		if (p->is_listed || p->parent != parent)
			continue;
		p->is_listed = true;
		add_row(t, p, depth);
		if (depth < TREE_DEPTH)
			add_children(t, p->pid, depth + 1);
	}
}

static bool is_among(const struct tree *t, uint64_t pid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].pid == pid)
			return true;
	return false;
}

void ps_print_wide(const struct cgroup_pids *pids, struct arena *arena, struct str *out)
{
	static const char *const heads[] = { "PID", "HOST", "USER", "S",
					     "RSS", "CPU",  "UP",   "COMMAND" };
	struct tree t = { .v = arena_array(arena, pids->n + 1, sizeof(*t.v)) };
	table_init(&t.table, arena, ARRAY_SIZE(heads));
	t.table.min_width = 0;
	t.table.padding = 2;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&t.table, heads[i]);
	for (size_t i = 0; i < pids->n; i++)
		t.n += read_process(pids->v[i], &t.v[t.n]);
	/* The first process, and those that came in from elsewhere. */
	for (size_t i = 0; i < t.n; i++)
		if (!is_among(&t, t.v[i].parent))
			add_children(&t, t.v[i].parent, 0);
	for (size_t i = 0; i < t.n; i++)
		if (!t.v[i].is_listed)
			add_row(&t, &t.v[i], 0);
	table_print(&t.table, out);
}
