/*
 * JSON: a reader that builds a tree with the position of every value (yajl's streaming parser;
 * yajl's own tree loses the positions), and a writer.
 *
 * A position is 1 + the byte offset of the value's first character, so that 0 means "none".
 * Lines and columns are counted from the text only when somebody wants to see them.
 */
#ifndef HULL_BASE_JSON_H
#define HULL_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	uint32_t at;               /* where the value stands */
	uint32_t key_at;           /* member of an object: where its key stands */
	uint32_t count;            /* array, object: number of children */
	const struct json *parent; /* NULL for the root */
	const char *key;           /* member of an object: its key; else NULL */
	uint32_t index;            /* which child of its parent it is */
	bool boolean;
	bool duplicate;     /* an earlier sibling has the same key */
	const char *text;   /* string: its value, free of NUL; number: as it is written */
	struct json *child; /* first child */
	struct json *next;  /* next sibling */
};

struct json_doc {
	const char *name; /* how errors call the file: "config.json" */
	const char *text;
	size_t size;
	struct json *root;
	const char *const *options; /* what the places from JSON_OPTIONS on stand for; or NULL */
};

/*
 * Parses a text; the tree and its strings live in the arena, the text must live as long.
 * A syntax error names what was expected and sets err->at. At most JSON_MAX_DEPTH levels.
 */
#define JSON_MAX_DEPTH 64
_must_check_ int json_parse(struct arena *arena, const char *name, const char *text, size_t size,
			    struct json_doc *ret, struct err *err);

/* The member of an object, or NULL (also when `object` is not one). */
const struct json *json_get(const struct json *object, const char *key);

/* "a string", "an array": for messages. */
const char *json_type_name(enum json_type type);

/* The node at a position, or NULL. A key's position gives its value. */
const struct json *json_find(const struct json_doc *doc, uint32_t at);

/* Writes the place as people say it: "mounts[7].options[1]", `linux.sysctl["a.b"]`; "" is the root.
 */
void json_path(const struct json *node, char *buf, size_t size);

/* Line and column, both from 1, the column in characters, and the line's text (not terminated). */
void json_position(const struct json_doc *doc, uint32_t at, uint32_t *ret_line,
		   uint32_t *ret_column, const char **ret_text, size_t *ret_size);

/*
 * How many bytes of the line the token at that position takes (at least 1), for underlining.
 * Tokens end with their line.
 */
size_t json_token_size(const struct json_doc *doc, uint32_t at);

/*
 * Fills err's line, column and (where empty) path from err->at. JSON_ELSEWHERE is the place of a
 * value that is given, but not in this document: it is forgotten. JSON_OPTIONS + n is the n-th of
 * doc->options, which becomes the path, without a line.
 */
#define JSON_ELSEWHERE UINT32_MAX
#define JSON_OPTIONS   (UINT32_MAX - 64)
void json_locate(const struct json_doc *doc, struct err *err);

/* Writing: calls nest as the document does; commas, escapes and indentation are the writer's. */
struct json_out {
	struct str *str;
	unsigned depth;
	bool pretty;
	bool first;     /* nothing stands in the current container yet */
	bool after_key; /* the next value follows a key */
};

enum json_out_flags { JSON_OUT_COMPACT, JSON_OUT_PRETTY };

void json_out_init(struct json_out *o, struct str *str, enum json_out_flags flags);
void json_out_object(struct json_out *o);
void json_out_object_end(struct json_out *o);
void json_out_array(struct json_out *o);
void json_out_array_end(struct json_out *o);
void json_out_key(struct json_out *o, const char *key);
void json_out_string(struct json_out *o, const char *value);
void json_out_int(struct json_out *o, int64_t value);
void json_out_uint(struct json_out *o, uint64_t value);
void json_out_bool(struct json_out *o, bool value);
/* A number that is text already, "0.25": it is copied as it is. */
void json_out_number(struct json_out *o, const char *text);
/* A key with its value. */
void json_out_member(struct json_out *o, const char *key, const char *value);

#endif
