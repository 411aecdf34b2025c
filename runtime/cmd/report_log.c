/*
 * The record that engines read: one JSON object, complete in itself, because containerd shows the
 * last line of a log only and podman parses the file as a whole. The keys level, msg and time are
 * those of other runtimes; all others are hull's.
 */
#include "cmd/report.h"

#include <string.h>

#include "cmd/escape.h"

/* Engines print these texts on terminals, so they are escaped twice: for those, and as JSON. */
static void write_text(struct json_out *o, const char *key, const char *text)
{
	struct str safe;
	str_init(&safe, o->str->arena);
	escape_append(&safe, text, strlen(text));
	json_out_member(o, key, safe.text);
}

/* ---- the place ---- */

static void append_pointer_part(struct str *out, const char *part, size_t size)
{
	str_append(out, "/");
	for (size_t i = 0; i < size; i++) {
		const char *escaped = part[i] == '~' ? "~0" : part[i] == '/' ? "~1" : NULL;
		if (escaped)
			str_append(out, escaped);
		else
			str_append_n(out, part + i, 1);
	}
}

/* `linux.sysctl["a.b"]` and `mounts[7].source` as JSON pointers, /linux/sysctl/a.b,
 * /mounts/7/source. */
static void append_pointer(struct str *out, const char *path)
{
	while (*path) {
		bool is_quoted = str_has_prefix(path, "[\"");
		bool is_index = !is_quoted && *path == '[';
		path += is_quoted ? 2 : is_index || *path == '.' ? 1 : 0;
		const char *end = is_quoted ? strstr(path, "\"]") : NULL;
		size_t size = end ? (size_t)(end - path) : strcspn(path, is_index ? "]" : ".[");
		append_pointer_part(out, path, size);
		path += size;
		if (*path)
			path += is_quoted ? 2 : is_index ? 1 : 0;
	}
}

static void write_place(struct json_out *o, const struct err *err)
{
	if (!err->line && err->path[0] == '-')
		write_text(o, "option", err->path);
	if (!err->line)
		return;
	struct str pointer;
	str_init(&pointer, o->str->arena);
	append_pointer(&pointer, err->path);
	json_out_key(o, "config");
	json_out_object(o);
	json_out_key(o, "line");
	json_out_uint(o, err->line);
	json_out_key(o, "column");
	json_out_uint(o, err->column);
	json_out_member(o, "pointer", pointer.text);
	json_out_object_end(o);
}

/* ---- the message ---- */

/* Errors in the file say only what is wrong there, so the place belongs to the message. */
static bool is_config_problem(const struct err *err)
{
	return err->kind == ERR_CONFIG && err->line && !(err->flags & ERR_HAS_ERRNO) &&
	       !err->kernel[0];
}

static void append_place(struct str *out, const struct err *err)
{
	if (!is_config_problem(err))
		return;
	str_printf(out, "config.json:%u:%u: ", err->line, err->column);
	if (err->path[0])
		str_printf(out, "%s: ", err->path);
}

static void append_errno(struct str *out, const struct err *err)
{
	if (!(err->flags & ERR_HAS_ERRNO))
		return;
	bool may_match = err->flags & ERR_ABOUT_PROGRAM;
	str_printf(out, ": %s", may_match ? err_text(err->code).s : err_name(err->code));
}

static void append_msg(struct str *out, const struct err *err, unsigned more)
{
	append_place(out, err);
	str_append(out, err->message);
	append_errno(out, err);
	if (err->kernel[0])
		str_printf(out, ": kernel: %s", err->kernel);
	if (err->cause[0] && !(err->flags & ERR_QUOTES))
		str_printf(out, " (%s)", err->cause);
	if (more)
		str_printf(out, " (and %u more problem%s)", more, more == 1 ? "" : "s");
}

static void write_msg(struct json_out *o, const struct err *err, unsigned more)
{
	struct str msg;
	str_init(&msg, o->str->arena);
	append_msg(&msg, err, more);
	write_text(o, "msg", msg.text);
}

/* ---- the record ---- */

static void write_optional(struct json_out *o, const char *key, const char *value)
{
	if (*value)
		write_text(o, key, value);
}

static void write_warnings(struct json_out *o, const struct spec_problems *problems)
{
	json_out_key(o, "warnings");
	json_out_array(o);
	for (const struct spec_problem *p = problems->first; p; p = p->next) {
		if (p->severity != SPEC_WARNING)
			continue;
		json_out_object(o);
		write_msg(o, &p->err, 0);
		write_place(o, &p->err);
		write_optional(o, "hint", p->err.hint);
		json_out_object_end(o);
	}
	json_out_array_end(o);
}

static const char *step_of(const struct err *err)
{
	return err->step[0] || !is_config_problem(err) ? err->step : "parse";
}

/* What errors and warnings have in common; the object stays open. */
static void write_record(struct json_out *o, const char *level, const struct err *err,
			 unsigned more, const char *time_rfc3339)
{
	json_out_object(o);
	json_out_member(o, "level", level);
	write_msg(o, err, more);
	json_out_member(o, "time", time_rfc3339);
	write_optional(o, "step", step_of(err));
	write_place(o, err);
	if (err->flags & ERR_HAS_ERRNO)
		json_out_member(o, "errno", err_name(err->code));
	write_optional(o, "kernel", err->kernel);
	write_optional(o, "cause", err->cause);
	write_optional(o, "hint", err->hint);
}

void report_log_json(struct str *out, const struct err *err, const struct spec_problems *warnings,
		     const char *time_rfc3339)
{
	struct json_out o;
	unsigned more = 0;
	if (warnings && warnings->errors > 1 && is_config_problem(err))
		more = warnings->errors - 1;
	json_out_init(&o, out, JSON_OUT_COMPACT);
	write_record(&o, "error", err, more, time_rfc3339);
	if (warnings && warnings->warnings)
		write_warnings(&o, warnings);
	json_out_object_end(&o);
	str_append(out, "\n");
}

void report_log_warning(struct str *out, const struct err *warning, const char *time_rfc3339)
{
	struct json_out o;
	json_out_init(&o, out, JSON_OUT_COMPACT);
	write_record(&o, "warning", warning, 0, time_rfc3339);
	json_out_object_end(&o);
	str_append(out, "\n");
}
