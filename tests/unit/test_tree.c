/* The container's tree from outside: what would be mounted counts, and what only a start shows. */
#include "explain/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>
#include <cmocka.h>

#include "tmpdir.h"

#define FOUND 0

struct fixture {
	struct tmpdir dir;
	char volume[128], file[128];
	struct plan_mount mounts[8];
	struct explain_tree tree;
};

static void add(struct fixture *f, enum plan_mount_kind kind, const char *destination,
		const char *what)
{
	struct plan_mount *m = &f->mounts[f->tree.mounts_n++];
	*m = (struct plan_mount) { .kind = kind, .destination = destination };
	if (kind == PLAN_MOUNT_BIND)
		m->source = what;
	else
		m->type = what;
}

/* root/: the image; volume/: a directory of the host. */
static void setup(struct fixture *f)
{
	*f = (struct fixture) { .mounts = { { 0 } } };
	tmpdir_init(&f->dir);
	tmpdir_mkdir(&f->dir, "root", 0755);
	tmpdir_mkdir(&f->dir, "root/bin", 0755);
	tmpdir_write(&f->dir, "root/bin/sh", 0755, "x");
	tmpdir_mkdir(&f->dir, "root/usr", 0755);
	tmpdir_mkdir(&f->dir, "root/usr/lib", 0755);
	tmpdir_symlink(&f->dir, "usr/lib", "root/lib");
	tmpdir_symlink(&f->dir, "/usr/lib/ld.so", "root/loader");
	tmpdir_mkdir(&f->dir, "volume", 0755);
	tmpdir_write(&f->dir, "volume/run", 0755, "x");
	snprintf(f->volume, sizeof(f->volume), "%s/volume", f->dir.path);
	snprintf(f->file, sizeof(f->file), "%s/volume/run", f->dir.path);
	f->tree.root_fd = openat(f->dir.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->tree.mounts = f->mounts;
	assert_true(f->tree.root_fd >= 0);
}

static void done(struct fixture *f)
{
	close(f->tree.root_fd);
	tmpdir_done(&f->dir);
}

static void assert_open(const struct fixture *f, const char *path, int expected)
{
	int fd = tree_open(&f->tree, path, O_PATH);
	if (fd >= 0)
		close(fd);
	if ((fd >= 0 ? FOUND : fd) != expected)
		fail_msg("%s: %d, expected %d", path, fd, expected);
}

static void test_plain(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	assert_open(&f, "/bin/sh", FOUND);
	assert_open(&f, "/bin/none", -ENOENT);
	assert_open(&f, "/lib/none", -ENOENT);
	assert_open(&f, "/bin/sh/x", -ENOTDIR);
	done(&f);
}

static void test_binds(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	add(&f, PLAN_MOUNT_BIND, "/opt/app", f.volume);
	add(&f, PLAN_MOUNT_BIND, "/bin/extra", f.file);
	assert_open(&f, "/opt/app/run", FOUND);
	assert_open(&f, "//opt/app/run", FOUND);
	assert_open(&f, "/opt/app/none", -ENOENT);
	assert_open(&f, "/opt/application", -ENOENT);
	assert_open(&f, "/opt", TREE_UNKNOWN); /* it is made */
	assert_open(&f, "/bin/extra", FOUND);
	assert_open(&f, "/bin/sh", FOUND);
	/* A later one covers it. */
	add(&f, PLAN_MOUNT_NEW, "/opt", "tmpfs");
	assert_open(&f, "/opt/app/run", -ENOENT);
	done(&f);
}

static void test_new_file_systems(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	add(&f, PLAN_MOUNT_NEW, "/proc", "proc");
	add(&f, PLAN_MOUNT_NEW, "/bin", "tmpfs");
	assert_open(&f, "/proc/self/exe", TREE_UNKNOWN);
	assert_open(&f, "/bin/sh", -ENOENT);
	assert_open(&f, "/bin", TREE_UNKNOWN);
	f.mounts[1].copies_up = true;
	assert_open(&f, "/bin/sh", TREE_UNKNOWN);
	f.mounts[1].kind = PLAN_MOUNT_REMOUNT; /* nothing new is there */
	assert_open(&f, "/bin/sh", FOUND);
	done(&f);
}

/* Links of the image that lead below a mount. */
static void test_links(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	assert_open(&f, "/loader", -ENOENT);
	add(&f, PLAN_MOUNT_BIND, "/usr/lib", f.volume);
	assert_open(&f, "/lib/ld.so", TREE_UNKNOWN);
	assert_open(&f, "/loader", TREE_UNKNOWN);
	assert_open(&f, "/bin/none", -ENOENT);
	assert_open(&f, "/usr/lib/run", FOUND);
	done(&f);
}

static void test_noexec(void **state _unused_)
{
	struct fixture f;
	setup(&f);
	add(&f, PLAN_MOUNT_BIND, "/opt", f.volume);
	f.mounts[0].attr.set = MOUNT_ATTR_NOEXEC;
	assert_true(tree_is_noexec(&f.tree, "/opt/run", f.dir.fd));
	f.mounts[0].attr.set = 0;
	f.mounts[0].attr_recursive.set = MOUNT_ATTR_NOEXEC;
	assert_true(tree_is_noexec(&f.tree, "/opt/run", f.dir.fd));
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_binds),
		cmocka_unit_test(test_new_file_systems),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_noexec),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
