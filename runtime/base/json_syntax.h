/*
 * Syntax errors of JSON: from where yajl stopped and what it said to the place and the words that
 * help. Shared by the parser's files only. Pure functions.
 */
#ifndef HULL_BASE_JSON_SYNTAX_H
#define HULL_BASE_JSON_SYNTAX_H

#include "base/json.h"

/* Where the parser was when yajl stopped. */
struct json_stop {
	const struct json_doc *doc;
	size_t end;                   /* the end of the last good token */
	size_t consumed;              /* yajl's count of bytes; exact only inside strings */
	const struct json *container; /* the innermost open one, or NULL */
	const struct json *last;      /* its last child, or NULL */
	const char *key;              /* the key that waits for its value, or NULL */
};

/* Fills the error's message and place; `said` is yajl's own text. Returns -EINVAL. */
int json_syntax_error(const struct json_stop *stop, const char *said, struct err *err);

/* The first offset from `i` on whose byte is none of the set. */
size_t json_syntax_skip(const char *text, size_t size, size_t i, const char *set);

/* Whether the string, as it stands in the document, escapes one half of a surrogate pair. */
bool json_syntax_has_half_pair(const char *raw, size_t size);

#endif
