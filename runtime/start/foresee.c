/*
 * Parent, without a start: see the header. Namespaces to join, the cgroup and its controllers, the
 * seccomp profile and its agent, resctrl, network devices and the hooks of the host; the rest is in
 * foresee_root.c and foresee_try.c.
 */
#include "start/foresee.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/foresee.h"
#include "explain/inquiry.h"
#include "netns/device.h"
#include "seccomp/seccomp.h"
#include "start/fail.h"
#include "start/namespace.h"
#include "start/resctrl.h"

void foresee_add(const struct foresee *f, const struct err *found)
{
	struct err *err = spec_problem_copy(f->arena, f->problems, SPEC_ERROR, found);
	if (err)
		json_locate(&f->plan->spec->doc, err);
}

static void namespaces(const struct foresee *f)
{
	for (unsigned i = 0; i < f->plan->ns.join_n; i++) {
		_cleanup_close_ int fd = -EBADF;
		struct err err = { 0 };
		/* Whether another container runs by then, who knows. */
		if (!f->plan->ns.join[i].container &&
		    namespace_open_joined(NULL, &f->plan->ns.join[i], &fd, &err) < 0)
			foresee_add(f, &err);
	}
}

/* ---- cgroup ---- */

static void controllers(const struct foresee *f, const struct cgroup_root *root)
{
	const struct plan *plan = f->plan;
	for (size_t i = 0; plan->cgroup.controllers[i]; i++) {
		struct err err = { 0 };
		int r = cgroup_foresee(root, plan->cgroup_path, plan->cgroup.controllers[i], &err);
		if (r == 0)
			continue;
		if (!err.at)
			err_at(&err, plan->cgroup.controllers_at[i]);
		foresee_add(f, &err);
	}
}

static void cgroup(const struct foresee *f)
{
	struct cgroup_root root;
	struct err err = { 0 };
	const struct plan *plan = f->plan;
	/* What systemd may do is for systemd to say. */
	if (plan->flags & (PLAN_NO_CGROUP | PLAN_SYSTEMD))
		return;
	if (cgroup_root_open(&root, &err) < 0) {
		if (plan->needs_cgroup)
			foresee_add(f, &err);
		return;
	}
	controllers(f, &root);
	if (!plan->may_lack_cgroup && cgroup_foresee(&root, plan->cgroup_path, NULL, &err) < 0) {
		err_at(&err, plan->spec->linux.cgroups_path.at);
		foresee_add(f, &err);
	}
	cgroup_root_close(&root);
}

/* ---- seccomp ---- */

static void filter(const struct foresee *f)
{
	const struct spec_seccomp *seccomp = &f->plan->spec->linux.seccomp;
	struct seccomp_filter compiled;
	struct err err = { 0 };
	if (!seccomp->at)
		return;
	int r = seccomp_prepare(seccomp, -1, f->arena, &compiled, &err);
	if (r == 0 && f->plan->process.args)
		r = fail_forbidden(f->plan->spec, f->arena, &err);
	if (r < 0)
		foresee_add(f, &err);
}

/* Whether somebody listens there, only a connection could tell, which the agent would hear of. */
static void agent(const struct foresee *f)
{
	const struct plan_listener *listener = &f->plan->listener;
	struct err err = { 0 };
	if (listener->is_wanted && find_agent(listener, &err) < 0)
		foresee_add(f, &err);
}

/* ---- resctrl, network devices ---- */

static void class_of_service(const struct foresee *f)
{
	const struct plan_rdt *rdt = &f->plan->rdt;
	_cleanup_close_ int root = -EBADF;
	struct err err = { 0 };
	if (!rdt->class)
		return;
	int r = resctrl_open(&root, &err);
	if (r == 0)
		r = resctrl_foresee(root, rdt, &err);
	if (r == 0)
		return;
	err_at(&err, rdt->at);
	foresee_add(f, &err);
}

static void network_devices(const struct foresee *f)
{
	const struct plan_network *n = &f->plan->network;
	struct netlink host = { .fd = -EBADF };
	struct err err = { 0 };
	if (n->devices_n > 0 && netlink_open(&host, &err) < 0)
		foresee_add(f, &err);
	for (size_t i = 0; host.fd >= 0 && i < n->devices_n; i++) {
		struct link found;
		err = (struct err) { 0 };
		if (netns_device_find(&host, n->devices[i].name, &found, &err) == 0)
			continue;
		err_at(&err, n->devices[i].at);
		foresee_add(f, &err);
	}
	netlink_close(&host);
}

/* ---- hooks ---- */

/* With hull's own rights; what is wrong with the file itself is found as for a program. */
static int try_hook(const char *path)
{
	const struct explain_who who = {
		.uid = geteuid(),
		.gid = getegid(),
		.caps = geteuid() == 0 ? ~UINT64_C(0) : 0,
		.cwd = "/",
	};
	struct finding found;
	struct stat st;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 || fstatat(AT_FDCWD, path, &st, 0) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	_cleanup_close_ int root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct explain_tree tree = { .root_fd = root };
	return root < 0 ? 0 : inquiry_run(&tree, path, &who, 0, &found);
}

static void hooks_of(const struct foresee *f, enum plan_hook_kind kind)
{
	const struct plan_hooks *hooks = &f->plan->hooks[kind];
	for (size_t i = 0; i < hooks->n; i++) {
		struct hook_report report = { .executing = true };
		const struct hook_job job = {
			.hook = &hooks->v[i],
			.kind = kind,
			.index = i,
			.count = hooks->n,
			.report = &report,
		};
		struct err err = { 0 };
		report.code = try_hook(job.hook->path);
		if (report.code && hook_say_not_executed(&job, &err) < 0)
			foresee_add(f, &err);
	}
}

void foresee_start(const struct foresee *f)
{
	namespaces(f);
	foresee_root(f);
	foresee_limits(f);
	cgroup(f);
	filter(f);
	agent(f);
	class_of_service(f);
	network_devices(f);
	for (enum plan_hook_kind kind = 0; kind < PLAN_HOOK_KINDS; kind++)
		if (kind != PLAN_HOOK_START_CONTAINER) /* a path of the image */
			hooks_of(f, kind);
}
