/*
 * Strings: a growing text, whole-string number parsing, name tables, and the nearest known word
 * for a did-you-mean.
 */
#ifndef HULL_BASE_STR_H
#define HULL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* A growing text in an arena; `text` is always terminated and never NULL once initialised. */
struct str {
	struct arena *arena;
	char *text;
	size_t used;
	size_t size;
};

void str_init(struct str *s, struct arena *arena);
void str_append(struct str *s, const char *text);
void str_append_n(struct str *s, const char *text, size_t n);
_printf_(2, 3) void str_printf(struct str *s, const char *fmt, ...);

/*
 * The whole of `s` as a decimal number: no sign for the unsigned one, no blanks, no other base.
 * 0, or -EINVAL (not a number) or -ERANGE.
 */
_must_check_ int str_to_u64(const char *s, uint64_t max, uint64_t *ret);
_must_check_ int str_to_i64(const char *s, int64_t *ret);

/* The length of the UTF-8 character at s, which is terminated; 0 when its bytes are none. */
size_t str_utf8_size(const char *s);

/* The character of that size. */
uint32_t str_utf8_char(const char *s, size_t size);

/* What a terminal must not see raw: control characters, line separators, marks that change the
 * direction of writing. */
bool str_is_dangerous(uint32_t c);

bool str_has_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);
/* Whether `word` is one of the words of a list that are separated by single blanks. */
bool str_has_word(const char *list, const char *word);
static inline bool str_eq(const char *a, const char *b)
{
	return *a == *b && __builtin_strcmp(a, b) == 0; /* mostly the first one tells */
}

/* A name and what it stands for; tables end with a NULL name. */
struct str_name {
	const char *name;
	int64_t value;
};

/* The entry of that name, or NULL. The second ignores case. */
const struct str_name *str_name_find(const struct str_name *table, const char *name);
const struct str_name *str_name_find_nocase(const struct str_name *table, const char *name);
/* The first name with that value, or NULL. */
const char *str_name_of(const struct str_name *table, int64_t value);

/*
 * The nearest of the words that next() gives (until NULL) to `word`, or NULL when none is near
 * enough to be what was meant: at most a third of the letters differ, swapped neighbours count
 * once, and case does not count.
 */
const char *str_nearest(const char *word, const char *(*next)(void *state), void *state);
const char *str_nearest_name(const char *word, const struct str_name *table);

#endif
