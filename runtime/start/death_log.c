/*
 * Parent: asks the kernel log about a death. Best effort: others may not read it, an audit daemon
 * takes the records about seccomp away from it, and it forgets. Reads a bounded number of records.
 * Only those about seccomp are worth a short wait: a thread of the kernel writes them, later.
 */
#include "start/death_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define LOG_MAX_RECORDS 50000
#define LOG_WAIT_MS     200
#define LOG_MAX_ROUNDS  4  /* while others write to it, too */
#define LOG_SLACK_S     60 /* the log's clock and ours may have drifted apart */

#define PID_NAMESPACE_INIT 0xeffffffc /* inode of the first one: PROC_PID_INIT_INO */

/* The log counts processes as the host does; hull in a pid namespace sees other numbers. */
static bool numbers_are_the_hosts(void)
{
	struct stat st;
	return fstatat(AT_FDCWD, "/proc/self/ns/pid", &st, 0) == 0 &&
	       st.st_ino == PID_NAMESPACE_INIT;
}

static uint64_t microseconds_of_start(const struct start *s)
{
	int64_t seconds = s->cloned.tv_sec - LOG_SLACK_S;
	return seconds > 0 ? (uint64_t)seconds * 1000000 : 0;
}

/* Each read(2) gives one record. EPIPE: the oldest ones were overwritten meanwhile. */
static void read_records(int fd, struct kmsg_inquiry *q)
{
	char record[KMSG_RECORD_SIZE];
	for (unsigned i = 0; i < LOG_MAX_RECORDS; i++) {
		ssize_t n = read(fd, record, sizeof(record));
		if (n > 0)
			kmsg_feed(q, record, (size_t)n);
		else if (n == 0 || (errno != EPIPE && errno != EINTR))
			return;
	}
}

static void wait_for_seccomp(int fd, struct kmsg_inquiry *q)
{
	struct pollfd log = { .fd = fd, .events = POLLIN };
	for (unsigned i = 0; i < LOG_MAX_ROUNDS && q->pid && !q->has_seccomp; i++) {
		if (poll(&log, 1, LOG_WAIT_MS) <= 0)
			return;
		read_records(fd, q);
	}
}

static uint64_t number_of_program(const struct start *s)
{
	return (uint64_t)(s->plan->flags & PLAN_INIT ? s->program_pid : s->state.pid);
}

static struct kmsg_inquiry inquiry_of(const struct start *s, unsigned skip)
{
	return (struct kmsg_inquiry) {
		.since_us = microseconds_of_start(s),
		.skip = skip,
		.cgroup = s->cgroup_fd >= 0 ? s->plan->cgroup_path : NULL,
		.pid = numbers_are_the_hosts() ? number_of_program(s) : 0,
	};
}

static int open_log(void)
{
	struct stat st;
	_cleanup_close_ int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
		return -EBADF;
	return fd_take(&fd);
}

/* Those of the latest container of that name are the last ones. */
void death_ask_about_memory(const struct start *s, uint64_t kills, struct kmsg_inquiry *ret)
{
	*ret = inquiry_of(s, 0);
	_cleanup_close_ int fd = open_log();
	if (fd < 0)
		return;
	read_records(fd, ret);
	if (kills == 0 || ret->kills <= kills || lseek(fd, 0, SEEK_SET) < 0)
		return;
	*ret = inquiry_of(s, ret->kills - (unsigned)kills);
	read_records(fd, ret);
}

static void ask_about_seccomp(const struct start *s, struct kmsg_inquiry *ret)
{
	*ret = inquiry_of(s, 0);
	_cleanup_close_ int fd = open_log();
	if (fd < 0)
		return;
	read_records(fd, ret);
	wait_for_seccomp(fd, ret);
}

/* ---- seccomp ---- */

static void fill_rule(struct start *s, const struct seccomp_blame *blame)
{
	const struct json_doc *doc = &s->plan->spec->doc;
	struct exitinfo *x = &s->exit;
	struct err place = { .at = blame->at };
	json_locate(doc, &place);
	exitinfo_set_text(x->seccomp.rule, sizeof(x->seccomp.rule), place.path, strlen(place.path));
	x->line = place.line;
	x->column = place.column;
	const struct json *action = blame->action_at ? json_find(doc, blame->action_at) : NULL;
	if (action && action->type == JSON_STRING)
		exitinfo_set_text(x->seccomp.action, sizeof(x->seccomp.action), action->text,
				  strlen(action->text));
}

/* The rule's place in config.json. */
static uint32_t fill_seccomp(struct start *s, const struct kmsg_inquiry *q)
{
	const struct spec_seccomp *spec = &s->plan->spec->linux.seccomp;
	struct seccomp_event event = { .arch = q->arch, .number = q->number, .action = q->action };
	struct seccomp_blame blame;
	struct exitinfo *x = &s->exit;

	seccomp_blame(spec, &event, s->arena, &blame);
	snprintf(x->seccomp.syscall, sizeof(x->seccomp.syscall), "%s",
		 blame.syscall ? blame.syscall : "a system call without a name");
	snprintf(x->seccomp.arch, sizeof(x->seccomp.arch), "%s", blame.arch ? blame.arch : "");
	snprintf(x->seccomp.name, sizeof(x->seccomp.name), "%s", q->seccomp_name);
	x->seccomp.number = (uint64_t)q->number;
	fill_rule(s, &blame);
	return blame.at;
}

/* SIGSYS without a profile is a signal like others. */
void death_examine_seccomp(struct start *s)
{
	struct kmsg_inquiry q;
	if (strcmp(s->exit.signal, "SIGSYS") != 0 || !s->plan->spec->linux.seccomp.at)
		return;
	s->exit.cause = EXITINFO_SECCOMP;
	ask_about_seccomp(s, &q);
	if (q.has_seccomp)
		(void)fill_seccomp(s, &q);
}

/* A filter is loaded right before execve, so it is that, or what the loader of the program needs.
 */
void death_explain_filter(struct start *s, struct err *failure)
{
	struct exitinfo *x = &s->exit;
	struct kmsg_inquiry q;
	ask_about_seccomp(s, &q);
	if (!q.has_seccomp)
		return;
	err_at(failure, fill_seccomp(s, &q));
	failure->path[0] = '\0'; /* the profile as a whole, until now */
	json_locate(&s->plan->spec->doc, failure);
	err_cause(failure, "it forbids %s (%d) by %s%s%s", x->seccomp.syscall, q.number,
		  x->seccomp.rule, x->seccomp.action[0] ? ", " : "", x->seccomp.action);
}
