/*
 * What hull remembers of a container: a directory of its own below the state root, with a file that
 * says how it is and one that says how it was wanted (a copy of config.json).
 *
 * The directory is the claim on the id, and its lock (flock) is held while the container's state
 * changes. The first says what is going to be made before it is made, is replaced as a
 * whole, and can be missing or broken: then the directory alone is enough to clean up.
 * state, list, ps, stats and events take no lock.
 */
#ifndef HULL_STATE_STATE_H
#define HULL_STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "spec/spec.h"
#include "state/exitinfo.h"

#define STATE_VERSION     1
#define STATE_OCI_VERSION "1.3.0" /* of the specification that this output follows (S-018) */

/*
 * The name (comm) of a container's first process until execve replaces it: for people. It proves
 * nothing, since a program may call itself the same.
 */
#define STATE_CHILD_NAME "hull:init"
/* That of hull's own process 1 (--init) once the program was executed; nobody else can change it.
 */
#define STATE_INIT_NAME "hull:pid1"

/*
 * How long who needs a container's lock waits for it. Nobody holds it for more than
 * STATE_WORK_SECONDS, but who is stopped himself: all that is waited for under the lock (processes
 * that die, systemd, a cgroup that is removed, the leases) shares that time, state_time_left().
 */
#define STATE_WORK_SECONDS 20
#define STATE_LOCK_SECONDS (STATE_WORK_SECONDS + 5)

/* In the state directory: where a created container waits to be started (start/gate.h). */
#define STATE_GATE_FILE "gate"

/* In the state directory: what a container on a bridge finds as /etc/resolv.conf. */
#define STATE_RESOLV_FILE "resolv.conf"
/* And what devices of the host were that are moved into a container during its start. */
#define STATE_DEVICES_FILE "devices"
/* A link that leads nowhere: its text is the container's cgroup (state/others.h). */
#define STATE_CGROUP_LINK "cgroup"

enum state_status {
	STATE_CREATING,
	STATE_CREATED,
	STATE_RUNNING,
	STATE_STOPPED,
	STATE_PAUSED, /* only state_status_shown() says so: in the file it is one of the others */
};

struct state {
	const char *id;
	const char *bundle; /* absolute */
	const char *rootfs; /* absolute */
	const char *cgroup; /* below the cgroup2 mount; NULL: none */
	size_t cgroup_kept; /* the first bytes of it, which stay when it is removed (cgroup.h) */
	const char *unit;   /* the scope that it is of, which systemd has made; NULL: hull has */
	bool unit_is_user;  /* the caller's own systemd */
	enum state_status status;
	pid_t pid;                     /* 0: no process yet */
	uint64_t pid_start;            /* clock ticks after boot, field 22 of /proc/PID/stat */
	const char *boot_id;           /* the boot that pid and pid_start belong to */
	uint64_t pid_ns, time_ns;      /* and the namespaces, by their inodes; 0: not known */
	char created[CLOCK_TEXT_SIZE]; /* RFC 3339, UTC */
	uid_t owner;
	uint64_t layer_dev, layer_ino;       /* the directory that its overlay writes to; 0: none */
	const char *rdt_class;               /* its class of service in resctrl; NULL: none */
	bool rdt_is_owned, rdt_is_monitored; /* the class, or a group in it, goes with it */
	uint64_t rdt_ino;  /* of the class, once it is made: another one of its name is not owned */
	bool has_init;     /* the first process is hull's own, and the program is its child */
	bool has_listener; /* of seccomp: `start` has it to give away */
	bool no_process;   /* config.json has none: it can be created, but not started (S-036) */
	bool has_gate;     /* of state_read(): it is created as far as `create` does it */
	const struct spec_map *annotations;     /* or NULL */
	const struct exitinfo *exit;            /* why it ended; NULL: it has not, or who knows */
	const struct spec_hook_list *poststart; /* `start` has yet to run them; or NULL */
	const struct spec_hook_list *poststop;  /* to be run when it is gone; or NULL */
};

/* The directory with all containers' states. */
struct state_store {
	const char *path;
	int fd; /* O_PATH; -EBADF: not opened */
};

