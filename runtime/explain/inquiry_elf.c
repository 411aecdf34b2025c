/*
 * Examining a program: what an ELF file needs to be executed, this machine and a dynamic loader
 * that is in the root filesystem. Reads no more of the file than its head.
 */
#include "explain/inquiry_parts.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"

/* Where the dynamic loaders of the C libraries are; any of them in an image tells what it is. */
static const struct loader {
	const char *path;
	const char *libc;
} loaders[] = {
	{ "/lib64/ld-linux-x86-64.so.2", "glibc" },
	{ "/lib/ld-musl-x86_64.so.1", "musl" },
	{ "/lib/ld-linux-aarch64.so.1", "glibc" },
	{ "/lib/ld-musl-aarch64.so.1", "musl" },
	{ "/lib/ld-linux.so.2", "glibc" },
	{ "/lib/ld-musl-i386.so.1", "musl" },
	{ "/lib/ld-linux-armhf.so.3", "glibc" },
	{ "/lib/ld-musl-armhf.so.1", "musl" },
	{ "/lib/ld-linux-riscv64-lp64d.so.1", "glibc" },
	{ "/lib/ld-musl-riscv64.so.1", "musl" },
	{ "/lib64/ld64.so.2", "glibc" },
	{ "/lib/ld64.so.1", "glibc" },
};

static const struct loader *find_present_loader(const struct explain_tree *tree)
{
	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
		_cleanup_close_ int fd = tree_open(tree, loaders[i].path, O_PATH);
		if (fd >= 0)
			return &loaders[i];
	}
	return NULL;
}

static const char *libc_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++)
		if (strcmp(loaders[i].path, path) == 0)
			return loaders[i].libc;
	return NULL;
}

static int report_no_loader(struct inquiry *q, const char *subject, const char *loader)
{
	const char *libc = libc_of(loader);
	const struct loader *present = find_present_loader(q->tree);
	return inquiry_conclude(
		q, ENOENT, "%s needs the loader %s%s%s%s, not in this root filesystem%s%s%s",
		subject, loader, libc ? " (" : "", libc ? libc : "", libc ? ")" : "",
		present ? " (found " : "", present ? present->path : "", present ? ")" : "");
}

int inquiry_check_loader(struct inquiry *q, const char *subject, const char *loader)
{
	char next[512];
	_cleanup_close_ int fd = tree_open(q->tree, loader, O_PATH);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return report_no_loader(q, subject, loader);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	snprintf(next, sizeof(next), "%.200s needs the loader %.200s, which", subject, loader);
	q->depth++;
	int r = inquiry_check_kind(q, next, &st);
	if (r == 0)
		r = inquiry_check_rights(q, next, &st);
	return r ? r : inquiry_check_mount(q, next, loader, fd);
}

/* "an x86_64 program", "a riscv64 program": names that are read letter by letter count, too. */
static const char *article(const char *machine)
{
	bool is_vowel = strchr("aix", machine[0]) || strncmp(machine, "s390", 4) == 0 ||
			strncmp(machine, "m68k", 4) == 0;
	return is_vowel ? "an" : "a";
}

/* Emulators that the host's kernel starts for programs of other machines (binfmt_misc). */
static bool has_binfmt_handlers(void)
{
	int fd = openat(AT_FDCWD, "/proc/sys/fs/binfmt_misc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	bool found = false;
	if (!dir) {
		fd_close(&fd);
		return false;
	}
	for (struct dirent *e = readdir(dir); e && !found; e = readdir(dir))
		found = e->d_name[0] != '.' && strcmp(e->d_name, "register") != 0 &&
			strcmp(e->d_name, "status") != 0;
	closedir(dir);
	return found;
}

int inquiry_check_machine(struct inquiry *q, const char *subject, const struct program *p)
{
	const char *name = program_machine_name(p);
	switch (program_fit(p)) {
	case PROGRAM_NATIVE:
		return 0;
	case PROGRAM_COMPAT:
		/* Whether the kernel can run it is known only once it has refused to. */
		if (q->code != ENOEXEC)
			return 0;
		return inquiry_conclude(
			q, ENOEXEC,
			"%s is a 32-bit program (%s); this kernel runs 64-bit ones only", subject,
			name ? name : "unknown");
	case PROGRAM_FOREIGN:
		if (q->code == 0 && has_binfmt_handlers())
			return 0;
		break;
	}
	if (name)
		inquiry_conclude(q, ENOEXEC, "%s is %s %s program, this machine is %s", subject,
				 article(name), name, program_own_machine());
	else
		inquiry_conclude(q, ENOEXEC,
				 "%s is a program for another machine (%u), this one is %s",
				 subject, p->machine, program_own_machine());
	inquiry_advise(q, "use an image for this machine, or binfmt_misc with an emulator");
	return ENOEXEC;
}
