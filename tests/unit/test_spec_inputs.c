/*
 * Whole files: configs that engines wrote and the examples of the specification are understood,
 * and no prefix or mutation of one makes the parser stumble (run under the sanitizers).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/str.h"
#include "spec/spec.h"

#define ENGINES TEST_INPUTS "/engine-configs"
#define SCHEMA  TEST_INPUTS "/spec-data/schema/test/config"

struct file {
	struct arena arena;
	struct spec spec;
	struct spec_problems problems;
	struct err err;
};

static int load(struct file *f, const char *dir, const char *name)
{
	char path[PATH_MAX];
	memset(f, 0, sizeof(*f));
	arena_init(&f->arena);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return spec_load(&f->arena, AT_FDCWD, path, &f->spec, &f->problems, &f->err);
}

static int load_process(struct file *f, const char *dir, const char *name, struct spec_process *ret)
{
	char path[PATH_MAX];
	struct spec_process_file file;
	memset(f, 0, sizeof(*f));
	arena_init(&f->arena);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int r = spec_load_process(&f->arena, path, &file, &f->problems, &f->err);
	*ret = file.process;
	return r;
}

static void check_engine_file(const char *name)
{
	struct file f;
	struct spec_process process;
	bool is_process = strstr(name, "exec-process");
	int r = is_process ? load_process(&f, ENGINES, name, &process) : load(&f, ENGINES, name);
	if (r != 0 || f.problems.warnings)
		fail_msg("%s:%u:%u: %s: %s", name, f.err.line, f.err.column, f.err.path,
			 f.err.message);
	const struct spec_process *p = is_process ? &process : &f.spec.process;
	assert_true(p->args.n > 0);
	assert_true(p->cwd.at > 0);
	arena_done(&f.arena);
}

static void test_engine_configs(void **state _unused_)
{
	DIR *dir = opendir(ENGINES);
	assert_non_null(dir);
	unsigned n = 0;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (!strstr(e->d_name, ".json"))
			continue;
		check_engine_file(e->d_name);
		n++;
	}
	closedir(dir);
	assert_true(n >= 27);
}

/* The place and path of the first error; "" when there is none. */
static const struct {
	const char *name;
	uint32_t line;
	const char *path;
} examples[] = {
	{ "good/minimal.json", 0, "" },
	{ "good/minimal-for-start.json", 0, "" },
	{ "good/linux-rdma.json", 0, "" },
	{ "good/linux-netdevice.json", 0, "" },
	{ "good/freebsd-minimal.json", 0, "" },
	{ "good/zos-minimal.json", 0, "" },
	/* FreeBSD has no uts namespaces. */
	{ "good/freebsd-example.json", 17, "hostname" },
	/* Their version is 0.5.0-dev. */
	{ "good/spec-example.json", 2, "ociVersion" },
	{ "good/zos-example.json", 2, "ociVersion" },
	{ "bad/invalid-json.json", 1, "" },
	{ "bad/linux-hugepage.json", 11, "linux.resources.hugepageLimits[0].pageSize" },
	{ "bad/linux-netdevice.json", 9, "linux.netDevices.eth0.name" },
	{ "bad/linux-rdma.json", 10, "linux.resources.rdma.mlx5_1.hcaHandles" },
	/* Bad for FreeBSD only. */
	{ "bad/freebsd-vnet-disable.json", 0, "" },
};

static void test_schema_examples(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct file f;
		int r = load(&f, SCHEMA, examples[i].name);
		if (f.err.line != examples[i].line || !str_eq(f.err.path, examples[i].path))
			fail_msg("%s:%u: %s: %s", examples[i].name, f.err.line, f.err.path,
				 f.err.message);
		assert_int_equal(r, examples[i].line ? -EINVAL : 0);
		arena_done(&f.arena);
	}
}

/* Only its version keeps the specification's own example from being accepted; and it has a key
 * where that version had it. */
static void test_spec_example(void **state _unused_)
{
	struct file f;
	load(&f, SCHEMA, "good/spec-example.json");
	assert_int_equal(f.problems.errors, 1);
	assert_int_equal(f.problems.warnings, 1);
	assert_int_equal(f.spec.mounts.n, 7);
	assert_int_equal(f.spec.linux.resources.hugepage_limits.n, 2);
	assert_string_equal(f.spec.linux.seccomp.syscalls.v[0].names.v[0].s, "getcwd");
	arena_done(&f.arena);
}

static void test_missing_file(void **state _unused_)
{
	struct file f;
	assert_int_equal(load(&f, SCHEMA, "nothing.json"), -ENOENT);
	assert_int_equal(f.problems.errors, 0);
	arena_done(&f.arena);
}

/* ---- broken files ---- */

struct text {
	struct arena arena;
	char *bytes;
	size_t size;
};

static void read_text(struct text *t, const char *path)
{
	struct err err;
	arena_init(&t->arena);
	assert_int_equal(
		fd_read_file(AT_FDCWD, path, SPEC_MAX_SIZE, &t->arena, &t->bytes, &t->size, &err),
		0);
}

