/*
 * Why a program does not start: each cause in a root filesystem that has just that flaw, with the
 * message that engines match on. ELF files are written by hand, some for other machines.
 */
#include "explain/explain.h"

#include <elf.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "explain/program.h"
#include "tmpdir.h"

/* A user who owns nothing in the test's directory; and one whom no mode stops. */
static const gid_t some_groups[] = { 54322 };
static const struct explain_who nobody = {
	.uid = 54321, .gid = 54321, .groups = some_groups, .groups_n = 1, .cwd = "/work"
};
static const struct explain_who almighty = { .caps = UINT64_C(1) << CAP_DAC_OVERRIDE, .cwd = "/" };

/* A root filesystem as it is, with nothing to be mounted in it. */
#define TREE(fd) (&(const struct explain_tree) { .root_fd = (fd) })

/* What the user sees in one line. */
static const char *whole_message(const struct err *err, char *buf, size_t size)
{
	if (err->flags & ERR_HAS_ERRNO)
		snprintf(buf, size, "%s: %s", err->message, err_text(err->code).s);
	else
		snprintf(buf, size, "%s", err->message);
	return buf;
}

static void assert_err(const struct err *err, int code, const char *message, const char *cause)
{
	char buf[2048];
	assert_string_equal(whole_message(err, buf, sizeof(buf)), message);
	assert_string_equal(err->cause, cause);
	assert_int_equal(err->code, code);
	assert_true(err->flags & ERR_ABOUT_PROGRAM);
}

static void assert_exec(struct tmpdir *t, const char *path, int code, const char *message,
			const char *cause)
{
	struct err err = { 0 };
	assert_int_equal(explain_exec(TREE(t->fd), path, &nobody, code, &err), -code);
	assert_err(&err, code, message, cause);
}

static void assert_find(struct tmpdir *t, const char *arg0, int code, const char *message,
			const char *cause)
{
	struct err err = { 0 };
	assert_int_equal(explain_find(TREE(t->fd), arg0, "/bin:/sbin", &nobody, &err), -code);
	assert_err(&err, code, message, cause);
}

/* ---- programs made by hand ---- */

struct elf64 {
	Elf64_Ehdr header;
	Elf64_Phdr interp;
	char name[64];
};

static uint16_t own_machine(void)
{
	Elf64_Ehdr self;
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, &self, sizeof(self)), sizeof(self));
	return self.e_machine;
}

static struct elf64 make_elf(uint16_t machine, const char *loader)
{
	struct elf64 e = {
		.header = { .e_type = ET_DYN,
			    .e_machine = machine,
			    .e_version = EV_CURRENT,
			    .e_phoff = offsetof(struct elf64, interp),
			    .e_ehsize = sizeof(Elf64_Ehdr),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = loader ? 1 : 0 },
		.interp = { .p_type = PT_INTERP, .p_offset = offsetof(struct elf64, name) },
	};
	memcpy(e.header.e_ident, ELFMAG, SELFMAG);
	e.header.e_ident[EI_CLASS] = ELFCLASS64;
	e.header.e_ident[EI_DATA] = ELFDATA2LSB;
	e.header.e_ident[EI_VERSION] = EV_CURRENT;
	if (loader) {
		e.interp.p_filesz = strlen(loader) + 1;
		memcpy(e.name, loader, strlen(loader) + 1);
	}
	return e;
}

static void setup(struct tmpdir *t)
{
	struct elf64 e = make_elf(own_machine(), NULL);
	tmpdir_init(t);
	assert_int_equal(chmod(t->path, 0755), 0);
	tmpdir_mkdir(t, "bin", 0755);
	tmpdir_mkdir(t, "lib", 0755);
	tmpdir_mkdir(t, "work", 0755);
	tmpdir_write_bytes(t, "bin/good", &e, sizeof(e));
}

/* ---- the tests ---- */

