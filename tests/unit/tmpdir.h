/*
 * A directory of a test's own under /tmp, and short ways to put things into it. Helpers assert:
 * a test that cannot prepare its files has failed.
 */
#ifndef HULL_TESTS_UNIT_TMPDIR_H
#define HULL_TESTS_UNIT_TMPDIR_H

#include <stddef.h>
#include <sys/types.h>

#include "base/defer.h"

struct tmpdir {
	char path[64];
	int fd;
};

void tmpdir_init(struct tmpdir *t);

/* Removes everything in it; does not cross into other mounts. */
void tmpdir_done(struct tmpdir *t);

/* All names are relative to the directory. */
void tmpdir_mkdir(struct tmpdir *t, const char *name, mode_t mode);
void tmpdir_write(struct tmpdir *t, const char *name, mode_t mode, const char *text);
void tmpdir_write_bytes(struct tmpdir *t, const char *name, const void *data, size_t size);
void tmpdir_chmod(struct tmpdir *t, const char *name, mode_t mode);
void tmpdir_symlink(struct tmpdir *t, const char *target, const char *name);

/* "dir/ dir/file ..." of everything below, sorted; into buf. */
void tmpdir_list(struct tmpdir *t, const char *name, char *buf, size_t size);

#define _cleanup_tmpdir_ _cleanup_(tmpdir_done)

#endif
