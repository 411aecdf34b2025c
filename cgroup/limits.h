/*
 * Inside of cgroup/: how the planners of the single controllers (limits_*.c) add their writes to
 * the plan. Pure; runs in the caller's process before anything is made.
 */
#ifndef HULL_CGROUP_LIMITS_H
#define HULL_CGROUP_LIMITS_H

#include "cgroup/cgroup.h"

struct limits {
	struct arena *arena;
	struct cgroup_plan *plan;
	size_t room; /* writes that fit into plan->writes */
};

/*
 * Adds a write and the need for its controller. Strings are not copied: constants, the spec's or
 * the arena's. EINVAL when the plan would need more controllers than it can name.
 */
_must_check_ int limits_add(struct limits *l, const struct cgroup_write *write, struct err *err);

/* The common case: a value for a file that exists wherever its controller is enabled. */
_must_check_ int limits_set(struct limits *l, const char *file, const char *value, uint32_t at,
			    struct err *err);

/* Refuses a value that only cgroup v1 knows (S-184). */
_must_check_ int limits_refuse_v1(const char *what, uint32_t at, struct err *err);

/* -1 as "max", else the number; -1 is how config.json says "unlimited". */
const char *limits_max_text(struct arena *arena, int64_t value);

_must_check_ int limits_plan_memory(struct limits *l, const struct spec_memory *memory,
				    struct err *err);
_must_check_ int limits_plan_cpu(struct limits *l, const struct spec_cpu *cpu, struct err *err);
_must_check_ int limits_plan_io(struct limits *l, const struct spec_block_io *io, struct err *err);

/* linux.resources.devices as a program of the cgroup; device.c. */
_must_check_ int device_plan(const struct spec_resources *resources, struct arena *arena,
			     struct cgroup_plan *ret, struct err *err);

/* What the program may allow: more than it does where a rule denies a part of it again. */
struct device_allowed {
	char type;            /* 'b' or 'c' */
	int64_t major, minor; /* -1: all */
	uint32_t access;      /* BPF_DEVCG_ACC_* */
};
_must_check_ int device_list_allowed(const struct spec_resources *resources, struct arena *arena,
				     struct device_allowed **ret, size_t *ret_n, struct err *err);

/* Loads the program and attaches it to the cgroup `fd`; device_attach.c. */
_must_check_ int device_attach(int fd, const struct bpf_insn *insns, size_t n, struct err *err);

/* Its descriptor, attached to nothing. */
_must_check_ int device_load(const struct bpf_insn *insns, size_t n, struct err *err);

/*
 * Puts it in the place of hull's earlier program, in one step; -EBADF: no program, everything is
 * allowed.
 */
_must_check_ int device_swap(int fd, int program, struct err *err);

/* One write of a plan; apply.c. */
_must_check_ int apply_write(int fd, const struct cgroup_write *w, struct err *err);

#endif
