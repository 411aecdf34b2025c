/*
 * Seccomp profiles made by hand, as the parser would make them, and what their filters answer.
 * Each value gets a place of its own, so that tests can ask which one an error names.
 */
#ifndef HULL_TESTS_PROFILE_H
#define HULL_TESTS_PROFILE_H

#include <linux/audit.h>
#include <stdint.h>

#include "seccomp/seccomp.h"

#define PROFILE_MAX 4096

struct profile {
	struct arena arena;
	struct spec_seccomp spec;
	uint32_t next_at;
};

/* The default action; errno_ret < 0: not given. */
void profile_init(struct profile *p, uint32_t action, int64_t errno_ret);
void profile_done(struct profile *p);

void profile_add_arch(struct profile *p, const char *name);
void profile_add_flag(struct profile *p, const char *name);
/* The names end with NULL. The rule stays valid until the next one is added. */
__attribute__((sentinel)) struct spec_seccomp_rule *profile_add_rule(struct profile *p,
								     uint32_t action,
								     int64_t errno_ret, ...);
void profile_add_arg(struct profile *p, uint64_t index, int op, uint64_t value, uint64_t two);

/* Compiles; the test fails when that fails. */
struct seccomp_filter profile_compile(struct profile *p);

/* What the filter answers; the test fails for a program that the kernel would refuse. */
uint32_t filter_answer(const struct seccomp_filter *filter, uint32_t arch, int nr,
		       const uint64_t args[6]);
/* The same for a system call of this machine by its name, with no arguments. */
uint32_t filter_answer_name(const struct seccomp_filter *filter, const char *name);

#endif
