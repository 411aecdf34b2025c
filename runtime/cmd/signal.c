/* The names of signals, which the C library knows, and those of real time, which count from two
 * ends. */
#include "cmd/signal.h"

#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define SIGNAL_KERNEL_MAX 64

static const char *next_name(void *state)
{
	int *signal = state;
	while (*signal < SIGNAL_KERNEL_MAX) {
		const char *name = sigabbrev_np((*signal)++);
		if (name)
			return name;
	}
	return NULL;
}

static int by_name(const char *name)
{
	for (int signal = 1; signal <= SIGNAL_KERNEL_MAX; signal++) {
		const char *known = sigabbrev_np(signal);
		if (known && strcasecmp(known, name) == 0)
			return signal;
	}
	return -1;
}

/* "RTMIN", "RTMIN+3", "RTMAX-1". */
static int by_real_time(const char *name)
{
	uint64_t offset = 0;
	bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
	if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
		return -1;
	if (name[5] && (name[5] != (from_min ? '+' : '-') ||
			str_to_u64(name + 6, (uint64_t)(SIGRTMAX - SIGRTMIN), &offset) < 0))
		return -1;
	return from_min ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
}

int signal_parse(const char *text, int *ret, struct err *err)
{
	uint64_t number;
	int first = 1, ignored;
	if (str_to_u64(text, SIGNAL_KERNEL_MAX, &number) == 0) {
		*ret = (int)number;
		return 0;
	}
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	int signal = by_name(name);
	if (signal < 0)
		signal = by_real_time(name);
	if (signal > 0) {
		*ret = signal;
		return 0;
	}
	const char *near = text[0] == '-' && signal_parse(text + 1, &ignored, NULL) == 0
				   ? text + 1
				   : str_nearest(name, next_name, &first);
	if (near)
		return err_say(err, ERR_CONFIG, EINVAL, "unknown signal '%s'; did you mean '%s'?",
			       text, near);
	err_say(err, ERR_CONFIG, EINVAL, "unknown signal '%s'", text);
	err_hint(err, "a signal is a number from 0 to %d or a name such as TERM",
		 SIGNAL_KERNEL_MAX);
	return -EINVAL;
}
