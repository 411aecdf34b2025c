/* For bind.c: what is wrong with an object's keys, told with a hint. */
#ifndef HULL_SPEC_BIND_KEYS_H
#define HULL_SPEC_BIND_KEYS_H

#include "spec/bind.h"

/* The row of the object's table, or NULL. */
const struct bind_key *bind_find_key(const struct bind_object *object, const char *name);

/*
 * Unknown keys are ignored (S-007), but one that looks like a slip of the pen, or that is known
 * elsewhere, is worth a word.
 */
void bind_note_unknown(struct bind *b, const struct json *member, const struct bind_object *object);

void bind_report_missing(struct bind *b, const struct json *node, const struct bind_object *object,
			 const struct bind_key *key);

#endif
