/*
 * A store of container states in a directory of the test's own.
 */
#ifndef HULL_TESTS_UNIT_STOREDIR_H
#define HULL_TESTS_UNIT_STOREDIR_H

#include "base/arena.h"
#include "state/state.h"
#include "tmpdir.h"

struct storedir {
	struct tmpdir dir; /* the store is its directory "store" */
	struct arena arena;
	struct state_store store;
	struct err err;
};

void storedir_init(struct storedir *f);
void storedir_done(struct storedir *f);

#define _cleanup_storedir_ _cleanup_(storedir_done)

/* A small state file with this version, status and pid, each as JSON. */
#define STOREDIR_FILE(version, status, pid)                                                \
	"{\"version\": " version ", \"id\": \"a\", \"bundle\": \"/\", \"status\": " status \
	", \"pid\": " pid ", \"created\": \"x\", \"hull\": {}}"

#endif
