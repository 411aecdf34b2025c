/* The option parser: every form that people and engines write, and what is said about the rest. */
#include "cmd/cmd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct values {
	const char *bundle, *config, *overlay;
	unsigned number;
	bool keep, force;
	struct option_list env;
};

#define AT(member) offsetof(struct values, member)

static const struct option table[] = {
	{ "bundle", 'b', OPTION_TEXT, AT(bundle), "DIR", "the bundle" },
	{ "config", 'f', OPTION_TEXT, AT(config), "FILE", "the file" },
	{ "overlay", 0, OPTION_TEXT_OPT, AT(overlay), "DIR", "a layer" },
	{ "preserve-fds", 0, OPTION_NUMBER, AT(number), "N", "descriptors" },
	{ "keep", 'k', OPTION_FLAG, AT(keep), NULL, "keep it" },
	{ "force", 'F', OPTION_FLAG, AT(force), NULL, "force it" },
	{ "rootless", 0, OPTION_IGNORED, 0, "BOOL", "ignored" },
	{ "criu-less", 0, OPTION_IGNORED_FLAG, 0, NULL, "ignored" },
	{ "env", 'E', OPTION_LIST, AT(env), "NAME=VALUE", "a variable" },
	{ "detach", 'd', OPTION_LATER, 0, NULL, "in the background" },
	{ 0 },
};

#define MAX_WORDS 16

struct parsed {
	struct values values;
	struct err err;
	char text[256];
	char *argv[MAX_WORDS];
	int index;
};

/* Parses a command line whose words are separated by blanks. */
static int parse(struct parsed *p, const char *line)
{
	*p = (struct parsed) { 0 };
	assert_true(snprintf(p->text, sizeof(p->text), "%s", line) < (int)sizeof(p->text));
	char *rest = p->text;
	for (size_t n = 0; rest && *rest && n < MAX_WORDS - 1; n++)
		p->argv[n] = strsep(&rest, " ");
	return option_parse(table, "run", p->argv, &p->index, &p->values, &p->err);
}

static const char *rest_of(const struct parsed *p)
{
	return p->argv[p->index] ? p->argv[p->index] : "";
}

static void test_values(void **state)
{
	static const char *const lines[] = {
		"--bundle DIR ID", "--bundle=DIR ID",   "-b DIR ID", "-bDIR ID",
		"-b=DIR ID",       "-kb DIR ID",        "-kbDIR ID", "--bundle X --bundle DIR ID",
		"-b DIR -- ID",    "-b X -b DIR -- ID",
	};
	struct parsed p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(parse(&p, lines[i]), 0);
		assert_string_equal(p.values.bundle, "DIR");
		assert_string_equal(rest_of(&p), "ID");
	}
}

/* A value is taken as it is, even if it looks like an option. */
static void test_odd_values(void **state)
{
	struct parsed p;
	(void)state;
	assert_int_equal(parse(&p, "--bundle --keep ID"), 0);
	assert_string_equal(p.values.bundle, "--keep");
	assert_false(p.values.keep);
	assert_int_equal(parse(&p, "--bundle= ID"), -EINVAL);
	assert_int_equal(parse(&p, "--bundle=a=b ID"), 0);
	assert_string_equal(p.values.bundle, "a=b");
	assert_int_equal(parse(&p, "-b -- ID"), 0);
	assert_string_equal(p.values.bundle, "--");
	assert_string_equal(rest_of(&p), "ID");
}

static void test_flags(void **state)
{
	static const struct {
		const char *line;
		bool keep, force;
	} cases[] = {
		{ "ID", false, false },
		{ "--keep ID", true, false },
		{ "-k ID", true, false },
		{ "-kF ID", true, true },
		{ "-Fk ID", true, true },
		{ "-k -F ID", true, true },
		{ "--keep=true --force=1 ID", true, true },
		{ "--keep=false --force=0 ID", false, false },
		{ "--keep --keep=false ID", false, false },
		{ "--keep=false --keep ID", true, false },
	};
	struct parsed p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(&p, cases[i].line), 0);
		assert_int_equal(p.values.keep, cases[i].keep);
		assert_int_equal(p.values.force, cases[i].force);
		assert_string_equal(rest_of(&p), "ID");
	}
	assert_int_equal(parse(&p, "--keep=yes"), -EINVAL);
	assert_string_equal(p.err.message, "--keep takes no value");
	assert_int_equal(parse(&p, "--keep="), -EINVAL);
}

/* A value that may be absent is only what stands behind "=". */
static void test_optional_value(void **state)
{
	struct parsed p;
	(void)state;
	assert_int_equal(parse(&p, "ID"), 0);
	assert_null(p.values.overlay);
	assert_int_equal(parse(&p, "--overlay ID"), 0);
	assert_string_equal(p.values.overlay, "");
	assert_string_equal(rest_of(&p), "ID");
	assert_int_equal(parse(&p, "--overlay=DIR ID"), 0);
	assert_string_equal(p.values.overlay, "DIR");
	/* As from --overlay=$UNSET: taken for no value, the writes would be lost in silence. */
	assert_int_equal(parse(&p, "--overlay= ID"), -EINVAL);
}

