/* What `hull list` has read of all containers; list.c reads it, list_wide.c is one way to show it.
 */
#ifndef HULL_CMD_LIST_WIDE_H
#define HULL_CMD_LIST_WIDE_H

#include "state/state.h"

#define STATUS_BROKEN "broken"

struct row {
	struct state state;
	enum state_status status;
	const char *problem; /* why its state cannot be read; NULL: it can */
};

struct list {
	struct row *rows;
	size_t n;
	const char *passwd; /* the text of /etc/passwd; "": there is none */
	struct arena *arena;
};

/* --format wide: for people, and free to change. */
void list_print_wide(const struct list *list, struct str *out);

#endif
