/*
 * Annotations org.systemd.property.NAME: properties of the unit that config.json names itself, with
 * values in GVariant's text format, as runc and crun take them: true, 5, uint64 5, 1.5, 'text',
 * ['a', 'b']. Pure; no privilege. Who sets annotations through an engine need not be root, so what
 * hull says of the unit cannot be said otherwise here, nor which processes are in it, nor what
 * becomes of other units and of the machine.
 */
#include "cgroup/systemd_parts.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define USEC_PER_SEC 1000000
#define ITEMS_MAX    256

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

/* What hull decides: which processes are in the unit, where it is, and who may change it. */
static const char *const refused[] = {
	"PIDs",
	"PIDFDs",
	"Slice",
	"Delegate",
	"DelegateSubgroup",
	"DelegateControllers",
	"Controller",
	"DefaultDependencies",
	"ControlGroup",
	"User",
	"Group",
};

/*
 * What starts and stops other units of the host, runs programs of the kernel that lie there, or
 * keeps hull from stopping its own; and by its last word, what becomes of the machine:
 * FailureAction, JobTimeoutAction, RebootArgument. systemd.unit(5), systemd.resource-control(5).
 */
static const char *const outside[] = {
	"Requires",
	"Requisite",
	"Wants",
	"BindsTo",
	"PartOf",
	"Upholds",
	"Conflicts",
	"RequiredBy",
	"RequisiteOf",
	"WantedBy",
	"BoundBy",
	"ConsistsOf",
	"UpheldBy",
	"ConflictedBy",
	"OnFailure",
	"OnFailureOf",
	"OnFailureJobMode",
	"OnSuccess",
	"OnSuccessOf",
	"OnSuccessJobMode",
	"Triggers",
	"TriggeredBy",
	"PropagatesReloadTo",
	"ReloadPropagatedFrom",
	"PropagatesStopTo",
	"StopPropagatedFrom",
	"JoinsNamespaceOf",
	"References",
	"ReferencedBy",
	"InSlice",
	"SliceOf",
	"RequiresMountsFor",
	"WantsMountsFor",
	"RefuseManualStop",
	"BPFProgram",
	"IPIngressFilterPath",
	"IPEgressFilterPath",
	"NFTSet",
};
static const char *const outside_words[] = { "Action", "Argument" };

static bool is_listed(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], name))
			return true;
	return false;
}

static bool reaches_outside(const char *name)
{
	size_t size = strlen(name);
	for (size_t i = 0; i < ARRAY_SIZE(outside_words); i++) {
		size_t n = strlen(outside_words[i]);
		if (size >= n && str_eq(name + size - n, outside_words[i]))
			return true;
	}
	return is_listed(name, outside, ARRAY_SIZE(outside));
}

static int check_name(const char *name, const struct systemd_properties *all, struct err *err)
{
	int r = 0;
	bool is_own = systemd_get(all, name) || is_listed(name, refused, ARRAY_SIZE(refused));
	bool is_outside = reaches_outside(name);
	size_t n = 0;
	while (isalnum((unsigned char)name[n]) && (unsigned char)name[n] < 0x80)
		n++;
	if (n < 3 || name[n] || n > 64 || !isupper((unsigned char)name[0]))
		r = err_say(err, ERR_CONFIG, EINVAL, "'%s' is not the name of a property", name);
	else if (is_own)
		r = err_say(err, ERR_CONFIG, EINVAL, "hull sets the property %s itself", name);
	else if (is_outside)
		r = err_say(err, ERR_CONFIG, EINVAL,
			    "the property %s reaches beyond the container's own unit", name);
	if (r < 0)
		err_hint(err, is_own ? "limits stand in linux.resources, the slice in cgroupsPath"
			      : is_outside ? "an annotation is not always root's: leave it out"
					   : "as in org.systemd.property.TimeoutStopUSec");
	return r;
}

/*
 * "TimeoutStopSec" of unit files is "TimeoutStopUSec" on the bus, in microseconds; runc turns one
 * into the other, too.
 */
static int convert_seconds(struct systemd_property *p, struct arena *arena, struct err *err)
{
	size_t n = strlen(p->name);
	if (n < 4 || !str_eq(p->name + n - 3, "Sec") || p->name[n - 4] == 'U')
		return 0;
	bool is_real = str_eq(p->signature, "d");
	double seconds = is_real ? p->real : (double)p->number;
	bool is_number = is_real || strchr("yqut", p->signature[0]) ||
			 (strchr("nix", p->signature[0]) && (int64_t)p->number >= 0);
	if (!is_number || !(seconds >= 0) || seconds > (double)(UINT32_MAX)) {
		int r = err_say(err, ERR_CONFIG, EINVAL, "%s takes a number of seconds", p->name);
		err_hint(err, "as in 5, 1.5, or uint64 90");
		return r;
	}
	p->name = arena_printf(arena, "%.*sUSec", (int)n - 3, p->name);
	p->signature = "t";
	p->number = (uint64_t)(seconds * USEC_PER_SEC);
	return 0;
}

static int plan_annotation(const struct spec_pair *pair, struct systemd_list *list, struct err *err)
{
	struct systemd_property p = { .name = pair->key + strlen(SYSTEMD_ANNOTATION) };
	int r = check_name(p.name, list->all, err);
	if (r == 0)
		r = systemd_parse_value(pair->value, list->arena, &p, err);
	if (r == 0)
		r = convert_seconds(&p, list->arena, err);
	if (r == 0)
		r = check_name(p.name, list->all, err);
	if (r < 0) {
		err_wrap(err, "annotation %s", pair->key);
		err_at(err, pair->at);
		return r;
	}
	systemd_put(list, &p);
	return 0;
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
