/*
 * What is asked of systemd over D-Bus, with a bus that is a fake: it writes down which calls were
 * made, answers them, and has jobs end as a test wants. What systemd makes of it is seen in the
 * guest (tests/vm/systemd.bats).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/systemd_parts.h"

/* ---- the bus ---- */

#define DONE_JOB "/org/freedesktop/systemd1/job/7"

/* A call with its texts, or a reply, or a signal: texts that are read one after another. */
struct sd_bus_message {
	char member[64];
	const char *texts[8];
	size_t n;
};

static struct fake {
	const char *result;  /* how the job ends */
	const char *refused; /* the member that is answered by an error, of that name */
	const char *error;
	char calls[512]; /* "StopUnit a.scope replace; " */
	bool is_pending; /* a job, that has not been told of */
	systemd_handler *handler;
	void *context;
} fake;

static struct sd_bus_message made[16];
static size_t made_n;

static struct sd_bus_message *new_message(void)
{
	assert_true(made_n < ARRAY_SIZE(made));
	struct sd_bus_message *m = &made[made_n++];
	*m = (struct sd_bus_message) { 0 };
	return m;
}

static int fake_open(struct sd_bus **ret)
{
	*ret = NULL;
	return 0;
}

static int fake_new_call(struct sd_bus *bus, struct sd_bus_message **ret, const char *destination,
			 const char *path, const char *interface, const char *member)
{
	(void)bus, (void)destination, (void)path, (void)interface;
	*ret = new_message();
	snprintf((*ret)->member, sizeof((*ret)->member), "%s", member);
	return 0;
}

static int fake_append_basic(struct sd_bus_message *m, char type, const void *value)
{
	if (type == 's' && m->n < ARRAY_SIZE(m->texts))
		m->texts[m->n++] = value;
	return 0;
}

static int fake_append_array(struct sd_bus_message *m, char type, const void *values, size_t size)
{
	(void)m, (void)type, (void)values, (void)size;
	return 0;
}

static int fake_open_container(struct sd_bus_message *m, char type, const char *contents)
{
	(void)m, (void)type, (void)contents;
	return 0;
}

static int fake_close_container(struct sd_bus_message *m)
{
	(void)m;
	return 0;
}

static int fake_read_basic(struct sd_bus_message *m, char type, void *ret)
{
	if (type == 'u') {
		*(uint32_t *)ret = 7;
		return 1;
	}
	assert_true(m->n < ARRAY_SIZE(m->texts));
	*(const char **)ret = m->texts[m->n++];
	return 1;
}

static int fake_call(struct sd_bus *bus, struct sd_bus_message *m, uint64_t usec,
		     struct sd_bus_error *error, struct sd_bus_message **ret)
{
	(void)bus, (void)usec;
	size_t used = strlen(fake.calls);
	used += (size_t)snprintf(fake.calls + used, sizeof(fake.calls) - used, "%s", m->member);
	for (size_t i = 0; i < m->n && i < 2; i++)
		used += (size_t)snprintf(fake.calls + used, sizeof(fake.calls) - used, " %s",
					 m->texts[i]);
	snprintf(fake.calls + used, sizeof(fake.calls) - used, "; ");
	if (fake.refused && str_eq(fake.refused, m->member)) {
		*error = (struct sd_bus_error) { .name = fake.error, .message = "no" };
		return -ENOENT;
	}
	if (!ret)
		return 0;
	*ret = new_message();
	(*ret)->texts[0] = DONE_JOB; /* or a unit's object, for GetUnit */
	fake.is_pending = !str_eq(m->member, "GetUnit");
	return 0;
}

static int fake_get_property(struct sd_bus *bus, const char *destination, const char *path,
			     const char *interface, const char *member, struct sd_bus_error *error,
			     char **ret)
{
	static char version[] = "252.1", group[] = "/hull.slice/a.scope";
	(void)bus, (void)destination, (void)path, (void)interface, (void)error;
	*ret = str_eq(member, "Version") ? version : group;
	return 0;
}

static int fake_match(struct sd_bus *bus, struct sd_bus_slot **ret, const char *sender,
		      const char *path, const char *interface, const char *member,
		      systemd_handler *handler, void *context)
{
	(void)bus, (void)ret, (void)sender, (void)path, (void)interface, (void)member;
	fake.handler = handler;
	fake.context = context;
	return 0;
}

/* Somebody else's job ends first, and well. */
static int fake_process(struct sd_bus *bus, struct sd_bus_message **ret)
{
	(void)bus, (void)ret;
	if (!fake.is_pending)
		return 0;
	fake.is_pending = false;
	struct sd_bus_message *other = new_message(), *own = new_message();
	*other = (struct sd_bus_message) { .texts = { "/other", "b.scope", "done" } };
	*own = (struct sd_bus_message) { .texts = { DONE_JOB, "a.scope", fake.result } };
	(void)fake.handler(other, fake.context, NULL);
	(void)fake.handler(own, fake.context, NULL);
	return 1;
}

