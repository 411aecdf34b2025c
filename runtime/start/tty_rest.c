/*
 * Parent: the last words of the program's terminal, and those that get lost. tty.h tells the rules.
 *
 * A program on a terminal cannot be told that its output went to a full disk. Hence hull is the one
 * that failed, as `cat` would be: it says so once, in the end, and does not succeed.
 */
#include "start/tty.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"

#define TTY_STOPPED_MS 2000                  /* how long a stopped terminal holds up the end */
#define TTY_DRAIN_MAX  ((size_t)1024 * 1024) /* processes may be left that go on writing */
#define TTY_READ_TRIES 3

/* Where the other side is closed each read says so (EIO); an error that goes away was none. */
ssize_t tty_read_master(const struct tty *tty, char *data, size_t size)
{
	ssize_t n = -1;
	for (int i = 0; i < TTY_READ_TRIES; i++) {
		n = read(tty->master_fd, data, size);
		if (n >= 0 || errno == EAGAIN)
			break;
	}
	return n;
}

/* What is read now, over several buffers; 0 when there is no more. */
static size_t fill(struct tty *tty, size_t limit)
{
	struct tty_buffer *b = &tty->to_caller;
	size_t room = TTY_BUFFER_SIZE - b->used;
	if (tty->master_fd < 0 || room == 0 || limit == 0)
		return 0;
	ssize_t n = tty_read_master(tty, b->data + b->used, room < limit ? room : limit);
	if (n <= 0)
		return 0;
	b->used += (size_t)n;
	return (size_t)n;
}

/* ---- what is lost ---- */

static void lose_buffer(struct tty *tty)
{
	tty->lost += tty->to_caller.used;
	tty->to_caller.used = 0;
}

void tty_lose_output(struct tty *tty, int code)
{
	if (!tty->lost_code)
		tty->lost_code = code;
	lose_buffer(tty);
	fd_close(&tty->out_fd);
}

void tty_take_rest(struct tty *tty)
{
	size_t limit = TTY_DRAIN_MAX, n;
	while ((n = fill(tty, limit)) > 0) {
		limit -= n;
		if (tty->out_fd < 0)
			lose_buffer(tty);
	}
}

/* As a program would end that writes where nobody reads any more; 0: that was not the reason. */
static int reader_signal(const struct tty *tty)
{
	if (tty->lost_code == EPIPE)
		return SIGPIPE;
	return tty->lost_code == EIO && tty->is_shown ? SIGHUP : 0;
}

int tty_lost_status(const struct tty *tty, struct err *ret_warning)
{
	if (!tty->lost_code)
		return 0;
	int signal = reader_signal(tty);
	if (signal)
		return 128 + signal;
	(void)!err_sys(ret_warning, tty->lost_code,
		       "%zu bytes of the program's output could not be written", tty->lost);
	return 1;
}

/* ---- after the end ---- */

void tty_drain(struct tty *tty, int signal_fd, bool (*gives_up)(void *), void *context)
{
	size_t limit = TTY_DRAIN_MAX;

	fd_close(&tty->peer_fd);
	int timeout = tty->is_shown ? TTY_STOPPED_MS : -1;
	while (tty->out_fd >= 0) {
		limit -= fill(tty, limit);
		if (tty->to_caller.used == 0)
			return;
		struct pollfd fds[] = { { .fd = tty->out_fd, .events = POLLOUT },
					{ .fd = signal_fd, .events = POLLIN } };
		int n = poll(fds, ARRAY_SIZE(fds), timeout);
		if (n < 0 && errno != EINTR)
			tty_lose_output(tty, errno);
		if (n == 0 || (fds[1].revents && gives_up(context)))
			return;
		if (fds[0].revents)
			tty_write_output(tty);
	}
	tty_take_rest(tty);
}
