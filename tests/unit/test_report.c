/*
 * How errors look: rows, colours, long and hostile lines, and the record that engines read. What
 * is said about whole files is in tests/golden.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/escape.h"
#include "cmd/report.h"

#define TIME "2026-01-02T03:04:05Z"

static const char config[] = "{\n"
			     "  \"mounts\": [\n"
			     "    {\"destination\": \"/data\", \"options\": [\"size=10q\"]}\n"
			     "  ],\n"
			     "  \"linux\": {\"sysctl\": {\"net.a/b\": \"1\"}}\n"
			     "}\n";

struct fixture {
	struct arena arena;
	struct str out;
	struct json_doc doc;
	struct err err;
};

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	arena_init(&f->arena);
	str_init(&f->out, &f->arena);
	assert_int_equal(
		json_parse(&f->arena, "config.json", config, strlen(config), &f->doc, NULL), 0);
}

static uint32_t position_of(const char *text)
{
	return (uint32_t)(strstr(config, text) - config) + 1;
}

/* ---- people ---- */

static void test_rows(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	(void)!err_sys(&f.err, EINVAL, "cannot mount 'tmpfs' on '/data'");
	err_at(&f.err, position_of("\"size=10q\""));
	err_step(&f.err, "mounts, 8 of 11");
	err_kernel(&f.err, "tmpfs: Bad value for 'size'\ntmpfs: and more");
	err_hint(&f.err, "sizes are a number with k, m, g or %%");
	report_err(&f.out, &f.doc, &f.err, REPORT_PLAIN);
	assert_string_equal(f.out.text,
			    "error: cannot mount 'tmpfs' on '/data': invalid argument\n"
			    "  step    mounts, 8 of 11\n"
			    "  config  config.json:3:42  mounts[0].options[0] = \"size=10q\"\n"
			    "  kernel  tmpfs: Bad value for 'size'\n"
			    "          tmpfs: and more\n"
			    "  hint    sizes are a number with k, m, g or %\n");
	arena_done(&f.arena);
}

/* What an option of the command line is to blame for has no line, but a name. */
static void test_option(void **state _unused_)
{
	static const char *const options[] = { "--user", "--cwd" };
	struct fixture f;
	setup(&f);
	f.doc.options = options;
	(void)!err_say(&f.err, ERR_CONFIG, EINVAL, "no such directory");
	err_at(&f.err, JSON_OPTIONS + 1);
	report_err(&f.out, &f.doc, &f.err, REPORT_PLAIN);
	assert_string_equal(f.out.text, "error: no such directory\n  option  --cwd\n");
	json_locate(&f.doc, &f.err);
	str_init(&f.out, &f.arena);
	report_log_json(&f.out, &f.err, NULL, TIME);
	assert_string_equal(f.out.text, "{\"level\":\"error\",\"msg\":\"no such directory\","
					"\"time\":\"" TIME "\",\"option\":\"--cwd\"}\n");
	/* What is given elsewhere has neither. */
	f.err.path[0] = '\0';
	err_at(&f.err, JSON_ELSEWHERE);
	str_init(&f.out, &f.arena);
	report_err(&f.out, &f.doc, &f.err, REPORT_PLAIN);
	assert_string_equal(f.out.text, "error: no such directory\n");
	arena_done(&f.arena);
}

/* A place without the file is said as far as it is known; an object is not quoted. */
static void test_places(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	(void)!err_sys(&f.err, EPERM, "cannot mount");
	err_at(&f.err, position_of("{\"destination"));
	report_err(&f.out, &f.doc, &f.err, REPORT_PLAIN);
	report_err(&f.out, NULL, &f.err, REPORT_PLAIN);
	assert_string_equal(f.out.text, "error: cannot mount: operation not permitted\n"
					"  config  config.json:3:5  mounts[0]\n"
					"error: cannot mount: operation not permitted\n");
	arena_done(&f.arena);
}

/* An error of a later stage that is only the file's fault looks like one of the parser. */
static void test_config_error(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	(void)!err_say(&f.err, ERR_CONFIG, EINVAL, "no sysctl of that name");
	err_at(&f.err, position_of("\"net.a/b\""));
	report_err(&f.out, &f.doc, &f.err, REPORT_PLAIN);
	assert_string_equal(
		f.out.text,
		"error: config.json: 1 problem, nothing was started\n"
		"  config.json:5:24  linux.sysctl[\"net.a/b\"]: no sysctl of that name\n"
		"    5 |   \"linux\": {\"sysctl\": {\"net.a/b\": \"1\"}}\n"
		"      |                        ^^^^^^^^^\n");
	arena_done(&f.arena);
}

static void test_colours(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	(void)!err_say(&f.err, ERR_NOT_FOUND, ENOENT, "no container \033[2J'x'");
	err_hint(&f.err, "see list");
	report_err(&f.out, NULL, &f.err, REPORT_COLOUR);
	assert_string_equal(f.out.text, "\033[1;31merror: \033[0mno container \\x1b[2J'x'\n"
					"  \033[2mhint    \033[0msee list\n");
	arena_done(&f.arena);
}

