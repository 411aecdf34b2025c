/*
 * Planning one more process of a container that is there, for `hull exec`: the chapter beside
 * plan.h, whose plan it makes.
 */
#ifndef HULL_PLAN_EXEC_H
#define HULL_PLAN_EXEC_H

#include "plan/plan.h"

/* What is known of a container that is there; facts, like those of struct host. */
struct plan_container {
	const char *id;
	const char *bundle;        /* absolute; of which nothing is taken */
	const struct spec *config; /* what it was started with */
	uint64_t ns_flags;         /* CLONE_NEW*: where its first process is and hull is not */
	bool denies_setgroups;     /* nobody may set groups in its user namespace */
};

enum plan_choice { PLAN_AS_IS, PLAN_YES, PLAN_NO };

/* What the command line of exec says. */
struct plan_exec_options {
	unsigned flags;                       /* PLAN_DETACH */
	const struct spec_process_file *file; /* --process; NULL: config.json's, with args */
	const char *const *args;              /* without a file */
	const char *const *env, *const *caps; /* one more each; NAME=VALUE, CAP_NAME */
	size_t args_n, env_n, caps_n;
	const uint32_t *gids;
	size_t gids_n;
	const char *cwd, *apparmor, *label; /* or NULL */
	bool has_tty, has_uid, has_gid;
	uint32_t uid, gid;
	enum plan_choice no_new_privs;
	const char *console_socket;
	unsigned preserve_fds;
};

/* Options of exec that an error or a warning may be about: JSON_OPTIONS + n is their place. */
enum plan_exec_option {
	PLAN_EXEC_USER,
	PLAN_EXEC_GIDS,
	PLAN_EXEC_CWD,
	PLAN_EXEC_CAP,
	PLAN_EXEC_APPARMOR,
	PLAN_EXEC_LABEL,
	PLAN_EXEC_TTY,
	PLAN_EXEC_OPTIONS,
};
/* "--user": for the `options` of a document. */
extern const char *const plan_exec_option_names[PLAN_EXEC_OPTIONS];

/*
 * Makes the plan for one more process of a container: its process part is filled, and nothing is
 * built. What the process file leaves open is as config.json has it. The plan's spec is a new one,
 * in the arena, whose places belong to its `doc`, the process file's or config.json's.
 */
_must_check_ int plan_make_exec(const struct plan_container *container,
				const struct plan_exec_options *options, const struct host *host,
				struct arena *arena, struct plan *ret,
				struct spec_problems *problems, struct err *err);

#endif
