/*
 * What is asked of systemd over D-Bus, org.freedesktop.systemd1(5). Runs in a process of its own
 * (systemd_worker.c) with the caller's rights, which ends afterwards: so nothing is freed here, and
 * whatever a library does to itself or its memory harms nobody. Waits by the bus's signals, never
 * longer than the question says.
 */
#include "cgroup/systemd_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"

#define RETRY_MS 20 /* until a unit that is dead is forgotten */

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER     DESTINATION ".Manager"
#define OBJECT      "/org/freedesktop/systemd1"

struct asker {
	struct systemd_library sd;
	struct sd_bus *bus;
	bool is_user;
	int timeout_ms;
	int64_t deadline;
	unsigned version;
	const char *job;         /* that is waited for; NULL: not known yet */
	char results[8][2][128]; /* jobs that have ended, and how */
	unsigned results_n;
	struct sd_bus_error error; /* of the last call */
};

static uint64_t usec_left(const struct asker *a)
{
	int64_t left = a->deadline - clock_ms();
	return left > 0 ? (uint64_t)left * 1000 : 1;
}

static const char *owner(const struct asker *a)
{
	return a->is_user ? "the user's systemd" : "systemd";
}

/* ---- the bus ---- */

static int connect_bus(struct asker *a, struct err *err)
{
	int r = a->is_user ? a->sd.open_user(&a->bus) : a->sd.open_system(&a->bus);
	if (r >= 0)
		return 0;
	err_sys(err, -r, "cannot reach %s over D-Bus", owner(a));
	if (a->is_user)
		err_hint(err,
			 "the user needs a session with a bus (loginctl enable-linger, package "
			 "dbus-user-session), and XDG_RUNTIME_DIR that leads to it; without "
			 "--systemd-cgroup hull makes the cgroup itself");
	else
		err_hint(err, "--systemd-cgroup needs systemd as process 1, and D-Bus; without it "
			      "hull makes the cgroup itself");
	return r;
}

static bool is_error(const struct asker *a, const char *name)
{
	return a->error.name && str_eq(a->error.name, name);
}

/*
 * Is it systemd that has refused? The library gives its own failures a name, too: those of sending
 * and of waiting for an answer, which may have been on its way.
 */
static bool was_refused(const struct asker *a)
{
	static const char *const own[] = { "NoMemory", "Disconnected", "NoReply", "Timeout",
					   "IOError" };
	static const char prefix[] = "org.freedesktop.DBus.Error.";
	const char *name = a->error.name;
	if (!name || str_has_prefix(name, "System.Error."))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (str_has_prefix(name, prefix) && str_eq(name + sizeof(prefix) - 1, own[i]))
			return false;
	return true;
}

static bool is_unknown_unit(const struct asker *a)
{
	return is_error(a, DESTINATION ".NoSuchUnit") || is_error(a, DESTINATION ".NotLoaded");
}

/* systemd's own words are the cause. */
static int call_failed(const struct asker *a, int r, const char *what, const char *unit,
		       struct err *err)
{
	err_sys(err, -r, "%s cannot %s '%s'", owner(a), what, unit);
	if (a->error.message)
		err_cause(err, "systemd: %s", a->error.message);
	else if (r == -ETIMEDOUT)
		err_hint(err, "it has not answered for %d ms", a->timeout_ms);
	if (is_error(a, "org.freedesktop.DBus.Error.AccessDenied") ||
	    is_error(a, "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"))
		err_hint(err, "only root may ask the system's systemd for a unit");
	return r;
}

static int new_call(struct asker *a, const char *member, struct sd_bus_message **ret)
{
	return a->sd.message_new_method_call(a->bus, ret, DESTINATION, OBJECT, MANAGER, member);
}

static int send(struct asker *a, struct sd_bus_message *m, struct sd_bus_message **ret)
{
	a->error = (struct sd_bus_error) { 0 };
	return a->sd.call(a->bus, m, usec_left(a), &a->error, ret);
}

