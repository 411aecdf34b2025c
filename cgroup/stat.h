/*
 * What a cgroup uses and has used, for `hull events` and `hull stats`. What a file does not say,
 * because its controller or the kernel's version lacks it, is CGROUP_NUMBER_NONE or an empty list.
 */
#ifndef HULL_CGROUP_STAT_H
#define HULL_CGROUP_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroup/events.h"

/* Pressure: shares of time in percent as the kernel writes them, and microseconds. */
struct stat_pressure_line {
	const char *avg10, *avg60, *avg300; /* "0.25" */
	uint64_t total;
};
struct stat_pressure {
	bool is_there;
	struct stat_pressure_line some, full;
};

struct stat_pair {
	const char *key;
	uint64_t value;
};
struct stat_memory { /* bytes */
	uint64_t usage, limit, peak;
	uint64_t swap_usage, swap_limit, swap_peak;
	uint64_t limit_hits;   /* how often the limit was reached */
	uint64_t oom_kills;    /* processes that the kernel has killed for it */
	struct stat_pair *raw; /* memory.stat */
	size_t raw_n;
	struct stat_pressure pressure;
};
struct stat_cpu { /* microseconds */
	uint64_t usage, user, system;
	uint64_t periods, throttled_periods, throttled;
	uint64_t quota, period; /* the quota is CGROUP_NUMBER_MAX without a limit */
	struct stat_pressure pressure;
};
struct stat_io_device { /* bytes and operations */
	uint64_t major, minor;
	uint64_t rbytes, wbytes, dbytes, rios, wios, dios;
};
struct stat_hugetlb {
	const char *size; /* "2MB" */
	uint64_t usage, limit_hits;
};

struct cgroup_stat {
	struct stat_cpu cpu;
	struct stat_memory memory;
	uint64_t pids, pids_limit;
	struct stat_io_device *io;
	size_t io_n;
	struct stat_pressure io_pressure;
	struct stat_hugetlb *hugetlb;
	size_t hugetlb_n;
};

/* ENOENT when the cgroup is gone. */
_must_check_ int cgroup_read_stat(int fd, struct arena *arena, struct cgroup_stat *ret,
				  struct err *err);

/* The same without what takes the kernel long to count: memory.stat, and the huge pages. */
_must_check_ int cgroup_read_load(int fd, struct arena *arena, struct cgroup_stat *ret,
				  struct err *err);

/* Parts of it, on texts, for tests. */
void stat_parse_cpu_max(const char *text, struct stat_cpu *ret);
void stat_parse_pressure(const char *text, struct arena *arena, struct stat_pressure *ret);
void stat_parse_io(const char *text, struct arena *arena, struct cgroup_stat *ret);
void stat_parse_pairs(const char *text, struct arena *arena, struct stat_memory *ret);

#endif
