/*
 * The JSON form of a cause of death, by one table for both ways. Pure. Members that are not known
 * are left out, and reading takes a member that is missing for one that is not known, so that
 * older and newer versions of hull understand each other's states.
 */
#include "state/exitinfo.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const struct str_name cause_names[] = {
	{ "exit", EXITINFO_EXIT },
	{ "signal", EXITINFO_SIGNAL },
	{ "oom", EXITINFO_OOM },
	{ "seccomp", EXITINFO_SECCOMP },
	{ "start", EXITINFO_START },
	{ "hook", EXITINFO_HOOK },
	{ NULL, 0 },
};
static const struct str_name sender_names[] = {
	{ "unknown", EXITINFO_SENDER_UNKNOWN }, { "process", EXITINFO_SENDER_PROCESS },
	{ "kernel", EXITINFO_SENDER_KERNEL },   { "delete", EXITINFO_SENDER_DELETE },
	{ "kill", EXITINFO_SENDER_KILL },       { NULL, 0 },
};
static const struct str_name limit_names[] = {
	{ "unknown", EXITINFO_LIMIT_UNKNOWN }, { "own", EXITINFO_LIMIT_OWN },
	{ "inside", EXITINFO_LIMIT_INSIDE },   { "parent", EXITINFO_LIMIT_PARENT },
	{ "host", EXITINFO_LIMIT_HOST },       { NULL, 0 },
};

enum field_kind { FIELD_END, FIELD_NAME, FIELD_NUMBER, FIELD_COUNT, FIELD_TEXT, FIELD_FLAG };

/* A count of 0 is not worth a word; a number of 0 is. */
struct field {
	const char *object; /* the member that holds it; NULL: the outermost */
	const char *key;
	enum field_kind kind;
	size_t offset, size;
	const struct str_name *names;
};

#define AT(member) offsetof(struct exitinfo, member), sizeof(((struct exitinfo *)0)->member)
#define NAME(object, key, member, names)                   \
	{                                                  \
		object, key, FIELD_NAME, AT(member), names \
	}
#define NUMBER(object, key, member)                         \
	{                                                   \
		object, key, FIELD_NUMBER, AT(member), NULL \
	}
#define COUNT(object, key, member)                         \
	{                                                  \
		object, key, FIELD_COUNT, AT(member), NULL \
	}
#define TEXT(object, key, member)                         \
	{                                                 \
		object, key, FIELD_TEXT, AT(member), NULL \
	}
#define FLAG(object, key, member)                         \
	{                                                 \
		object, key, FIELD_FLAG, AT(member), NULL \
	}

/* The members of an object stand together. */
static const struct field fields[] = {
	NAME(NULL, "cause", cause, cause_names),
	NUMBER(NULL, "code", code),
	TEXT(NULL, "signal", signal),
	FLAG(NULL, "coreDumped", core_dumped),
	TEXT(NULL, "finished", finished),
	NUMBER(NULL, "durationMs", duration_ms),
	COUNT(NULL, "pidsRefused", pids_refused),
	TEXT(NULL, "step", step),
	TEXT(NULL, "message", message),
	COUNT(NULL, "line", line),
	COUNT(NULL, "column", column),
	NAME("sender", "kind", sender.kind, sender_names),
	NUMBER("sender", "pid", sender.pid),
	NUMBER("sender", "uid", sender.uid),
	TEXT("sender", "name", sender.name),
	NAME("oom", "limitOf", oom.limit_of, limit_names),
	TEXT("oom", "cgroup", oom.cgroup),
	NUMBER("oom", "limit", oom.limit),
	NUMBER("oom", "swapLimit", oom.swap_limit),
	NUMBER("oom", "peak", oom.peak),
	COUNT("oom", "killed", oom.killed),
	FLAG("oom", "group", oom.group),
	NUMBER("oom", "pressure", oom.pressure),
	NUMBER("oom", "pid", oom.pid),
	TEXT("oom", "name", oom.name),
	NUMBER("oom", "anon", oom.anon),
	NUMBER("oom", "file", oom.file),
	NUMBER("oom", "kernel", oom.kernel),
	TEXT("seccomp", "syscall", seccomp.syscall),
	NUMBER("seccomp", "number", seccomp.number),
	TEXT("seccomp", "arch", seccomp.arch),
	TEXT("seccomp", "name", seccomp.name),
	TEXT("seccomp", "action", seccomp.action),
	TEXT("seccomp", "rule", seccomp.rule),
	{ NULL, NULL, FIELD_END, 0, 0, NULL },
};

