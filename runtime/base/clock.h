/* Points in time: as text, and to wait until. */
#ifndef HULL_BASE_CLOCK_H
#define HULL_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_TEXT_SIZE 40

/*
 * Writes a time as RFC 3339 in UTC with nanoseconds, "2026-11-21T23:10:00.000000001Z". The
 * library's own functions would read the time zone files first, on every start.
 */
void clock_format(struct timespec t, char buf[static CLOCK_TEXT_SIZE]);

/* The current time in that form. */
void clock_now(char buf[static CLOCK_TEXT_SIZE]);

/* The seconds since 1970 of a text that clock_format() wrote; -1: it is none. */
int64_t clock_parse(const char *text);

/* CLOCK_MONOTONIC in milliseconds, for deadlines. No system call (vDSO), no errno. */
int64_t clock_ms(void);

#endif
