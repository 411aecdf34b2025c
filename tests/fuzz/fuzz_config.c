/*
 * Fuzzing config.json: any bytes are parsed, checked, planned as far as they go, and every problem
 * is shown. Nothing may crash, leak or read beyond the text; and what is refused has a message.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/report.h"
#include "spec/spec.h"
#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void plan(struct arena *arena, const struct spec *spec, struct spec_problems *problems)
{
	static const struct host host = {
		.caps_permitted = UINT64_C(0x1ffffffffff),
		.caps_bounding = UINT64_C(0x1ffffffffff),
		.has_time_namespaces = true,
	};
	static const struct plan_options options = {
		.id = "fuzz",
		.bundle = "/bundle",
		.flags = PLAN_ROOTFS_ANNOTATIONS,
	};
	struct plan plan;
	struct err err = { 0 };
	struct str text;

	str_init(&text, arena);
	if (plan_make(spec, &options, &host, arena, &plan, problems, &err) == 0)
		plan_print(&plan, &text);
	else if (!err.message[0])
		abort();
	else
		report_err(&text, &spec->doc, &err, REPORT_PLAIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct spec spec;
	struct spec_problems problems = { 0 };
	struct err err = { 0 };
	struct str text;

	arena_init(&arena);
	str_init(&text, &arena);
	const char *copy = arena_strndup(&arena, (const char *)data, size);
	if (spec_parse(&arena, "config.json", copy, size, &spec, &problems, &err) == 0)
		plan(&arena, &spec, &problems);
	else if (!err.message[0])
		abort();
	report_problems(&text, &spec.doc, &problems, REPORT_PLAIN);
	report_log_json(&text, &err, &problems, "");
	arena_done(&arena);
	return 0;
}
