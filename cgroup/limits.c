/*
 * linux.resources as a list of writes: the table of contents, and the controllers that need only
 * a few lines each (pids, hugetlb, rdma, unified). Pure: no system calls, no privilege; runs in
 * the caller's process while the start is planned. Rules: S-162 to S-185.
 */
#include "cgroup/limits.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

/* ---- building the plan ---- */

static int need_controller(struct cgroup_plan *plan, const char *name, uint32_t at, struct err *err)
{
	size_t i = 0;
	for (; plan->controllers[i]; i++)
		if (str_eq(plan->controllers[i], name))
			return 0;
	if (i + 1 == CGROUP_CONTROLLERS_MAX) {
		int r = err_say(err, ERR_CONFIG, EINVAL,
				"more than %d cgroup controllers are named",
				CGROUP_CONTROLLERS_MAX - 1);
		err_at(err, at);
		return r;
	}
	plan->controllers[i] = name;
	plan->controllers_at[i] = at;
	return 0;
}

static void make_room(struct limits *l)
{
	if (l->plan->writes_n < l->room)
		return;
	l->room = l->room ? l->room * 2 : 16;
	struct cgroup_write *grown = arena_array(l->arena, l->room, sizeof(*grown));
	if (l->plan->writes_n > 0)
		memcpy(grown, l->plan->writes, l->plan->writes_n * sizeof(*grown));
	l->plan->writes = grown;
}

int limits_add(struct limits *l, const struct cgroup_write *write, struct err *err)
{
	if (write->controller) {
		int r = need_controller(l->plan, write->controller, write->at, err);
		if (r < 0)
			return r;
	}
	make_room(l);
	l->plan->writes[l->plan->writes_n++] = *write;
	return 0;
}

/* "memory" from "memory.max", in the arena. */
static const char *controller_of(struct arena *arena, const char *file)
{
	return arena_strndup(arena, file, strcspn(file, "."));
}

int limits_set(struct limits *l, const char *file, const char *value, uint32_t at, struct err *err)
{
	struct cgroup_write write = {
		.file = file,
		.value = value,
		.controller = controller_of(l->arena, file),
		.at = at,
	};
	return limits_add(l, &write, err);
}

int limits_refuse_v1(const char *what, uint32_t at, struct err *err)
{
	int r = err_say(err, ERR_CONFIG, EINVAL, "%s exists only in cgroup v1", what);
	err_hint(err, "hull uses cgroup v2, which has nothing like it: remove it");
	err_at(err, at);
	return r;
}

const char *limits_max_text(struct arena *arena, int64_t value)
{
	return value == -1 ? "max" : arena_printf(arena, "%" PRId64, value);
}

/* ---- pids ---- */

/* Zero is a limit like any other (S-178): nothing can be forked. */
static int plan_pids(struct limits *l, const struct spec_pids *pids, struct err *err)
{
	if (!pids->limit.at)
		return 0;
	if (pids->limit.v < -1) {
		int r = err_say(err, ERR_CONFIG, EINVAL, "the limit of pids is %" PRId64,
				pids->limit.v);
		err_hint(err, "-1 means unlimited");
		err_at(err, pids->limit.at);
		return r;
	}
	return limits_set(l, "pids.max", limits_max_text(l->arena, pids->limit.v), pids->limit.at,
			  err);
}

/* ---- hugetlb ---- */

/*
 * The limit on reservations makes mmap fail instead of killing the program by SIGBUS at its first
 * touch; kernels before 5.7 have only the latter (S-176).
 */