static int fake_wait(struct sd_bus *bus, uint64_t usec)
{
	(void)bus, (void)usec;
	fail_msg("nothing will ever come");
	return 0;
}

/* In the place of that of systemd_library.c. */
int systemd_load(struct systemd_library *ret, struct err *err)
{
	(void)err;
	*ret = (struct systemd_library) {
		.open_system = fake_open,
		.open_user = fake_open,
		.message_new_method_call = fake_new_call,
		.message_append_basic = fake_append_basic,
		.message_append_array = fake_append_array,
		.message_open_container = fake_open_container,
		.message_close_container = fake_close_container,
		.message_read_basic = fake_read_basic,
		.call = fake_call,
		.get_property_string = fake_get_property,
		.match_signal = fake_match,
		.process = fake_process,
		.wait = fake_wait,
	};
	return 0;
}

/* ---- the tests ---- */

static struct systemd_answer answer;
static const char *stopped_path = "/hull.slice/a.scope";

static int ask(enum systemd_what what)
{
	static const struct systemd_properties none;
	const struct systemd_question q = {
		.what = what,
		.unit = "a.scope",
		.slice = "hull.slice",
		.id = "a",
		.path = stopped_path,
		.properties = &none,
		.timeout_ms = 10000,
	};
	answer = (struct systemd_answer) { 0 };
	made_n = 0;
	fake.calls[0] = '\0';
	return systemd_serve(&q, &answer);
}

/* org.freedesktop.systemd1(5), JobRemoved: only "done" is. */
static void test_job_results(void **state)
{
	(void)state;
	static const char *const results[] = { "canceled",   "timeout", "failed",
					       "dependency", "skipped", "" };
	static const struct {
		enum systemd_what what;
		const char *word;
	} questions[] = { { SYSTEMD_START, "start" }, { SYSTEMD_STOP, "stop" } };
	for (size_t q = 0; q < ARRAY_SIZE(questions); q++) {
		fake = (struct fake) { .result = "done" };
		assert_int_equal(ask(questions[q].what), 0);
		assert_int_equal(answer.err.code, 0);
		for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
			char says[128];
			snprintf(says, sizeof(says),
				 "systemd could not %s 'a.scope': its job ended with '%s'",
				 questions[q].word, results[i]);
			fake = (struct fake) { .result = results[i] };
			assert_int_equal(ask(questions[q].what), -ECANCELED);
			assert_int_equal(answer.err.code, ECANCELED);
			assert_string_equal(answer.err.message, says);
		}
	}
}

static void test_calls(void **state)
{
	(void)state;
	fake = (struct fake) { .result = "done" };
	assert_int_equal(ask(SYSTEMD_STOP), 0);
	assert_string_equal(fake.calls, "GetUnit a.scope; StopUnit a.scope replace; "
					"ResetFailedUnit a.scope; ");
	assert_int_equal(ask(SYSTEMD_RESET), 0);
	assert_string_equal(fake.calls, "ResetFailedUnit a.scope; ");
	assert_int_equal(ask(SYSTEMD_START), 0);
	assert_string_equal(fake.calls, "StartTransientUnit a.scope fail; GetUnit a.scope; ");
	assert_string_equal(answer.path, "/hull.slice/a.scope");
	assert_true(answer.was_asked);
}

/* The name is of a unit elsewhere by now. */
static void test_others(void **state)
{
	(void)state;
	fake = (struct fake) { .result = "done" };
	stopped_path = "/other.slice/a.scope";
	assert_int_equal(ask(SYSTEMD_STOP), 0);
	stopped_path = "/hull.slice/a.scope";
	assert_string_equal(fake.calls, "GetUnit a.scope; ");
}

/* One that is not there is stopped; any other refusal is an error with systemd's words. */
static void test_refusals(void **state)
{
	(void)state;
	fake = (struct fake) {
		.refused = "StopUnit",
		.error = "org.freedesktop.systemd1.NoSuchUnit",
	};
	assert_int_equal(ask(SYSTEMD_STOP), 0);
	assert_string_equal(fake.calls, "GetUnit a.scope; StopUnit a.scope replace; ");
	fake.error = "org.freedesktop.DBus.Error.AccessDenied";
	assert_true(ask(SYSTEMD_STOP) < 0);
	assert_string_equal(answer.err.cause, "systemd: no");
	assert_true(answer.err.hint[0]);
	fake.refused = "StartTransientUnit";
	assert_true(ask(SYSTEMD_START) < 0);
	assert_false(answer.was_asked); /* what systemd has refused does not exist */
	/* As the library calls what has gone wrong on this side, whatever systemd does meanwhile.
	 */
	static const char *const own[] = { "org.freedesktop.DBus.Error.NoMemory",
					   "org.freedesktop.DBus.Error.Disconnected",
					   "System.Error.ENOBUFS" };
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		fake.error = own[i];
		assert_true(ask(SYSTEMD_START) < 0);
		assert_true(answer.was_asked);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_job_results),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
