/*
 * The human form of errors. Runs in the parent, at the end of a command that failed or before the
 * start of one that has warnings; see report_log.c for the form that engines read.
 */
#include "cmd/report.h"

#include <string.h>

#include "cmd/escape.h"

/* ---- colours ---- */

enum paint { PAINT_ERROR, PAINT_WARNING, PAINT_OBJECT, PAINT_DIM, PAINT_COUNT };

static const char *const paints[PAINT_COUNT] = {
	[PAINT_ERROR] = "\033[1;31m",
	[PAINT_WARNING] = "\033[1;33m",
	[PAINT_OBJECT] = "\033[1m",
	[PAINT_DIM] = "\033[2m",
};

static void paint_on(struct str *out, enum report_flags flags, enum paint paint)
{
	if (flags & REPORT_COLOUR)
		str_append(out, paints[paint]);
}

static void paint_off(struct str *out, enum report_flags flags)
{
	if (flags & REPORT_COLOUR)
		str_append(out, "\033[0m");
}

static void painted(struct str *out, enum report_flags flags, enum paint paint, const char *text)
{
	paint_on(out, flags, paint);
	escape_append(out, text, strlen(text));
	paint_off(out, flags);
}

/* ---- the line of the file ---- */

#define EXCERPT_BEFORE 40 /* bytes of a long line that are shown before the place */
#define EXCERPT_WIDTH  76 /* bytes of it in all */

/* Configs that programs write have all in one line, so only the surroundings are shown. */
struct excerpt {
	const char *before, *token, *after, *end; /* each ends where the next one begins */
	bool cut_before, cut_after;
};

static bool is_middle(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80; /* of a UTF-8 character */
}

/* The place `limit` bytes behind `from`, or `end`, at the start of a character. */
static const char *cut_at(const char *from, const char *end, size_t limit)
{
	if ((size_t)(end - from) <= limit)
		return end;
	const char *p = from + limit;
	/* A character has at most three bytes after its first; more of them are no UTF-8 at all. */
	for (int i = 0; i < 3 && p > from && is_middle(*p); i++)
		p--;
	return p;
}

static void find_excerpt(const struct json_doc *doc, uint32_t at, struct excerpt *ret)
{
	uint32_t line, column;
	const char *text;
	size_t size;
	json_position(doc, at, &line, &column, &text, &size);
	if (size && text[size - 1] == '\r')
		size--;
	const char *end = text + size, *token = doc->text + at - 1;
	if (token > end)
		token = end;
	bool is_long = size > EXCERPT_WIDTH;
	ret->before = text;
	if (is_long && token - text > EXCERPT_BEFORE)
		ret->before = token - EXCERPT_BEFORE;
	while (ret->before < token && is_middle(*ret->before))
		ret->before++;
	const char *token_end = token + json_token_size(doc, at);
	ret->token = token;
	ret->end = is_long ? cut_at(ret->before, end, EXCERPT_WIDTH) : end;
	ret->after = token_end < ret->end ? token_end : ret->end;
	ret->cut_before = ret->before > text;
	ret->cut_after = ret->end < end;
}

/* Appends a part of the line; the number of columns that it takes. */
static size_t append_part(struct str *out, const char *from, const char *to)
{
	size_t start = out->used, columns = 0;
	escape_append_line(out, from, (size_t)(to - from));
	for (size_t i = start; i < out->used; i++)
		columns += !is_middle(out->text[i]);
	return columns;
}

static void append_char(struct str *out, const char *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		str_append(out, c);
}

static void append_excerpt(struct str *out, const struct json_doc *doc, const struct err *err,
			   enum report_flags flags)
{
	struct excerpt e;
	find_excerpt(doc, err->at, &e);
	size_t start = out->used;
	str_printf(out, "    %u", err->line);
	size_t margin = out->used - start;
	str_printf(out, " | %s", e.cut_before ? "..." : "");
	size_t before = append_part(out, e.before, e.token) + (e.cut_before ? 3 : 0);
	size_t token = append_part(out, e.token, e.after);
	append_part(out, e.after, e.end);
	str_append(out, e.cut_after ? "...\n" : "\n");
	append_char(out, " ", margin);
	str_append(out, " | ");
	append_char(out, " ", before);
	paint_on(out, flags, PAINT_ERROR);
	append_char(out, "^", token ? token : 1);
	paint_off(out, flags);
	str_append(out, "\n");
}

/* ---- problems of config.json ---- */

/* The error with its place filled in, which later stages leave to whoever has the file. */
static struct err located(const struct json_doc *doc, const struct err *err)
{
	struct err copy = *err;
	if (doc && !copy.line)
		json_locate(doc, &copy);
	return copy;
}

static void append_remark(struct str *out, const char *name, const char *text)
{
	if (!text[0])
		return;
	str_printf(out, "    %s: ", name);
	escape_append(out, text, strlen(text));
	str_append(out, "\n");
}

