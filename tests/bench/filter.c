/*
 * Prints the compiled seccomp filter of a config.json as the bytes that the kernel takes, for the
 * floor program, which compiles nothing. Uses hull's own compiler, so that floor and hull load the
 * same filter. No privilege.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "seccomp/seccomp.h"
#include "spec/spec.h"

static int write_filter(const char *path, struct arena *arena, struct err *err)
{
	struct spec_problems problems = { 0 };
	struct seccomp_filter filter;
	struct spec spec;
	int r;

	r = spec_load(arena, AT_FDCWD, path, &spec, &problems, err);
	if (r < 0)
		return r;
	r = seccomp_compile(&spec.linux.seccomp, arena, &filter, err);
	if (r < 0)
		return r;
	r = fd_write_all(STDOUT_FILENO, filter.insns, filter.len * sizeof(filter.insns[0]));
	return r < 0 ? err_sys(err, -r, "cannot write the filter") : 0;
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	_cleanup_arena_ struct arena arena;

	arena_init(&arena);
	if (argc != 2) {
		fprintf(stderr, "usage: filter CONFIG.JSON >FILTER\n");
		return 2;
	}
	if (write_filter(argv[1], &arena, &err) < 0) {
		fprintf(stderr, "filter: %s\n", err.message);
		return 1;
	}
	return 0;
}