/* Parses a copy of exactly `size` bytes, so that ASan sees a read behind its end. */
static int parse_copy(const char *bytes, size_t size)
{
	struct file f;
	_cleanup_free_ char *copy = malloc(size ? size : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, size);
	memset(&f, 0, sizeof(f));
	arena_init(&f.arena);
	int r = spec_parse(&f.arena, "x", copy, size, &f.spec, &f.problems, &f.err);
	assert_int_equal(r<0, f.problems.errors> 0);
	assert_int_equal(r<0, f.err.code> 0);
	arena_done(&f.arena);
	return r;
}

static void test_every_prefix(void **state _unused_)
{
	struct text t;
	read_text(&t, ENGINES "/ctr-run.json");
	size_t end = t.size;
	while (end > 0 && t.bytes[end - 1] != '}')
		end--;
	for (size_t n = 0; n < end; n++)
		assert_int_equal(parse_copy(t.bytes, n), -EINVAL);
	assert_int_equal(parse_copy(t.bytes, end), 0);
	arena_done(&t.arena);
}

/* A small generator of its own, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void mutate(char *bytes, size_t size, uint32_t *seed)
{
	static const char spice[] = "{}[]\",:0-9tfn\\\x01\xff eE.";
	for (uint32_t i = next_random(seed) % 4 + 1; i > 0; i--)
		bytes[next_random(seed) % size] = spice[next_random(seed) % (sizeof(spice) - 1)];
}

static void test_mutations(void **state _unused_)
{
	struct text t;
	uint32_t seed = 1;
	read_text(&t, ENGINES "/docker-run.json");
	_cleanup_free_ char *copy = malloc(t.size);
	assert_non_null(copy);
	for (int i = 0; i < 2000; i++) {
		memcpy(copy, t.bytes, t.size);
		mutate(copy, t.size, &seed);
		(void)!parse_copy(copy, t.size);
	}
	arena_done(&t.arena);
}

/* Swaps whole values for others, so that the text stays JSON and every binder sees every type. */
static void test_wrong_types_everywhere(void **state _unused_)
{
	static const char *const values[] = { "null", "true", "-1", "\"x\"", "[[]]", "{\"a\":{}}" };
	struct text t;
	struct json_doc doc;
	read_text(&t, ENGINES "/podman-run.json");
	assert_int_equal(json_parse(&t.arena, "x", t.bytes, t.size, &doc, NULL), 0);
	for (size_t at = 1; at <= t.size; at++) {
		const char *c = t.bytes + at - 1;
		bool is_scalar = c > t.bytes + 1 && c[-1] == ' ' && c[-2] == ':' && *c != '{' &&
				 *c != '[';
		if (!is_scalar)
			continue;
		size_t end = at - 1 + json_token_size(&doc, (uint32_t)at);
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			struct str s;
			str_init(&s, &t.arena);
			str_append_n(&s, t.bytes, at - 1);
			str_append(&s, values[v]);
			str_append_n(&s, t.bytes + end, t.size - end);
			(void)!parse_copy(s.text, s.used);
		}
		at = end;
	}
	arena_done(&t.arena);
}

/* ---- large files ---- */

static void append_list(struct str *s, const char *key, const char *element, unsigned n)
{
	str_printf(s, ", \"%s\": [%s", key, element);
	for (unsigned i = 1; i < n; i++)
		str_printf(s, ",%s", element);
	str_append(s, "]");
}

static void test_large(void **state _unused_)
{
	struct text t;
	struct str s;
	arena_init(&t.arena);
	str_init(&s, &t.arena);
	str_append(&s, "{\"ociVersion\": \"1.3.0\", \"root\": {\"path\": \"r\"}");
	append_list(&s, "mounts", "{\"destination\": \"/x\"}", 10000);
	str_append(&s, ", \"process\": {\"cwd\": \"/\"");
	append_list(&s, "args", "\"a\"", 100000);
	str_append(&s, "}}");
	assert_int_equal(parse_copy(s.text, s.used), 0);
	arena_done(&t.arena);
}

/* The time must not grow with the product of problems and size. */
static void test_wrong_everywhere(void **state _unused_)
{
	struct text t;
	struct str s;
	arena_init(&t.arena);
	str_init(&s, &t.arena);
	str_append(&s, "{\"x\": {\"k\": 0");
	for (unsigned i = 0; i < 100000; i++)
		str_printf(&s, ", \"processs%u\": 1, \"processs%u\": 1", i, i);
	str_append(&s, "}");
	for (unsigned i = 0; i < 100000; i++)
		str_printf(&s, ", \"mount%u\": 1", i);
	append_list(&s, "mounts", "{\"destination\": 1}", 100000);
	str_append(&s, "}");
	assert_int_equal(parse_copy(s.text, s.used), -EINVAL);
	arena_done(&t.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_engine_configs),
		cmocka_unit_test(test_schema_examples),
		cmocka_unit_test(test_spec_example),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_wrong_types_everywhere),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_wrong_everywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
