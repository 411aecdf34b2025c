/*
 * Filling the error struct. No allocation and no locks: the child uses these functions between
 * clone and exec, when all it may do is format into memory that it already has.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERRNO_MAX 4095 /* of the kernel */

/* Formats into a field; a text that does not fit ends in "..." instead of looking complete. */
static _printf_(3, 0) void field_vformat(char *field, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(field, size, fmt, ap);
	if (n < 0)
		field[0] = '\0';
	else if ((size_t)n >= size)
		memcpy(field + size - 4, "...", 4);
}

static _printf_(3, 4) void field_append(char *field, size_t size, const char *fmt, ...)
{
	size_t used = strlen(field);
	va_list ap;
	va_start(ap, fmt);
	if ((size_t)vsnprintf(field + used, size - used, fmt, ap) >= size - used)
		memcpy(field + size - 4, "...", 4);
	va_end(ap);
}

static enum err_kind kind_of_errno(int code)
{
	switch (code) {
	case EPERM:
	case EACCES:
		return ERR_PERMISSION;
	case ENOENT:
		return ERR_NOT_FOUND;
	case EBUSY:
	case EEXIST:
		return ERR_BUSY;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case ENOSPC:
	case EAGAIN:
		return ERR_LIMIT;
	default:
		return ERR_HOST;
	}
}

static _printf_(5, 0) int err_vfill(struct err *err, enum err_kind kind, int code, unsigned flags,
				    const char *fmt, va_list ap)
{
	if (code <= 0)
		code = EINVAL;
	if (!err)
		return -code;
	memset(err, 0, sizeof(*err));
	err->code = code;
	err->kind = kind;
	err->flags = flags;
	field_vformat(err->message, sizeof(err->message), fmt, ap);
	return -code;
}

int err_sys(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = err_vfill(err, kind_of_errno(code), code, ERR_HAS_ERRNO, fmt, ap);
	va_end(ap);
	return r;
}

int err_say(struct err *err, enum err_kind kind, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = err_vfill(err, kind, code, 0, fmt, ap);
	va_end(ap);
	return r;
}

/* The adders differ only in the field that they fill. */
#define ERR_ADDER(name, field)                                          \
	void name(struct err *err, const char *fmt, ...)                \
	{                                                               \
		if (!err)                                               \
			return;                                         \
		va_list ap;                                             \
		va_start(ap, fmt);                                      \
		field_vformat(err->field, sizeof(err->field), fmt, ap); \
		va_end(ap);                                             \
	}

ERR_ADDER(err_hint, hint)
ERR_ADDER(err_cause, cause)
ERR_ADDER(err_step, step)
ERR_ADDER(err_kernel, kernel)

void err_at(struct err *err, uint32_t at)
{
	if (err)
		err->at = at;
}

void err_wrap(struct err *err, const char *fmt, ...)
{
	if (!err)
		return;
	char inner[sizeof(err->message)];
	memcpy(inner, err->message, sizeof(inner));
	va_list ap;
	va_start(ap, fmt);
	field_vformat(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	field_append(err->message, sizeof(err->message), ": %s", inner);
}

void err_clear(struct err *err)
{
	if (err)
		memset(err, 0, sizeof(*err));
}

static void end_string(char *field, size_t size)
{
	field[size - 1] = '\0';
}

int err_take_shared(struct err *err, const struct err *shared)
{
	int code = *(const volatile int *)&shared->code; /* read once */
	if (code == 0)
		return 0;
	if (code < 0 || code > ERRNO_MAX)
		code = EPROTO;
	if (!err)
		return -code;
	memcpy(err, shared, sizeof(*err));
	err->code = code;
	if ((unsigned)err->kind > ERR_LIMIT)
		err->kind = ERR_INTERNAL;
	end_string(err->path, sizeof(err->path));
	end_string(err->step, sizeof(err->step));
	end_string(err->message, sizeof(err->message));
	end_string(err->cause, sizeof(err->cause));
	end_string(err->hint, sizeof(err->hint));
	end_string(err->kernel, sizeof(err->kernel));
	if (!err->message[0])
		snprintf(err->message, sizeof(err->message), "it failed without a word");
	return -code;
}

struct err_text err_text(int code)
{
	struct err_text text;
	const char *s = strerrordesc_np(code);
	if (s)
		snprintf(text.s, sizeof(text.s), "%s", s);
	else
		snprintf(text.s, sizeof(text.s), "error %d", code);
	/* "No such file" becomes "no such file", but "RFS specific error" stays. */
	if (text.s[0] >= 'A' && text.s[0] <= 'Z' && text.s[1] >= 'a' && text.s[1] <= 'z')
		text.s[0] = (char)(text.s[0] - 'A' + 'a');
	return text;
}

const char *err_name(int code)
{
	const char *s = strerrorname_np(code);
	return s ? s : "EUNKNOWN";
}
