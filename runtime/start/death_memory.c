/*
 * Parent: did memory run out, and whose limit was it? The counters of the container's cgroup and of
 * those above it are compared with what they were before the program began; a container's own
 * cgroup is new and has begun at zero. The kernel log knows more (the process, the exact cgroup)
 * when it can be read.
 */
#include "start/death_parts.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "cgroup/events.h"

#define OOM_LOCAL "memory.events.local"
#define OOM_ALL   "memory.events"

static unsigned count_parents(const struct start *s)
{
	unsigned n = cgroup_count_parents(s->plan->cgroup_path);
	return n < START_PARENTS_MAX ? n : START_PARENTS_MAX;
}

/* systemd removes a cgroup as soon as nobody is in it, with all that it has counted. */
static bool is_gone(const struct start *s)
{
	char text[256];
	return fd_read_value(s->cgroup_fd, "cgroup.events", text, sizeof(text)) < 0;
}

/* What an unreadable counter says: nothing happened. */
static uint64_t or_zero(uint64_t n)
{
	return n == CGROUP_NUMBER_NONE ? 0 : n;
}

static uint64_t since(uint64_t now, uint64_t before)
{
	now = or_zero(now);
	return now > before ? now - before : 0;
}

/*
 * While the child sets up the container: nobody waits for this. A parent without these counters has
 * no memory controller; one above it may have one, which then is the container's, too.
 */
int death_begin(struct start *s, struct err *err _unused_)
{
	struct start_counters *c = &s->before;
	if (s->cgroup_fd < 0)
		return 0;
	for (unsigned up = 1; up <= count_parents(s); up++) {
		static const char *const keys[] = { "oom", "oom_kill" };
		uint64_t counts[ARRAY_SIZE(keys)];
		cgroup_read_events(s->cgroup_fd, up, OOM_LOCAL, keys, ARRAY_SIZE(keys), counts);
		c->parents_oom[up - 1] = or_zero(counts[0]);
		c->parents_kills[up - 1] = or_zero(counts[1]);
	}
	if (!state_cgroup_existed(&s->state))
		return 0;
	c->own_oom = or_zero(cgroup_read_event(s->cgroup_fd, 0, OOM_LOCAL, "oom"));
	c->all_oom = or_zero(cgroup_read_event(s->cgroup_fd, 0, OOM_ALL, "oom"));
	c->kills = or_zero(cgroup_read_event(s->cgroup_fd, 0, OOM_ALL, "oom_kill"));
	c->groups = or_zero(cgroup_read_event(s->cgroup_fd, 0, OOM_ALL, "oom_group_kill"));
	c->pids = or_zero(cgroup_read_event(s->cgroup_fd, 0, "pids.events", "max"));
	return 0;
}

/* ---- whose limit ---- */

static void set_limit(struct start *s, enum exitinfo_limit whose, unsigned up)
{
	struct exitinfo *x = &s->exit;
	const char *path = s->plan->cgroup_path;
	size_t size = strlen(path);

	x->oom.limit_of = whose;
	if (whose != EXITINFO_LIMIT_OWN && whose != EXITINFO_LIMIT_PARENT)
		return;
	for (unsigned i = 0; i < up; i++)
		while (size > 0 && path[--size] != '/')
			;
	exitinfo_set_text(x->oom.cgroup, sizeof(x->oom.cgroup), path, size);
	/* "max" and "not known" are the same numbers on both sides. */
	x->oom.limit = cgroup_read_number(s->cgroup_fd, up, "memory.max");
	x->oom.swap_limit = cgroup_read_number(s->cgroup_fd, up, "memory.swap.max");
}

/* The kernel log named the cgroup: above the container's, it, or below. */
static bool judge_by_name(struct start *s, const struct kmsg_inquiry *q)
{
	char path[EXITINFO_PATH_SIZE];
	if (!q->has_oom)
		return false;
	if (q->is_global) {
		set_limit(s, EXITINFO_LIMIT_HOST, 0);
		return true;
	}
	const char *own = s->plan->cgroup_path;
	size_t size = strlen(own);
	for (unsigned up = 0; up <= count_parents(s); up++) {
		exitinfo_set_text(path, sizeof(path), own, size);
		if (strcmp(path, q->oom_cgroup) == 0) {
			set_limit(s, up ? EXITINFO_LIMIT_PARENT : EXITINFO_LIMIT_OWN, up);
			return true;
		}
		while (size > 0 && own[--size] != '/')
			;
	}
	return false;
}

