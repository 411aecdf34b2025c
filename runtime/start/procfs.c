/*
 * Child, stage 4: a procfs shows the pid namespace of the process that has opened it, its own one
 * and not the one for its children. In a new pid namespace that is the container's. With a joined
 * one the child is still in the host's: it enters by its second clone, after pivot (isolate.c), and
 * would mount a /proc with all processes of the host.
 *
 * So a helper goes ahead into the joined namespace and does nothing but open. Like its parent it is
 * not dumpable: the processes there cannot look at the host through it in its few microseconds.
 */
#include "start/procfs.h"

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "start/sys.h"

static int open_here(void)
{
	int fd = fsopen("proc", FSOPEN_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The helper shares the table of descriptors, and says in the page which one it is. */
static int open_by_helper(struct channel_page *page)
{
	struct clone_args args = { .flags = CLONE_FILES };

	atomic_store(&page->procfs_fd, -ECHILD); /* what is left when it is killed */
	long pid = sys_clone3(&args);
	if (pid == 0) {
		atomic_store(&page->procfs_fd, open_here());
		_exit(0);
	}
	if (pid < 0 || waitpid((pid_t)pid, NULL, __WALL) < 0)
		return -errno;
	return atomic_load(&page->procfs_fd);
}

int procfs_open(struct start *s)
{
	return plan_joins(s->plan, SPEC_NS_PID) ? open_by_helper(s->channel.page) : open_here();
}
