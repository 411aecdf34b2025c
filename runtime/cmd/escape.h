/*
 * Text that others wrote, made safe for a terminal: what could move the cursor, change colours or
 * reorder the line is shown as an escape instead (\n, \x1b, \u202e), and so are bytes that are not
 * UTF-8.
 */
#ifndef HULL_CMD_ESCAPE_H
#define HULL_CMD_ESCAPE_H

#include <stddef.h>

#include "base/str.h"

void escape_append(struct str *out, const char *text, size_t size);

/* The same for a line of a file, whose tabs become four blanks. */
void escape_append_line(struct str *out, const char *text, size_t size);

#endif
