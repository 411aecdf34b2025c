/*
 * The numbers of a cgroup, read file by file: each tells of one controller and is missing without
 * it, which is no error. Runs in a command, with the caller's rights. The parsers are pure.
 */
#include "cgroup/stat.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"

#define STAT_SIZE_MAX ((size_t)1024 * 1024)

/* ---- texts ---- */

/* The next line, terminated, of a text that is written to; NULL at the end. */
static char *next_line(char **text)
{
	char *line = *text;
	if (!*line)
		return NULL;
	*text += strcspn(line, "\n");
	if (**text)
		*(*text)++ = '\0';
	return line;
}

/* The next word of a line in the same way. */
static char *next_word(char **line)
{
	*line += strspn(*line, " ");
	char *word = *line;
	if (!*word)
		return NULL;
	*line += strcspn(word, " ");
	if (**line)
		*(*line)++ = '\0';
	return word;
}

/* "key=value": the value when the key is this one. */
static const char *value_of(const char *word, const char *key)
{
	size_t n = strlen(key);
	return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static bool is_decimal(const char *text)
{
	size_t n = strspn(text, "0123456789");
	if (n == 0 || text[n] == '\0')
		return n > 0;
	size_t fraction = text[n] == '.' ? strspn(text + n + 1, "0123456789") : 0;
	return fraction > 0 && text[n + 1 + fraction] == '\0';
}

/* ---- pressure ---- */

static void parse_pressure_line(char *line, struct stat_pressure_line *ret)
{
	const struct {
		const char *key;
		const char **place;
	} shares[] = {
		{ "avg10", &ret->avg10 },
		{ "avg60", &ret->avg60 },
		{ "avg300", &ret->avg300 },
	};
	for (const char *word; (word = next_word(&line));) {
		const char *value = value_of(word, "total");
		uint64_t total;
		if (value && str_to_u64(value, UINT64_MAX, &total) == 0)
			ret->total = total;
		for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
			value = value_of(word, shares[i].key);
			if (value && is_decimal(value))
				*shares[i].place = value;
		}
	}
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and a line for "full". */
void stat_parse_pressure(const char *text, struct arena *arena, struct stat_pressure *ret)
{
	static const struct stat_pressure_line none = { "0.00", "0.00", "0.00", 0 };
	char *rest = arena_strdup(arena, text);
	ret->some = ret->full = none;
	for (char *line; (line = next_line(&rest));) {
		const char *kind = next_word(&line);
		if (kind && str_eq(kind, "some"))
			parse_pressure_line(line, &ret->some);
		else if (kind && str_eq(kind, "full"))
			parse_pressure_line(line, &ret->full);
	}
	ret->is_there = true;
}

/* ---- the limit of the CPU ---- */

/* "50000 100000" or "max 100000". */
void stat_parse_cpu_max(const char *text, struct stat_cpu *ret)
{
	uint64_t quota = CGROUP_NUMBER_MAX, period;
	ret->quota = ret->period = CGROUP_NUMBER_NONE;
	if (sscanf(text, "max %" SCNu64, &period) != 1 &&
	    sscanf(text, "%" SCNu64 " %" SCNu64, &quota, &period) != 2)
		return;
	ret->quota = quota;
	ret->period = period;
}

/* ---- lists ---- */

static size_t count_lines(const char *text)
{
	size_t n = 1;
	for (const char *c = text; *c; c++)
		n += *c == '\n';
	return n;
}

void stat_parse_pairs(const char *text, struct arena *arena, struct stat_memory *ret)
{
	char *rest = arena_strdup(arena, text);
	ret->raw = arena_array(arena, count_lines(text), sizeof(*ret->raw));
	ret->raw_n = 0;
	for (char *line; (line = next_line(&rest));) {
		struct stat_pair *pair = &ret->raw[ret->raw_n];
		pair->key = next_word(&line);
		const char *value = next_word(&line);
		if (value && str_to_u64(value, UINT64_MAX, &pair->value) == 0)
			ret->raw_n++;
	}
}

static bool parse_device(const char *word, struct stat_io_device *ret)
{
	unsigned major, minor;
	if (!word || sscanf(word, "%u:%u", &major, &minor) != 2)
		return false;
	ret->major = major;
	ret->minor = minor;
	return true;
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6". */
static void parse_io_line(char *line, struct stat_io_device *ret)
{
	const struct {
		const char *key;
		uint64_t *place;
	} numbers[] = {
		{ "rbytes", &ret->rbytes }, { "wbytes", &ret->wbytes }, { "dbytes", &ret->dbytes },
		{ "rios", &ret->rios },     { "wios", &ret->wios },     { "dios", &ret->dios },
	};
	for (const char *word; (word = next_word(&line));)
		for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
			const char *value = value_of(word, numbers[i].key);
			uint64_t number;
			if (value && str_to_u64(value, UINT64_MAX, &number) == 0)
				*numbers[i].place = number;
		}
}

void stat_parse_io(const char *text, struct arena *arena, struct cgroup_stat *ret)
{
	char *rest = arena_strdup(arena, text);
	ret->io = arena_array(arena, count_lines(text), sizeof(*ret->io));
	ret->io_n = 0;
	for (char *line; (line = next_line(&rest));) {
		struct stat_io_device *device = &ret->io[ret->io_n];
		if (!parse_device(next_word(&line), device))
			continue;
		parse_io_line(line, device);
		ret->io_n++;
	}
}

/* ---- files ---- */

/* NULL when there is no such file, or nothing can be read from it. */
static const char *read_text(int fd, const char *file, struct arena *arena)
{
	char *text;
	size_t size;
	return fd_read_file(fd, file, STAT_SIZE_MAX, arena, &text, &size, NULL) < 0 ? NULL : text;
}

static void read_pressure(int fd, const char *file, struct arena *arena, struct stat_pressure *ret)
{
	const char *text = read_text(fd, file, arena);
	if (text)
		stat_parse_pressure(text, arena, ret);
}

static void read_cpu(int fd, struct arena *arena, struct stat_cpu *ret)
{
	static const char *const keys[] = { "usage_usec", "user_usec",    "system_usec",
					    "nr_periods", "nr_throttled", "throttled_usec" };
	uint64_t v[ARRAY_SIZE(keys)];
	cgroup_read_events(fd, 0, "cpu.stat", keys, ARRAY_SIZE(keys), v);
	ret->usage = v[0];
	ret->user = v[1];
	ret->system = v[2];
	ret->periods = v[3];
	ret->throttled_periods = v[4];
	ret->throttled = v[5];
	char limit[64] = "";
	if (fd_read_value(fd, "cpu.max", limit, sizeof(limit)) < 0)
		limit[0] = '\0';
	stat_parse_cpu_max(limit, ret);
	read_pressure(fd, "cpu.pressure", arena, &ret->pressure);
}

static void read_memory(int fd, struct arena *arena, struct stat_memory *ret)
{
	ret->usage = cgroup_read_number(fd, 0, "memory.current");
	ret->limit = cgroup_read_number(fd, 0, "memory.max");
	ret->peak = cgroup_read_number(fd, 0, "memory.peak");
	ret->swap_usage = cgroup_read_number(fd, 0, "memory.swap.current");
	ret->swap_limit = cgroup_read_number(fd, 0, "memory.swap.max");
	ret->swap_peak = cgroup_read_number(fd, 0, "memory.swap.peak");
	uint64_t events[2];
	cgroup_read_events(fd, 0, "memory.events", (const char *const[]) { "max", "oom_kill" }, 2,
			   events);
	ret->limit_hits = events[0];
	ret->oom_kills = events[1];
	read_pressure(fd, "memory.pressure", arena, &ret->pressure);
}

static void read_io(int fd, struct arena *arena, struct cgroup_stat *ret)
{
	const char *text = read_text(fd, "io.stat", arena);
	if (text)
		stat_parse_io(text, arena, ret);
	read_pressure(fd, "io.pressure", arena, &ret->io_pressure);
}

/* ---- huge pages: one file for each size that the host has ---- */

#define HUGETLB_PREFIX "hugetlb."
#define HUGETLB_SUFFIX ".current"
#define HUGETLB_SIZES  16
#define HUGETLB_RSVD   ".rsvd"

/* "2MB" of "hugetlb.2MB.current"; NULL: another file. */
static const char *hugetlb_size(const char *file, struct arena *arena)
{
	size_t n = strlen(file), prefix = strlen(HUGETLB_PREFIX), suffix = strlen(HUGETLB_SUFFIX);
	if (n <= prefix + suffix || !str_has_prefix(file, HUGETLB_PREFIX) ||
	    !str_eq(file + n - suffix, HUGETLB_SUFFIX))
		return NULL;
	const char *size = arena_strndup(arena, file + prefix, n - prefix - suffix);
	return strstr(size, HUGETLB_RSVD) ? NULL : size;
}

static void read_hugetlb(int fd, struct arena *arena, struct cgroup_stat *ret)
{
	struct dirent *e;
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		fd_close(&copy);
		return;
	}
	ret->hugetlb = arena_array(arena, HUGETLB_SIZES, sizeof(*ret->hugetlb));
	while (ret->hugetlb_n < HUGETLB_SIZES && (e = readdir(dir))) {
		const char *size = hugetlb_size(e->d_name, arena);
		if (!size)
			continue;
		struct stat_hugetlb *h = &ret->hugetlb[ret->hugetlb_n++];
		h->size = size;
		h->usage = cgroup_read_number(fd, 0, e->d_name);
		const char *events = arena_printf(arena, HUGETLB_PREFIX "%s.events", size);
		h->limit_hits = cgroup_read_event(fd, 0, events, "max");
	}
	closedir(dir);
}

int cgroup_read_load(int fd, struct arena *arena, struct cgroup_stat *ret, struct err *err)
{
	char text[256];
	memset(ret, 0, sizeof(*ret));
	int r = fd_read_value(fd, "cgroup.events", text, sizeof(text));
	if (r == -ENOENT || r == -ENODEV)
		return err_say(err, ERR_NOT_FOUND, ENOENT, "the cgroup of the container is gone");
	if (r < 0)
		return err_sys(err, -r, "cannot read the container's cgroup");
	read_cpu(fd, arena, &ret->cpu);
	read_memory(fd, arena, &ret->memory);
	ret->pids = cgroup_read_number(fd, 0, "pids.current");
	ret->pids_limit = cgroup_read_number(fd, 0, "pids.max");
	read_io(fd, arena, ret);
	return 0;
}

int cgroup_read_stat(int fd, struct arena *arena, struct cgroup_stat *ret, struct err *err)
{
	int r = cgroup_read_load(fd, arena, ret, err);
	if (r < 0)
		return r;
	const char *text = read_text(fd, "memory.stat", arena);
	if (text)
		stat_parse_pairs(text, arena, &ret->memory);
	read_hugetlb(fd, arena, ret);
	return 0;
}
