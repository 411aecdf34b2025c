/*
 * Child, stage 6, with --init: hull's own process 1. The child forks right before the filter and
 * execve; the new process becomes the program, and this one stays: it forwards signals to the
 * program, reaps whoever is orphaned, and ends when the program ends, which takes all others along.
 *
 * It has the program's ids and of its capabilities CAP_KILL alone, for a program that has changed
 * its user. Before the program runs it has given up all else: descriptors, what memory can tell of
 * the host, and every system call but those of its loop.
 * One thing goes a moment later: its end of the gate, a socket whose other end execve closes.
 * Must not: allocate; execute anything; act on what the container says, but by passing a signal on.
 *
 * Whether the program was executed it learns from the kernel: a child that was made with another
 * signal than SIGCHLD for its end is waited for with __WCLONE, until execve sets that back.
 */
#include "start/init.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "start/proc.h"
#include "start/steps.h"
#include "start/sys.h"

/* ---- its filter ---- */

#if defined(__x86_64__)
#define INIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define INIT_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define INIT_ARCH AUDIT_ARCH_RISCV64
#else
#error "process 1 needs the name of this architecture for its filter"
#endif

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define LOAD_ARGUMENT(n)                   \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
		 offsetof(struct seccomp_data, args) + (n) * sizeof(uint64_t))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_##action)
#define ALLOW(call)    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), RETURN(ALLOW)

/* A sanitizer makes calls of its own at any time: below one the filter is loaded, and forbids
 * nothing. This is the only place where such a build differs. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define FORBID RETURN(ALLOW)
#else
#define FORBID RETURN(KILL_PROCESS)
#endif

/* Little-endian, as all of these architectures are: the low half of an argument comes first. */
static const struct sock_filter init_insns[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, INIT_ARCH, 1, 0),
	FORBID,
	LOAD(nr),
	ALLOW(SYS_rt_sigtimedwait),
	ALLOW(SYS_kill),
	ALLOW(SYS_waitid),
	ALLOW(SYS_exit_group),
	ALLOW(SYS_exit),
	ALLOW(SYS_rt_sigreturn),
	ALLOW(SYS_restart_syscall),
	ALLOW(SYS_sendto), /* these two for the gate, which it closes */
	ALLOW(SYS_recvfrom),
	ALLOW(SYS_close),
	ALLOW(SYS_munmap),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 1, 0),
	FORBID,
	LOAD_ARGUMENT(0),
	ALLOW(PR_SET_NAME),
	FORBID,
};

static int load_filter(void)
{
	const struct sock_fprog program = {
		.len = ARRAY_SIZE(init_insns),
		.filter = (struct sock_filter *)init_insns,
	};
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

/* ---- parent ---- */

void init_init(struct init *init)
{
	*init = (struct init) { .told_fd = -EBADF, .tell_fd = -EBADF };
	for (size_t i = 0; i < PLAN_LABELS; i++)
		init->label_fds[i] = -EBADF;
}

void init_done(struct init *init)
{
	fd_close(&init->told_fd);
	fd_close(&init->tell_fd);
	if (init->page)
		munmap(init->page, sizeof(*init->page));
	init->page = NULL;
}

int init_prepare(struct start *s, struct err *err)
{
	int pair[2], on = 1;

	if (!(s->plan->flags & PLAN_INIT))
		return 0;
	void *page = mmap(NULL, sizeof(*s->init.page), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return err_sys(err, errno, "cannot share memory with process 1");
	s->init.page = page;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "cannot make a socket pair");
	s->init.told_fd = pair[0];
	s->init.tell_fd = pair[1];
	if (setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return err_sys(err, errno, "cannot ask for credentials");
	return 0;
}

void init_replace_end(const struct start *s, siginfo_t *info)
{
	const struct init_page *page = s->init.page;
	int how = page ? atomic_load(&page->how) : 0;
	int what = page ? atomic_load(&page->what) : 0;

	/* Killed with its process 1, it had nobody left to tell. The page is the container's. */
	if (info->si_code != CLD_EXITED || what < 0)
		return;
	if ((how == CLD_EXITED && what <= UINT8_MAX) ||
	    ((how == CLD_KILLED || how == CLD_DUMPED) && what >= 1 && what <= SIGRTMAX)) {
		info->si_code = how;
		info->si_status = what;
	}
}

pid_t init_program(const struct start *s)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char byte;
	struct ucred sender;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof(control.room) };

	if (s->init.told_fd < 0 ||
	    recvmsg(s->init.told_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return 0;
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
	    c->cmsg_len != CMSG_LEN(sizeof(sender)))
		return 0;
	memcpy(&sender, CMSG_DATA(c), sizeof(sender));
	return sender.pid;
}

int init_open_label(struct start *s, size_t index)
{
	if (!s->init.page)
		return 0;
	int fd = proc_open_file(s->proc_fd, s->plan->labels[index].now_file, O_WRONLY);
	s->init.label_fds[index] = fd;
	return fd < 0 ? fd : 0;
}

/* ---- process 1: giving up ---- */

static int keep_cap_kill(const struct start *s)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	uint64_t kept = s->plan->process.caps[PLAN_CAP_PERMITTED] & (UINT64_C(1) << CAP_KILL);

	data[0].effective = data[0].permitted = (uint32_t)kept;
	return capset(&header, data); /* which clears the ambient set as well */
}

static int close_all_but(int fd)
{
	if (fd > 0 && close_range(0, (unsigned)fd - 1, 0) < 0)
		return -1;
	return close_range((unsigned)fd + 1, ~0U, 0);
}