static void test_missing(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	setup(&t);
	tmpdir_symlink(&t, "/opt/busybox", "bin/sh");
	tmpdir_write(&t, "bin/plain", 0755, "x");
	assert_exec(&t, "/no/such", ENOENT,
		    "exec: \"/no/such\": stat /no/such: no such file or directory",
		    "'/no' is not in the root filesystem");
	assert_exec(&t, "/bin/such", ENOENT,
		    "exec: \"/bin/such\": stat /bin/such: no such file or directory",
		    "'/bin/such' is not in the root filesystem");
	assert_exec(&t, "./run", ENOENT, "exec: \"./run\": stat ./run: no such file or directory",
		    "'./run' is not in the root filesystem");
	assert_exec(&t, "/bin/sh", ENOENT,
		    "exec: \"/bin/sh\": stat /bin/sh: no such file or directory",
		    "'/bin/sh' is a link to '/opt/busybox', which is not in the root filesystem");
	assert_exec(&t, "/bin/plain/x", ENOTDIR,
		    "exec: \"/bin/plain/x\": stat /bin/plain/x: not a directory",
		    "a part of '/bin/plain/x' is not a directory");
	assert_exec(&t, "nope", ENOENT, "exec: \"nope\": executable file not found in $PATH", "");
	assert_exec(&t, "nope", EACCES, "exec: \"nope\": permission denied", "");
}

static void test_rights(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	char cause[256];
	setup(&t);
	tmpdir_mkdir(&t, "app", 0700);
	tmpdir_write(&t, "app/run", 0755, "#!/bin/good\n");
	tmpdir_write(&t, "bin/noexec", 0644, "#!/bin/good\n");
	assert_exec(&t, "/bin", EACCES, "exec: \"/bin\": permission denied",
		    "'/bin' is a directory");
	snprintf(cause, sizeof(cause),
		 "'/bin/noexec' has mode 0644, owner %u:%u: uid 54321 may not execute it", getuid(),
		 getgid());
	assert_exec(&t, "/bin/noexec", EACCES, "exec: \"/bin/noexec\": permission denied", cause);
	snprintf(cause, sizeof(cause), "uid 54321 may not search '/app' (mode 0700, owner %u:%u)",
		 getuid(), getgid());
	assert_exec(&t, "/app/run", EACCES, "exec: \"/app/run\": permission denied", cause);
}

/* Owner, group and others as in path_resolution(7); capabilities pass directories, not x bits. */
static void test_rights_by_class(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	struct err err;
	setup(&t);
	struct explain_who who = almighty;
	tmpdir_mkdir(&t, "app", 0700);
	tmpdir_write(&t, "app/run", 0700, "#!/bin/good\n");
	tmpdir_write(&t, "app/text", 0600, "#!/bin/good\n");
	who.uid = 54321;
	assert_int_equal(explain_find(TREE(t.fd), "/app/run", NULL, &who, &err), 0);
	assert_int_equal(explain_find(TREE(t.fd), "/app/text", NULL, &who, &err), -EACCES);
	who.caps = 0;
	assert_int_equal(explain_find(TREE(t.fd), "/app/run", NULL, &who, &err), -EACCES);
	who.uid = getuid();
	assert_int_equal(explain_find(TREE(t.fd), "/app/run", NULL, &who, &err), 0);
	tmpdir_chmod(&t, "app", 0077); /* the owner's class decides, even if it has less */
	assert_int_equal(explain_find(TREE(t.fd), "/app/run", NULL, &who, &err), -EACCES);
	tmpdir_chmod(&t, "app", 0710);
	tmpdir_chmod(&t, "app/run", 0710);
	gid_t groups[] = { 1234567, getgid() };
	who = (struct explain_who) { .uid = 54321, .gid = 54321, .groups = groups, .groups_n = 2 };
	assert_int_equal(explain_find(TREE(t.fd), "/app/run", NULL, &who, &err), 0);
	who.groups_n = 1;
	assert_int_equal(explain_find(TREE(t.fd), "/app/run", NULL, &who, &err), -EACCES);
}

