/*
 * System calls that glibc 2.36 has no wrapper for. Each returns what the kernel does: -1 with errno
 * on failure.
 */
#ifndef HULL_START_SYS_H
#define HULL_START_SYS_H

#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long sys_clone3(struct clone_args *args)
{
	return syscall(SYS_clone3, args, sizeof(*args));
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/*
 * Gives a signal its default action. glibc's sigaction() refuses 32 and 33, which it uses itself,
 * but a caller can have left those ignored too. (An all-zero kernel sigaction is SIG_DFL.)
 */
static inline int sys_reset_signal(int signal)
{
	const unsigned long action[4] = { 0 };
	return (int)syscall(SYS_rt_sigaction, signal, action, NULL, sizeof(unsigned long));
}

/* A session keyring without a name: it cannot be an existing one of somebody else. */
static inline long sys_new_session_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

#endif
