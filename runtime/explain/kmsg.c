/*
 * Parsing records of the kernel log: see the header. Linux 5.14 to 6.18 write them like this:
 *
 *	Memory cgroup stats for /par:                      (then a record "anon 24948736", ..., or
 *	                                                    all of them in one, by \x0a)
 *	oom-kill:constraint=CONSTRAINT_MEMCG,...,oom_memcg=/par,task_memcg=/par/leaf,task=dd,pid=458,uid=0
 *	Memory cgroup out of memory: Killed process 458 (dd) total-vm:67796kB, anon-rss:...
 *	Tasks in /par/leaf are going to be killed due to memory.oom.group set
 *	audit: type=1326 audit(1795921910.163:2): ... pid=27761 comm="mkdir" exe="..." sig=31
 *		arch=c000003e syscall=83 compat=0 ip=0x47b567 code=0x80000000
 */
#include "explain/kmsg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define SIGSYS_NUMBER 31

/* ---- one record ---- */

/* A text of the kernel's own, copied and terminated; false: it is too old, or not the kernel's. */
static bool take_text(const struct kmsg_inquiry *q, const char *record, size_t size, char *text)
{
	char *end;
	if (size >= KMSG_RECORD_SIZE)
		return false;
	memcpy(text, record, size);
	text[size] = '\0';
	if (strtoul(text, &end, 10) >= 8 || *end != ',') /* facility 0 is the kernel */
		return false;
	(void)strtoull(end + 1, &end, 10);
	if (*end != ',' || strtoull(end + 1, &end, 10) < q->since_us)
		return false;
	const char *begin = strchr(end, ';');
	if (!begin)
		return false;
	size_t n = strcspn(begin + 1, "\n");
	memmove(text, begin + 1, n);
	text[n] = '\0';
	return true;
}

/* ---- pieces ---- */

static const char *find_last(const char *text, const char *word)
{
	const char *last = NULL;
	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		last = at;
	return last;
}

/* The decimal number that stands there; 0 when there is none. */
static uint64_t number_of(const char *text)
{
	return *text >= '0' && *text <= '9' ? strtoull(text, NULL, 10) : 0;
}

static void copy(char *buf, size_t buf_size, const char *from, const char *to)
{
	snprintf(buf, buf_size, "%.*s", (int)(to - from), from);
}

/* Is it the container's cgroup or one below it? Compared as the kernel prints it. */
static bool is_ours(const struct kmsg_inquiry *q, const char *path, size_t size)
{
	size_t i = 0;
	if (!q->cgroup)
		return false;
	for (const unsigned char *c = (const unsigned char *)q->cgroup; *c; c++) {
		char one[8];
		bool is_plain = *c >= ' ' && *c < 0x7f && *c != '\\';
		int n = snprintf(one, sizeof(one), is_plain ? "%c" : "\\x%02x", *c);
		if (i + (size_t)n > size || strncmp(path + i, one, (size_t)n) != 0)
			return false;
		i += (size_t)n;
	}
	return i == size || path[i] == '/';
}

/* ---- out of memory ---- */

static bool is_first(const struct kmsg_inquiry *q, uint64_t pid)
{
	return q->pid && q->pid == pid;
}

/* "anon 24948736": of the cgroup whose limit was hit, before the record that names the victim. */
static void feed_stats(struct kmsg_inquiry *q, const char *text)
{
	const struct {
		const char *key;
		uint64_t *value;
	} wanted[] = { { "anon ", &q->next_anon },
		       { "file ", &q->next_file },
		       { "kernel ", &q->next_kernel } };
	while (text) {
		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
			if (str_has_prefix(text, wanted[i].key))
				*wanted[i].value = number_of(text + strlen(wanted[i].key));
		const char *end = strstr(text, "\\x0a");
		text = end ? end + strlen("\\x0a") : NULL;
	}
}

/*
 * The paths are of cgroups, which the container cannot name outside of its own: the first
 * "oom_memcg=" and "task_memcg=" are the kernel's. The task's name may hold anything, so the pid
 * behind it is looked for from the end.
 */
static void feed_oom(struct kmsg_inquiry *q, const char *text)
{
	const char *limit = strstr(text, ",oom_memcg="), *task = strstr(text, ",task_memcg=");
	const char *pid = find_last(text, ",pid=");
	q->in_stats = q->in_group = false;
	q->expected_pid = 0;
	q->is_skipped = q->kills < q->skip;
	if (!task || !pid || pid < task || (limit && limit > task))
		return;
	task += strlen(",task_memcg=");
	const char *task_end = strstr(task, ",task=");
	uint64_t victim = number_of(pid + strlen(",pid="));
	if (!task_end || (!is_ours(q, task, (size_t)(task_end - task)) && !is_first(q, victim)))
		return;
	q->expected_pid = victim;
	if (q->has_oom || q->is_skipped) /* the first one is told; the others are counted */
		return;
	q->has_oom = true;
	q->is_global = !limit;
	if (limit)
		copy(q->oom_cgroup, sizeof(q->oom_cgroup), limit + strlen(",oom_memcg="),
		     task - strlen(",task_memcg="));
	q->has_stats = limit && q->next_anon + q->next_file + q->next_kernel > 0;
	q->anon = q->next_anon;
	q->file = q->next_file;
	q->kernel = q->next_kernel;
}

