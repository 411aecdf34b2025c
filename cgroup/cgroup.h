/*
 * cgroup v2: where a container's cgroup is, what stands in its files, and how it ends.
 *
 * Planning (limits.c, device.c) is pure: resources of the spec become a list of writes and a device program.
 * The rest works on file descriptors relative to the cgroup2 mount, never on joined paths
 * (security rule R-075). Kernel documentation: Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef HULL_CGROUP_CGROUP_H
#define HULL_CGROUP_CGROUP_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

/* ---- planning (pure) ---- */

/* One write of a value to a file of the cgroup; controller NULL: a cgroup.* core file. */
struct cgroup_write {
	const char *file;
	const char *value;
	const char *controller; /* "memory" */
	uint32_t at;		/* place in config.json */
};
struct cgroup_plan {
	struct cgroup_write *writes; /* in the order in which they are made */
	size_t writes_n;
	struct bpf_insn *device_insns; /* NULL: no device rules, all devices are allowed */
	size_t device_insns_n;
	const char *controllers[16]; /* which must be enabled, each once, NULL at the end */
};

/*
 * Turns linux.resources into writes (rules: S-162 to S-185). Values that cgroup v2 cannot
 * express are errors; zero means "not set" where engines send zero so (design: shares, weight,
 * quota, period, memory limits). has_bfq: the io weight goes to io.bfq.weight.
 */
_must_check_ int cgroup_plan_resources(const struct spec_resources *resources, struct arena *arena,
				       struct cgroup_plan *ret, struct err *err);

/* The normal form of a cgroupsPath below the cgroup2 mount, "/hull/ID" when `path` is NULL. */
_must_check_ int cgroup_plan_path(const char *path, const char *id, struct arena *arena,
				  const char **ret, struct err *err);

/* ---- the host ---- */

struct cgroup_root {
	int fd;		  /* O_PATH of the cgroup2 mount */
	const char *path; /* "/sys/fs/cgroup" or "/sys/fs/cgroup/unified"; static memory */
};

/* Finds the cgroup2 mount; hull never mounts it. ENOENT with a hint when there is none. */
_must_check_ int cgroup_root_open(struct cgroup_root *ret, struct err *err);
void cgroup_root_close(struct cgroup_root *root);

/* ---- one container's cgroup ---- */

/*
 * Makes the cgroup `path` (normal form) and its missing parents, with the controllers enabled in
 * all of them. An existing one must be empty and thawed (S-155): else EBUSY. Unless it fails,
 * *ret_fd is its directory and *ret_made tells whether it was made now. A failure removes what
 * was made.
 */
_must_check_ int cgroup_create(const struct cgroup_root *root, const char *path,
			       const char *const *controllers, int *ret_fd, bool *ret_made,
			       struct err *err);

/* Writes the limits and attaches the device program; every failure is an error. */
_must_check_ int cgroup_apply(int fd, const struct cgroup_plan *plan, struct err *err);

/* Opens an existing cgroup. ENOENT when it is gone. */
_must_check_ int cgroup_open(const struct cgroup_root *root, const char *path, int *ret_fd,
			     struct err *err);

/* Kills all processes below it, frozen ones too, and waits until they are gone (milliseconds). */
_must_check_ int cgroup_kill(int fd, int timeout_ms, struct err *err);

/*
 * Removes the cgroup and the ones that the container made below it. Gone already is success.
 * `path` is in normal form; parents stay.
 */
_must_check_ int cgroup_remove(const struct cgroup_root *root, const char *path, struct err *err);

#endif