/* A call with texts as arguments. */
static int call_with(struct asker *a, const char *member, const char *const *texts,
		     struct sd_bus_message **ret)
{
	struct sd_bus_message *m = NULL;
	int r = new_call(a, member, &m);
	for (; r >= 0 && *texts; texts++)
		r = systemd_append_text(&a->sd, m, *texts);
	return r < 0 ? r : send(a, m, ret);
}

/* ---- jobs ---- */

/* JobRemoved has: number, object, unit, result. It may come before the call's own answer. */
static int on_job_removed(struct sd_bus_message *m, void *context, struct sd_bus_error *error)
{
	struct asker *a = context;
	uint32_t id;
	const char *job = "", *unit = "", *result = "";
	(void)error;
	if (a->sd.message_read_basic(m, 'u', &id) <= 0 ||
	    a->sd.message_read_basic(m, 'o', &job) <= 0 ||
	    a->sd.message_read_basic(m, 's', &unit) <= 0 ||
	    a->sd.message_read_basic(m, 's', &result) <= 0)
		return 0;
	/* Others' jobs fill the ring, too; ours is looked for after each. */
	unsigned i = a->results_n++ % ARRAY_SIZE(a->results);
	snprintf(a->results[i][0], sizeof(a->results[i][0]), "%s", job);
	snprintf(a->results[i][1], sizeof(a->results[i][1]), "%s", result);
	return 0;
}

static const char *job_result(const struct asker *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->results); i++)
		if (str_eq(a->results[i][0], a->job))
			return a->results[i][1];
	return NULL;
}

static int listen_to_jobs(struct asker *a)
{
	return a->sd.match_signal(a->bus, NULL, DESTINATION, OBJECT, MANAGER, "JobRemoved",
				  on_job_removed, a);
}

/* Until the job in the reply is done, which is to "start" or to "stop" the unit. */
static int wait_for_job(struct asker *a, struct sd_bus_message *reply, const char *what,
			const char *unit, struct err *err)
{
	const char *result = NULL;
	int r = a->sd.message_read_basic(reply, 'o', &a->job);
	while (r >= 0 && !(result = job_result(a))) {
		if (clock_ms() > a->deadline)
			return call_failed(a, -ETIMEDOUT, what, unit, err);
		r = a->sd.process(a->bus, NULL);
		if (r == 0 && !job_result(a))
			r = a->sd.wait(a->bus, usec_left(a));
	}
	if (r < 0)
		return call_failed(a, r, what, unit, err);
	if (str_eq(result, "done"))
		return 0;
	return err_say(err, ERR_HOST, ECANCELED, "%s could not %s '%s': its job ended with '%s'",
		       owner(a), what, unit, result);
}

/* ---- the version ---- */

/* "252.38-1~deb12u1" or "v252": the number that it begins with. */
static int find_version(struct asker *a, struct err *err)
{
	char *text = NULL;
	a->error = (struct sd_bus_error) { 0 };
	int r = a->sd.get_property_string(a->bus, DESTINATION, OBJECT, MANAGER, "Version",
					  &a->error, &text);
	if (r < 0)
		return call_failed(a, r, "tell its", "Version", err);
	a->version = (unsigned)strtoul(text + strcspn(text, "0123456789"), NULL, 10);
	return 0;
}

/* ---- starting ---- */

/* StartTransientUnit(name, mode, a(sv) properties, a(sa(sv)) auxiliary units) */
static int new_start(struct asker *a, const struct systemd_question *q, struct sd_bus_message **ret)
{
	char description[512];
	snprintf(description, sizeof(description), "container %s", q->id);
	struct systemd_property own[] = {
		{ .name = "Description", .signature = "s", .text = description },
		{ .name = "Slice", .signature = "s", .text = q->slice },
	};
	const struct systemd_properties names = { own, ARRAY_SIZE(own) };
	int r = new_call(a, "StartTransientUnit", ret);
	if (r >= 0)
		r = systemd_append_text(&a->sd, *ret, q->unit);
	if (r >= 0)
		r = systemd_append_text(&a->sd, *ret, "fail");
	if (r >= 0)
		r = a->sd.message_open_container(*ret, 'a', "(sv)");
	if (r >= 0)
		r = systemd_append_properties(&a->sd, *ret, &names, a->version);
	if (r >= 0)
		r = systemd_append_process(&a->sd, *ret, getpid());
	if (r >= 0)
		r = systemd_append_properties(&a->sd, *ret, q->properties, a->version);
	if (r >= 0)
		r = a->sd.message_close_container(*ret);
	if (r >= 0)
		r = a->sd.message_open_container(*ret, 'a', "(sa(sv))");
	return r < 0 ? r : a->sd.message_close_container(*ret);
}

