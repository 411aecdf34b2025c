/*
 * System calls that glibc 2.36 has no wrapper for. Each returns what the kernel does: -1 with errno
 * on failure.
 */
#ifndef HULL_START_SYS_H
#define HULL_START_SYS_H

#include <errno.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/defer.h"

static inline long sys_clone3(struct clone_args *args)
{
	return syscall(SYS_clone3, args, sizeof(*args));
}

/*
 * Without the C library, and so without errno: what the kernel returns, a result or -errno. Nor may
 * a sanitizer keep account of a stack that it does not know.
 */
#ifdef __x86_64__
#define SYS_HAS_BARE true
#define _bare_       __attribute__((no_sanitize("address")))
static inline _bare_ long sys_bare(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}
#else
#define SYS_HAS_BARE false
#define _bare_
static inline long sys_bare(long number _unused_, long a _unused_, long b _unused_, long c _unused_,
			    long d _unused_)
{
	return -ENOSYS;
}
#endif

/*
 * The CPUs that this process may run on, and those of them on which it does not run now. False:
 * there are none, or they cannot be told (more than fit, sched_getaffinity(2)).
 */
static inline bool sys_other_cpus(cpu_set_t *ret_all, cpu_set_t *ret_others)
{
	int own = sched_getcpu();
	if (own < 0 || sched_getaffinity(0, sizeof(*ret_all), ret_all) < 0)
		return false;
	*ret_others = *ret_all;
	CPU_CLR((size_t)own, ret_others);
	return CPU_COUNT(ret_others) > 0;
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

/* struct sched_attr of sched_setattr(2), under a name that no C library has. */
struct sys_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static inline int sys_sched_setattr(pid_t pid, const struct sys_sched_attr *attr)
{
	return (int)syscall(SYS_sched_setattr, pid, attr, 0);
}

/* IOPRIO_WHO_* is no part of the kernel's headers (ioprio_set(2)). */
#define SYS_IOPRIO_WHO_PGRP 2

static inline int sys_ioprio_set(int which, int who, int value)
{
	return (int)syscall(SYS_ioprio_set, which, who, value);
}

/* Nodes are bits, as of CPUs; the kernel counts one less than it is told. */
static inline int sys_set_mempolicy(int mode, const void *nodes, unsigned long n)
{
	return (int)syscall(SYS_set_mempolicy, mode, nodes, n + 1);
}

static inline int sys_get_mempolicy(void *nodes, unsigned long n)
{
	return (int)syscall(SYS_get_mempolicy, NULL, nodes, n + 1, NULL, 0);
}

/* A session keyring without a name: it cannot be an existing one of somebody else. */
static inline long sys_new_session_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

#endif
