/* The forms that strings of config.json must have. Pure predicates, no locale. */
#include "spec/spec_tables.h"

#include <string.h>

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_number(const char *s, size_t n)
{
	return n > 0 && strspn(s, DIGITS) >= n && (n == 1 || s[0] != '0');
}

/*
 * The dot-separated identifiers of a pre-release or a build, n bytes. Only the numbers of a
 * pre-release must not begin with 0.
 */
static bool are_identifiers(const char *s, size_t n, bool (*is_number_ok)(const char *, size_t))
{
	const char *end = s + n;
	for (;;) {
		size_t part = strspn(s, DIGITS LETTERS "-");
		if (part > (size_t)(end - s))
			part = (size_t)(end - s);
		if (part == 0)
			return false;
		if (is_number_ok && strspn(s, DIGITS) >= part && !is_number_ok(s, part))
			return false;
		s += part;
		if (s == end)
			return true;
		if (*s++ != '.')
			return false;
	}
}

bool spec_is_version(const char *s)
{
	for (int i = 0; i < 3; i++) {
		size_t n = strspn(s, DIGITS);
		if (!is_number(s, n))
			return false;
		s += n;
		if (i < 2 && *s++ != '.')
			return false;
	}
	if (*s == '-') {
		size_t n = strcspn(++s, "+");
		if (!are_identifiers(s, n, is_number))
			return false;
		s += n;
	}
	if (*s == '+')
		return are_identifiers(s + 1, strlen(s + 1), NULL);
	return !*s;
}

bool spec_is_list(const char *s)
{
	return strspn(s, DIGITS ",- ") == strlen(s);
}

bool spec_is_page_size(const char *s)
{
	size_t n = strspn(s, DIGITS);
	return n > 0 && s[0] != '0' && s[n] && strchr("KMG", s[n]) && str_eq(s + n + 1, "B");
}

bool spec_is_line(const char *s)
{
	return !strchr(s, '\n');
}

bool spec_is_interface(const char *s)
{
	/* The last one is what the kernel's isspace() takes for one, too. */
	return *s && strlen(s) < 16 && !strpbrk(s, "/: \t\n\r\v\f\xa0") && !str_eq(s, ".") &&
	       !str_eq(s, "..");
}

/* "eth%d": one number for the kernel to choose, and no other per cent sign. */
bool spec_is_interface_template(const char *s)
{
	const char *at = strchr(s, '%');
	return spec_is_interface(s) && (!at || (at[1] == 'd' && !strchr(at + 1, '%')));
}

bool spec_is_file_name(const char *s)
{
	return *s && !strchr(s, '/') && !str_eq(s, ".") && !str_eq(s, "..");
}