static int unit_property(struct asker *a, const char *unit, const char *interface, const char *name,
			 char **ret)
{
	struct sd_bus_message *reply = NULL;
	const char *object = NULL;
	int r = call_with(a, "GetUnit", (const char *const[]) { unit, NULL }, &reply);
	if (r >= 0)
		r = a->sd.message_read_basic(reply, 'o', &object);
	return r < 0 ? r
		     : a->sd.get_property_string(a->bus, DESTINATION, object, interface, name,
						 &a->error, ret);
}

/* A unit that has ended, which systemd has not forgotten yet, is nobody's. */
static bool forget_dead_unit(struct asker *a, const char *unit)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000 * 1000 };
	char *state = NULL;
	const struct sd_bus_error exists = a->error;
	int r = unit_property(a, unit, DESTINATION ".Unit", "ActiveState", &state);
	bool lives = r < 0 ? !is_unknown_unit(a)
			   : str_eq(state, "active") || str_eq(state, "activating");
	a->error = exists; /* what the caller has to say of it */
	if (lives)
		return false;
	(void)call_with(a, "ResetFailedUnit", (const char *const[]) { unit, NULL }, NULL);
	nanosleep(&pause, NULL);
	return clock_ms() < a->deadline;
}

static int ask_to_start(struct asker *a, const struct systemd_question *q,
			struct systemd_answer *answer, struct sd_bus_message **ret)
{
	struct err *err = &answer->err;
	int r;
	do {
		struct sd_bus_message *m = NULL;
		r = new_start(a, q, &m);
		if (r < 0)
			return err_sys(err, -r, "cannot write a message for %s", owner(a));
		atomic_store(&answer->was_asked, 1);
		r = send(a, m, ret);
		if (r >= 0)
			return 0;
		/* What systemd has refused does not exist; a call without an answer may do. */
		if (was_refused(a) && r != -ETIMEDOUT)
			atomic_store(&answer->was_asked, 0);
	} while (is_error(a, DESTINATION ".UnitExists") && forget_dead_unit(a, q->unit));
	if (!is_error(a, DESTINATION ".UnitExists"))
		return call_failed(a, r, "make the unit", q->unit, err);
	r = err_say(err, ERR_BUSY, EBUSY, "%s has a unit '%s' already", owner(a), q->unit);
	err_hint(err, "choose another cgroupsPath, or delete the container that it is of");
	return r;
}

static int start(struct asker *a, const struct systemd_question *q, struct systemd_answer *answer)
{
	struct err *err = &answer->err;
	struct sd_bus_message *reply = NULL;
	char *path = NULL;
	int r = find_version(a, err);
	if (r == 0)
		r = ask_to_start(a, q, answer, &reply);
	if (r == 0)
		r = wait_for_job(a, reply, "start", q->unit, err);
	if (r < 0)
		return r;
	r = unit_property(a, q->unit, DESTINATION ".Scope", "ControlGroup", &path);
	if (r < 0)
		return call_failed(a, r, "tell the cgroup of", q->unit, err);
	snprintf(answer->path, sizeof(answer->path), "%s", path);
	return 0;
}

/* ---- the rest ---- */

static int update(struct asker *a, const struct systemd_question *q, struct err *err)
{
	struct sd_bus_message *m = NULL;
	const int runtime = 1; /* until it ends */
	int r = find_version(a, err);
	if (r < 0)
		return r;
	r = new_call(a, "SetUnitProperties", &m);
	if (r >= 0)
		r = systemd_append_text(&a->sd, m, q->unit);
	if (r >= 0)
		r = a->sd.message_append_basic(m, 'b', &runtime);
	if (r >= 0)
		r = a->sd.message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = systemd_append_properties(&a->sd, m, q->properties, a->version);
	if (r >= 0)
		r = a->sd.message_close_container(m);
	if (r >= 0)
		r = send(a, m, NULL);
	return r < 0 ? call_failed(a, r, "change the unit", q->unit, err) : 0;
}

