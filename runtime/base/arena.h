/*
 * Memory that is freed as a whole: one arena for a spec, one for a plan. All of it is taken before
 * the first lasting effect of a command, so running out of memory may simply end the program
 * (arena_alloc never returns NULL): nothing has been made that could be left behind.
 */
#ifndef HULL_BASE_ARENA_H
#define HULL_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/defer.h"

struct arena_block;

struct arena {
	struct arena_block *last; /* the block that allocations come from */
	bool is_mapped;           /* its memory is not malloc's */
};

void arena_init(struct arena *a);
/* One that stays when all that malloc has given is thrown away. */
void arena_init_mapped(struct arena *a);
void arena_done(struct arena *a);

/* Zeroes all that was ever put there; it is of no use then but for arena_done(). */
void arena_wipe(struct arena *a);

/*
 * Gives the memory back to the kernel, as far as it is whole pages, and what is not is wiped: for a
 * process that goes on without ever allocating or freeing anything again.
 */
void arena_discard(struct arena *a);

/* Zeroed memory, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((alloc_size(2), returns_nonnull));

/* A zeroed array; an overflowing product ends the program like a lack of memory. */
void *arena_array(struct arena *a, size_t n, size_t size)
	__attribute__((alloc_size(2, 3), returns_nonnull));

char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
_printf_(2, 3) char *arena_printf(struct arena *a, const char *fmt, ...);

#define _cleanup_arena_    _cleanup_(arena_done)
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
