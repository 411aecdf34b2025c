/*
 * probe [MILLISECONDS]: the program in the containers of tests/faults. It reports, in lines that
 * are the same for each run of one bundle, how it is protected: whatever a start could leave out
 * without failing must show here. Then it sleeps for as long as it was told, and ends with
 * status 7.
 *
 * HOST_NS in its environment has the caller's namespaces, as "[pid:[4026531836]...".
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define EXIT_STATUS 7

/* ---- the process ---- */

static void report_status(void)
{
	static const char *const names[] = {
		"Uid:",    "Gid:",        "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:",
		"CapAmb:", "NoNewPrivs:", "Seccomp", "SigBlk:", "SigIgn:", "SigCgt:", "Umask:"
	};
	char line[512];
	FILE *f = fopen("/proc/self/status", "re");
	while (f && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strncmp(line, names[i], strlen(names[i])) == 0)
				printf("status %s", line);
	if (f)
		fclose(f);
	else
		printf("status unreadable\n");
}

static void report_process(void)
{
	char text[512];
	printf("ids %d %d %d %d, dumpable %d, securebits %d, personality %d\n", getuid(), geteuid(),
	       getgid(), getegid(), prctl(PR_GET_DUMPABLE), prctl(PR_GET_SECUREBITS),
	       personality(0xffffffff));
	printf("pid %d, session leader %d, death signal unset %d\n", getpid() == 1,
	       getsid(0) == getpid(), prctl(PR_GET_PDEATHSIG, &(int) { 0 }) == 0);
	long ring = syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* session */, 0);
	long n = syscall(SYS_keyctl, 6 /* DESCRIBE */, ring, text, sizeof(text));
	printf("keyring %s\n", n > 0 ? text : "none");
	printf("cwd %s\n", getcwd(text, sizeof(text)) ? text : "none");
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit l = { 0 };
		getrlimit((__rlimit_resource_t)i, &l);
		printf("rlimit %d %lu %lu\n", i, l.rlim_cur, l.rlim_max);
	}
	for (char **e = environ; *e; e++)
		printf("env %s\n", *e);
}

static void report_descriptors(void)
{
	char path[64], target[256];
	for (int fd = 0; fd < 1024; fd++) {
		struct stat st;
		if (fstat(fd, &st) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (fd <= 2) /* where they lead is the caller's affair */
			printf("descriptor %d\n", fd);
		else
			printf("descriptor %d %o %s\n", fd, st.st_mode, target);
	}
}

static void report_namespaces(void)
{
	static const char *const names[] = { "cgroup", "ipc",  "mnt",  "net",
					     "pid",    "time", "user", "uts" };
	const char *host = getenv("HOST_NS");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64], target[64] = "";
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		(void)!readlink(path, target, sizeof(target) - 1);
		printf("namespace %s %s\n", names[i],
		       !*target                       ? "unknown"
		       : host && strstr(host, target) ? "host's"
						      : "own");
	}
}

/* ---- files ---- */

static void report_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0) {
		printf("file %s: %s\n", path, strerrorname_np(errno));
	} else {
		text[n] = '\0';
		printf("file %s: %s\n", path, text);
	}
	if (fd >= 0)
		close(fd);
}

/* All mounts in their order, without the numbers and host paths that differ from run to run. */
static void report_mounts(void)
{
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	while (f && fgets(line, sizeof(line), f)) {
		char where[1024], flags[256];
		char *rest = strstr(line, " - ");
		if (sscanf(line, "%*s %*s %*s %*s %1023s %255s", where, flags) != 2 || !rest)
			continue;
		*rest = '\0';
		const char *tags = strstr(line, flags) + strlen(flags);
		const char *options = strrchr(rest + 3, ' ');
		*strchrnul(rest + 3, ' ') = '\0';
		if (strcmp(rest + 3, "overlay") == 0)
			options = " \n"; /* descriptors and paths */
		printf("mount %s %s shared %d slave %d %s%s", where, flags,
		       strstr(tags, "shared:") != NULL, strstr(tags, "master:") != NULL, rest + 3,
		       options);
	}
	if (f)
		fclose(f);
}

/* What is masked has nothing in it, and what is read-only cannot be written. */
static void report_protected(const char *path)
{
	char byte;
	struct stat st;
	struct statvfs fs;
	if (stat(path, &st) < 0 || statvfs(path, &fs) < 0) {
		printf("path %s: %s\n", path, strerrorname_np(errno));
		return;
	}
	int entries = 0;
	long n = -1;
	DIR *dir = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
	while (dir && entries < 3 && readdir(dir))
		entries++;
	if (dir)
		closedir(dir);
	int fd = S_ISDIR(st.st_mode) ? -1 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, &byte, 1);
	int writable = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	int why = writable < 0 ? errno : 0;
	printf("path %s: type %o, read-only %d, entries %d, reads %ld, writes %s\n", path,
	       st.st_mode & S_IFMT, (fs.f_flag & ST_RDONLY) != 0, entries, n,
	       why ? strerrorname_np(why) : "yes");
	if (fd >= 0)
		close(fd);
	if (writable >= 0)
		close(writable);
}

static void report_devices(void)
{
	static const char *const names[] = { "null",    "zero", "full", "random", "urandom",
					     "tty",     "ptmx", "fd",   "stdin",  "stdout",
					     "console", "made", "mem",  "kmsg" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64], target[64] = "";
		struct stat st;
		snprintf(path, sizeof(path), "/dev/%s", names[i]);
		if (lstat(path, &st) < 0)
			continue;
		(void)!readlink(path, target, sizeof(target) - 1);
		int fd = S_ISCHR(st.st_mode) ? open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY) : -1;
		printf("device %s %o %u:%u %u:%u %s %s\n", names[i], st.st_mode, major(st.st_rdev),
		       minor(st.st_rdev), st.st_uid, st.st_gid, target,
		       fd >= 0 ? "opens" : strerrorname_np(errno));
		if (fd >= 0)
			close(fd);
	}
}

