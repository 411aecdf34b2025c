/*
 * Puts a plan into force: writes the limits and attaches the device program. Runs in the parent,
 * after the cgroup was made and before the container is cloned into it, so that every limit holds
 * from the program's first instruction. A limit that was asked for and cannot be set is an error.
 */
#include "cgroup/limits.h"

#include "base/fd.h"
#include "base/str.h"
#include "cgroup/update.h"

/* What the kernel's refusal of a value usually means. */
static const struct {
	int code;
	const char *hint;
} write_hints[] = {
	{ EINVAL, "the kernel does not accept this value for that file" },
	{ ERANGE, "the value is outside of what the kernel accepts" },
	{ ENODEV, "no device of this host has these numbers or this name" },
	{ EOPNOTSUPP, "the cgroup or its parent is a threaded one" },
	{ EBUSY, "the value conflicts with what stands in other files of the cgroup" },
};

static int write_error(const struct cgroup_write *w, int code, struct err *err)
{
	int r;
	if (code == ENOENT) {
		r = err_say(err, ERR_HOST, ENODEV, "this kernel has no cgroup file '%s'%s%s%s",
			    w->file, w->or_file ? " and no '" : "", w->or_file ? w->or_file : "",
			    w->or_file ? "'" : "");
		if (w->controller)
			err_hint(err, "the controller '%s' works, but without this file",
				 w->controller);
	} else {
		r = err_sys(err, code, "cannot write '%s' to the cgroup's '%s'", w->value, w->file);
		for (size_t i = 0; i < ARRAY_SIZE(write_hints); i++)
			if (write_hints[i].code == code)
				err_hint(err, "%s", write_hints[i].hint);
	}
	err_at(err, w->at);
	return r;
}

int apply_write(int fd, const struct cgroup_write *w, struct err *err)
{
	int r = fd_write_value(fd, w->file, w->value);
	if (r == -ENOENT && w->or_file)
		r = fd_write_value(fd, w->or_file, w->or_value);
	if (r == -ENOENT && (w->flags & CGROUP_WRITE_IF_PRESENT))
		r = 0;
	return r < 0 ? write_error(w, -r, err) : 0;
}

/* The last write counts, as it does when all are made. */
static const struct cgroup_write *pids_limit(const struct cgroup_plan *plan)
{
	for (size_t i = plan->writes_n; i > 0; i--)
		if (str_eq(plan->writes[i - 1].file, "pids.max"))
			return &plan->writes[i - 1];
	return NULL;
}

int cgroup_lift_pids(int fd, const struct cgroup_plan *plan, struct err *err)
{
	const struct cgroup_write *limit = pids_limit(plan);
	if (!limit)
		return 0;
	struct cgroup_write none = *limit;
	none.value = "max";
	return apply_write(fd, &none, err);
}

int cgroup_limit_pids(int fd, const struct cgroup_plan *plan, struct err *err)
{
	const struct cgroup_write *limit = pids_limit(plan);
	return limit ? apply_write(fd, limit, err) : 0;
}

int cgroup_apply(int fd, const struct cgroup_plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->writes_n; i++) {
		int r = apply_write(fd, &plan->writes[i], err);
		if (r < 0)
			return r;
	}
	if (!plan->device_insns)
		return 0;
	return device_attach(fd, plan->device_insns, plan->device_insns_n, err);
}
