/*
 * Cleanup attributes: a variable that owns something names its destructor where it is declared,
 * so that every return path releases it. Used in every process and with every privilege.
 */
#ifndef HULL_BASE_DEFER_H
#define HULL_BASE_DEFER_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _must_check_   __attribute__((warn_unused_result))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_       __attribute__((unused))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void defer_free(void *p)
{
	free(*(void **)p);
}

/* The errno of the code that leaves the scope survives the closing. */
static inline void defer_close(const int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define _cleanup_free_  _cleanup_(defer_free)
#define _cleanup_close_ _cleanup_(defer_close)

#endif
