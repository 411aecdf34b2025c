/* Amounts in tables for people: short, and of one width as far as that goes. */
#ifndef HULL_CMD_AMOUNT_H
#define HULL_CMD_AMOUNT_H

#include <stdint.h>

#include "base/str.h"

/* "512", "1.1 M", "41 M": 1024 is the next unit. */
void amount_bytes(struct str *out, uint64_t bytes);

/* "4 s", "12 m", "3 h", "2 d". */
void amount_age(struct str *out, int64_t seconds);

#endif
