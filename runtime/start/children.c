/* Parent: the list of /proc/thread-self/children, read to its end before anything is done with it,
 * since whoever is reaped moves the rest. */
#include "start/children.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* Digits go on where the last piece of the text has ended: `pid` is what they were up to there. */
static void take_piece(struct children *c, const char *text, size_t size, pid_t *pid)
{
	for (size_t i = 0; i < size && !c->is_cut; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			*pid = *pid * 10 + (text[i] - '0');
			continue;
		}
		if (*pid > 0 && c->n == CHILDREN_MAX)
			c->is_cut = true;
		else if (*pid > 0)
			c->v[c->n++] = *pid;
		*pid = 0;
	}
}

void children_list(struct children *ret)
{
	char text[4096];
	pid_t pid = 0;
	ssize_t n = 1;

	ret->n = 0;
	ret->is_cut = false;
	_cleanup_close_ int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n > 0 && !ret->is_cut) {
		n = read(fd, text, sizeof(text));
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			take_piece(ret, text, (size_t)n, &pid);
	}
}

bool children_have(const struct children *c, pid_t pid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i] == pid)
			return true;
	return false;
}
