/*
 * Child, stage 4, and once more before privileges are dropped: the program's terminal (S-093,
 * S-139).
 *
 * It comes from the container's own devpts, is known to this process only as descriptors, and is
 * bound over /dev/console by its descriptor: no name of the image decides which device the program
 * gets, and none of the host's is touched.
 * Should: hand the other side to the parent, and keep no copy of it.
 * Must not: open anything in the image that is not proven to be the multiplexer of a devpts.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "start/tolerate.h"

/* In a devpts, "ptmx" can be nothing else; but something may be mounted over either. */
static int open_multiplexer(const struct start *s, struct err *err)
{
	const char *devpts = s->plan->terminal.devpts;
	struct statfs fs;
	struct stat st;

	_cleanup_close_ int dir = inroot_open(s->root_fd, devpts, O_PATH | O_DIRECTORY, err);
	if (dir < 0)
		return dir;
	if (fstatfs(dir, &fs) < 0)
		return err_sys(err, errno, "cannot examine '%s'", devpts);
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_say(err, ERR_CONFIG, ENODEV, "'%s' is not a devpts", devpts);
	_cleanup_close_ int fd = fd_open_resolved(dir, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW,
						  RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (fd < 0) {
		err_sys(err, -fd, "cannot make a terminal in '%s'", devpts);
		if (fd == -EACCES)
			err_hint(err, "the option ptmxmode=0666 of the devpts mount allows it");
		if (fd == -ENOSPC)
			err_hint(err, "the limit in /proc/sys/kernel/pty/max is reached");
		return fd;
	}
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		return err_say(err, ERR_CONFIG, ENODEV, "'%s/ptmx' is not a multiplexer", devpts);
	return fd_take(&fd);
}

/* The program's side, by descriptor: its name is only for those who look later. */
static int open_peer(int master, struct err *err)
{
	int unlocked = 0;
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return err_sys(err, errno, "cannot unlock the terminal");
	int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, errno, "cannot open the terminal") : fd;
}

static int set_size(const struct start *s, int peer, struct err *err)
{
	const struct plan_terminal *t = &s->plan->terminal;
	struct winsize size = { .ws_row = t->rows, .ws_col = t->columns };

	if (!t->size_at || ioctl(peer, TIOCSWINSZ, &size) == 0)
		return 0;
	int r = err_sys(err, errno, "cannot set the size of the terminal");
	err_at(err, t->size_at);
	return r;
}

/* The program's user owns it, so that it can open its own terminal again by name. */
static int set_owner(const struct start *s, int peer, struct err *err)
{
	uid_t uid = s->plan->process.uid;
	struct stat st;

	if (fstat(peer, &st) < 0)
		return err_sys(err, errno, "cannot examine the terminal");
	if (st.st_uid == uid || fchown(peer, uid, (gid_t)-1) == 0 ||
	    tolerate(s, TOLERATE_CONSOLE_OWNER, errno))
		return 0;
	return err_sys(err, errno, "cannot give the terminal to user %u", uid);
}

/* ---- /dev/console ---- */

static int open_existing_console(int dev_fd, struct err *err)
{
	struct stat st;
	_cleanup_close_ int fd = openat(dev_fd, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		err_sys(err, ENOENT, "cannot bind the terminal to '/dev/console'");
		err_hint(err, "/dev is a bind mount, in which hull makes nothing");
		return -ENOENT;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open '/dev/console'");
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)) {
		err_say(err, ERR_CONFIG, EEXIST, "'/dev/console' of the image is a %s",
			S_ISLNK(st.st_mode) ? "symbolic link" : "directory");
		err_hint(err, "remove it from the image, or mount a tmpfs on /dev");
		return -EEXIST;
	}
	return fd_take(&fd);
}

static int open_console(const struct start *s, struct err *err)
{
	_cleanup_close_ int dev_fd = dev_open(s, err);
	if (dev_fd < 0)
		return dev_fd;
	if (s->plan->terminal.console_must_exist)
		return open_existing_console(dev_fd, err);
	int fd = openat(dev_fd, "console",
			O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return open_existing_console(dev_fd, err);
	return fd < 0 ? err_sys(err, errno, "cannot make '/dev/console'") : fd;
}

static int bind_console(const struct start *s, int peer, struct err *err)
{
	_cleanup_close_ int target = open_console(s, err);
	if (target < 0)
		return target;
	_cleanup_close_ int tree = open_tree(peer, "",
					     AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 ||
	    move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot bind the terminal to '/dev/console'");
	return 0;
}

/* ---- the steps ---- */

int console_make(struct start *s, struct err *err)
{
	const struct plan_terminal *t = &s->plan->terminal;

	if (!t->is_wanted)
		return 0;
	_cleanup_close_ int master = open_multiplexer(s, err);
	int r = master < 0 ? master : 0;
	if (r == 0)
		r = s->console_fd = open_peer(master, err);
	if (r >= 0)
		r = set_size(s, s->console_fd, err);
	if (r == 0)
		r = set_owner(s, s->console_fd, err);
	if (r == 0 && t->is_console)
		r = bind_console(s, s->console_fd, err);
	if (r == 0) {
		r = channel_send_fd(s->channel.child_fd, CHANNEL_TERMINAL, master);
		if (r < 0)
			err_sys(err, -r, "cannot hand over the terminal");
	}
	if (r < 0 && !err->at)
		err_at(err, t->at);
	return r;
}

int console_control(struct start *s, struct err *err)
{
	if (!s->plan->terminal.is_wanted)
		return 0;
	if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		return err_sys(err, errno, "cannot take the terminal");
	return 0;
}

int console_take(struct start *s, struct err *err)
{
	if (!s->plan->terminal.is_wanted)
		return 0;
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(s->console_fd, fd) < 0)
			return err_sys(err, errno, "cannot make the terminal descriptor %d", fd);
	fd_close(&s->console_fd);
	/* Only the leader of a session can control it, which this process does not stay to be, or
	 * with --init must not be. */
	return plan_moves(s->plan) || (s->plan->flags & PLAN_INIT) ? 0 : console_control(s, err);
}
