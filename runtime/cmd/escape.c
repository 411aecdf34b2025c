/* Escaping for terminals: see the header. Pure; no locale, no tables of the C library. */
#include "cmd/escape.h"

#include <stdint.h>
#include <string.h>

/* ---- UTF-8 ---- */

/* By the first byte: how long a character is, its own bits, and the least value of that length. */
static const struct {
	uint8_t mask, lead, bits;
	uint32_t least;
} utf8_forms[] = {
	{ 0x80, 0x00, 0x7f, 0 },
	{ 0xe0, 0xc0, 0x1f, 0x80 },
	{ 0xf0, 0xe0, 0x0f, 0x800 },
	{ 0xf8, 0xf0, 0x07, 0x10000 },
};

static size_t utf8_read(const unsigned char *s, size_t size, size_t length, uint32_t *ret)
{
	uint32_t c = s[0] & utf8_forms[length - 1].bits;
	if (length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
	if (c < utf8_forms[length - 1].least || c > 0x10ffff || is_surrogate)
		return 0;
	*ret = c;
	return length;
}

/* The character at s and its length; 0 when the bytes are none. */
static size_t utf8_next(const unsigned char *s, size_t size, uint32_t *ret)
{
	for (size_t i = 0; i < sizeof(utf8_forms) / sizeof(utf8_forms[0]); i++)
		if ((s[0] & utf8_forms[i].mask) == utf8_forms[i].lead)
			return utf8_read(s, size, i + 1, ret);
	return 0;
}

/* ---- what a terminal must not see ---- */

static void append_escape(struct str *out, uint32_t c)
{
	static const char plain[] = "\n\r\t", letters[] = "nrt";
	const char *known = c ? strchr(plain, (int)c) : NULL;
	if (c < 0x80 && known)
		str_printf(out, "\\%c", letters[known - plain]);
	else
		str_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}

static void append(struct str *out, const char *text, size_t size, const char *tab)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + size;
	while (s < end) {
		uint32_t c;
		size_t n = utf8_next(s, (size_t)(end - s), &c);
		if (n == 0)
			str_printf(out, "\\x%02x", *s);
		else if (c == '\t' && tab)
			str_append(out, tab);
		else if (str_is_dangerous(c))
			append_escape(out, c);
		else
			str_append_n(out, (const char *)s, n);
		s += n ? n : 1;
	}
}

void escape_append(struct str *out, const char *text, size_t size)
{
	append(out, text, size, NULL);
}

void escape_append_line(struct str *out, const char *text, size_t size)
{
	append(out, text, size, "    ");
}
