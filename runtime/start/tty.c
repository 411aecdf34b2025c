/* Parent: copying between two terminals, and answering for the caller's. tty.h tells the rules. */
#include "start/tty.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"

#define TTY_BACKGROUND_POLL_MS 500 /* a job that is fetched to the foreground gets no signal */
#define TTY_BLOCKING_CHUNK     256 /* fits whenever poll says that anything does */

/* ---- a fault of hull's ---- */

/* The one variable of this room outside any struct: a signal handler gets nothing else. */
static struct {
	volatile sig_atomic_t is_armed;
	int fd;
	struct termios saved;
} guard;

/* Faults are raised by the kernel; what somebody has sent is none (and is ignored, signals.c). */
static void on_fault(int signal_number, siginfo_t *info, void *context _unused_)
{
	if (info->si_code <= 0 && signal_number != SIGABRT)
		return;
	if (guard.is_armed)
		(void)!tcsetattr(guard.fd, TCSANOW, &guard.saved);
	signal(signal_number, SIG_DFL); /* the fault happens again when this returns */
}

/* SIGABRT stays blocked: abort() unblocks it, and one that is sent goes to the program. */
static void arm_guard(const struct tty *tty)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction old, action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	sigset_t set;

	guard.fd = tty->in_fd;
	guard.saved = tty->saved;
	guard.is_armed = 1;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		/* A sanitizer's own handler stays. */
		if (sigaction(faults[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			(void)!sigaction(faults[i], &action, NULL);
		if (faults[i] != SIGABRT)
			sigaddset(&set, faults[i]);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- the caller's terminal ---- */

/* A terminal that is not ours to control has no foreground that we could be outside of. */
static bool is_foreground(int fd)
{
	pid_t front = tcgetpgrp(fd);
	return front < 0 || front == getpgrp();
}

/* All signals are blocked, so that the kernel would let a background process do this, too. */
static void enter_raw(struct tty *tty)
{
	if (!tty->is_outer || tty->is_raw || tcgetattr(tty->in_fd, &tty->saved) < 0)
		return;
	tty->raw = tty->saved;
	cfmakeraw(&tty->raw);
	tty->raw.c_oflag = tty->saved.c_oflag;
	arm_guard(tty);
	/* Without raw mode keys would be echoed twice; that is no reason to refuse. */
	tty->is_raw = tcsetattr(tty->in_fd, TCSANOW, &tty->raw) == 0;
}

static void leave_raw(struct tty *tty)
{
	if (tty->is_raw && is_foreground(tty->in_fd))
		(void)!tcsetattr(tty->in_fd, TCSANOW, &tty->saved);
	tty->is_raw = false;
	guard.is_armed = 0;
}

void tty_suspend(struct tty *tty)
{
	leave_raw(tty);
}

void tty_resume(struct tty *tty)
{
	if (!tty_is_copied(tty))
		return;
	/* After SIGSTOP, which nobody could prepare for, the shell has set modes of its own. */
	if (tty->is_raw && is_foreground(tty->in_fd))
		(void)!tcsetattr(tty->in_fd, TCSANOW, &tty->raw);
	(void)tty_resize(tty); /* nobody told us of a change meanwhile */
}

bool tty_is_copied(const struct tty *tty)
{
	return tty->peer_fd >= 0;
}

/* The first of the caller's descriptors that has a window says how large it is. */
int tty_resize(const struct tty *tty)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct winsize size;
		if (ioctl(fd, TIOCGWINSZ, &size) < 0)
			continue;
		if (size.ws_row == 0 && size.ws_col == 0)
			return 0; /* nobody knows; consoleSize may */
		return ioctl(tty->master_fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
	}
	return 0;
}

/* ---- begin and end ---- */

void tty_init(struct tty *tty)
{
	/* Not in the structure: where there is no terminal, nobody has to clear and copy them. */
	static char to_program[TTY_BUFFER_SIZE], to_caller[TTY_BUFFER_SIZE];
	*tty = (struct tty) { .master_fd = -EBADF,
			      .peer_fd = -EBADF,
			      .socket_fd = -EBADF,
			      .in_fd = -EBADF,
			      .out_fd = -EBADF,
			      .to_program.data = to_program,
			      .to_caller.data = to_caller };
}

int tty_receive(struct tty *tty, int *take_fd, struct err *err)
{
	struct stat st;
	struct statfs fs;

	if (tty->master_fd >= 0 || *take_fd < 0)
		return err_say(err, ERR_INTERNAL, EPROTO, "the child has sent no terminal");
	if (fstat(*take_fd, &st) < 0 || fstatfs(*take_fd, &fs) < 0)
		return err_sys(err, errno, "cannot examine the terminal");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) || fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_say(err, ERR_INTERNAL, ENOTTY, "what the child has sent is no terminal");
	tty->master_fd = fd_take(take_fd);
	return 0;
}

/*
 * A descriptor for the same file that does not block. O_NONBLOCK on the caller's would be seen by
 * all who share it, shells among them; so the file is opened anew. Where that is not possible or
 * not needed, a second descriptor does: it is used only when poll says so.
 */
static int open_again(int fd, int flags)
{
	char path[32];
	struct stat st;
	int again = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(fd)))
		again = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return again >= 0 ? again : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int clear_onlcr(int fd)
{
	struct termios modes;
	if (tcgetattr(fd, &modes) < 0)
		return -errno;
	modes.c_oflag &= ~(tcflag_t)ONLCR;
	return tcsetattr(fd, TCSANOW, &modes) < 0 ? -errno : 0;
}

