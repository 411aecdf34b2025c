/*
 * Binding values: strings, booleans, numbers, names, arrays of them and maps of strings, each with
 * what was expected, what was found, and what to write instead. Pure.
 */
#include "spec/bind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what to write instead ---- */

/* Splits as a shell would, without expanding anything: blanks separate, quotes hold together. */
static const char *take_word(const char *s, const char *separators, struct str *word)
{
	char quote = '\0';
	s += strspn(s, separators);
	for (; *s && (quote || !strchr(separators, *s)); s++) {
		if (quote ? *s == quote : (*s == '\'' || *s == '"'))
			quote = quote ? '\0' : *s;
		else
			str_append_n(word, s, 1);
	}
	return s;
}

/* A string where an array belongs: shows the array that was probably meant. */
static void hint_array(struct bind *b, struct err *err, const struct json *node,
		       const char *separators)
{
	if (!err || !node->key)
		return;
	struct str text;
	str_init(&text, b->arena);
	const char *rest = node->text;
	do {
		struct str word;
		str_init(&word, b->arena);
		rest = take_word(rest, separators, &word);
		if (text.used && !word.used)
			break;
		struct str quoted;
		struct json_out out;
		str_init(&quoted, b->arena);
		json_out_init(&out, &quoted, JSON_OUT_COMPACT);
		json_out_string(&out, word.text);
		str_printf(&text, "%s%s", text.used ? ", " : "", quoted.text);
	} while (*rest && text.used < sizeof(err->hint));
	err_hint(err, "\"%s\": [%s]", node->key, text.text);
}

/* A value in quotes that would be right without them. */
static void hint_quotes(struct err *err, const struct json *node, bool is_right)
{
	if (is_right)
		err_hint(err, "write %s without quotes", node->text);
}

/* The other way round. */
static void hint_string(struct err *err, const struct json *node)
{
	if (err && node->type == JSON_NUMBER)
		err_hint(err, "write \"%s\", with quotes", node->text);
	if (err && node->type == JSON_BOOL)
		err_hint(err, "write \"%s\", with quotes", node->boolean ? "true" : "false");
}

/* ---- strings ---- */

static struct err *unexpected(struct bind *b, const struct json *node, const char *expected)
{
	return bind_error(b, node->at, "expected %s, found \"%s\"", expected, node->text);
}

/* Whether a string is what its key allows; reports it when not. */
static bool is_allowed(struct bind *b, const struct json *node, const struct bind_key *key)
{
	if (key->names && !str_name_find(key->names, node->text)) {
		struct err *err = bind_error(b, node->at, "unknown %s '%s'", key->what, node->text);
		bind_hint_names(b, err, node->text, key->names);
		return false;
	}
	if ((key->flags & BIND_ABSOLUTE) && node->text[0] != '/') {
		unexpected(b, node, "an absolute path");
		return false;
	}
	if (key->is && !key->is(node->text)) {
		unexpected(b, node, key->what);
		return false;
	}
	return true;
}

static void bind_str(struct bind *b, const struct json *node, const struct bind_key *key,
		     void *place)
{
	struct spec_str *ret = place;
	if (node->type != JSON_STRING) {
		bind_wrong_type(b, node, "a string");
		return;
	}
	if (!*node->text && (key->flags & BIND_EMPTY_UNSET))
		return;
	if (!*node->text && (key->flags & BIND_NONEMPTY)) {
		bind_error(b, node->at, "must not be empty");
		return;
	}
	if (is_allowed(b, node, key))
		*ret = (struct spec_str) { .s = node->text, .at = node->at };
}

static void bind_enum(struct bind *b, const struct json *node, const struct bind_key *key,
		      void *place)
{
	struct spec_int *ret = place;
	if (node->type != JSON_STRING) {
		bind_wrong_type(b, node, "a string");
		return;
	}
	const struct str_name *found = str_name_find(key->names, node->text);
	if (found)
		*ret = (struct spec_int) { .v = found->value, .at = node->at };
	else
		is_allowed(b, node, key);
}

