/* The proleptic Gregorian calendar in UTC: days since 1970 become year, month and day. */
#include "base/clock.h"

#include <stdio.h>

#define DAY_SECONDS   86400
#define DAYS_400Y     146097 /* the calendar repeats every 400 years */
#define DAYS_TO_0000M 719468 /* from 0000-03-01, so that leap days end a year, to 1970-01-01 */

struct date {
	int64_t year;
	unsigned month, day;
};

static struct date date_of(int64_t days)
{
	days += DAYS_TO_0000M;
	int64_t era = (days >= 0 ? days : days - (DAYS_400Y - 1)) / DAYS_400Y;
	unsigned in_era = (unsigned)(days - era * DAYS_400Y);
	/* Take out the leap days of 4, 100 and 400 years, and whole years remain. */
	unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / (DAYS_400Y - 1)) / 365;
	unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
	/* From March on the months' lengths repeat in groups of five: 153 days. */
	unsigned from_march = (5 * in_year + 2) / 153;
	unsigned month = from_march < 10 ? from_march + 3 : from_march - 9;
	return (struct date) {
		.year = (int64_t)year + era * 400 + (month <= 2),
		.month = month,
		.day = in_year - (153 * from_march + 2) / 5 + 1,
	};
}

void clock_format(struct timespec t, char buf[static CLOCK_TEXT_SIZE])
{
	int64_t days = t.tv_sec / DAY_SECONDS, rest = t.tv_sec % DAY_SECONDS;
	if (rest < 0) {
		rest += DAY_SECONDS;
		days--;
	}
	struct date d = date_of(days);
	unsigned s = (unsigned)rest;
	snprintf(buf, CLOCK_TEXT_SIZE, "%04d-%02u-%02uT%02u:%02u:%02u.%09uZ", (int)d.year, d.month,
		 d.day, s / 3600, s / 60 % 60, s % 60, (unsigned)t.tv_nsec);
}

void clock_now(char buf[static CLOCK_TEXT_SIZE])
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_format(now, buf);
}

static int64_t days_of(struct date d)
{
	int64_t year = d.month <= 2 ? d.year - 1 : d.year, era = year / 400;
	int64_t in_era = year - era * 400;
	unsigned from_march = d.month > 2 ? d.month - 3 : d.month + 9;
	unsigned in_year = (153 * from_march + 2) / 5 + d.day - 1;
	return era * DAYS_400Y + in_era * 365 + in_era / 4 - in_era / 100 + in_year - DAYS_TO_0000M;
}

int64_t clock_parse(const char *text)
{
	unsigned year, month, day, hour, minute, second;
	int n = sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u", &year, &month, &day, &hour, &minute,
		       &second);
	if (n != 6 || year < 1970 || month < 1 || month > 12)
		return -1;
	int64_t days = days_of((struct date) { .year = year, .month = month, .day = day });
	return days * DAY_SECONDS + hour * 3600 + minute * 60 + second;
}

int64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
