/* Laying out a table: pure. */
#include "cmd/table.h"

#include "cmd/escape.h"

/* runc's: what reads its lists by columns can read hull's. */
#define TABLE_MIN_WIDTH 12
#define TABLE_PADDING   3

void table_init(struct table *t, struct arena *arena, size_t columns)
{
	*t = (struct table) {
		.arena = arena,
		.columns = columns,
		.min_width = TABLE_MIN_WIDTH,
		.padding = TABLE_PADDING,
	};
}

void table_add(struct table *t, const char *cell)
{
	struct str safe;
	if (t->n == t->room) {
		const char **old = t->cells;
		t->room = t->room ? t->room * 2 : 8 * t->columns;
		t->cells = arena_array(t->arena, t->room, sizeof(*t->cells));
		for (size_t i = 0; i < t->n; i++)
			t->cells[i] = old[i];
	}
	str_init(&safe, t->arena);
	escape_append(&safe, cell, __builtin_strlen(cell));
	t->cells[t->n++] = safe.text;
}

/* In characters, each of which is taken for one column wide. */
static size_t width_of(const char *cell)
{
	size_t n = 0;
	for (const char *c = cell; *c; c++)
		n += ((unsigned char)*c & 0xc0) != 0x80;
	return n;
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t width = t->min_width;
	for (size_t i = column; i < t->n; i += t->columns) {
		size_t n = width_of(t->cells[i]) + t->padding;
		width = n > width ? n : width;
	}
	return width;
}

/* The last cell of a row is not filled up. */
void table_print(const struct table *t, struct str *out)
{
	size_t *widths = arena_array(t->arena, t->columns, sizeof(*widths));
	for (size_t c = 0; c < t->columns; c++)
		widths[c] = column_width(t, c);
	for (size_t i = 0; i + t->columns <= t->n; i += t->columns)
		for (size_t c = 0; c < t->columns; c++) {
			const char *cell = t->cells[i + c];
			bool is_last = c + 1 == t->columns;
			str_printf(out, "%s%*s", cell,
				   is_last ? 0 : (int)(widths[c] - width_of(cell)),
				   is_last ? "\n" : "");
		}
}
