/* Writing JSON. */
#include "base/json.h"

#include <string.h>

#define JSON_OUT_INDENT 2

void json_out_init(struct json_out *o, struct str *str, enum json_out_flags flags)
{
	*o = (struct json_out) { .str = str, .pretty = flags == JSON_OUT_PRETTY, .first = true };
}

static void new_line(struct json_out *o)
{
	if (!o->pretty)
		return;
	str_append(o->str, "\n");
	for (unsigned i = 0; i < o->depth * JSON_OUT_INDENT; i++)
		str_append(o->str, " ");
}

/* What stands before a value or a key: nothing after a key, else a comma and a new line. */
static void before(struct json_out *o)
{
	if (o->after_key) {
		o->after_key = false;
		return;
	}
	if (o->depth == 0)
		return;
	if (!o->first)
		str_append(o->str, ",");
	new_line(o);
	o->first = false;
}

static void open_with(struct json_out *o, const char *bracket)
{
	before(o);
	str_append(o->str, bracket);
	o->depth++;
	o->first = true;
}

static void close_with(struct json_out *o, const char *bracket)
{
	o->depth--;
	if (!o->first)
		new_line(o);
	str_append(o->str, bracket);
	o->first = false;
}

void json_out_object(struct json_out *o)
{
	open_with(o, "{");
}

void json_out_object_end(struct json_out *o)
{
	close_with(o, "}");
}

void json_out_array(struct json_out *o)
{
	open_with(o, "[");
}

void json_out_array_end(struct json_out *o)
{
	close_with(o, "]");
}

/* Most of any text: taken in one go. */
static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Paths and arguments may be any bytes, JSON may not: what is no character becomes U+FFFD. */
static void quoted(struct str *str, const char *value)
{
	static const char escapes[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";

	str_append(str, "\"");
	for (const char *s = value; *s;) {
		const char *from = s;
		while (is_plain(*s))
			s++;
		str_append_n(str, from, (size_t)(s - from));
		if (!*s)
			break;
		const char *e = strchr(escapes, *s);
		size_t n = str_utf8_size(s);
		if (e)
			str_printf(str, "\\%c", letters[e - escapes]);
		else if (n == 0)
			str_append(str, "\\ufffd");
		else if (str_is_dangerous(str_utf8_char(s, n))) /* all of them have four digits */
			str_printf(str, "\\u%04x", str_utf8_char(s, n));
		else
			str_append_n(str, s, n);
		s += n ? n : 1;
	}
	str_append(str, "\"");
}

void json_out_key(struct json_out *o, const char *key)
{
	before(o);
	quoted(o->str, key);
	str_append(o->str, o->pretty ? ": " : ":");
	o->after_key = true;
}

void json_out_string(struct json_out *o, const char *value)
{
	before(o);
	quoted(o->str, value);
}

void json_out_int(struct json_out *o, int64_t value)
{
	before(o);
	str_printf(o->str, "%lld", (long long)value);
}

void json_out_uint(struct json_out *o, uint64_t value)
{
	before(o);
	str_printf(o->str, "%llu", (unsigned long long)value);
}

void json_out_bool(struct json_out *o, bool value)
{
	before(o);
	str_append(o->str, value ? "true" : "false");
}

void json_out_number(struct json_out *o, const char *text)
{
	before(o);
	str_append(o->str, text);
}

void json_out_member(struct json_out *o, const char *key, const char *value)
{
	json_out_key(o, key);
	json_out_string(o, value);
}