static void test_scripts(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	setup(&t);
	tmpdir_write(&t, "ok.sh", 0755, "#! /bin/good -x\necho\n");
	tmpdir_write(&t, "bash.sh", 0755, "#!/bin/bash\necho\n");
	tmpdir_write(&t, "crlf.sh", 0755, "#!/bin/good\r\necho\r\n");
	tmpdir_write(&t, "none.sh", 0755, "echo hello\n");
	tmpdir_write(&t, "blank.sh", 0755, "#! \necho\n");
	tmpdir_write(&t, "bom.sh", 0755, "\xef\xbb\xbf#!/bin/good\n");
	tmpdir_write(&t, "empty", 0755, "");
	tmpdir_write(&t, "short", 0755, "#!/bin/good");
	tmpdir_write(&t, "text", 0644, "");
	tmpdir_write(&t, "textual.sh", 0755, "#!/text\n");
	tmpdir_write(&t, "nested.sh", 0755, "#!/none.sh\n");
	struct err err;
	assert_int_equal(explain_find(TREE(t.fd), "/ok.sh", NULL, &nobody, &err), 0);
	assert_int_equal(explain_find(TREE(t.fd), "/short", NULL, &nobody, &err), 0);
	assert_exec(
		&t, "/bash.sh", ENOENT, "exec /bash.sh: no such file or directory",
		"the file exists; its interpreter \"/bin/bash\" (first line) is not in the root "
		"filesystem");
	assert_exec(&t, "/crlf.sh", ENOENT, "exec /crlf.sh: no such file or directory",
		    "'/crlf.sh': its first line ends with CR: the file has Windows line endings");
	assert_exec(&t, "/none.sh", ENOEXEC, "exec /none.sh: exec format error",
		    "'/none.sh' has no #! line and is not an ELF program");
	assert_exec(&t, "/blank.sh", ENOEXEC, "exec /blank.sh: exec format error",
		    "'/blank.sh' names no interpreter behind #!");
	assert_exec(&t, "/bom.sh", ENOEXEC, "exec /bom.sh: exec format error",
		    "'/bom.sh' starts with a byte order mark; #! must be its first two bytes");
	assert_exec(&t, "/empty", ENOEXEC, "exec /empty: exec format error", "'/empty' is empty");
	assert_exec(&t, "/nested.sh", ENOEXEC, "exec /nested.sh: exec format error",
		    "the file exists; its interpreter \"/none.sh\" (first line) has no #! line and "
		    "is not an ELF program");
	/* Right at lookup, wrong behind it: the other one of runc's forms. */
	assert_int_equal(explain_exec(TREE(t.fd), "/textual.sh", &nobody, EACCES, &err), -EACCES);
	assert_string_equal(err.message, "exec /textual.sh");
	assert_non_null(strstr(err.cause, "\"/text\" (first line) has mode 0644"));
}

static void test_script_edges(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	char line[400];
	setup(&t);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "#!/", 3);
	tmpdir_write(&t, "long.sh", 0755, line);
	memcpy(line, "#!/bin/good ", 12);
	tmpdir_write(&t, "argument.sh", 0755, line);
	tmpdir_write(&t, "self.sh", 0755, "#!/self.sh\n");
	tmpdir_write(&t, "cr.sh", 0755, "#!\r\n");
	struct err err;
	assert_exec(&t, "/long.sh", ENOEXEC, "exec /long.sh: exec format error",
		    "'/long.sh' names an interpreter of more than 250 bytes behind #!");
	assert_int_equal(explain_find(TREE(t.fd), "/argument.sh", NULL, &nobody, &err), 0);
	assert_exec(&t, "/self.sh", ELOOP, "exec /self.sh: too many levels of symbolic links",
		    "the file exists; its interpreter \"/self.sh\" (first line): scripts are the "
		    "interpreters of scripts");
	assert_exec(&t, "/cr.sh", ENOENT, "exec /cr.sh: no such file or directory",
		    "'/cr.sh': its first line ends with CR: the file has Windows line endings");
}

