/*
 * Fuzzing the command line: each line of the input is an argument. Global options, then those of a
 * table with every kind of option, as main.c parses them. Nothing is read behind the last argument,
 * an error says something, and what was stored points into the arguments.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/report.h"

#define MAX_WORDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct values {
	const char *bundle, *overlay;
	unsigned number;
	bool keep;
	struct option_list env;
};

#define AT(member) offsetof(struct values, member)

static const struct option table[] = {
	{ "bundle", 'b', OPTION_TEXT, AT(bundle), "DIR", "the bundle" },
	{ "overlay", 0, OPTION_TEXT_OPT, AT(overlay), "DIR", "a layer" },
	{ "preserve-fds", 0, OPTION_NUMBER, AT(number), "N", "descriptors" },
	{ "keep", 'k', OPTION_FLAG, AT(keep), NULL, "keep it" },
	{ "rootless", 0, OPTION_IGNORED, 0, "BOOL", "ignored" },
	{ "criu-less", 0, OPTION_IGNORED_FLAG, 0, NULL, "ignored" },
	{ "env", 'e', OPTION_LIST, AT(env), "NAME=VALUE", "a variable" },
	{ "detach", 'd', OPTION_LATER, 0, NULL, "in the background" },
	{ 0 },
};

/* Each word is a copy of its own, so that ASan sees what is read behind its end. */
static int split(const char *text, size_t size, char **argv)
{
	int n = 0;
	while (size > 0 && n < MAX_WORDS - 1) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;
		argv[n] = strndup(text, length);
		if (!argv[n++])
			abort();
		text += length + (end != NULL);
		size -= length + (end != NULL);
	}
	argv[n] = NULL;
	return n;
}

/* A value is one of the arguments or the end of one; "" is that of an option without a value. */
static void check_value(const char *value, char **argv)
{
	if (!value || !*value)
		return;
	for (; *argv; argv++)
		if (value >= *argv && value < *argv + strlen(*argv))
			return;
	abort();
}

static int parse(char **argv, int *index, struct values *values, struct err *err)
{
	struct cmd_global global = { 0 };
	int r = option_parse(cmd_global_options, "hull", argv, index, &global, err);
	check_value(global.root, argv);
	check_value(global.log, argv);
	if (r < 0 || !argv[*index])
		return r;
	++*index; /* the command */
	r = option_parse(table, "run", argv, index, values, err);
	check_value(values->bundle, argv);
	check_value(values->overlay, argv);
	for (size_t i = 0; i < values->env.n; i++)
		check_value(values->env.v[i], argv);
	if (r == 0 && values->number > UINT16_MAX)
		abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[MAX_WORDS];
	struct values values = { 0 };
	struct err err = { 0 };
	int index = 0;

	int n = split((const char *)data, size, argv);
	if (parse(argv, &index, &values, &err) < 0) {
		struct arena arena;
		struct str text;
		if (!err.message[0])
			abort();
		arena_init(&arena);
		str_init(&text, &arena);
		report_err(&text, NULL, &err, REPORT_PLAIN);
		arena_done(&arena);
	}
	if (index > n)
		abort();
	free(values.env.v);
	for (int i = 0; i < n; i++)
		free(argv[i]);
	return 0;
}
