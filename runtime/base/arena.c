/* Bump allocation from a chain of growing blocks. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA_FIRST_BLOCK ((size_t)16 * 1024)
#define ARENA_ALIGN       _Alignof(max_align_t)

struct arena_block {
	struct arena_block *prev;
	size_t size;
	size_t used;
	_Alignas(max_align_t) unsigned char data[];
};

/* The one exit below cmd/: see the contract in the header. */
static _Noreturn void out_of_memory(void)
{
	static const char text[] = "error: out of memory\n";
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

void arena_init(struct arena *a)
{
	*a = (struct arena) { 0 };
}

void arena_init_mapped(struct arena *a)
{
	*a = (struct arena) { .is_mapped = true };
}

static void *take_memory(const struct arena *a, size_t size)
{
	if (!a->is_mapped)
		return malloc(size);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static void give_back(const struct arena *a, struct arena_block *b)
{
	if (a->is_mapped)
		(void)munmap(b, sizeof(*b) + b->size);
	else
		free(b);
}

void arena_done(struct arena *a)
{
	while (a->last) {
		struct arena_block *b = a->last;
		a->last = b->prev;
		explicit_bzero(b->data, b->used); /* process 1 inherits the heap (init.c) */
		give_back(a, b);
	}
}

void arena_wipe(struct arena *a)
{
	for (struct arena_block *b = a->last; b; b = b->prev)
		explicit_bzero(b->data, b->used);
}

void arena_discard(struct arena *a)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	for (struct arena_block *b = a->last; b; b = b->prev) {
		uintptr_t begin = (uintptr_t)b->data, end = begin + b->used;
		uintptr_t first = (begin + page - 1) / page * page;
		/* To the end of the block: what was never used costs nothing, but may follow. */
		uintptr_t last = (begin + b->size) / page * page;
		if (first >= last || madvise((void *)first, last - first, MADV_DONTNEED) < 0) {
			explicit_bzero(b->data, b->used);
			continue;
		}
		explicit_bzero(b->data, (first < end ? first : end) - begin);
		if (end > last)
			explicit_bzero((void *)last, end - last);
	}
}

static void arena_grow(struct arena *a, size_t need)
{
	size_t size = a->last ? a->last->size * 2 : ARENA_FIRST_BLOCK;
	while (size < need)
		size *= 2;
	struct arena_block *b = take_memory(a, sizeof(*b) + size);
	if (!b)
		out_of_memory();
	b->size = size;
	b->used = 0;
	b->prev = a->last;
	a->last = b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 4)
		out_of_memory();
	size_t rounded = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (!a->last || a->last->size - a->last->used < rounded)
		arena_grow(a, rounded);
	void *p = a->last->data + a->last->used;
	a->last->used += rounded;
	/* Here and not when the block is made: each page that is never used saves a fault, and
	 * another one in each process that fork leaves with it. */
	return memset(p, 0, rounded);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(n, size, &total))
		out_of_memory();
	return arena_alloc(a, total);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	if (n == SIZE_MAX)
		out_of_memory();
	char *p = arena_alloc(a, n + 1);
	memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	char *p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}
