/*
 * Why a container ended: plain data of fixed size, without pointers, filled by the one who saw the
 * end (start/death.c), kept in the state file as `hull.exit`, and told to people and engines
 * (cmd/report_exit.c). Texts in it are printable ASCII, whoever wrote them: exitinfo_set_text()
 * sees to it. What is not known is said so: UNKNOWN, an empty text or EXITINFO_UNSET.
 */
#ifndef HULL_STATE_EXITINFO_H
#define HULL_STATE_EXITINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

enum exitinfo_cause {
	EXITINFO_NONE,    /* it has not ended, or nobody saw it */
	EXITINFO_EXIT,    /* the program exited, with `code` */
	EXITINFO_SIGNAL,  /* it was killed by `signal` */
	EXITINFO_OOM,     /* it was killed because memory ran out */
	EXITINFO_SECCOMP, /* it was killed by its seccomp filter */
	EXITINFO_START,   /* it was never started: `step`, `message` */
	EXITINFO_HOOK,    /* a hook failed, likewise */
};

enum exitinfo_sender {
	EXITINFO_SENDER_NONE,    /* not a signal, or one that a fault of the program raises */
	EXITINFO_SENDER_UNKNOWN, /* the kernel does not say */
	EXITINFO_SENDER_PROCESS, /* a process sent it to hull, which forwarded it */
	EXITINFO_SENDER_KERNEL,  /* the same from the kernel: the keyboard of hull's terminal */
	EXITINFO_SENDER_DELETE,  /* hull delete --force */
	EXITINFO_SENDER_KILL,    /* hull kill, and who called it */
};

enum exitinfo_limit {
	EXITINFO_LIMIT_NONE,    /* nothing was killed for want of memory */
	EXITINFO_LIMIT_UNKNOWN, /* the counters do not tell */
	EXITINFO_LIMIT_OWN,     /* the container's own */
	EXITINFO_LIMIT_INSIDE,  /* of a cgroup that the container made below its own */
	EXITINFO_LIMIT_PARENT,  /* of `oom.cgroup`, above the container's */
	EXITINFO_LIMIT_HOST,    /* none: the host ran out of memory */
};

/* Who sent a signal to hull, which forwarded it; or who called `hull kill`. */
struct exitinfo_origin {
	enum exitinfo_sender kind;
	uint64_t pid, uid;
	char name[64];
};

#define EXITINFO_PATH_SIZE 512
#define EXITINFO_UNSET     UINT64_MAX
#define EXITINFO_UNLIMITED (UINT64_MAX - 1) /* "max" of a limit */

struct exitinfo {
	enum exitinfo_cause cause;
	uint64_t code;   /* the exit status that hull passes on */
	char signal[16]; /* "SIGTERM" */
	bool core_dumped;
	char finished[40]; /* RFC 3339, UTC */
	uint64_t duration_ms;
	uint64_t pids_refused;       /* how often pids.max refused a new process */
	char step[64], message[512]; /* of a start that failed */
	uint64_t line, column; /* in config.json: what the cause goes back to; 0: nothing there */

	struct exitinfo_origin sender;
	struct {
		enum exitinfo_limit limit_of;
		char cgroup[EXITINFO_PATH_SIZE]; /* whose limit it was, below the cgroup2 mount */
		uint64_t limit, swap_limit;      /* bytes */
		uint64_t peak;                   /* of the container, bytes */
		uint64_t killed;                 /* processes of the container */
		bool group;                      /* all at once: memory.oom.group */
		uint64_t pressure; /* percent of 10 s in which some waited for memory */
		/* From the kernel log, where it could be read. */
		uint64_t pid; /* of the first victim, as the host counts */
		char name[64];
		uint64_t anon, file, kernel; /* bytes below that limit when it was hit */
	} oom;
	struct {
		/* From the kernel log, where it could be read. */
		char syscall[64];
		uint64_t number;
		char arch[32];
		char name[64]; /* of the process */
		char action[40];
		char rule[128]; /* the place in config.json, `line` and `column` are its */
	} seccomp;
};

void exitinfo_init(struct exitinfo *x);

/* Copies a text with everything but printable ASCII as \xNN, cut at whole characters. */
void exitinfo_set_text(char *buf, size_t buf_size, const char *text, size_t size);

/* Writes it as one JSON value. */
void exitinfo_write(const struct exitinfo *x, struct json_out *o);

/* Reads such a value; what is missing or of another type stays unset. */
void exitinfo_read(const struct json *value, struct exitinfo *ret);

#endif
