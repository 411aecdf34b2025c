/*
 * How a container's end is told: one sentence, and rows below it for what explains it. The same
 * sentence is the message of the log's record. Pure; all texts in struct exitinfo are printable
 * already, the container's id is by its own rules.
 */
#include "cmd/report.h"

#include <inttypes.h>

bool report_exit_is_ordinary(const struct exitinfo *x)
{
	return x->cause == EXITINFO_NONE ||
	       (x->cause == EXITINFO_EXIT && x->oom.limit_of == EXITINFO_LIMIT_NONE &&
		x->pids_refused == 0);
}

bool report_exit_is_error(const struct exitinfo *x)
{
	return x->cause == EXITINFO_OOM || x->cause == EXITINFO_SECCOMP;
}

/* ---- quantities ---- */

void report_bytes(struct str *out, uint64_t n)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	size_t unit = 0;
	if (n < 1024) {
		str_printf(out, "%" PRIu64, n);
		return;
	}
	double v = (double)n / 1024;
	for (; v >= 1024 && unit + 1 < ARRAY_SIZE(units); unit++)
		v /= 1024;
	str_printf(out, "%.1f %s", v, units[unit]);
}

static void append_bytes(struct str *out, uint64_t n)
{
	if (n == EXITINFO_UNLIMITED)
		str_append(out, "none");
	else
		report_bytes(out, n);
}

static void append_duration(struct str *out, uint64_t ms)
{
	uint64_t s = ms / 1000;
	if (ms < 1000)
		str_printf(out, "%" PRIu64 " ms", ms);
	else if (s < 10)
		str_printf(out, "%" PRIu64 ".%" PRIu64 " s", s, ms % 1000 / 100);
	else if (s < 60)
		str_printf(out, "%" PRIu64 " s", s);
	else if (s < 3600)
		str_printf(out, "%" PRIu64 " m %02" PRIu64 " s", s / 60, s % 60);
	else
		str_printf(out, "%" PRIu64 " h %02" PRIu64 " m", s / 3600, s / 60 % 60);
}

static void append_after(struct str *out, const struct exitinfo *x)
{
	if (x->duration_ms == EXITINFO_UNSET)
		return;
	str_append(out, " after ");
	append_duration(out, x->duration_ms);
}

/* "'dd' (pid 447)", or less when less is known. */
static void append_process(struct str *out, const char *name, uint64_t pid, const char *otherwise)
{
	if (!*name && pid == EXITINFO_UNSET) {
		str_append(out, otherwise);
		return;
	}
	if (*name)
		str_printf(out, "'%s'", name);
	else
		str_append(out, "a process");
	if (pid != EXITINFO_UNSET)
		str_printf(out, " (pid %" PRIu64 " on the host)", pid);
}

static void append_place(struct str *out, const struct exitinfo *x)
{
	if (x->line)
		str_printf(out, " (config.json:%" PRIu64 ":%" PRIu64 ")", x->line, x->column);
}

/* ---- out of memory ---- */

static void append_limit(struct str *out, const struct exitinfo *x)
{
	if (x->oom.limit == EXITINFO_UNSET)
		return;
	str_append(out, ": ");
	append_bytes(out, x->oom.limit);
	if (x->oom.swap_limit == EXITINFO_UNSET)
		return;
	str_append(out, ", swap ");
	append_bytes(out, x->oom.swap_limit);
}

static void append_oom(struct str *out, const struct exitinfo *x)
{
	append_process(out, x->oom.name, x->oom.pid, "a process");
	switch (x->oom.limit_of) {
	case EXITINFO_LIMIT_OWN:
		str_append(out, " hit the container's own limit");
		append_limit(out, x);
		break;
	case EXITINFO_LIMIT_INSIDE:
		str_append(out, " hit the limit of a cgroup that the container has made");
		break;
	case EXITINFO_LIMIT_PARENT:
		str_printf(out, " hit the limit of the parent cgroup '%s'", x->oom.cgroup);
		append_limit(out, x);
		str_append(out, "; it is not this container's");
		break;
	case EXITINFO_LIMIT_HOST:
		str_append(out, " was chosen when the host ran out of memory");
		break;
	default:
		str_append(out, " was chosen; whose limit was hit is not known");
	}
	str_printf(out, "; %" PRIu64 " process%s killed", x->oom.killed,
		   x->oom.killed == 1 ? "" : "es");
	if (x->oom.group)
		str_append(out, " as a group (memory.oom.group)");
}

/* ---- seccomp ---- */

static void append_seccomp(struct str *out, const struct exitinfo *x)
{
	if (!x->seccomp.syscall[0]) {
		str_append(out, ": its profile forbids a system call that it made; which one, "
				"the kernel log does not tell");
		return;
	}
	str_append(out, ": ");
	append_process(out, x->seccomp.name, EXITINFO_UNSET, "the program");
	str_printf(out, " called %s (%" PRIu64 ")", x->seccomp.syscall, x->seccomp.number);
	if (x->seccomp.arch[0])
		str_printf(out, " of %s", x->seccomp.arch);
	if (!x->seccomp.rule[0])
		return;
	str_printf(out, ", rule: %s", x->seccomp.rule);
	if (x->seccomp.action[0])
		str_printf(out, " %s", x->seccomp.action);
	append_place(out, x);
}

/* ---- signals ---- */

