/*
 * The steps of a start, each in its own file; start.h tells the story. Those of the parent may
 * allocate; those of the child run between clone and exec and may not. All return 0, or -errno
 * with the error filled.
 */
#ifndef HULL_START_STEPS_H
#define HULL_START_STEPS_H

#include "start/start.h"

/* ---- parent ---- */

struct parent_step {
	const char *name;
	int (*run)(struct start *s, struct err *err);
};
/* Up to the row without a name, or the first that fails; and the child's release where it does not
 * ask for it. */
_must_check_ int start_run_steps(struct start *s, const struct parent_step *steps,
				 struct start_result *ret, struct err *err);
_must_check_ int start_open_signals(struct start *s, struct err *err);
_must_check_ int start_announce(struct start *s, struct err *err); /* the last words before clone */

/* scope.c: the cgroup is that of a scope of systemd, if the plan has one. */
_must_check_ int scope_check(const struct start *s, struct err *err); /* that there is none yet */
_must_check_ int scope_make(struct start *s, struct cgroup *ret, struct err *err);
_must_check_ int scope_make_room(struct start *s, struct err *err); /* for one process more */
_must_check_ int scope_settle(struct start *s, struct err *err);    /* the child is in it */
_must_check_ int scope_end(struct start *s, enum state_by by, struct err *err); /* also the unit */

/* Before anything of hull is in a new user namespace. */
_must_check_ int prepare_hide(struct start *s, struct err *err);
/* Are processes known here by the numbers that hull knows; and where is the tree of cgroups? */
_must_check_ int prepare_check(struct start *s, struct err *err);
_must_check_ int prepare_claim(struct start *s, struct err *err);  /* state: intent first */
_must_check_ int prepare_filter(struct start *s, struct err *err); /* seccomp, from the cache */
_must_check_ int prepare_cgroup(struct start *s, struct err *err); /* cgroup with all limits */
_must_check_ int rdt_prepare(struct start *s, struct err *err);    /* rdt.c: resctrl */
_must_check_ int prepare_open(struct start *s, struct err *err);   /* open.c: trees, namespaces */
_must_check_ int caller_sockets_connect(struct start *s, struct err *err);
/* Of these, to the agent of seccomp; by `create` only a look at whether it is there. */
_must_check_ int caller_sockets_connect_agent(struct start *s, struct err *err);
_must_check_ int clone_child(struct start *s, struct err *err);
_must_check_ int user_make_maps(struct start *s, struct err *err);
/* Those of the user namespace that our child `pid` is in, which is not reaped; `proc_fd` is of
 * proc_open_plain(). */
_must_check_ int user_write_maps(const struct start *s, int proc_fd, pid_t pid, struct err *err);
/* network.c: the network namespace of another container, which must run. */
_must_check_ int network_open_of(const struct state_store *store, const char *id, int *ret_fd,
				 struct err *err);
/* What hull makes in the container's network namespace. */
void network_keep(struct start *s); /* before the descriptors of what is joined are closed */
_must_check_ int network_make(struct start *s, struct err *err);
/* Who the child is goes into the state, which stays locked until it has been published: in the pid
 * file. With plan_moves() that is another process, and both are done by release_child(). */
_must_check_ int record_child(struct start *s, struct err *err);
_must_check_ int publish_child(struct start *s, struct err *err);
_must_check_ int record_exec(struct start *s, struct err *err); /* the same of an exec's child */
/* Limits, then GO; or PARK, with which hull leaves it (ret->left). */
_must_check_ int release_child(struct start *s, struct start_result *ret, struct err *err);

/* By release_child(): into its class of service, with all that it makes from then on; before the
 * state is written that says who the child is; and by finish(). */
_must_check_ int rdt_assign(struct start *s, struct err *err);
void rdt_give_away(struct start *s);
_must_check_ int rdt_remove(struct start *s, const struct start_result *result, struct err *err);

/* By release_child(): how the child is scheduled, where the caller has the rights (schedule.c). */
_must_check_ int schedule_child(struct start *s, struct err *err);

/* The file of --pid-file: may it be written; with the number in s->pid; and away with it again. */
_must_check_ int pid_file_check(struct start *s, struct err *err);
_must_check_ int pid_file_write(struct start *s, struct err *err);
void pid_file_undo(struct start *s);

