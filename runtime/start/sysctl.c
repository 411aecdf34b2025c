/*
 * Child, stage 4: sysctls of the container's own namespaces. The plan has allowed only those; a
 * write goes through a procfs that no mount of the container can stand in.
 */
#include "start/steps.h"

#include <stdio.h>

#include "start/fail.h"
#include "start/proc.h"

int fail_sysctl(const struct plan_sysctl *sysctl, int code, struct err *err)
{
	if (code == ENOENT)
		err_say(err, ERR_HOST, ENOENT, "this kernel has no sysctl '%s'", sysctl->key);
	else
		err_sys(err, code, "cannot set the sysctl '%s' to '%s'", sysctl->key,
			sysctl->value);
	err_at(err, sysctl->at);
	return -code;
}

static int write_one(const struct start *s, const struct plan_sysctl *sysctl, struct err *err)
{
	char path[512];
	int n = snprintf(path, sizeof(path), "sys/%s", sysctl->path);
	int r = n < (int)sizeof(path) ? proc_write(s->proc_fd, path, sysctl->value) : -ENAMETOOLONG;
	return r < 0 ? fail_sysctl(sysctl, -r, err) : 0;
}

int sysctl_write_all(struct start *s, struct err *err)
{
	for (size_t i = 0; i < s->plan->sysctls_n; i++) {
		int r = write_one(s, &s->plan->sysctls[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}
