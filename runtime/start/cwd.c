/*
 * Child, stages 4 and 5: the working directory. It is resolved below the root like any other name,
 * and entered by its descriptor.
 * Must not: end up outside the root.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "start/fail.h"

/* A missing working directory is made, as the engines' images expect, while that is possible. */
int cwd_make(struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	_cleanup_close_ int fd = inroot_try(s->root_fd, process->cwd, O_PATH);
	if (fd != -ENOENT || s->plan->root.kind == PLAN_ROOT_CHROOT)
		return 0; /* what else is wrong with it is said when it is entered */
	fd = inroot_mkdir(s->root_fd, process->cwd, 0755, err);
	if (fd < 0)
		err_at(err, process->cwd_at);
	return fd < 0 ? fd : 0;
}

int fail_cwd(const struct plan_process *process, int code, struct err *err)
{
	err_sys(err, code, "cannot enter the working directory '%s'", process->cwd);
	err->flags |= ERR_ABOUT_PROGRAM;
	err_at(err, process->cwd_at);
	return -code;
}

/* A directory that was moved out of the root meanwhile is none to work in. */
static int verify(const struct start *s, struct err *err)
{
	char path[4096];
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return fail_cwd(&s->plan->process, errno, err);
	return path[0] == '/' ? 0 : fail_cwd(&s->plan->process, ENOENT, err);
}

static int enter(struct start *s)
{
	_cleanup_close_ int fd = inroot_try(s->root_fd, s->plan->process.cwd, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (fchdir(fd) < 0)
		return -errno;
	s->in_cwd = true;
	return 0;
}

/* With the full rights; a directory may be closed to root (a network file system). */
int cwd_try(struct start *s, struct err *err _unused_)
{
	(void)enter(s); /* tried again as the user, where a failure counts */
	return 0;
}

/* With the rights of the user, unless it has been entered; and a last look at where it is. */
int cwd_enter(struct start *s, struct err *err)
{
	int r = s->in_cwd ? 0 : enter(s);
	return r < 0 ? fail_cwd(&s->plan->process, -r, err) : verify(s, err);
}
