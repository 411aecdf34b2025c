/* Signals as people and engines write them. */
#ifndef HULL_CMD_SIGNAL_H
#define HULL_CMD_SIGNAL_H

#include "base/err.h"

/* A number, or a name: "9", "KILL", "SIGKILL", "sigkill", "RTMIN+3". */
_must_check_ int signal_parse(const char *text, int *ret, struct err *err);

#endif
