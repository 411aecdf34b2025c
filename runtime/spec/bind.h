/*
 * From a JSON tree to structs, driven by tables: each object of config.json is one static table of
 * its keys, and each key says what it expects and where in the struct it goes. All problems are
 * collected, none stops the binding; a value with a problem counts as not given.
 *
 * Private to spec/: the rest of hull sees only spec.h. Pure: no system calls.
 */
#ifndef HULL_SPEC_BIND_H
#define HULL_SPEC_BIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/str.h"
#include "spec/spec.h"

/* What the binding of one file needs. */
struct bind {
	struct arena *arena;
	const struct json_doc *doc;
	struct spec_problems *problems;
	const struct bind_object *top; /* of the file: where misplaced keys may belong; or NULL */
	unsigned typos_left; /* how many unknown names may still be compared with the known ones */
};

enum bind_kind {
	BIND_IGNORE, /* known, without meaning on Linux */
	BIND_STR,
	BIND_BOOL,
	BIND_INT,
	BIND_UINT,
	BIND_ENUM, /* a string of the name table, kept as its number */
	BIND_STRV,
	BIND_UINTS,  /* an array of numbers */
	BIND_OBJECT, /* an object that is embedded in the struct */
	BIND_LIST,   /* an array of objects */
	BIND_KEYED,  /* an object whose keys are data and whose values are objects */
	BIND_MAP,    /* an object whose keys are data and whose values are strings */
	BIND_KIND_COUNT,
};

enum bind_flags {
	BIND_REQUIRED = 1u << 0,
	BIND_NONEMPTY = 1u << 1,    /* strings, arrays, and the keys of a map */
	BIND_ABSOLUTE = 1u << 2,    /* an absolute path, or an array of them */
	BIND_EMPTY_UNSET = 1u << 3, /* "" counts as not given: Go programs write it for unset */
};

struct bind_key {
	const char *key;
	enum bind_kind kind;
	unsigned flags; /* enum bind_flags */
	size_t offset;
	int64_t min; /* numbers */
	uint64_t max;
	const struct bind_object *object; /* OBJECT, LIST, KEYED */
	const struct str_name *names;     /* ENUM; STR, STRV and keys of KEYED: the allowed ones */
	bool (*is)(const char *s);        /* STR, STRV: whether a value is well formed */
	const char *what;                 /* what a name stands for, or what is() expects */
	const char *separators;           /* STRV: how a hint splits a string into an array */
	const char *example; /* a good value as JSON, for the hint when it is missing */
};

#define BIND_NO_AT SIZE_MAX

struct bind_object {
	const struct bind_key *keys; /* at most 64, ends with a NULL key */
	size_t size;                 /* of the struct */
	size_t at;                   /* offset of its `at`, or BIND_NO_AT */
	/* Rules across the members, called after all of them are bound. */
	void (*check)(struct bind *b, const struct json *node, void *object);
};

/*
 * One line of a table: BIND(STR, "cwd", struct spec_process, cwd, .flags = BIND_REQUIRED). It does
 * not compile when the member's type is not the one that the kind writes.
 */
