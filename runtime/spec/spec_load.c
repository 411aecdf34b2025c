/*
 * The way in: from a file, or its text, to a struct spec and the list of what is wrong with it.
 * Runs in the parent before anything is made; reading the file is the only system call.
 */
#include "spec/spec.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "spec/spec_tables.h"

#define MAX_TYPOS 256 /* unknown names that are compared with the known ones, per file */

static const struct bind_key config_keys[] = {
	BIND(STR, "ociVersion", struct spec, oci_version, .is = spec_is_version,
	     .what = "a version such as 1.3.0", .flags = BIND_REQUIRED, .example = "\"1.3.0\""),
	BIND(STR, "hostname", struct spec, hostname, .flags = BIND_EMPTY_UNSET),
	BIND(STR, "domainname", struct spec, domainname, .flags = BIND_EMPTY_UNSET),
	BIND(OBJECT, "root", struct spec, root, .object = &spec_root_object, .flags = BIND_REQUIRED,
	     .example = "{\"path\": \"rootfs\"}"),
	BIND(OBJECT, "process", struct spec, process, .object = &spec_process_object),
	BIND(LIST, "mounts", struct spec, mounts, .object = &spec_mount_object),
	BIND(OBJECT, "hooks", struct spec, hooks, .object = &spec_hooks_object),
	BIND(OBJECT, "linux", struct spec, linux, .object = &spec_linux_object),
	BIND(MAP, "annotations", struct spec, annotations, .flags = BIND_NONEMPTY),
	/* Other platforms. */
	BIND_KNOWN("solaris"),
	BIND_KNOWN("windows"),
	BIND_KNOWN("vm"),
	BIND_KNOWN("zos"),
	BIND_KNOWN("freebsd"),
	{ .key = NULL },
};
const struct bind_object spec_config_object = { .keys = config_keys,
						.size = sizeof(struct spec),
						.at = BIND_NO_AT };

/* What the caller gets: the first error of the list. */
static int first_error(const struct spec_problems *problems, struct err *err)
{
	if (problems->errors == 0)
		return 0;
	const struct spec_problem *p = problems->first;
	while (p && p->severity != SPEC_ERROR)
		p = p->next;
	if (p && err)
		*err = p->err;
	return -EINVAL;
}

/* A syntax error is the only problem of its file: nothing behind it can be trusted. */
static int parse_text(struct bind *b, const char *name, const char *text, size_t size,
		      struct json_doc *ret, struct err *err)
{
	struct err syntax = { .code = 0 };
	int r = json_parse(b->arena, name, text, size, ret, &syntax);
	if (r < 0) {
		struct err *problem = spec_problem_add(b->arena, b->problems, SPEC_ERROR, syntax.at,
						       "%s", syntax.message);
		*problem = syntax;
		if (err)
			*err = syntax;
	}
	return r;
}

int spec_parse(struct arena *arena, const char *name, const char *text, size_t size,
	       struct spec *ret, struct spec_problems *problems, struct err *err)
{
	struct bind b = { .arena = arena, .problems = problems, .typos_left = MAX_TYPOS };

	memset(ret, 0, sizeof(*ret));
	memset(problems, 0, sizeof(*problems));
	int r = parse_text(&b, name, text, size, &ret->doc, err);
	if (r < 0)
		return r;
	b.doc = &ret->doc;
	b.top = &spec_config_object;
	bind_check_duplicates(&b, ret->doc.root);
	bind_object(&b, ret->doc.root, &spec_config_object, ret);
	spec_check(&b, ret);
	return first_error(problems, err);
}

int spec_parse_process(struct arena *arena, struct spec_process_file *file,
		       struct spec_problems *problems, struct err *err)
{
	struct bind b = { .arena = arena, .problems = problems, .typos_left = MAX_TYPOS };
	struct json_doc *doc = &file->doc;

	memset(&file->process, 0, sizeof(file->process));
	memset(problems, 0, sizeof(*problems));
	int r = parse_text(&b, doc->name, doc->text, doc->size, doc, err);
	if (r < 0)
		return r;
	b.doc = doc;
	bind_check_duplicates(&b, doc->root);
	bind_object(&b, doc->root, &spec_process_object, &file->process);
	return first_error(problems, err);
}

int spec_load_process(struct arena *arena, const char *path, struct spec_process_file *ret,
		      struct spec_problems *problems, struct err *err)
{
	char *text;

	memset(ret, 0, sizeof(*ret));
	ret->doc.name = arena_strdup(arena, path);
	int r = fd_read_file(AT_FDCWD, path, SPEC_MAX_SIZE, arena, &text, &ret->doc.size, err);
	if (r < 0)
		return r;
	ret->doc.text = text;
	return spec_parse_process(arena, ret, problems, err);
}

int spec_parse_resources(struct arena *arena, struct json_doc *doc, struct spec_resources *ret,
			 struct spec_problems *problems, struct err *err)
{
	struct bind b = { .arena = arena, .problems = problems, .typos_left = MAX_TYPOS };

	memset(ret, 0, sizeof(*ret));
	memset(problems, 0, sizeof(*problems));
	int r = parse_text(&b, doc->name, doc->text, doc->size, doc, err);
	if (r < 0)
		return r;
	b.doc = doc;
	bind_check_duplicates(&b, doc->root);
	bind_object(&b, doc->root, &spec_resources_object, ret);
	return first_error(problems, err);
}

int spec_load(struct arena *arena, int dirfd, const char *path, struct spec *ret,
	      struct spec_problems *problems, struct err *err)
{
	char *text;
	size_t size;

	memset(ret, 0, sizeof(*ret));
	memset(problems, 0, sizeof(*problems));
	int r = fd_read_file(dirfd, path, SPEC_MAX_SIZE, arena, &text, &size, err);
	if (r < 0)
		return r;
	return spec_parse(arena, arena_strdup(arena, path), text, size, ret, problems, err);
}

const struct spec_namespace *spec_find_namespace(const struct spec *spec, enum spec_ns_type type)
{
	for (size_t i = 0; i < spec->linux.namespaces.n; i++) {
		const struct spec_namespace *ns = &spec->linux.namespaces.v[i];
		if (ns->type.at && ns->type.v == (int64_t)type)
			return ns;
	}
	return NULL;
}

const struct spec_pair *spec_find_annotation(const struct spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->annotations.n; i++)
		if (str_eq(spec->annotations.v[i].key, key))
			return &spec->annotations.v[i];
	return NULL;
}
