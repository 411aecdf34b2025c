/*
 * How errors and warnings look: to people, on a terminal or not, and to engines, as the one JSON
 * object of --log. Nothing is printed here: the caller writes the text where it belongs.
 *
 * Texts from configs, paths and programs never reach a terminal as they are: control characters
 * and bytes that are not UTF-8 are escaped.
 */
#ifndef HULL_CMD_REPORT_H
#define HULL_CMD_REPORT_H

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "spec/spec.h"
#include "state/exitinfo.h"

enum report_flags {
	REPORT_PLAIN = 0,
	REPORT_COLOUR = 1u << 0,
	REPORT_CHECK = 1u << 1,   /* of `hull check`, which starts nothing anyway */
	REPORT_WARNING = 1u << 2, /* report_err(): of something that stopped nothing */
	REPORT_UPDATE = 1u << 3,  /* of `hull update`, which starts nothing, but changes */
};

/*
 * All problems of one file under a heading, each with its line and what it should be. `doc` is the
 * file that they are about; its `root` may be NULL (a syntax error).
 */
void report_problems(struct str *out, const struct json_doc *doc,
		     const struct spec_problems *problems, enum report_flags flags);

/*
 * One error: the message, and a row for each thing that is known about it (step, place in
 * config.json, the kernel's words, cause, hint). A mistake in config.json looks as in
 * report_problems(). `doc` may be NULL.
 */
void report_err(struct str *out, const struct json_doc *doc, const struct err *err,
		enum report_flags flags);

/*
 * The record of --log: one JSON object on one line. Engines search `msg` for the texts of ENOENT
 * and EACCES to tell 127 and 126 from other failures, so it has an errno's text only in errors
 * with ERR_ABOUT_PROGRAM, and the errno's name in all others. `warnings` (may be NULL) are all
 * problems of config.json; its errors are only counted.
 */
void report_log_json(struct str *out, const struct err *err, const struct spec_problems *warnings,
		     const char *time_rfc3339);

/* A warning of a start that goes on: a record of its own, with the level "warning". */
void report_log_warning(struct str *out, const struct err *warning, const char *time_rfc3339);

/* "  hint    text"; further lines of the text stand below its first one. Nothing when it is empty.
 */
void report_row(struct str *out, enum report_flags flags, const char *name, const char *text);

/* "32.0 MiB"; below a KiB the number alone. report_exit.c. */
void report_bytes(struct str *out, uint64_t n);

/* ---- how a container ended (report_exit.c) ---- */

/* The program did what it was to do, well or not: nothing that needs a word from hull. */
bool report_exit_is_ordinary(const struct exitinfo *x);
/* Something that nobody wants; the rest is of the level "warning". */
bool report_exit_is_error(const struct exitinfo *x);

/* The sentence, and rows with what explains it. */
void report_exit(struct str *out, const char *id, const struct exitinfo *x,
		 enum report_flags flags);

/* The record of --log: the sentence as msg, and all that is known in `exit`. */
void report_log_exit(struct str *out, const char *id, const struct exitinfo *x,
		     const char *time_rfc3339);

#endif
