/* Running a program of the host for what it prints. */
#ifndef HULL_CMD_CAPTURE_H
#define HULL_CMD_CAPTURE_H

#include "base/err.h"
#include "base/str.h"

/*
 * Runs argv[0], found by PATH, with the caller's environment and standard error, and appends what
 * it prints. It has thirty seconds; another exit status than 0 is an error.
 */
_must_check_ int capture_run(char **argv, struct str *ret, struct err *err);

#endif