static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int tty_begin(struct tty *tty, struct err *err)
{
	if (tty->master_fd < 0)
		return err_say(err, ERR_INTERNAL, EPROTO, "the child has sent no terminal");
	int r = clear_onlcr(tty->master_fd);
	if (r == 0)
		r = set_nonblocking(tty->master_fd);
	if (r < 0)
		return err_sys(err, -r, "cannot set up the container's terminal");
	tty->peer_fd = ioctl(tty->master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty->peer_fd < 0)
		return err_sys(err, errno, "cannot open the container's terminal");
	tty->in_fd = open_again(STDIN_FILENO, O_RDONLY);
	tty->out_fd = open_again(STDOUT_FILENO, O_WRONLY);
	if (tty->in_fd < 0 || tty->out_fd < 0)
		return err_sys(err, errno, "cannot open standard input and output again");
	tty->is_outer = isatty(tty->in_fd);
	tty->is_shown = isatty(tty->out_fd);
	r = tty_resize(tty);
	if (r < 0)
		return err_sys(err, -r, "cannot set the size of the container's terminal");
	(void)tty_prepare(tty);
	return 0;
}

static void close_terminal(struct tty *tty)
{
	leave_raw(tty); /* nobody reads the keys any more, but some still mean something to hull */
	fd_close(&tty->peer_fd);
	fd_close(&tty->master_fd);
	fd_close(&tty->in_fd);
	tty->is_outer = false;
}

/*
 * The program's terminal is gone, as when its window is closed: SIGHUP, and ends of file. What it
 * has said before is still shown, or counted as lost.
 */
static void hang_up(struct tty *tty)
{
	tty_take_rest(tty);
	close_terminal(tty);
}

void tty_end(struct tty *tty)
{
	close_terminal(tty);
	fd_close(&tty->out_fd);
	fd_close(&tty->socket_fd);
}

/* ---- the loop ---- */

static size_t room(const struct tty_buffer *b)
{
	return TTY_BUFFER_SIZE - b->used;
}

static void forget(struct tty_buffer *b, size_t n)
{
	b->used -= n;
	memmove(b->data, b->data + n, b->used);
}