/* From a frame that nobody returns to up to the arguments and the environment. */
__attribute__((no_sanitize("address"))) static void wipe_stack(volatile char *from,
							       const volatile char *to)
{
	while (from < to)
		*from++ = 0;
}

/*
 * Confined as the program is, for it is the container's (S-102); the program itself will be by its
 * execve. The files were opened where nothing of the image could stand in for them.
 */
static int take_labels(const struct start *s, struct err *err)
{
	for (size_t i = 0; i < s->plan->labels_n; i++) {
		const struct plan_label *label = &s->plan->labels[i];
		size_t size = strlen(label->now_value);
		ssize_t n = write(s->init.label_fds[i], label->now_value, size);
		if (n == (ssize_t)size)
			continue;
		int r = err_sys(err, n < 0 ? errno : EIO,
				"process 1 of --init cannot take the %s '%s'", label->module,
				label->name);
		err_hint(err, "the policy does not let hull's own process change to it at once; "
			      "without --init the program is process 1");
		err_at(err, label->at);
		return r;
	}
	return 0;
}

static int give_up(struct start *s, int gate, struct err *err)
{
	int r = take_labels(s, err);
	if (r < 0)
		return r;
	if (close_all_but(gate) < 0)
		return err_sys(err, errno, "process 1 cannot close its descriptors");
	if (sys_reset_signal(SIGCHLD) < 0) /* ignored, nobody could be waited for */
		return err_sys(err, errno, "process 1 cannot reset SIGCHLD");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, errno, "process 1 cannot hide");
	if (keep_cap_kill(s) < 0)
		return err_sys(err, errno, "process 1 cannot drop its capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "process 1 cannot set no_new_privs");
	if (load_filter() < 0)
		return err_sys(err, errno, "process 1 cannot load its filter");
	return 0;
}

/* ---- process 1: its loop ---- */

static _Noreturn void end_with(struct init_page *page, const siginfo_t *info)
{
	atomic_store(&page->what, info->si_status);
	atomic_store(&page->how, info->si_code);
	_exit(info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status);
}

static void reap_all(struct init_page *page, pid_t program)
{
	for (;;) {
		siginfo_t info = { 0 };
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) < 0 || info.si_pid == 0)
			return;
		if (info.si_pid == program)
			end_with(page, &info);
	}
}

static void wait_for_exec(struct init_page *page, int gate, pid_t program)
{
	siginfo_t info = { 0 };
	(void)channel_receive(gate); /* the end of file: execve or the end */
	fd_close(&gate);
	if (waitid(P_PID, (id_t)program, &info, WEXITED | __WCLONE) == 0)
		end_with(page, &info);
	atomic_store(&page->has_executed, true);
	(void)prctl(PR_SET_NAME, STATE_INIT_NAME, 0, 0, 0);
}

/* Nothing of the start is left from here on: it was in the memory that is wiped now. */
__attribute__((noinline)) static _Noreturn void serve(struct init_page *page, int gate,
						      pid_t program, char *stack)
{
	sigset_t all;

	wipe_stack(stack, (const char *)getauxval(AT_EXECFN));
	sigfillset(&all);
	if (channel_send(gate, CHANNEL_GO) < 0)
		_exit(1);
	wait_for_exec(page, gate, program);
	reap_all(page, program); /* before the first sleep: a signal may have been lost */
	for (;;) {
		int signal = sigwaitinfo(&all, NULL);
		if (signal == SIGCHLD)
			reap_all(page, program);
		else if (signal > 0)
			(void)!kill(program, signal);
	}
}

static _Noreturn void become_init(struct start *s, int gate, pid_t program)
{
	struct err *err = &s->channel.page->err;
	struct init_page *page = s->init.page;

	if (give_up(s, gate, err) < 0) {
		err_step(err, "init");
		_exit(1); /* which takes along who waits at the gate */
	}
	(void)munmap(s->channel.page, sizeof(*s->channel.page));
	arena_wipe(s->arena);
	serve(page, gate, program, __builtin_frame_address(0));
}

/* ---- the program ---- */

static int become_program(struct start *s, int gate, struct err *err)
{
	const struct plan_process *process = &s->plan->process;

	errno = 0;
	if (channel_receive(gate) != CHANNEL_GO) {
		if (errno)
			return err_sys(err, errno, "cannot wait for process 1");
		_exit(1); /* process 1 has failed, and said why */
	}
	/* Without it a death is explained less well, and nothing else. */
	(void)!channel_send(s->init.tell_fd, CHANNEL_GO);
	if (process->listen_pid)
		snprintf(process->listen_pid, PLAN_LISTEN_PID_SIZE, "LISTEN_PID=%d", (int)getpid());
	if (setsid() < 0)
		return err_sys(err, errno, "cannot make a session");
	return console_control(s, err);
}

int init_split(struct start *s, struct err *err)
{
	struct clone_args args = { .exit_signal = 0 }; /* not SIGCHLD: see above */
	int gate[2];

	if (!s->init.page)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) < 0)
		return err_sys(err, errno, "cannot make a socket pair");
	long pid = sys_clone3(&args);
	if (pid < 0) {
		int r = err_sys(err, errno, "cannot make the program's process");
		if (r == -EAGAIN)
			err_hint(err, "with --init a container has one process more: a limit of "
				      "processes (pids.max, RLIMIT_NPROC) must allow it");
		return r;
	}
	if (pid > 0)
		become_init(s, gate[0], (pid_t)pid);
	fd_close(&gate[0]);
	return become_program(s, gate[1], err);
}
