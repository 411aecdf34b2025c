/*
 * Hooks (S-045 to S-065): when each kind runs, with the caller's rights, and what it is told.
 *
 *   prestart, createRuntime  parent   the namespaces, mounts and devices exist, the child waits
 *   createContainer          child    the same, in the container's namespaces, host's paths
 *   startContainer           child    the root is the container's; as the program's user
 *   poststart                parent   the program runs
 *   poststop                 parent   the container is gone, only its state is left
 *
 * A failed hook ends the start, which undoes everything, poststop hooks included; a failed poststop
 * hook is a warning. What hooks started and left behind on purpose stays, unless they fail.
 *
 * Must not: let a program of the image (startContainer) run with more than the container's program
 * gets. So it comes after all privileges are dropped, and loads the same filter. What it could do
 * to the child, which has yet to load it, the plan has seen to (plan/hooks.c).
 */
#include "start/hooks.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "plan/parts.h"
#include "start/hook_run.h"
#include "start/steps.h"

static const enum state_status statuses[PLAN_HOOK_KINDS] = {
	[PLAN_HOOK_PRESTART] = STATE_CREATING,         [PLAN_HOOK_CREATE_RUNTIME] = STATE_CREATING,
	[PLAN_HOOK_CREATE_CONTAINER] = STATE_CREATING, [PLAN_HOOK_START_CONTAINER] = STATE_CREATED,
	[PLAN_HOOK_POSTSTART] = STATE_RUNNING,         [PLAN_HOOK_POSTSTOP] = STATE_STOPPED,
};

/* ---- parent ---- */

struct hook_watch {
	struct start *start;
	struct start_result *result;
};

static int watch_signals(void *context, struct err *err)
{
	struct hook_watch *watch = context;
	return start_read_signals(watch->start, watch->result, err);
}

static int open_report(struct hook_report **ret, struct err *err)
{
	void *page = mmap(NULL, sizeof(**ret), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);
	if (page == MAP_FAILED)
		return err_sys(err, errno, "cannot make the memory shared with a hook");
	*ret = page;
	return 0;
}

/* One after the other, with what they have in common filled in. */
static int run_list(const struct plan_hooks *hooks, struct hook_job *job, struct err *err)
{
	int r = open_report(&job->report, err);
	job->count = hooks->n;
	for (size_t i = 0; r == 0 && i < hooks->n; i++) {
		job->hook = &hooks->v[i];
		job->index = i;
		r = hook_run(job, err);
	}
	if (job->report)
		munmap(job->report, sizeof(*job->report));
	return r;
}

int hooks_run(struct start *s, enum plan_hook_kind kind, struct start_result *result,
	      struct err *err)
{
	struct hook_watch watch = { s, result };
	struct hook_job job = {
		.kind = kind,
		.flags = HOOK_REAPS_ORPHANS |
			 (kind == PLAN_HOOK_POSTSTART ? 0 : HOOK_NEEDS_CONTAINER),
		.pid = s->pid,
		.pidfd = s->pidfd,
		.cwd = s->plan->bundle,
		.watch_fd = s->signal_fd,
		.watch_events = POLLIN,
		.watch = watch_signals,
		.context = &watch,
	};
	struct str text;
	_cleanup_close_ int lock = -EBADF; /* nobody deletes the container under a hook */

	if (s->plan->hooks[kind].n == 0)
		return 0;
	int r = s->hooks_lock_fd < 0 ? state_lock_hooks(&s->entry, &lock, err) : 0;
	/* A program that was deleted by force has no more use for them. */
	if (r == -ENOENT && kind == PLAN_HOOK_POSTSTART) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	str_init(&text, s->arena);
	state_print_for_hook(&s->state, statuses[kind], &text);
	job.state = text.text;
	s->hooks_run = true;
	r = run_list(&s->plan->hooks[kind], &job, err);
	s->hooks_run = false;
	return r;
}

/* ---- child ---- */

void hooks_prepare(struct start *s)
{
	static const enum plan_hook_kind kinds[] = { PLAN_HOOK_CREATE_CONTAINER,
						     PLAN_HOOK_START_CONTAINER };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct str text;
		if (s->plan->hooks[kinds[i]].n == 0)
			continue;
		str_init(&text, s->arena);
		state_print_for_hook(&s->state, statuses[kinds[i]], &text);
		s->hook_states[kinds[i]] = text.text;
	}
}

/* The channel's end of file: hull is dead. */
static int watch_hull(void *context _unused_, struct err *err)
{
	return channel_given_up(err);
}

static int run_childs(struct start *s, enum plan_hook_kind kind, struct hook_job *job,
		      struct err *err)
{
	const struct plan_hooks *hooks = &s->plan->hooks[kind];
	int r = 0;

	job->kind = kind;
	job->count = hooks->n;
	job->state = s->hook_states[kind];
	job->report = &s->channel.page->hook;
	job->watch_fd = s->channel.child_fd; /* no events but that nobody is there any more */
	job->watch = watch_hull;
	for (size_t i = 0; r == 0 && i < hooks->n; i++) {
		job->hook = &hooks->v[i];
		job->index = i;
		r = hook_run(job, err);
	}
	return r;
}