static void feed_killed(struct kmsg_inquiry *q, const char *text)
{
	uint64_t pid = number_of(text);
	const char *name = strstr(text, " ("), *end = find_last(text, ") total-vm:");
	/* A group's first victim is named twice. */
	bool again = q->victims > 0 && pid == q->victim;
	if (!name || !end || end < name + 2)
		return;
	if (pid != q->expected_pid && !q->in_group && !is_first(q, pid))
		return;
	q->kills++;
	if (again || q->is_skipped)
		return;
	q->first_killed = q->first_killed || is_first(q, pid);
	if (q->victims++ > 0)
		return;
	q->victim = pid;
	copy(q->victim_name, sizeof(q->victim_name), name + 2, end);
}

static void feed_group(struct kmsg_inquiry *q, const char *text)
{
	const char *end = find_last(text, " are going to be killed due to memory.oom.group set");
	q->in_group = end && is_ours(q, text, (size_t)(end - text));
}

static void feed_stats_begin(struct kmsg_inquiry *q, const char *text _unused_)
{
	q->in_stats = true;
	q->next_anon = q->next_file = q->next_kernel = 0;
}

/* ---- seccomp ---- */

/* The value of " KEY=" as a number of that base; audit writes no blank into a value. */
static bool field(const char *text, const char *key, int base, uint64_t *ret)
{
	char *end;
	const char *at = strstr(text, key);
	if (!at)
		return false;
	at += strlen(key);
	*ret = strtoull(at, &end, base);
	return end > at && (*end == ' ' || *end == '\0');
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* comm="mkdir", or comm=610A62 when something in it is not plain. */
static void take_name(struct kmsg_inquiry *q, const char *text)
{
	char *out = q->seccomp_name;
	size_t size = sizeof(q->seccomp_name), used = 0;
	const char *at = strstr(text, " comm=");
	*out = '\0';
	if (!at)
		return;
	at += strlen(" comm=");
	if (*at == '"') {
		copy(out, size, at + 1, at + 1 + strcspn(at + 1, "\" "));
		return;
	}
	for (; hex_digit(at[0]) >= 0 && hex_digit(at[1]) >= 0 && used + 5 < size; at += 2) {
		unsigned c = (unsigned)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
		bool is_plain = c >= ' ' && c < 0x7f && c != '\\';
		used += (size_t)snprintf(out + used, size - used, is_plain ? "%c" : "\\x%02x", c);
	}
}

/* The last one counts: a pid may have belonged to somebody else before. */
static void feed_seccomp(struct kmsg_inquiry *q, const char *text)
{
	uint64_t pid, sig, arch, number, code;
	if (!q->pid || !field(text, " pid=", 10, &pid) || pid != q->pid ||
	    !field(text, " sig=", 10, &sig) || sig != SIGSYS_NUMBER ||
	    !field(text, " arch=", 16, &arch) || !field(text, " syscall=", 10, &number) ||
	    !field(text, " code=", 16, &code) || number > INT32_MAX)
		return;
	q->has_seccomp = true;
	q->arch = (uint32_t)arch;
	q->number = (int)number;
	q->action = (uint32_t)code;
	take_name(q, text);
}

/* ---- all of it ---- */

static const struct {
	const char *prefix;
	void (*feed)(struct kmsg_inquiry *q, const char *rest);
} lines[] = {
	{ "Memory cgroup stats for ", feed_stats_begin },
	{ "oom-kill:", feed_oom },
	{ "Memory cgroup out of memory: Killed process ", feed_killed },
	{ "Out of memory: Killed process ", feed_killed },
	{ "Tasks in ", feed_group },
	{ "audit: type=1326 ", feed_seccomp },
};

void kmsg_feed(struct kmsg_inquiry *q, const char *record, size_t size)
{
	char text[KMSG_RECORD_SIZE];
	if (!take_text(q, record, size, text))
		return;
	q->records++;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!str_has_prefix(text, lines[i].prefix))
			continue;
		lines[i].feed(q, text + strlen(lines[i].prefix));
		return;
	}
	if (q->in_stats)
		feed_stats(q, text);
}
