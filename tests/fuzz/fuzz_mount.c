/*
 * Fuzzing mount options: each line of the input is one. What comes out is a mount that the kernel
 * could be asked for, and the last of "ro" and "rw" is what it will be.
 */
#include <linux/mount.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "plan/parts.h"

#define MAX_OPTIONS 256
#define ALL_ATTRS                                                                       \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | \
	 MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void split(struct arena *arena, const char *text, size_t size, struct spec_strv *ret)
{
	ret->v = arena_array(arena, MAX_OPTIONS, sizeof(*ret->v));
	while (size > 0 && ret->n < MAX_OPTIONS) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;
		ret->v[ret->n++] = (struct spec_str) { .s = arena_strndup(arena, text, length) };
		text += length + (end != NULL);
		size -= length + (end != NULL);
	}
}

static void check_attr(const struct plan_attr *attr)
{
	uint64_t both = attr->set & attr->clear & ~(uint64_t)MOUNT_ATTR__ATIME;
	if (both || ((attr->set | attr->clear) & ~(uint64_t)ALL_ATTRS))
		abort();
	/* The kernel wants the whole field cleared when one of its values is set. */
	if ((attr->set & MOUNT_ATTR__ATIME) &&
	    (attr->clear & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME)
		abort();
}

/* 1: read-only was said last, 0: writable was, -1: nothing was said. */
static int wanted(const struct spec_strv *options)
{
	int readonly = -1;
	for (size_t i = 0; i < options->n; i++) {
		const char *o = options->v[i].s;
		if (str_eq(o, "ro") || str_eq(o, "rro"))
			readonly = 1;
		if (str_eq(o, "rw") || str_eq(o, "rrw"))
			readonly = 0;
	}
	return readonly;
}

/* Recursive attributes are applied first, then those of the mount itself (plan.h). */
static int got(const struct plan_mount *m)
{
	if ((m->attr.set | m->attr.clear) & MOUNT_ATTR_RDONLY)
		return (m->attr.set & MOUNT_ATTR_RDONLY) != 0;
	if ((m->attr_recursive.set | m->attr_recursive.clear) & MOUNT_ATTR_RDONLY)
		return (m->attr_recursive.set & MOUNT_ATTR_RDONLY) != 0;
	return -1;
}

static void check(const struct spec_mount *spec, const struct plan_mount *m)
{
	check_attr(&m->attr);
	check_attr(&m->attr_recursive);
	if (m->options_n > spec->options.n)
		abort();
	for (size_t i = 0; i < m->options_n; i++)
		if (!m->options[i].key || m->kind != PLAN_MOUNT_NEW)
			abort();
	if (got(m) != wanted(&spec->options))
		abort();
	if (m->propagation & ~(uint64_t)(MS_PRIVATE | MS_SLAVE | MS_SHARED | MS_UNBINDABLE))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct spec_problems problems = { 0 };
	struct planner planner = { .arena = &arena, .problems = &problems };
	struct spec_mount spec = { 0 };
	struct plan_mount mount = { 0 };
	struct err err = { 0 };

	arena_init(&arena);
	split(&arena, (const char *)data, size, &spec.options);
	if (plan_parse_mount_options(&planner, &spec, &mount, &err) == 0)
		check(&spec, &mount);
	else if (!err.message[0])
		abort();
	arena_done(&arena);
	return 0;
}