static void judge_by_counters(struct start *s)
{
	const struct start_counters *c = &s->before;
	if (since(cgroup_read_event(s->cgroup_fd, 0, OOM_LOCAL, "oom"), c->own_oom)) {
		set_limit(s, EXITINFO_LIMIT_OWN, 0);
		return;
	}
	if (since(cgroup_read_event(s->cgroup_fd, 0, OOM_ALL, "oom"), c->all_oom)) {
		set_limit(s, EXITINFO_LIMIT_INSIDE, 0);
		return;
	}
	unsigned parents = count_parents(s);
	for (unsigned up = 1; up <= parents; up++)
		if (since(cgroup_read_event(s->cgroup_fd, up, OOM_LOCAL, "oom"),
			  c->parents_oom[up - 1])) {
			set_limit(s, EXITINFO_LIMIT_PARENT, up);
			return;
		}
	/* The real root has no such file; where the mount has one, there are cgroups above it. */
	bool is_root = !is_gone(s) && cgroup_read_event(s->cgroup_fd, parents + 1, OOM_LOCAL,
							"oom") == CGROUP_NUMBER_NONE;
	set_limit(s, is_root ? EXITINFO_LIMIT_HOST : EXITINFO_LIMIT_UNKNOWN, 0);
}

/* ---- what the log adds ---- */

static void take_victim(struct exitinfo *x, const struct kmsg_inquiry *q)
{
	if (q->victims == 0)
		return;
	x->oom.pid = q->victim;
	exitinfo_set_text(x->oom.name, sizeof(x->oom.name), q->victim_name, strlen(q->victim_name));
	if (!q->has_stats)
		return;
	x->oom.anon = q->anon;
	x->oom.file = q->file;
	x->oom.kernel = q->kernel;
}

/*
 * Was the first process among the victims? The log says so for certain when it names all of them;
 * otherwise SIGKILL in a container in which memory ran out speaks for itself.
 */
static bool killed_first(const struct start *s, const struct kmsg_inquiry *q)
{
	if (strcmp(s->exit.signal, "SIGKILL") != 0)
		return false;
	return q->first_killed || q->pid == 0 || q->victims < s->exit.oom.killed;
}

static void point_at_limit(struct start *s)
{
	const struct spec_memory *memory = &s->plan->spec->linux.resources.memory;
	if (s->exit.oom.limit_of == EXITINFO_LIMIT_OWN && memory->limit.at)
		death_point_at(s, memory->limit.at);
}

/* "some avg10=71.43 avg60=...": missing where the kernel does not account for it. */
static uint64_t read_pressure(const struct start *s)
{
	char text[256];
	unsigned percent;
	if (fd_read_value(s->cgroup_fd, "memory.pressure", text, sizeof(text)) < 0 ||
	    sscanf(text, "some avg10=%u.", &percent) != 1)
		return EXITINFO_UNSET;
	return percent;
}

static void fill(struct start *s, const struct kmsg_inquiry *q)
{
	struct exitinfo *x = &s->exit;
	if (!judge_by_name(s, q))
		judge_by_counters(s);
	take_victim(x, q);
	if (!state_cgroup_existed(&s->state))
		x->oom.peak = cgroup_read_number(s->cgroup_fd, 0, "memory.peak");
	x->oom.pressure = read_pressure(s);
	point_at_limit(s);
}

static void set_cause(struct exitinfo *x)
{
	x->cause = EXITINFO_OOM;
	x->sender.kind = EXITINFO_SENDER_NONE;
}

/* The kernel counts the first victim of a group twice. */
static uint64_t count_killed(uint64_t kills, uint64_t groups, const struct kmsg_inquiry *q)
{
	if (q->kills == kills + q->skip && q->victims > 0)
		return q->victims;
	return kills > groups ? kills - groups : kills;
}

