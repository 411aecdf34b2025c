/*
 * Binding objects: looks up each key in the object's table, and builds lists and maps of objects.
 * What is said of keys that are misspelt, missing or given twice is in bind_keys.c.
 *
 * Runs in the parent, before anything is made, on a file that nobody has checked yet.
 */
#include "spec/bind.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/defer.h"
#include "spec/bind_keys.h"

/* ---- reporting ---- */

static _printf_(4, 0) struct err *report(struct bind *b, enum spec_severity severity, uint32_t at,
					 const char *fmt, va_list ap)
{
	char text[sizeof(((struct err *)0)->message) + 8]; /* err marks a text that is cut */
	vsnprintf(text, sizeof(text), fmt, ap);
	return spec_problem_add(b->arena, b->problems, severity, at, "%s", text);
}

struct err *bind_error(struct bind *b, uint32_t at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct err *err = report(b, SPEC_ERROR, at, fmt, ap);
	va_end(ap);
	json_locate(b->doc, err);
	return err;
}

struct err *bind_warn(struct bind *b, uint32_t at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct err *err = report(b, SPEC_WARNING, at, fmt, ap);
	va_end(ap);
	json_locate(b->doc, err);
	return err;
}

struct err *bind_error_member(struct bind *b, const struct json *object, const char *key,
			      const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct err *err = report(b, SPEC_ERROR, object->key_at ? object->key_at : object->at, fmt,
				 ap);
	va_end(ap);
	if (!err)
		return NULL;
	json_path(object, err->path, sizeof(err->path));
	size_t n = strlen(err->path);
	snprintf(err->path + n, sizeof(err->path) - n, "%s%s", n ? "." : "", key);
	json_locate(b->doc, err);
	return err;
}

struct err *bind_wrong_type(struct bind *b, const struct json *node, const char *expected)
{
	return bind_error(b, node->at, "expected %s, found %s", expected,
			  json_type_name(node->type));
}

uint32_t bind_line(const struct bind *b, uint32_t at)
{
	uint32_t line, column;
	const char *text;
	size_t size;
	json_position(b->doc, at, &line, &column, &text, &size);
	return line;
}

/* ---- objects ---- */

/* Lists are declared with the type of their elements; all have the layout of struct bind_list. */
static void put_list(void *place, void *v, const struct json *node)
{
	struct bind_list list = { .v = v, .n = node->count, .at = node->at };
	memcpy(place, &list, sizeof(list));
}

/* A plain word where an object belongs stands for its first member, as in "pid". */
static void bind_element(struct bind *b, const struct json *node, const struct bind_object *object,
			 void *place)
{
	if (node->type != JSON_STRING || strcspn(node->text, "\"\\\n") != strlen(node->text)) {
		bind_object(b, node, object, place);
		return;
	}
	struct err *err = bind_wrong_type(b, node, "an object");
	err_hint(err, "for example {\"%s\": \"%s\"}", object->keys[0].key, node->text);
}

/* What a value of the wrong type could look like. */
static void hint_example(const struct bind_key *key, struct err *err)
{
	if (err && key->example && !err->hint[0])
		err_hint(err, "for example \"%s\": %s", key->key, key->example);
}

struct err *bind_wrong_value(struct bind *b, const struct json *node, const struct bind_key *key,
			     const char *expected)
{
	struct err *err = bind_wrong_type(b, node, expected);
	hint_example(key, err);
	return err;
}

static void bind_list(struct bind *b, const struct json *node, const struct bind_key *key,
		      void *place)
{
	if (node->type != JSON_ARRAY) {
		struct err *err = bind_wrong_type(b, node, "an array of objects");
		if (node->type == JSON_OBJECT)
			err_hint(err, "put the object into [ ]");
		return;
	}
	char *elements = arena_array(b->arena, node->count, key->object->size);
	size_t i = 0;
	for (const struct json *c = node->child; c; c = c->next)
		bind_element(b, c, key->object, elements + key->object->size * i++);
	put_list(place, elements, node);
}