#define BIND(kind_, key_, type, member, ...)                                        \
	{                                                                           \
		.key = (key_), .kind = BIND_##kind_,                                \
		.offset = BIND_OFFSET(type, member, BIND_TYPE_##kind_), __VA_ARGS__ \
	}
#define BIND_OFFSET(type, member, is_right) \
	(offsetof(type, member) +           \
	 0 * sizeof(char[is_right(__typeof__(((type *)0)->member)) ? 1 : -1]))

#define BIND_IS(t, wanted)  __builtin_types_compatible_p(t, wanted)
#define BIND_TYPE_STR(t)    BIND_IS(t, struct spec_str)
#define BIND_TYPE_BOOL(t)   BIND_IS(t, struct spec_bool)
#define BIND_TYPE_INT(t)    BIND_IS(t, struct spec_int)
#define BIND_TYPE_UINT(t)   BIND_IS(t, struct spec_uint)
#define BIND_TYPE_ENUM(t)   BIND_IS(t, struct spec_int)
#define BIND_TYPE_STRV(t)   BIND_IS(t, struct spec_strv)
#define BIND_TYPE_MAP(t)    BIND_IS(t, struct spec_map)
#define BIND_TYPE_OBJECT(t) 1
/* The lists differ in the type that they point to. */
#define BIND_TYPE_LIST(t)  (sizeof(t) == sizeof(struct bind_list))
#define BIND_TYPE_KEYED(t) BIND_TYPE_LIST(t)
#define BIND_TYPE_UINTS(t) BIND_TYPE_LIST(t)

/* The object of a table: BIND_TABLE(struct spec_root, root_keys, .check = check_root). */
#define BIND_TABLE(type, keys_, ...)                                                         \
	{                                                                                    \
		.keys = (keys_), .size = sizeof(type), .at = offsetof(type, at), __VA_ARGS__ \
	}

#define BIND_KNOWN(key_)                           \
	{                                          \
		.key = (key_), .kind = BIND_IGNORE \
	}

#define BIND_RANGE(min_, max_) .min = (min_), .max = (max_)
#define BIND_U16               BIND_RANGE(0, UINT16_MAX)
#define BIND_U32               BIND_RANGE(0, UINT32_MAX)
#define BIND_U64               BIND_RANGE(0, UINT64_MAX)
#define BIND_I64               BIND_RANGE(INT64_MIN, INT64_MAX)
/* A user or group: for the kernel -1, the largest one, means "leave it as it is". */
#define BIND_ID BIND_RANGE(0, UINT32_MAX - 1)

/* The layout that all of SPEC_LIST() share. */
struct bind_list {
	void *v;
	size_t n;
	uint32_t at;
};

/* Fills a struct from an object and reports what is wrong. `place` is zeroed, object->size bytes.
 */
void bind_object(struct bind *b, const struct json *node, const struct bind_object *object,
		 void *place);

/* Warns of each key that no table has, of which the binding has said nothing (S-007). */
void bind_tell_unknown(struct bind *b, const struct json *node, const struct bind_object *object);

/* bind_wrong_type(), with the key's example as a hint. */
struct err *bind_wrong_value(struct bind *b, const struct json *node, const struct bind_key *key,
			     const char *expected);

/* Reports one key that appears twice in an object, anywhere below `node` (S-003). */
void bind_check_duplicates(struct bind *b, const struct json *node);

/*
 * Reports a problem with its line, column and path. The result takes hints; it is NULL when there
 * are too many problems to keep this one (err_hint() accepts NULL).
 */
_printf_(3, 4) struct err *bind_error(struct bind *b, uint32_t at, const char *fmt, ...);
_printf_(3, 4) struct err *bind_warn(struct bind *b, uint32_t at, const char *fmt, ...);

/* The same for a member that is not there: the place is the object's, the path the member's. */
_printf_(4, 5) struct err *bind_error_member(struct bind *b, const struct json *object,
					     const char *key, const char *fmt, ...);

/* "did you mean 'x'?" as the hint of *err, if one of the names is near. */
void bind_hint_meant(struct bind *b, struct err *err, const char *word,
		     const struct str_name *names);

/* The same, or else the list of known names. */
void bind_hint_names(struct bind *b, struct err *err, const char *word,
		     const struct str_name *names);

/* The line of a position. */
uint32_t bind_line(const struct bind *b, uint32_t at);

/* The bits that the names of an array stand for, which have been checked against the table. */
uint64_t bind_bits(const struct spec_strv *strv, const struct str_name *names);

/* ---- private to bind.c and bind_value.c ---- */

/* Binds one value that is not an object or a list of objects. */
void bind_value(struct bind *b, const struct json *node, const struct bind_key *key, void *place);

/* "expected an array, found a string". */
struct err *bind_wrong_type(struct bind *b, const struct json *node, const char *expected);

#endif
