/*
 * A chapter of the plan (plan.h): what the container sees as files: its root, mounts, devices, and
 * sysctls.
 */
#ifndef HULL_PLAN_PLAN_FILES_H
#define HULL_PLAN_PLAN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan/plan_namespaces.h"

/* ---- root filesystem ---- */

enum plan_root_kind {
	PLAN_ROOT_DIRECTORY, /* a clone of the mount at `path` */
	PLAN_ROOT_OVERLAY,   /* hull mounts an overlay */
	PLAN_ROOT_CHROOT,    /* no mount namespace of its own: only chroot */
};
struct plan_overlay {
	struct spec_str *lower; /* topmost first */
	size_t lower_n;
	const char *upper, *work; /* NULL: directories on a tmpfs that dies with the container */
	bool userxattr;           /* notes in attributes that an unprivileged user may write */
	const char *dir; /* --overlay=DIR: it, upper and work are made when missing; or NULL */
	uint32_t at, upper_at, work_at;
};
struct plan_root {
	enum plan_root_kind kind;
	const char *path;
	struct plan_overlay overlay;
	bool readonly;
	bool pivot;
	uint64_t propagation; /* MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE */
	bool propagation_recursive;
	uint32_t at, propagation_at;
};

/* ---- mounts ---- */

enum plan_mount_kind {
	PLAN_MOUNT_NEW,     /* a new file system */
	PLAN_MOUNT_BIND,    /* a clone of a host's directory or file */
	PLAN_MOUNT_CGROUP,  /* a clone of the container's own cgroup: no cgroup namespace */
	PLAN_MOUNT_FILE,    /* a clone of a file in the container's state directory */
	PLAN_MOUNT_REMOUNT, /* new attributes for what is mounted there */
};
struct plan_fs_option {
	const char *key;
	const char *value; /* NULL: a flag */
	uint32_t at;
};
/* Attributes for mount_setattr(2): MOUNT_ATTR_*. */
struct plan_attr {
	uint64_t set, clear;
};
/* A map of ids for mounts: an id of the file system, the id of the host that it is shown as. */
struct plan_shift {
	struct plan_id_map uids, gids;
	bool is_joined; /* it is that of the user namespace that is joined, whatever that has */
};
struct plan_mount {
	enum plan_mount_kind kind;
	const char *destination;
	const char *type;   /* PLAN_MOUNT_NEW */
	const char *source; /* NULL: none */
	struct plan_fs_option *options;
	size_t options_n;
	struct plan_attr attr;           /* of the mount itself */
	struct plan_attr attr_recursive; /* of all mounts of a recursive bind, before `attr` */
	uint64_t propagation;            /* MS_* for the whole tree; 0: as it is */
	bool recursive;                  /* rbind */
	bool takes_mode;    /* a tmpfs without one: that of the directory that it covers, if any */
	bool copies_up;     /* tmpcopyup: a tmpfs that begins with that directory's content */
	bool on_proc;       /* its destination is /proc, or a file there that may be replaced */
	bool late_readonly; /* hull still makes something below it: read-only comes afterwards */
	const struct plan_shift *shift; /* of plan->shifts; NULL: ids as they are */
	bool shift_recursive;           /* ridmap */
	const char *shift_text;         /* what stands behind idmap= or ridmap=, or NULL */
	uint32_t at, destination_at, source_at, shift_at;
};

/* ---- devices, masks, sysctl ---- */

enum plan_device_how {
	PLAN_DEVICE_NODE,   /* the child makes it */
	PLAN_DEVICE_STAGED, /* the stage makes it, the child binds it */
	PLAN_DEVICE_BIND,   /* the child binds the host's device of that name */
};
struct plan_device {
	enum plan_device_how how;
	const char *path;
	mode_t mode; /* S_IFCHR, S_IFBLK or S_IFIFO with the permissions */
	dev_t rdev;
	uid_t uid;
	gid_t gid;
	bool must_exist; /* below a bind mount of the host's /dev, where nothing may be made */
	uint32_t at;
};
struct plan_link {
	const char *path, *target;
};
struct plan_sysctl {
	const char *key;  /* as written */
	const char *path; /* below /proc/sys */
	const char *value;
	uint32_t at;
};

#endif
