/*
 * Examining a program inside the root filesystem: see the header. Each step asks one question, in
 * the order in which the kernel asks it, and records the first answer that stops an execve.
 * Access is judged by the permission bits; what an ACL or a security module adds is not seen.
 */
#include "explain/inquiry.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "explain/inquiry_parts.h"

#define INQUIRY_DEPTH 5 /* scripts whose interpreter is a script (fs/exec.c) */

int inquiry_conclude(struct inquiry *q, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(q->found->cause, sizeof(q->found->cause), fmt, ap);
	va_end(ap);
	q->found->code = code;
	q->found->stage = q->stage;
	return code;
}

void inquiry_advise(struct inquiry *q, const char *hint)
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
		return inquiry_conclude(q, ENOENT, "%s is not in the root filesystem", subject);
	target[n] = '\0';
	return inquiry_conclude(q, ENOENT,
				"%s is a link to '%s', which is not in the root filesystem",
				subject, target);
}

/* For the file itself `subject` is its name; for a directory above it the directory's. */
static int report_unreachable(struct inquiry *q, const char *subject, const char *prefix, int code)
{
	if (code == ENOENT)
		return report_missing(q, subject, prefix);
	if (code == ENOTDIR)
		return inquiry_conclude(q, code, "a part of '%s' is not a directory", prefix);
	if (code == ELOOP)
		return inquiry_conclude(
			q, code, "%s is a link that leads back to itself, or too many", subject);
	return 0;
}

static int check_search(struct inquiry *q, int dirfd, const char *prefix)
{
	struct stat st;
	if (fstat(dirfd, &st) < 0 || !S_ISDIR(st.st_mode) || may_execute(q->who, &st))
		return 0;
	return inquiry_conclude(q, EACCES, "uid %u may not search '%s' (mode %04o, owner %u:%u)",
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
			return inquiry_conclude(q, ENOENT, "%s is not in the root filesystem",
						subject);
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

int inquiry_check_kind(struct inquiry *q, const char *subject, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return inquiry_conclude(q, EACCES, "%s is %s", subject,
				S_ISDIR(st->st_mode) ? "a directory" : "not a regular file");
}

int inquiry_check_rights(struct inquiry *q, const char *subject, const struct stat *st)
{
	if (!may_execute(q->who, st)) {
		inquiry_conclude(
			q, EACCES, "%s has mode %04o, owner %u:%u: uid %u may not execute it",
			subject, st->st_mode & 07777u, st->st_uid, st->st_gid, q->who->uid);
		if (!(st->st_mode & 0111))
			inquiry_advise(q, "chmod +x makes it a program");
		return EACCES;
	}
	return 0;
}

int inquiry_check_mount(struct inquiry *q, const char *subject, const char *path, int fd)
{
	if (!tree_is_noexec(q->tree, path, fd))
		return 0;
	return inquiry_conclude(q, EACCES, "%s lies on a mount with the option noexec", subject);
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
		return inquiry_conclude(q, ELOOP, "%s: scripts are the interpreters of scripts",
					subject);
	return examine(q, subject, path);
}

static int check_script(struct inquiry *q, const char *subject, const char *interp, bool crlf)
{
	char next[512];
	if (crlf) {
		inquiry_conclude(
			q, ENOENT,
			"%s: its first line ends with CR: the file has Windows line endings",
			subject);
		inquiry_advise(q, "convert it with dos2unix or sed -i 's/\\r$//'");
		return ENOENT;
	}
	snprintf(next, sizeof(next), "the file exists; its interpreter \"%.256s\" (first line)",
		 interp);
	return examine_interpreter(q, next, interp);
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
		int r = inquiry_check_machine(q, subject, &p);
		if (r != 0)
			return r;
	}
	if (p.flaw)
		return inquiry_conclude(q, ENOEXEC, "%s %s", subject, p.flaw);
	if (!p.has_interpreter || !read_interpreter(fd, &p, interp, sizeof(interp)))
		return 0;
	return p.kind == PROGRAM_SCRIPT ? check_script(q, subject, interp, p.crlf)
					: inquiry_check_loader(q, subject, interp);
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
		return inquiry_conclude(q, ENAMETOOLONG, "%s has too long a name", subject);
	int r = reach(q, subject, full, &fd);
	if (r != 0 || fd < 0 || fstat(fd, &st) < 0)
		return r;
	r = inquiry_check_kind(q, subject, &st);
	if (r == 0)
		r = inquiry_check_rights(q, subject, &st);
	if (r == 0)
		r = inquiry_check_mount(q, subject, full, fd);
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
