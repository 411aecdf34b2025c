/*
 * The start as a table of contents: what the parent does, in this order, and how it ends. The
 * story that belongs to it is told in start.h.
 */
#include "start/start.h"

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "start/bridge.h"
#include "start/death.h"
#include "start/stage.h"
#include "start/steps.h"

int start_open_signals(struct start *s, struct err *err)
{
	sigset_t all;
	sigfillset(&all);
	s->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return err_sys(err, errno, "cannot listen to signals");
	/* Orphans of a container without a pid namespace come to us to be reaped, and what
	 * a failed hook has left. A container that hull leaves goes on to whoever comes next. */
	if (!(s->plan->flags & PLAN_NO_SUBREAPER) && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot become the reaper of the container's orphans");
	return 0;
}

int start_announce(struct start *s, struct err *err _unused_)
{
	if (s->before_clone)
		s->before_clone(s->say_context);
	return 0;
}

static const struct parent_step start_steps[] = {
	{ "signals", start_open_signals },
	{ "hide", prepare_hide },
	{ "network namespace", ahead_begin }, /* as early as can be: it takes longest */
	{ "pid file", pid_file_check },
	{ "processes", prepare_check },
	{ "helper", ahead_tie },    /* before there is a lock */
	{ "state", prepare_claim }, /* what is going to be made, before it is made */
	{ "caller's sockets", caller_sockets_connect },
	{ "gate", gate_make },
	{ "filter", prepare_filter }, /* slow when it must be compiled: nothing exists yet */
	{ "cgroup", prepare_cgroup }, /* before the trees: one of them may be of the cgroup */
	{ "user namespace", ahead_settle },
	{ "class of service", rdt_prepare },
	{ "bridge", bridge_prepare }, /* before the trees, too: its resolv.conf is one */
	{ "open", prepare_open },
	{ "announce", start_announce },
	{ "clone", clone_child },
	{ "scope", scope_settle },
	{ "maps", user_make_maps },
	{ "record", record_child },
	{ "network namespace passed on", ahead_pass },
	{ "network", network_make },
	{ "publish", publish_child },
	{ "count", death_begin }, /* before the program can do anything */
	{ NULL, NULL },
};

int start_run_steps(struct start *s, const struct parent_step *steps, struct start_result *ret,
		    struct err *err)
{
	s->result = ret;
	for (; steps->name; steps++) {
		timeline_step(s->timeline, steps->name);
		int r = steps->run(s, err);
		if (r < 0) {
			if (!err->step[0])
				err_step(err, "%s", steps->name);
			return r;
		}
	}
	if (!start_waits_for_ready(s->plan)) {
		timeline_step(s->timeline, "release");
		return release_child(s, ret, err);
	}
	return 0;
}

void start_note_lost_output(struct start *s, struct start_result *ret)
{
	struct err lost = { 0 };
	ret->lost_status = tty_lost_status(&s->tty, &lost);
	if (lost.code)
		spec_problem_copy(s->arena, s->late, SPEC_WARNING, &lost);
}

int start_run(struct start *s, struct start_result *ret, struct err *err)
{
	struct err cleanup = { 0 };

	*ret = (struct start_result) { 0 };
	int r = start_run_steps(s, start_steps, ret, err);
	if (r < 0)
		timeline_fail(s->timeline);
	timeline_stop(s->timeline);
	if (r == 0)
		r = supervise(s, ret, err);
	start_note_lost_output(s, ret);
	tty_end(&s->tty); /* what follows may take a while, or have something to say */
	ret->started = r == 0;
	ret->left = ret->left && r == 0;
	if (ret->left)
		return 0;
	timeline_step(s->timeline, "clean");
	if (r < 0)
		json_locate(&s->plan->spec->doc, err);
	death_examine(s, ret, r < 0 ? err : NULL);
	/* What cannot be removed is said, but does not hide how the start or the program ended. */
	int undone = finish(s, ret, &cleanup);
	if (r == 0 && undone < 0) {
		*err = cleanup;
		r = undone;
	} else if (undone < 0) {
		err_hint(
			err,
			"not everything could be removed (%.200s); hull delete --force %s tries again",
			cleanup.message, s->plan->id);
	}
	return r;
}

int start_block_signals(struct err *err)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t all;

	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return err_sys(err, errno, "cannot block the signals");
	/* A caller that ignores SIGCHLD would have the kernel throw away the exit status. */
	if (sigaction(SIGCHLD, &dfl, NULL) < 0)
		return err_sys(err, errno, "cannot reset SIGCHLD");
	return 0;
}

void start_init(struct start *s, const struct plan *plan, struct arena *arena,
		struct state_store *store)
{
	*s = (struct start) {
		.plan = plan,
		.arena = arena,
		.store = store,
		.entry.fd = -EBADF,
		.root_fd = -EBADF,
		.stage_fd = -EBADF,
		.stage_pidfd = -EBADF,
		.shift_fd = -EBADF,
		.layer_lock_fd = -EBADF,
		.proc_fd = -EBADF,
		.console_fd = -EBADF,
		.cgroup_root.fd = -EBADF,
		.cgroup_fd = -EBADF,
		.born_fd = -EBADF,
		.procs_fd = -EBADF,
		.moved_fds = { -EBADF, -EBADF },
		.cgroup_lock_fd = -EBADF,
		.channel = { .parent_fd = -EBADF, .child_fd = -EBADF },
		.pidfd = -EBADF,
		.examine_mount_fd = -EBADF,
		.examine_user_fd = -EBADF,
		.signal_fd = -EBADF,
		.pidfd_socket_fd = -EBADF,
		.hooks_lock_fd = -EBADF,
	};
	ahead_init(&s->ahead);
	netns_pair_init(&s->network);
	gate_init(&s->gate);
	listener_init(&s->listener);
	arena_init_mapped(&s->park.arena);
	exitinfo_init(&s->exit);
	for (int i = 0; i < SPEC_NS_COUNT; i++)
		s->join_fds[i] = -EBADF;
	init_init(&s->init);
	join_init(&s->join);
	tty_init(&s->tty);
}

void start_done(struct start *s)
{
	stage_end(s);
	for (int i = 0; i < SPEC_NS_COUNT; i++)
		fd_close(&s->join_fds[i]);
	for (size_t i = 0; s->mount_fds && i < s->plan->mounts_n; i++) {
		fd_close(&s->mount_fds[i]);
		fd_close(&s->peer_fds[i]);
	}
	state_entry_close(&s->entry);
	fd_close(&s->root_fd);
	fd_close(&s->layer_lock_fd);
	fd_close(&s->proc_fd);
	ahead_done(&s->ahead);
	netns_pair_done(&s->network);
	born_done(s);
	systemd_release(&s->anchor);
	cgroup_root_close(&s->cgroup_root);
	fd_close(&s->cgroup_fd);
	fd_close(&s->cgroup_lock_fd);
	channel_close(&s->channel);
	init_done(&s->init);
	join_done(&s->join);
	gate_done(&s->gate);
	listener_done(&s->listener);
	park_done(&s->park);
	fd_close(&s->pidfd_socket_fd);
	fd_close(&s->hooks_lock_fd);
	fd_close(&s->pidfd);
	fd_close(&s->examine_mount_fd);
	fd_close(&s->examine_user_fd);
	fd_close(&s->signal_fd);
	tty_end(&s->tty);
}