void exitinfo_init(struct exitinfo *x)
{
	memset(x, 0, sizeof(*x));
	for (const struct field *f = fields; f->kind != FIELD_END; f++)
		if (f->kind == FIELD_NUMBER)
			*(uint64_t *)((char *)x + f->offset) = EXITINFO_UNSET;
}

void exitinfo_set_text(char *buf, size_t buf_size, const char *text, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		bool is_plain = c >= ' ' && c < 0x7f;
		size_t n = is_plain ? 1 : 4;
		if (used + n >= buf_size)
			break;
		if (is_plain)
			buf[used] = (char)c;
		else
			snprintf(buf + used, n + 1, "\\x%02x", c);
		used += n;
	}
	buf[used] = '\0';
}

/* ---- writing ---- */

static bool is_set(const struct field *f, const void *value)
{
	switch (f->kind) {
	case FIELD_NAME:
		return *(const int *)value != 0;
	case FIELD_NUMBER:
		return *(const uint64_t *)value != EXITINFO_UNSET;
	case FIELD_COUNT:
		return *(const uint64_t *)value != 0;
	case FIELD_TEXT:
		return *(const char *)value != '\0';
	default:
		return *(const bool *)value;
	}
}

static void write_value(const struct field *f, const void *value, struct json_out *o)
{
	json_out_key(o, f->key);
	switch (f->kind) {
	case FIELD_NAME:
		json_out_string(o, str_name_of(f->names, *(const int *)value));
		break;
	case FIELD_NUMBER:
	case FIELD_COUNT:
		if (*(const uint64_t *)value == EXITINFO_UNLIMITED)
			json_out_string(o, "max");
		else
			json_out_uint(o, *(const uint64_t *)value);
		break;
	case FIELD_TEXT:
		json_out_string(o, value);
		break;
	default:
		json_out_bool(o, *(const bool *)value);
	}
}

void exitinfo_write(const struct exitinfo *x, struct json_out *o)
{
	const char *object = NULL;
	json_out_object(o);
	for (const struct field *f = fields; f->kind != FIELD_END; f++) {
		const void *value = (const char *)x + f->offset;
		if (!is_set(f, value))
			continue;
		if (object && f->object != object && !(f->object && str_eq(object, f->object))) {
			json_out_object_end(o);
			object = NULL;
		}
		if (f->object && !object) {
			object = f->object;
			json_out_key(o, object);
			json_out_object(o);
		}
		write_value(f, value, o);
	}
	if (object)
		json_out_object_end(o);
	json_out_object_end(o);
}

/* ---- reading ---- */

static void read_number(const struct json *m, uint64_t *ret)
{
	uint64_t n;
	if (m->type == JSON_STRING && str_eq(m->text, "max"))
		*ret = EXITINFO_UNLIMITED;
	else if (m->type == JSON_NUMBER && str_to_u64(m->text, EXITINFO_UNLIMITED, &n) == 0)
		*ret = n;
}

static void read_value(const struct field *f, const struct json *m, void *value)
{
	const struct str_name *known;
	switch (f->kind) {
	case FIELD_NAME:
		known = m->type == JSON_STRING ? str_name_find(f->names, m->text) : NULL;
		*(int *)value = known ? (int)known->value : 0;
		break;
	case FIELD_NUMBER:
	case FIELD_COUNT:
		read_number(m, value);
		break;
	case FIELD_TEXT:
		if (m->type == JSON_STRING)
			exitinfo_set_text(value, f->size, m->text, strlen(m->text));
		break;
	default:
		*(bool *)value = m->type == JSON_BOOL && m->boolean;
	}
}

void exitinfo_read(const struct json *value, struct exitinfo *ret)
{
	exitinfo_init(ret);
	for (const struct field *f = fields; f->kind != FIELD_END; f++) {
		const struct json *object = f->object ? json_get(value, f->object) : value;
		const struct json *m = object ? json_get(object, f->key) : NULL;
		if (m)
			read_value(f, m, (char *)ret + f->offset);
	}
}
