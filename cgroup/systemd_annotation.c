/*
 * Annotations org.systemd.property.NAME: properties of the unit that config.json names itself, with
 * values in GVariant's text format, as runc and crun take them: true, 5, uint64 5, 1.5, 'text',
 * ['a', 'b']. Pure; no privilege. Who sets annotations through an engine need not be root, so only
 * what can harm nobody but the container may be set.
 */
#include "cgroup/systemd_parts.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define USEC_PER_SEC 1000000
#define ITEMS_MAX    256

/* The only one of hull's own that may be changed. */
#define DEFAULT_DEPENDENCIES "DefaultDependencies"
#define AFTER                "After"

/* The types that a value can name, https://docs.gtk.org/glib/gvariant-text-format.html. */
static const struct type {
	const char *name, *letter;
	const char *signature;
	int64_t min;
	uint64_t max;
} types[] = {
	{ "boolean", "@b", "b", 0, 1 },
	{ "byte", "@y", "y", 0, UINT8_MAX },
	{ "int16", "@n", "n", INT16_MIN, INT16_MAX },
	{ "uint16", "@q", "q", 0, UINT16_MAX },
	{ "int32", "@i", "i", INT32_MIN, INT32_MAX },
	{ "uint32", "@u", "u", 0, UINT32_MAX },
	{ "int64", "@x", "x", INT64_MIN, INT64_MAX },
	{ "uint64", "@t", "t", 0, UINT64_MAX },
	{ "double", "@d", "d", 0, 0 },
	{ "string", "@s", "s", 0, 0 },
	{ NULL, "@as", "as", 0, 0 },
};

static const struct type *type_of(const char *signature)
{
	const struct type *t = types;
	while (!str_eq(t->signature, signature))
		t++;
	return t;
}

static const char *skip(const char *text)
{
	return text + strspn(text, " \t\n");
}

/* "uint64 5": the type, and *text is behind it; NULL: none is named. */
static const struct type *take_type(const char **text)
{
	size_t n = strcspn(*text, " \t\n");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct type *t = &types[i];
		if (((t->name && strlen(t->name) == n && strncmp(*text, t->name, n) == 0) ||
		     (strlen(t->letter) == n && strncmp(*text, t->letter, n) == 0))) {
			*text = skip(*text + n);
			return t;
		}
	}
	return NULL;
}

/* A text in either kind of quotes; *text is behind it. NULL: it is none. */
static const char *take_string(const char **text, struct arena *arena)
{
	static const char from[] = "\\'\"nt", to[] = "\\'\"\n\t";
	const char *p = *text;
	char quote = *p++;
	struct str s;
	if (quote != '\'' && quote != '"')
		return NULL;
	str_init(&s, arena);
	for (; *p && *p != quote; p++) {
		const char *known = p[0] == '\\' && p[1] ? strchr(from, p[1]) : NULL;
		if (p[0] == '\\' && !known)
			return NULL;
		if (known)
			p++;
		str_append_n(&s, known ? &to[known - from] : p, 1);
	}
	if (!*p)
		return NULL;
	*text = skip(p + 1);
	return s.text;
}

static bool take_list(const char **text, struct arena *arena, struct systemd_property *ret)
{
	struct systemd_item *items = arena_array(arena, ITEMS_MAX, sizeof(*items));
	const char *p = skip(*text + 1);
	ret->signature = "as";
	ret->items = items;
	while (*p && *p != ']') {
		if (ret->n == ITEMS_MAX || !(items[ret->n++].text = take_string(&p, arena)))
			return false;
		if (*p == ',')
			p = skip(p + 1);
		else if (*p != ']')
			return false;
	}
	*text = *p ? skip(p + 1) : p;
	return *p == ']';
}

