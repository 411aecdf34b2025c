/*
 * Installing a filter: the last act of the child before execve, with no_new_privs or
 * CAP_SYS_ADMIN. Nothing but the one system call happens here: what came after it would have to
 * be allowed by the profile. libseccomp has no part in it, so that flags may be newer than it is.
 */
#include "seccomp/listen.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "seccomp/profile.h"

static long load(const struct seccomp_filter *filter, unsigned flags)
{
	const struct sock_fprog program = { .len = filter->len, .filter = filter->insns };
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return r < 0 ? -errno : r;
}

int seccomp_install(const struct seccomp_filter *filter)
{
	if (!filter->insns)
		return 0;
	/* The kernel refuses this one where there is no listener to wait for. */
	long r = load(filter, filter->flags & ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	/* With TSYNC a positive value names a thread that could not be brought along. */
	return r > 0 ? -ESRCH : (int)r;
}

int seccomp_listen(const struct seccomp_filter *filter)
{
	unsigned flags = filter->flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
	/* Or else a thread's number could not be told from a descriptor. */
	if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	return (int)load(filter, flags);
}

/* A known flag gets as far as the program that is missing. */
bool seccomp_knows_flag(const char *name)
{
	unsigned flag = profile_flag(name);
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return flag && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 &&
	       errno == EFAULT;
}