static int plan_hugepages(struct limits *l, const struct spec_resources *res, struct err *err)
{
	for (size_t i = 0; i < res->hugepage_limits.n; i++) {
		const struct spec_hugepage_limit *h = &res->hugepage_limits.v[i];
		if (strchr(h->page_size.s, '/')) {
			int r = err_say(err, ERR_CONFIG, EINVAL, "'%s' is not a page size",
					h->page_size.s);
			err_at(err, h->page_size.at);
			return r;
		}
		const char *value = arena_printf(l->arena, "%" PRIu64, h->limit.v);
		struct cgroup_write write = {
			.file = arena_printf(l->arena, "hugetlb.%s.rsvd.max", h->page_size.s),
			.value = value,
			.or_file = arena_printf(l->arena, "hugetlb.%s.max", h->page_size.s),
			.or_value = value,
			.controller = "hugetlb",
			.at = h->at,
		};
		int r = limits_add(l, &write, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- rdma ---- */

static int plan_rdma(struct limits *l, const struct spec_resources *res, struct err *err)
{
	for (size_t i = 0; i < res->rdma.n; i++) {
		const struct spec_rdma *d = &res->rdma.v[i];
		struct str line;
		str_init(&line, l->arena);
		str_append(&line, d->device);
		if (d->hca_handles.at)
			str_printf(&line, " hca_handle=%" PRIu64, d->hca_handles.v);
		if (d->hca_objects.at)
			str_printf(&line, " hca_object=%" PRIu64, d->hca_objects.v);
		if (!d->hca_handles.at && !d->hca_objects.at) {
			int r = err_say(err, ERR_CONFIG, EINVAL,
					"the limits of rdma device '%s' are empty", d->device);
			err_hint(err, "give hcaHandles, hcaObjects or both");
			err_at(err, d->at);
			return r;
		}
		int r = limits_set(l, "rdma.max", line.text, d->at, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- network ---- */

/* The class 0 is what a process has anyway. */
static int refuse_network(const struct spec_network *net, struct err *err)
{
	if (net->class_id.at && net->class_id.v != 0)
		return limits_refuse_v1("network.classID", net->class_id.at, err);
	if (net->priorities.n > 0)
		return limits_refuse_v1("network.priorities", net->priorities.at, err);
	return 0;
}

/* ---- unified ---- */

/*
 * Files that set no limit: what is written there could move anybody's process, stop the start for
 * ever, end it, or make a cgroup in which no process may be.
 */
static const struct str_name unified_refused[] = {
	{ "cgroup.procs", 1 }, { "cgroup.threads", 1 }, { "cgroup.freeze", 1 },
	{ "cgroup.kill", 1 },  { "cgroup.type", 1 },    { "cgroup.subtree_control", 1 },
	{ NULL, 0 },
};

static int check_unified_key(const struct spec_pair *pair, struct err *err)
{
	int r = 0;
	const char *dot = strchr(pair->key, '.');
	if (strchr(pair->key, '/'))
		r = err_say(err, ERR_CONFIG, EINVAL,
			    "'%s' leads out of the cgroup: a key of unified is a file's name",
			    pair->key);
	else if (!dot || dot == pair->key)
		r = err_say(err, ERR_CONFIG, EINVAL, "'%s' is not the name of a cgroup file",
			    pair->key);
	else if (str_name_find(unified_refused, pair->key))
		r = err_say(err, ERR_CONFIG, EINVAL,
			    "'%s' is no limit: it moves, stops or ends processes, or changes the "
			    "cgroup's kind",
			    pair->key);
	if (r < 0) {
		err_hint(err, "keys look like \"memory.high\"");
		err_at(err, pair->key_at);
	}
	return r;
}

/* Files such as io.max take one line per write; an empty value clears files such as cpuset.cpus. */
static int plan_unified_lines(struct limits *l, const struct spec_pair *pair,
			      const char *controller, struct err *err)
{
	const char *p = pair->value;
	do {
		size_t n = strcspn(p, "\n");
		struct cgroup_write write = {
			.file = pair->key,
			.value = n > 0 ? arena_strndup(l->arena, p, n) : "\n",
			.controller = controller,
			.at = pair->at,
		};
		int r = limits_add(l, &write, err);
		if (r < 0)
			return r;
		p += n;
		p += strspn(p, "\n");
	} while (*p);
	return 0;
}

static int plan_unified(struct limits *l, const struct spec_resources *res, struct err *err)
{
	for (size_t i = 0; i < res->unified.n; i++) {
		const struct spec_pair *pair = &res->unified.v[i];
		int r = check_unified_key(pair, err);
		if (r < 0)
			return r;
		const char *controller = NULL;
		if (!str_has_prefix(pair->key, "cgroup."))
			controller = controller_of(l->arena, pair->key);
		r = plan_unified_lines(l, pair, controller, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- all of them ---- */

/* unified comes last, so that it overrides what the named members say. */
int cgroup_plan_resources(const struct spec_resources *resources, struct arena *arena,
			  struct cgroup_plan *ret, struct err *err)
{
	struct cgroup_plan plan = { 0 };
	struct limits l = { .arena = arena, .plan = &plan };
	int r = limits_plan_memory(&l, &resources->memory, err);
	if (r == 0)
		r = limits_plan_cpu(&l, &resources->cpu, err);
	if (r == 0)
		r = plan_pids(&l, &resources->pids, err);
	if (r == 0)
		r = limits_plan_io(&l, &resources->block_io, err);
	if (r == 0)
		r = plan_hugepages(&l, resources, err);
	if (r == 0)
		r = plan_rdma(&l, resources, err);
	if (r == 0)
		r = refuse_network(&resources->network, err);
	if (r == 0)
		r = plan_unified(&l, resources, err);
	if (r == 0)
		r = device_plan(resources, arena, &plan, err);
	if (r == 0)
		*ret = plan;
	return r;
}
