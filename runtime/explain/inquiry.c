/*
 * Examining a program inside the root filesystem: see the header. Each step asks one question, in
 * the order in which the kernel asks it, and records the first answer that stops an execve.
 * Access is judged by the permission bits; what an ACL or a security module adds is not seen.
 */
#include "explain/inquiry.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "explain/program.h"

#define INQUIRY_DEPTH 5 /* scripts whose interpreter is a script (fs/exec.c) */

struct inquiry {
	const struct explain_tree *tree;
	const struct explain_who *who;
	int code;
	unsigned depth;
	enum inquiry_stage stage;
	struct finding *found;
};

static _printf_(3, 4) int conclude(struct inquiry *q, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(q->found->cause, sizeof(q->found->cause), fmt, ap);
	va_end(ap);
	q->found->code = code;
	q->found->stage = q->stage;
	return code;
}

static void advise(struct inquiry *q, const char *hint)
{
	snprintf(q->found->hint, sizeof(q->found->hint), "%s", hint);
}

/* ---- rights ---- */

static bool has_cap(const struct explain_who *who, unsigned cap)
{
	return who->caps >> cap & 1;
}

static bool is_in_group(const struct explain_who *who, gid_t gid)
{
	if (who->gid == gid)
		return true;
	for (size_t i = 0; i < who->groups_n; i++)
		if (who->groups[i] == gid)
			return true;
	return false;
}

/* The x bit of owner, group or others, with the exceptions of capabilities(7). */
static bool may_execute(const struct explain_who *who, const struct stat *st)
{
	unsigned class = st->st_uid == who->uid ? 6 : is_in_group(who, st->st_gid) ? 3 : 0;
	if (st->st_mode >> class & 1)
		return true;
	if (S_ISDIR(st->st_mode))
		return has_cap(who, CAP_DAC_OVERRIDE) || has_cap(who, CAP_DAC_READ_SEARCH);
	return has_cap(who, CAP_DAC_OVERRIDE) && (st->st_mode & 0111);
}

/* ---- the way to the file ---- */

/* The name is missing, or a link to something that is. */
static int report_missing(struct inquiry *q, const char *subject, const char *prefix)
{
	char target[256];
	_cleanup_close_ int fd = tree_open(q->tree, prefix, O_PATH | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
	if (n <= 0)
		return conclude(q, ENOENT, "%s is not in the root filesystem", subject);
	target[n] = '\0';
	return conclude(q, ENOENT, "%s is a link to '%s', which is not in the root filesystem",
			subject, target);
}

/* For the file itself `subject` is its name; for a directory above it the directory's. */
static int report_unreachable(struct inquiry *q, const char *subject, const char *prefix, int code)
{
	if (code == ENOENT)
		return report_missing(q, subject, prefix);
	if (code == ENOTDIR)
		return conclude(q, code, "a part of '%s' is not a directory", prefix);
	if (code == ELOOP)
		return conclude(q, code, "%s is a link that leads back to itself, or too many",
				subject);
	return 0;
}

static int check_search(struct inquiry *q, int dirfd, const char *prefix)
{
	struct stat st;
	if (fstat(dirfd, &st) < 0 || !S_ISDIR(st.st_mode) || may_execute(q->who, &st))
		return 0;
	return conclude(q, EACCES, "uid %u may not search '%s' (mode %04o, owner %u:%u)",
			q->who->uid, *prefix ? prefix : "/", st.st_mode & 07777u, st.st_uid,
			st.st_gid);
}

/*
 * Walks to the file one directory after the other. 0 and *ret_fd: it is there; else what was found,
 * or 0 and -EBADF when the examination itself cannot get there.
 */
static int reach(struct inquiry *q, const char *subject, const char *path, int *ret_fd)
{
	char prefix[PATH_MAX], above[PATH_MAX + 2];
	size_t end = 0, size = strlen(path);

	*ret_fd = -EBADF;
	while (end < size) {
		end += strspn(path + end, "/");
		end += strcspn(path + end, "/");
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		_cleanup_close_ int fd = tree_open(q->tree, prefix, O_PATH);
		snprintf(above, sizeof(above), "'%s'", prefix);
		/* Of an interpreter the whole name says more than the part that is missing. */
		if (fd == -ENOENT && q->depth > 0 && end < size)
			return conclude(q, ENOENT, "%s is not in the root filesystem", subject);
		if (fd == TREE_UNKNOWN)
			continue;
		if (fd < 0)
			return report_unreachable(q, end == size ? subject : above, prefix, -fd);
		if (end == size)
			*ret_fd = fd_take(&fd);
		else if (check_search(q, fd, prefix) != 0)
			return q->found->code;
	}
	return 0;
}

/* Relative names start at the working directory. */
static int absolute(const struct inquiry *q, const char *path, char *buf, size_t size)
{
	bool relative = path[0] != '/';
	int n = snprintf(buf, size, "%s%s%s", relative && q->who->cwd ? q->who->cwd : "",
			 relative ? "/" : "", path);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* ---- the file ---- */

static int check_kind(struct inquiry *q, const char *subject, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return conclude(q, EACCES, "%s is %s", subject,
			S_ISDIR(st->st_mode) ? "a directory" : "not a regular file");
}

static int check_rights(struct inquiry *q, const char *subject, const struct stat *st)
{
	if (!may_execute(q->who, st)) {
		conclude(q, EACCES, "%s has mode %04o, owner %u:%u: uid %u may not execute it",
			 subject, st->st_mode & 07777u, st->st_uid, st->st_gid, q->who->uid);
		if (!(st->st_mode & 0111))
			advise(q, "chmod +x makes it a program");
		return EACCES;
	}
	return 0;
}

static int check_mount(struct inquiry *q, const char *subject, const char *path, int fd)
{
	if (!tree_is_noexec(q->tree, path, fd))
		return 0;
	return conclude(q, EACCES, "%s lies on a mount with the option noexec", subject);
}

/* The interpreter's name stands anywhere in the file. False when it cannot be a name. */
static bool read_interpreter(int fd, const struct program *p, char *buf, size_t size)
{
	if (p->interp_size == 0 || p->interp_size >= size || p->interp_offset > INT64_MAX)
		return false;
	ssize_t n;
	do
		n = pread(fd, buf, p->interp_size, (off_t)p->interp_offset);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)p->interp_size)
		return false;
	buf[n] = '\0';
	return *buf != '\0';
}

