/*
 * Installing a filter: the last act of the child before execve, with no_new_privs or
 * CAP_SYS_ADMIN. Nothing but the one system call happens here: what came after it would have to
 * be allowed by the profile.
 */
#include "seccomp/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

int seccomp_install(const struct seccomp_filter *filter)
{
	if (!filter->insns)
		return 0;
	const struct sock_fprog program = { .len = filter->len, .filter = filter->insns };
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program);
	/* With TSYNC a positive value names a thread that could not be brought along. */
	if (r > 0)
		return -ESRCH;
	return r < 0 ? -errno : 0;
}
