/*
 * Parent or child: what is said about a hook that failed. Nothing here allocates. What the hook
 * itself has said last goes with it, as the cause: it knows best.
 */
#include "start/hook_run.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define HOOK_SAID_MAX   480 /* of its words, as many as the cause takes */
#define EXIT_NO_COMMAND 127 /* a shell's, when it does not find a program */

/* The last lines; where the first one is cut, that is marked. */
static void quote(const struct hook_tail *tail, struct err *err)
{
	const char *end = tail->text + tail->used, *from = tail->text;
	while (end > from && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	const char *nul = memrchr(from, '\0', (size_t)(end - from));
	from = nul ? nul + 1 : from;
	if (end - from > HOOK_SAID_MAX) {
		from = end - HOOK_SAID_MAX;
		const char *line = memchr(from, '\n', (size_t)(end - from));
		from = line ? line + 1 : from;
	}
	if (end == from)
		return;
	err_cause(err, "%s%.*s", from > tail->text && from[-1] != '\n' ? "..." : "",
		  (int)(end - from), from);
	err->flags |= ERR_QUOTES;
}

/* Which hook, and where it stands. */
static void locate(const struct hook_job *job, uint32_t at, struct err *err)
{
	err_at(err, at);
	err_step(err, "%s hooks, %zu of %zu", plan_hook_name(job->kind), job->index + 1,
		 job->count);
	err->flags |= ERR_ABOUT_HOOK;
	if (job->kind == PLAN_HOOK_CREATE_CONTAINER || job->kind == PLAN_HOOK_START_CONTAINER)
		err->flags |= ERR_CHILDS_HOOK;
}

static bool has_path(const struct plan_hook *hook)
{
	for (const char **env = hook->env; *env; env++)
		if (str_has_prefix(*env, "PATH="))
			return true;
	return false;
}

static void advise(const struct hook_job *job, enum hook_end end, int code, struct err *err)
{
	if (end == HOOK_TIMED_OUT)
		err_hint(err,
			 "its timeout allows no more; without one it may take as long as it likes");
	else if (end == HOOK_EXITED && code == EXIT_NO_COMMAND && !has_path(job->hook))
		err_hint(err, "it has no PATH: a hook gets exactly the variables of its own env");
	else
		err_hint(err,
			 "by hand: hull plan shows its arguments and all of its environment; the "
			 "container's state is its standard input%s",
			 job->kind == PLAN_HOOK_POSTSTOP ? ""
							 : ". Only status 0 lets a start go on");
}

int hook_say_failed(const struct hook_job *job, enum hook_end end, int code,
		    const struct hook_tail *tail, struct err *err)
{
	const char *kind = plan_hook_name(job->kind), *path = job->hook->path;
	const char *signal = end == HOOK_KILLED ? sigabbrev_np(code) : NULL;
	unsigned timeout = job->hook->timeout;
	int r = -ECANCELED;

	switch (end) {
	case HOOK_EXITED:
		r = err_say(err, ERR_HOST, ECANCELED, "the %s hook '%s' failed: exit status %d",
			    kind, path, code);
		break;
	case HOOK_KILLED:
		r = err_say(err, ERR_HOST, ECANCELED, "the %s hook '%s' was killed by SIG%s", kind,
			    path, signal ? signal : "RT");
		break;
	case HOOK_TIMED_OUT:
		r = err_say(err, ERR_HOST, ETIMEDOUT,
			    "the %s hook '%s' did not end within %u second%s and was killed", kind,
			    path, timeout, timeout == 1 ? "" : "s");
		break;
	}
	locate(job, end == HOOK_TIMED_OUT ? job->hook->timeout_at : job->hook->at, err);
	quote(tail, err);
	advise(job, end, code, err);
	return r;
}

/* ---- it could not be executed ---- */

/* The program that the first line of a script names; "" when it is no script. */
static void read_interpreter(const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	if (!str_has_prefix(buf, "#!")) {
		buf[0] = '\0';
		return;
	}
	size_t blanks = 2 + strspn(buf + 2, " \t");
	memmove(buf, buf + blanks, strlen(buf + blanks) + 1);
	buf[strcspn(buf, " \t\n")] = '\0';
}

static void explain(const char *path, int code, struct err *err)
{
	char interpreter[256];
	struct stat st;

	if (stat(path, &st) < 0)
		return; /* the errno says it */
	if (S_ISDIR(st.st_mode)) {
		err_cause(err, "it is a directory");
		return;
	}
	if (code == EACCES && !(st.st_mode & 0111)) {
		err_cause(err, "it is not executable (mode %04o)", st.st_mode & 07777);
		err_hint(err, "chmod +x '%.300s'", path);
		return;
	}
	read_interpreter(path, interpreter, sizeof(interpreter));
	if (code == ENOENT && interpreter[0])
		err_cause(err, "it exists, but the interpreter of its first line does not: '%s'",
			  interpreter);
	else if (code == ENOENT)
		err_cause(err, "it exists, but the loader that it needs does not");
	else if (code == ENOEXEC)
		err_cause(err, "it is no program for this machine, and no script with a #! line");
}

static const char *where(enum plan_hook_kind kind)
{
	return kind == PLAN_HOOK_START_CONTAINER
		       ? "the path is one inside the container; PATH is not searched"
		       : "the path is one of the host; PATH is not searched";
}

int hook_say_not_executed(const struct hook_job *job, struct err *err)
{
	const char *kind = plan_hook_name(job->kind), *path = job->hook->path;
	int code = atomic_load(&job->report->code);

	if (!atomic_load(&job->report->executing)) {
		err_sys(err, code, "cannot prepare the %s hook '%s'", kind, path);
	} else {
		err_sys(err, code, "cannot execute the %s hook '%s'", kind, path);
		err_hint(err, "%s", where(job->kind));
		explain(path, code, err);
	}
	locate(job, job->hook->at, err);
	return -code;
}
