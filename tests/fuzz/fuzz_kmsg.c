/*
 * Fuzzing the parser of the kernel log: records, each ended by a NUL, in which a container chooses
 * the names of processes and cgroups. What is kept of them is bounded and consistent.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "explain/kmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kmsg_inquiry q = { .cgroup = "/par/leaf", .pid = 457, .skip = size % 3 };
	const char *record = (const char *)data, *end = record + size;
	while (record < end) {
		size_t n = strnlen(record, (size_t)(end - record));
		kmsg_feed(&q, record, n);
		record += n + 1;
	}
	bool is_ended = memchr(q.oom_cgroup, 0, sizeof(q.oom_cgroup)) &&
			memchr(q.victim_name, 0, sizeof(q.victim_name)) &&
			memchr(q.seccomp_name, 0, sizeof(q.seccomp_name));
	if (!is_ended || q.victims > q.kills || (q.first_killed && q.victims == 0))
		abort();
	return 0;
}
