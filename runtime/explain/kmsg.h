/*
 * What the kernel log says about killed processes. An inquiry is told what to look for, is fed the
 * records of /dev/kmsg one by one, oldest first, and keeps what it has found. Pure, no allocation.
 *
 * Names of processes and cgroups in these records are the container's own choice. The kernel writes
 * what is not printable ASCII as \xNN, so a record is always one line; within it the fixed words
 * are looked for from the side where nothing foreign stands before them. Records of user space
 * (anybody who may write to /dev/kmsg) carry another facility and are passed over.
 */
#ifndef HULL_EXPLAIN_KMSG_H
#define HULL_EXPLAIN_KMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KMSG_RECORD_SIZE 8192
#define KMSG_NAME_SIZE   64
#define KMSG_PATH_SIZE   512

struct kmsg_inquiry {
	/* What is looked for. */
	uint64_t since_us;  /* older records do not count */
	unsigned skip;      /* so many kills of it belong to an earlier one of that name */
	const char *cgroup; /* the container's, as the kernel calls it; NULL: none */
	uint64_t pid;       /* its first process; 0: not known to the host by a number */

	unsigned records; /* that the kernel wrote, whatever they say; 0: the log is not readable */

	/* What was found about OOM kills in that cgroup and below, or of that process. */
	bool has_oom;
	bool is_global;                  /* the host as a whole had no memory left */
	char oom_cgroup[KMSG_PATH_SIZE]; /* whose limit it was otherwise */
	uint64_t victim;                 /* the first one: its pid */
	char victim_name[KMSG_NAME_SIZE];
	unsigned victims;
	unsigned kills; /* with those that were skipped; a group's first victim is killed twice */
	bool first_killed; /* `pid` is among them */
	bool has_stats;
	uint64_t anon, file, kernel; /* bytes, of `oom_cgroup` at that moment */

	/* What was found about a seccomp kill of `pid`. */
	bool has_seccomp;
	uint32_t arch; /* AUDIT_ARCH_* */
	int number;
	uint32_t action; /* SECCOMP_RET_* */
	char seccomp_name[KMSG_NAME_SIZE];

	/* Inside of kmsg.c: between one record and the next. */
	bool in_stats, in_group, is_skipped;
	uint64_t expected_pid;
	uint64_t next_anon, next_file, next_kernel;
};

/* Takes one record as it was read: "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT\n KEY=VALUE...". */
void kmsg_feed(struct kmsg_inquiry *q, const char *record, size_t size);

#endif