static void test_escapes(void **state _unused_)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain ~ caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7",
		  "plain ~ caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7" },
		{ "a\tb\nc\rd", "a\\tb\\nc\\rd" },
		{ "\033]0;x\007", "\\x1b]0;x\\x07" },
		{ "\x7f\xc2\x9b", "\\x7f\\x9b" },      /* DEL; CSI as one character */
		{ "\x9b\xff\xc3", "\\x9b\\xff\\xc3" }, /* not UTF-8 */
		{ "\xc0\xaf\xe0\x80\xaf", "\\xc0\\xaf\\xe0\\x80\\xaf" }, /* too long */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },                   /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },          /* above U+10FFFF */
		{ "\xe2\x80\xae\xe2\x81\xa6", "\\u202e\\u2066" },        /* right to left */
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena arena;
		struct str out;
		arena_init(&arena);
		str_init(&out, &arena);
		escape_append(&out, rows[i].in, strlen(rows[i].in));
		assert_string_equal(out.text, rows[i].out);
		arena_done(&arena);
	}
}

/* Whatever the line looks like, the excerpt stays short and the mark stands below its place. */
static void test_long_lines(void **state _unused_)
{
	struct arena arena;
	struct str text, out;
	struct spec spec;
	struct spec_problems problems;
	struct err err;
	arena_init(&arena);
	str_init(&text, &arena);
	str_init(&out, &arena);
	str_append(&text, "{\"x\": \"");
	for (int i = 0; i < 100; i++)
		str_append(&text, "\xc3\xa9\t\xe2\x82\xac");
	str_append(&text, "\", \"ociVersion\": 1, \"y\": \"");
	for (int i = 0; i < 100; i++)
		str_append(&text, "\xf0\x9f\x90\xa7");
	str_append(&text, "\"}");
	for (char *c = strchr(text.text, '\t'); c; c = strchr(c, '\t'))
		*c = ' ';
	assert_int_equal(spec_parse(&arena, "c", text.text, text.used, &spec, &problems, &err),
			 -EINVAL);
	report_problems(&out, &spec.doc, &problems, REPORT_PLAIN);
	const char *excerpt = strstr(out.text, "\": 1, \"y\"");
	assert_non_null(excerpt);
	assert_null(strstr(out.text, "\\x")); /* no character was cut in two */
	arena_done(&arena);
}

/* ---- engines ---- */

static void check_log(struct fixture *f, const char *expected)
{
	report_log_json(&f->out, &f->err, NULL, TIME);
	assert_string_equal(f->out.text, expected);
	arena_done(&f->arena);
}

/* podman and docker must not take a missing mount source for a missing program. */
static void test_log_hides_errno_text(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	(void)!err_sys(&f.err, ENOENT, "cannot bind '/srv' to '/data'");
	err_step(&f.err, "mounts, 8 of 11");
	err_at(&f.err, position_of("{\"destination"));
	json_locate(&f.doc, &f.err);
	check_log(&f, "{\"level\":\"error\",\"msg\":\"cannot bind '/srv' to '/data': ENOENT\","
		      "\"time\":\"" TIME "\",\"step\":\"mounts, 8 of 11\","
		      "\"config\":{\"line\":3,\"column\":5,\"pointer\":\"/mounts/0\"},"
		      "\"errno\":\"ENOENT\"}\n");
}

static void test_log_of_program(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	(void)!err_sys(&f.err, ENOENT, "cannot execute '/entry.sh'");
	f.err.flags |= ERR_ABOUT_PROGRAM;
	err_cause(&f.err, "its interpreter is missing");
	check_log(&f, "{\"level\":\"error\",\"msg\":\"cannot execute '/entry.sh': "
		      "no such file or directory (its interpreter is missing)\","
		      "\"time\":\"" TIME "\",\"errno\":\"ENOENT\","
		      "\"cause\":\"its interpreter is missing\"}\n");
}

static void test_log_of_kernel(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	(void)!err_sys(&f.err, EINVAL, "cannot mount 'tmpfs' on '/data'");
	err_kernel(&f.err, "tmpfs: Bad value for 'size'");
	check_log(&f, "{\"level\":\"error\",\"msg\":\"cannot mount 'tmpfs' on '/data': EINVAL: "
		      "kernel: tmpfs: Bad value for 'size'\",\"time\":\"" TIME "\","
		      "\"errno\":\"EINVAL\",\"kernel\":\"tmpfs: Bad value for 'size'\"}\n");
}

static void test_log_pointer(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	(void)!err_say(&f.err, ERR_CONFIG, EINVAL, "wrong");
	err_at(&f.err, position_of("\"net.a/b\""));
	json_locate(&f.doc, &f.err);
	check_log(&f,
		  "{\"level\":\"error\",\"msg\":\"config.json:5:24: linux.sysctl[\\\"net.a/b\\\"]: "
		  "wrong\",\"time\":\"" TIME "\",\"step\":\"parse\",\"config\":{\"line\":5,"
		  "\"column\":24,\"pointer\":\"/linux/sysctl/net.a~1b\"}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),           cmocka_unit_test(test_option),
		cmocka_unit_test(test_places),         cmocka_unit_test(test_config_error),
		cmocka_unit_test(test_colours),        cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_long_lines),     cmocka_unit_test(test_log_hides_errno_text),
		cmocka_unit_test(test_log_of_program), cmocka_unit_test(test_log_of_kernel),
		cmocka_unit_test(test_log_pointer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
