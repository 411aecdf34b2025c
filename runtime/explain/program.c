/*
 * Scripts and ELF files by their first bytes: see the header. Pure functions that trust nothing
 * they read: the file belongs to the image.
 */
#include "explain/program.h"

#include <elf.h>
#include <string.h>

#include "base/defer.h"

#if defined(__x86_64__)
#define OWN_MACHINE    EM_X86_64
#define OWN_MACHINE_32 EM_386
#elif defined(__aarch64__)
#define OWN_MACHINE    EM_AARCH64
#define OWN_MACHINE_32 EM_ARM
#elif defined(__riscv)
#define OWN_MACHINE    EM_RISCV
#define OWN_MACHINE_32 EM_RISCV
#elif defined(__powerpc64__)
#define OWN_MACHINE    EM_PPC64
#define OWN_MACHINE_32 EM_PPC
#elif defined(__s390x__)
#define OWN_MACHINE    EM_S390
#define OWN_MACHINE_32 EM_S390
#else
#error "add this machine here and to machine_names"
#endif
#define OWN_BIG_ENDIAN (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

/* By machine, then by width and order of bytes where one number stands for several. */
static const struct machine_name {
	uint16_t machine;
	bool is_32bit, is_big_endian;
	const char *name;
} machine_names[] = {
	{ EM_X86_64, false, false, "x86_64" },
	{ EM_X86_64, true, false, "x32" },
	{ EM_386, true, false, "i386" },
	{ EM_AARCH64, false, false, "aarch64" },
	{ EM_AARCH64, false, true, "aarch64_be" },
	{ EM_ARM, true, false, "arm" },
	{ EM_ARM, true, true, "armeb" },
	{ EM_RISCV, false, false, "riscv64" },
	{ EM_RISCV, true, false, "riscv32" },
	{ EM_PPC64, false, false, "ppc64le" },
	{ EM_PPC64, false, true, "ppc64" },
	{ EM_PPC, true, true, "ppc" },
	{ EM_S390, false, true, "s390x" },
	{ EM_S390, true, true, "s390" },
	{ EM_MIPS, false, false, "mips64el" },
	{ EM_MIPS, false, true, "mips64" },
	{ EM_MIPS, true, false, "mipsel" },
	{ EM_MIPS, true, true, "mips" },
	{ EM_SPARCV9, false, true, "sparc64" },
	{ EM_LOONGARCH, false, false, "loongarch64" },
	{ EM_68K, true, true, "m68k" },
	{ EM_PARISC, true, true, "hppa" },
};

/* ---- scripts ---- */

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static void parse_script(const unsigned char *head, size_t size, struct program *p)
{
	size_t limit = size < PROGRAM_LINE_MAX ? size : PROGRAM_LINE_MAX;
	const unsigned char *newline = memchr(head, '\n', limit);
	size_t end = newline ? (size_t)(newline - head) : limit;
	size_t start = 2;

	p->kind = PROGRAM_SCRIPT;
	while (start < end && is_blank(head[start]))
		start++;
	size_t stop = start;
	while (stop < end && !is_blank(head[stop]) && head[stop])
		stop++;
	if (stop == start) {
		p->flaw = "names no interpreter behind #!";
		return;
	}
	if (!newline && size > limit && stop == end) {
		p->flaw = "names an interpreter of more than 250 bytes behind #!";
		return;
	}
	p->has_interpreter = true;
	p->interp_offset = start;
	p->interp_size = stop - start;
	p->crlf = head[stop - 1] == '\r';
}

/* ---- ELF ---- */

/* An unsigned number of n bytes in the file's own order. */
static uint64_t get(const struct program *p, const unsigned char *at, size_t n)
{
	uint64_t value = 0;
	for (size_t i = 0; i < n; i++)
		value = value << 8 | at[p->is_big_endian ? i : n - 1 - i];
	return value;
}

#define GET(p, base, type, field) \
	get((p), (base) + offsetof(type, field), sizeof(((const type *)NULL)->field))
