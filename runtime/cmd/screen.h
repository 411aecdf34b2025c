/*
 * A terminal on which a command redraws one picture: its modes are set for that and set back when
 * the command ends, whatever ends it but KILL.
 */
#ifndef HULL_CMD_SCREEN_H
#define HULL_CMD_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <termios.h>

#include "base/err.h"
#include "base/str.h"

struct screen {
	bool is_terminal; /* standard output is one */
	bool has_keys;    /* and standard input */
	bool is_entered;
	struct termios saved;
	sigset_t signals; /* that were not blocked before */
	int signal_fd;
};

#define _cleanup_screen_ _cleanup_(screen_done)

/* With `wanted` false, or elsewhere than on a terminal, screen_draw() only prints. */
_must_check_ int screen_open(struct screen *ret, bool wanted, struct err *err);
void screen_done(struct screen *s);

/* Puts the text in the place of the last one; what does not fit is cut off. */
_must_check_ int screen_draw(struct screen *s, const struct str *text, struct err *err);

enum screen_event { SCREEN_TIME, SCREEN_QUIT, SCREEN_SIGNAL };

/* Waits: until the time is over, somebody presses q, or a signal ends hull (*ret_signal). */
enum screen_event screen_wait(struct screen *s, int ms, int *ret_signal);

#endif
