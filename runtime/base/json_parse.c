/*
 * Reading: yajl's callbacks build the tree. Inside a callback yajl_get_bytes_consumed() is the end
 * of the token, and a token starts where the blanks, commas and colons after the one before it end.
 */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/json_syntax.h"

struct builder {
	struct arena *arena;
	yajl_handle yajl;
	const char *text;
	size_t size;
	size_t end; /* where the token before ended */
	struct json *root;
	struct json *container; /* the innermost open array or object */
	struct json *last;      /* its last child */
	struct json *open[JSON_MAX_DEPTH];
	struct json *last_of[JSON_MAX_DEPTH];
	unsigned depth;
	const char *key;
	uint32_t key_at;
	const char *problem; /* why a callback stopped the parser */
	uint32_t problem_at;
};

/* The position of the token that yajl reports now. */
static uint32_t token_at(struct builder *b)
{
	size_t start = json_syntax_skip(b->text, b->size, b->end, " \t\r\n,:");
	b->end = yajl_get_bytes_consumed(b->yajl);
	return (uint32_t)start + 1;
}

static int stop(struct builder *b, const char *problem, uint32_t at)
{
	b->problem = problem;
	b->problem_at = at;
	return 0;
}

static struct json *add(struct builder *b, enum json_type type)
{
	struct json *node = arena_new(b->arena, struct json);
	node->type = type;
	node->at = token_at(b);
	node->parent = b->container;
	node->key = b->key;
	node->key_at = b->key_at;
	b->key = NULL;
	b->key_at = 0;
	if (!b->container) {
		b->root = node;
		return node;
	}
	node->index = b->container->count++;
	if (b->last)
		b->last->next = node;
	else
		b->container->child = node;
	b->last = node;
	return node;
}

static int on_null(void *ctx)
{
	add(ctx, JSON_NULL);
	return 1;
}

static int on_boolean(void *ctx, int value)
{
	add(ctx, JSON_BOOL)->boolean = value;
	return 1;
}

static int on_number(void *ctx, const char *text, size_t size)
{
	struct builder *b = ctx;
	add(b, JSON_NUMBER)->text = arena_strndup(b->arena, text, size);
	return 1;
}

/*
 * What yajl lets pass and hull does not: NUL would end the text early for everybody behind, and
 * bytes or escapes that are no characters would be changed on the way to the program.
 */
static int check_text(struct builder *b, const char *text, size_t size, uint32_t at)
{
	if (memchr(text, '\0', size))
		return stop(b, "a string must not contain \\u0000", at);
	if (json_syntax_has_half_pair(b->text + at - 1, b->end - (at - 1)))
		return stop(b, "a string has half of a surrogate pair", at);
	for (const char *s = text; *s;) {
		size_t n = str_utf8_size(s);
		if (n == 0)
			return stop(b, "a string has bytes that are not UTF-8", at);
		s += n;
	}
	return 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t size)
{
	struct builder *b = ctx;
	struct json *node = add(b, JSON_STRING);
	node->text = arena_strndup(b->arena, (const char *)text, size);
	return check_text(b, node->text, size, node->at);
}

static int on_key(void *ctx, const unsigned char *text, size_t size)
{
	struct builder *b = ctx;
	b->key_at = token_at(b);
	b->key = arena_strndup(b->arena, (const char *)text, size);
	return check_text(b, b->key, size, b->key_at);
}

static int open_container(struct builder *b, enum json_type type)
{
	struct json *node = add(b, type);
	if (b->depth == JSON_MAX_DEPTH)
		return stop(b, "the nesting is too deep", node->at);
	b->open[b->depth] = b->container;
	b->last_of[b->depth] = b->last;
	b->depth++;
	b->container = node;
	b->last = NULL;
	return 1;
}

static int by_key(const void *a, const void *b)
{
	const struct json *x = *(struct json *const *)a, *y = *(struct json *const *)b;
	int order = strcmp(x->key, y->key);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* RFC 8259 and the glossary of the spec (S-003): the names in an object are unique. */
static void mark_duplicates(struct arena *arena, struct json *object)
{
	if (object->count < 2)
		return;
	struct json **members = arena_array(arena, object->count, sizeof(struct json *));
	size_t n = 0;
	for (struct json *m = object->child; m; m = m->next)
		members[n++] = m;
	qsort(members, n, sizeof(struct json *), by_key);
	for (size_t i = 1; i < n; i++)
		members[i]->duplicate = str_eq(members[i]->key, members[i - 1]->key);
}

static int close_container(void *ctx)
{
	struct builder *b = ctx;
	token_at(b);
	if (b->container->type == JSON_OBJECT)
		mark_duplicates(b->arena, b->container);
	b->depth--;
	b->container = b->open[b->depth];
	b->last = b->last_of[b->depth];
	return 1;
}

static int on_object(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int on_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static const yajl_callbacks json_callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_object,
	.yajl_map_key = on_key,
	.yajl_end_map = close_container,
	.yajl_start_array = on_array,
	.yajl_end_array = close_container,
};

static int syntax_error(struct builder *b, const struct json_doc *doc, struct err *err)
{
	const struct json_stop stop = {
		.doc = doc,
		.end = b->end,
		.consumed = yajl_get_bytes_consumed(b->yajl),
		.container = b->container,
		.last = b->last,
		.key = b->key,
	};
	if (b->problem) {
		err_say(err, ERR_CONFIG, EINVAL, "%s", b->problem);
		err_at(err, b->problem_at);
		return -EINVAL;
	}
	unsigned char *raw = yajl_get_error(b->yajl, 0, (const unsigned char *)doc->text,
					    doc->size);
	int r = json_syntax_error(&stop, raw ? (const char *)raw : "", err);
	if (raw)
		yajl_free_error(b->yajl, raw);
	return r;
}

int json_parse(struct arena *arena, const char *name, const char *text, size_t size,
	       struct json_doc *ret, struct err *err)
{
	struct builder b = { .arena = arena, .text = text, .size = size };

	ret->name = name;
	ret->text = text;
	ret->size = size;
	ret->root = NULL;
	if (size >= UINT32_MAX)
		return err_say(err, ERR_LIMIT, EFBIG, "the document is larger than 4 GiB");
	b.yajl = yajl_alloc(&json_callbacks, NULL, &b);
	if (!b.yajl)
		return err_sys(err, ENOMEM, "cannot parse %s", name);
	int r = 0;
	if (yajl_parse(b.yajl, (const unsigned char *)text, size) != yajl_status_ok ||
	    yajl_complete_parse(b.yajl) != yajl_status_ok || !b.root)
		r = syntax_error(&b, ret, err);
	yajl_free(b.yajl);
	if (r < 0)
		json_locate(ret, err);
	else
		ret->root = b.root;
	return r;
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *m = object->child; m; m = m->next)
		if (str_eq(m->key, key))
			return m;
	return NULL;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = { "null",     "a boolean", "a number",
					     "a string", "an array",  "an object" };
	return names[type];
}
