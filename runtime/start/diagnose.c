/*
 * Parent, after a failed exec: looks at the program with the container's own eyes. A helper process
 * enters the container's mount namespace, which a descriptor has kept alive, and examines the file
 * there (explain.c); its findings come back through the page. hull itself stays where it is.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "explain/explain.h"

static void examine(const struct start *s, int root_fd, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	char program[PATH_MAX];
	struct explain_who who = explain_who_of(process);
	uint32_t at = err->at;
	int code = err->code;
	channel_program(&s->channel, program);
	/* Not found: the search is made once more; what it finds now may differ from then. */
	if (*program || explain_find(root_fd, process->args[0], process->path, &who, err) == 0)
		(void)!explain_exec(root_fd, *program ? program : process->args[0], &who, code,
				    err);
	err_at(err, at);
	err_step(err, "exec");
}

static _Noreturn void examine_inside(const struct start *s)
{
	int root_fd = -1;
	const char *root = s->plan->root.kind == PLAN_ROOT_CHROOT ? s->plan->root.path : "/";
	/* Ids are the container's there, and an unprivileged hull has rights only inside. */
	if (s->user_ns_fd >= 0 && setns(s->user_ns_fd, CLONE_NEWUSER) < 0)
		_exit(0);
	if (setns(s->mount_ns_fd, CLONE_NEWNS) == 0)
		root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd >= 0)
		examine(s, root_fd, &s->channel.page->err);
	_exit(0);
}

void diagnose_exec(struct start *s, struct err *err)
{
	if (!(err->flags & ERR_ABOUT_PROGRAM) || !str_eq(err->step, "exec"))
		return;
	if (s->root_fd >= 0) { /* no mount namespace of its own: the root is our file system too */
		examine(s, s->root_fd, err);
		return;
	}
	if (s->mount_ns_fd < 0)
		return;
	pid_t pid = fork();
	if (pid == 0)
		examine_inside(s);
	if (pid > 0 && waitpid(pid, NULL, 0) == pid)
		(void)channel_error(&s->channel, err);
}