/* A field that both widths have, at different places. */
#define GET_EITHER(p, base, name, field)                       \
	((p)->is_32bit ? GET((p), (base), Elf32_##name, field) \
		       : GET((p), (base), Elf64_##name, field))

/* Looks for the loader among the program headers, as far as they stand in the head. */
static void find_loader(const unsigned char *head, size_t size, struct program *p)
{
	uint64_t offset = GET_EITHER(p, head, Ehdr, e_phoff);
	uint64_t entry = GET_EITHER(p, head, Ehdr, e_phentsize);
	uint64_t count = GET_EITHER(p, head, Ehdr, e_phnum);
	if (entry != (p->is_32bit ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr))) {
		p->flaw = "has a damaged ELF header";
		return;
	}
	for (; count > 0; count--, offset += entry) {
		if (offset > size || entry > size - offset)
			return;
		const unsigned char *ph = head + offset;
		if (GET_EITHER(p, ph, Phdr, p_type) != PT_INTERP)
			continue;
		p->has_interpreter = true;
		p->interp_offset = GET_EITHER(p, ph, Phdr, p_offset);
		p->interp_size = GET_EITHER(p, ph, Phdr, p_filesz);
		return;
	}
}

static void parse_elf(const unsigned char *head, size_t size, struct program *p)
{
	p->kind = PROGRAM_ELF;
	if (size < sizeof(Elf32_Ehdr)) {
		p->flaw = "ends inside its ELF header";
		return;
	}
	p->is_32bit = head[EI_CLASS] == ELFCLASS32;
	p->is_big_endian = head[EI_DATA] == ELFDATA2MSB;
	if (!p->is_32bit && size < sizeof(Elf64_Ehdr)) {
		p->flaw = "ends inside its ELF header";
		return;
	}
	p->machine = (uint16_t)GET_EITHER(p, head, Ehdr, e_machine);
	uint64_t type = GET_EITHER(p, head, Ehdr, e_type);
	if (type == ET_EXEC || type == ET_DYN)
		find_loader(head, size, p);
	else
		p->flaw = "is an ELF object file, not a program";
}

void program_parse(const unsigned char *head, size_t size, struct program *ret)
{
	static const unsigned char order_mark[] = { 0xef, 0xbb, 0xbf, '#', '!' };

	*ret = (struct program) { .kind = PROGRAM_OTHER };
	if (size >= 2 && memcmp(head, "#!", 2) == 0)
		parse_script(head, size, ret);
	else if (size >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		parse_elf(head, size, ret);
	else if (size == 0)
		ret->flaw = "is empty";
	else if (size >= sizeof(order_mark) && memcmp(head, order_mark, sizeof(order_mark)) == 0)
		ret->flaw = "starts with a byte order mark; #! must be its first two bytes";
	else
		ret->flaw = "has no #! line and is not an ELF program";
}

enum program_machine_fit program_fit(const struct program *p)
{
	bool own_32bit = sizeof(void *) == 4;
	if (p->is_big_endian != OWN_BIG_ENDIAN)
		return PROGRAM_FOREIGN;
	if (p->machine == OWN_MACHINE && p->is_32bit == own_32bit)
		return PROGRAM_NATIVE;
	if (p->is_32bit && (p->machine == OWN_MACHINE || p->machine == OWN_MACHINE_32))
		return PROGRAM_COMPAT;
	return PROGRAM_FOREIGN;
}

const char *program_machine_name(const struct program *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(machine_names); i++) {
		const struct machine_name *m = &machine_names[i];
		if (m->machine == p->machine && m->is_32bit == p->is_32bit &&
		    m->is_big_endian == p->is_big_endian)
			return m->name;
	}
	return NULL;
}

const char *program_own_machine(void)
{
	const struct program own = { .machine = OWN_MACHINE,
				     .is_32bit = sizeof(void *) == 4,
				     .is_big_endian = OWN_BIG_ENDIAN };
	return program_machine_name(&own);
}
