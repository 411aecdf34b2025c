/*
 * Prints what hull says about a config.json, without a host and without root:
 *   golden FILE...        the text for people
 *   golden --log FILE...  the record of --log
 * tests/golden/run compares both with what is kept beside the inputs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "cmd/report.h"
#include "spec/spec.h"

#define FIXED_TIME "2026-01-02T03:04:05Z"

enum golden_form { GOLDEN_TEXT, GOLDEN_LOG };

static int print_file(const char *path, enum golden_form form)
{
	struct spec spec;
	struct spec_problems problems;
	struct err err = { .code = 0 };
	struct str out;
	char *text;
	size_t size;

	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	str_init(&out, &arena);
	if (fd_read_file(AT_FDCWD, path, SPEC_MAX_SIZE, &arena, &text, &size, &err) < 0) {
		report_err(&out, NULL, &err, REPORT_PLAIN);
		fputs(out.text, stderr);
		return 1;
	}
	int r = spec_parse(&arena, "config.json", text, size, &spec, &problems, &err);
	if (form == GOLDEN_TEXT)
		report_problems(&out, &spec.doc, &problems, REPORT_PLAIN);
	else if (r < 0)
		report_log_json(&out, &err, &problems, FIXED_TIME);
	fputs(out.text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	enum golden_form form = GOLDEN_TEXT;
	int i = 1;
	if (argc > 1 && strcmp(argv[1], "--log") == 0) {
		form = GOLDEN_LOG;
		i++;
	}
	for (; i < argc; i++)
		if (print_file(argv[i], form) != 0)
			return 1;
	return 0;
}
