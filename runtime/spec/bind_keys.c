/*
 * Keys and names that are not as they should be: misspelt, missing, given twice, or known elsewhere
 * or in other programs; what was meant is looked for, and said as a hint.
 *
 * Runs in the parent, before anything is made, on a file that nobody has checked yet.
 */
#include "spec/bind_keys.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

const struct bind_key *bind_find_key(const struct bind_object *object, const char *name)
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
		if (str_eq(words[i].word, unknown) && bind_find_key(object, words[i].key))
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

void bind_note_unknown(struct bind *b, const struct json *member, const struct bind_object *object)
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
		if (bind_find_key(object, m->key))
			continue;
		const char *meant = meant_key(b, object, m->key);
		if (meant && str_eq(meant, key))
			return m;
	}
	return NULL;
}

void bind_report_missing(struct bind *b, const struct json *node, const struct bind_object *object,
			 const struct bind_key *key)
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
		const struct bind_key *key = bind_find_key(object, m->key);
		if (!key || key->kind == BIND_IGNORE)
			tell_key(b, m, key, object);
		else if (key->kind == BIND_OBJECT)
			bind_tell_unknown(b, m, key->object);
		else if (key->kind == BIND_LIST || key->kind == BIND_KEYED)
			for (const struct json *c = m->child; c; c = c->next)
				bind_tell_unknown(b, c, key->object);
	}
}
