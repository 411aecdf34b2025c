/* config.md, POSIX-platform Hooks: programs that run at points of a container's life. */
#include "spec/spec_tables.h"

static const struct bind_key hook_keys[] = {
	BIND(STR, "path", struct spec_hook, path, .flags = BIND_REQUIRED | BIND_ABSOLUTE),
	BIND(STRV, "args", struct spec_hook, args, .separators = " \t\n"),
	BIND(STRV, "env", struct spec_hook, env),
	BIND(UINT, "timeout", struct spec_hook, timeout, BIND_RANGE(1, INT32_MAX)),
	{ .key = NULL },
};
static const struct bind_object hook_object = BIND_TABLE(struct spec_hook, hook_keys);

static const struct bind_key hooks_keys[] = {
	BIND(LIST, "prestart", struct spec_hooks, prestart, .object = &hook_object),
	BIND(LIST, "createRuntime", struct spec_hooks, create_runtime, .object = &hook_object),
	BIND(LIST, "createContainer", struct spec_hooks, create_container, .object = &hook_object),
	BIND(LIST, "startContainer", struct spec_hooks, start_container, .object = &hook_object),
	BIND(LIST, "poststart", struct spec_hooks, poststart, .object = &hook_object),
	BIND(LIST, "poststop", struct spec_hooks, poststop, .object = &hook_object),
	{ .key = NULL },
};
const struct bind_object spec_hooks_object = BIND_TABLE(struct spec_hooks, hooks_keys);
