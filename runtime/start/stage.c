/*
 * The stage, between hull and a container with a user namespace. It has the caller's rights, and
 * where they are privileged a mount namespace of the caller's user namespace. There the root and
 * all sources of binds are attached: the container's mount namespace becomes a copy with less
 * privilege, in which the kernel locks the flags that the mounts have by then. (A tree that is
 * attached inside straight from its detached clone has none locked, and what is read-only on the
 * host could be remounted writable.) Devices are made here too: below the first user namespace
 * nobody can. Then existing namespaces are joined, as only the caller may, and last the user
 * namespace that was made ahead (ahead_user.c); and the container's process is made, as a child of
 * hull.
 *
 * Should: hide itself before it joins anything.
 * Must not: mount anything that the host can see; outlive hull.
 */
#include "start/stage.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "plan/parts.h"
#include "start/steps.h"
#include "start/sys.h"

#define STAGE_NAME_SIZE 32
#define STAGE_END_MS    10000 /* for the kernel to put its mounts away */

/* "mount3" and "device0": places on the stage's tmpfs. */
static const char *place_name(char *buf, const char *what, size_t index)
{
	snprintf(buf, STAGE_NAME_SIZE, "%s%zu", what, index);
	return buf;
}

/* ---- stage: the trees ---- */

/* The state directory as the stage's mount namespace shows it, for the one in hull's own. */
static int open_base(const struct start *s, struct err *err)
{
	struct stat mine, named;
	_cleanup_close_ int store = open(s->store->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (store < 0)
		return err_sys(err, errno, "cannot open the state directory '%s'", s->store->path);
	_cleanup_close_ int fd = openat(store, s->plan->id,
					O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &named) < 0 || fstat(s->entry.fd, &mine) < 0)
		return err_sys(err, errno, "cannot open the state of '%s'", s->plan->id);
	if (mine.st_ino != named.st_ino || mine.st_dev != named.st_dev)
		return err_say(err, ERR_BUSY, ESTALE, "the state of '%s' was exchanged",
			       s->plan->id);
	return fd_take(&fd);
}

/*
 * A tmpfs, mounted over the state directory, where nobody looks for anything. It becomes the
 * working directory, and so the child's: its way to the copies in its own mount namespace.
 */
static int mount_stage(struct start *s, struct err *err)
{
	_cleanup_close_ int base = open_base(s, err);
	if (base < 0)
		return base;
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, errno, "cannot make a tmpfs for the container's mounts");
	s->stage_fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (s->stage_fd < 0 ||
	    move_mount(s->stage_fd, "", base, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ||
	    fchdir(s->stage_fd) < 0)
		return err_sys(err, errno, "cannot mount a tmpfs for the container's mounts");
	return 0;
}

