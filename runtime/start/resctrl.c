/*
 * resctrl (resctrl.h). In the parent, with the caller's rights; `delete` removes by it what a
 * container has left.
 * Must not: write to a class that hull has not made, but who is in it; remove one that others may
 * use.
 */
#include "start/resctrl.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"

#define RESCTRL_ROOT   "/sys/fs/resctrl"
#define RESCTRL_GROUPS "mon_groups"
#define RESCTRL_TEXT_MAX \
	65536 /* a line for each resource, with all caches of the largest machine */

/* ---- root and classes ---- */

static int not_mounted(struct err *err)
{
	err_say(err, ERR_HOST, ENODEV, "there is no resctrl at '%s'", RESCTRL_ROOT);
	err_hint(err, "mount -t resctrl resctrl " RESCTRL_ROOT
		      ", on a machine whose processor and kernel have it (rdt_a in /proc/cpuinfo, "
		      "CONFIG_X86_CPU_RESCTRL)");
	return -ENODEV;
}

int resctrl_open(int *ret_root, struct err *err)
{
	struct statfs fs;
	_cleanup_close_ int fd = open(RESCTRL_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if ((fd < 0 && errno != ENOENT && errno != ENOTDIR) || (fd >= 0 && fstatfs(fd, &fs) < 0))
		return err_sys(err, errno, "cannot open '%s'", RESCTRL_ROOT);
	if (fd < 0 || fs.f_type != RDTGROUP_SUPER_MAGIC)
		return not_mounted(err);
	*ret_root = fd_take(&fd);
	return 0;
}

/* "/" is the class of all that are in no other one. */
static const char *below(const char *class)
{
	return str_eq(class, "/") ? "." : class;
}

static int open_class(int root, const char *class)
{
	int fd = openat(root, below(class), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int resctrl_open_class(int root, const char *class, int *ret_class, struct err *err)
{
	int fd = open_class(root, class);
	if (fd < 0)
		return err_sys(err, -fd, "cannot open the class of service '%s'", class);
	*ret_class = fd;
	return 0;
}

int resctrl_has_class(int root, const char *class, struct err *err)
{
	_cleanup_close_ int fd = open_class(root, class);
	if (fd < 0 && fd != -ENOENT)
		return err_sys(err, -fd, "cannot open the class of service '%s'", class);
	return fd >= 0;
}

static int make_failed(const char *class, int code, struct err *err)
{
	err_sys(err, code, "cannot make the class of service '%s'", class);
	if (code == ENOSPC)
		err_hint(err,
			 "the processor has no more of them: info/*/num_closids in " RESCTRL_ROOT);
	else if (code == EEXIST)
		err_hint(err, "it is named after the container, and so was to be its own: is it of "
			      "a container with another state directory?");
	else if (code == EACCES || code == EPERM)
		err_hint(err, "only root may");
	return -code;
}

static bool must_exist(const struct plan_rdt *rdt)
{
	return rdt->is_named && !rdt->schemas && !rdt->schemata;
}

static int no_class(const struct plan_rdt *rdt, struct err *err)
{
	err_say(err, ERR_NOT_FOUND, ENOENT, "there is no class of service '%s'", rdt->class);
	err_hint(err,
		 "without a schema in linux.intelRdt it must be there; with one hull makes it");
	return -ENOENT;
}

int resctrl_join(int root, const struct plan_rdt *rdt, int *ret_class, struct err *err)
{
	int fd = open_class(root, rdt->class);
	if (fd == -ENOENT)
		return must_exist(rdt) ? no_class(rdt, err) : -EAGAIN;
	if (fd >= 0 && !rdt->is_named) {
		fd_close(&fd);
		return make_failed(rdt->class, EEXIST, err);
	}
	if (fd < 0)
		return err_sys(err, -fd, "cannot open the class of service '%s'", rdt->class);
	*ret_class = fd;
	return 0;
}

int resctrl_make(int root, const struct plan_rdt *rdt, bool *ret_made, int *ret_class,
		 struct err *err)
{
	*ret_made = false;
	if (must_exist(rdt))
		return no_class(rdt, err);
	if (mkdirat(root, rdt->class, 0755) < 0) /* or another start was faster */
		return errno == EEXIST && rdt->is_named ? -EAGAIN
							: make_failed(rdt->class, errno, err);
	*ret_made = true;
	return resctrl_open_class(root, rdt->class, ret_class, err);
}

/* ---- schemata ---- */

static int write_failed(int root, const char *text, int code, struct err *err)
{
	char words[sizeof(err->kernel)];
	int shown = (int)strcspn(text, "\n");

	err_sys(err, code, "cannot write the schemata of the class of service ('%.*s'%s)",
		shown < 200 ? shown : 200, text, text[shown] && text[shown + 1] ? ", ..." : "");
	if (fd_read_value(root, "info/last_cmd_status", words, sizeof(words)) == 0)
		err_kernel(err, "%s", words);
	return -code;
}

static int write_text(int root, int fd, const char *text, struct err *err)
{
	size_t size = strlen(text);
	ssize_t n;
	do
		n = write(fd, text, size);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)size)
		return 0;
	/* It takes a page at a time, and what is cut off would be another schema. */
	return write_failed(root, text, n < 0 ? errno : EFBIG, err);
}

static int write_schemata(int root, int class, const struct plan_rdt *rdt, struct err *err)
{
	int r = 0;
	_cleanup_close_ int fd = openat(class, "schemata", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open the schemata of the class of service '%s'",
			       rdt->class);
	if (rdt->schemas)
		r = write_text(root, fd, rdt->schemas, err);
	if (r == 0 && rdt->schemata)
		r = write_text(root, fd, rdt->schemata, err);
	return r;
}

static int read_schemata(int class, const char *name, char ret[static RESCTRL_TEXT_MAX],
			 struct err *err)
{
	_cleanup_close_ int fd = openat(class, "schemata", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : fd_read_all(fd, ret, RESCTRL_TEXT_MAX);
	if (n < 0 || n == RESCTRL_TEXT_MAX)
		return err_sys(err, n < 0 ? (int)-n : EFBIG,
			       "cannot read the schemata of the class of service '%s'", name);
	ret[n] = '\0';
	return 0;
}

static int compare_schemata(int class, const struct plan_rdt *rdt, struct err *err)
{
	char have[RESCTRL_TEXT_MAX];
	size_t size;
	if (!rdt->schemas && !rdt->schemata)
		return 0;
	int r = read_schemata(class, rdt->class, have, err);
	if (r < 0)
		return r;
	const char *line = resctrl_find_difference(have, rdt->schemas, rdt->schemata, &size);
	if (!line)
		line = resctrl_find_difference(have, rdt->schemata, NULL, &size);
	if (!line)
		return 0;
	err_say(err, ERR_BUSY, EEXIST,
		"the class of service '%s' exists, and its schemata are not '%.*s'", rdt->class,
		size < 200 ? (int)size : 200, line);
	err_hint(err, "others may be in it, so it is left as it is: choose another closID, or "
		      "leave the schemata out to join it");
	return -EEXIST;
}

int resctrl_configure(int root, int class, const struct plan_rdt *rdt, bool made, struct err *err)
{
	if (!rdt->schemas && !rdt->schemata) /* S-193 */
		return 0;
	return made ? write_schemata(root, class, rdt, err) : compare_schemata(class, rdt, err);
}

/* ---- an update ---- */

int resctrl_change(int root, const char *class, const char *text, struct arena *arena,
		   const char **ret_old, struct err *err)
{
	const struct plan_rdt rdt = { .class = class, .schemas = text };
	char old[RESCTRL_TEXT_MAX];
	_cleanup_close_ int fd = -EBADF;

	*ret_old = NULL;
	int r = resctrl_open_class(root, class, &fd, err);
	if (r == 0)
		r = read_schemata(fd, class, old, err);
	if (r < 0)
		return r;
	*ret_old = arena_strdup(arena, old);
	r = write_schemata(root, fd, &rdt, err);
	/* Otherwise it has taken nothing: all lines or none. */
	if (r < 0 && r != -EFBIG)
		*ret_old = NULL;
	return r;
}

int resctrl_change_back(int root, const char *class, const char *old, struct err *err)
{
	const struct plan_rdt rdt = { .class = class, .schemas = old };
	_cleanup_close_ int fd = -EBADF;
	int r = resctrl_open_class(root, class, &fd, err);
	return r < 0 ? r : write_schemata(root, fd, &rdt, err);
}

/* ---- who is in it ---- */

static int open_groups(int class)
{
	int fd = openat(class, RESCTRL_GROUPS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int cannot_monitor(struct err *err)
{
	err_say(err, ERR_HOST, ENOTSUP, "this processor cannot monitor classes of service");
	err_hint(err, "leave linux.intelRdt.enableMonitoring out");
	return -ENOTSUP;
}

bool resctrl_has_group(int class, const char *id)
{
	_cleanup_close_ int groups = open_groups(class);
	return groups >= 0 && faccessat(groups, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int resctrl_monitor(int class, const char *id, struct err *err)
{
	_cleanup_close_ int groups = open_groups(class);
	if (groups == -ENOENT)
		return cannot_monitor(err);
	int code = groups < 0 ? -groups : mkdirat(groups, id, 0755) < 0 ? errno : 0;
	if (code == 0)
		return 0;
	err_sys(err, code, "cannot make the monitoring group '%s'", id);
	if (code == ENOSPC)
		err_hint(
			err,
			"the processor has no more of them: info/L3_MON/num_rmids in " RESCTRL_ROOT);
	return -code;
}

int resctrl_foresee(int root, const struct plan_rdt *rdt, struct err *err)
{
	_cleanup_close_ int fd = open_class(root, rdt->class);
	_cleanup_close_ int groups = open_groups(root);
	if (fd < 0 && fd != -ENOENT)
		return err_sys(err, -fd, "cannot open the class of service '%s'", rdt->class);
	if (fd < 0 && must_exist(rdt))
		return no_class(rdt, err);
	if (fd >= 0 && !rdt->is_named)
		return make_failed(rdt->class, EEXIST, err);
	if (rdt->is_monitored && groups == -ENOENT)
		return cannot_monitor(err);
	return fd < 0 ? 0 : compare_schemata(fd, rdt, err);
}

static int write_task(int dir, const char *what, pid_t pid, struct err *err)
{
	char text[16];
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	int r = fd_write_value(dir, "tasks", text);
	return r < 0 ? err_sys(err, -r, "cannot put the process into the %s", what) : 0;
}

/* The class first: a group takes only who is in its class. */
int resctrl_assign(int class, const char *id, pid_t pid, struct err *err)
{
	int r = write_task(class, "class of service", pid, err);
	if (r < 0 || !id)
		return r;
	_cleanup_close_ int groups = open_groups(class);
	_cleanup_close_ int group = groups < 0
					    ? -EBADF
					    : openat(groups, id,
						     O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (group < 0)
		return err_sys(err, groups < 0 ? -groups : errno,
			       "cannot open the monitoring group '%s'", id);
	return write_task(group, "monitoring group", pid, err);
}

/* ---- the end ---- */

static int remove_group(int class, const char *id, struct err *err)
{
	_cleanup_close_ int groups = open_groups(class);
	if (groups == -ENOENT)
		return 0;
	int code = groups < 0 ? -groups : unlinkat(groups, id, AT_REMOVEDIR) < 0 ? errno : 0;
	return code && code != ENOENT
		       ? err_sys(err, code, "cannot remove the monitoring group '%s'", id)
		       : 0;
}

/* 1: somebody is in it, whom the kernel would move to the class "/" without a word. */
static int is_used(int class, const char *name, struct err *err)
{
	char c;
	_cleanup_close_ int fd = openat(class, "tasks", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : fd_read_all(fd, &c, 1);
	if (n < 0 && n != -ENOENT)
		return err_sys(err, (int)-n, "cannot read who is in the class of service '%s'",
			       name);
	return n > 0;
}

static int remove_class(int root, int class, const struct resctrl_left *left, struct err *err)
{
	/* A start that was killed before it could note its class had nobody in it. */
	int r = left->is_named || !left->ino ? is_used(class, left->class, err) : 0;
	if (r != 0)
		return r < 0 ? r : 0;
	return unlinkat(root, left->class, AT_REMOVEDIR) < 0 && errno != ENOENT
		       ? err_sys(err, errno, "cannot remove the class of service '%s'", left->class)
		       : 0;
}

int resctrl_remove(int root, const struct resctrl_left *left, struct err *err)
{
	int r = 0;
	_cleanup_close_ int class = open_class(root, left->class);
	if (class == -ENOENT)
		return 0;
	struct stat st = { 0 };
	if (class < 0 || fstat(class, &st) < 0)
		return err_sys(err, class < 0 ? -class : errno,
			       "cannot open the class of service '%s'", left->class);
	if (left->is_owned && left->ino && left->ino != st.st_ino)
		return 0;
	if (left->is_monitored)
		r = remove_group(class, left->id, err);
	return r == 0 && left->is_owned ? remove_class(root, class, left, err) : r;
}

int resctrl_clean(const struct resctrl_left *left, struct err *err)
{
	_cleanup_close_ int root = -EBADF;
	if (!left->class || (!left->is_monitored && !left->is_owned))
		return 0;
	int r = resctrl_open(&root, err);
	if (r == -ENODEV) { /* the kernel has removed it all with the last mount */
		err_clear(err);
		return 0;
	}
	return r < 0 ? r : resctrl_remove(root, left, err);
}