static bool is_passing(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/*
 * Input has ended: so it does for whoever reads the terminal. Typed after a part of a line, the key
 * only ends that part, and must come twice. A program that changes how it reads (a shell that edits
 * its line) has lost the mark that the key left, and gets another.
 */
static void type_end(struct tty *tty)
{
	struct termios modes;
	struct tty_buffer *b = &tty->to_program;

	if (tty->in_fd >= 0 || b->used > 0 || tcgetattr(tty->master_fd, &modes) < 0)
		return;
	tcflag_t mode = modes.c_lflag & ICANON;
	if ((tty->end_typed && tty->end_mode == mode) || modes.c_cc[VEOF] == _POSIX_VDISABLE)
		return;
	if (mode && tty->ends_in_line)
		b->data[b->used++] = (char)modes.c_cc[VEOF];
	b->data[b->used++] = (char)modes.c_cc[VEOF];
	tty->end_typed = true;
	tty->end_mode = mode;
	tty->ends_in_line = false;
}

int tty_prepare(struct tty *tty)
{
	if (!tty_is_copied(tty))
		return -1;
	type_end(tty);
	tty->is_front = !tty->is_outer || is_foreground(tty->in_fd);
	if (!tty->is_front)
		tty->is_raw = false; /* its modes are the shell's now */
	else
		enter_raw(tty);
	return tty->is_front ? -1 : TTY_BACKGROUND_POLL_MS;
}

int tty_input_fd(const struct tty *tty, short *ret_events)
{
	*ret_events = POLLIN;
	return tty->is_front && room(&tty->to_program) ? tty->in_fd : -EBADF;
}

int tty_master_fd(const struct tty *tty, short *ret_events)
{
	*ret_events = (short)((room(&tty->to_caller) ? POLLIN : 0) |
			      (tty->to_program.used ? POLLOUT : 0));
	return *ret_events && tty_is_copied(tty) ? tty->master_fd : -EBADF;
}

int tty_output_fd(const struct tty *tty, short *ret_events)
{
	*ret_events = POLLOUT;
	return tty->to_caller.used ? tty->out_fd : -EBADF;
}

void tty_read_input(struct tty *tty)
{
	struct tty_buffer *b = &tty->to_program;

	ssize_t n = read(tty->in_fd, b->data + b->used, room(b));
	if (is_passing(n) || (n < 0 && tty->is_outer && !is_foreground(tty->in_fd)))
		return;
	if (n > 0) {
		b->used += (size_t)n;
		tty->ends_in_line = b->data[b->used - 1] != '\n';
	} else if (tty->is_outer) { /* a terminal does not end, it is hung up */
		hang_up(tty);
	} else {
		fd_close(&tty->in_fd);
	}
}

static void read_master(struct tty *tty)
{
	struct tty_buffer *b = &tty->to_caller;

	ssize_t n = tty_read_master(tty, b->data + b->used, room(b));
	if (n > 0)
		b->used += (size_t)n;
	else if (!is_passing(n))
		hang_up(tty);
}

void tty_serve_master(struct tty *tty, short revents)
{
	if (revents & ~POLLOUT)
		read_master(tty);
	if (!(revents & POLLOUT) || !tty_is_copied(tty))
		return;
	ssize_t n = write(tty->master_fd, tty->to_program.data, tty->to_program.used);
	if (n >= 0)
		forget(&tty->to_program, (size_t)n);
	else if (!is_passing(n))
		hang_up(tty);
}

void tty_write_output(struct tty *tty)
{
	struct tty_buffer *b = &tty->to_caller;
	size_t size = b->used;

	if (!(fcntl(tty->out_fd, F_GETFL) & O_NONBLOCK) && size > TTY_BLOCKING_CHUNK)
		size = TTY_BLOCKING_CHUNK;
	ssize_t n = write(tty->out_fd, b->data, size);
	if (n >= 0) {
		forget(b, (size_t)n);
	} else if (!is_passing(n)) {
		tty_lose_output(tty, errno);
		if (tty_is_copied(tty))
			hang_up(tty);
	}
}
