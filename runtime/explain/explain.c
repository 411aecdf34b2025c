/*
 * The errors of a program that cannot be executed: runc's wording in front, what the examination
 * found behind. Runs in the parent or in `hull check`, never in the child.
 */
#include "explain/explain.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "explain/inquiry.h"
#include "explain/lookup.h"

/* Errnos that no file explains. */
static const struct {
	int code;
	const char *cause;
} plain_causes[] = {
	{ ETXTBSY, "the file is open for writing" },
	{ E2BIG, "the arguments and the environment together are larger than the kernel allows" },
	{ ENAMETOOLONG, "the name is longer than the kernel allows" },
};

static void add_finding(const struct finding *f, int code, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain_causes); i++)
		if (plain_causes[i].code == code)
			err_cause(err, "%s", plain_causes[i].cause);
	if (f->code != code)
		return; /* something is wrong there as well, but it is not what stopped execve */
	if (f->cause[0])
		err_cause(err, "%s", f->cause);
	if (f->hint[0])
		err_hint(err, "%s", f->hint);
}

/*
 * runc's three forms: of its search of PATH, of its look at the file before, and of execve. The
 * middle one stands where the file cannot be reached or has no right to be executed.
 */
static int raise_found(const char *path, int code, const struct finding *f, struct err *err)
{
	bool at_lookup = f->code == code && f->stage == INQUIRY_LOOKUP;
	if (code == EACCES && (at_lookup || f->code != code))
		err_sys(err, code, "exec: \"%s\"", path);
	else if (at_lookup)
		err_sys(err, code, "exec: \"%s\": stat %s", path, path);
	else
		err_sys(err, code, "exec %s", path);
	add_finding(f, code, err);
	if (at_lookup && code == ENOENT)
		(void)plan_hint_split(path, " ", err);
	if (err)
		err->flags |= ERR_ABOUT_PROGRAM;
	return -code;
}

static int raise_not_in_path(const char *name, int code, struct err *err)
{
	if (code == EACCES)
		err_sys(err, code, "exec: \"%s\"", name);
	else
		err_say(err, ERR_NOT_FOUND, code,
			"exec: \"%s\": executable file not found in $PATH", name);
	(void)plan_hint_split(name, " ", err);
	if (err)
		err->flags |= ERR_ABOUT_PROGRAM;
	return -code;
}

struct explain_who explain_who_of(const struct plan_process *process)
{
	return (struct explain_who) {
		.uid = process->uid,
		.gid = process->gid,
		.groups = process->groups,
		.groups_n = process->groups_n,
		.caps = process->caps[PLAN_CAP_EFFECTIVE],
		.cwd = process->cwd,
	};
}

int explain_exec(const struct explain_tree *tree, const char *path, const struct explain_who *who,
		 int code, struct err *err)
{
	struct finding f;
	if (!strchr(path, '/') && (code == ENOENT || code == EACCES))
		return raise_not_in_path(path, code, err);
	inquiry_run(tree, path, who, code, &f);
	return raise_found(path, code, &f, err);
}

/* A candidate that the search passes over, remembered as execvp() does. */
static bool is_passed_over(const struct finding *f, int *remembered)
{
	if (f->code == 0 || f->stage != INQUIRY_LOOKUP || !exec_tries_next(f->code))
		return false;
	if (f->code == EACCES)
		*remembered = EACCES;
	return true;
}

int explain_find(const struct explain_tree *tree, const char *arg0, const char *path_env,
		 const struct explain_who *who, struct err *err)
{
	char candidate[PATH_MAX];
	size_t state = 0;
	struct finding f, first_refusal = { 0 };
	int remembered = ENOENT, r;

	if (strchr(arg0, '/')) {
		inquiry_run(tree, arg0, who, 0, &f);
		return f.code ? raise_found(arg0, f.code, &f, err) : 0;
	}
	while ((r = exec_candidate(arg0, path_env, &state, candidate, sizeof(candidate))) != 0) {
		if (r < 0)
			continue;
		inquiry_run(tree, candidate, who, 0, &f);
		if (!is_passed_over(&f, &remembered))
			return f.code ? raise_found(candidate, f.code, &f, err) : 0;
		if (f.code == EACCES && first_refusal.code == 0)
			first_refusal = f;
	}
	raise_not_in_path(arg0, remembered, err);
	if (remembered == EACCES)
		add_finding(&first_refusal, EACCES, err);
	else if (err)
		err_cause(err, "PATH is %s", path_env ? path_env : LOOKUP_DEFAULT_PATH);
	return -remembered;
}