static int examine(struct inquiry *q, const char *subject, const char *path);

static int examine_interpreter(struct inquiry *q, const char *subject, const char *path)
{
	if (++q->depth > INQUIRY_DEPTH)
		return conclude(q, ELOOP, "%s: scripts are the interpreters of scripts", subject);
	return examine(q, subject, path);
}

static int check_script(struct inquiry *q, const char *subject, const char *interp, bool crlf)
{
	char next[512];
	if (crlf) {
		conclude(q, ENOENT,
			 "%s: its first line ends with CR: the file has Windows line endings",
			 subject);
		advise(q, "convert it with dos2unix or sed -i 's/\\r$//'");
		return ENOENT;
	}
	snprintf(next, sizeof(next), "the file exists; its interpreter \"%.256s\" (first line)",
		 interp);
	return examine_interpreter(q, next, interp);
}

/* ---- ELF ---- */

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
	return conclude(
		q, ENOENT, "%s needs the loader %s%s%s%s, not in this root filesystem%s%s%s",
		subject, loader, libc ? " (" : "", libc ? libc : "", libc ? ")" : "",
		present ? " (found " : "", present ? present->path : "", present ? ")" : "");
}

static int check_loader(struct inquiry *q, const char *subject, const char *loader)
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
	int r = check_kind(q, next, &st);
	if (r == 0)
		r = check_rights(q, next, &st);
	return r ? r : check_mount(q, next, loader, fd);
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

static int check_machine(struct inquiry *q, const char *subject, const struct program *p)
{
	const char *name = program_machine_name(p);
	switch (program_fit(p)) {
	case PROGRAM_NATIVE:
		return 0;
	case PROGRAM_COMPAT:
		/* Whether the kernel can run it is known only once it has refused to. */
		if (q->code != ENOEXEC)
			return 0;
		return conclude(q, ENOEXEC,
				"%s is a 32-bit program (%s); this kernel runs 64-bit ones only",
				subject, name ? name : "unknown");
	case PROGRAM_FOREIGN:
		if (q->code == 0 && has_binfmt_handlers())
			return 0;
		break;
	}
	if (name)
		conclude(q, ENOEXEC, "%s is %s %s program, this machine is %s", subject,
			 article(name), name, program_own_machine());
	else
		conclude(q, ENOEXEC, "%s is a program for another machine (%u), this one is %s",
			 subject, p->machine, program_own_machine());
	advise(q, "use an image for this machine, or binfmt_misc with an emulator");
	return ENOEXEC;
}

/* ---- the whole examination ---- */

static int check_content(struct inquiry *q, const char *subject, int fd)
{
	unsigned char head[PROGRAM_HEAD_SIZE];
	char interp[PATH_MAX];
	struct program p;
	ssize_t n = fd_read_all(fd, head, sizeof(head));
	if (n < 0)
		return 0;
	q->stage = INQUIRY_EXEC;
	program_parse(head, (size_t)n, &p);
	if (p.kind == PROGRAM_ELF && !p.flaw) {
		int r = check_machine(q, subject, &p);
		if (r != 0)
			return r;
	}
	if (p.flaw)
		return conclude(q, ENOEXEC, "%s %s", subject, p.flaw);
	if (!p.has_interpreter || !read_interpreter(fd, &p, interp, sizeof(interp)))
		return 0;
	return p.kind == PROGRAM_SCRIPT ? check_script(q, subject, interp, p.crlf)
					: check_loader(q, subject, interp);
}

/* Opens it for reading. It was a regular file a moment ago; a fifo in its place cannot block. */
static int open_content(struct inquiry *q, const char *path)
{
	struct stat st;
	_cleanup_close_ int fd = tree_open(q->tree, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADF;
	return fd_take(&fd);
}

static int examine(struct inquiry *q, const char *subject, const char *path)
{
	char full[PATH_MAX];
	struct stat st;
	_cleanup_close_ int fd = -EBADF;
	if (absolute(q, path, full, sizeof(full)) < 0)
		return conclude(q, ENAMETOOLONG, "%s has too long a name", subject);
	int r = reach(q, subject, full, &fd);
	if (r != 0 || fd < 0 || fstat(fd, &st) < 0)
		return r;
	r = check_kind(q, subject, &st);
	if (r == 0)
		r = check_rights(q, subject, &st);
	if (r == 0)
		r = check_mount(q, subject, full, fd);
	if (r != 0)
		return r;
	_cleanup_close_ int content = open_content(q, full);
	return content < 0 ? 0 : check_content(q, subject, content);
}

int inquiry_run(const struct explain_tree *tree, const char *path, const struct explain_who *who,
		int code, struct finding *ret)
{
	struct inquiry q = { .tree = tree, .who = who, .code = code, .found = ret };
	char subject[320];
	memset(ret, 0, sizeof(*ret));
	snprintf(subject, sizeof(subject), "'%.300s'", path);
	return examine(&q, subject, path);
}
