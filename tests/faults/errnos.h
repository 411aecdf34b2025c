/*
 * Which errno a system call fails with when it is made to: one that its manual page names and that
 * speaks of the host, not of the arguments. Calls that cannot fail are not in the sweep.
 */
#ifndef HULL_TESTS_ERRNOS_H
#define HULL_TESTS_ERRNOS_H

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	int code;
} errnos[] = {
	{ "openat", EACCES },
	{ "openat2", EACCES },
	{ "open", EACCES },
	{ "open_by_handle_at", EPERM },
	{ "mkdirat", EACCES },
	{ "mkdir", EACCES },
	{ "mknodat", EPERM },
	{ "symlinkat", EACCES },
	{ "unlinkat", EBUSY },
	{ "rmdir", EBUSY },
	{ "unlink", EACCES },
	{ "fchmodat", EPERM },
	{ "fchmod", EPERM },
	{ "fchownat", EPERM },
	{ "fchown", EPERM },
	{ "renameat", ENOSPC },
	{ "rename", ENOSPC },
	{ "renameat2", ENOSPC },
	{ "readlinkat", EACCES },
	{ "readlink", EACCES },
	{ "chdir", EACCES },
	{ "fchdir", EACCES },
	{ "chroot", EPERM },
	{ "getcwd", ENOENT },
	{ "newfstatat", EACCES },
	{ "statx", EACCES },
	{ "fstat", EIO },
	{ "fstatfs", EIO },
	{ "statfs", EIO },
	{ "faccessat", EACCES },
	{ "faccessat2", EACCES },
	{ "access", EACCES },
	{ "getdents64", EIO },
	{ "flock", ENOLCK },
	{ "mount", EPERM },
	{ "umount2", EBUSY },
	{ "pivot_root", EINVAL },
	{ "open_tree", EPERM },
	{ "move_mount", EPERM },
	{ "mount_setattr", EPERM },
	{ "fsopen", EPERM },
	{ "fsconfig", EPERM },
	{ "fsmount", EPERM },
	{ "setns", EPERM },
	{ "unshare", EPERM },
	{ "clone", EAGAIN },
	{ "clone3", EAGAIN },
	{ "fork", EAGAIN },
	{ "vfork", EAGAIN },
	{ "execve", EACCES },
	{ "execveat", EACCES },
	{ "prctl", EPERM },
	{ "seccomp", EPERM },
	{ "bpf", EPERM },
	{ "capset", EPERM },
	{ "capget", EPERM },
	{ "setgroups", EPERM },
	{ "setresgid", EPERM },
	{ "setresuid", EAGAIN },
	{ "setuid", EAGAIN },
	{ "setgid", EPERM },
	{ "getgroups", EFAULT },
	{ "prlimit64", EPERM },
	{ "setrlimit", EPERM },
	{ "keyctl", EDQUOT },
	{ "sethostname", EPERM },
	{ "setdomainname", EPERM },
	{ "setsid", EPERM },
	{ "personality", EPERM },
	{ "close_range", EMFILE },
	{ "socket", EMFILE },
	{ "socketpair", EMFILE },
	{ "pipe2", EMFILE },
	{ "dup", EMFILE },
	{ "dup2", EMFILE },
	{ "dup3", EMFILE },
	{ "fcntl", EMFILE },
	{ "signalfd4", EMFILE },
	{ "epoll_create1", EMFILE },
	{ "memfd_create", EMFILE },
	{ "pidfd_open", EMFILE },
	{ "eventfd2", EMFILE },
	{ "pidfd_send_signal", EPERM },
	{ "kill", EPERM },
	{ "tgkill", EPERM },
	{ "waitid", ECHILD },
	{ "wait4", ECHILD },
	{ "poll", ENOMEM },
	{ "ppoll", ENOMEM },
	{ "sendto", ENOBUFS },
	{ "sendmsg", ENOBUFS },
	{ "recvfrom", ENOMEM },
	{ "recvmsg", ENOMEM },
	{ "bind", EACCES },
	{ "connect", EACCES },
	{ "mmap", ENOMEM },
	{ "mremap", ENOMEM },
	{ "mprotect", ENOMEM },
	{ "madvise", EAGAIN },
	{ "write", ENOSPC },
	{ "pwrite64", ENOSPC },
	{ "writev", ENOSPC },
	{ "ioctl", EPERM },
};

static inline int errno_for(const char *name)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (strcmp(errnos[i].name, name) == 0)
			return errnos[i].code;
	return EIO;
}

#endif
