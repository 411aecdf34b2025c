/* Fuzzing the state file: whatever stands in it, reading it and printing it harm nobody. */
#include <stddef.h>
#include <stdint.h>

#include "state/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct state state;
	struct err err;
	struct str text;

	arena_init(&arena);
	str_init(&text, &arena);
	const char *copy = arena_strndup(&arena, (const char *)data, size);
	if (state_parse(copy, size, &arena, &state, &err) == 0)
		state_print(&state, state.status, &text);
	arena_done(&arena);
	return 0;
}