/* The directory of one container. */
struct state_entry {
	const char *id;
	int store_fd;     /* borrowed */
	int fd;           /* holds the lock; -EBADF: none */
	int64_t deadline; /* of what is done under the lock; 0: it is not held */
};

enum state_store_flags { STATE_STORE_EXISTING, STATE_STORE_CREATE };

/*
 * Opens the store: `path` (absolute); or when NULL `hull` in `runtime_dir` (absolute), which is
 * $XDG_RUNTIME_DIR for others than the host's root; or when that is NULL too /run/hull. It must be
 * a directory of the caller that nobody else can write to. ENOENT when it does not exist
 * and is not to be created.
 */
_must_check_ int state_store_open(struct state_store *ret, const char *path,
				  const char *runtime_dir, enum state_store_flags flags,
				  struct arena *arena, struct err *err);
void state_store_close(struct state_store *store);

/* The directory of the seccomp cache in the store, made when missing; -1 when that fails. */
int state_open_cache(const struct state_store *store);

#define STATE_ID_SIZE 256 /* of a buffer that takes each id */

/* [A-Za-z0-9_+.-], 1 to 255 of them, neither "." nor "..". */
_must_check_ int state_check_id(const char *id, struct err *err);

/* The error for an id that no container has; -ENOENT. */
int state_no_such(const char *id, struct err *err);

struct state_ids {
	const char **v;
	size_t n;
};
/* All containers of the store, sorted; each may be gone by the time that it is looked at. */
_must_check_ int state_list(const struct state_store *store, struct arena *arena,
			    struct state_ids *ret, struct err *err);

/* Makes the directory, which claims the id, and locks it. EEXIST when it is taken. */
_must_check_ int state_claim(const struct state_store *store, const char *id,
			     struct state_entry *ret, struct err *err);

/*
 * Opens the directory of an existing container and waits for its lock. ENOENT when there is none;
 * ETIMEDOUT, with the holder's number in the error, when it is not to be had.
 */
_must_check_ int state_lock(const struct state_store *store, const char *id,
			    struct state_entry *ret, struct err *err);

/* Releases the lock but keeps the directory for state_relock(). */
void state_unlock(struct state_entry *entry);
_must_check_ int state_relock(struct state_entry *entry, struct err *err);

/* By when what is waited for under the lock has to be done, in hundredths of its time. */
enum state_by {
	STATE_BY_START = 70, /* what a start makes, so that there is time to take it back */
	STATE_BY_KILL = 50,
	STATE_BY_STOP = 85, /* what systemd is asked for at the end, or for an update */
	STATE_BY_REMOVE = 92,
	STATE_BY_REST = 97,
};

/*
 * Milliseconds until then. A moment is always left, so that what takes no time is done all the
 * same. Without the lock: of the same time from now on.
 */
int state_time_left(const struct state_entry *entry, enum state_by by);

/* Closes the descriptor, and with the last one the lock. */
void state_entry_close(struct state_entry *entry);

/* Replaces the state file; the entry is locked. */
_must_check_ int state_write(const struct state_entry *entry, const struct state *state,
			     struct err *err);

/*
 * Keeps the text of the config.json that the container is started with, for those who come later
 * (exec): what the bundle's says by then is nobody's concern. Once, by the claim's owner.
 */
_must_check_ int state_write_config(const struct state_entry *entry, const struct json_doc *config,
				    struct err *err);

/* Of a container that has ended: the room that it takes may be needed. */
void state_forget_config(const struct state_entry *entry);

/* Reads it, without a lock. ENOENT: there is none, or no such container. */
_must_check_ int state_read_config(const struct state_store *store, const char *id,
				   struct arena *arena, struct spec *ret,
				   struct spec_problems *problems, struct err *err);

/* Removes the files and the directory: the id is free again. */
_must_check_ int state_remove(struct state_entry *entry, struct err *err);

/*
 * Reads a container's state, without a lock. ENOENT: no such container. EUCLEAN: its file is
 * missing or broken, *ret has what could be read of it all the same. Other errors say nothing
 * about the file. The status is what the file says; state_status_now() asks the kernel.
 */
