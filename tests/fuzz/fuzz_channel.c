/*
 * Fuzzing what the parent takes from the child: the shared page filled with anything, as by a child
 * that went wrong. The parent survives it, shows an error that ends, and follows only processes
 * that are its own children.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/report.h"
#include "start/channel.h"
#include "start/steps.h"
#include "start/tolerate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config[] = "{ \"process\": { \"args\": [\"/bin/true\"] } }\n";

static void show(const struct start *s, struct err *err)
{
	struct arena arena;
	struct json_doc doc;
	struct str text;

	arena_init(&arena);
	str_init(&text, &arena);
	if (json_parse(&arena, "config.json", config, sizeof(config) - 1, &doc, NULL) < 0)
		abort();
	json_locate(&doc, err);
	report_err(&text, &doc, err, REPORT_COLOUR);
	report_log_json(&text, err, NULL, "");
	tolerate_print(s, &text);
	arena_done(&arena);
}

/* The socket carries single bytes; the first of the input is what the child says. */
static void receive(struct channel *c, uint8_t byte)
{
	if (send(c->child_fd, &byte, 1, MSG_NOSIGNAL) != 1)
		abort();
	if ((uint8_t)channel_receive(c->parent_fd) != byte)
		abort();
	channel_keep_parent(c);
	if (channel_receive(c->parent_fd) != CHANNEL_EOF)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct plan plan;
	struct start s = { .plan = &plan };
	struct err err = { 0 };
	char program[PATH_MAX];

	if (size == 0)
		return 0;
	if (channel_open(&s.channel, &err) < 0)
		abort();
	receive(&s.channel, data[0]);
	size_t n = size - 1 < sizeof(*s.channel.page) ? size - 1 : sizeof(*s.channel.page);
	memcpy(s.channel.page, data + 1, n);
	if (channel_error(&s.channel, &err)) {
		if (err.code <= 0 || !err.message[0])
			abort();
		show(&s, &err);
	}
	channel_program(&s.channel, program);
	if (strlen(program) >= sizeof(program))
		abort();
	(void)child_step_name(&s, atomic_load(&s.channel.page->step));
	if (channel_moved(&s.channel) != 0) /* this process has no children */
		abort();
	channel_close(&s.channel);
	return 0;
}