static void append_who(struct str *out, const struct exitinfo_origin *who)
{
	if (who->name[0])
		str_printf(out, "'%s' ", who->name);
	str_printf(out, "(pid %" PRIu64 ", user %" PRIu64 ")", who->pid, who->uid);
}

static void append_sender(struct str *out, const struct exitinfo *x)
{
	switch (x->sender.kind) {
	case EXITINFO_SENDER_UNKNOWN:
		str_append(out, "; who sent it is not known");
		break;
	case EXITINFO_SENDER_PROCESS:
		str_append(out, ", which hull got from ");
		append_who(out, &x->sender);
		break;
	case EXITINFO_SENDER_KERNEL:
		str_append(out, ", which hull got from the kernel (its terminal)");
		break;
	case EXITINFO_SENDER_DELETE:
		str_append(out, " by hull delete --force");
		break;
	case EXITINFO_SENDER_KILL:
		str_append(out, " by hull kill, called by ");
		append_who(out, &x->sender);
		break;
	default:
		break;
	}
}

/* ---- the sentence ---- */

static void append_exit(struct str *out, const struct exitinfo *x)
{
	str_printf(out, "exited with status %" PRIu64, x->code);
	append_after(out, x);
	if (x->oom.limit_of == EXITINFO_LIMIT_NONE)
		return;
	str_append(out, ", and before that memory ran out: ");
	append_oom(out, x);
}

/* "web: killed by SIGTERM after 2 m 04 s": one line, without its end. */
static void append_sentence(struct str *out, const char *id, const struct exitinfo *x)
{
	str_printf(out, "%s: ", id);
	switch (x->cause) {
	case EXITINFO_EXIT:
		append_exit(out, x);
		break;
	case EXITINFO_SIGNAL:
		str_printf(out, "killed by %s", x->signal);
		append_after(out, x);
		if (x->core_dumped)
			str_append(out, " (core dumped)");
		append_sender(out, x);
		break;
	case EXITINFO_OOM:
		str_append(out, "killed: out of memory");
		append_after(out, x);
		str_append(out, ". ");
		append_oom(out, x);
		break;
	case EXITINFO_SECCOMP:
		str_append(out, "killed by seccomp");
		append_after(out, x);
		append_seccomp(out, x);
		break;
	default:
		str_printf(out, "not started: %s", x->message);
	}
}

/* ---- the rows ---- */

static void append_amount(struct str *out, const char *name, uint64_t n)
{
	if (n == EXITINFO_UNSET)
		return;
	str_printf(out, "%s%s ", out->used ? "  " : "", name);
	append_bytes(out, n);
}

static void append_memory_row(struct str *out, const struct exitinfo *x, enum report_flags flags)
{
	struct str row;
	str_init(&row, out->arena);
	if (x->oom.limit_of == EXITINFO_LIMIT_NONE)
		return;
	append_amount(&row, "peak", x->oom.peak);
	append_amount(&row, "anon", x->oom.anon);
	append_amount(&row, "file", x->oom.file);
	append_amount(&row, "kernel", x->oom.kernel);
	if (x->oom.pressure != EXITINFO_UNSET)
		str_printf(&row, "%spressure (10 s) some %" PRIu64 " %%", row.used ? "  " : "",
			   x->oom.pressure);
	report_row(out, flags, "memory", row.text);
}

/* What could be done, or where to look when the kernel log did not help. */
static void append_hint(struct str *out, const struct exitinfo *x)
{
	switch (x->oom.limit_of) {
	case EXITINFO_LIMIT_OWN:
		str_append(out, "raise linux.resources.memory.limit");
		append_place(out, x);
		str_append(out, ", or see what takes the memory");
		return;
	case EXITINFO_LIMIT_PARENT:
		str_printf(out, "raise memory.max of '%s', or see what else is below it",
			   x->oom.cgroup);
		return;
	default:
		break;
	}
	if (x->cause == EXITINFO_SECCOMP && !x->seccomp.syscall[0])
		str_append(out, "with an audit daemon running it stands in its log (type=SECCOMP); "
				"SCMP_ACT_TRAP is not logged");
}

static void append_rows(struct str *out, const struct exitinfo *x, enum report_flags flags)
{
	struct str note, hint;
	str_init(&note, out->arena);
	str_init(&hint, out->arena);
	append_memory_row(out, x, flags);
	if (x->pids_refused)
		str_printf(&note, "its limit of processes (pids.max) refused %" PRIu64 " new one%s",
			   x->pids_refused, x->pids_refused == 1 ? "" : "s");
	report_row(out, flags, "note", note.text);
	append_hint(&hint, x);
	report_row(out, flags, "hint", hint.text);
}

void report_exit(struct str *out, const char *id, const struct exitinfo *x, enum report_flags flags)
{
	append_sentence(out, id, x);
	str_append(out, "\n");
	append_rows(out, x, flags);
}

void report_log_exit(struct str *out, const char *id, const struct exitinfo *x,
		     const char *time_rfc3339)
{
	struct json_out o;
	struct str msg;
	json_out_init(&o, out, JSON_OUT_COMPACT);
	str_init(&msg, out->arena);
	append_sentence(&msg, id, x);
	json_out_object(&o);
	json_out_member(&o, "level", report_exit_is_error(x) ? "error" : "warning");
	json_out_member(&o, "msg", msg.text);
	json_out_member(&o, "time", time_rfc3339);
	json_out_key(&o, "exit");
	exitinfo_write(x, &o);
	json_out_object_end(&o);
	str_append(out, "\n");
}
