/*
 * Schemata as text (resctrl.h): does a class of service have what a container asks for? In the
 * parent. Must: take for different what it does not understand.
 */
#include "start/resctrl.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A piece of text, without the blanks around it. */
struct piece {
	const char *s;
	size_t n;
};

static struct piece trim(const char *s, size_t n)
{
	while (n > 0 && isblank((unsigned char)*s))
		s++, n--;
	while (n > 0 && isblank((unsigned char)s[n - 1]))
		n--;
	return (struct piece) { s, n };
}

/* What is before the separator; *rest is what is behind it. */
static struct piece cut(struct piece *rest, char separator)
{
	const char *end = memchr(rest->s, separator, rest->n);
	size_t n = end ? (size_t)(end - rest->s) : rest->n;
	struct piece first = trim(rest->s, n);
	rest->s += n + (end != NULL);
	rest->n -= n + (end != NULL);
	return first;
}

static bool is_same(struct piece a, struct piece b)
{
	return a.n == b.n && strncasecmp(a.s, b.s, a.n) == 0;
}

/* "0x00ff" and "ff": the kernel fills masks up with zeros. */
static struct piece number(struct piece p)
{
	if (p.n > 2 && p.s[0] == '0' && (p.s[1] == 'x' || p.s[1] == 'X'))
		p.s += 2, p.n -= 2;
	while (p.n > 1 && *p.s == '0')
		p.s++, p.n--;
	return p;
}

/* Looks up "NAME SEPARATOR value" in a list of such; values are empty where there is none. */
static struct piece look_up(struct piece list, char between, char separator, struct piece name)
{
	while (list.n > 0) {
		struct piece value = cut(&list, between);
		struct piece key = cut(&value, separator);
		if (is_same(separator == '=' ? number(key) : key, name))
			return trim(value.s, value.n);
	}
	return (struct piece) { "", 0 };
}

/* Does each cache or node that the line speaks of have that value in the class? */
static bool has_line(struct piece have, struct piece line)
{
	struct piece name = cut(&line, ':');
	struct piece values = look_up(have, '\n', ':', name);
	if (name.n == 0 || values.n == 0)
		return false;
	while (line.n > 0) {
		struct piece wanted = cut(&line, ';');
		if (wanted.n == 0)
			continue;
		struct piece id = cut(&wanted, '=');
		struct piece value = look_up(values, ';', '=', number(id));
		if (!is_same(number(trim(wanted.s, wanted.n)), number(value)))
			return false;
	}
	return true;
}

const char *resctrl_find_difference(const char *have, const char *text, const char *later,
				    size_t *ret_size)
{
	const struct piece all = { have, strlen(have) };
	const struct piece last = { later ? later : "", later ? strlen(later) : 0 };
	struct piece rest = { text ? text : "", text ? strlen(text) : 0 };

	while (rest.n > 0) {
		struct piece line = cut(&rest, '\n'), copy = line;
		struct piece name = cut(&copy, ':');
		if (line.n == 0 || look_up(last, '\n', ':', name).n > 0 || has_line(all, line))
			continue;
		*ret_size = line.n;
		return line.s;
	}
	return NULL;
}
