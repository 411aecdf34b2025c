/*
 * Starting a container.
 *
 * Theory of operation
 * -------------------
 * Two processes. The parent is hull as it was called, with the caller's rights and namespaces. The
 * child comes from clone3 and becomes the container's program; it follows the plan (plan.h) in one
 * straight line. Each stage says what it should do and what must not be possible after it.
 *
 *  1 Parent, prepare.c: opens everything that is named by the caller, with the caller's rights: the
 *    root filesystem and the sources of bind mounts as detached trees that already carry their
 *    attributes, namespaces to join, the compiled seccomp filter.
 *    Must not: change anything that outlives a failure.
 *  2 Parent, cgroup/: makes the cgroup and writes all limits and the device program.
 *    Must not: move a process; leave a cgroup behind when it fails.
 *  3 Parent, clone.c: clone3 into the namespaces and into the cgroup at once, so that the child
 *    never runs outside its limits.
 *  4 Child, isolate.c: not dumpable, own session and keyring, existing namespaces joined, cgroup
 *    and time namespaces made, loopback up, names set.
 *    Must not: be seen through /proc by anything in a namespace that it joins.
 *  5 Child, rootfs.c, mount.c, dev.c, sysctl.c, mask.c, pivot.c: builds the tree on the new root
 * and moves into it. Names inside it are only ever resolved by base/inroot.h. Must not: afterwards
 * have any descriptor or mount of the host but the channel. 6 Child, drop.c: user, groups,
 * capabilities, no_new_privs. Must not: keep a privilege that the plan does not give; skip a step
 * that failed. 7 Child, exec.c: finds the program, waits for the parent's word, loads the
 * filter, execve. Must not: make a system call after the filter but execve, or exit_group when that
 * fails. 8 Parent, supervise.c: forwards signals, reaps, learns how it ended. 9 Parent, finish.c:
 * kills what is left, removes cgroup and state. Also after any failure above.
 *
 * Descriptors of the child at execve: 0, 1, 2 and --preserve-fds; all others are close-on-exec,
 * first by the flag at their creation and then again by close_range.
 */
#ifndef HULL_START_START_H
#define HULL_START_START_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "seccomp/seccomp.h"
#include "start/channel.h"
#include "start/plan.h"
#include "state/state.h"

/* A start that goes on: what the parent has opened, made and must undo. Owned as a whole. */
struct start {
	const struct plan *plan;
	struct arena *arena;       /* parent only */
	struct state_store *store; /* borrowed */
	struct state state;        /* what the state file says */
	const char *pid_file;      /* or NULL */
	bool pid_file_made;
	struct spec_problems *problems; /* borrowed; takes warnings about the seccomp profile */

	struct state_entry entry; /* the claimed state directory, locked while it changes */
	int root_fd;              /* the root filesystem's tree; parent: detached clone */
	int *layer_fds;           /* child: room for all layers of an overlay, upper and work */
	size_t layers_n;
	int *mount_fds;              /* one for each of plan->mounts; -EBADF: nothing prepared */
	int join_fds[SPEC_NS_COUNT]; /* in the order of plan->ns.join */
	int proc_fd;                 /* child: a procfs that nothing is mounted over */
	struct cgroup_root cgroup_root;
	int cgroup_fd;
	bool cgroup_made;
	struct seccomp_filter filter;
	struct channel channel;
	mode_t caller_umask; /* child */

	pid_t pid; /* of the container's first process; 0: none */
	int pidfd;
	int mount_ns_fd; /* of the child, to examine why an exec failed */
	int signal_fd;
};

/* How a container ended. */
struct start_result {
	bool exited; /* else: killed by `code` as a signal */
	int code;
	bool started;    /* the program ran: the other members say how it ended */
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

/* Blocks all signals of the process; hull reads them from a signalfd when it can act on them. */
_must_check_ int start_block_signals(struct err *err);

#endif