/*
 * In all namespaces of the container but an existing pid namespace: whoever may trace processes
 * there could look at the host through the hook, which still sees it. So children of this
 * process come to be in that one only later (isolate_pid), and the number that it has here is the
 * right one for the hook. Where they are in it from the beginning (plan_unshares), the plan has
 * refused such hooks.
 */
static int run_create_container(struct start *s, struct err *err)
{
	struct hook_job job = {
		.flags = HOOK_SETS_UMASK,
		.umask = s->caller_umask,
		.pid = getpid(),
		.cwd = s->plan->bundle,
	};
	return run_childs(s, PLAN_HOOK_CREATE_CONTAINER, &job, err);
}

/*
 * Hooks know the root filesystem by its path, and mount things in it. So for their time it is
 * there, and not on "/"; then it hides the host's root again, as all other steps expect.
 */
static int move_root(struct start *s, const char *place, struct err *err)
{
	const struct plan_root *root = &s->plan->root;
	if (root->kind == PLAN_ROOT_CHROOT || plan_path_is_root(root->path))
		return 0;
	/* The place may be a link: the caller's, who has named it. */
	if (move_mount(s->root_fd, "", AT_FDCWD, place,
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) == 0)
		return 0;
	int r = err_sys(err, errno, "cannot attach the root filesystem to '%s' for the hooks",
			place);
	err_at(err, root->at);
	return r;
}

static int run_create(struct start *s, struct err *err)
{
	const struct plan_hooks *hooks = s->plan->hooks;

	if (hooks[PLAN_HOOK_PRESTART].n + hooks[PLAN_HOOK_CREATE_RUNTIME].n > 0 &&
	    (channel_send(s->channel.child_fd, CHANNEL_HOOKS) < 0 ||
	     channel_receive(s->channel.child_fd) != CHANNEL_HOOKS_DONE))
		return channel_given_up(err);
	return run_create_container(s, err);
}

int hooks_create(struct start *s, struct err *err)
{
	const struct plan_hooks *hooks = s->plan->hooks;

	atomic_store(&s->channel.page->is_created, true);
	if (hooks[PLAN_HOOK_PRESTART].n + hooks[PLAN_HOOK_CREATE_RUNTIME].n +
		    hooks[PLAN_HOOK_CREATE_CONTAINER].n ==
	    0)
		return 0;
	int r = move_root(s, s->plan->root.path, err);
	if (r == 0)
		r = run_create(s, err);
	return r < 0 ? r : move_root(s, "/", err);
}

int hooks_start(struct start *s, struct err *err)
{
	struct hook_job job = {
		.pid = getpid(),
		.filter = s->filter.insns ? &s->filter : NULL,
	};
	return run_childs(s, PLAN_HOOK_START_CONTAINER, &job, err);
}

/* ---- the end ---- */

/* For those who have no signalfd: orphans come to us, and the caller's choice hides no status. */
static void become_reaper(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	(void)!prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)!sigaction(SIGCHLD, &dfl, NULL);
}

/* Each gets its turn, whatever became of the others; unless a signal says that it is enough. */
static void run_all(const struct hooks_poststop *p)
{
	struct start_result result = { 0 };
	struct hook_watch watch = { p->start, &result };
	struct hook_job job = {
		.kind = PLAN_HOOK_POSTSTOP,
		.count = p->hooks->n,
		.flags = HOOK_REAPS_ORPHANS,
		.cwd = p->state->bundle,
		.watch_fd = p->start ? p->start->signal_fd : -EBADF,
		.watch_events = POLLIN,
		.watch = watch_signals,
		.context = &watch,
	};
	struct str text;
	struct err err = { 0 };

	str_init(&text, p->arena);
	state_print_for_hook(p->state, STATE_STOPPED, &text);
	job.state = text.text;
	if (open_report(&job.report, &err) < 0) {
		spec_problem_copy(p->arena, p->warnings, SPEC_WARNING, &err);
		return;
	}
	for (size_t i = 0; i < p->hooks->n && !result.stop_signal; i++) {
		job.hook = &p->hooks->v[i];
		job.index = i;
		if (hook_run(&job, &err) < 0)
			spec_problem_copy(p->arena, p->warnings, SPEC_WARNING, &err);
	}
	munmap(job.report, sizeof(*job.report));
}

/* Signals that were the container's, sent while it ended, do not end its hooks. */
static void forget_signals(struct start *s)
{
	struct err ignored;
	struct start_result result = { 0 };
	while (start_read_signals(s, &result, &ignored) < 0 && result.stop_signal)
		result.stop_signal = 0;
}

int hooks_run_poststop(const struct hooks_poststop *p, struct err *err)
{
	_cleanup_close_ int lock = -EBADF;

	p->state->status = STATE_STOPPED;
	p->state->cgroup = NULL; /* it is gone, and the next of that name is somebody else's */
	int r = state_write(p->entry, p->state, err);
	if (r == -ENOSPC) {
		state_forget_config(p->entry); /* nobody enters it any more */
		r = state_write(p->entry, p->state, err);
	}
	if (r == 0)
		r = state_lock_hooks(p->entry, &lock, err);
	if (r < 0)
		return r;
	state_unlock(p->entry); /* a hook may ask for the state */
	if (p->start) {
		p->start->hooks_run = true;
		forget_signals(p->start);
	} else {
		become_reaper();
	}
	run_all(p);
	r = state_relock(p->entry, err);
	return r == -ENOENT ? 1 : r;
}