static void bind_strv(struct bind *b, const struct json *node, const struct bind_key *key,
		      void *place)
{
	struct spec_strv *ret = place;
	if (node->type != JSON_ARRAY) {
		bool is_string = node->type == JSON_STRING;
		struct err *err = (is_string
					   ? bind_wrong_type(b, node, "an array of strings")
					   : bind_wrong_value(b, node, key, "an array of strings"));
		if (is_string)
			hint_array(b, err, node, key->separators ? key->separators : "");
		return;
	}
	if ((key->flags & BIND_NONEMPTY) && node->count == 0)
		bind_error(b, node->at, "must have at least one element");
	struct spec_str *v = arena_array(b->arena, node->count, sizeof(*v));
	size_t n = 0;
	for (const struct json *c = node->child; c; c = c->next) {
		if (c->type != JSON_STRING)
			bind_wrong_type(b, c, "a string");
		else if (is_allowed(b, c, key))
			v[n++] = (struct spec_str) { .s = c->text, .at = c->at };
	}
	*ret = (struct spec_strv) { .v = v, .n = n, .at = node->at };
}

uint64_t bind_bits(const struct spec_strv *strv, const struct str_name *names)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < strv->n; i++) {
		const struct str_name *found = str_name_find(names, strv->v[i].s);
		if (found)
			bits |= (uint64_t)found->value;
	}
	return bits;
}

static void bind_map(struct bind *b, const struct json *node, const struct bind_key *key,
		     void *place)
{
	struct spec_map *ret = place;
	if (node->type != JSON_OBJECT) {
		bind_wrong_value(b, node, key, "an object of strings");
		return;
	}
	struct spec_pair *v = arena_array(b->arena, node->count, sizeof(*v));
	size_t n = 0;
	for (const struct json *m = node->child; m; m = m->next) {
		if ((key->flags & BIND_NONEMPTY) && !*m->key)
			bind_error(b, m->key_at, "the key must not be empty");
		else if (m->type != JSON_STRING)
			hint_string(bind_wrong_type(b, m, "a string"), m);
		else
			v[n++] = (struct spec_pair) { m->key, m->text, m->key_at, m->at };
	}
	*ret = (struct spec_map) { .v = v, .n = n, .at = node->at };
}

/* ---- booleans and numbers ---- */

static void bind_bool(struct bind *b, const struct json *node, const struct bind_key *key _unused_,
		      void *place)
{
	struct spec_bool *ret = place;
	if (node->type == JSON_BOOL) {
		*ret = (struct spec_bool) { .v = node->boolean, .at = node->at };
		return;
	}
	struct err *err = bind_wrong_type(b, node, "true or false");
	if (node->type == JSON_STRING)
		hint_quotes(err, node, str_eq(node->text, "true") || str_eq(node->text, "false"));
}

static bool to_int(const char *text, const struct bind_key *key, int64_t *ret)
{
	int64_t v;
	if (str_to_i64(text, &v) < 0 || v < key->min || v > (int64_t)key->max)
		return false;
	*ret = v;
	return true;
}

static bool to_uint(const char *text, const struct bind_key *key, uint64_t *ret)
{
	uint64_t v;
	if (str_to_u64(text, key->max, &v) < 0 || v < (uint64_t)key->min)
		return false;
	*ret = v;
	return true;
}

/* "an integer from 0 to 7"; ends that are only those of the type say nothing. */
static void describe_range(char *buf, size_t size, const struct bind_key *key)
{
	bool is_open = key->max == UINT64_MAX || key->max == INT64_MAX;
	if (is_open && key->min == INT64_MIN)
		snprintf(buf, size, "a 64-bit integer");
	else if (is_open)
		snprintf(buf, size, "an integer of at least %lld", (long long)key->min);
	else
		snprintf(buf, size, "an integer from %lld to %llu", (long long)key->min,
			 (unsigned long long)key->max);
}

/* Numbers that people write as text: octal modes, and sizes with a unit. */
static bool is_octal(const char *text, uint64_t *ret)
{
	if (text[0] != '0' || !text[1] || strspn(text, "01234567") != strlen(text))
		return false;
	*ret = strtoull(text, NULL, 8);
	return true;
}

