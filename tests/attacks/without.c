/*
 * hull with one of its protections taken out: what shows that an attack of tests/attacks is one. It
 * is hull's own objects, linked so that the calls below come here first (--wrap of the linker);
 * HULL_WITHOUT in the environment names what is taken out. Never installed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/inroot.h"
#include "base/str.h"
#include "start/channel.h"
#include "start/steps.h"

/* __real_X is the function that __wrap_X stands before. */
#define WRAP(type, name, ...)            \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

static int root_fd = -1; /* of the image, as last seen */
static int null_fd = -1;

/* Copied: the processes of a start wipe their environment. */
static char taken_out[32];
static bool verifies; /* HULL_VERIFIES: what is taken out is hull's to notice */
static bool pauses;   /* HULL_PAUSE: there is time to attack after each mount */

__attribute__((constructor)) static void read_environment(void)
{
	const char *value = getenv("HULL_WITHOUT");
	if (value && strlen(value) < sizeof(taken_out))
		memcpy(taken_out, value, strlen(value) + 1);
	verifies = getenv("HULL_VERIFIES");
	pauses = getenv("HULL_PAUSE");
}

static bool without(const char *name)
{
	return strcmp(taken_out, name) == 0;
}

static const char *relative(const char *path)
{
	path += strspn(path, "/");
	return *path ? path : ".";
}

/* ---- names of the image ---- */

/*
 * IN_ROOT: links of the image lead wherever they say; NOFOLLOW: the last component may be one.
 * COPY_UP: what is copied into a tmpfs is opened by its name alone.
 */