static void test_numbers(void **state)
{
	static const char *const wrong[] = { "-1",  "65536", "x",
					     "1x",  "0x1",   "+1",
					     "1.0", "",      "99999999999999999999999" };
	struct parsed p;
	char line[64];
	(void)state;
	assert_int_equal(parse(&p, "--preserve-fds 0"), 0);
	assert_int_equal(parse(&p, "--preserve-fds 65535"), 0);
	assert_int_equal(p.values.number, 65535);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		snprintf(line, sizeof(line), "--preserve-fds=%s", wrong[i]);
		assert_int_equal(parse(&p, line), -EINVAL);
		assert_non_null(strstr(p.err.message, "--preserve-fds takes a number from 0 to"));
	}
}

/* Where options end. */
static void test_end(void **state)
{
	static const struct {
		const char *line, *rest;
	} cases[] = {
		{ "", "" },
		{ "--", "" },
		{ "-- --keep", "--keep" },
		{ "-", "-" },
		{ "ID --keep", "ID" },
		{ "--keep ID --force", "ID" },
		{ "-k -- -- ID", "--" },
	};
	struct parsed p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(&p, cases[i].line), 0);
		assert_string_equal(rest_of(&p), cases[i].rest);
		assert_false(p.values.force);
	}
}

static void test_missing_value(void **state)
{
	static const char *const lines[] = { "--bundle", "-b", "-kb", "--preserve-fds",
					     "--rootless" };
	struct parsed p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(parse(&p, lines[i]), -EINVAL);
		assert_non_null(strstr(p.err.message, "needs a value"));
		assert_int_equal(p.err.kind, ERR_CONFIG);
	}
}

static void test_unknown(void **state)
{
	static const char *const cases[][2] = {
		{ "--bundel x", "run has no option '--bundel'; did you mean '--bundle'?" },
		{ "--kepe", "run has no option '--kepe'; did you mean '--keep'?" },
		{ "--bundl=x", "run has no option '--bundl'; did you mean '--bundle'?" },
		{ "--xyzzy", "run has no option '--xyzzy'" },
		{ "--=x", "run has no option '--'" },
		{ "-x", "run has no option '-x'" },
		{ "-kx", "run has no option '-kx'" },
		{ "-keep", "run has no option '-keep'; did you mean '--keep'?" },
		{ "---keep", "run has no option '---keep'; did you mean '--keep'?" },
		{ "--keepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeep",
		  "run has no option "
		  "'--keepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeepkeep'" },
	};
	struct parsed p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(&p, cases[i][0]), -EINVAL);
		assert_string_equal(p.err.message, cases[i][1]);
	}
}

static void test_later_and_ignored(void **state)
{
	struct parsed p;
	(void)state;
	assert_int_equal(parse(&p, "--rootless true --criu-less ID"), 0);
	assert_string_equal(rest_of(&p), "ID");
	assert_int_equal(parse(&p, "--rootless=auto ID"), 0);
	assert_string_equal(rest_of(&p), "ID");
	assert_int_equal(parse(&p, "--detach ID"), -ENOTSUP);
	assert_string_equal(p.err.message, "hull cannot carry out --detach yet");
	assert_int_equal(parse(&p, "-kd ID"), -ENOTSUP);
}

static void test_help(void **state)
{
	_cleanup_arena_ struct arena arena;
	struct str out;
	(void)state;
	arena_init(&arena);
	str_init(&out, &arena);
	option_help(table, &out);
	assert_non_null(strstr(out.text, "  -b, --bundle DIR           the bundle\n"));
	assert_non_null(strstr(out.text, "  --overlay[=DIR]            a layer\n"));
	assert_non_null(
		strstr(out.text, "  -d, --detach               in the background (not yet)\n"));
}

/* All values are kept, in their order; one more than there may be is refused. */
static void test_lists(void **state)
{
	static char *argv[2 * OPTION_LIST_MAX + 3], name[] = "--env", value[] = "A=1";
	struct parsed p;
	struct option_list *env = &p.values.env;
	(void)state;
	assert_int_equal(parse(&p, "ID"), 0);
	assert_int_equal(env->n, 0);
	assert_null(env->v);
	assert_int_equal(parse(&p, "-E A=1 --env=B=2 -EC=3 ID"), 0);
	assert_int_equal(env->n, 3);
	assert_string_equal(env->v[0], "A=1");
	assert_string_equal(env->v[1], "B=2");
	assert_string_equal(env->v[2], "C=3");
	assert_string_equal(rest_of(&p), "ID");
	free(env->v);

	p = (struct parsed) { 0 };
	for (size_t i = 0; i < OPTION_LIST_MAX + 1; i++) {
		argv[2 * i] = name;
		argv[2 * i + 1] = value;
	}
	assert_int_equal(option_parse(table, "run", argv, &p.index, &p.values, &p.err), -E2BIG);
	assert_non_null(strstr(p.err.message, "1024 times"));
	assert_int_equal(env->n, OPTION_LIST_MAX);
	free(env->v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_odd_values),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_optional_value),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_missing_value),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_later_and_ignored),
		cmocka_unit_test(test_help),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
