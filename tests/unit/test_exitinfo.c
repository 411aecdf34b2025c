/* How a container ended: kept as JSON and read again, and told in words. */
#include "state/exitinfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/report.h"

#define SET(field, text) exitinfo_set_text(field, sizeof(field), text, strlen(text))

/* ---- JSON ---- */

static const char *json_of(struct arena *arena, const struct exitinfo *x)
{
	struct str out;
	struct json_out o;
	str_init(&out, arena);
	json_out_init(&o, &out, JSON_OUT_COMPACT);
	exitinfo_write(x, &o);
	return out.text;
}

static void read_text(struct arena *arena, const char *text, struct exitinfo *ret)
{
	struct json_doc doc;
	struct err err;
	assert_int_equal(json_parse(arena, "x", text, strlen(text), &doc, &err), 0);
	exitinfo_read(doc.root, ret);
}

static void test_ordinary(void **state)
{
	_cleanup_arena_ struct arena arena;
	struct exitinfo x;
	(void)state;
	arena_init(&arena);
	exitinfo_init(&x);
	assert_string_equal(json_of(&arena, &x), "{}");
	x.cause = EXITINFO_EXIT;
	x.code = 0;
	assert_string_equal(json_of(&arena, &x), "{\"cause\":\"exit\",\"code\":0}");
}

/* All that can be set comes back as it was. */
static void test_round_trip(void **state)
{
	_cleanup_arena_ struct arena arena;
	struct exitinfo x, got;
	(void)state;
	arena_init(&arena);
	exitinfo_init(&x);
	x.cause = EXITINFO_OOM;
	x.code = 137;
	SET(x.signal, "SIGKILL");
	x.core_dumped = true;
	x.pids_refused = 3;
	x.line = 7;
	x.sender.kind = EXITINFO_SENDER_DELETE;
	x.sender.uid = 0;
	x.oom.limit_of = EXITINFO_LIMIT_PARENT;
	SET(x.oom.cgroup, "/par");
	x.oom.limit = 1 << 24;
	x.oom.swap_limit = EXITINFO_UNLIMITED;
	x.oom.killed = 2;
	x.oom.group = true;
	SET(x.seccomp.rule, "linux.seccomp.defaultAction");
	const char *text = json_of(&arena, &x);
	read_text(&arena, text, &got);
	assert_memory_equal(&x, &got, sizeof(x));
	assert_non_null(strstr(text, "\"oom\":{\"limitOf\":\"parent\",\"cgroup\":\"/par\","
				     "\"limit\":16777216,\"swapLimit\":\"max\",\"killed\":2,"
				     "\"group\":true},\"seccomp\":{"));
}

static void test_foreign_values(void **state)
{
	_cleanup_arena_ struct arena arena;
	struct exitinfo x;
	(void)state;
	arena_init(&arena);
	read_text(&arena,
		  "{\"cause\": \"plague\", \"code\": \"max\", \"signal\": 9, \"oom\": [1], "
		  "\"sender\": {\"pid\": -1, \"name\": \"a\\nb\"}, \"coreDumped\": 1, \"new\": {}}",
		  &x);
	assert_int_equal(x.cause, EXITINFO_NONE);
	assert_string_equal(x.signal, "");
	assert_true(x.sender.pid == EXITINFO_UNSET);
	assert_string_equal(x.sender.name, "a\\x0ab");
	assert_false(x.core_dumped);
}

static void test_texts(void **state)
{
	char buf[12];
	(void)state;
	exitinfo_set_text(buf, sizeof(buf), "a b\n\x1b[", 6);
	assert_string_equal(buf, "a b\\x0a\\x1b"); /* cut behind a whole escape */
	exitinfo_set_text(buf, sizeof(buf), "\xc3\xbc", 2);
	assert_string_equal(buf, "\\xc3\\xbc");
	exitinfo_set_text(buf, sizeof(buf), "", 0);
	assert_string_equal(buf, "");
}

/* ---- words ---- */

static void assert_told(const struct exitinfo *x, const char *expected)
{
	_cleanup_arena_ struct arena arena;
	struct str out;
	arena_init(&arena);
	str_init(&out, &arena);
	report_exit(&out, "m1", x, REPORT_PLAIN);
	assert_string_equal(out.text, expected);
}

static void test_words_exit(void **state)
{
	struct exitinfo x;
	(void)state;
	exitinfo_init(&x);
	assert_true(report_exit_is_ordinary(&x));
	x.cause = EXITINFO_EXIT;
	x.code = 3;
	x.duration_ms = 61500;
	assert_true(report_exit_is_ordinary(&x));
	assert_told(&x, "m1: exited with status 3 after 1 m 01 s\n");
	x.pids_refused = 2;
	assert_false(report_exit_is_ordinary(&x));
	assert_told(&x, "m1: exited with status 3 after 1 m 01 s\n"
			"  note    its limit of processes (pids.max) refused 2 new ones\n");
}

