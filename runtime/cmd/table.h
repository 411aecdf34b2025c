/* Tables for people: columns as wide as their widest cell, texts made safe for a terminal. */
#ifndef HULL_CMD_TABLE_H
#define HULL_CMD_TABLE_H

#include <stddef.h>

#include "base/str.h"

struct table {
	size_t columns;
	const char **cells; /* row by row; "" and never NULL */
	size_t n, room;
	size_t min_width, padding; /* of a column; of table_init(): as runc has them */
	struct arena *arena;
};

void table_init(struct table *t, struct arena *arena, size_t columns);
/* The text is copied. */
void table_add(struct table *t, const char *cell);
/* Appends the rows that are complete. */
void table_print(const struct table *t, struct str *out);

#endif
