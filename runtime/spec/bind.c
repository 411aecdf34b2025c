/*
 * Binding objects: looks up each key in the object's table, notices keys that are misspelt,
 * missing or given twice, and builds lists and maps of objects.
 *
 * Runs in the parent, before anything is made, on a file that nobody has checked yet.
 */
#include "spec/bind.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/defer.h"

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

/* ---- keys that are not as they should be ---- */

static const char *next_key(void *state)
{
	const struct bind_key **key = state;
	return (*key)->key ? (*key)++->key : NULL;
}

/* Comparing is slow, and words of one or two letters are all near each other. */
static bool may_be_typo(struct bind *b, const char *word)
{
	if (b->typos_left == 0 || strlen(word) < 3)
		return false;
	b->typos_left--;
	return true;
}

static const struct bind_key *find_key(const struct bind_object *object, const char *name)
{
	for (const struct bind_key *key = object->keys; key->key; key++)
		if (str_eq(key->key, name))
			return key;
	return NULL;
}

/* What other programs' files call a key. */
static const char *translated(const struct bind_object *object, const char *unknown)
{
	static const struct {
		const char *word, *key;
	} words[] = {
		{ "target", "destination" }, { "dst", "destination" }, { "src", "source" },
		{ "command", "args" },       { "cmd", "args" },        { "entrypoint", "args" },
		{ "environment", "env" },    { "workdir", "cwd" },     { "workingDir", "cwd" },
		{ "working_dir", "cwd" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(words[i].word, unknown) && find_key(object, words[i].key))
			return words[i].key;
	return NULL;
}

/* The known key that an unknown one looks like, or NULL. */
static const char *meant_key(struct bind *b, const struct bind_object *object, const char *unknown)
{
	const struct bind_key *state = object->keys;
	const char *word = translated(object, unknown);
	if (word)
		return word;
	return may_be_typo(b, unknown) ? str_nearest(unknown, next_key, &state) : NULL;
}

/* Where a known key belongs: looked for in the objects that there is one of. */
struct home {
	char path[128]; /* of the object in which it was found first */
	unsigned count;
};

static void find_home(const struct bind_object *object, const char *name, const char *path,
		      struct home *ret)
{
	char below[sizeof(ret->path)];
	for (const struct bind_key *key = object->keys; key->key; key++) {
		int n = snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", key->key);
		if (n < 0 || n >= (int)sizeof(below))
			continue;
		if (str_eq(key->key, name) && ret->count++ == 0)
			memcpy(ret->path, below, (size_t)n + 1);
		if (key->kind == BIND_OBJECT)
			find_home(key->object, name, below, ret);
	}
}

/* In a list of objects, which have few keys and often the same ones, nobody can say. */
static bool is_in_list(const struct json *node)
{
	for (; node; node = node->parent)
		if (node->type == JSON_ARRAY)
			return true;
	return false;
}

/*
 * Unknown keys are ignored (S-007), but one that looks like a slip of the pen, or that is known
 * elsewhere, is worth a word.
 */
static void note_unknown(struct bind *b, const struct json *member,
			 const struct bind_object *object)
{
	struct home home = { .count = 0 };
	const char *meant = meant_key(b, object, member->key);
	if (!meant && b->top && b->typos_left > 0 && !is_in_list(member->parent)) {
		b->typos_left--;
		find_home(b->top, member->key, "", &home);
		meant = home.count == 1 ? home.path : NULL;
	}
	if (!meant)
		return;
	struct err *err = bind_warn(b, member->key_at, "unknown key '%s'", member->key);
	if (str_eq(meant, member->key))
		err_hint(err, "'%s' stands at the top of the file, beside '%s'", meant,
			 b->top->keys[0].key);
	else
		err_hint(err, "did you mean '%s'?", meant);
}

static const struct json *find_misspelt(struct bind *b, const struct json *node,
					const struct bind_object *object, const char *key)
{
	for (const struct json *m = node->child; m; m = m->next) {
		if (find_key(object, m->key))
			continue;
		const char *meant = meant_key(b, object, m->key);
		if (meant && str_eq(meant, key))
			return m;
	}
	return NULL;
}

static void report_missing(struct bind *b, const struct json *node,
			   const struct bind_object *object, const struct bind_key *key)
{
	struct err *err = bind_error_member(b, node, key->key, "required, but missing");
	const struct json *typo = find_misspelt(b, node, object, key->key);
	if (typo && translated(object, typo->key))
		err_hint(err, "'%s' on line %u is called '%s' here", typo->key,
			 bind_line(b, typo->key_at), key->key);
	else if (typo)
		err_hint(err, "'%s' on line %u looks like a misspelt '%s'", typo->key,
			 bind_line(b, typo->key_at), key->key);
	else if (key->example)
		err_hint(err, "for example \"%s\": %s", key->key, key->example);
}

static void report_duplicate(struct bind *b, const struct json *member)
{
	struct err *err = bind_error(b, member->key_at, "the key '%s' is given twice", member->key);
	const struct json *first = err ? json_get(member->parent, member->key) : NULL;
	if (first)
		err_hint(err, "the first one is on line %u", bind_line(b, first->key_at));
}

void bind_check_duplicates(struct bind *b, const struct json *node)
{
	for (const struct json *child = node->child; child; child = child->next) {
		if (child->duplicate)
			report_duplicate(b, child);
		if (child->child)
			bind_check_duplicates(b, child);
	}
}

/* What all names of a table begin with, up to an underscore: "SCMP_ACT_", "CAP_". */
static size_t common_prefix(const struct str_name *names)
{
	size_t n = strlen(names->name);
	for (const struct str_name *other = names + 1; other->name; other++)
		while (strncmp(names->name, other->name, n) != 0)
			n--;
	while (n > 0 && names->name[n - 1] != '_')
		n--;
	return n;
}

struct suffixes {
	const struct str_name *next;
	size_t prefix;
};

static const char *next_suffix(void *state)
{
	struct suffixes *s = state;
	return s->next->name ? s->next++->name + s->prefix : NULL;
}

/*
 * The name that an unknown one looks like, or NULL. Only what tells the names apart is compared:
 * otherwise RLIMIT_FOO were near RLIMIT_AS, and allow were far from SCMP_ACT_ALLOW.
 */
static const char *meant_name(struct bind *b, const char *word, const struct str_name *names)
{
	static const char *const words[][2] = { { "net", "network" }, { "mnt", "mount" } };
	struct suffixes state = { .next = names, .prefix = common_prefix(names) };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(word, words[i][0]) && str_name_find(names, words[i][1]))
			return words[i][1];
	if (state.prefix && strncasecmp(word, names->name, state.prefix) == 0)
		word += state.prefix;
	const char *meant = may_be_typo(b, word) ? str_nearest(word, next_suffix, &state) : NULL;
	return meant ? meant - state.prefix : NULL;
}

