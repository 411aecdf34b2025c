/* A process by its pidfd: whether it is dead, and its end within bounds. No privilege of its own.
 */
#ifndef HULL_BASE_PIDFD_H
#define HULL_BASE_PIDFD_H

#include <stdbool.h>

/* It has ended, whether anybody has waited for it or not. Of a negative descriptor: no. */
bool pidfd_is_dead(int pidfd);

/* The same, waiting for it. */
bool pidfd_wait(int pidfd, int timeout_ms);

/* Takes the status of a child that is dead, if it is there to be taken: whether it was. */
bool pidfd_reap(int pidfd);

/*
 * Kills a child, waits until it is dead, and reaps it. False: it is not (who waits inside of the
 * kernel dies later), or a tracer has it; then whoever inherits it reaps it.
 */
bool pidfd_end(int pidfd, int timeout_ms);

#endif
