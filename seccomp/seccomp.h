/*
 * seccomp: from a profile in config.json to the bytes that the kernel takes, and into the kernel.
 *
 * Compiling (profile.c) is pure and slow (milliseconds: libseccomp), so results are cached
 * (cache.c); installing (load.c) is one system call and runs in the child, right before execve.
 * libseccomp's own symbols begin with seccomp_ too: none of the names below may be one of them.
 */
#ifndef HULL_SECCOMP_SECCOMP_H
#define HULL_SECCOMP_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

struct seccomp_filter {
	struct sock_filter *insns; /* NULL: no filter */
	unsigned short len;        /* instructions */
	unsigned flags;            /* SECCOMP_FILTER_FLAG_* for seccomp(2) */
	bool has_notify;           /* some action is SCMP_ACT_NOTIFY */
	bool has_unknown;          /* a name is unknown: seccomp_check() has something to say */
	bool from_cache;
};

/*
 * Names and values against what the linked libseccomp knows. Unknown system calls are warnings
 * (newer profiles must keep working), with the nearest known name; architectures that the library
 * does not know are errors. 0.1 us per name: a start calls it only for a filter that says
 * has_unknown.
 */
void seccomp_check(const struct spec_seccomp *spec, struct arena *arena,
		   struct spec_problems *problems);

/*
 * Compiles a profile for the native architecture and those that it names (linux.seccomp,
 * S-203 to S-211). The instructions live in the arena. Pure: no system call that matters.
 */
_must_check_ int seccomp_compile(const struct spec_seccomp *spec, struct arena *arena,
				 struct seccomp_filter *ret, struct err *err);

/*
 * The same through the cache in the directory (of the caller, writable by nobody else); a damaged
 * or foreign entry counts as a miss and is replaced. cache_dirfd < 0: no cache. A cache that
 * cannot be used or written is not an error.
 */
_must_check_ int seccomp_prepare(const struct spec_seccomp *spec, int cache_dirfd,
				 struct arena *arena, struct seccomp_filter *ret, struct err *err);

/*
 * Installs the filter into the calling thread, which has no_new_privs or CAP_SYS_ADMIN. One system
 * call, no allocation. 0 or -errno. After it only what the profile allows can be called; and what
 * it notifies of fails with ENOSYS where no listener came before (listen.h).
 */
_must_check_ int seccomp_install(const struct seccomp_filter *filter);

/* Whether the library knows an architecture, "SCMP_ARCH_X86_64". */
bool seccomp_knows_arch(const char *name);

/* Whether the kernel that runs knows a flag, "SECCOMP_FILTER_FLAG_LOG". */
bool seccomp_knows_flag(const char *name);

/* A system call that the kernel killed for, as it logs it. */
struct seccomp_event {
	uint32_t arch; /* AUDIT_ARCH_* */
	int number;
	uint32_t action; /* SECCOMP_RET_* */
};
struct seccomp_blame {
	const char *syscall; /* its name (arena), or NULL */
	const char *arch;    /* NULL: the native one, or one without a name */
	uint32_t at;         /* the rule's place in config.json */
	uint32_t action_at;  /* its action's; 0: it is not written there */
};
/*
 * Whether the profile forbids a system call of the native architecture whatever its arguments are:
 * what the kernel would log then, and the errno that the caller gets; 0: it is killed or trapped.
 */
_must_check_ bool seccomp_forbids(const struct spec_seccomp *spec, const char *syscall,
				  struct seccomp_event *ret, int *ret_errno);
void seccomp_blame(const struct spec_seccomp *spec, const struct seccomp_event *event,
		   struct arena *arena, struct seccomp_blame *ret);

#endif
