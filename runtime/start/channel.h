/*
 * Between parent and child while a container starts: a few pages of memory that both see, for what
 * is said, and one socket pair, for when.
 *
 * The page carries the error and the step that the child is in. It needs no message format, cannot
 * be cut short, and can still be written after the seccomp filter is loaded, when every system call
 * may be forbidden. It goes away for the child with execve, so no program ever sees it.
 *
 * The socket carries single bytes. The parent waits on it together with its signals, so that a
 * dead child is noticed; the end of file tells the child that hull is dead, and it gives up.
 * One of them may bring a descriptor.
 * Nobody waits for a peer that cannot answer.
 */
#ifndef HULL_START_CHANNEL_H
#define HULL_START_CHANNEL_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/err.h"

enum channel_message {
	CHANNEL_EOF = 0,          /* the other side is gone */
	CHANNEL_MAPPED = 'M',     /* parent: the user namespace has its maps */
	CHANNEL_NAMESPACE = 'S',  /* parent: with the network namespace (ahead.h) */
	CHANNEL_NETWORK = 'N',    /* parent: what it makes in the network namespace is there */
	CHANNEL_GO = 'G',         /* parent: execute the program */
	CHANNEL_PARK = 'P',       /* parent of create: wait at the gate (gate.h), I leave */
	CHANNEL_UNSHARED = 'U',   /* child: the user namespace is there, without maps */
	CHANNEL_HOOKS = 'H',      /* child: the environment is there, waiting for the hooks */
	CHANNEL_HOOKS_DONE = 'D', /* parent: they have run */
	CHANNEL_TERMINAL = 'T',   /* child: with the descriptor of the terminal's other side */
	CHANNEL_LISTENER = 'L',   /* child: with the listener of seccomp; waits for GO once more */
	CHANNEL_READY = 'R',      /* child: all is set up, waiting for GO */
	CHANNEL_FAILED = 'E',     /* child: see the page's error */
};

/* Memory that the process of a hook shares with whoever runs it, until it executes. */
struct hook_report {
	_Atomic int code;       /* why it could not execute: an errno; 0: it has */
	_Atomic bool executing; /* all was set up: it is execve that failed */
};

/* The child's steps by their index, and the moment before the filter and execve. */
#define CHANNEL_TIMES     32
#define CHANNEL_TIME_EXEC (CHANNEL_TIMES - 1)

/* The two steps in which mounts are made. */
enum channel_mounts { CHANNEL_MOUNTS_BEFORE, CHANNEL_MOUNTS_AFTER, CHANNEL_MOUNTS };
struct channel_slowest {
	_Atomic unsigned mount; /* index into the plan's mounts */
	_Atomic uint64_t ns;    /* 0: there was none */
};

struct channel_page {
	struct err err;          /* set by the child when it fails */
	_Atomic unsigned step;   /* index into the child's steps that runs now */
	_Atomic bool is_created; /* namespaces, mounts and devices exist: hooks have had a turn */
	_Atomic bool exec_next;  /* the next thing is the filter and execve */
	_Atomic pid_t moved_pid; /* the child went on as this process (existing pid namespace) */
	pid_t staged_pid;        /* the child, from the stage; written by the kernel */
	_Atomic bool is_staged;  /* the stage has done all of its work */
	_Atomic bool is_beside;  /* the child is not in its cgroup, and waits for it (born.c) */
	_Atomic bool loopback_is_up; /* in the network namespace that is passed on (ahead.c) */
	_Atomic int born_on;         /* the CPU on which the child began (born.c) */
	_Atomic bool in_network; /* the child has entered or made its network namespace (ahead.c) */
	_Atomic bool keeps_groups;     /* nobody may set groups in the joined user namespace */
	_Atomic unsigned tolerated;    /* rows of tolerate.c */
	_Atomic uint64_t rlimits_left; /* bit n: the plan's rlimit n is the parent's to set */
	struct hook_report hook;       /* of the hook that the child runs now */
	_Atomic uint64_t times[CHANNEL_TIMES]; /* when they began (timeline.h); 0: they did not */
	struct channel_slowest slowest[CHANNEL_MOUNTS];
	char program[PATH_MAX]; /* what execve is given; "" while it is not found */
	_Atomic unsigned claim; /* gate.h; last, for it is not copied */
};

struct channel {
	struct channel_page *page;
	int parent_fd, child_fd;
};

_must_check_ int channel_open(struct channel *ret, struct err *err);
void channel_close(struct channel *c);

/*
 * What the child has left in the page, made safe to work with: the parent has read it once, its
 * strings end, its numbers are in range. The child is trusted, but the page is its memory, and a
 * child that went wrong must not take the parent along. channel_error() says whether there is one,
 * and else leaves *ret alone.
 */
bool channel_error(const struct channel *c, struct err *ret);
void channel_program(const struct channel *c, char ret[static PATH_MAX]);
/* The process that the child went on as, if it is a child of the caller's; 0: none. */
pid_t channel_moved(const struct channel *c);
/* The same for the child that the stage has made. */
pid_t channel_staged(const struct channel *c);

/* After clone each side keeps its own end. */
void channel_keep_parent(struct channel *c);
void channel_keep_child(struct channel *c);

/* Sends one message. 0 or -errno; a peer that is gone is -EPIPE, never a signal. */
_must_check_ int channel_send(int fd, enum channel_message message);

/* Room for one descriptor as the macros of cmsg(3) want it; aligned, there is some for a second. */
union channel_one_fd {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

/* A descriptor to go with a message, in this room. No system call. */
void channel_put_fd(struct msghdr *message, union channel_one_fd *control, int sent);

/*
 * Sends as much as there is room for, with a descriptor unless that is negative. How much, or
 * -errno, never a signal.
 */
_must_check_ ssize_t channel_send_some(int socket, const void *text, size_t size, int sent);

/*
 * Sends text with a descriptor, which stays the caller's, over any socket: for --console-socket.
 * 0 or -errno, never a signal.
 */
_must_check_ int channel_send_text(int socket, const void *text, size_t size, int sent);

/* The same with a descriptor, which stays the caller's. */
_must_check_ int channel_send_fd(int fd, enum channel_message message, int sent);

/*
 * Parent: the same, with a descriptor unless that is negative. A child that is gone is no error: it
 * has left its reason in the page. One that is alive and is not told would wait for ever.
 */
_must_check_ int channel_tell(const struct channel *c, enum channel_message message, int sent);

/* Child: the other side is gone, or did not say what it should have. */
int channel_given_up(struct err *err);

/* Waits for one message; CHANNEL_EOF when the other side is gone or the socket fails. */
enum channel_message channel_receive(int fd);

/*
 * The same, and the descriptor that came with it, or -EBADF. More than one is none: they are closed
 * and the message counts as CHANNEL_EOF.
 */
enum channel_message channel_receive_fd(int fd, int *ret_fd);

/*
 * Waits for a message of at most `size` bytes on any such socket, and the one descriptor that may
 * come with it, as below. Its size, or -ECONNRESET.
 */
_must_check_ int channel_receive_text(int socket, void *text, size_t size, int *ret_fd);

/*
 * Waits for one byte on any such socket, and the one descriptor that may come with it, which the
 * caller owns; else *ret_fd is -EBADF. -ECONNRESET: the other side is gone, or sent more than one.
 */
_must_check_ int channel_receive_byte(int socket, char *ret_byte, int *ret_fd);

#endif
