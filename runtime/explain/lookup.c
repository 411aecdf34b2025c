/* The candidates of execvp(3): see the header. Pure functions; used in the child and by check. */
#include "explain/lookup.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define STATE_DONE SIZE_MAX

/* Joins an entry of PATH and the name; an empty entry gives the name alone. */
static int join(const char *dir, size_t n, const char *name, char *buf, size_t size)
{
	size_t slash = n > 0 && dir[n - 1] != '/';
	size_t name_size = strlen(name) + 1;
	if (n >= size || name_size > size - n || slash > size - n - name_size)
		return -ENAMETOOLONG;
	memcpy(buf, dir, n);
	memcpy(buf + n, "/", slash);
	memcpy(buf + n + slash, name, name_size);
	return 1;
}

int exec_candidate(const char *arg0, const char *path_env, size_t *state, char *buf, size_t size)
{
	if (*state == STATE_DONE || !*arg0)
		return 0;
	if (strchr(arg0, '/')) {
		*state = STATE_DONE;
		return join("", 0, arg0, buf, size);
	}
	const char *entry = (path_env ? path_env : LOOKUP_DEFAULT_PATH) + *state;
	size_t n = strcspn(entry, ":");
	*state = entry[n] ? *state + n + 1 : STATE_DONE;
	return join(entry, n, arg0, buf, size);
}

bool exec_tries_next(int code)
{
	switch (code) {
	case EACCES:
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case ESTALE:
	case ENODEV:
	case ETIMEDOUT:
		return true;
	default:
		return false;
	}
}
