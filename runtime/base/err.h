/*
 * The error of hull: one plain struct of fixed size that says what failed, where, why and what
 * to do about it. It holds no pointers, so the child can hand it to the parent as it is, through
 * memory that both share. Functions that can fail return 0, or -errno with the error filled.
 *
 * Raise once, with the object: err_sys(err, errno, "cannot open '%s'", path). The errno's text is
 * added when the error is shown, never typed. Advice goes to the hint, never into the message.
 */
#ifndef HULL_BASE_ERR_H
#define HULL_BASE_ERR_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/defer.h"

enum err_kind {
	ERR_INTERNAL,   /* a bug of hull, or a failure that nobody foresaw */
	ERR_CONFIG,     /* config.json or the command line asks for something wrong */
	ERR_HOST,       /* this host lacks something that was asked for */
	ERR_PERMISSION, /* the caller may not do it */
	ERR_NOT_FOUND,  /* no such container, file, program */
	ERR_BUSY,       /* it exists or is in use */
	ERR_LIMIT,      /* a limit of the host or of hull was reached */
};

enum err_flags {
	ERR_HAS_ERRNO = 1u << 0,     /* show the text of `code` behind the message */
	ERR_ABOUT_PROGRAM = 1u << 1, /* process.args or cwd is the cause: engines turn the texts
				      * "no such file or directory" and "permission denied" into
				      * 127 and 126, so only these errors may show them in a log */
	ERR_QUOTES = 1u << 2,        /* the cause is another program's words, for people */
	ERR_ABOUT_HOOK = 1u << 3,    /* a hook has failed */
	ERR_CHILDS_HOOK = 1u << 4,   /* and it was one that the child runs */
	ERR_NO_CONTAINER = 1u << 5,  /* none has the id */
};

struct err {
	int code; /* a positive errno; 0: no error */
	enum err_kind kind;
	unsigned flags;  /* enum err_flags */
	uint32_t at;     /* 1 + byte offset of the cause in config.json; 0: not known */
	uint32_t line;   /* filled from `at` by whoever holds the file; 0: not known */
	uint32_t column; /* in characters, from 1 */
	char path[256];  /* the place in config.json, "mounts[7].options[1]" */
	char step[64];   /* the step of the start that failed, "mounts, 8 of 11" */
	char message[1536];
	char cause[512]; /* what was found when the failure was examined */
	char hint[512];
	char kernel[512]; /* the kernel's own words (the log of an fsopen fd) */
};

/*
 * Fills *err (a NULL err is allowed) and returns -code. err_sys() shows the errno's text behind
 * the message, err_say() does not: its message says everything. The kind is derived from the
 * errno by err_sys(). A code of 0 is taken as EINVAL, so that a failure never returns success.
 */
_printf_(3, 4) int err_sys(struct err *err, int code, const char *fmt, ...);
_printf_(4, 5) int err_say(struct err *err, enum err_kind kind, int code, const char *fmt, ...);

/* Adds to an error that is set; each overwrites what was there. */
_printf_(2, 3) void err_hint(struct err *err, const char *fmt, ...);
_printf_(2, 3) void err_cause(struct err *err, const char *fmt, ...);
_printf_(2, 3) void err_step(struct err *err, const char *fmt, ...);
_printf_(2, 3) void err_kernel(struct err *err, const char *fmt, ...);
void err_at(struct err *err, uint32_t at);

/* Puts the caller's intent before the message: "cannot start 'web': cannot open ...". */
_printf_(2, 3) void err_wrap(struct err *err, const char *fmt, ...);

void err_clear(struct err *err);

/*
 * The error in memory that another process writes to, which may have any bytes in it: copied to
 * *err (or not, when NULL) as one that is whole. 0 when there is none, else -code, never positive.
 */
int err_take_shared(struct err *err, const struct err *shared);

/* The text of an errno in lower case: err_text(ENOENT).s is "no such file or directory". */
struct err_text {
	char s[64];
};
struct err_text err_text(int code);

/* The name of an errno, "ENOENT". Never NULL; static memory. */
const char *err_name(int code);

#endif
