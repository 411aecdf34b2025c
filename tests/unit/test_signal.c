/* Signals as people and engines write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>

#include "cmd/signal.h"

static void good(const char *text, int expected)
{
	struct err err = { 0 };
	int signal = -1;
	assert_int_equal(signal_parse(text, &signal, &err), 0);
	assert_int_equal(signal, expected);
}

static void bad(const char *text, const char *message)
{
	struct err err = { 0 };
	int signal = -1;
	assert_int_equal(signal_parse(text, &signal, &err), -EINVAL);
	assert_string_equal(err.message, message);
	assert_int_equal(signal, -1);
}

static void numbers(void **state _unused_)
{
	good("0", 0);
	good("9", SIGKILL);
	good("64", 64);
	bad("65", "unknown signal '65'");
	bad("-9", "unknown signal '-9'; did you mean '9'?");
	bad("9x", "unknown signal '9x'");
	bad("", "unknown signal ''");
}

static void names(void **state _unused_)
{
	good("TERM", SIGTERM);
	good("SIGTERM", SIGTERM);
	good("sigwinch", SIGWINCH);
	good("hup", SIGHUP);
	bad("SIG", "unknown signal 'SIG'");
	bad("TREM", "unknown signal 'TREM'; did you mean 'TERM'?");
	bad("SIGKIL", "unknown signal 'SIGKIL'; did you mean 'KILL'?");
}

static void real_time(void **state _unused_)
{
	good("RTMIN", SIGRTMIN);
	good("SIGRTMIN+3", SIGRTMIN + 3);
	good("rtmax-1", SIGRTMAX - 1);
	good("RTMAX", SIGRTMAX);
	bad("RTMIN+31", "unknown signal 'RTMIN+31'");
	bad("RTMAX+1", "unknown signal 'RTMAX+1'");
	bad("RTMIN-1", "unknown signal 'RTMIN-1'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(names),
		cmocka_unit_test(real_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
