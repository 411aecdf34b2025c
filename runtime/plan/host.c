/* The probe: one read of /proc/self/status tells most of what a plan needs to know. */
#include "plan/host.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/userns.h"
#include "cgroup/enter.h"
#include "cgroup/systemd.h"
#include "plan/parts.h"

#define HOST_STATUS_USUAL 4096
#define HOST_STATUS_SIZE  ((size_t)1024 * 1024) /* 65536 supplementary groups fit */

/* The value behind "Name:\t" at the start of a line, or NULL. */
static const char *status_field(const char *status, const char *name)
{
	size_t n = strlen(name);
	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1 + strspn(line + n + 1, "\t ");
	}
	return NULL;
}

static int field_number(const char *status, const char *name, int base, uint64_t *ret)
{
	const char *text = status_field(status, name);
	if (!text)
		return -ENODATA;
	char *end;
	errno = 0;
	unsigned long long v = strtoull(text, &end, base);
	if (end == text || errno)
		return -EINVAL;
	*ret = v;
	return 0;
}

int host_parse_status(const char *status, struct host *ret)
{
	uint64_t uid, gid;
	int r = field_number(status, "Uid", 10, &uid);
	if (r == 0)
		r = field_number(status, "Gid", 10, &gid);
	if (r == 0)
		r = field_number(status, "CapPrm", 16, &ret->caps_permitted);
	if (r == 0)
		r = field_number(status, "CapBnd", 16, &ret->caps_bounding);
	if (r == 0)
		r = field_number(status, "SigIgn", 16, &ret->signals_ignored);
	if (r < 0)
		return r;
	ret->uid = (uid_t)uid;
	ret->gid = (gid_t)gid;
	return 0;
}

/* Every capability up to the last one that this kernel knows. */
static uint64_t known_caps(void)
{
	int last = CAP_LAST_CAP;
	while (last < 63 && prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
		last++;
	/* Whatever else goes wrong: one that is taken for unknown would not be dropped. */
	while (last > 0 && prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0 && errno == EINVAL)
		last--;
	return (UINT64_C(2) << last) - 1;
}

void host_parse_cgroup(const char *text, struct host *ret)
{
	ret->cgroup[0] = '\0';
	size_t n;
	const char *own = cgroup_of_process(text, &n);
	/* "/.." is outside of the cgroup namespace, and cannot be named from here. */
	if (!own || n >= sizeof(ret->cgroup) || str_has_prefix(own, "/.."))
		return;
	memcpy(ret->cgroup, own, n);
	ret->cgroup[n] = '\0';
}

/* Only those who may not use the host's root of cgroups need to know where they are. */
static void probe_cgroup(struct host *ret)
{
	char text[2 * PATH_MAX];
	if ((ret->uid != 0 || ret->in_user_namespace) &&
	    fd_read_value(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) == 0)
		host_parse_cgroup(text, ret);
}

/* A namespace below inherits it. */
static bool denies_setgroups(void)
{
	char text[16];
	return fd_read_value(AT_FDCWD, "/proc/self/setgroups", text, sizeof(text)) == 0 &&
	       str_eq(text, "deny");
}

static int read_status(char *buf, size_t size, struct err *err)
{
	int r = fd_read_value(AT_FDCWD, "/proc/self/status", buf, size);
	return r < 0 ? err_sys(err, -r, "cannot read '/proc/self/status'") : 0;
}

static int probe_status(struct host *ret, struct err *err)
{
	char usual[HOST_STATUS_USUAL], *status = usual;
	_cleanup_free_ char *large = NULL;
	int r = read_status(status, sizeof(usual), err);
	if (r == -EFBIG) {
		err_clear(err);
		status = large = malloc(HOST_STATUS_SIZE);
		r = large ? read_status(large, HOST_STATUS_SIZE, err)
			  : err_sys(err, ENOMEM, "cannot read '/proc/self/status'");
	}
	if (r < 0)
		return r;
	r = host_parse_status(status, ret);
	return r < 0 ? err_say(err, ERR_HOST, -r,
			       "'/proc/self/status' is not what proc(5) describes")
		     : 0;
}

int host_probe(struct host *ret, struct err *err)
{
	*ret = (struct host) { 0 };
	int r = probe_status(ret, err);
	if (r < 0)
		return r;
	ret->caps_known = known_caps();
	ret->in_user_namespace = !userns_is_first();
	ret->denies_setgroups = ret->in_user_namespace && denies_setgroups();
	probe_cgroup(ret);
	return 0;
}

int host_probe_systemd(struct host *ret, struct arena *arena, struct err *err)
{
	if (ret->uid == 0 && !ret->in_user_namespace)
		return 0;
	return systemd_find_home(arena, &ret->systemd_home, err);
}

void host_probe_time(struct host *ret)
{
	ret->has_time_namespaces = faccessat(AT_FDCWD, "/proc/self/timens_offsets", F_OK, 0) == 0;
}

void host_probe_memory(struct host *ret)
{
	char list[1024];
	if (fd_read_value(AT_FDCWD, "/sys/devices/system/node/has_memory", list, sizeof(list)) <
		    0 ||
	    !plan_parse_list(list, &ret->memory_nodes))
		CPU_ZERO(&ret->memory_nodes);
}

void host_probe_modules(struct host *ret)
{
	char enabled[8];
	struct statfs fs;

	ret->has_apparmor = fd_read_value(AT_FDCWD, "/sys/module/apparmor/parameters/enabled",
					  enabled, sizeof(enabled)) == 0 &&
			    enabled[0] == 'Y';
	/* Its file system can be mounted, and is, only where it is in force (selinux(8)). */
	_cleanup_close_ int fd = open("/sys/fs/selinux", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ret->has_selinux = fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}
