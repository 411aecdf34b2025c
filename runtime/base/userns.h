/* Which user namespace hull itself is in. */
#ifndef HULL_BASE_USERNS_H
#define HULL_BASE_USERNS_H

#include <stdbool.h>

/* Whether it is the first one, the host's: only there is root the root of everything. */
bool userns_is_first(void);

#endif
