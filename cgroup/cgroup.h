/*
 * cgroup v2: where a container's cgroup is, what stands in its files, how it ends. Planning
 * (limits*.c, device.c) is pure: resources of the spec become a list of writes and a device
 * program. The rest works on file descriptors relative to the cgroup2 mount, never on joined paths
 * . Kernel documentation: Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef HULL_CGROUP_CGROUP_H
#define HULL_CGROUP_CGROUP_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

enum cgroup_write_flags { CGROUP_WRITE_IF_PRESENT = 1u }; /* no file: the value holds anyway */
/* One write of a value to a file of the cgroup, or, when it does not exist, to the second one. */
struct cgroup_write {
	const char *file;
	const char *value;
	const char *or_file; /* NULL: no second name */
	const char *or_value;
	const char *controller; /* "memory"; NULL: a cgroup.* core file */
	unsigned flags;         /* enum cgroup_write_flags */
	uint32_t at;            /* place in config.json */
};

#define CGROUP_CONTROLLERS_MAX 16
struct cgroup_plan {
	struct cgroup_write *writes; /* in the order in which they are made */
	size_t writes_n;
	struct bpf_insn *device_insns; /* NULL: nothing is denied */
	size_t device_insns_n;
	/* Which must be enabled, each once, NULL at the end, and who asked first. */
	const char *controllers[CGROUP_CONTROLLERS_MAX];
	uint32_t controllers_at[CGROUP_CONTROLLERS_MAX];
};

/*
 * Turns linux.resources into writes (S-162 to S-185). What cgroup v2 cannot express is an error;
 * zero means "not set" where engines send it so (shares, weight, quota, period, memory limits).
 */
_must_check_ int cgroup_plan_resources(const struct spec_resources *resources, struct arena *arena,
				       struct cgroup_plan *ret, struct err *err);

/* The normal form of a cgroupsPath below the cgroup2 mount, "/hull/ID" when `path` is NULL. */
_must_check_ int cgroup_plan_path(const char *path, const char *id, struct arena *arena,
				  const char **ret, struct err *err);

struct cgroup_root {
	int fd;           /* O_PATH of the cgroup2 mount */
	const char *path; /* static memory */
};
/* Finds the cgroup2 mount; hull never mounts it. */
_must_check_ int cgroup_root_open(struct cgroup_root *ret, struct err *err);
void cgroup_root_close(struct cgroup_root *root);

/* How many bytes of `path` (normal form) hull will not remove: what exists now, and "/hull". */
_must_check_ int cgroup_find_kept(const struct cgroup_root *root, const char *path, size_t *ret,
				  struct err *err);
struct cgroup {
	int fd;        /* its directory, for openat and CLONE_INTO_CGROUP */
	int lock_fd;   /* from cgroup_lock() */
	size_t kept;   /* as cgroup_find_kept() says, beyond doubt */
	bool is_older; /* it existed, or one above it that is not hull's home */
	bool is_left;  /* of one that failed: what it made is still there, for cgroup_prune() */
};
/* Makes it and its missing parents, with the plan's controllers (NULL: none); a missing one is
 * ENODEV. An existing cgroup must be free, empty and thawed (S-155): else EBUSY. */
_must_check_ int cgroup_create(const struct cgroup_root *root, const char *path,
			       const struct cgroup_plan *plan, struct cgroup *ret, struct err *err);

/* Writes the limits and attaches the device program; every failure is an error. In a cgroup that
 * existed before, the limits stay behind, and the program until cgroup_device_detach(). */
_must_check_ int cgroup_apply(int fd, const struct cgroup_plan *plan, struct err *err);

/* Gives it to a user of the host, who may make cgroups below, but not change its limits. */
_must_check_ int cgroup_delegate(int fd, uint32_t uid, struct err *err);

/* Opens an existing cgroup. ENOENT when it is gone. */
_must_check_ int cgroup_open(const struct cgroup_root *root, const char *path, int *ret_fd,
			     struct err *err);

/* Reserves it for one container until *ret_fd is closed. EBUSY: another one has it. */
_must_check_ int cgroup_lock(int fd, const char *path, int *ret_fd, struct err *err);

/* Kills all below it, frozen ones too, and waits; if it `stays`, by signals as long as they do. */
_must_check_ int cgroup_kill(int fd, bool stays, int timeout_ms, struct err *err);

/* Detaches hull's device programs, known by their name, and no others; the cgroup is empty. */
_must_check_ int cgroup_device_detach(int fd, struct err *err);

/* Removes it, all below it and its empty parents, but nothing of the path's `kept` bytes. */
_must_check_ int cgroup_remove(const struct cgroup_root *root, const char *path, size_t kept,
			       int timeout_ms, struct err *err);

#endif
