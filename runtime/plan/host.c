/* The probe: one read of /proc/self/status tells most of what a plan needs to know. */
#include "plan/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define HOST_STATUS_SIZE \
	((size_t)1024 * 1024) /* 65536 supplementary groups fit; only what is read is touched */

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

int host_probe(struct host *ret, struct err *err)
{
	*ret = (struct host) { 0 };
	_cleanup_free_ char *status = malloc(HOST_STATUS_SIZE);
	if (!status)
		return err_sys(err, ENOMEM, "cannot read '/proc/self/status'");
	_cleanup_close_ int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '/proc/self/status'");
	ssize_t n = fd_read_all(fd, status, HOST_STATUS_SIZE - 1);
	if (n < 0)
		return err_sys(err, (int)-n, "cannot read '/proc/self/status'");
	status[n] = '\0';
	int r = host_parse_status(status, ret);
	if (r < 0)
		return err_say(err, ERR_HOST, -r,
			       "'/proc/self/status' is not what proc(5) describes");
	ret->has_time_namespaces = faccessat(AT_FDCWD, "/proc/self/timens_offsets", F_OK, 0) == 0;
	return 0;
}
