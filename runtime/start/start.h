/* clang-format off */
/*
 * Starting a container.
 *
 * Theory of operation
 * -------------------
 * Two processes, and for moments helpers: a stage in between (stage.c), and one that makes
 * namespaces ahead (ahead.c, ahead_user.c). The parent is hull as it was called, with the caller's rights and
 * namespaces. The child comes from clone3 and becomes the container's program; they talk by channel.c. It follows
 * the plan (plan.h) in one straight line and decides nothing that the plan could know: only what
 * the image holds (where the program is, whose home is where, which mount points are missing) is
 * found out on the way.
 *
 * Parent (start.c has the table)
 *
 *  1 prepare.c: hides hull, where something of it will be in a new user namespace.
 *    ahead.c: has the network namespace made by a helper, for it takes longest. ahead_user.c: for
 *    root that helper is born in a new user namespace, and waits for its maps (user.c).
 *    pid_file.c: may the pid file be written. prepare.c: looks at /proc and the tree of cgroups.
 *    ahead.c: sees to it that the helper ends with hull. prepare.c: claims the id, with a state that
 *    says what is going to be made. caller_sockets.c: connects to who is to be told. gate.c: with
 *    `create`, the gate. prepare.c again: takes the compiled seccomp filter from the cache; makes
 *    the cgroup, with all limits and the device program in force, or has systemd make it (scope.c).
 *    ahead_user.c: gives the user namespace up where the child could not enter the cgroup from
 *    there. rdt.c, resctrl.c, resctrl_compare.c: makes or joins a class of service. bridge.c,
 *    resolv.c: an address on a bridge. open.c, namespace.c: opens what the caller names, with the
 *    caller's rights: namespaces to join, and the root and the sources of bind mounts as detached
 *    trees that already carry their attributes and, by shift.c, their maps of ids.
 *    Must not: move a process; leave anything that finish.c cannot find again.
 *  2 stage.c, with a user namespace: a process in between attaches the trees where the host's flags
 *    get locked, makes devices, joins what only the caller may join, and last the user namespace
 *    that was made ahead.
 *    clone.c: clone3 into the namespaces and into the cgroup at once, so that the child never runs
 *    outside its limits. Where that may not be the child waits, as its first step, until it was
 *    moved (born.c, scope.c). Then the parent closes what is the child's. With a new user
 *    namespace and an existing pid namespace (plan_unshares) clone3 is into the cgroup only: see 3.
 *    user.c, idmap.c: writes the maps of a user namespace that was not made ahead. release.c: writes
 *    into the state who the child is. ahead.c: passes the network namespace on. network.c: moves
 *    devices of the host into it (devices.c), or lays a cable to a bridge (bridge.c), for which the
 *    child waits. release.c again: the pid file.
 *
 * Child (clone.c has the table)
 *
 *  3 descriptors.c: gives up hull's. isolate.c: not dumpable; with plan_unshares: says, as long as
 *    it has the caller's rights, that its children shall be in the existing pid namespace, makes
 *    the user namespace and all others, and tells the parent. Own session and keyring; user.c:
 *    waits for the maps, unless they were made ahead, becomes the user namespace's root, makes the
 *    network namespace, unless a helper does (ahead.c); existing namespaces joined, cgroup and time
 *    namespaces made, names set. open.c: without privilege, opens the trees here.
 *    Must not: be seen through /proc by anything in a namespace that it joins; with plan_unshares,
 *    have a child before it has left the host's mounts.
 *  4 rootfs.c, mount.c, filesystem.c, procfs.c, copyup.c, dev.c, console.c, hooks.c, lsm.c,
 *    sysctl.c, home.c, cwd.c, mask.c, share.c, pivot.c: builds the tree on the new root and moves
 *    into it. Names in it are only ever resolved by base/inroot.h; what is written to /proc goes
 *    through proc.c.
 *    Masks come before pivot because they are the host's /dev/null; sysctls come before the masks,
 *    which make /proc/sys read-only, and after everything that a hook may add to the network.
 *    The network namespace that the helper has made is entered among the mounts, before the first
 *    that may belong to one (isolate.c): mostly it is there by then. Loopback up, if it is not.
 *    Must not: afterwards have a mount of the host, or a descriptor of it but the channel.
 *  5 drop.c: no_new_privs, memory policy (mempolicy.c), capabilities, groups, user; verify.c reads
 *    back what has become of them.
 *    Must not: keep a privilege that the plan does not give; go on after a failure.
 *    Before, with an existing pid namespace, isolate.c says that the next child shall be in it, if
 *    that is not said yet (3); afterwards it moves into it by a second clone, which is what others
 *    there can get hold of.
 *  6 exec.c: finds the program, marks all descriptors, raises resource limits, waits for the
 *    parent's word; startContainer hooks (hooks.c); init.c, with --init: forks, and process 1 stays
 *    and serves; lowers resource limits, resets signals, loads the filter, execve.
 *    listener.c, with SCMP_ACT_NOTIFY: loads it in two parts, and between them gives the listener
 *    to the parent and waits until the agent has it.
 *    Must not: make a system call after the filter but execve, or exit_group when that fails.
 *
 * Parent again
 *
 *  7 release.c: as late as can be, the child's class of service, its resource limits, how it is
 *    scheduled (schedule.c), and the word to go.
 *  8 supervise.c: runs the parent's hooks (hooks.c; one of them hook_run.c, why it failed
 *    hook_fail.c), reaps, learns how it ended; signals.c forwards; tty.c, tty_rest.c: copies what
 *    passes through the container's terminal, and answers for the caller's; diagnose.c says why a
 *    program could not be executed, forbid.c whether its profile forbids it, tolerate.c which
 *    errors were passed over, timeline.c how long each step took. death.c, death_memory.c,
 *    death_log.c: why it ended, while the cgroup can still be asked. With `run --detach` hull
 *    leaves as soon as the kernel says that the program was executed.
 *  9 finish.c (another hull: destroy.c): kills what is left (children.c), removes cgroup and class of
 *    service, runs the poststop hooks, removes the state. Also after any failure above.
 *
 * One more process of a container that is there (`hull exec`) has tables of its own, in join.c: the
 * parent's stages 1, 2, 7 and 8 without anything that is made but the process; and of the child's
 * stages 3 to 6 those that concern a process and not its surroundings.
 *
 * In two commands
 *
 * `create` goes as far as 7. There the child's word is not GO but PARK: it gives back all memory
 * that it does not need any more (park.c) and waits at its gate, a socket in the state directory
 * (gate.c), holding nothing else; hull leaves, and the child is an orphan for its caller to reap.
 * `start` (launch.c) connects, brings a page of its own, gives the word, and waits until the kernel
 * says that the program was executed, or the page why not. What it needs of the plan is in the
 * state; config.json it reads, from the copy there, only to explain a failure.
 *    Must not: leave a container that has a gate (it counts as created) and nobody at it who
 *    would take the word; keep the state locked longer than until it is recorded.
 *
 * Without a start: foresee.c, foresee_root.c and foresee_try.c say what one would meet (`hull
 * check`).
 *
 * Descriptors of the child at execve: 0, 1, 2 and --preserve-fds; all others are close-on-exec,
 * first by the flag at their creation and then again by close_range.
 */
