/*
 * Child, stage 4, and parent, stage 1, for one whose ids are mapped: a new file system, detached.
 * It is configured option by option, so that the one that fails is known, and gets its attributes
 * before it is attached anywhere (mount.c).
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inroot.h"
#include "base/str.h"
#include "start/fail.h"
#include "start/procfs.h"
#include "start/steps.h"

/* ---- failures ---- */

/* What the kernel says about a failed fsconfig: lines "e tmpfs: Bad value for 'size'". */
static void add_kernel_log(int fs, struct err *err)
{
	char line[256];
	ssize_t n = read(fs, line, sizeof(line) - 1);
	if (n <= 2)
		return;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	err_kernel(err, "%s", line[1] == ' ' ? line + 2 : line);
}

static const struct {
	const char *option, *hint;
} option_hints[] = {
	{ "size",
	  "a size is a number with k, m or g behind it, or a share of the memory as in 50%" },
	{ "mode", "a mode is an octal number such as 0755" },
	{ "uid", "an owner is a number" },
	{ "gid", "a group is a number" },
	{ "nr_inodes", "a number of inodes is a number with k, m or g behind it" },
};

static int option_failed(int fs, const struct plan_mount *m, const struct plan_fs_option *o,
			 struct err *err)
{
	int code = errno;
	err_sys(err, code, "cannot mount '%s' on '%s' (option '%s%s%s')", m->type, m->destination,
		o->key, o->value ? "=" : "", o->value ? o->value : "");
	const char *near = o->value ? NULL : plan_meant_option(o->key);
	if (!o->value && !plan_hint_split(o->key, ",", err) && near)
		err_hint(err, "did you mean '%s'?", near);
	bool is_id = str_eq(o->key, "uid") || str_eq(o->key, "gid");
	for (size_t i = 0; i < ARRAY_SIZE(option_hints); i++)
		if (str_eq(option_hints[i].option, o->key))
			err_hint(err, "%s", option_hints[i].hint);
	if (is_id && o->value && o->value[0] && strspn(o->value, "0123456789") == strlen(o->value))
		err_hint(err, "the user namespace has no such id: map it, or leave '%s' out",
			 o->key);
	add_kernel_log(fs, err);
	err_at(err, o->at);
	return -code;
}

static void hint_type(const char *type, struct err *err)
{
	static const struct str_name usual[] = { { "proc", 0 },   { "sysfs", 0 },
						 { "tmpfs", 0 },  { "devpts", 0 },
						 { "mqueue", 0 }, { "cgroup2", 0 },
						 { "ext4", 0 },   { "overlay", 0 },
						 { NULL, 0 } };
	const char *near = str_nearest_name(type, usual);

	if (str_eq(type, "none"))
		err_hint(err, "a bind mount has the option bind or rbind");
	else if (near)
		err_hint(err, "did you mean '%s'?", near);
	else
		err_hint(err, "this kernel has no file system '%s' (see /proc/filesystems)", type);
}

static int fs_failed(int fs, const struct plan_mount *m, struct err *err)
{
	int code = errno;
	err_sys(err, code, "cannot mount '%s' on '%s'", m->type, m->destination);
	if (code == ENODEV)
		hint_type(m->type, err);
	if (code == EPERM && str_eq(m->type, "sysfs"))
		err_hint(err, "a new sysfs needs a network namespace of the container's own; "
			      "bind /sys instead");
	if (fs >= 0)
		add_kernel_log(fs, err);
	err_at(err, m->at);
	return -code;
}

/* ---- making it ---- */

/* Without a mode of its own a tmpfs has that of the directory that it covers, if there is one. */
static int set_mode(const struct start *s, const struct plan_mount *m, int fs)
{
	struct stat st;
	char mode[16];

	if (!m->takes_mode)
		return 0;
	_cleanup_close_ int fd = inroot_try(s->root_fd, m->destination, O_PATH | O_DIRECTORY);
	if (fd == -ENOENT || fd == -ENOTDIR) /* it is made, or that is an error, in attach() */
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0) {
		errno = fd < 0 ? -fd : errno;
		return -1;
	}
	snprintf(mode, sizeof(mode), "%o", st.st_mode & 07777U);
	return fsconfig(fs, FSCONFIG_SET_STRING, "mode", mode, 0);
}

static int set_options(int fs, const struct plan_mount *m, struct err *err)
{
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", m->source, 0) < 0)
		return fs_failed(fs, m, err);
	for (size_t i = 0; i < m->options_n; i++) {
		const struct plan_fs_option *o = &m->options[i];
		unsigned command = o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
		if (fsconfig(fs, command, o->key, o->value, 0) < 0)
			return option_failed(fs, m, o, err);
	}
	return 0;
}

int mount_configure(const struct plan_mount *m, struct err *err)
{
	_cleanup_close_ int fs = fsopen(m->type, FSOPEN_CLOEXEC);
	int r = fs < 0 ? fs_failed(-1, m, err) : set_options(fs, m, err);
	return r < 0 ? r : fd_take(&fs);
}

static int configure(const struct start *s, int fs, const struct plan_mount *m, struct err *err)
{
	if (set_mode(s, m, fs) < 0)
		return fs_failed(fs, m, err);
	int r = set_options(fs, m, err);
	if (r < 0)
		return r;
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? fs_failed(fs, m, err) : 0;
}

static int open_filesystem(struct start *s, const struct plan_mount *m)
{
	if (str_eq(m->type, "proc"))
		return procfs_open(s);
	int fs = fsopen(m->type, FSOPEN_CLOEXEC);
	return fs < 0 ? -errno : fs;
}

int mount_make(struct start *s, const struct plan_mount *m, int *ret_fd, struct err *err)
{
	_cleanup_close_ int fs = open_filesystem(s, m);
	if (fs < 0) {
		errno = -fs;
		return fs_failed(-1, m, err);
	}
	int r = configure(s, fs, m, err);
	if (r < 0)
		return r;
	*ret_fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)(m->attr.set | m->attr_recursive.set));
	return *ret_fd < 0 ? fs_failed(fs, m, err) : 0;
}
