/* Opening a cgroup for one more process of a container. In the parent, with the caller's rights. */
#include "cgroup/enter.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "cgroup/events.h"
#include "cgroup/path.h"

static int open_below(int fd, const char *path)
{
	path += strspn(path, "/");
	return fd_open_resolved(fd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
					RESOLVE_NO_XDEV);
}

int cgroup_find(const char *path, int *ret_fd, struct err *err)
{
	struct cgroup_root root;
	int r = cgroup_root_open(&root, err);
	if (r < 0)
		return r;
	r = cgroup_open(&root, path, ret_fd, err);
	cgroup_root_close(&root);
	return r;
}

int cgroup_open_below(int fd, const char *path, int *ret_fd, struct err *err)
{
	int r = open_below(fd, path);
	if (r < 0) {
		err_sys(err, -r, "cannot open the cgroup '%s' of the container", path);
		if (r == -EXDEV)
			err_hint(err, "it is a name below the container's own cgroup");
		return r;
	}
	*ret_fd = r;
	return 0;
}

const char *cgroup_of_process(const char *text, size_t *ret_size)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!str_has_prefix(line, "0::/"))
			continue;
		*ret_size = strcspn(line + 3, "\n");
		return line + 3;
	}
	return NULL;
}

/* Is the cgroup in the text of /proc/PID/cgroup the one of the path's first `size` bytes, or below
 * it? What is behind these bytes, or NULL. */
static const char *find_rest(const char *text, const char *path, size_t size)
{
	size_t n;
	const char *own = cgroup_of_process(text, &n);
	bool is_below = own && n >= size && strncmp(own, path, size) == 0 &&
			(n == size || own[size] == '/');
	return is_below ? own + size : NULL;
}

bool cgroup_has_caller(const char *path, size_t size)
{
	char text[2 * PATH_MAX];
	return fd_read_value(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) == 0 &&
	       find_rest(text, path, size);
}

int cgroup_find_process(const char *path, pid_t pid, char *ret, size_t size, struct err *err)
{
	char name[48], text[2 * PATH_MAX];

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	int r = fd_read_value(AT_FDCWD, name, text, sizeof(text));
	if (r < 0)
		return err_sys(err, -r, "cannot find the cgroup of process %d", (int)pid);
	const char *found = find_rest(text, path, strlen(path));
	if (!found)
		return err_say(err, ERR_HOST, EXDEV, "process %d has left the container's cgroup",
			       (int)pid);
	if ((size_t)snprintf(ret, size, "%.*s", (int)strcspn(found, "\n"), found) >= size)
		return err_sys(err, ENAMETOOLONG, "cannot find the cgroup of process %d", (int)pid);
	return 0;
}

int cgroup_open_of_process(int fd, const char *path, pid_t pid, int *ret_fd, struct err *err)
{
	char below[PATH_MAX];
	int r = cgroup_find_process(path, pid, below, sizeof(below), err);
	return r < 0 ? r : cgroup_open_below(fd, below, ret_fd, err);
}

bool cgroup_is_frozen(int fd)
{
	return cgroup_read_number(fd, 0, "cgroup.freeze") == 1 ||
	       cgroup_read_event(fd, 0, "cgroup.events", "frozen") == 1;
}