static void test_loader(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	struct elf64 e = make_elf(own_machine(), "/lib64/ld-linux-x86-64.so.2");
	struct err err;
	setup(&t);
	tmpdir_write_bytes(&t, "app", &e, sizeof(e));
	assert_exec(&t, "/app", ENOENT, "exec /app: no such file or directory",
		    "'/app' needs the loader /lib64/ld-linux-x86-64.so.2 (glibc), not in this root "
		    "filesystem");
	tmpdir_write(&t, "lib/ld-musl-x86_64.so.1", 0755, "");
	assert_exec(&t, "/app", ENOENT, "exec /app: no such file or directory",
		    "'/app' needs the loader /lib64/ld-linux-x86-64.so.2 (glibc), not in this root "
		    "filesystem (found /lib/ld-musl-x86_64.so.1)");
	tmpdir_write(&t, "app.sh", 0755, "#!/app\n");
	assert_exec(&t, "/app.sh", ENOENT, "exec /app.sh: no such file or directory",
		    "the file exists; its interpreter \"/app\" (first line) needs the loader "
		    "/lib64/ld-linux-x86-64.so.2 (glibc), not in this root filesystem "
		    "(found /lib/ld-musl-x86_64.so.1)");
	tmpdir_mkdir(&t, "lib64", 0755);
	tmpdir_write(&t, "lib64/ld-linux-x86-64.so.2", 0755, "");
	assert_int_equal(explain_find(TREE(t.fd), "/app", NULL, &nobody, &err), 0);
	tmpdir_chmod(&t, "lib64/ld-linux-x86-64.so.2", 0644);
	assert_int_equal(explain_find(TREE(t.fd), "/app", NULL, &nobody, &err), -EACCES);
	assert_string_equal(err.message, "exec /app");
	assert_non_null(strstr(err.cause, "which has mode 0644"));
}

static void test_machines(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	char cause[256];
	uint16_t other = own_machine() == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
	struct elf64 e = make_elf(other, NULL);
	setup(&t);
	tmpdir_write_bytes(&t, "foreign", &e, sizeof(e));
	e.header.e_machine = 0x4242;
	tmpdir_write_bytes(&t, "unknown", &e, sizeof(e));
	e = make_elf(own_machine(), NULL);
	e.header.e_type = ET_REL;
	tmpdir_write_bytes(&t, "object.o", &e, sizeof(e));
	tmpdir_write_bytes(&t, "cut", &e, 40);
	snprintf(cause, sizeof(cause), "'/foreign' is an %s program, this machine is %s",
		 other == EM_AARCH64 ? "aarch64" : "x86_64", program_own_machine());
	assert_exec(&t, "/foreign", ENOEXEC, "exec /foreign: exec format error", cause);
	snprintf(cause, sizeof(cause),
		 "'/unknown' is a program for another machine (%u), this one "
		 "is %s",
		 0x4242, program_own_machine());
	assert_exec(&t, "/unknown", ENOEXEC, "exec /unknown: exec format error", cause);
	assert_exec(&t, "/object.o", ENOEXEC, "exec /object.o: exec format error",
		    "'/object.o' is an ELF object file, not a program");
	assert_exec(&t, "/cut", ENOEXEC, "exec /cut: exec format error",
		    "'/cut' ends inside its ELF header");
}

/* A big-endian 64-bit program and a native 32-bit one, as far as their headers go. */
static void test_machine_names(void **state)
{
	(void)state;
	struct program p;
	unsigned char s390x[sizeof(Elf64_Ehdr)] = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2MSB };
	s390x[17] = ET_EXEC;
	s390x[19] = EM_S390;
	s390x[55] = sizeof(Elf64_Phdr);
	program_parse(s390x, sizeof(s390x), &p);
	assert_null(p.flaw);
	assert_string_equal(program_machine_name(&p), "s390x");
	assert_int_equal(program_fit(&p), PROGRAM_FOREIGN);

	unsigned char i386[sizeof(Elf32_Ehdr)] = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB };
	i386[16] = ET_EXEC;
	i386[18] = EM_386;
	i386[42] = sizeof(Elf32_Phdr);
	program_parse(i386, sizeof(i386), &p);
	assert_null(p.flaw);
	assert_string_equal(program_machine_name(&p), "i386");
	assert_int_equal(program_fit(&p),
			 own_machine() == EM_X86_64 ? PROGRAM_COMPAT : PROGRAM_FOREIGN);
}

