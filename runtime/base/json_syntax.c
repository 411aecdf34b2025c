/*
 * What is wrong with a document, in words for the person who wrote it: see the header. yajl says
 * well what it expected, but not where: the place follows from the last good token and from what
 * may stand between it and the bad one.
 */
#include "base/json_syntax.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r\n"

enum place {
	PLACE_NEXT,        /* the token behind the last good one */
	PLACE_AFTER_ONE,   /* the same, but a comma or colon before it was right */
	PLACE_TOKEN,       /* what is no token: behind all commas and colons */
	PLACE_BYTE,        /* the byte at which yajl stopped, inside a string */
	PLACE_BYTE_BEFORE, /* it has gone one further before it noticed */
	PLACE_END,         /* the end of the text */
};

/* The left side is a part of yajl's text, the first row that fits counts. */
static const struct syntax_row {
	const char *said;
	enum place place;
	const char *text;
	bool names_last; /* add which value stands before */
} syntax_rows[] = {
	{ "after key and value, inside map, I expect ',' or '}'", PLACE_NEXT,
	  "expected ',' or '}' after the value", true },
	{ "after array element, I expect ',' or ']'", PLACE_NEXT,
	  "expected ',' or ']' after the element", true },
	{ "object key and value must be separated by a colon", PLACE_NEXT,
	  "expected ':' after the key", false },
	{ "invalid object key", PLACE_AFTER_ONE, "expected a key in double quotes", false },
	{ "unallowed token at this point in JSON text", PLACE_AFTER_ONE, "expected a value",
	  false },
	{ "premature EOF", PLACE_END, "the file ends too early", false },
	{ "trailing garbage", PLACE_NEXT, "expected nothing more after the document", false },
	{ "invalid bytes in UTF8 string", PLACE_BYTE_BEFORE,
	  "a string has bytes that are not UTF-8", false },
	{ "invalid character inside string", PLACE_BYTE,
	  "a string has a control character that must be escaped", false },
	{ "inside a string, '\\' occurs before", PLACE_BYTE,
	  "a string has an unknown escape after '\\'", false },
	{ "invalid (non-hex) character occurs after '\\u'", PLACE_BYTE,
	  "expected four hexadecimal digits after \\u", false },
	{ "invalid char in json text", PLACE_TOKEN, "unexpected character", false },
	{ "invalid string in json text", PLACE_TOKEN,
	  "unexpected word; strings stand in double quotes", false },
	{ "malformed number", PLACE_TOKEN, "a number is malformed", false },
	{ "probable comment", PLACE_TOKEN, "comments are not allowed in JSON", false },
};
static const struct syntax_row unknown_row = { "", PLACE_NEXT, "the syntax is wrong", false };

