/* What the files of an examination (inquiry.h) share. */
#ifndef HULL_EXPLAIN_INQUIRY_PARTS_H
#define HULL_EXPLAIN_INQUIRY_PARTS_H

#include <stdio.h>

#include "explain/inquiry.h"
#include "explain/program.h"

struct stat;

struct inquiry {
	const struct explain_tree *tree;
	const struct explain_who *who;
	int code;
	unsigned depth;
	enum inquiry_stage stage;
	struct finding *found;
};

/* Records what stops an execve, as a text; returns the code. And what could be done about it. */
_printf_(3, 4) int inquiry_conclude(struct inquiry *q, int code, const char *fmt, ...);
void inquiry_advise(struct inquiry *q, const char *hint);

/* Is it a regular file, with the right to be executed, on a mount that allows it? 0: it is. */
int inquiry_check_kind(struct inquiry *q, const char *subject, const struct stat *st);
int inquiry_check_rights(struct inquiry *q, const char *subject, const struct stat *st);
int inquiry_check_mount(struct inquiry *q, const char *subject, const char *path, int fd);

/* inquiry_elf.c: the loader that it names; whether this machine can run it. */
int inquiry_check_loader(struct inquiry *q, const char *subject, const char *loader);
int inquiry_check_machine(struct inquiry *q, const char *subject, const struct program *p);

#endif
