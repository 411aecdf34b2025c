/*
 * The values that the structs of a config.json are made of: each with its place in the file, 0 when
 * it is not given. Part of spec.h, which explains them.
 */
#ifndef HULL_SPEC_VALUES_H
#define HULL_SPEC_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spec_str {
	const char *s;
	uint32_t at;
};
struct spec_int {
	int64_t v;
	uint32_t at;
};
struct spec_uint {
	uint64_t v;
	uint32_t at;
};
struct spec_bool {
	bool v;
	uint32_t at;
};
struct spec_strv { /* an array of strings */
	struct spec_str *v;
	size_t n;
	uint32_t at;
};
struct spec_pair { /* a member of a map of strings */
	const char *key;
	const char *value;
	uint32_t key_at;
	uint32_t at;
};
struct spec_map {
	struct spec_pair *v;
	size_t n;
	uint32_t at;
};

/* The body of a struct that is an array of things of one type. */
#define SPEC_LIST(type)      \
	{                    \
		type *v;     \
		size_t n;    \
		uint32_t at; \
	}

#endif
