/*
 * Reading a cgroup's counters, and those of the cgroups above it by way of "..", which no process
 * of a container can redirect: cgroupfs has neither links nor renames. Runs in the parent.
 */
#include "cgroup/events.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"

#define EVENTS_UP_MAX 32

unsigned cgroup_count_parents(const char *path)
{
	unsigned n = 0;
	for (const char *c = path; *c; c++)
		n += *c == '/' && c[1] != '\0';
	return n > 0 ? n - 1 : 0;
}

static int read_file(int fd, unsigned up, const char *file, char *buf, size_t size)
{
	char name[EVENTS_UP_MAX * 3 + 64];
	size_t used = 0;
	if (up > EVENTS_UP_MAX)
		return -ENAMETOOLONG;
	for (unsigned i = 0; i < up; i++)
		used += (size_t)snprintf(name + used, sizeof(name) - used, "../");
	snprintf(name + used, sizeof(name) - used, "%s", file);
	return fd_read_value(fd, name, buf, size);
}

/* The number that the text begins with and that its line ends with. */
static uint64_t number_at(const char *text)
{
	char number[24];
	uint64_t n;
	size_t size = strcspn(text, "\n");
	if (size >= sizeof(number))
		return CGROUP_NUMBER_NONE;
	memcpy(number, text, size);
	number[size] = '\0';
	if (str_eq(number, "max"))
		return CGROUP_NUMBER_MAX;
	return str_to_u64(number, CGROUP_NUMBER_MAX - 1, &n) == 0 ? n : CGROUP_NUMBER_NONE;
}

uint64_t cgroup_read_number(int fd, unsigned up, const char *file)
{
	char text[64];
	return read_file(fd, up, file, text, sizeof(text)) < 0 ? CGROUP_NUMBER_NONE
							       : number_at(text);
}

uint64_t cgroup_find_event(const char *text, const char *key)
{
	size_t n = strlen(key);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) == 0 && line[n] == ' ')
			return number_at(line + n + 1);
	}
	return CGROUP_NUMBER_NONE;
}

void cgroup_read_events(int fd, unsigned up, const char *file, const char *const *keys, size_t n,
			uint64_t *ret)
{
	char text[1024];
	bool is_there = read_file(fd, up, file, text, sizeof(text)) == 0;
	for (size_t i = 0; i < n; i++)
		ret[i] = is_there ? cgroup_find_event(text, keys[i]) : CGROUP_NUMBER_NONE;
}

uint64_t cgroup_read_event(int fd, unsigned up, const char *file, const char *key)
{
	uint64_t n;
	cgroup_read_events(fd, up, file, &key, 1, &n);
	return n;
}
