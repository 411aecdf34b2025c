/*
 * Sealing before the C library starts: the first instructions of a release of hull (ENTRY of its
 * ELF header), with the caller's privilege. They do what seal.c does first, by bare system calls:
 * execute hull from a read-only mount of its own file. The start of a C library costs more than all
 * of that, and so it is paid only once.
 *
 * Decides nothing: whatever is unusual, or fails, is left to seal_self(), which looks at what hull
 * is executed from and tells what is wrong. That there is no loop is the kernel's word: what is
 * executed by descriptor is called /dev/fd/N in its auxiliary vector, and is not executed again.
 *
 * Must not: use anything that the start of the C library provides: no relocated pointer (so no
 * table of strings), no thread pointer (no errno, no stack protector), no function of it. A test
 * looks for that in the object file.
 */
#include "seal/seal.h"

#if defined(__x86_64__) && !defined(HULL_WITHOUT_SEAL)

#include <elf.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* The kernel leaves the arguments on the stack, and in rdx nothing; _start wants to find both. */
__asm__(".pushsection .text.seal_entry, \"ax\", @progbits\n"
	".globl seal_entry\n"
	".hidden seal_entry\n"
	".type seal_entry, @function\n"
	"seal_entry:\n"
	"	endbr64\n"
	"	xorl %ebp, %ebp\n"
	"	movq %rsp, %rbx\n"
	"	movq %rdx, %r12\n"
	"	movq %rsp, %rdi\n"
	"	call seal_before_libc\n"
	"	movq %r12, %rdx\n"
	"	movq %rbx, %rsp\n"
	"	jmp _start\n"
	".size seal_entry, .-seal_entry\n"
	".popsection\n");

HIDDEN void seal_before_libc(uintptr_t *stack);

/* As the kernel takes them; the arguments that a call does not have are not looked at. */
static long call(long number, long a, const void *b, long c, const void *d, long e)
{
	register long r10 __asm__("r10") = (long)d;
	register long r8 __asm__("r8") = e;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

static bool begins_with(const char *text, const char *with)
{
	while (*with && *text == *with) {
		text++;
		with++;
	}
	return !*with;
}

static bool is_one_of(const char *word, const char *list)
{
	while (*list) {
		const char *w = word;
		for (; *list && *w == *list; list++)
			w++;
		if (!*list && !*w)
			return true;
		while (*list)
			list++;
		list++;
	}
	return false;
}

static bool names_command(char *const *argv)
{
	for (; *argv; argv++)
		if (is_one_of(*argv, SEAL_COMMANDS))
			return true;
	return false;
}

static bool has_tried(char *const *envp)
{
	for (; *envp; envp++)
		if (begins_with(*envp, SEAL_TRIED "="))
			return true;
	return false;
}

/* The second execution, or something that seal_self() must judge. */
static bool is_special(const uintptr_t *aux)
{
	for (; aux[0] != AT_NULL; aux += 2) {
		if (aux[0] == AT_SECURE && aux[1])
			return true;
		if (aux[0] == AT_EXECFN && begins_with((const char *)aux[1], "/dev/fd/"))
			return true;
	}
	return false;
}

/* argc, the arguments, NULL, the environment, NULL, the auxiliary vector. */
void seal_before_libc(uintptr_t *stack)
{
	char **argv = (char **)(stack + 1), **envp = argv + stack[0] + 1, **end = envp;
	struct mount_attr attr;

	while (*end)
		end++;
	if (stack[0] == 0 || !names_command(argv + 1) || has_tried(envp) ||
	    is_special((const uintptr_t *)(end + 1)))
		return;
	long fd = call(SYS_open_tree, AT_FDCWD, SEAL_SELF, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC,
		       NULL, 0);
	if (fd < 0)
		return;
	attr.attr_set = SEAL_ATTRIBUTES;
	attr.attr_clr = 0;
	attr.propagation = 0;
	attr.userns_fd = 0;
	if (call(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		(void)call(SYS_execveat, fd, "", (long)argv, envp, AT_EMPTY_PATH);
	(void)call(SYS_close, fd, NULL, 0, NULL, 0);
}

#endif