/* clang-format on */
#ifndef HULL_START_START_H
#define HULL_START_START_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "cgroup/systemd.h"
#include "netns/bridge.h"
#include "netns/device.h"
#include "seccomp/seccomp.h"
#include "start/channel.h"
#include "plan/plan.h"
#include "start/ahead.h"
#include "start/gate.h"
#include "start/init.h"
#include "start/join.h"
#include "start/listener.h"
#include "start/park.h"
#include "start/timeline.h"
#include "start/tty.h"
#include "state/state.h"

#define START_PARENTS_MAX 16

/* What cgroups had counted before the program began; the container's own, and those above it. */
struct start_counters {
	uint64_t own_oom, all_oom, kills, groups, pids;
	uint64_t parents_oom[START_PARENTS_MAX], parents_kills[START_PARENTS_MAX];
};

#define SIGNALS_MAX 64

/* Signals that came before the program was there to get them: bit n-1 is signal n. */
struct start_kept {
	uint64_t set;
	int64_t deadline; /* when they go to the program whether it expects them or not; 0: none */
	struct exitinfo_origin *origins; /* SIGNALS_MAX, in the arena; NULL: none is kept */
};

/* A start that goes on: what the parent has opened, made and must undo. Owned as a whole. */
struct start {
	const struct plan *plan;
	struct arena *arena;       /* parent only */
	struct state_store *store; /* borrowed */
	struct state state;        /* what the state file says */
	const char *pid_file;      /* or NULL */
	const char *pidfd_socket;  /* or NULL: who gets a pidfd of the container */
	int pidfd_socket_fd;
	bool pid_file_made;
	struct spec_problems *problems; /* borrowed; takes warnings about the seccomp profile */
	struct spec_problems *late;     /* borrowed; takes warnings about the end */
	/* Called before clone, the last moment at which hull may speak; NULL: nobody wants to. */
	void (*before_clone)(void *context);
	/* Called while the program runs and hull waits for its end; NULL: nobody wants to know. */
	void (*warn)(void *context, const struct err *warning);
	void *say_context;         /* of both */
	struct timeline *timeline; /* borrowed; NULL: nobody wants it */

