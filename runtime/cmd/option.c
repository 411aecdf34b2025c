/* Parsing options by their table. */
#include "cmd/cmd.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option *find_long(const struct option *table, const char *name, size_t n)
{
	for (; table->kind != OPTION_END; table++)
		if (strlen(table->name) == n && strncmp(table->name, name, n) == 0)
			return table;
	return NULL;
}

static const struct option *find_letter(const struct option *table, char letter)
{
	for (; table->kind != OPTION_END; table++)
		if (table->letter && table->letter == letter)
			return table;
	return NULL;
}

const struct option *option_find(const struct option *table, const char *argument)
{
	if (argument[0] != '-' || !argument[1])
		return NULL;
	return argument[1] == '-' ? find_long(table, argument + 2, strcspn(argument + 2, "="))
				  : find_letter(table, argument[1]);
}

static const char *next_name(void *state)
{
	const struct option **o = state;
	return (*o)->kind == OPTION_END ? NULL : (*o)++->name;
}

static int unknown(const struct option *table, const char *where, const char *arg, struct err *err)
{
	char name[64];
	int n = (int)strcspn(arg, "=");
	const char *near = NULL;

	snprintf(name, sizeof(name), "%.*s", n, arg);
	if (table != cmd_global_options && find_long(cmd_global_options, name + strspn(name, "-"),
						     strlen(name + strspn(name, "-")))) {
		err_say(err, ERR_CONFIG, EINVAL, "%s has no option '%.*s'", where, n, arg);
		err_hint(err, "it is a global option: hull %.*s ... %s ...", n, arg, where);
		return -EINVAL;
	}
	near = str_nearest(name + strspn(name, "-"), next_name, &table);
	if (near)
		return err_say(err, ERR_CONFIG, EINVAL,
			       "%s has no option '%.*s'; did you mean '--%s'?", where, n, arg,
			       near);
	return err_say(err, ERR_CONFIG, EINVAL, "%s has no option '%.*s'", where, n, arg);
}

static bool takes_value(enum option_kind kind)
{
	return kind == OPTION_TEXT || kind == OPTION_NUMBER || kind == OPTION_LIST ||
	       kind == OPTION_IGNORED;
}

/* --keep, and the forms that engines written in Go print: --keep=true, --keep=false. */
static int store_flag(const struct option *o, const char *value, bool *place, struct err *err)
{
	bool is_true = !value || str_eq(value, "true") || str_eq(value, "1");
	if (!is_true && !str_eq(value, "false") && !str_eq(value, "0"))
		return err_say(err, ERR_CONFIG, EINVAL, "--%s takes no value", o->name);
	*place = is_true;
	return 0;
}

static int append(const struct option *o, const char *value, struct option_list *list,
		  struct err *err)
{
	if (list->n == OPTION_LIST_MAX)
		return err_say(err, ERR_LIMIT, E2BIG, "--%s can be given %d times at most", o->name,
			       OPTION_LIST_MAX);
	if (!list->v)
		list->v = malloc(OPTION_LIST_MAX * sizeof(*list->v));
	if (!list->v)
		return err_sys(err, ENOMEM, "cannot keep the value of --%s", o->name);
	list->v[list->n++] = value;
	return 0;
}

static int store(const struct option *o, const char *value, void *ret, struct err *err)
{
	void *place = (char *)ret + o->offset;
	uint64_t number;

	switch (o->kind) {
	case OPTION_FLAG:
		return store_flag(o, value, place, err);
	case OPTION_TEXT:
	case OPTION_LIST:
	case OPTION_TEXT_OPT:
		/* What a shell makes of an unset variable is never what was meant. */
		if (value && !*value)
			return err_say(err, ERR_CONFIG, EINVAL, "the value of --%s is empty",
				       o->name);
		if (o->kind == OPTION_LIST)
			return append(o, value, place, err);
		*(const char **)place = value ? value : "";
		return 0;
	case OPTION_NUMBER:
		if (str_to_u64(value, UINT16_MAX, &number) < 0)
			return err_say(err, ERR_CONFIG, EINVAL,
				       "--%s takes a number from 0 to %u, not '%s'", o->name,
				       UINT16_MAX, value);
		*(unsigned *)place = (unsigned)number;
		return 0;
	case OPTION_LATER:
		err_say(err, ERR_CONFIG, ENOTSUP, "hull cannot carry out --%s yet", o->name);
		err_hint(err, "the options that it has: hull COMMAND --help");
		return -ENOTSUP;
	default:
		return 0;
	}
}

/* `inline_value` is what stands behind "=" (or behind a letter), NULL when nothing does. */
static int parse_one(const struct option *o, const char *inline_value, char **argv, int *index,
		     void *ret, struct err *err)
{
	const char *value = inline_value;
	if (takes_value(o->kind) && !value) {
		value = argv[*index];
		if (!value)
			return err_say(err, ERR_CONFIG, EINVAL, "--%s needs a value: --%s %s",
				       o->name, o->name, o->value);
		++*index;
	}
	return store(o, value, ret, err);
}

static int parse_letters(const struct option *table, const char *where, char **argv, int *index,
			 void *ret, struct err *err)
{
	const char *arg = argv[*index];
	++*index;
	for (const char *c = arg + 1; *c; c++) {
		const struct option *o = find_letter(table, *c);
		if (!o) {
			--*index; /* it is this one that is wrong */
			return unknown(table, where, arg, err);
		}
		bool last = takes_value(o->kind);
		const char *rest = last && c[1] ? c + 1 + (c[1] == '=') : NULL;
		int r = parse_one(o, rest, argv, index, ret, err);
		if (r < 0 || last)
			return r;
	}
	return 0;
}

int option_parse(const struct option *table, const char *where, char **argv, int *index, void *ret,
		 struct err *err)
{
	while (argv[*index]) {
		const char *arg = argv[*index];
		if (arg[0] != '-' || arg[1] == '\0')
			return 0;
		if (str_eq(arg, "--")) {
			++*index;
			return 0;
		}
		int r;
		if (arg[1] != '-') {
			r = find_letter(table, arg[1])
				    ? parse_letters(table, where, argv, index, ret, err)
				    : unknown(table, where, arg, err);
		} else {
			size_t n = strcspn(arg + 2, "=");
			const struct option *o = find_long(table, arg + 2, n);
			if (!o)
				return unknown(table, where, arg, err);
			++*index;
			r = parse_one(o, arg[2 + n] ? arg + 3 + n : NULL, argv, index, ret, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

void option_help(const struct option *table, struct str *out)
{
	for (; table->kind != OPTION_END; table++) {
		struct str left;
		str_init(&left, out->arena);
		if (table->letter)
			str_printf(&left, "-%c, ", table->letter);
		str_printf(&left, "--%s", table->name);
		if (table->kind == OPTION_TEXT_OPT)
			str_printf(&left, "[=%s]", table->value);
		else if (table->value)
			str_printf(&left, " %s", table->value);
		str_printf(out, "  %-26s %s%s\n", left.text, table->help,
			   table->kind == OPTION_LATER ? " (not yet)" : "");
	}
}