/* The word up to the end of the text. */
static bool take_number(const char **text, const struct type *type, struct systemd_property *ret)
{
	char word[64], rest[2];
	if (sscanf(*text, "%63s %1s", word, rest) != 1)
		return false;
	bool is_real = type ? str_eq(type->signature, "d")
			    : strpbrk(word, ".eE") &&
				       strspn(word, "+-.0123456789eE") == strlen(word);
	if (is_real) {
		char *end;
		ret->signature = "d";
		ret->real = strtod(word, &end);
		*text += strlen(*text);
		return end != word && !*end && isfinite(ret->real);
	}
	int64_t negative = 0;
	const struct type *t = type ? type : type_of("i");
	ret->signature = t->signature;
	*text += strlen(*text);
	if (word[0] == '-' && str_to_i64(word, &negative) == 0 && negative >= t->min) {
		ret->number = (uint64_t)negative;
		return true;
	}
	return str_to_u64(word, t->max, &ret->number) == 0;
}

static bool take_bool(const char **text, struct systemd_property *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "true", true }, { "false", false } };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_has_prefix(*text, words[i].word)) {
			*text = skip(*text + strlen(words[i].word));
			ret->signature = "b";
			ret->number = words[i].value;
			return true;
		}
	return false;
}

static bool take_value(const char **text, struct arena *arena, struct systemd_property *ret)
{
	const struct type *type = take_type(text);
	bool is_there;
	if (**text == '[') {
		is_there = take_list(text, arena, ret);
		is_there = is_there && (ret->n > 0 || type); /* of an empty one nobody knows */
	} else if (**text == '\'' || **text == '"') {
		ret->signature = "s";
		ret->text = take_string(text, arena);
		is_there = ret->text != NULL;
	} else if (**text == 't' || **text == 'f') {
		is_there = take_bool(text, ret);
	} else {
		is_there = (!type || !strchr("bsa", type->signature[0])) &&
			   take_number(text, type, ret);
	}
	return is_there && !**text && (!type || str_eq(type->signature, ret->signature));
}

int systemd_parse_value(const char *text, struct arena *arena, struct systemd_property *ret,
			struct err *err)
{
	const char *p = skip(text);
	struct systemd_property value = { .name = ret->name };
	if (*p && take_value(&p, arena, &value)) {
		*ret = value;
		return 0;
	}
	int r = err_say(err, ERR_CONFIG, EINVAL, "'%s' is not a value that hull understands", text);
	err_hint(err, "values are in GVariant's text format: true, 5, uint64 5, 1.5, 'text', "
		      "['one', 'two']");
	return r;
}

/* ---- names ---- */

/*
 * All that an annotation may set: it may shorten the container's life, take from its limits, and
 * give it time to end. Whatever is not here is refused, for systemd carries out much for a scope of
 * its own: Conflicts= stops other units, SuccessAction= powers the host off, Before= with After=
 * has it drop jobs of others, KillMode= and SendSIGKILL= let processes outlive their unit. CRI-O
 * sends After='crio.service' with each container; nothing waits for a scope that waits for that.
 */
static const char *const allowed[] = {
	"TimeoutStopUSec",
	"RuntimeMaxUSec",
	"CollectMode",
	"KillSignal",
	"SendSIGHUP",
	"OOMPolicy",
	"Documentation",
	"ManagedOOMSwap",
	"ManagedOOMMemoryPressure",
	"MemoryMax",
	"MemoryHigh",
	"MemorySwapMax",
	"MemoryZSwapMax",
	"CPUQuotaPerSecUSec",
	DEFAULT_DEPENDENCIES,
	AFTER,
};

static bool is_allowed(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (str_eq(allowed[i], name))
			return true;
	return false;
}

static int refuse(const char *name, struct arena *arena, struct err *err)
{
	struct str all;
	str_init(&all, arena);
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		str_printf(&all, "%s%s", i ? ", " : "", allowed[i]);
	int r = err_say(err, ERR_CONFIG, EINVAL, "no annotation may set the property %s", name);
	err_hint(err,
		 "those that may be set are %s; limits stand in linux.resources, the slice in "
		 "cgroupsPath",
		 all.text);
	return r;
}

static int check_name(const char *name, struct err *err)
{
	size_t n = 0;
	while (isalnum((unsigned char)name[n]) && (unsigned char)name[n] < 0x80)
		n++;
	if (n >= 3 && !name[n] && n <= 64 && isupper((unsigned char)name[0]))
		return 0;
	int r = err_say(err, ERR_CONFIG, EINVAL, "'%s' is not the name of a property", name);
	err_hint(err, "as in org.systemd.property.TimeoutStopUSec");
	return r;
}

