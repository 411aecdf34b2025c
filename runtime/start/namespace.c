/*
 * Parent, with the caller's rights: opens namespaces that are there already.
 *
 * Must not: let one through that is of another kind than config.json says, or that is the host's
 * where something in it would be changed.
 */
#include "start/namespace.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "plan/parts.h"
#include "start/steps.h"

int namespace_open(int proc_fd, pid_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "%s%d/ns/%s", proc_fd < 0 ? "/proc/" : "", (int)pid, name);
	int fd = openat(proc_fd < 0 ? AT_FDCWD : proc_fd, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The namespaces that the kernel begins with have these inode numbers, and so has nothing else: all
 * others come behind them. */
#define FIRST_INITIAL_INODE 0xEFFFFFF0U
#define LAST_INITIAL_INODE  0xEFFFFFFFU

static int stat_namespace(const char *process, enum spec_ns_type type, struct stat *ret)
{
	static const char *const names[SPEC_NS_COUNT] = {
		[SPEC_NS_PID] = "pid",       [SPEC_NS_NETWORK] = "net", [SPEC_NS_MOUNT] = "mnt",
		[SPEC_NS_IPC] = "ipc",       [SPEC_NS_UTS] = "uts",     [SPEC_NS_USER] = "user",
		[SPEC_NS_CGROUP] = "cgroup", [SPEC_NS_TIME] = "time",
	};
	char path[32];
	snprintf(path, sizeof(path), "/proc/%s/ns/%s", process, names[type]);
	return stat(path, ret);
}

/*
 * Does this namespace turn out to be the one that hull itself is in, or the host's first process?
 * (The latter's may not be hull's to look at; then hull has no rights over them either, or the
 * number tells.)
 */
static bool is_hosts_namespace(int fd, enum spec_ns_type type)
{
	struct stat mine, first, theirs;
	/* What cannot be told apart is taken for the same: nothing of the host may be changed. */
	if (fstat(fd, &theirs) < 0 || stat_namespace("self", type, &mine) < 0)
		return true;
	if (theirs.st_ino >= FIRST_INITIAL_INODE && theirs.st_ino <= LAST_INITIAL_INODE)
		return true;
	if (mine.st_ino == theirs.st_ino && mine.st_dev == theirs.st_dev)
		return true;
	return stat_namespace("1", type, &first) == 0 && first.st_ino == theirs.st_ino &&
	       first.st_dev == theirs.st_dev;
}

static int not_fit(const struct plan_join *join, int code, const char *why, struct err *err)
{
	if (join->container)
		return err_say(err, ERR_CONFIG, code, "the network of container '%s' %s",
			       join->container, why);
	return err_say(err, ERR_CONFIG, code, "'%s' %s", join->path, why);
}

int namespace_check(int fd, const struct plan_join *join, struct err *err)
{
	char why[128];
	const char *name = spec_ns_name(join->type);
	int type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return not_fit(join, EINVAL, "is not a namespace", err);
	if ((uint64_t)(unsigned)type != plan_namespace_flag(join->type)) {
		snprintf(why, sizeof(why), "is not a %s namespace", name);
		return not_fit(join, EINVAL, why, err);
	}
	if (!join->is_changed || !is_hosts_namespace(fd, join->type))
		return 0;
	snprintf(why, sizeof(why),
		 "is the host's %s namespace, which sysctls, names or devices of this config.json "
		 "would change",
		 name);
	return not_fit(join, EPERM, why, err);
}

static int open_file(const struct plan_join *join, int *ret_fd, struct err *err)
{
	int fd = open(join->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(err, errno, "cannot open the %s namespace '%s'",
			       spec_ns_name(join->type), join->path);
	*ret_fd = fd;
	return 0;
}

int namespace_open_joined(const struct state_store *store, const struct plan_join *join,
			  int *ret_fd, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	int r = join->container ? network_open_of(store, join->container, &fd, err)
				: open_file(join, &fd, err);
	if (r < 0 && join->container) /* the place is not in config.json */
		return r;
	if (r == 0)
		r = namespace_check(fd, join, err);
	if (r < 0) {
		if (!join->container)
			err_hint(err,
				 "a namespace's file is /proc/PID/ns/..., or a bind mount of it");
		err_at(err, join->at);
		return r;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}