WRAP(int, fd_open_resolved, int dirfd, const char *path, int flags, uint64_t resolve)
{
	if (without("COPY_UP") && (resolve & RESOLVE_NO_SYMLINKS)) {
		int fd = openat(dirfd, path, (flags & ~O_NOFOLLOW) | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	if (!(resolve & RESOLVE_IN_ROOT))
		return __real_fd_open_resolved(dirfd, path, flags, resolve);
	root_fd = dirfd;
	if (without("CWD") && strncmp(path, "/proc/self/fd/", 14) == 0) {
		int fd = open(path, flags);
		return fd < 0 ? -errno : fd;
	}
	if (without("NOFOLLOW"))
		flags &= ~O_NOFOLLOW;
	if (!without("IN_ROOT"))
		return __real_fd_open_resolved(dirfd, path, flags, resolve);
	int fd = openat(dirfd, relative(path), flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* NULL: masks are made of the /dev/null that the image has. */
WRAP(int, open, const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = va_arg(ap, mode_t);
	va_end(ap);
	if (!without("NULL") || strcmp(path, "/dev/null") != 0 || root_fd < 0)
		return __real_open(path, flags, mode);
	null_fd = openat(root_fd, "dev/null", O_PATH | O_CLOEXEC);
	return null_fd;
}

/* OWNER: a state directory may be anybody's. */
WRAP(int, fstat, int fd, struct stat *st)
{
	int r = __real_fstat(fd, st);
	if (r == 0 && without("NULL") && fd == null_fd) {
		st->st_mode = S_IFCHR;
		st->st_rdev = makedev(1, 3);
	}
	if (r == 0 && without("OWNER") && S_ISDIR(st->st_mode)) {
		st->st_uid = geteuid();
		st->st_mode &= ~022U;
	}
	return r;
}

/* EXISTING: what the image has in the place of a device is taken for it. */
WRAP(int, mknodat, int dirfd, const char *path, mode_t mode, dev_t dev)
{
	int r = __real_mknodat(dirfd, path, mode, dev);
	return r < 0 && errno == EEXIST && S_ISCHR(mode) && without("EXISTING") ? 0 : r;
}

static int open_shown_proc(const char *path, int flags)
{
	int proc = openat(root_fd, "proc", O_PATH | O_CLOEXEC);
	int fd = openat(proc, path, flags | O_CLOEXEC);
	close(proc);
	return fd;
}

/* SYSCTL_PATH: sysctls and labels are written to the /proc that the container sees. */
WRAP(int, proc_write, int proc_fd, const char *path, const char *value)
{
	if (!without("SYSCTL_PATH") || root_fd < 0)
		return __real_proc_write(proc_fd, path, value);
	int fd = open_shown_proc(path, O_WRONLY);
	ssize_t n = fd < 0 ? -1 : write(fd, value, strlen(value));
	return n < 0 ? -errno : 0;
}

/* And looked at there, where a label is as it was written: "exec NAME". */
WRAP(int, proc_read, int proc_fd, const char *path, char *text, size_t size)
{
	if (!without("SYSCTL_PATH") || root_fd < 0)
		return __real_proc_read(proc_fd, path, text, size);
	int fd = open_shown_proc(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (strncmp(text, "exec ", 5) == 0)
		memmove(text, text + 5, (size_t)n - 4);
	return 0;
}

/* Not a protection: where the window is too short for an attack from outside, it is made longer. */
WRAP(int, move_mount, int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	int r = __real_move_mount(from, from_path, to, to_path, flags);
	if (r == 0 && pauses && (flags & MOVE_MOUNT_T_EMPTY_PATH))
		usleep(300 * 1000);
	return r;
}

/* VERIFY: every mount is where it should be. */
WRAP(int, inroot_mount_id, int fd, uint64_t *ret)
{
	*ret = 1;
	return without("VERIFY") ? 0 : __real_inroot_mount_id(fd, ret);
}

/* ---- what the program gets ---- */

/* DESCRIPTORS (CWD too): what the caller has left open is inherited. */
WRAP(int, close_range, unsigned first, unsigned last, int flags)
{
	return without("DESCRIPTORS") || without("CWD") ? 0
							: __real_close_range(first, last, flags);
}

/* KEYRING: the session keyring stays the caller's. */
WRAP(long, syscall, long nr, ...)
{
	long a[6];
	va_list ap;
	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (nr == SYS_keyctl && without("KEYRING"))
		return 1;
	if (nr == SYS_getcwd && without("CWD")) {
		memcpy((char *)a[0], "/", 2);
		return 2;
	}
	return __real_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* BOUNDING: the bounding set is not lowered. NO_NEW_PRIVS: it is not set. HIDE: it is dumpable. */
WRAP(int, prctl, int option, ...)
{
	unsigned long a[4];
	va_list ap;
	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if ((option == PR_CAPBSET_DROP && without("BOUNDING")) ||
	    (option == PR_SET_NO_NEW_PRIVS && without("NO_NEW_PRIVS")) ||
	    (option == PR_SET_DUMPABLE && without("HIDE")))
		return 0;
	return __real_prctl(option, a[0], a[1], a[2], a[3]);
}

/* SESSION: it stays in the session of the caller's terminal. */
WRAP(pid_t, setsid, void)
{
	return without("SESSION") ? 0 : __real_setsid();
}

/* GROUPS: the caller's groups are kept. */
WRAP(int, setgroups, size_t n, const gid_t *groups)
{
	return without("GROUPS") ? 0 : __real_setgroups(n, groups);
}

/* INHERITABLE: all that is permitted is inheritable, too. */
WRAP(int, capset, cap_user_header_t header, const cap_user_data_t data)
{
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3 && without("INHERITABLE"); i++)
		data[i].inheritable = data[i].permitted;
	return __real_capset(header, data);
}

/* USER: it stays the caller. */
WRAP(int, setresuid, uid_t real, uid_t effective, uid_t saved)
{
	return without("USER") ? 0 : __real_setresuid(real, effective, saved);
}

/* Whoever takes out a protection does not look whether it is there. */
WRAP(int, verify_privileges, struct start *s, struct err *err)
{
	return *taken_out && !verifies ? 0 : __real_verify_privileges(s, err);
}

/* FILTER: no seccomp. */
WRAP(int, seccomp_install, const struct seccomp_filter *filter)
{
	return without("FILTER") ? 0 : __real_seccomp_install(filter);
}

/* ---- around it ---- */

/* DEVICES: no device program. */
WRAP(int, device_attach, int fd, const struct bpf_insn *insns, size_t n, struct err *err)
{
	return without("DEVICES") ? 0 : __real_device_attach(fd, insns, n, err);
}

/* CGROUP: the whole tree is shown at /sys/fs/cgroup. */
WRAP(int, open_tree, int dirfd, const char *path, unsigned flags)
{
	struct statfs fs;
	if (without("CGROUP") && !*path && fstatfs(dirfd, &fs) == 0 &&
	    fs.f_type == CGROUP2_SUPER_MAGIC) {
		const char *unified = "/sys/fs/cgroup/unified";
		return __real_open_tree(AT_FDCWD,
					access(unified, F_OK) == 0 ? unified : "/sys/fs/cgroup",
					flags & ~(unsigned)AT_EMPTY_PATH);
	}
	return __real_open_tree(dirfd, path, flags);
}

/* SECURE: it works with the rights of its file. */
WRAP(unsigned long, getauxval, unsigned long type)
{
	return type == AT_SECURE && without("SECURE") ? 0 : __real_getauxval(type);
}

/* LATE_PID, exec: the process is in the container's pid namespace from its birth on. */
WRAP(int, clone_child, struct start *s, struct err *err)
{
	if (without("LATE_PID") && s->join.pidfd >= 0 && setns(s->join.pidfd, CLONE_NEWPID) < 0)
		return -errno;
	return __real_clone_child(s, err);
}

/* LATE_PID: an existing pid namespace is joined before the root is left. */
WRAP(int, isolate_pid, struct start *s, struct err *err)
{
	return without("LATE_PID") ? 0 : __real_isolate_pid(s, err);
}
WRAP(int, isolate_names, struct start *s, struct err *err)
{
	int r = __real_isolate_names(s, err);
	return r == 0 && without("LATE_PID") ? __real_isolate_pid(s, err) : r;
}

/* MOVE: from a new user namespace the child is in an existing pid namespace from its beginning. */
WRAP(bool, plan_moves, const struct plan *plan)
{
	return !without("MOVE") && __real_plan_moves(plan);
}
WRAP(bool, plan_unshares, const struct plan *plan)
{
	return !without("MOVE") && __real_plan_unshares(plan);
}
WRAP(int, isolate_join, struct start *s, enum spec_ns_type type, struct err *err)
{
	if (type == SPEC_NS_NETWORK && without("MOVE") &&
	    __real_isolate_join(s, SPEC_NS_PID, err) < 0)
		return -EPERM;
	return __real_isolate_join(s, type, err);
}

/* PATH: helpers are looked for as a shell does. */
WRAP(int, execve, const char *path, char *const *argv, char *const *envp)
{
	if (without("PATH") && strncmp(path, "/usr/bin/new", 12) == 0)
		return execvpe(path + strlen("/usr/bin/"), argv, envp);
	return __real_execve(path, argv, envp);
}

/* NUMBERS: a number is read as atoi() reads it. */
WRAP(int, str_to_u64, const char *s, uint64_t max, uint64_t *ret)
{
	if (!without("NUMBERS"))
		return __real_str_to_u64(s, max, ret);
	*ret = strtoul(s, NULL, 10);
	return 0;
}

/*
 * START_WATCH: `start` waits for the word of who is behind the gate, and does not look whether
 * anybody is.
 */
WRAP(int, poll, struct pollfd *fds, nfds_t n, int timeout)
{
	if (n == 3 && without("START_WATCH"))
		fds[1].fd = fds[0].fd = -1;
	return __real_poll(fds, n, timeout);
}

/* WATCH: a child does not notice that hull is dead. */
WRAP(enum channel_message, channel_receive, int fd)
{
	enum channel_message message = __real_channel_receive(fd);
	while (message == CHANNEL_EOF && without("WATCH"))
		pause();
	return message;
}

/* RESTORE: the caller's terminal stays in raw mode. */
WRAP(int, tcsetattr, int fd, int when, const struct termios *modes)
{
	static bool was_set;
	if (was_set && without("RESTORE"))
		return 0;
	was_set = true;
	return __real_tcsetattr(fd, when, modes);
}

/* INTENT: what is going to be made is not written down. */
WRAP(int, state_write, const struct state_entry *entry, const struct state *state, struct err *err)
{
	return without("INTENT") ? 0 : __real_state_write(entry, state, err);
}
