/*
 * Parent, after a failed exec: looks at the program with the container's own eyes. A helper process
 * enters the container's mount namespace, which a descriptor has kept alive, and examines the file
 * there (explain.c); its findings come back through the page. hull itself stays where it is.
 *
 * Must not: give what may trace processes in a joined user namespace anything of hull's: so
 * it is hidden and has no descriptor but the namespaces. Nor wait for ever: who can stop it, or
 * answers for a file system there, may be hostile.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "base/str.h"
#include "explain/explain.h"
#include "start/fail.h"

#define DIAGNOSE_WAIT_MS 5000
#define DIAGNOSE_KILL_MS 1000 /* for a killed helper to be gone */

static void examine(const struct start *s, int root_fd, struct err *err)
{
	const struct plan_process *process = &s->plan->process;
	char program[PATH_MAX];
	struct explain_who who = explain_who_of(process);
	const struct explain_tree tree = { .root_fd = root_fd };
	uint32_t at = err->at;
	int code = err->code;
	channel_program(&s->channel, program);
	/* Not found: the search is made once more; what it finds now may differ from then. */
	if (*program || explain_find(&tree, process->args[0], process->path, &who, err) == 0)
		(void)!explain_exec(&tree, *program ? program : process->args[0], &who, code, err);
	err_at(err, at);
	err_step(err, "exec");
}

/* Ids are the container's in its user namespace, and an unprivileged hull has rights only there. */
static int enter(const struct start *s)
{
	struct err ignored;
	int user_fd = s->examine_user_fd >= 0 ? s->examine_user_fd : s->examine_mount_fd;

	isolate_wipe_arguments();
	int r = isolate_hide(&ignored);
	if (r == 0)
		r = descriptors_close_all_but(user_fd, s->examine_mount_fd);
	if (r == 0 && s->examine_user_fd >= 0) {
		r = setns(s->examine_user_fd, CLONE_NEWUSER) < 0 ? -errno : isolate_hide(&ignored);
		close(s->examine_user_fd);
	}
	if (r == 0 && setns(s->examine_mount_fd, CLONE_NEWNS) < 0)
		r = -errno;
	return r;
}

static _Noreturn void examine_inside(const struct start *s)
{
	const char *root = s->plan->root.kind == PLAN_ROOT_CHROOT ? s->plan->root.path : "/";
	int root_fd = enter(s) < 0 ? -1 : open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd >= 0)
		examine(s, root_fd, &s->channel.page->err);
	_exit(0);
}

/* Whether it has ended by itself. */
static bool await_helper(pid_t pid)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);

	if (pidfd_wait(pidfd, DIAGNOSE_WAIT_MS))
		return pidfd_reap(pidfd);
	(void)!kill(pid, SIGKILL); /* without a descriptor, too */
	(void)pidfd_end(pidfd, DIAGNOSE_KILL_MS);
	return false;
}

void diagnose_exec(struct start *s, struct err *err)
{
	if (!(err->flags & ERR_ABOUT_PROGRAM) || !str_eq(err->step, "exec"))
		return;
	if (forbid_explain(s->plan->spec, s->arena, err))
		return;
	if (s->root_fd >= 0) { /* no mount namespace of its own: the root is our file system too */
		examine(s, s->root_fd, err);
		return;
	}
	if (s->examine_mount_fd < 0)
		return;
	pid_t pid = fork();
	if (pid == 0)
		examine_inside(s);
	if (pid > 0 && await_helper(pid))
		(void)channel_error(&s->channel, err);
}