/* Gives the terminal away, and a pidfd, by release_child(). */
_must_check_ int console_socket_send(struct start *s, struct err *err);
_must_check_ int pidfd_socket_send(struct start *s, struct err *err);

/*
 * Must the parent hear the child's READY before its word? `create` shows the gate when there is
 * somebody to wait at it; limits that the child may not raise are set then; a child that moves to
 * an existing pid namespace is known only then; a terminal has arrived by then, and the hooks
 * prestart and createRuntime have run.
 */
bool start_waits_for_ready(const struct plan *plan);

/* That output of its terminal was lost goes into the result and the late warnings. */
void start_note_lost_output(struct start *s, struct start_result *ret);

/* Keeps the namespaces in which a failed exec can be examined. */
void record_namespaces(struct start *s);

/*
 * Reads the signals that have come and acts on each. A failure when one of them ends the start,
 * which is then in `ret`. That a child has ended is not looked at.
 */
_must_check_ int start_read_signals(struct start *s, struct start_result *ret, struct err *err);

/* Is it one of the signals that end a start, and hull with it? Later they are forwarded. */
bool start_ends_by(const struct start *s, int signal);

/*
 * Before each wait: forwards what was kept for the program, if it is there by now. How long to wait
 * at most, when `timeout` is what others want.
 */
int signals_prepare(struct start *s, int timeout);

/*
 * Is the child, alive or dead and not yet reaped, the program by now? The kernel says so: 1 or 0;
 * -errno when it cannot be asked.
 */
_must_check_ int start_has_executed(const struct start *s);

/* The same at the end of the channel: was the program executed? */
_must_check_ int start_executes(const struct start *s);

/* Runs the poststart hooks, once. */
_must_check_ int start_run_poststart(struct start *s, struct start_result *ret, struct err *err);

/*
 * Forwards signals and reaps until the container has ended, or its start has failed; or until the
 * container can be left (ret->left), when that is what hull was called for.
 */
_must_check_ int supervise(struct start *s, struct start_result *ret, struct err *err);

/*
 * Undoes everything that was made, after the end and after a start that failed (result->started is
 * false); with PLAN_KEEP all but the state, which then says how it ended. What cannot be removed is
 * reported, and the state that leads to it stays.
 */
_must_check_ int finish(struct start *s, const struct start_result *result, struct err *err);

/* Ends who has made the process that follows it in an existing pid namespace, and waits for it. */
void release_end_predecessor(const struct start *s);

/* Of a start that failed: whoever was made is killed and waited for, and the pid file goes. */
void finish_processes(struct start *s);

/* Examines why the program could not be executed and rewrites the error. */
void diagnose_exec(struct start *s, struct err *err);

/* ---- child, in this order ---- */

_must_check_ int isolate_process(struct start *s, struct err *err);
_must_check_ int isolate_time(struct start *s, struct err *err);
_must_check_ int user_enter(struct start *s, struct err *err); /* waits for maps */
_must_check_ int isolate_namespaces(struct start *s, struct err *err);
_must_check_ int isolate_names(struct start *s, struct err *err);
_must_check_ int open_in_child(struct start *s, struct err *err); /* what the parent could not */
_must_check_ int rootfs_attach(struct start *s, struct err *err);
_must_check_ int mount_before_network(struct start *s, struct err *err);
_must_check_ int isolate_network(struct start *s, struct err *err);
_must_check_ int mount_after_network(struct start *s, struct err *err);
_must_check_ int dev_make_all(struct start *s, struct err *err);
_must_check_ int console_make(struct start *s, struct err *err);
/* hooks_create() (hooks.h) */
_must_check_ int lsm_set_labels(struct start *s, struct err *err);
_must_check_ int sysctl_write_all(struct start *s, struct err *err);
_must_check_ int home_fill(struct start *s, struct err *err);
_must_check_ int cwd_make(struct start *s, struct err *err);
_must_check_ int readonly_late(struct start *s, struct err *err);
_must_check_ int mask_all(struct start *s, struct err *err);
_must_check_ int share_all(struct start *s, struct err *err);
_must_check_ int pivot_into_root(struct start *s, struct err *err);
_must_check_ int isolate_pid(struct start *s, struct err *err);
_must_check_ int console_take(struct start *s, struct err *err);
_must_check_ int drop_privileges(struct start *s, struct err *err);
_must_check_ int isolate_move(struct start *s, struct err *err);
_must_check_ int exec_program(struct start *s, struct err *err); /* returns only on failure */

