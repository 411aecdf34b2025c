/*
 * Id-mapped mounts (mount_setattr(2), MOUNT_ATTR_IDMAP): in the parent the mounts for which
 * config.json wants it (S-084, S-089), in the stage the layers of a container with a user
 * namespace. The kernel takes the map from a user namespace, and the container's does not exist
 * yet: a helper is made in one with the same maps. It waits for the end of a pipe, which comes even
 * when its maker is killed. The trees are still detached: nobody has seen them with other ids.
 */
#include "start/shift.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "plan/parts.h"
#include "start/proc.h"
#include "start/sys.h"
#include "start/tolerate.h"

#define SHIFT_WAIT_MS 10000 /* for the helper */

/* ---- a user namespace with these maps ---- */

/* The helper: gives its namespace to hull, and is there until hull needs it no more, or is dead. */
static _Noreturn void hold(int sock, pid_t hull)
{
	char byte = 0;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != hull)
		_exit(1);
	int fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || channel_send_text(sock, &byte, 1, fd) < 0)
		_exit(1);
	(void)!read(sock, &byte, 1);
	_exit(0);
}

static int write_maps(const struct plan_id_map *uids, const struct plan_id_map *gids, int proc_fd,
		      long pid)
{
	char path[64];
	snprintf(path, sizeof(path), "%ld/gid_map", pid);
	int r = proc_write(proc_fd, path, gids->text);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%ld/uid_map", pid);
	return proc_write(proc_fd, path, uids->text);
}

static int take_namespace(int sock, int *ret_fd)
{
	struct pollfd answer = { .fd = sock, .events = POLLIN };
	char byte;

	if (poll(&answer, 1, SHIFT_WAIT_MS) != 1)
		return -ETIMEDOUT;
	int r = channel_receive_byte(sock, &byte, ret_fd);
	return r < 0 ? r : *ret_fd < 0 ? -ECANCELED : 0;
}

/* The helper does not have the other end: that is closed when hull is dead. */
static int make_by_helper(const struct plan_id_map *uids, const struct plan_id_map *gids,
			  int proc_fd, int *ret_fd)
{
	int pidfd = -EBADF, pair[2];
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
	};
	const pid_t hull = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	long pid = sys_clone3(&args);
	if (pid == 0) {
		close(pair[0]);
		hold(pair[1], hull);
	}
	int r = pid < 0 ? -errno : 0;
	close(pair[1]);
	if (r == 0)
		r = take_namespace(pair[0], ret_fd);
	if (r == 0)
		r = write_maps(uids, gids, proc_fd, pid);
	close(pair[0]);
	if (pid > 0) { /* without one the kernel may have written a number there all the same */
		(void)pidfd_end(pidfd, SHIFT_WAIT_MS);
		fd_close(&pidfd);
	}
	return r;
}

static int make_namespace(const struct plan_id_map *uids, const struct plan_id_map *gids,
			  int *ret_fd, struct err *err)
{
	_cleanup_close_ int proc_fd = -EBADF, fd = -EBADF;

	int r = proc_check_own(err); /* or it would be another process's namespace */
	if (r == 0)
		r = proc_open_plain(&proc_fd, err);
	if (r < 0)
		return r;
	r = make_by_helper(uids, gids, proc_fd, &fd);
	if (r < 0)
		return err_sys(err, -r, "cannot make a user namespace for id-mapped mounts");
	*ret_fd = fd_take(&fd);
	return 0;
}

/* ---- layers ---- */

/* Is it the host's id of somebody in the container? Then there is nothing to be shifted. */
static bool is_of_container(const struct plan_id_map *map, uid_t id)
{
	for (size_t i = 0; i < map->lines->n; i++) {
		const struct spec_id_mapping *m = &map->lines->v[i];
		if (id >= m->host_id.v && id - m->host_id.v < m->size.v)
			return true;
	}
	return false;
}

static int set_map(const struct start *s, int tree, const char *path, struct err *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)s->shift_fd,
	};
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		return 0;
	if (tolerate(s, TOLERATE_IDMAP, errno))
		return -EOPNOTSUPP;
	return err_sys(err, errno, "cannot map the ids of the layer '%s'", path);
}

static int attach(struct start *s, int tree, const char *path, struct err *err)
{
	char name[32];
	snprintf(name, sizeof(name), "layer%zu", s->shifted_n++);
	if (mkdirat(s->stage_fd, name, 0755) < 0 ||
	    move_mount(tree, "", s->stage_fd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot attach the layer '%s'", path);
	return 0;
}

int shift_clone(struct start *s, const char *path, struct err *err)
{
	const struct plan_user *user = &s->plan->user;
	struct stat st;

	if (user->trees != PLAN_TREES_STAGE || user->uids.lines->n == 0)
		return -EALREADY;
	_cleanup_close_ int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || fstat(tree, &st) < 0)
		return err_sys(err, errno, "cannot open the layer '%s'", path);
	if (is_of_container(&user->uids, st.st_uid))
		return -EALREADY;
	int r = s->shift_fd < 0 ? make_namespace(&user->uids, &user->gids, &s->shift_fd, err) : 0;
	if (r == 0)
		r = set_map(s, tree, path, err);
	if (r == 0)
		r = attach(s, tree, path, err);
	return r < 0 ? r : fd_take(&tree);
}

/* ---- mounts of config.json ---- */

static int joined_fd(const struct start *s)
{
	for (unsigned i = 0; i < s->plan->ns.join_n; i++)
		if (s->plan->ns.join[i].type == SPEC_NS_USER)
			return s->join_fds[i];
	return -EBADF;
}

static int find_namespace(struct start *s, const struct plan_shift *shift, int *ret_fd,
			  struct err *err)
{
	int *fd = &s->map_fds[shift - s->plan->shifts];
	int r = 0;
	if (shift->is_joined) {
		*ret_fd = joined_fd(s);
		return 0;
	}
	if (*fd < 0)
		r = make_namespace(&shift->uids, &shift->gids, fd, err);
	*ret_fd = *fd;
	return r;
}

static const struct {
	int code;
	const char *hint;
} hints[] = {
	{ EINVAL, "its file system, or with ridmap one that is mounted below it, cannot map ids on "
		  "this kernel" },
	{ EPERM, "its ids are mapped already, or its file system belongs to another user "
		 "namespace" },
};

static int shift_failed(const struct plan_mount *m, int code, struct err *err)
{
	err_sys(err, code, "cannot map the ids of '%s' for '%s'", m->source, m->destination);
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (hints[i].code == code)
			err_hint(err, "%s", hints[i].hint);
	err_at(err, m->shift_at);
	return -code;
}

int shift_mount(struct start *s, const struct plan_mount *m, int tree, struct err *err)
{
	int fd = -EBADF;
	if (!m->shift)
		return 0;
	int r = find_namespace(s, m->shift, &fd, err);
	if (r < 0) {
		err_at(err, m->shift_at);
		return r;
	}
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)fd };
	unsigned flags = AT_EMPTY_PATH | (m->shift_recursive ? AT_RECURSIVE : 0);
	if (mount_setattr(tree, "", flags, &attr, sizeof(attr)) < 0)
		return shift_failed(m, errno, err);
	return 0;
}

void shift_close(struct start *s)
{
	for (size_t i = 0; i < s->plan->shifts_n; i++)
		fd_close(&s->map_fds[i]);
}
