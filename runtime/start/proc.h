/*
 * Writing to /proc, so that nothing mounted over it can redirect the write. The
 * host's /proc: in the child, before pivot, cloned without what is mounted on it.
 */
#ifndef HULL_START_PROC_H
#define HULL_START_PROC_H

#include <stddef.h>

#include "base/err.h"

/* A detached clone of the caller's procfs, checked to be one. */
_must_check_ int proc_open(int *ret_fd, struct err *err);

/* The procfs as it is mounted, for those who may clone nothing or look only at one process. */
_must_check_ int proc_open_plain(int *ret_fd, struct err *err);

/* Parent: whether the numbers of processes in /proc are those that hull knows them by. */
_must_check_ int proc_check_own(struct err *err);

/* Opens a file below it, named as below: the descriptor, or -errno without a text. */
_must_check_ int proc_open_file(int proc_fd, const char *path, int flags);

/*
 * Writes a value to a file below it, named relative to its root. 0, or -errno without a text;
 * EXDEV when something is mounted in between, ELOOP when a link leads elsewhere.
 */
_must_check_ int proc_write(int proc_fd, const char *path, const char *value);

/* Reads one, without its newline; as fd_read_value(). */
_must_check_ int proc_read(int proc_fd, const char *path, char *buf, size_t size);

#endif