/* ---- parts of these steps ---- */

/* By user_enter(), or when a user namespace is joined. */
_must_check_ int user_become_root(const struct start *s, struct err *err);
/* One new file system with all its options, mounted, but nowhere yet; also by the parent. */
_must_check_ int mount_make(struct start *s, const struct plan_mount *m, int *ret_fd,
			    struct err *err);
_must_check_ int schedule_self(struct start *s, struct err *err); /* by exec_program() */

/* A bind that is shared with the host only when all is built on it; the parent's part of it. */
bool share_is_late(const struct plan *plan, size_t index);
_must_check_ int share_later(struct start *s, size_t index, int tree, struct err *err);

/* Closes what hull has and the child must not: at once, and all the rest when it is built. */
_must_check_ int descriptors_close_parents(struct start *s, struct err *err);
_must_check_ int descriptors_close_built(struct start *s, struct err *err);
_must_check_ int descriptors_close_parked(struct start *s,
					  struct err *err); /* but gate and channel */
_must_check_ int descriptors_close_all_but(int a, int b);

/* /dev of the new root, which must be a directory and no link: an O_PATH fd or -errno. */
_must_check_ int dev_open(const struct start *s, struct err *err);

/* The terminal at descriptor 0 becomes that of this session, by its leader. */
_must_check_ int console_control(struct start *s, struct err *err);

/* Parts of drop_privileges(), before and after the change of the user. */
_must_check_ int memory_policy_set(struct start *s, struct err *err);
_must_check_ int cwd_try(struct start *s, struct err *err);
_must_check_ int cwd_enter(struct start *s, struct err *err);
bool drop_keeps_groups(const struct start *s);
uint64_t drop_extra_caps(const struct start *s);
_must_check_ int verify_privileges(struct start *s, struct err *err); /* at its end */

/* Before a copy of the process goes where others may look at it: wipes what hull was called with.
 */
void isolate_wipe_arguments(void);

/* After pivot_root(".", "."): unmounts all that is stacked on the new root, the cwd. */
_must_check_ int pivot_detach_old_root(int root_fd, struct err *err);
/* Parts that the stage (stage.c) does in the child's stead. */
_must_check_ int isolate_oom_score(struct start *s, struct err *err);
_must_check_ int isolate_join(struct start *s, enum spec_ns_type type, struct err *err);
_must_check_ int rootfs_cut_propagation(struct err *err);
_must_check_ int rootfs_lock_layer(struct start *s, struct err *err); /* by the parent */
_must_check_ int rootfs_stage_overlay(struct start *s,
				      struct err *err); /* at "root" of the stage */

/*
 * As clone3 does, and the child calls born_tell() first of all: by then it is in its cgroup, also
 * where the kernel lets nobody be made in it (born.c).
 */
struct clone_args;
_must_check_ long born_clone(struct start *s, const struct clone_args *child, int *ret_pidfd);
_must_check_ int born_tell(struct start *s, struct err *err);

/* Before and after: the child of a user's scope may have to wait until systemd moves it. */
_must_check_ int born_prepare(struct start *s, struct err *err);
void born_done(struct start *s);
/* In between, in the parent (scope.c): has it moved, and tells the child. `below`: a cgroup below
 * the unit's own, or NULL. */
_must_check_ int scope_attach(struct start *s, const char *below, struct err *err);

/* Why clone3 failed, with a hint; returns -code. */
int clone_failed(const struct start *s, int code, struct err *err);

/* After each change of ids, which sets "dumpable" to what fs.suid_dumpable says. */
_must_check_ int isolate_hide(struct err *err);

/* What the child does, in order, up to the row without a name; that of exec is in join.c. */
struct child_step {
	const char *name;
	int (*run)(struct start *s, struct err *err);
};
extern const struct child_step join_child_steps[];

/* The names of these steps, for errors; NULL behind the last. */
const char *child_step_name(const struct start *s, unsigned index);
/* All of them; reports to the parent and exits on failure. */
_Noreturn void child_main(struct start *s);

#endif
