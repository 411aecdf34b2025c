/*
 * What the first bytes of a file say about it as a program, as the kernel's loaders of scripts
 * and ELF files (fs/binfmt_script.c, fs/binfmt_elf.c) would read them. Pure.
 */
#ifndef HULL_EXPLAIN_PROGRAM_H
#define HULL_EXPLAIN_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum program_kind {
	PROGRAM_SCRIPT,
	PROGRAM_ELF,
	PROGRAM_OTHER,
};

struct program {
	enum program_kind kind;
	const char *flaw;       /* why every kernel refuses it, "is empty"; or NULL */
	bool has_interpreter;   /* a script's #! line, or the loader of an ELF program */
	uint64_t interp_offset; /* where its name stands in the file */
	uint64_t interp_size;
	bool crlf; /* the #! line ends with CR: it belongs to the interpreter's name */
	uint16_t machine;
	bool is_32bit;
	bool is_big_endian;
};

/* How much of a file is looked at; of a #! line the kernel reads PROGRAM_LINE_MAX bytes. */
#define PROGRAM_HEAD_SIZE 4096
#define PROGRAM_LINE_MAX  256

/* `size` is the number of bytes read: less than PROGRAM_HEAD_SIZE only for a shorter file. */
void program_parse(const unsigned char *head, size_t size, struct program *ret);

enum program_machine_fit {
	PROGRAM_NATIVE,  /* hull's own kind of program */
	PROGRAM_COMPAT,  /* the 32-bit kind, which kernels may be built without */
	PROGRAM_FOREIGN, /* another machine's */
};
enum program_machine_fit program_fit(const struct program *p);

/* "aarch64"; NULL for a machine that the table does not know. */
const char *program_machine_name(const struct program *p);

/* The name of the machine that hull was built for. */
const char *program_own_machine(void);

#endif
