/*
 * The floor: what a start of the benchmark's bundle costs when nothing is read, checked, recorded
 * or explained. It makes the same kernel objects as a runtime does for tests/bench/config.json
 * (namespaces, cgroup, mounts, devices, masks, pivot), executes the program, reaps it and removes
 * the cgroup. Everything is fixed here, so it is no runtime, and not safe: it trusts the image.
 * Runs as root; a test counts its system calls (at most 110) and compares its objects with hull's.
 *
 * floor ROOTFS CGROUP [-f FILTER] [-u HOSTID] [-o DIR] PROGRAM ARGUMENT...
 *   -f  a file with the filter's instructions
 *   -u  in a user namespace whose ids 0 to 65535 are HOSTID and above
 *   -o  on an overlay whose writable layer is a tmpfs, mounted on the empty directory DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SAFE          (MS_NOSUID | MS_NOEXEC | MS_NODEV)

struct floor {
	const char *rootfs;
	const char *cgroup;
	const char *filter;  /* a file with struct sock_filter, or NULL */
	const char *host_id; /* or NULL: no user namespace */
	const char *overlay; /* or NULL */
	int go[2];           /* a byte comes when the maps are written */
	char **program;
};

/* All names are relative: the current directory is the new root. */
static const struct {
	const char *type;
	const char *target;
	unsigned long flags;
	const char *data;
	mode_t mkdir; /* 0: the image has it */
} mounts[] = {
	{ "proc", "proc", SAFE, NULL, 0 },
	{ "tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=64k", 0 },
	{ "devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620", 0755 },
	{ "tmpfs", "dev/shm", SAFE, "mode=1777,size=16m", 0755 },
	{ "mqueue", "dev/mqueue", SAFE, NULL, 0755 },
	{ "sysfs", "sys", SAFE | MS_RDONLY, NULL, 0 },
	{ "cgroup2", "sys/fs/cgroup", SAFE | MS_RELATIME | MS_RDONLY, NULL, 0 },
};

static const struct {
	const char *name;
	unsigned major, minor;
} devices[] = {
	{ "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
	{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
};

static const struct {
	const char *target, *name;
} links[] = {
	{ "/proc/self/fd", "dev/fd" },       { "/proc/self/fd/0", "dev/stdin" },
	{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
	{ "pts/ptmx", "dev/ptmx" },
};

/* Files are covered by /dev/null, directories by an empty tmpfs; what is not there is skipped. */
static const char *const masked[] = {
	"proc/acpi",          "proc/asound",     "proc/kcore",       "proc/keys",
	"proc/latency_stats", "proc/timer_list", "proc/sched_debug", "sys/firmware",
};

static const char *const readonly[] = {
	"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
};

static _Noreturn void die(const char *what)
{
	perror(what);
	_exit(1);
}

static void must(long result, const char *what)
{
	if (result < 0)
		die(what);
}

static void mount_overlay(const struct floor *f)
{
	char options[512];

	must(mount("tmpfs", f->overlay, "tmpfs", 0, NULL), f->overlay);
	must(chdir(f->overlay), f->overlay);
	must(mkdir("upper", 0755), "upper");
	must(mkdir("work", 0755), "work");
	must(mkdir("root", 0755), "root");
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=upper,workdir=work", f->rootfs);
	must(mount("overlay", "root", "overlay", 0, options), "overlay");
	must(chdir("root"), "root");
}

static void make_mounts(const struct floor *f)
{
	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "/");
	if (f->overlay != NULL) {
		mount_overlay(f);
	} else {
		must(mount(f->rootfs, f->rootfs, NULL, MS_BIND | MS_REC, NULL), f->rootfs);
		must(chdir(f->rootfs), f->rootfs);
	}
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		if (mounts[i].mkdir != 0)
			must(mkdir(mounts[i].target, mounts[i].mkdir), mounts[i].target);
		must(mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
			   mounts[i].data),
		     mounts[i].target);
	}
}

/* No device can be made in a user namespace: the host's own is mounted on a file. */
static void bind_device(const char *name)
{
	char host[32];

	snprintf(host, sizeof(host), "/%s", name);
	must(mknod(name, S_IFREG | 0666, 0), name);
	must(mount(host, name, NULL, MS_BIND, NULL), name);
}

