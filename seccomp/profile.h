/*
 * What the files of this directory share and nobody else sees: the values of a profile as the
 * kernel and libseccomp count them, and what is made besides libseccomp's program: the ENOSYS stub
 * before it, a shorter one in its place, and the key of the cache.
 */
#ifndef HULL_SECCOMP_PROFILE_H
#define HULL_SECCOMP_PROFILE_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "seccomp/seccomp.h"

/* Tokens of libseccomp, the native one first, each once; none of the other byte order. */
struct profile_arches {
	uint32_t *tokens;
	size_t n;
};

/* An architecture that libseccomp does not know is an error at its place. */
_must_check_ int profile_arches(const struct spec_seccomp *spec, struct arena *arena,
				struct profile_arches *ret, struct err *err);

/* The token of "SCMP_ARCH_X86_64", 0 when unknown. */
uint32_t profile_arch_token(const char *name);

/* Not in the headers of each Debian 12; Linux 5.19. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* The bit of "SECCOMP_FILTER_FLAG_LOG", 0 when unknown. */
unsigned profile_flag(const char *name);

/* What seccomp(2) is to be told besides the program: fills flags and has_notify. */
_must_check_ int profile_flags(const struct spec_seccomp *spec, struct seccomp_filter *ret,
			       struct err *err);

/* Whether a system call's name is unknown to the library. */
bool profile_has_unknown(const struct spec_seccomp *spec);

/* The action with the errno (or the tracer's message) in its low bits. */
_must_check_ int profile_action(const struct spec_int *action, const struct spec_uint *errno_ret,
				uint32_t *ret, struct err *err);

/*
 * The stub that goes before libseccomp's program and answers ENOSYS for system calls that are
 * newer than the profile; in the arena. No instructions when the profile wants none.
 */
struct sock_fprog stub_build(const struct spec_seccomp *spec, const struct profile_arches *arches,
			     struct arena *arena);

/* Gives the filter a shorter program of the same answers (arena), where there is one. */
void shorten_program(struct seccomp_filter *filter, struct arena *arena);

/*
 * Everything that the compiled bytes depend on, in one unambiguous byte string, padded to a
 * multiple of 8.
 */
void key_write(const struct spec_seccomp *spec, struct str *ret);

/* Looks the key up; true when ret's insns, len and has_unknown were filled from it. */
bool cache_load(int dirfd, const struct str *key, struct arena *arena, struct seccomp_filter *ret);

/* Stores, as well as it can; failing to is no error. */
void cache_store(int dirfd, const struct str *key, const struct seccomp_filter *filter);

#endif