/* Headers that lie must not make anybody read outside of the file. */
static void test_hostile_headers(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	struct err err;
	struct elf64 e = make_elf(own_machine(), "/lib/x");
	setup(&t);
	e.interp.p_filesz = UINT64_MAX;
	tmpdir_write_bytes(&t, "size", &e, sizeof(e));
	e.interp.p_filesz = 6;
	e.interp.p_offset = UINT64_MAX - 3;
	tmpdir_write_bytes(&t, "offset", &e, sizeof(e));
	e.header.e_phoff = UINT64_MAX - 8;
	tmpdir_write_bytes(&t, "phoff", &e, sizeof(e));
	e.header.e_phoff = 64;
	e.header.e_phnum = UINT16_MAX;
	e.interp.p_type = PT_NULL;
	tmpdir_write_bytes(&t, "phnum", &e, sizeof(e));
	e.header.e_phentsize = 1;
	tmpdir_write_bytes(&t, "phentsize", &e, sizeof(e));
	assert_int_equal(explain_find(TREE(t.fd), "/size", NULL, &nobody, &err), 0);
	assert_int_equal(explain_find(TREE(t.fd), "/offset", NULL, &nobody, &err), 0);
	assert_int_equal(explain_find(TREE(t.fd), "/phoff", NULL, &nobody, &err), 0);
	assert_int_equal(explain_find(TREE(t.fd), "/phnum", NULL, &nobody, &err), 0);
	assert_int_equal(explain_find(TREE(t.fd), "/phentsize", NULL, &nobody, &err), -ENOEXEC);
}

static void test_find(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	struct err err;
	char cause[256];
	setup(&t);
	tmpdir_mkdir(&t, "sbin", 0755);
	tmpdir_mkdir(&t, "sbin/dir", 0755);
	tmpdir_write(&t, "bin/second", 0644, "");
	tmpdir_write(&t, "sbin/second", 0755, "#!/bin/good\n");
	tmpdir_write(&t, "bin/plain", 0644, "");
	tmpdir_write(&t, "bin/broken", 0755, "#!/bin/bash\n");
	tmpdir_write(&t, "sbin/broken", 0755, "#!/bin/good\n");
	tmpdir_write(&t, "work/here", 0755, "#!/bin/good\n");
	assert_int_equal(explain_find(TREE(t.fd), "good", "/bin:/sbin", &nobody, &err), 0);
	assert_int_equal(explain_find(TREE(t.fd), "good", NULL, &nobody, &err), 0);
	assert_int_equal(explain_find(TREE(t.fd), "second", "/bin:/sbin", &nobody, &err), 0);
	assert_int_equal(explain_find(TREE(t.fd), "here", "/bin:", &nobody, &err), 0);
	assert_int_equal(explain_find(TREE(t.fd), "./here", "/bin", &nobody, &err), 0);
	assert_find(&t, "nope", ENOENT, "exec: \"nope\": executable file not found in $PATH",
		    "PATH is /bin:/sbin");
	assert_find(&t, "dir", EACCES, "exec: \"dir\": permission denied",
		    "'/sbin/dir' is a directory");
	snprintf(cause, sizeof(cause),
		 "'/bin/plain' has mode 0644, owner %u:%u: uid 54321 may not execute it", getuid(),
		 getgid());
	assert_find(&t, "plain", EACCES, "exec: \"plain\": permission denied", cause);
	assert_find(
		&t, "broken", ENOENT, "exec /bin/broken: no such file or directory",
		"the file exists; its interpreter \"/bin/bash\" (first line) is not in the root "
		"filesystem");
}

/* What the file does not explain keeps the kernel's errno, without a guess. */
static void test_nothing_found(void **state)
{
	(void)state;
	_cleanup_tmpdir_ struct tmpdir t;
	setup(&t);
	assert_exec(&t, "/bin/good", EACCES, "exec: \"/bin/good\": permission denied", "");
	assert_exec(&t, "/bin/good", ENOENT, "exec /bin/good: no such file or directory", "");
	assert_exec(&t, "/bin/good", ENOMEM, "exec /bin/good: cannot allocate memory", "");
	assert_exec(&t, "/bin/good", ETXTBSY, "exec /bin/good: text file busy",
		    "the file is open for writing");
	tmpdir_write(&t, "none.sh", 0755, "echo\n");
	assert_exec(&t, "/none.sh", ENOMEM, "exec /none.sh: cannot allocate memory", "");
	assert_int_equal(mkfifoat(t.fd, "fifo", 0777), 0);
	tmpdir_chmod(&t, "fifo", 0777);
	assert_exec(&t, "/fifo", EACCES, "exec: \"/fifo\": permission denied",
		    "'/fifo' is not a regular file");
}

/* ---- the kernel's own answer ---- */

#define NOT_ALLOWED 77 /* the test's user may not change root, user or mounts */