static void make_devices(const struct floor *f)
{
	umask(0);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (f->host_id != NULL)
			bind_device(devices[i].name);
		else
			must(mknod(devices[i].name, S_IFCHR | 0666,
				   makedev(devices[i].major, devices[i].minor)),
			     devices[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		must(symlink(links[i].target, links[i].name), links[i].name);
	umask(022);
}

static void mask_paths(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(masked); i++) {
		if (mount("dev/null", masked[i], NULL, MS_BIND, NULL) == 0) {
			/* Or the program could change the mode and owner of the node. */
			must(mount(NULL, masked[i], NULL,
				   MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL),
			     masked[i]);
			continue;
		}
		if (errno == ENOENT)
			continue;
		if (errno != ENOTDIR)
			die(masked[i]);
		must(mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1"),
		     masked[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(readonly); i++) {
		if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) < 0) {
			if (errno == ENOENT)
				continue;
			die(readonly[i]);
		}
		must(mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | SAFE, NULL),
		     readonly[i]);
	}
}

static void change_root(void)
{
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount");
	must(chdir("/"), "/");
}

static void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd, "socket");
	must(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
	close(fd);
}

/* The bytes were made before; here they are only loaded, as a runtime with a cache does. */
static void load_filter(int fd)
{
	struct sock_filter insns[BPF_MAXINSNS];
	ssize_t size = read(fd, insns, sizeof(insns));
	struct sock_fprog program = {
		.len = (unsigned short)((size_t)size / sizeof(insns[0])),
		.filter = insns,
	};

	must(size, "filter");
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
}

/* Parent: who is who in the child's user namespace; then the child may go on. */
static void write_maps(const struct floor *f, pid_t pid)
{
	static const char *const files[] = { "uid_map", "gid_map" };
	char path[64], map[64];

	snprintf(map, sizeof(map), "0 %s 65536", f->host_id);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, files[i]);
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		must(fd, path);
		must(write(fd, map, strlen(map)), path);
		close(fd);
	}
	must(write(f->go[1], "", 1), "pipe");
}

/* Child: becomes root of its user namespace once there is one. */
static void become_root(const struct floor *f)
{
	char byte;

	must(read(f->go[0], &byte, 1), "pipe");
	must(setresgid(0, 0, 0), "setresgid");
	must(setresuid(0, 0, 0), "setresuid");
}

static _Noreturn void run_child(const struct floor *f)
{
	char path[] = "PATH=/bin:/usr/bin:/sbin:/usr/sbin";
	char term[] = "TERM=xterm";
	char *const environment[] = { path, term, NULL };
	int filter = -1;

	if (f->filter != NULL)
		must(filter = open(f->filter, O_RDONLY | O_CLOEXEC), f->filter);
	if (f->host_id != NULL)
		become_root(f);
	bring_up_loopback();
	make_mounts(f);
	make_devices(f);
	mask_paths();
	change_root();
	must(sethostname("bench", strlen("bench")), "hostname");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	if (filter >= 0)
		load_filter(filter);
	execve(f->program[0], f->program, environment);
	die(f->program[0]);
}

static int run(struct floor *f)
{
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
			 CLONE_NEWCGROUP | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
	};
	int status;
	long pid;
	int fd;

	must(mkdir(f->cgroup, 0755), f->cgroup);
	must(fd = open(f->cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC), f->cgroup);
	args.cgroup = (uint64_t)fd;
	if (f->host_id != NULL) {
		args.flags |= CLONE_NEWUSER;
		must(pipe2(f->go, O_CLOEXEC), "pipe");
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	must(pid, "clone3");
	if (pid == 0)
		run_child(f);
	if (f->host_id != NULL)
		write_maps(f, (pid_t)pid);
	must(waitpid((pid_t)pid, &status, 0), "waitpid");
	must(rmdir(f->cgroup), f->cgroup);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What an option's letter sets; NULL: there is no such option. */
static const char **option(struct floor *f, char letter)
{
	switch (letter) {
	case 'f':
		return &f->filter;
	case 'u':
		return &f->host_id;
	case 'o':
		return &f->overlay;
	default:
		return NULL;
	}
}

int main(int argc, char **argv)
{
	struct floor f = { 0 };
	int next = 3;

	while (argc > next + 1 && argv[next][0] == '-' && option(&f, argv[next][1]) != NULL) {
		*option(&f, argv[next][1]) = argv[next + 1];
		next += 2;
	}
	if (argc <= next) {
		fprintf(stderr, "usage: floor ROOTFS CGROUP [-f FILTER] [-u HOSTID] [-o DIR] "
				"PROGRAM ARGUMENT...\n");
		return 2;
	}
	f.rootfs = argv[1];
	f.cgroup = argv[2];
	f.program = &argv[next];
	return run(&f);
}
