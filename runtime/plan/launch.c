/*
 * Planning `hull start`: see the header. Pure.
 */
#include "plan/launch.h"

#include "plan/parts.h"

static unsigned flags_of(const struct state *state)
{
	return state->has_init ? PLAN_INIT : 0;
}

int plan_make_launch(const struct state *state, const struct spec *config, const struct host *host,
		     struct arena *arena, struct plan *ret, struct err *err)
{
	*ret = (struct plan) {
		.id = state->id,
		.bundle = state->bundle,
		.flags = PLAN_CREATE | flags_of(state),
		.process.reset_signals = host->signals_ignored, /* what it ignores ends no start */
	};
	if (state->poststart)
		plan_make_hook_list(state->poststart, arena, &ret->hooks[PLAN_HOOK_POSTSTART]);
	return state->has_listener
		       ? plan_find_listener(config, state->bundle, arena, &ret->listener, err)
		       : 0;
}

void plan_make_again(const struct state *state, const struct spec *config, const struct host *host,
		     struct arena *arena, struct plan *ret)
{
	const struct plan_options options = {
		.id = state->id,
		.bundle = state->bundle,
		.flags = flags_of(state),
	};
	struct spec_problems ignored = { 0 };
	struct err unsaid = { 0 };
	if (!host || plan_make(config, &options, host, arena, ret, &ignored, &unsaid) < 0)
		*ret = (struct plan) {
			.id = state->id,
			.bundle = state->bundle,
			.flags = options.flags,
			.spec = config,
		};
}