/* AttachProcessesToUnit(unit, cgroup below its own, PIDs). What the user's systemd may not move it
 * has moved by the system's. */
static int attach(struct asker *a, const struct systemd_question *q, struct err *err)
{
	struct sd_bus_message *m = NULL;
	const uint32_t pid = (uint32_t)q->pid;
	int r = new_call(a, "AttachProcessesToUnit", &m);
	if (r >= 0)
		r = systemd_append_text(&a->sd, m, q->unit);
	if (r >= 0)
		r = systemd_append_text(&a->sd, m, q->below);
	if (r >= 0)
		r = a->sd.message_append_array(m, 'u', &pid, sizeof(pid));
	if (r >= 0)
		r = send(a, m, NULL);
	return r < 0 ? call_failed(a, r, "take the container's process into", q->unit, err) : 0;
}

static int reset(struct asker *a, const char *unit, struct err *err)
{
	int r = call_with(a, "ResetFailedUnit", (const char *const[]) { unit, NULL }, NULL);
	return r < 0 && !is_unknown_unit(a) ? call_failed(a, r, "forget the unit", unit, err) : 0;
}

/* Nobody else's is stopped: who has the name by now has it in another slice, or no cgroup yet. */
static bool is_others(struct asker *a, const struct systemd_question *q)
{
	char *path = NULL;
	int r = unit_property(a, q->unit, DESTINATION ".Scope", "ControlGroup", &path);
	return r >= 0 && *path && !str_eq(path, q->path);
}

static int stop(struct asker *a, const struct systemd_question *q, struct err *err)
{
	struct sd_bus_message *reply = NULL;
	const char *unit = q->unit;
	if (is_others(a, q))
		return 0;
	int r = call_with(a, "StopUnit", (const char *const[]) { unit, "replace", NULL }, &reply);
	if (r < 0 && is_unknown_unit(a))
		return 0;
	if (r < 0)
		return call_failed(a, r, "stop", unit, err);
	r = wait_for_job(a, reply, "stop", unit, err);
	return r < 0 ? r : reset(a, unit, err);
}

static int find_home(struct asker *a, struct systemd_answer *answer)
{
	char *path = NULL;
	int r = a->sd.get_property_string(a->bus, DESTINATION, OBJECT, MANAGER, "ControlGroup",
					  &a->error, &path);
	if (r < 0)
		return call_failed(a, r, "tell its", "ControlGroup", &answer->err);
	snprintf(answer->path, sizeof(answer->path), "%s", path);
	return 0;
}

int systemd_serve(const struct systemd_question *q, struct systemd_answer *answer)
{
	struct err *err = &answer->err;
	struct asker a = {
		.is_user = q->is_user,
		.timeout_ms = q->timeout_ms,
		.deadline = clock_ms() + q->timeout_ms,
	};
	int r = systemd_load(&a.sd, err);
	if (r == 0)
		r = connect_bus(&a, err);
	if (r == 0 && (q->what == SYSTEMD_START || q->what == SYSTEMD_STOP)) {
		r = listen_to_jobs(&a);
		if (r < 0)
			return err_sys(err, -r, "cannot listen to the jobs of %s", owner(&a));
		r = 0;
	}
	if (r < 0)
		return r;
	switch (q->what) {
	case SYSTEMD_HOME:
		return find_home(&a, answer);
	case SYSTEMD_START:
		return start(&a, q, answer);
	case SYSTEMD_UPDATE:
		return update(&a, q, err);
	case SYSTEMD_ATTACH:
		return attach(&a, q, err);
	case SYSTEMD_STOP:
		return stop(&a, q, err);
	case SYSTEMD_RESET:
		return reset(&a, q->unit, err);
	}
	return 0;
}
