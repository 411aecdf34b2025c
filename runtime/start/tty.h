/*
 * The other side of the container's terminal, and the terminal that hull was called from.
 *
 * hull copies between them inside supervise.c's loop: whatever it does never waits for one side
 * alone, and holds at most one buffer for each way. While the program runs the caller's terminal is
 * in raw mode, so that keys reach the program as they are typed and only the container's terminal
 * gives them a meaning; output keeps its mode, since the container's own does not add CR to LF
 * (ONLCR cleared, as runc does), which leaves pipes and files clean.
 *
 * Raw mode ends on every way out: the end, a failed start, a stop by job control, a fault of
 * hull's. In the background hull leaves the terminal alone, and looks now and then whether that has
 * changed.
 *
 * Standard input that ends without being a terminal ends the program's input too: the terminal's
 * end-of-file key is typed.
 *
 * Output that cannot be written hangs the container's terminal up, since a program cannot be told
 * otherwise that what it says is lost. It gets SIGHUP (which means nothing to a process 1 without
 * a handler for it), and errors from then on; what it had written before is counted. In the end
 * that is said, and a program that ended with status 0 makes hull fail all the same: with status 1;
 * or quietly, where the reader has gone (`| head`, a closed window), with that of a tool which
 * SIGPIPE or SIGHUP ends.
 */
#ifndef HULL_START_TTY_H
#define HULL_START_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

#include "base/err.h"

#define TTY_BUFFER_SIZE ((size_t)8192)

struct tty_buffer {
	size_t used;
	char *data; /* TTY_BUFFER_SIZE bytes: there is one terminal in a process */
};

struct tty {
	int master_fd; /* of the container's terminal; -EBADF: none, or given away, or hung up */
	int peer_fd;   /* its other side; open, so that the master never reports an end that a
			* process which opens the terminal later would take back */
	int socket_fd; /* connected to --console-socket, until the terminal has gone there */
	int in_fd;     /* standard input, until it has ended */
	int out_fd;    /* standard output, until a write to it has failed */
	bool is_outer; /* in_fd is a terminal, the caller's */
	bool is_shown; /* out_fd is a terminal */
	bool is_front; /* and hull's process group is the one in its foreground */
	bool is_raw;
	bool ends_in_line; /* what was last typed into the terminal was no whole line */
	bool end_typed;    /* the end-of-file key, in the mode `end_mode` (ICANON or not) */
	tcflag_t end_mode;
	size_t lost;   /* bytes that could not be written, */
	int lost_code; /* and why: an errno; 0: none was lost */
	struct termios saved, raw;
	struct tty_buffer to_program, to_caller;
};

void tty_init(struct tty *tty);

/* Takes what the child has sent: proven to be a terminal's master, and the only one. */
_must_check_ int tty_receive(struct tty *tty, int *take_fd, struct err *err);

/* The program is about to run: gives the terminal away, or begins to copy. */
_must_check_ int tty_begin(struct tty *tty, struct err *err);

/* Leaves raw mode and closes everything. At any time, more than once. */
void tty_end(struct tty *tty);

/* Does hull copy (from tty_begin() until nobody is there any more)? Then the caller's window is the
 * program's (SIGWINCH). tty_resize() returns 0 or -errno. */
bool tty_is_copied(const struct tty *tty);
int tty_resize(const struct tty *tty);

/* Around a stop of hull itself: the shell gets its terminal as it was. */
void tty_suspend(struct tty *tty);
void tty_resume(struct tty *tty);

/* ---- the loop ---- */

/* Before each wait: what has changed without an event. How long to wait at most, -1: for ever. */
int tty_prepare(struct tty *tty);

/* The descriptor to wait for and the events of poll(2), or -EBADF; and what to do then. */
int tty_input_fd(const struct tty *tty, short *ret_events);
int tty_master_fd(const struct tty *tty, short *ret_events);
int tty_output_fd(const struct tty *tty, short *ret_events);
void tty_read_input(struct tty *tty);
void tty_serve_master(struct tty *tty, short revents);
void tty_write_output(struct tty *tty);

/*
 * The program has ended: shows what is still in its terminal. Waits for a reader as any program
 * would, but not for ever for a stopped terminal (^S), and only until gives_up(), which is called
 * for the signals that come, says so.
 */
void tty_drain(struct tty *tty, int signal_fd, bool (*gives_up)(void *), void *context);

/*
 * Has output been lost? Then the exit status for a program that ended with 0, else 0; the warning
 * is set if there is something to say.
 */
int tty_lost_status(const struct tty *tty, struct err *ret_warning);

/* ---- between tty.c and tty_rest.c ---- */

/* read(2) from the program's terminal; -1 with EIO only when that is really its end. */
ssize_t tty_read_master(const struct tty *tty, char *data, size_t size);

/* No more can be written, for this reason: what is there is lost. */
void tty_lose_output(struct tty *tty, int code);

/* What the program's terminal still has: as much as the buffer takes, or all of it is lost. */
void tty_take_rest(struct tty *tty);

#endif
