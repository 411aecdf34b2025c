/*
 * What a process has to try on itself to know: whether the sysctls of new namespaces are there and
 * can be written, and whether resource limits can be raised. A helper goes into namespaces like the
 * container's, asks, and ends with them; it writes no sysctl.
 */
#include "start/foresee.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "plan/parts.h"
#include "start/fail.h"
#include "start/namespace.h"
#include "start/steps.h"

/* Namespaces that have sysctls. */
#define TRY_NAMESPACES (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

/* What the helper has found: an errno for each sysctl, then for each resource limit; 0: none. */
struct found {
	int *codes;
	size_t n;
};

/* ---- the helper ---- */

static bool enter(const struct plan *plan)
{
	uint64_t flags = plan->ns.clone_flags & (TRY_NAMESPACES | CLONE_NEWUSER);
	for (unsigned i = 0; i < plan->ns.join_n; i++) {
		const struct plan_join *join = &plan->ns.join[i];
		_cleanup_close_ int fd = -EBADF;
		struct err ignored;
		if (join->type != SPEC_NS_NETWORK && join->type != SPEC_NS_IPC &&
		    join->type != SPEC_NS_UTS)
			continue;
		/* One that is not to be had is another problem: a new one stands for it. */
		if (join->container || namespace_open_joined(NULL, join, &fd, &ignored) < 0 ||
		    setns(fd, 0) < 0)
			flags |= plan_namespace_flag(join->type);
	}
	/* Others may have all rights over who is in a new user namespace: see prepare_hide(). */
	return isolate_hide(NULL) == 0 && unshare((int)flags) == 0;
}

static int try_sysctl(const struct plan_sysctl *sysctl)
{
	char path[512];
	int n = snprintf(path, sizeof(path), "/proc/sys/%s", sysctl->path);
	if (n < 0 || n >= (int)sizeof(path))
		return ENAMETOOLONG;
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? errno : 0;
}

/* Only what is above what the caller may have: to lower one is everybody's right. */
static int try_rlimit(const struct plan_rlimit *l)
{
	struct rlimit64 own;
	if (prlimit64(0, (enum __rlimit_resource)l->resource, NULL, &own) < 0 ||
	    l->limit.rlim_max <= own.rlim_max)
		return 0;
	return prlimit64(0, (enum __rlimit_resource)l->resource, &l->limit, NULL) < 0 ? errno : 0;
}

static void try_all(const struct plan *plan, struct found *found)
{
	int *code = found->codes + plan->sysctls_n;
	for (size_t i = 0; i < plan->process.rlimits_n; i++)
		*code++ = try_rlimit(&plan->process.rlimits[i]);
	if (plan->sysctls_n == 0 || !enter(plan))
		return;
	for (size_t i = 0; i < plan->sysctls_n; i++)
		found->codes[i] = try_sysctl(&plan->sysctls[i]);
}

/* ---- what it found ---- */

/* An interface may come later: from a hook, or from who sets up the network. */
static bool is_of_interface(const char *path)
{
	static const char *const parents[] = { "net/ipv4/conf/", "net/ipv6/conf/",
					       "net/ipv4/neigh/", "net/ipv6/neigh/",
					       "net/mpls/conf/" };
	for (size_t i = 0; i < ARRAY_SIZE(parents); i++) {
		const char *name = path + strlen(parents[i]);
		if (str_has_prefix(path, parents[i]))
			return !str_has_prefix(name, "all/") && !str_has_prefix(name, "default/") &&
			       !str_has_prefix(name, "lo/");
	}
	return false;
}

/* The rights to one in a user namespace depend on its maps. */
static bool counts(const struct plan *plan, const struct plan_sysctl *sysctl, int code)
{
	if (code == ENOENT)
		return !is_of_interface(sysctl->path);
	return code && !plan->user.is_new && !plan->user.is_joined;
}

static void report(const struct foresee *f, const struct found *found)
{
	const struct plan *plan = f->plan;
	for (size_t i = 0; i < found->n; i++) {
		struct err err = { 0 };
		bool is_sysctl = i < plan->sysctls_n;
		size_t limit = i - plan->sysctls_n;
		int code = found->codes[i], r = 0;
		if (is_sysctl && counts(plan, &plan->sysctls[i], code))
			r = fail_sysctl(&plan->sysctls[i], code, &err);
		else if (!is_sysctl && code)
			r = fail_rlimit(&plan->process.rlimits[limit], code, &err);
		if (r < 0)
			foresee_add(f, &err);
	}
}

void foresee_limits(const struct foresee *f)
{
	const struct plan *plan = f->plan;
	struct found found = { .n = plan->sysctls_n + plan->process.rlimits_n };
	size_t size = found.n * sizeof(*found.codes);
	if (found.n == 0)
		return;
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return;
	found.codes = page;
	pid_t pid = fork();
	if (pid == 0) {
		try_all(plan, &found);
		_exit(0);
	}
	if (pid > 0 && waitpid(pid, NULL, 0) == pid)
		report(f, &found);
	munmap(page, size);
}
