/*
 * Inside of death*.c: the parts of the examination, in the order in which they are made. All fill
 * s->exit, and none can fail.
 */
#ifndef HULL_START_DEATH_PARTS_H
#define HULL_START_DEATH_PARTS_H

#include "explain/kmsg.h"
#include "start/death.h"

/* Only for a container that did not exit with status 0. */
void death_examine_memory(struct start *s);
void death_examine_seccomp(struct start *s);

/* Which system call did a start make that its own filter forbids? */
void death_explain_filter(struct start *s, struct err *failure);

/* Was a start killed because it had too little memory? */
void death_explain_failure(struct start *s, const struct start_result *result, struct err *failure);

/* What the kernel log knows of this container; all of it open when it cannot be read.
 * `kills`: how many there were in the container's cgroup since it began; 0: not known. */
void death_ask_about_memory(const struct start *s, uint64_t kills, struct kmsg_inquiry *ret);

/* The place in config.json that the end goes back to. */
void death_point_at(struct start *s, uint32_t at);

#endif