/* In a child: foretells the errno of execve, then does it below the root as another user. */
static int foretell_and_exec(const char *top, const char *path)
{
	struct err err;
	char *const argv[] = { (char *)"x", NULL }, *const env[] = { NULL };
	struct explain_who who = { .uid = 54321, .gid = 54321, .cwd = "/" };
	_cleanup_close_ int root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int foretold = -explain_find(TREE(root), path, NULL, &who, &err);
	if (chroot(top) < 0 || chdir("/") < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(54321, 54321, 54321) < 0 || setresuid(54321, 54321, 54321) < 0)
		return NOT_ALLOWED;
	execve(path, argv, env);
	if (errno == foretold)
		return 0;
	print_error("%s: foretold %s, the kernel says %s\n", path, err_name(foretold),
		    err_name(errno));
	return 1;
}

static int mount_noexec(const char *top)
{
	char dir[128], file[160];
	snprintf(dir, sizeof(dir), "%s/noexec", top);
	snprintf(file, sizeof(file), "%s/run.sh", dir);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", MS_NOEXEC, "mode=755") < 0)
		return -1;
	_cleanup_close_ int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	return fchmod(fd, 0755);
}

static void prepare_refused_programs(struct tmpdir *t)
{
	struct elf64 e = make_elf(own_machine(), "/lib/ld-none.so");
	tmpdir_write_bytes(t, "no-loader", &e, sizeof(e));
	tmpdir_write_bytes(t, "cut", &e, 40);
	tmpdir_mkdir(t, "noexec", 0755);
	tmpdir_mkdir(t, "closed", 0700);
	tmpdir_write(t, "closed/run", 0755, "");
	tmpdir_write(t, "text", 0644, "");
	tmpdir_write(t, "empty", 0755, "");
	tmpdir_write(t, "none.sh", 0755, "echo\n");
	tmpdir_write(t, "blank.sh", 0755, "#! \n");
	tmpdir_write(t, "crlf.sh", 0755, "#!/bin/good\r\n");
	tmpdir_write(t, "cr.sh", 0755, "#!\r\n");
	tmpdir_write(t, "bash.sh", 0755, "#!/bin/bash\n");
	tmpdir_write(t, "text.sh", 0755, "#!/text\n");
	tmpdir_write(t, "dir.sh", 0755, "#!/bin\n");
	tmpdir_write(t, "closed.sh", 0755, "#!/closed/run\n");
	tmpdir_write(t, "loader.sh", 0755, "#!/no-loader\n");
	tmpdir_write(t, "self.sh", 0755, "#!/self.sh\n");
	tmpdir_symlink(t, "/gone", "dangling");
	tmpdir_symlink(t, "loop", "loop");
}

/* For each flaw execve fails with the very errno that the examination foretells. */
static void test_kernel_agrees(void **state)
{
	(void)state;
	static const char *const refused[] = {
		"/missing",  "/missing/x",  "/text/x",        "/dangling", "/loop",
		"/bin",      "/closed/run", "/text",          "/empty",    "/none.sh",
		"/blank.sh", "/crlf.sh",    "/cr.sh",         "/bash.sh",  "/text.sh",
		"/dir.sh",   "/closed.sh",  "/loader.sh",     "/self.sh",  "/no-loader",
		"/foreign",  "/cut",        "/noexec/run.sh",
	};
	_cleanup_tmpdir_ struct tmpdir t;
	bool skipped = false;
	setup(&t);
	prepare_refused_programs(&t);
	for (size_t i = 0; i < ARRAY_SIZE(refused) && !skipped; i++) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(mount_noexec(t.path) < 0 ? NOT_ALLOWED
						       : foretell_and_exec(t.path, refused[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		skipped = WEXITSTATUS(status) == NOT_ALLOWED;
		if (!skipped)
			assert_int_equal(WEXITSTATUS(status), 0);
	}
	if (!skipped)
		return;
	print_message("skipped: this user may not change root, user and mounts\n");
	tmpdir_done(&t);
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing),         cmocka_unit_test(test_rights),
		cmocka_unit_test(test_rights_by_class), cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_script_edges),    cmocka_unit_test(test_loader),
		cmocka_unit_test(test_machines),        cmocka_unit_test(test_machine_names),
		cmocka_unit_test(test_hostile_headers), cmocka_unit_test(test_find),
		cmocka_unit_test(test_nothing_found),   cmocka_unit_test(test_kernel_agrees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