static int attach(const struct start *s, int tree, const char *name, struct err *err)
{
	struct stat st;
	int r = fstat(tree, &st);
	if (r == 0)
		r = S_ISDIR(st.st_mode) ? mkdirat(s->stage_fd, name, 0755)
					: mknodat(s->stage_fd, name, S_IFREG | 0644, 0);
	if (r == 0)
		r = move_mount(tree, "", s->stage_fd, name, MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? err_sys(err, errno, "cannot attach the source of a mount") : 0;
}

static int attach_trees(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;
	char name[STAGE_NAME_SIZE];

	int r = plan->root.kind == PLAN_ROOT_OVERLAY ? rootfs_stage_overlay(s, err)
						     : attach(s, s->root_fd, "root", err);
	for (size_t i = 0; r == 0 && i < plan->mounts_n; i++) {
		if (s->mount_fds[i] < 0)
			continue;
		r = attach(s, s->mount_fds[i], place_name(name, "mount", i), err);
		if (r < 0)
			err_at(err, plan->mounts[i].at);
	}
	return r;
}

static int make_device(const struct start *s, size_t index, struct err *err)
{
	const struct plan_device *d = &s->plan->devices[index];
	const struct plan_user *user = &s->plan->user;
	char name[STAGE_NAME_SIZE];
	uint32_t uid = 0, gid = 0;

	place_name(name, "device", index);
	if (mknodat(s->stage_fd, name, d->mode, d->rdev) < 0)
		return err_sys(err, errno, "cannot make the device '%s'", d->path);
	/* A joined namespace whose maps config.json does not have: the caller stays the owner. */
	if (!plan_id_is_mapped(&user->uids, d->uid, &uid) ||
	    !plan_id_is_mapped(&user->gids, d->gid, &gid))
		return 0;
	if (fchownat(s->stage_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot give the device '%s' its owner", d->path);
	return 0;
}

static int build(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;
	mode_t caller_umask = umask(0);

	int r = rootfs_cut_propagation(err);
	if (r == 0)
		r = mount_stage(s, err);
	if (r == 0)
		r = attach_trees(s, err);
	for (size_t i = 0; r == 0 && i < plan->devices_n; i++) {
		if (plan->devices[i].how != PLAN_DEVICE_STAGED)
			continue;
		r = make_device(s, i, err);
		if (r < 0)
			err_at(err, plan->devices[i].at);
	}
	umask(caller_umask);
	return r;
}

/* ---- stage: the namespaces ---- */

/*
 * The caller's rights end in the joined user namespace, and begin there for those who have none
 * outside. A mount namespace comes after all that is not in it, and a pid namespace is the child's
 * to join (isolate.c).
 */
static int join_namespaces(struct start *s, struct err *err)
{
	static const enum spec_ns_type privileged[] = {
		SPEC_NS_NETWORK, SPEC_NS_IPC,   SPEC_NS_UTS,  SPEC_NS_CGROUP,
		SPEC_NS_TIME,    SPEC_NS_MOUNT, SPEC_NS_USER,
	};
	static const enum spec_ns_type unprivileged[] = {
		SPEC_NS_USER,   SPEC_NS_NETWORK, SPEC_NS_IPC,   SPEC_NS_UTS,
		SPEC_NS_CGROUP, SPEC_NS_TIME,    SPEC_NS_MOUNT,
	};
	const enum spec_ns_type *order = s->plan->user.is_privileged ? privileged : unprivileged;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(privileged); i++)
		r = isolate_join(s, order[i], err);
	return r;
}

/* ---- stage: all of it ---- */

static int run(struct start *s, const struct clone_args *child, struct err *err)
{
	struct channel_page *page = s->channel.page;
	struct clone_args args = *child;

	/* Later the file is not the caller's any more: the process hides, or changes its rights. */
	int r = isolate_oom_score(s, err);
	if (r == 0)
		r = isolate_hide(err);
	isolate_wipe_arguments();
	if (r == 0 && s->plan->user.trees == PLAN_TREES_STAGE)
		r = build(s, err);
	fd_close(&s->entry.fd); /* it holds the state's lock */
	if (r == 0)
		r = join_namespaces(s, err);
	if (r == 0)
		r = ahead_join_user(s, err); /* the caller's rights end here */
	if (r < 0)
		return r;
	/* Its number is in the page before it runs, and before a signal can end the stage. */
	args.flags |= CLONE_PARENT | CLONE_PARENT_SETTID;
	args.parent_tid = (uint64_t)(uintptr_t)&page->staged_pid;
	args.exit_signal = 0; /* as the stage's: SIGCHLD */
	_cleanup_close_ int pidfd = -EBADF;
	long pid = born_clone(s, &args, &pidfd);
	if (pid == 0)
		child_main(s);
	if (pid < 0)
		return clone_failed(s, errno, err);
	atomic_store(&page->is_staged, true);
	return 0;
}

static _Noreturn void stage_main(struct start *s, const struct clone_args *child, pid_t hull)
{
	struct err *err = &s->channel.page->err;
	int r = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0
			? err_sys(err, errno, "cannot ask to die with hull")
			: 0;
	if (getppid() != hull) /* it was faster */
		_exit(1);
	if (r == 0)
		r = run(s, child, err);
	if (r < 0 && !err->step[0])
		err_step(err, "stage");
	_exit(r < 0);
}

/* ---- parent ---- */

/* The stage has done what it could. Its child, if there is one, is ours and nobody else's. */
static int follow(struct start *s, struct err *err)
{
	s->pid = channel_staged(&s->channel);
	s->pidfd = s->pid > 0 ? pidfd_open(s->pid, 0) : -EBADF;
	if (s->pid > 0 && s->pidfd < 0)
		return err_sys(err, errno, "cannot follow the container's process");
	if (atomic_load(&s->channel.page->is_staged) && s->pid > 0)
		return 0;
	if (channel_error(&s->channel, err))
		return -err->code;
	return err_say(err, ERR_HOST, ECANCELED, "the process that prepares the start was killed");
}

int stage_clone(struct start *s, const struct clone_args *child, struct err *err)
{
	int pidfd = -EBADF;
	struct clone_args args = {
		/* VFORK: the kernel lets hull go on when the stage has nothing more to say. Not VM,
		 * which would save a thirtieth of a start: the child would live on the stage's
		 * small stack, and its code counts on hull's (copyup.c, park.c, init.c). */
		.flags = CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND |
			 (s->plan->user.trees == PLAN_TREES_STAGE ? CLONE_NEWNS : 0),
		.exit_signal = SIGCHLD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
	};
	pid_t hull = getpid();
	long pid = sys_clone3(&args);
	if (pid < 0)
		return clone_failed(s, errno, err);
	if (pid == 0)
		stage_main(s, child, hull);
	s->stage_pidfd = pidfd;
	/* When all went well it need not be gone: that the kernel takes down its mount namespace
	 * lasts as long as building the container does, and can happen beside it. */
	if (!atomic_load(&s->channel.page->is_staged) &&
	    waitid(P_PIDFD, (id_t)pidfd, &(siginfo_t) { 0 }, WEXITED) < 0) {
		int r = err_sys(err, errno, "cannot wait for the process that prepares the start");
		s->pid = channel_staged(&s->channel); /* for finish() to end it */
		return r;
	}
	return follow(s, err);
}

/* The loop that reaps (supervise.c) may have met it already. */
void stage_end(struct start *s)
{
	if (pidfd_wait(s->stage_pidfd, STAGE_END_MS))
		(void)pidfd_reap(s->stage_pidfd);
	fd_close(&s->stage_pidfd);
}

/* ---- child ---- */

static int take(const struct start *s, const char *name)
{
	int fd = open_tree(s->stage_fd, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return fd < 0 ? -errno : fd;
}

/* A copy into a user namespace of less privilege has made slaves of what was shared. */
static int share_again(const struct plan_mount *m, int tree)
{
	struct mount_attr attr = { .propagation = MS_SHARED };
	if (m->propagation != MS_SHARED)
		return 0;
	return mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0
		       ? -errno
		       : 0;
}

int stage_take_trees(struct start *s, struct err *err)
{
	const struct plan *plan = s->plan;
	char name[STAGE_NAME_SIZE];

	/* The descriptors that came along are of the stage's mount namespace. */
	fd_close(&s->stage_fd);
	s->stage_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->stage_fd < 0 || chdir("/") < 0)
		return err_sys(err, errno, "cannot find the prepared mounts");
	fd_close(&s->root_fd);
	s->root_fd = take(s, "root");
	if (s->root_fd < 0)
		return err_sys(err, -s->root_fd, "cannot take the prepared root filesystem");
	for (size_t i = 0; i < plan->mounts_n; i++) {
		if (s->mount_fds[i] < 0)
			continue;
		fd_close(&s->mount_fds[i]);
		s->mount_fds[i] = take(s, place_name(name, "mount", i));
		int r = s->mount_fds[i];
		if (r >= 0)
			r = share_again(&plan->mounts[i], s->mount_fds[i]);
		if (r < 0) {
			err_sys(err, -r, "cannot take the prepared mount for '%s'",
				plan->mounts[i].destination);
			err_at(err, plan->mounts[i].at);
			return r;
		}
	}
	return 0;
}

int stage_take_device(const struct start *s, size_t index)
{
	char name[STAGE_NAME_SIZE];
	return take(s, place_name(name, "device", index));
}