/* Characters that start no token, by what people mean with them. */
static const char *text_of_byte(const char *s, size_t size)
{
	if (size >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		return "unexpected byte order mark; save the file as UTF-8 without it";
	if (*s == '#' || *s == '/')
		return "comments are not allowed in JSON";
	if (isalpha((unsigned char)*s) || *s == '_' || *s == '\'' || (*s & 0x80))
		return "unexpected word; strings and keys stand in double quotes";
	return "unexpected character";
}

static const struct syntax_row *find_row(const char *said)
{
	for (size_t i = 0; i < ARRAY_SIZE(syntax_rows); i++)
		if (strstr(said, syntax_rows[i].said))
			return &syntax_rows[i];
	return &unknown_row;
}

size_t json_syntax_skip(const char *text, size_t size, size_t i, const char *set)
{
	uint64_t skipped = 0; /* blanks and signs: all are below 64 */
	for (; *set; set++)
		skipped |= UINT64_C(1) << (*set & 63);
	while (i < size && (unsigned char)text[i] < 64 && (skipped >> text[i] & 1))
		i++;
	return i;
}

static size_t find_place(const struct json_stop *stop, enum place place)
{
	const struct json_doc *doc = stop->doc;
	size_t next = json_syntax_skip(doc->text, doc->size, stop->end, BLANKS);
	switch (place) {
	case PLACE_NEXT:
		return next;
	case PLACE_AFTER_ONE:
		if (!stop->last && !stop->key)
			return next; /* the first in its container */
		return json_syntax_skip(doc->text, doc->size, next + 1, BLANKS);
	case PLACE_TOKEN:
		return json_syntax_skip(doc->text, doc->size, next, BLANKS ",:");
	case PLACE_BYTE:
		return stop->consumed;
	case PLACE_BYTE_BEFORE:
		return stop->consumed > 0 ? stop->consumed - 1 : 0;
	case PLACE_END:
		break;
	}
	return doc->size;
}

static uint32_t line_of(const struct json_doc *doc, uint32_t at)
{
	uint32_t line, column;
	const char *text;
	size_t size;
	json_position(doc, at, &line, &column, &text, &size);
	return line;
}

/* The commonest mistake of all: a comma behind the last child. */
static bool is_comma_too_many(const struct json_stop *stop, const struct syntax_row *row,
			      size_t place)
{
	const struct json_doc *doc = stop->doc;
	return row->place == PLACE_AFTER_ONE && stop->last && !stop->key && place < doc->size &&
	       (doc->text[place] == '}' || doc->text[place] == ']');
}

/* "after the value of "cwd" (line 11)": the comma is missing there, not where it is noticed. */
static int say_with_last(const struct json_stop *stop, const char *text, uint32_t at,
			 struct err *err)
{
	char where[32] = "";
	uint32_t line = line_of(stop->doc, stop->last->at);
	if (line != line_of(stop->doc, at))
		snprintf(where, sizeof(where), " (line %u)", line);
	const char *key = stop->last->key;
	return err_say(err, ERR_CONFIG, EINVAL, "%s%s%.128s%s%s", text, key ? " of \"" : "",
		       key ? key : "", key ? "\"" : "", where);
}

/* The end of the text: a string that is not closed, or a container. */
static int say_end(const struct json_stop *stop, uint32_t *at, struct err *err)
{
	const struct json_doc *doc = stop->doc;
	size_t token = json_syntax_skip(doc->text, doc->size, stop->end, BLANKS ",:");
	if (token < doc->size && doc->text[token] == '"') {
		*at = (uint32_t)token + 1;
		return err_say(err, ERR_CONFIG, EINVAL, "a string is not closed");
	}
	if (!stop->container)
		return err_say(err, ERR_CONFIG, EINVAL, "the file ends too early");
	return err_say(err, ERR_CONFIG, EINVAL,
		       "the file ends, but the '%c' of line %u is not closed",
		       stop->container->type == JSON_OBJECT ? '{' : '[',
		       line_of(doc, stop->container->at));
}

int json_syntax_error(const struct json_stop *stop, const char *said, struct err *err)
{
	const struct syntax_row *row = find_row(said);
	const struct json_doc *doc = stop->doc;
	size_t place = find_place(stop, row->place);
	if (place > doc->size)
		place = doc->size;
	uint32_t at = (uint32_t)place + 1;
	if (row->place == PLACE_END)
		say_end(stop, &at, err);
	else if (row->names_last && stop->last)
		say_with_last(stop, row->text, at, err);
	else if (row->place == PLACE_TOKEN && strcmp(row->said, "invalid char in json text") == 0 &&
		 place < doc->size)
		err_say(err, ERR_CONFIG, EINVAL, "%s",
			text_of_byte(doc->text + place, doc->size - place));
	else
		err_say(err, ERR_CONFIG, EINVAL, "%s", row->text);
	if (is_comma_too_many(stop, row, place))
		err_hint(err, "the comma before it is one too many");
	err_at(err, at);
	return -EINVAL;
}

/* The four digits of an escape that yajl has checked already. */
static unsigned hex4(const char *s)
{
	unsigned value = 0;
	for (int i = 0; i < 4; i++)
		value = value << 4 | (unsigned)(isdigit((unsigned char)s[i])
							? s[i] - '0'
							: tolower((unsigned char)s[i]) - 'a' + 10);
	return value;
}

bool json_syntax_has_half_pair(const char *raw, size_t size)
{
	bool is_open = false; /* a high half stands right before */
	if (size == 0 || !memchr(raw, '\\', size))
		return false;
	for (size_t i = 0; i < size;) {
		bool escape = raw[i] == '\\' && i + 1 < size;
		bool unicode = escape && raw[i + 1] == 'u' && i + 5 < size;
		unsigned half = unicode ? hex4(raw + i + 2) & 0xfc00 : 0;
		if (is_open != (half == 0xdc00))
			return true;
		is_open = half == 0xd800;
		i += unicode ? 6 : escape ? 2 : 1;
	}
	return is_open;
}