/* Nothing is wrong with what hull says anyway: engines ask for Delegate. */
static int check_own(const struct systemd_property *p, const struct systemd_properties *all,
		     struct err *err)
{
	const struct systemd_property *own = systemd_get(all, p->name);
	if (!own || str_eq(p->name, DEFAULT_DEPENDENCIES))
		return 0;
	if (strchr("bt", p->signature[0]) && str_eq(p->signature, own->signature) &&
	    p->number == own->number)
		return 0;
	int r = err_say(err, ERR_CONFIG, EINVAL, "hull sets the property %s itself", p->name);
	err_hint(err, "limits stand in linux.resources, the slice in cgroupsPath");
	return r;
}

/* Not targets: those are ordered against all that begins and ends with the host. */
static int check_after(const struct systemd_property *p, struct err *err)
{
	bool is_wrong = !str_eq(p->signature, "as");

	if (!str_eq(p->name, AFTER))
		return 0;
	for (size_t i = 0; !is_wrong && i < p->n; i++)
		is_wrong = !str_has_suffix(p->items[i].text, ".service");
	if (!is_wrong)
		return 0;
	int r = err_say(err, ERR_CONFIG, EINVAL, "After takes a list of services here");
	err_hint(err, "as in ['crio.service']");
	return r;
}

/*
 * "TimeoutStopSec" of unit files is "TimeoutStopUSec" on the bus, in microseconds; runc turns one
 * into the other, too.
 */
static bool is_in_seconds(const char *name)
{
	size_t n = strlen(name);
	return n >= 4 && str_eq(name + n - 3, "Sec") && name[n - 4] != 'U';
}

static int convert_seconds(struct systemd_property *p, struct err *err)
{
	bool is_real = str_eq(p->signature, "d");
	double seconds = is_real ? p->real : (double)p->number;
	bool is_number = is_real || strchr("yqut", p->signature[0]) ||
			 (strchr("nix", p->signature[0]) && (int64_t)p->number >= 0);
	if (!is_number || !(seconds >= 0) || seconds > (double)(UINT32_MAX)) {
		int r = err_say(err, ERR_CONFIG, EINVAL, "%s is a number of seconds here", p->name);
		err_hint(err, "as in 5, 1.5, or uint64 90");
		return r;
	}
	p->signature = "t";
	p->number = (uint64_t)(seconds * USEC_PER_SEC);
	return 0;
}

static int read_annotation(const struct spec_pair *pair, struct systemd_list *list, struct err *err)
{
	const char *name = pair->key + strlen(SYSTEMD_ANNOTATION);
	bool in_seconds = is_in_seconds(name);
	struct systemd_property p = { .name = name };
	int r = check_name(name, err);
	if (r < 0)
		return r;
	if (in_seconds)
		p.name = arena_printf(list->arena, "%.*sUSec", (int)strlen(name) - 3, name);
	if (!is_allowed(p.name) && !systemd_get(list->all, p.name))
		return refuse(p.name, list->arena, err);
	r = systemd_parse_value(pair->value, list->arena, &p, err);
	if (r == 0 && in_seconds)
		r = convert_seconds(&p, err);
	if (r == 0)
		r = check_own(&p, list->all, err);
	if (r == 0)
		r = check_after(&p, err);
	if (r == 0)
		systemd_put(list, &p);
	return r;
}

static int plan_annotation(const struct spec_pair *pair, struct systemd_list *list, struct err *err)
{
	int r = read_annotation(pair, list, err);
	if (r < 0) {
		err_wrap(err, "annotation %s", pair->key);
		err_at(err, pair->at);
	}
	return r;
}

int systemd_plan_annotations(const struct spec_map *annotations, struct systemd_list *list,
			     struct err *err)
{
	for (size_t i = 0; annotations && i < annotations->n; i++) {
		if (!str_has_prefix(annotations->v[i].key, SYSTEMD_ANNOTATION))
			continue;
		int r = plan_annotation(&annotations->v[i], list, err);
		if (r < 0)
			return r;
	}
	return 0;
}
