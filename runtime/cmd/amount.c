/* Amounts for people: pure. */
#include "cmd/amount.h"

#include <inttypes.h>

#include "base/defer.h"

void amount_bytes(struct str *out, uint64_t bytes)
{
	static const char units[] = "KMGTP";
	double v = (double)bytes / 1024;
	size_t unit = 0;
	if (bytes < 1024) {
		str_printf(out, "%" PRIu64, bytes);
		return;
	}
	for (; v >= 1023.5 && units[unit + 1]; unit++)
		v /= 1024;
	str_printf(out, "%.*f %c", v < 9.95 ? 1 : 0, v, units[unit]);
}

void amount_age(struct str *out, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' } };
	if (seconds < 0)
		seconds = 0; /* somebody has set the clock */
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (seconds >= units[i].seconds) {
			str_printf(out, "%" PRId64 " %c", seconds / units[i].seconds,
				   units[i].unit);
			return;
		}
	str_printf(out, "%" PRId64 " s", seconds);
}
