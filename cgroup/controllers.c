/*
 * Enabling the controllers that a container's limits need, in one cgroup for those below it; why
 * one is not to be had; and the same question without an effect. Runs in the parent.
 */
#include "cgroup/controllers.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

/* The path of the cgroup, for printf's "%.*s". */
#define PLACE(at) (at)->size ? (int)(at)->size : 1, (at)->path

/* Version 1 and /proc/cgroups know one controller by another name. */
static const char *v1_name(const char *controller)
{
	return str_eq(controller, "io") ? "blkio" : controller;
}

struct reason {
	const char *why, *hint;
};
static const struct reason reason_disabled = {
	"it is disabled on the kernel's command line",
	"remove cgroup_disable= from the kernel's command line, or remove the limit",
};
static const struct reason reason_v1 = {
	"this host has it bound to a cgroup v1 hierarchy",
	"boot with cgroup_no_v1=all, so that cgroup v2 has it, or remove the limit",
};
static const struct reason reason_not_offered = {
	"this kernel or the parent cgroup does not offer it",
	"remove the limit, or have the controller delegated to this part of the tree",
};

/*
 * /proc/cgroups has lines of name, hierarchy, number of cgroups, enabled; hierarchy 0 is cgroup v2
 * or none. False when the line is another controller's.
 */
static bool reason_in_line(const char *line, const char *name, const struct reason **ret)
{
	size_t n = strlen(name);
	unsigned hierarchy, cgroups, enabled;
	if (strncmp(line, name, n) != 0 || line[n] != '\t' ||
	    sscanf(line + n, "%u %u %u", &hierarchy, &cgroups, &enabled) != 3)
		return false;
	if (!enabled)
		*ret = &reason_disabled;
	else if (hierarchy != 0)
		*ret = &reason_v1;
	return true;
}

static const struct reason *why_missing(const char *controller)
{
	char text[4096];
	const struct reason *reason = &reason_not_offered;
	if (fd_read_value(AT_FDCWD, "/proc/cgroups", text, sizeof(text)) < 0)
		return reason;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (reason_in_line(line, v1_name(controller), &reason))
			break;
	}
	return reason;
}

static int missing_error(const struct controllers_place *at, const char *controller,
			 struct err *err)
{
	const struct reason *reason = why_missing(controller);
	int r = err_say(err, ERR_HOST, ENODEV,
			"the cgroup controller '%s' is not available in '%.*s': %s", controller,
			PLACE(at), reason->why);
	err_hint(err, "%s", reason->hint);
	return r;
}

static int enable_error(const struct controllers_place *at, const char *controller, int code,
			struct err *err)
{
	int r = err_sys(err, code,
			"cannot enable the cgroup controller '%s' for children of '%.*s'",
			controller, PLACE(at));
	if (code == EBUSY)
		err_hint(err, "a cgroup with processes of its own cannot share out its resources: "
			      "choose a cgroupsPath that is not below it");
	if (code == EACCES || code == EPERM)
		err_hint(err, "this part of the tree is not delegated to the caller");
	return r;
}

static int enable_controller(const struct controllers_place *at, const char *controller,
			     struct err *err)
{
	char offered[1024];
	int r = fd_read_value(at->fd, "cgroup.controllers", offered, sizeof(offered));
	if (r < 0)
		return err_sys(err, -r, "cannot read the controllers of cgroup '%.*s'", PLACE(at));
	if (!str_has_word(offered, controller))
		return missing_error(at, controller, err);
	char command[64];
	snprintf(command, sizeof(command), "+%s", controller);
	r = fd_write_value(at->fd, "cgroup.subtree_control", command);
	return r < 0 ? enable_error(at, controller, -r, err) : 0;
}

/* Only what is needed, and only where it is not enabled yet. */
int controllers_enable(const struct controllers_place *at, const struct cgroup_plan *plan,
		       struct err *err)
{
	if (!plan || !plan->controllers[0])
		return 0;
	char enabled[1024];
	int r = fd_read_value(at->fd, "cgroup.subtree_control", enabled, sizeof(enabled));
	if (r < 0)
		return err_sys(err, -r, "cannot read what cgroup '%.*s' has enabled", PLACE(at));
	for (size_t i = 0; plan->controllers[i]; i++) {
		if (str_has_word(enabled, plan->controllers[i]))
			continue;
		r = enable_controller(at, plan->controllers[i], err);
		if (r < 0) {
			err_at(err, plan->controllers_at[i]);
			return r;
		}
	}
	return 0;
}

/* The mount itself may have processes and share out all the same. */
static bool has_processes(const struct controllers_place *at)
{
	char text[64];
	_cleanup_close_ int fd = openat(at->fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	return at->size > 0 && fd >= 0 && read(fd, text, sizeof(text)) > 0;
}

int controllers_foresee(const struct controllers_place *at, const char *controller, struct err *err)
{
	char text[1024];
	int r = fd_read_value(at->fd, "cgroup.subtree_control", text, sizeof(text));
	if (r == 0 && str_has_word(text, controller))
		return 0;
	if (r == 0)
		r = fd_read_value(at->fd, "cgroup.controllers", text, sizeof(text));
	if (r < 0)
		return err_sys(err, -r, "cannot read the controllers of cgroup '%.*s'", PLACE(at));
	if (!str_has_word(text, controller))
		return missing_error(at, controller, err);
	if (faccessat(at->fd, "cgroup.subtree_control", W_OK, AT_EACCESS) < 0)
		return enable_error(at, controller, errno, err);
	return has_processes(at) ? enable_error(at, controller, EBUSY, err) : 0;
}