/* ---- the rest ---- */

static void report_names(void)
{
	struct utsname u;
	uname(&u);
	printf("names %s %s\n", u.nodename, u.domainname);
}

static void report_interface(int fd, const struct ifaddrs *a)
{
	struct ifreq r = { 0 };
	strncpy(r.ifr_name, a->ifa_name, sizeof(r.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &r) < 0)
		r.ifr_mtu = -1;
	printf("interface %s up %d mtu %d\n", a->ifa_name, (a->ifa_flags & IFF_UP) != 0, r.ifr_mtu);
}

static const char *address_text(const struct sockaddr *a, char ret[static INET6_ADDRSTRLEN])
{
	const struct sockaddr_in *four = (const void *)a;
	const struct sockaddr_in6 *six = (const void *)a;
	const void *bytes = a->sa_family == AF_INET ? (const void *)&four->sin_addr
						    : (const void *)&six->sin6_addr;
	return inet_ntop(a->sa_family, bytes, ret, INET6_ADDRSTRLEN);
}

/* Those that the kernel makes up by itself, in its own time, are left out. */
static void report_address(const struct ifaddrs *a)
{
	char text[INET6_ADDRSTRLEN], mask[INET6_ADDRSTRLEN];
	if (address_text(a->ifa_addr, text) && strncmp(text, "fe80:", 5) != 0)
		printf("address %s %s %s\n", a->ifa_name, text, address_text(a->ifa_netmask, mask));
}

static void report_network(void)
{
	struct ifaddrs *all = NULL;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (getifaddrs(&all) < 0)
		printf("interfaces %s\n", strerrorname_np(errno));
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_PACKET)
			report_interface(fd, a);
		else if (a->ifa_addr)
			report_address(a);
	}
	if (all)
		freeifaddrs(all);
	if (fd >= 0)
		close(fd);
}

/* As the kernel has it; of the memory policy only what it is called where the stack is. */
static void report_schedule(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { 0 };
	char line[1024], policy[64];
	cpu_set_t set;
	long r = syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0);
	printf("scheduler %ld policy %u flags %lu nice %d priority %u\n", r, attr.policy,
	       attr.flags, attr.nice, attr.priority);
	printf("io priority %ld\n", syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, 0));
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		printf("processors %d first %d\n", CPU_COUNT(&set), CPU_ISSET(0, &set) != 0);
	FILE *f = fopen("/proc/self/numa_maps", "re");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " stack") && sscanf(line, "%*s %63s", policy) == 1)
			printf("memory policy %s\n", policy);
	if (f)
		fclose(f);
}

/* Calls that the profiles of the sweep forbid or answer in their own way. */
static void report_calls(void)
{
	long r = syscall(SYS_mount, "none", "/none", "none", 0, 0);
	printf("mount %ld %s\n", r, strerrorname_np(errno));
	r = syscall(SYS_add_key, "user", "x", "y", 1, -3);
	printf("add_key %d %s\n", r >= 0, r < 0 ? strerrorname_np(errno) : "");
	r = syscall(SYS_bpf, 0, 0, 0);
	printf("bpf %ld %s\n", r, strerrorname_np(errno));
	r = syscall(SYS_mkdir, "/tmp/asked", 0700); /* what an agent is asked about */
	printf("mkdir %ld %s\n", r, r < 0 ? strerrorname_np(errno) : "");
	(void)!rmdir("/tmp/asked");
	r = syscall(600);
	printf("call 600 %ld %s\n", r, strerrorname_np(errno));
}

static void report_terminal(void)
{
	struct winsize w = { 0 };
	if (!isatty(0))
		return;
	ioctl(0, TIOCGWINSZ, &w);
	printf("terminal %s, %dx%d, controlling %d\n", ttyname(0) ? ttyname(0) : "?", w.ws_col,
	       w.ws_row, tcgetsid(0) == getsid(0));
}

int main(int argc, char **argv)
{
	static const char *const files[] = { "/proc/self/oom_score_adj",
					     "/proc/self/cgroup",
					     "/proc/self/uid_map",
					     "/proc/self/gid_map",
					     "/proc/self/setgroups",
					     "/proc/self/timens_offsets",
					     "/proc/sys/net/ipv4/ip_forward",
					     "/proc/sys/kernel/msgmax",
					     "/proc/net/route",
					     "/etc/resolv.conf",
					     "/proc/1/comm" };
	static const char *const paths[] = { "/",           "/proc/keys",
					     "/proc/kcore", "/proc/timer_list",
					     "/proc/acpi",  "/sys/firmware",
					     "/proc/sys",   "/proc/bus",
					     "/proc/irq",   "/proc/sysrq-trigger",
					     "/sys",        "/sys/fs/cgroup",
					     "/ro",         "/etc",
					     "/dev",        "/tmp" };
	report_status();
	report_process();
	report_descriptors();
	report_namespaces();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		report_file(files[i]);
	report_mounts();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		report_protected(paths[i]);
	report_devices();
	report_names();
	report_network();
	report_schedule();
	report_calls();
	report_terminal();
	printf("end\n");
	if (fflush(stdout) != 0)
		return 1;
	long ms = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	nanosleep(&(struct timespec) { ms / 1000, ms % 1000 * 1000000 }, NULL);
	return EXIT_STATUS;
}
