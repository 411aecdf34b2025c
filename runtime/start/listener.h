/*
 * The listener of seccomp: how the descriptor by which system calls are notified of
 * (SCMP_ACT_NOTIFY) comes from the child, where it is made, to the agent that answers.
 *
 *   parent   connects to the agent, before anything is made; of `create` it is `start` that does
 *   child    last of all loads what notifies of the filter, and sends the descriptor to the parent
 *   parent   sends it to the agent, with the container process state, and hangs up
 *   child    loads what forbids of the filter, and executes the program
 *
 * The child never has the connection, and so nothing of the image can reach the agent by it; nobody
 * but the agent has the descriptor when the program runs.
 */
#ifndef HULL_START_LISTENER_H
#define HULL_START_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "seccomp/listen.h"

struct start;

struct listener {
	int socket_fd;             /* parent: the connection to the agent */
	struct seccomp_pair parts; /* of the filter */
	int64_t deadline; /* parent: when the agent must have let execve pass (clock_ms); 0: none */
};

void listener_init(struct listener *listener);
void listener_done(struct listener *listener);

/*
 * Parent, when the child has sent CHANNEL_LISTENER: gives the descriptor and the state to the
 * agent, which has a few seconds to take them, and lets the child go on.
 */
_must_check_ int listener_serve(struct start *s, int *take_fd, struct err *err);

/*
 * Where execve is notified of, the agent can hold up the start: but not for ever. How long to wait
 * at most, when `timeout` is what others want; and whether it is too late, with the error.
 */
int listener_prepare(const struct start *s, int timeout);
_must_check_ int listener_check(const struct start *s, struct err *err);

/*
 * Child, in place of seccomp_install(): loads the filter, and gives the listener away in between.
 * -errno with the error filled while nothing is loaded; afterwards it returns only on success.
 */
_must_check_ int listener_install(struct start *s, struct err *err);

/* Child, with a filter loaded: ends, whatever that says of exit_group. */
_Noreturn void listener_exit(const struct start *s);

#endif
