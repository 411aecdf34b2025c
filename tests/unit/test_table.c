/* Tables: the widths of columns, and what could do something to a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cmd/table.h"

static void print(struct arena *arena, size_t columns, const char *const *cells, struct str *out)
{
	struct table t;
	table_init(&t, arena, columns);
	for (; *cells; cells++)
		table_add(&t, *cells);
	str_init(out, arena);
	table_print(&t, out);
}

static void widths(void **state _unused_)
{
	static const char *const cells[] = { "A", "B", "C", "0123456789", "", "x", NULL };
	_cleanup_arena_ struct arena arena;
	struct str out;
	arena_init(&arena);
	print(&arena, 3, cells, &out);
	assert_string_equal(out.text, "A            B           C\n"
				      "0123456789               x\n");
}

static void characters(void **state _unused_)
{
	static const char *const cells[] = { "\xc3\xa4\xc3\xb6", "x", "\x1b[1m", "y", NULL };
	_cleanup_arena_ struct arena arena;
	struct str out;
	arena_init(&arena);
	print(&arena, 2, cells, &out);
	assert_string_equal(out.text, "\xc3\xa4\xc3\xb6          x\n"
				      "\\x1b[1m     y\n");
}

static void many_and_incomplete(void **state _unused_)
{
	_cleanup_arena_ struct arena arena;
	struct table t;
	struct str out;
	size_t lines = 0;
	arena_init(&arena);
	table_init(&t, &arena, 2);
	for (int i = 0; i < 201; i++)
		table_add(&t, "c");
	str_init(&out, &arena);
	table_print(&t, &out);
	for (const char *c = out.text; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths),
		cmocka_unit_test(characters),
		cmocka_unit_test(many_and_incomplete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
