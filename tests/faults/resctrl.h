/* A tree of plain files as the kernel's resctrl, for inject.c. */
#ifndef HULL_TESTS_RESCTRL_H
#define HULL_TESTS_RESCTRL_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/user.h>

extern const char *resctrl_tree; /* NULL: none */
extern const char *resctrl_kept; /* the directory for what was in files that went */

bool resctrl_is_wanted(void);

/* At a stop of a task that is about to make a call, and of one that has made it. */
void resctrl_call_begins(pid_t tid, const struct user_regs_struct *regs);
void resctrl_call_ends(pid_t tid, const struct user_regs_struct *regs);

#endif