_must_check_ int state_read(const struct state_store *store, const char *id, struct arena *arena,
			    struct state *ret, struct err *err);

/*
 * The same for who holds no lock: a file that is missing or broken is looked at again when nobody
 * is at work there, for the container may be made or removed at this moment.
 */
_must_check_ int state_read_settled(const struct state_store *store, const char *id,
				    struct arena *arena, struct state *ret, struct err *err);

/* Parses the text of a state file; for state_read(), tests and fuzzing. */
_must_check_ int state_parse(const char *text, size_t size, struct arena *arena, struct state *ret,
			     struct err *err);

/*
 * Whether the container's first process is still there: a process of that number that was started
 * at that time in this boot. If so *ret_pidfd refers to it, beyond doubt. -ESRCH: it is
 * gone, beyond doubt; other errors: who knows.
 */
_must_check_ int state_open_process(const struct state *state, int *ret_pidfd);

/* The error for what else state_open_process() returns; returns -code. */
int state_process_unknown(const struct state *state, int code, struct err *err);

/* Did the container's cgroup exist before hull came? Then it stays (cgroup_kept). */
bool state_cgroup_existed(const struct state *state);

/*
 * Whether a process has called execve since it was made, also when it is dead and not yet reaped.
 * The kernel's own word, which no program can change: 1 or 0, or -errno when it is not to be had.
 * One that is gone has; so has one that somebody else may have reaped, for which `pid_start` is
 * given, and whose number is another's now.
 */
_must_check_ int state_has_executed(pid_t pid, uint64_t pid_start);

/*
 * Whether the container's program runs, beyond doubt: 1 or 0, or -errno when nobody knows (then
 * state_status_now() says that it does, which is right for all who would take something away).
 */
_must_check_ int state_is_running(const struct state *state);

/*
 * The signal that has ended a process which somebody has waited for since; 0: there is none, or the
 * kernel does not say (PIDFD_GET_INFO, Linux 6.15).
 */
int state_end_signal(int pidfd);

/*
 * What the kernel knows: a process that is gone means stopped, and one that was being created runs
 * as soon as it has executed; until then it is created when it waits at a gate. So no start has to
 * write the state once more.
 *
 * ret_pidfd may be NULL; else it gets the process that was looked at, as by state_open_process(),
 * or -EBADF when there is none or nobody knows.
 */
enum state_status state_status_now(const struct state *state, int *ret_pidfd);

/* The same for people and engines: created or running in a frozen cgroup is paused (S-020). */
enum state_status state_status_shown(const struct state *state, int *ret_pidfd);

/* Fills pid, pid_start and what they belong to, for a process that cannot go away meanwhile (a
 * child). */
_must_check_ int state_identify(struct state *state, pid_t pid, struct arena *arena,
				struct err *err);

/* The state as an object, as the specification has it: for those who are not hull's own. */
void state_put_public(struct json_out *o, const struct state *state, enum state_status status);

/* The state as an object (schema state-schema.json), with hull's own; `owner` is a user's name. */
void state_put(struct json_out *o, const struct state *state, enum state_status status,
	       const char *owner);

/* The same as `state` prints it. */
void state_print(const struct state *state, enum state_status status, struct str *ret);

/*
 * What a hook finds on its standard input, without its member "pid": which number that is depends
 * on who asks.
 */
void state_print_for_hook(const struct state *state, enum state_status status, struct str *ret);

/*
 * `hull kill` notes what it is about to send, for whom; and whether it was what has ended that
 * process: then *ret has who called it. Both as well as they can.
 */
void state_note_kill(const struct state_store *store, const struct state *state, int signal);
_must_check_ bool state_find_kill(const struct state_entry *entry, pid_t pid, int signal,
				  struct exitinfo_origin *ret);

/*
 * The right to run hooks of the parent's side, as long as *ret_lock is open: poststart by `start`,
 * poststop by whoever removes the container. The entry is locked. EBUSY: somebody else runs some.
 */
_must_check_ int state_lock_hooks(const struct state_entry *entry, int *ret_lock, struct err *err);

const char *state_status_name(enum state_status status);

#endif