/* The structs of such maps begin with their key and its place. */
struct keyed {
	const char *key;
	uint32_t key_at;
};
_Static_assert(offsetof(struct spec_net_device, key_at) == offsetof(struct keyed, key_at) &&
		       offsetof(struct spec_time_offset, key_at) ==
			       offsetof(struct keyed, key_at) &&
		       offsetof(struct spec_rdma, key_at) == offsetof(struct keyed, key_at),
	       "structs of keyed maps begin with key and key_at");

static void bind_keyed_element(struct bind *b, const struct json *node, const struct bind_key *key,
			       char *place)
{
	memcpy(place + offsetof(struct keyed, key), &node->key, sizeof(node->key));
	memcpy(place + offsetof(struct keyed, key_at), &node->key_at, sizeof(node->key_at));
	if (key->names && !str_name_find(key->names, node->key)) {
		struct err *err = bind_error(b, node->key_at, "unknown %s '%s'", key->what,
					     node->key);
		bind_hint_names(b, err, node->key, key->names);
		return;
	}
	if ((key->flags & BIND_NONEMPTY) && !*node->key)
		bind_error(b, node->key_at, "the key must not be empty");
	bind_object(b, node, key->object, place);
}

static void bind_keyed(struct bind *b, const struct json *node, const struct bind_key *key,
		       void *place)
{
	if (node->type != JSON_OBJECT) {
		bind_wrong_type(b, node, "an object");
		return;
	}
	char *elements = arena_array(b->arena, node->count, key->object->size);
	size_t i = 0;
	for (const struct json *m = node->child; m; m = m->next)
		bind_keyed_element(b, m, key, elements + key->object->size * i++);
	put_list(place, elements, node);
}

static void bind_embedded(struct bind *b, const struct json *node, const struct bind_key *key,
			  void *place)
{
	if (node->type == JSON_OBJECT)
		bind_object(b, node, key->object, place);
	else
		bind_wrong_value(b, node, key, "an object");
}

static void bind_nothing(struct bind *b _unused_, const struct json *node _unused_,
			 const struct bind_key *key _unused_, void *place _unused_)
{
}

static void bind_member(struct bind *b, const struct json *node, const struct bind_key *key,
			void *place)
{
	static void (*const binders[BIND_KIND_COUNT])(struct bind *, const struct json *,
						      const struct bind_key *, void *) = {
		[BIND_IGNORE] = bind_nothing,
		[BIND_OBJECT] = bind_embedded,
		[BIND_LIST] = bind_list,
		[BIND_KEYED] = bind_keyed,
	};
	if (binders[key->kind])
		binders[key->kind](b, node, key, place);
	else
		bind_value(b, node, key, place);
}

void bind_object(struct bind *b, const struct json *node, const struct bind_object *object,
		 void *place)
{
	if (node->type != JSON_OBJECT) {
		bind_wrong_type(b, node, "an object");
		return;
	}
	if (object->at != BIND_NO_AT)
		memcpy((char *)place + object->at, &node->at, sizeof(node->at));
	uint64_t seen = 0; /* one bit for each line of the table */
	for (const struct json *m = node->child; m; m = m->next) {
		const struct bind_key *key = bind_find_key(object, m->key);
		if (!key) {
			bind_note_unknown(b, m, object);
		} else if (m->type != JSON_NULL && !m->duplicate) {
			seen |= UINT64_C(1) << (key - object->keys);
			bind_member(b, m, key, (char *)place + key->offset);
		}
	}
	for (const struct bind_key *key = object->keys; key->key; key++)
		if ((key->flags & BIND_REQUIRED) && !(seen & UINT64_C(1) << (key - object->keys)))
			bind_report_missing(b, node, object, key);
	if (object->check)
		object->check(b, node, place);
}