static void append_problem(struct str *out, const struct json_doc *doc,
			   const struct spec_problem *problem, enum report_flags flags)
{
	struct err err = located(doc, &problem->err);
	str_append(out, "  ");
	if (err.line) { /* else it is not about one place in the file */
		escape_append(out, doc->name, strlen(doc->name));
		str_printf(out, ":%u:%u  ", err.line, err.column);
	}
	if (problem->severity == SPEC_WARNING)
		painted(out, flags, PAINT_WARNING, "warning: ");
	if (err.path[0]) {
		painted(out, flags, PAINT_OBJECT, err.path);
		str_append(out, ": ");
	}
	escape_append(out, err.message, strlen(err.message));
	if (err.flags & ERR_HAS_ERRNO)
		str_printf(out, ": %s", err_text(err.code).s);
	str_append(out, "\n");
	if (err.at)
		append_excerpt(out, doc, &err, flags);
	append_remark(out, "kernel", err.kernel);
	append_remark(out, "cause", err.cause);
	append_remark(out, "hint", err.hint);
}

static void append_count(struct str *out, unsigned n, const char *what)
{
	str_printf(out, "%u %s%s", n, what, n == 1 ? "" : "s");
}

static void append_heading(struct str *out, const struct json_doc *doc,
			   const struct spec_problems *problems, enum report_flags flags)
{
	if (problems->errors)
		painted(out, flags, PAINT_ERROR, "error: ");
	escape_append(out, doc->name, strlen(doc->name));
	str_append(out, ": ");
	if (problems->errors)
		append_count(out, problems->errors, "problem");
	if (problems->errors && problems->warnings)
		str_append(out, " and ");
	if (problems->warnings)
		append_count(out, problems->warnings, "warning");
	bool started = problems->errors == 0 || (flags & REPORT_CHECK);
	const char *done = flags & REPORT_UPDATE ? "changed" : "started";
	if (!started)
		str_printf(out, ", nothing was %s", done);
	str_append(out, "\n");
}

void report_problems(struct str *out, const struct json_doc *doc,
		     const struct spec_problems *problems, enum report_flags flags)
{
	unsigned shown = 0, all = problems->errors + problems->warnings;
	if (all == 0)
		return;
	append_heading(out, doc, problems, flags);
	for (const struct spec_problem *p = problems->first; p; p = p->next, shown++)
		append_problem(out, doc, p, flags);
	if (shown < all)
		str_printf(out, "  and %u more\n", all - shown);
}

/* ---- one error ---- */

/* A mistake in the file itself, which its line explains best. */
static bool is_config_problem(const struct err *err)
{
	return err->kind == ERR_CONFIG && err->at && err->at < JSON_OPTIONS &&
	       !(err->flags & ERR_HAS_ERRNO) && !err->kernel[0];
}

#define ROW_INDENT "          "

/* "  hint    text"; further lines of the text stand below its first one. */
void report_row(struct str *out, enum report_flags flags, const char *name, const char *text)
{
	if (!*text)
		return;
	str_append(out, "  ");
	paint_on(out, flags, PAINT_DIM);
	str_printf(out, "%-8s", name);
	paint_off(out, flags);
	for (;;) {
		size_t n = strcspn(text, "\n");
		escape_append(out, text, n);
		str_append(out, "\n");
		text += n;
		if (!*text || !*++text)
			return;
		str_append(out, ROW_INDENT);
	}
}

/* `mounts[7].options[1] = "size=10q"`: the value only where it is short enough to be one. */
static void append_place(struct str *out, const struct json_doc *doc, const struct err *err)
{
	str_printf(out, "%s:%u:%u", doc ? doc->name : "config.json", err->line, err->column);
	if (!err->path[0])
		return;
	str_printf(out, "  %s", err->path);
	const struct json *node = doc ? json_find(doc, err->at) : NULL;
	if (!node || node->at != err->at || node->type >= JSON_ARRAY)
		return;
	size_t n = json_token_size(doc, err->at);
	if (n > EXCERPT_WIDTH)
		return;
	str_append(out, " = ");
	str_append_n(out, doc->text + err->at - 1, n);
}

static void append_config_row(struct str *out, const struct json_doc *doc, const struct err *err,
			      enum report_flags flags)
{
	if (!err->line && err->path[0] == '-')
		report_row(out, flags, "option", err->path);
	if (!err->line)
		return;
	struct str place,
		safe; /* a key may have a line feed, which a row would take for two lines */
	str_init(&place, out->arena);
	str_init(&safe, out->arena);
	append_place(&place, doc, err);
	escape_append(&safe, place.text, place.used);
	report_row(out, flags, "config", safe.text);
}

void report_err(struct str *out, const struct json_doc *doc, const struct err *err,
		enum report_flags flags)
{
	if (doc && is_config_problem(err)) {
		struct spec_problem problem = { .severity = SPEC_ERROR, .err = *err };
		problem.err.cause[0] = '\0'; /* stands below */
		struct spec_problems one = { .first = &problem, .errors = 1 };
		report_problems(out, doc, &one, flags);
		report_row(out, flags, "cause", err->cause);
		return;
	}
	struct err full = located(doc, err);
	if (flags & REPORT_WARNING)
		painted(out, flags, PAINT_WARNING, "warning: ");
	else
		painted(out, flags, PAINT_ERROR, "error: ");
	escape_append(out, full.message, strlen(full.message));
	if (full.flags & ERR_HAS_ERRNO)
		str_printf(out, ": %s", err_text(full.code).s);
	str_append(out, "\n");
	report_row(out, flags, "step", full.step);
	append_config_row(out, doc, &full, flags);
	report_row(out, flags, "kernel", full.kernel);
	report_row(out, flags, "cause", full.cause);
	report_row(out, flags, "hint", full.hint);
}