	struct state_entry entry; /* the claimed state directory, locked while it changes */
	int root_fd;              /* the root filesystem's tree; parent: detached clone */
	int *layer_fds;           /* child: room for all layers of an overlay, upper and work */
	size_t layers_n;
	int layer_lock_fd; /* parent: the writable layer of an overlay is ours alone */
	int *mount_fds;    /* one for each of plan->mounts; -EBADF: nothing prepared */
	int *map_fds;      /* parent: for each of plan->shifts, a user namespace with it */
	int *peer_fds;     /* for each of plan->mounts, whose peer it becomes (share.c) */
	int join_fds[SPEC_NS_COUNT];  /* in the order of plan->ns.join */
	int stage_fd;                 /* where stage.c has attached trees and devices */
	int stage_pidfd;              /* the stage, which may take a moment to end */
	int shift_fd;                 /* stage: a user namespace with the container's maps */
	size_t shifted_n;             /* stage: layers that are shown with them */
	struct ahead ahead;           /* its network and user namespace, until they are there */
	struct netns_pair network;    /* parent: hull's and the container's network namespace */
	struct bridge bridge;         /* --net bridge: which one it is */
	uint32_t address;             /* and the container's address there */
	bool has_lease;               /* of that address: something is to be given back */
	struct netns_device *devices; /* for each of plan->network.devices; NULL: none moved */
	int proc_fd;                  /* child: a procfs that nothing is mounted over */
	struct cgroup_root cgroup_root;
	unsigned tolerated; /* rows of tolerate.c, before the channel is there */
	bool has_cgroup;    /* of the container's own */
	bool rdt_made;      /* rdt.c: the class of service is of this start */
	bool cgroup_left;   /* none, but one that could be neither made nor removed */
	int cgroup_fd;
	int born_fd;      /* born.c: how the child says that it lives */
	int procs_fd;     /* born.c: by which it moves into the cgroup; -EBADF: it is there */
	int moved_fds[2]; /* born.c: the child's end and hull's, to say that systemd has moved it */
	int cgroup_lock_fd; /* while it is open, the cgroup is ours alone */
	struct seccomp_filter filter;
	struct listener listener; /* of that filter */
	struct channel channel;
	struct init init;    /* with --init */
	struct join join;    /* exec: which container it is */
	struct gate gate;    /* of a container that is created now and started later */
	struct park park;    /* child: what it needs then (park.h) */
	mode_t caller_umask; /* child */
	int console_fd;      /* child: the container's terminal, until it is 0, 1 and 2 */
	bool in_cwd;         /* child: the working directory is entered */

	pid_t pid;         /* of the container's first process; 0: none */
	pid_t program_pid; /* with --init, once it has ended; 0: unknown */
	int pidfd;
	/* Where it is examined why the program could not be executed: namespaces of the child, or
	 * pidfds of who is in them; the user namespace only if it is another one than hull's. */
	int examine_mount_fd, examine_user_fd;
	int signal_fd;

	struct exitinfo exit;   /* why it ended, once it has (death.c) */
	struct timespec cloned; /* CLOCK_MONOTONIC_RAW, which the kernel log goes by */
	struct start_counters before;
	struct start_kept kept;
	bool is_released;                         /* the child has the word to go */
	bool is_running;                          /* the program was seen to be executed */
	int forwarded;                            /* the last signal that hull passed on; 0: none */
	unsigned unheard;                         /* signals to end it that it has no handler for */
	const char *hook_states[PLAN_HOOK_KINDS]; /* child: what its own hooks are told */
	bool hooks_run;              /* parent: hooks are running, which a signal ends */
	int hooks_lock_fd;           /* `start`: held until its poststart hooks have run; or none */
	bool poststart_began;        /* parent */
	struct tty tty;              /* the terminal's other side */
	struct start_result *result; /* of the steps that run: what a signal says goes there */
	/* In the container's scope until the child is (scope.c). */
	struct systemd_anchor anchor;
};

/* How a container ended. */
struct start_result {
	bool exited; /* else: killed by `code` as a signal */
	int code;
	bool core_dumped;
	bool started;    /* the program ran: the other members say how it ended */
	int lost_status; /* where output of its terminal was lost: instead of 0; 0: none was */
	bool undo;       /* of start_launch(), which has failed: the container is to be destroyed */
	bool left;       /* create, run --detach: the container goes on without hull */
	int stop_signal; /* the start was given up because hull got this signal; 0: it was not */
};

/* Embedded; every member is set so that start_done() may be called at any time. */
void start_init(struct start *s, const struct plan *plan, struct arena *arena,
		struct state_store *store);
void start_done(struct start *s);

/*
 * Runs the container in the foreground until it ends, and removes everything that was made (with
 * PLAN_KEEP: but the state). Signals must be blocked (start_block_signals). On failure nothing is
 * left, and the error says which step failed.
 */
_must_check_ int start_run(struct start *s, struct start_result *ret, struct err *err);

/*
 * Runs one more process of the container in s->join (join.c): in the foreground until it ends, with
 * PLAN_DETACH until its program runs. On failure it is gone, and the error says which step failed.
 */
_must_check_ int start_exec(struct start *s, struct start_result *ret, struct err *err);

/*
 * `hull start`: lets the container at its gate execute its program, and runs the poststart hooks.
 * s->state and s->entry, locked, are those of a created container, s->plan has what of the plan is
 * in its state. One that runs, but whose start was killed before its poststart hooks had run, gets
 * them now. ret->undo: the container is to be destroyed, after a failure of a hook, or a
 * signal that came when the child had taken the word; before, it stays created.
 */
_must_check_ int start_launch(struct start *s, struct start_result *ret, struct err *err);

/* Blocks all signals of the process; hull reads them from a signalfd when it can act on them. */
_must_check_ int start_block_signals(struct err *err);

#endif
