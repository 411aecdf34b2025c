/*
 * Taking back what an update has written before the kernel refused a later value. Most files have
 * one value; some have a line for each device, of which a write changes one; and some show more
 * than they take. Runs in `hull update`, with the caller's rights.
 */
#include "cgroup/revert.h"

#include <string.h>

#include "base/fd.h"
#include "base/str.h"

#define REVERT_TEXT_MAX 4096

/* Files with a line for each device or resource, and what a write says where there is none. */
static const struct {
	const char *file;
	const char *none; /* behind the key; NULL: there always is a line */
} keyed[] = {
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default" },
	{ "io.bfq.weight", "default" },
	{ "io.latency", "target=0" },
	{ "rdma.max", NULL },
	{ "misc.max", NULL },
};

/* The line of a text that begins with this key, in the arena, or NULL. */
static const char *find_line(const char *text, const char *key, size_t key_size,
			     struct arena *arena)
{
	for (const char *line = text; *line; line += *line == '\n') {
		size_t n = strcspn(line, "\n");
		if (n > key_size && strncmp(line, key, key_size) == 0 && line[key_size] == ' ')
			return arena_strndup(arena, line, n);
		line += n;
	}
	return NULL;
}

/* "default 100", which older kernels show as "100", is meant by a value without a key, too. */
static const char *keyed_value(size_t row, const char *text, const char *value, struct arena *arena)
{
	size_t n = strcspn(value, " ");
	const char *key = value;
	if (value[n] == '\0') {
		key = "default";
		n = strlen(key);
	}
	const char *line = find_line(text, key, n, arena);
	if (line)
		return line;
	if (key != value || strncmp(value, "default ", strlen("default ")) == 0)
		return arena_strndup(arena, text, strcspn(text, "\n"));
	return keyed[row].none ? arena_printf(arena, "%.*s %s", (int)n, key, keyed[row].none)
			       : NULL;
}

const char *revert_value(const char *file, const char *text, const char *value, struct arena *arena)
{
	for (size_t i = 0; i < ARRAY_SIZE(keyed); i++)
		if (str_eq(file, keyed[i].file))
			return keyed_value(i, text, value, arena);
	/* "root invalid (why)" */
	if (str_eq(file, "cpuset.cpus.partition"))
		return arena_strndup(arena, text, strcspn(text, " "));
	/* Only the empty line clears a list. */
	return *text ? arena_strdup(arena, text) : "\n";
}

void revert_read(int fd, const char *file, const char *value, struct arena *arena,
		 struct revert *ret)
{
	char text[REVERT_TEXT_MAX];
	*ret = (struct revert) { .file = file };
	if (fd_read_value(fd, file, text, sizeof(text)) == 0)
		ret->value = revert_value(file, text, value, arena);
}

const struct revert *revert_all(int fd, const struct revert *v, size_t n)
{
	const struct revert *failed = NULL;
	while (n-- > 0)
		if (v[n].value && fd_write_value(fd, v[n].file, v[n].value) < 0)
			failed = &v[n];
	return failed;
}