static void test_words_signal(void **state)
{
	struct exitinfo x;
	(void)state;
	exitinfo_init(&x);
	x.cause = EXITINFO_SIGNAL;
	x.code = 143;
	SET(x.signal, "SIGTERM");
	x.duration_ms = 7250;
	assert_false(report_exit_is_ordinary(&x));
	assert_false(report_exit_is_error(&x));
	assert_told(&x, "m1: killed by SIGTERM after 7.2 s\n");
	x.sender.kind = EXITINFO_SENDER_UNKNOWN;
	assert_told(&x, "m1: killed by SIGTERM after 7.2 s; who sent it is not known\n");
	x.sender.kind = EXITINFO_SENDER_DELETE;
	assert_told(&x, "m1: killed by SIGTERM after 7.2 s by hull delete --force\n");
	x.sender.kind = EXITINFO_SENDER_PROCESS;
	x.sender.pid = 12;
	x.sender.uid = 1000;
	SET(x.sender.name, "kill");
	assert_told(&x, "m1: killed by SIGTERM after 7.2 s, which hull got from 'kill' "
			"(pid 12, user 1000)\n");
	x.sender.kind = EXITINFO_SENDER_KILL;
	assert_told(&x, "m1: killed by SIGTERM after 7.2 s by hull kill, called by 'kill' "
			"(pid 12, user 1000)\n");
}

static void test_words_oom(void **state)
{
	struct exitinfo x;
	(void)state;
	exitinfo_init(&x);
	x.cause = EXITINFO_OOM;
	x.oom.limit_of = EXITINFO_LIMIT_OWN;
	x.oom.limit = 16 << 20;
	x.oom.swap_limit = 0;
	x.oom.killed = 1;
	x.oom.pid = 31;
	x.oom.peak = 16 << 20;
	x.oom.anon = 16148070;
	x.oom.pressure = 71;
	x.line = 95;
	x.column = 18;
	x.duration_ms = 3000;
	SET(x.oom.name, "python3");
	assert_true(report_exit_is_error(&x));
	assert_told(&x, "m1: killed: out of memory after 3.0 s. 'python3' (pid 31 on the host) hit "
			"the container's own limit: 16.0 MiB, swap 0; 1 process killed\n"
			"  memory  peak 16.0 MiB  anon 15.4 MiB  pressure (10 s) some 71 %\n"
			"  hint    raise linux.resources.memory.limit (config.json:95:18), or see "
			"what takes the memory\n");
}

static void test_words_oom_of_others(void **state)
{
	struct exitinfo x;
	(void)state;
	exitinfo_init(&x);
	x.cause = EXITINFO_EXIT;
	x.code = 3;
	x.oom.limit_of = EXITINFO_LIMIT_PARENT;
	x.oom.limit = 2ull << 30;
	x.oom.killed = 2;
	x.oom.group = true;
	SET(x.oom.cgroup, "/machine.slice");
	assert_told(&x, "m1: exited with status 3, and before that memory ran out: a process hit "
			"the limit of the parent cgroup '/machine.slice': 2.0 GiB; it is not this "
			"container's; 2 processes killed as a group (memory.oom.group)\n"
			"  hint    raise memory.max of '/machine.slice', or see what else is below "
			"it\n");
	x.oom.limit_of = EXITINFO_LIMIT_HOST;
	x.oom.killed = 1;
	x.oom.group = false;
	assert_told(&x, "m1: exited with status 3, and before that memory ran out: a process was "
			"chosen when the host ran out of memory; 1 process killed\n");
}

static void test_words_seccomp(void **state)
{
	struct exitinfo x;
	(void)state;
	exitinfo_init(&x);
	x.cause = EXITINFO_SECCOMP;
	SET(x.seccomp.syscall, "mkdir");
	x.seccomp.number = 83;
	SET(x.seccomp.name, "sh");
	SET(x.seccomp.action, "SCMP_ACT_KILL_PROCESS");
	SET(x.seccomp.rule, "linux.seccomp.defaultAction");
	x.line = 70;
	x.column = 24;
	assert_told(&x, "m1: killed by seccomp: 'sh' called mkdir (83), rule: "
			"linux.seccomp.defaultAction SCMP_ACT_KILL_PROCESS (config.json:70:24)\n");
	x.seccomp.syscall[0] = '\0';
	assert_told(&x,
		    "m1: killed by seccomp: its profile forbids a system call that it made; "
		    "which one, the kernel log does not tell\n"
		    "  hint    with an audit daemon running it stands in its log (type=SECCOMP); "
		    "SCMP_ACT_TRAP is not logged\n");
}

static void test_log(void **state)
{
	_cleanup_arena_ struct arena arena;
	struct str out;
	struct exitinfo x;
	(void)state;
	arena_init(&arena);
	str_init(&out, &arena);
	exitinfo_init(&x);
	x.cause = EXITINFO_SIGNAL;
	SET(x.signal, "SIGTERM");
	report_log_exit(&out, "m1", &x, "now");
	assert_string_equal(out.text, "{\"level\":\"warning\",\"msg\":\"m1: killed by SIGTERM\","
				      "\"time\":\"now\",\"exit\":{\"cause\":\"signal\",\"signal\":"
				      "\"SIGTERM\"}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),       cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_foreign_values), cmocka_unit_test(test_texts),
		cmocka_unit_test(test_words_exit),     cmocka_unit_test(test_words_signal),
		cmocka_unit_test(test_words_oom),      cmocka_unit_test(test_words_oom_of_others),
		cmocka_unit_test(test_words_seccomp),  cmocka_unit_test(test_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
