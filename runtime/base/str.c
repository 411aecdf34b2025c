/* Strings: see the header. Pure functions; no system calls. */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define STR_NEAREST_MAX 64 /* longer words are not compared */

void str_init(struct str *s, struct arena *arena)
{
	s->arena = arena;
	s->used = 0;
	s->size = 64;
	s->text = arena_alloc(arena, s->size);
}

static void str_reserve(struct str *s, size_t more)
{
	if (s->size - s->used > more)
		return;
	size_t size = s->size;
	while (size - s->used <= more)
		size *= 2;
	char *text = arena_alloc(s->arena, size);
	memcpy(text, s->text, s->used);
	s->text = text;
	s->size = size;
}

void str_append_n(struct str *s, const char *text, size_t n)
{
	str_reserve(s, n);
	memcpy(s->text + s->used, text, n);
	s->used += n;
	s->text[s->used] = '\0';
}

void str_append(struct str *s, const char *text)
{
	str_append_n(s, text, strlen(text));
}

void str_printf(struct str *s, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		str_reserve(s, (size_t)n);
		vsnprintf(s->text + s->used, (size_t)n + 1, fmt, again);
		s->used += (size_t)n;
	}
	va_end(again);
}

int str_to_u64(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	if (!*s || s[strspn(s, "0123456789")])
		return -EINVAL;
	for (; *s; s++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
			return -ERANGE;
	}
	if (value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int str_to_i64(const char *s, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t magnitude;
	int r = str_to_u64(s + negative, (uint64_t)INT64_MAX + negative, &magnitude);
	if (r < 0)
		return r;
	*ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return 0;
}

/* What may follow the first byte (RFC 3629, section 4): no overlong forms, no surrogates. */
static const struct utf8_row {
	unsigned char first_min, first_max, second_min, second_max;
	size_t size;
} utf8_rows[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t str_utf8_size(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	const struct utf8_row *row = NULL;
	if (u[0] < 0x80) /* as nearly all text is */
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(utf8_rows) && !row; i++)
		if (u[0] >= utf8_rows[i].first_min && u[0] <= utf8_rows[i].first_max)
			row = &utf8_rows[i];
	if (!row)
		return 0;
	if (row->size > 1 && (u[1] < row->second_min || u[1] > row->second_max))
		return 0;
	for (size_t i = 2; i < row->size; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return row->size;
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && str_eq(s + n - m, suffix);
}

bool str_has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list; n && (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

const struct str_name *str_name_find(const struct str_name *table, const char *name)
{
	for (; table->name; table++)
		if (str_eq(table->name, name))
			return table;
	return NULL;
}

const struct str_name *str_name_find_nocase(const struct str_name *table, const char *name)
{
	for (; table->name; table++)
		if (strcasecmp(table->name, name) == 0)
			return table;
	return NULL;
}

const char *str_name_of(const struct str_name *table, int64_t value)
{
	for (; table->name; table++)
		if (table->value == value)
			return table->name;
	return NULL;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

/* The Damerau-Levenshtein distance (restricted to neighbouring swaps), without regard to case. */
static unsigned edit_distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	unsigned rows[3][STR_NEAREST_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= nb; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			int ca = tolower((unsigned char)a[i - 1]);
			int cb = tolower((unsigned char)b[j - 1]);
			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		unsigned *oldest = before;
		before = last;
		last = now;
		now = oldest;
	}
	return last[nb];
}

const char *str_nearest(const char *word, const char *(*next)(void *state), void *state)
{
	size_t n = strlen(word);
	if (n == 0 || n > STR_NEAREST_MAX)
		return NULL;
	unsigned best_distance = (unsigned)(n / 3 > 0 ? n / 3 : 1) + 1;
	const char *best = NULL;
	for (const char *candidate = next(state); candidate; candidate = next(state)) {
		size_t nc = strlen(candidate);
		if (nc > STR_NEAREST_MAX || (nc > n ? nc - n : n - nc) >= best_distance)
			continue;
		unsigned d = edit_distance(word, candidate);
		if (d < best_distance) {
			best_distance = d;
			best = candidate;
		}
	}
	return best;
}

static const char *next_name(void *state)
{
	const struct str_name **entry = state;
	return (*entry)->name ? (*entry)++->name : NULL;
}

const char *str_nearest_name(const char *word, const struct str_name *table)
{
	return str_nearest(word, next_name, &table);
}

uint32_t str_utf8_char(const char *s, size_t size)
{
	static const uint8_t bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = (uint8_t)s[0] & bits[size];
	for (size_t i = 1; i < size; i++)
		c = c << 6 | ((uint8_t)s[i] & 0x3f);
	return c;
}

bool str_is_dangerous(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} dangerous[] = {
		{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0x061c, 0x061c }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x2069 }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
	};
	for (size_t i = 0; i < ARRAY_SIZE(dangerous); i++)
		if (c >= dangerous[i].first && c <= dangerous[i].last)
			return true;
	return false;
}