static void examine_own(struct start *s, uint64_t kills)
{
	struct exitinfo *x = &s->exit;
	struct kmsg_inquiry q;

	if (kills == 0)
		return;
	uint64_t groups = since(cgroup_read_event(s->cgroup_fd, 0, OOM_ALL, "oom_group_kill"),
				s->before.groups);
	death_ask_about_memory(s, kills, &q);
	x->oom.killed = count_killed(kills, groups, &q);
	x->oom.group = groups > 0;
	fill(s, &q);
	if (x->cause == EXITINFO_SIGNAL && killed_first(s, &q))
		set_cause(x);
}

/*
 * Nobody counts (cgroup v1 has the memory, or there is no cgroup, or none any more): the kernel log
 * alone knows.
 */
static void examine_by_log(struct start *s)
{
	struct kmsg_inquiry q;
	death_ask_about_memory(s, 0, &q);
	if (!q.first_killed)
		return;
	s->exit.oom.killed = 1;
	if (s->cgroup_fd < 0 || !judge_by_name(s, &q))
		s->exit.oom.limit_of = q.has_oom && q.is_global ? EXITINFO_LIMIT_HOST
								: EXITINFO_LIMIT_UNKNOWN;
	take_victim(&s->exit, &q);
	point_at_limit(s);
	set_cause(&s->exit);
}

/*
 * The container's cgroup counts no memory: the next one above it does, for all that is below it.
 * So only the first process is sure to be the container's.
 */
static void examine_shared(struct start *s)
{
	struct kmsg_inquiry q;
	uint64_t kills = CGROUP_NUMBER_NONE;
	unsigned up = 0;

	while (kills == CGROUP_NUMBER_NONE && up < count_parents(s))
		kills = cgroup_read_event(s->cgroup_fd, ++up, OOM_LOCAL, "oom_kill");
	if (kills == CGROUP_NUMBER_NONE) {
		examine_by_log(s);
		return;
	}
	if (since(kills, s->before.parents_kills[up - 1]) == 0)
		return;
	death_ask_about_memory(s, 0, &q);
	if (q.pid && q.records > 0 && !q.first_killed)
		return;
	s->exit.oom.killed = 1;
	fill(s, &q);
	set_cause(&s->exit);
}

void death_examine_memory(struct start *s)
{
	const struct start_counters *c = &s->before;
	bool by_kill = strcmp(s->exit.signal, "SIGKILL") == 0;

	if (s->cgroup_fd < 0) {
		if (by_kill)
			examine_by_log(s);
		return;
	}
	uint64_t refused = cgroup_read_event(s->cgroup_fd, 0, "pids.events", "max");
	s->exit.pids_refused = since(refused, c->pids);
	uint64_t kills = cgroup_read_event(s->cgroup_fd, 0, OOM_ALL, "oom_kill");
	if (kills != CGROUP_NUMBER_NONE)
		examine_own(s, since(kills, c->kills));
	else if (by_kill && is_gone(s))
		examine_by_log(s);
	else if (by_kill)
		examine_shared(s);
}

void death_explain_failure(struct start *s, const struct start_result *result, struct err *failure)
{
	const struct spec_memory *memory = &s->plan->spec->linux.resources.memory;

	if (s->cgroup_fd < 0 || result->exited || result->code != SIGKILL)
		return;
	uint64_t kills = cgroup_read_event(s->cgroup_fd, 0, OOM_ALL, "oom_kill");
	if (kills == CGROUP_NUMBER_NONE || since(kills, s->before.kills) == 0)
		return;
	examine_own(s, since(kills, s->before.kills));
	if (s->exit.oom.limit_of != EXITINFO_LIMIT_OWN) {
		err_cause(failure, "memory ran out, but the container's own limit was not hit");
		return;
	}
	err_cause(failure, "memory ran out: the start hit the container's own limit: %llu bytes",
		  (unsigned long long)s->exit.oom.limit);
	err_hint(failure, "raise linux.resources.memory.limit");
	if (memory->limit.at)
		err_at(failure, memory->limit.at);
	failure->line = 0; /* to be found anew */
	json_locate(&s->plan->spec->doc, failure);
}