static bool is_size(const char *text, uint64_t *ret)
{
	static const char units[] = "kmg";
	char number[24];
	size_t n = strspn(text, "0123456789");
	const char *unit = text[n] ? strchr(units, text[n] | 0x20) : NULL;
	if (!unit || text[n + 1] || n >= sizeof(number))
		return false;
	memcpy(number, text, n);
	number[n] = '\0';
	unsigned shift = 10u * (unsigned)(unit - units + 1);
	if (str_to_u64(number, UINT64_MAX >> shift, ret) < 0)
		return false;
	*ret <<= shift;
	return true;
}

static void hint_number(struct err *err, const struct json *node, const struct bind_key *key)
{
	uint64_t u;
	int64_t i;
	if (is_octal(node->text, &u))
		err_hint(err, "numbers are decimal: octal %s is %llu", node->text,
			 (unsigned long long)u);
	else if (is_size(node->text, &u))
		err_hint(err, "numbers have no unit: %s is %llu", node->text,
			 (unsigned long long)u);
	else
		hint_quotes(err, node, to_int(node->text, key, &i) || to_uint(node->text, key, &u));
}

/* 1.5e9, which is a whole number all the same. */
static void hint_whole(struct err *err, const struct json *node, const struct bind_key *key)
{
	char digits[32];
	uint64_t u;
	int64_t i;
	double v = strtod(node->text, NULL);
	if (!(v >= 0 && v < (double)(UINT64_C(1) << 53)) || v != (double)(uint64_t)v)
		return;
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v);
	if (!str_eq(digits, node->text) && (to_int(digits, key, &i) || to_uint(digits, key, &u)))
		err_hint(err, "write %s, with digits only", digits);
}

static void wrong_number(struct bind *b, const struct json *node, const struct bind_key *key)
{
	const char *found = node->type == JSON_NUMBER ? node->text : json_type_name(node->type);
	char range[80];
	describe_range(range, sizeof(range), key);
	struct err *err = bind_error(b, node->at, "expected %s, found %s", range, found);
	if (err && node->type == JSON_STRING)
		hint_number(err, node, key);
	else if (err && node->type == JSON_NUMBER)
		hint_whole(err, node, key);
}

static void bind_int(struct bind *b, const struct json *node, const struct bind_key *key,
		     void *place)
{
	struct spec_int *ret = place;
	int64_t v;
	if (node->type == JSON_NUMBER && to_int(node->text, key, &v))
		*ret = (struct spec_int) { .v = v, .at = node->at };
	else
		wrong_number(b, node, key);
}

static void bind_uint(struct bind *b, const struct json *node, const struct bind_key *key,
		      void *place)
{
	struct spec_uint *ret = place;
	uint64_t v;
	if (node->type == JSON_NUMBER && to_uint(node->text, key, &v))
		*ret = (struct spec_uint) { .v = v, .at = node->at };
	else
		wrong_number(b, node, key);
}

static void bind_uints(struct bind *b, const struct json *node, const struct bind_key *key,
		       void *place)
{
	if (node->type != JSON_ARRAY) {
		bind_wrong_type(b, node, "an array of integers");
		return;
	}
	struct spec_uint *v = arena_array(b->arena, node->count, sizeof(*v));
	size_t n = 0;
	for (const struct json *c = node->child; c; c = c->next)
		bind_uint(b, c, key, &v[n++]);
	struct bind_list list = { .v = v, .n = n, .at = node->at };
	memcpy(place, &list, sizeof(list));
}

void bind_value(struct bind *b, const struct json *node, const struct bind_key *key, void *place)
{
	static void (*const binders[BIND_KIND_COUNT])(struct bind *, const struct json *,
						      const struct bind_key *, void *) = {
		[BIND_STR] = bind_str,   [BIND_ENUM] = bind_enum,   [BIND_STRV] = bind_strv,
		[BIND_MAP] = bind_map,   [BIND_BOOL] = bind_bool,   [BIND_INT] = bind_int,
		[BIND_UINT] = bind_uint, [BIND_UINTS] = bind_uints,
	};
	binders[key->kind](b, node, key, place);
}
