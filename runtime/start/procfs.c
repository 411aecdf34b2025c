/*
 * Child, stage 4: a procfs shows the pid namespace of the process that has opened it, its own one
 * and not the one for its children. In a new pid namespace that is the container's. With a joined
 * one the child is still in the host's, and would mount a /proc with all processes of the host.
 *
 * Since Linux 6.17 it can be told. Before, a process has to go there and open it, among processes
 * that may be able to trace it. So it gets nothing that is worth it: a first helper, still
 * in the host's pid namespace, gives away the page and all descriptors and leaves the host's
 * mounts; the second one, in the joined namespace, has a user namespace of its own, with rights
 * over nothing but its empty mount namespace, and sends what it has opened.
 *
 * A child whose own children are in the joined namespace from the beginning (plan_unshares) could
 * have no such first helper. It has no right to mount this /proc either, and the plan refuses it.
 */
#include "start/procfs.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "start/steps.h"
#include "start/sys.h"

#define PROCFS_WAIT_MS 10000 /* somebody may stop the second helper */

static int open_here(void)
{
	int fd = fsopen("proc", FSOPEN_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* ---- Linux 6.17 ---- */

static int open_for(int pid_ns_fd)
{
	int fd = open_here();
	if (fd < 0 || fsconfig(fd, FSCONFIG_SET_FD, "pidns", NULL, pid_ns_fd) == 0)
		return fd;
	int code = errno;
	close(fd);
	return -code;
}

/* ---- over a socket: one descriptor, or an errno ---- */

static _Noreturn void give_up(int sock, int code)
{
	char byte = (char)code;
	(void)!send(sock, &byte, sizeof(byte), MSG_NOSIGNAL);
	_exit(1);
}

/* Waits until it comes, or until nobody is left to send it. */
static int receive_fd(int sock)
{
	char byte;
	int fd;
	if (channel_receive_byte(sock, &byte, &fd) < 0)
		return -ECHILD;
	if (byte > 0)
		return -byte;
	if (fd < 0)
		return -EPROTO;
	return fd;
}

/* ---- the helpers ---- */

/* Into a mount namespace with an empty tmpfs and nothing else. */
static int leave_mounts(void)
{
	struct mount_attr private = { .propagation = MS_PRIVATE };

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof(private)) < 0)
		return -errno;
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	_cleanup_close_ int root = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	if (root < 0 || move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
	    fchdir(root) < 0 || sys_pivot_root(".", ".") < 0)
		return -errno;
	return pivot_detach_old_root(root, NULL);
}

static _Noreturn void second_helper(int sock)
{
	int fd = open_here();
	int r = fd < 0 ? fd : channel_send_text(sock, "", 1, fd);
	if (r < 0)
		give_up(sock, -r);
	_exit(0);
}

static int leave_host(struct start *s, int sock, int pid_ns_fd)
{
	if (munmap(s->channel.page, sizeof(*s->channel.page)) < 0)
		return -errno;
	int r = descriptors_close_all_but(sock, pid_ns_fd);
	if (r == 0)
		r = leave_mounts();
	if (r == 0 && (setns(pid_ns_fd, CLONE_NEWPID) < 0 || close(pid_ns_fd) < 0))
		r = -errno;
	return r;
}

/*
 * A killed one may still be held by a tracer, who alone decides when it is reaped. It is left to
 * whoever inherits it then.
 */
static void end_helper(int pidfd)
{
	if (pidfd_wait(pidfd, PROCFS_WAIT_MS))
		(void)pidfd_reap(pidfd);
	else
		(void)pidfd_end(pidfd, PROCFS_WAIT_MS);
}

static _Noreturn void first_helper(struct start *s, int sock, int pid_ns_fd)
{
	int pidfd = -EBADF;
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
	};
	int r = leave_host(s, sock, pid_ns_fd);
	if (r < 0)
		give_up(sock, -r);
	long pid = sys_clone3(&args);
	if (pid == 0)
		second_helper(sock);
	if (pid < 0)
		give_up(sock, errno);
	end_helper(pidfd);
	_exit(0);
}

static int open_by_helper(struct start *s, int pid_ns_fd)
{
	int pidfd = -EBADF, pair[2];
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
	};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	long pid = sys_clone3(&args);
	if (pid == 0)
		first_helper(s, pair[1], pid_ns_fd);
	int r = pid < 0 ? -errno : 0;
	close(pair[1]);
	struct pollfd answer = { .fd = pair[0], .events = POLLIN };
	if (r == 0)
		r = poll(&answer, 1, 2 * PROCFS_WAIT_MS) == 1 ? receive_fd(pair[0]) : -ETIMEDOUT;
	close(pair[0]);
	if (pid > 0) { /* without one the kernel may have written a number there all the same */
		end_helper(pidfd);
		fd_close(&pidfd);
	}
	return r;
}

int procfs_open(struct start *s)
{
	const struct plan_namespaces *ns = &s->plan->ns;

	for (unsigned i = 0; plan_moves(s->plan) && i < ns->join_n; i++) {
		if (ns->join[i].type != SPEC_NS_PID)
			continue;
		int fd = open_for(s->join_fds[i]);
		return fd == -EINVAL ? open_by_helper(s, s->join_fds[i]) : fd;
	}
	return open_here();
}
