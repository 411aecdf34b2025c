/*
 * Parent: a seccomp profile that forbids execve, under which no program can be started. It is read
 * from the profile, before a start (foresee.c), and after one that failed with the errno that the
 * profile gives: then the program's file was never looked at. What is killed for it is found in the
 * kernel's log (death_log.c).
 */
#include <errno.h>

#include "base/str.h"
#include "seccomp/seccomp.h"
#include "start/fail.h"

static void add_cause(const struct spec *spec, const struct seccomp_event *event,
		      struct arena *arena, const char *who, struct err *err)
{
	struct seccomp_blame blame;
	seccomp_blame(&spec->linux.seccomp, event, arena, &blame);
	const struct json *action = blame.action_at ? json_find(&spec->doc, blame.action_at) : NULL;
	bool is_named = action && action->type == JSON_STRING;
	err_at(err, blame.at);
	err->path[0] = '\0'; /* it may have been the program's place */
	json_locate(&spec->doc, err);
	err_cause(err, "%s forbids %s (%d) by %s%s%s", who,
		  blame.syscall ? blame.syscall : "execve", event->number, err->path,
		  is_named ? ", " : "", is_named ? action->text : "");
}

int fail_forbidden(const struct spec *spec, struct arena *arena, struct err *err)
{
	struct seccomp_event event;
	int code;
	if (!seccomp_forbids(&spec->linux.seccomp, "execve", &event, &code))
		return 0;
	err_say(err, ERR_CONFIG, EPERM, "the seccomp profile does not allow the start");
	err_hint(err, "it must allow execve and the program's own system calls");
	add_cause(spec, &event, arena, "it", err);
	return -EPERM;
}

bool forbid_explain(const struct spec *spec, struct arena *arena, struct err *err)
{
	struct seccomp_event event;
	int code;
	if (!seccomp_forbids(&spec->linux.seccomp, "execve", &event, &code) || code == 0)
		return false;
	/* The kernel has an execve: it is the profile that takes it for a call of a newer one. */
	if (err->code != code && err->code != ENOSYS)
		return false;
	add_cause(spec, &event, arena, "the seccomp profile", err);
	err_hint(err, "the profile must allow execve and the program's own system calls");
	return true;
}