void bind_hint_meant(struct bind *b, struct err *err, const char *word,
		     const struct str_name *names)
{
	const char *meant = err ? meant_name(b, word, names) : NULL;
	if (meant)
		err_hint(err, "did you mean '%s'?", meant);
}

void bind_hint_names(struct bind *b, struct err *err, const char *word,
		     const struct str_name *names)
{
	if (!err)
		return;
	bind_hint_meant(b, err, word, names);
	if (err->hint[0])
		return;
	struct str known;
	str_init(&known, b->arena);
	for (const struct str_name *n = names; n->name; n++)
		str_printf(&known, "%s%s", n == names ? "" : ", ", n->name);
	err_hint(err, "known are %s", known.text);
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

/* ---- unknown keys, all of them ---- */

static bool is_told(const struct spec_problems *problems, uint32_t at)
{
	for (const struct spec_problem *p = problems->first; p; p = p->next)
		if (p->err.at == at)
			return true;
	return false;
}

static void tell_key(struct bind *b, const struct json *member, const struct bind_key *key,
		     const struct bind_object *object)
{
	struct str known;
	if (is_told(b->problems, member->key_at))
		return;
	if (key) {
		bind_warn(b, member->key_at, "'%s' does nothing on Linux", member->key);
		return;
	}
	struct err *err = bind_warn(b, member->key_at, "unknown key '%s': it does nothing",
				    member->key);
	str_init(&known, b->arena);
	for (const struct bind_key *k = object->keys; k->key; k++)
		if (k->kind != BIND_IGNORE)
			str_printf(&known, "%s%s", known.used ? ", " : "", k->key);
	if (err && known.used < sizeof(err->hint) / 2)
		err_hint(err, "known here are %s", known.text);
}

void bind_tell_unknown(struct bind *b, const struct json *node, const struct bind_object *object)
{
	for (const struct json *m = node->child; node->type == JSON_OBJECT && m; m = m->next) {
		const struct bind_key *key = find_key(object, m->key);
		if (!key || key->kind == BIND_IGNORE)
			tell_key(b, m, key, object);
		else if (key->kind == BIND_OBJECT)
			bind_tell_unknown(b, m, key->object);
		else if (key->kind == BIND_LIST || key->kind == BIND_KEYED)
			for (const struct json *c = m->child; c; c = c->next)
				bind_tell_unknown(b, c, key->object);
	}
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
		const struct bind_key *key = find_key(object, m->key);
		if (!key) {
			note_unknown(b, m, object);
		} else if (m->type != JSON_NULL && !m->duplicate) {
			seen |= UINT64_C(1) << (key - object->keys);
			bind_member(b, m, key, (char *)place + key->offset);
		}
	}
	for (const struct bind_key *key = object->keys; key->key; key++)
		if ((key->flags & BIND_REQUIRED) && !(seen & UINT64_C(1) << (key - object->keys)))
			report_missing(b, node, object, key);
	if (object->check)
		object->check(b, node, place);
}
