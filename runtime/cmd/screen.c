/*
 * The terminal of a command that redraws one picture. Signals are taken by a descriptor, so that
 * none ends hull before the terminal has its modes back. In the parent, with the caller's rights.
 */
#include "cmd/screen.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cmd/cmd.h"

/* The other screen, no cursor, no line breaks of the terminal's own; and all of that back. */
#define SEQUENCE_ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l"
#define SEQUENCE_LEAVE "\x1b[?7h\x1b[?25h\x1b[?1049l"
#define SEQUENCE_HOME  "\x1b[H"
#define SEQUENCE_LINE  "\x1b[K\n" /* the rest of the line is empty */
#define SEQUENCE_REST  "\x1b[J"   /* and so is all below */
#define ROWS_DEFAULT   24

static void say(const char *text)
{
	(void)!write(STDOUT_FILENO, text, strlen(text));
}

/* Keys are read as they are pressed, and not shown; those that make signals still do. */
static void enter(struct screen *s)
{
	if (s->has_keys && tcgetattr(STDIN_FILENO, &s->saved) < 0)
		s->has_keys = false;
	if (s->has_keys) {
		struct termios keys = s->saved;
		keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		keys.c_cc[VMIN] = 1;
		keys.c_cc[VTIME] = 0;
		s->has_keys = tcsetattr(STDIN_FILENO, TCSADRAIN, &keys) == 0;
	}
	say(SEQUENCE_ENTER);
	s->is_entered = true;
}

static void leave(struct screen *s)
{
	if (!s->is_entered)
		return;
	say(SEQUENCE_LEAVE);
	if (s->has_keys)
		(void)!tcsetattr(STDIN_FILENO, TCSADRAIN, &s->saved);
	s->is_entered = false;
}

int screen_open(struct screen *ret, bool wanted, struct err *err)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH };
	sigset_t set;
	*ret = (struct screen) { .signal_fd = -EBADF };
	ret->is_terminal = wanted && isatty(STDOUT_FILENO);
	ret->has_keys = ret->is_terminal && isatty(STDIN_FILENO);
	if (!ret->is_terminal)
		return 0;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	ret->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ret->signal_fd < 0)
		return err_sys(err, errno, "cannot wait for signals");
	sigprocmask(SIG_BLOCK, &set, &ret->signals);
	enter(ret);
	return 0;
}

void screen_done(struct screen *s)
{
	leave(s);
	if (s->signal_fd < 0)
		return;
	fd_close(&s->signal_fd);
	sigprocmask(SIG_SETMASK, &s->signals, NULL);
}

static unsigned count_rows(void)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
		return ROWS_DEFAULT;
	return size.ws_row;
}

int screen_draw(struct screen *s, const struct str *text, struct err *err)
{
	if (!s->is_terminal)
		return cmd_print(text, err);
	_cleanup_arena_ struct arena arena;
	struct str out;
	unsigned left = count_rows();
	arena_init(&arena);
	str_init(&out, &arena);
	str_append(&out, SEQUENCE_HOME);
	for (const char *line = text->text; *line && --left > 0; line += *line == '\n') {
		size_t n = strcspn(line, "\n");
		str_printf(&out, "%.*s" SEQUENCE_LINE, (int)n, line);
		line += n;
	}
	str_append(&out, SEQUENCE_REST);
	return cmd_print(&out, err);
}

/* Stopped with the terminal as it was, and back in it afterwards. */
static void stop(struct screen *s)
{
	leave(s);
	kill(getpid(), SIGSTOP);
	enter(s);
}

/* 0: it ends nothing. */
static int take_signal(struct screen *s)
{
	struct signalfd_siginfo info;
	if (read(s->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	if (info.ssi_signo == SIGTSTP)
		stop(s);
	if (info.ssi_signo == SIGTSTP || info.ssi_signo == SIGWINCH)
		return 0;
	return (int)info.ssi_signo;
}

/* A terminal that is gone has no more keys, nor anybody who looks. */
static bool is_quit(void)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);
	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN) ||
	       (n == 1 && (key == 'q' || key == 'Q'));
}

enum screen_event screen_wait(struct screen *s, int ms, int *ret_signal)
{
	int64_t deadline = clock_ms() + ms;
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = s->signal_fd, .events = POLLIN },
			{ .fd = s->has_keys ? STDIN_FILENO : -1, .events = POLLIN },
		};
		int64_t left = deadline - clock_ms();
		if (left <= 0)
			return SCREEN_TIME;
		int n = poll(fds, ARRAY_SIZE(fds), (int)left);
		if (n <= 0)
			continue;
		if (fds[0].revents) {
			*ret_signal = take_signal(s);
			/* Stopped or resized: the picture is not there any more. */
			return *ret_signal ? SCREEN_SIGNAL : SCREEN_TIME;
		}
		if (fds[1].revents && is_quit())
			return SCREEN_QUIT;
	}
}
