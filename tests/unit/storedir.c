/* A store of a test's own: see the header. */
#include "storedir.h"

#include <stdio.h>
#include <stdlib.h>

void storedir_init(struct storedir *f)
{
	*f = (struct storedir) { 0 };
	tmpdir_init(&f->dir);
	arena_init(&f->arena);
	const char *path = arena_printf(&f->arena, "%s/store", f->dir.path);
	if (state_store_open(&f->store, path, NULL, STATE_STORE_CREATE, &f->arena, &f->err) < 0) {
		fprintf(stderr, "storedir: %s\n", f->err.message);
		abort();
	}
}

void storedir_done(struct storedir *f)
{
	state_store_close(&f->store);
	arena_done(&f->arena);
	tmpdir_done(&f->dir);
}
