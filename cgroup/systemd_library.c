/*
 * libsystemd as far as the systemd driver needs it: loaded when it is needed, in the process that
 * asks systemd and in no other. A release of hull is linked statically; there the C library that
 * libsystemd brings along must be of the version that hull was built with, so nothing that one of
 * the two has allocated may be freed by the other, and their errno are different ones.
 */
#include "cgroup/systemd_parts.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <string.h>

#define LIBRARY "libsystemd.so.0"

/* Functions newer than what an old library may have: sd_bus_match_signal, systemd 237. */
static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define SYSTEMD_ROW(name, parameters) { "sd_bus_" #name, offsetof(struct systemd_library, name) },
	SYSTEMD_FUNCTIONS(SYSTEMD_ROW)
#undef SYSTEMD_ROW
};

static int cannot_load(const char *why, struct err *err)
{
	int r = err_say(err, ERR_HOST, ENOENT, "cannot load " LIBRARY ": %s", why ? why : "?");
	err_hint(err,
		 "--systemd-cgroup needs it (Debian: package libsystemd0), for this hull with "
		 "version %s of the C library; without that option hull makes the cgroup itself",
		 gnu_get_libc_version());
	return r;
}

int systemd_load(struct systemd_library *ret, struct err *err)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return cannot_load(dlerror(), err);
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		void *symbol = dlsym(library, functions[i].name);
		if (!symbol)
			return cannot_load(dlerror(), err);
		/* POSIX has a function's address in a void *; C has no conversion for it. */
		memcpy((char *)ret + functions[i].offset, &symbol, sizeof(symbol));
	}
	return 0;
}
