/*
 * The benchmark's driver: runs the commands that stand in its input in turns, so that whatever
 * else the machine does meets all of them, and prints medians, minima and ratios. It starts
 * processes with its own rights and measures only them.
 *
 * Input: one command a line, words separated by blanks: GROUP NAME PROGRAM ARGUMENT... Ratios are
 * against the commands of the same group that are called "floor" and "crun". A group that begins
 * with "+" goes on from the line before it: such commands run one right after the other, as those
 * of one container's life, and their system calls are not counted. What they leave running is the
 * driver's to reap.
 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CASES 64
#define MAX_WORDS 32

extern char **environ;

struct bench_case {
	char *line;
	char *group;
	char *name;
	char *argv[MAX_WORDS];
	bool follows;    /* the one before it */
	bool is_chained; /* follows, or is followed; or nobody's system calls are counted */
	double *wall;    /* milliseconds, one for each round; sorted once all are there */
	double *cpu;
	struct trace trace;
};

struct bench {
	struct bench_case cases[MAX_CASES];
	size_t cases_n;
	size_t rounds;
	size_t warm_up; /* rounds before those */
	struct stat program;
};

static _Noreturn void die(const char *what, const char *object)
{
	fprintf(stderr, "bench: %s '%s': %s\n", what, object, strerrordesc_np(errno));
	exit(1);
}

/* ---- input ---- */

static void parse_line(char *line, struct bench_case *c)
{
	char *rest = line;
	char *words[MAX_WORDS + 2] = { NULL };
	size_t n = 0;

	while (rest != NULL && n < MAX_WORDS + 1) {
		char *word = strsep(&rest, " \t\n");

		if (*word != '\0')
			words[n++] = word;
	}
	if (n < 3) {
		errno = EINVAL;
		die("cannot understand line", line);
	}
	c->line = line;
	c->follows = c->is_chained = words[0][0] == '+';
	c->group = words[0] + c->follows;
	c->name = words[1];
	memcpy(c->argv, &words[2], (n - 2) * sizeof(char *));
}

static void read_cases(struct bench *b, bool counts)
{
	char *line = NULL;
	size_t size = 0;

	while (b->cases_n < MAX_CASES && getline(&line, &size, stdin) > 0) {
		struct bench_case *c = &b->cases[b->cases_n++];

		parse_line(line, c);
		c->is_chained = c->is_chained || !counts;
		if (c->follows && b->cases_n > 1)
			c[-1].is_chained = true;
		line = NULL; /* the case keeps it */
		c->wall = calloc(b->rounds, sizeof(double));
		c->cpu = calloc(b->rounds, sizeof(double));
		if (c->wall == NULL || c->cpu == NULL)
			die("cannot measure", c->name);
	}
	free(line);
}

/* ---- measuring ---- */

static double milliseconds(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) * 1e3 +
	       (double)(to->tv_nsec - from->tv_nsec) / 1e6;
}

static double cpu_milliseconds(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

static void check_status(const struct bench_case *c, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	errno = ECHILD;
	fprintf(stderr, "bench: %s %s failed with wait status %#x\n", c->group, c->name,
		(unsigned)status);
	exit(1);
}

/* Wall time from before the start to after the reaping; CPU time of it and all that it reaped. */
static void measure(struct bench_case *c, const posix_spawn_file_actions_t *actions,
		    double *ret_wall, double *ret_cpu)
{
	struct timespec from;
	struct timespec to;
	struct rusage usage;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &from);
	errno = posix_spawnp(&pid, c->argv[0], actions, NULL, c->argv, environ);
	if (errno != 0)
		die("cannot start", c->argv[0]);
	if (wait4(pid, &status, 0, &usage) != pid)
		die("cannot wait for", c->argv[0]);
	clock_gettime(CLOCK_MONOTONIC, &to);
	check_status(c, status);
	if (c->is_chained && (unsigned long)usage.ru_maxrss > c->trace.peak_kb)
		c->trace.peak_kb = (unsigned long)usage.ru_maxrss;
	*ret_wall = milliseconds(&from, &to);
	*ret_cpu = cpu_milliseconds(&usage);
}

/* Containers that their runtime has left are the driver's children when they end. */
static void reap_orphans(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* The case and those that follow it; `round` is negative while everything warms up. */
static void run_chain(struct bench *b, size_t first, const posix_spawn_file_actions_t *actions,
		      long round)
{
	double wall;
	double cpu;

	for (size_t i = first; i == first || (i < b->cases_n && b->cases[i].follows); i++) {
		struct bench_case *c = &b->cases[i];

		measure(c, actions, &wall, &cpu);
		reap_orphans();
		if (round < 0)
			continue;
		c->wall[round] = wall;
		c->cpu[round] = cpu;
	}
}

/* In each round every case runs once, and another one begins. */
static void run_rounds(struct bench *b)
{
	posix_spawn_file_actions_t actions;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		die("cannot be a reaper", "bench");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	for (size_t round = 0; round < b->rounds + b->warm_up; round++) {
		for (size_t i = 0; i < b->cases_n; i++) {
			size_t first = (i + round) % b->cases_n;

			if (!b->cases[first].follows)
				run_chain(b, first, &actions, (long)round - (long)b->warm_up);
		}
	}
	posix_spawn_file_actions_destroy(&actions);
}

static void trace_cases(struct bench *b)
{
	for (size_t i = 0; i < b->cases_n; i++) {
		struct bench_case *c = &b->cases[i];
		if (c->is_chained)
			continue;
		int r = trace_run(c->argv, &b->program, &c->trace);

		errno = -r;
		if (r < 0)
			die("cannot trace", c->argv[0]);
		check_status(c, c->trace.status);
	}
}

/* ---- output ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void sort_all(struct bench *b)
{
	for (size_t i = 0; i < b->cases_n; i++) {
		qsort(b->cases[i].wall, b->rounds, sizeof(double), compare);
		qsort(b->cases[i].cpu, b->rounds, sizeof(double), compare);
	}
}

static double median(const struct bench *b, const double *sorted)
{
	size_t half = b->rounds / 2;

	return b->rounds % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/* The ratio of a case's median wall time to that of the one called `name` in its group; 0: none. */
static double ratio(const struct bench *b, const struct bench_case *c, const char *name)
{
	for (size_t i = 0; i < b->cases_n; i++) {
		const struct bench_case *other = &b->cases[i];

		if (strcmp(other->group, c->group) == 0 && strcmp(other->name, name) == 0)
			return median(b, c->wall) / median(b, other->wall);
	}
	return 0;
}

/* Nothing where there is nobody to compare with. */
static void ratio_text(double ratio, char text[16])
{
	text[0] = '\0';
	if (ratio > 0)
		snprintf(text, 16, "%.2f", ratio);
}

static void print_row(const struct bench *b, const struct bench_case *c, const char *group)
{
	char floor[16];
	char crun[16];

	ratio_text(ratio(b, c, "floor"), floor);
	ratio_text(ratio(b, c, "crun"), crun);
	printf("%-10s %-8s %8.2f %6.2f %10.2f %6.2f %9lu", group, c->name, median(b, c->wall),
	       c->wall[0], median(b, c->cpu), c->cpu[0], c->trace.peak_kb);
	if (c->is_chained)
		printf(" %7s %6s %9s %7s\n", "", "", "", crun);
	else
		printf(" %7lu %6lu %9s %7s\n", c->trace.calls, c->trace.tasks, floor, crun);
}

/* Does a case before it have the same group? Then that one prints it. */
static bool is_printed(const struct bench *b, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(b->cases[i].group, b->cases[index].group) == 0)
			return true;
	return false;
}

static void print_table(const struct bench *b)
{
	printf("%zu rounds, interleaved; times in ms\n\n", b->rounds);
	printf("%-10s %-8s %15s %17s %9s %7s %6s %9s %7s\n", "", "", "wall med   min",
	       "cpu med   min", "peak kB", "calls", "tasks", "to floor", "to crun");
	for (size_t i = 0; i < b->cases_n; i++) {
		const char *group = b->cases[i].group;

		if (is_printed(b, i))
			continue;
		for (size_t k = i; k < b->cases_n; k++)
			if (strcmp(b->cases[k].group, b->cases[i].group) == 0) {
				print_row(b, &b->cases[k], group);
				group = "";
			}
	}
}

static void print_json(const struct bench *b)
{
	printf("[\n");
	for (size_t i = 0; i < b->cases_n; i++) {
		const struct bench_case *c = &b->cases[i];

		printf("  {\"group\": \"%s\", \"name\": \"%s\", \"rounds\": %zu,\n", c->group,
		       c->name, b->rounds);
		printf("   \"wall_ms\": {\"median\": %.3f, \"min\": %.3f},\n", median(b, c->wall),
		       c->wall[0]);
		printf("   \"cpu_ms\": {\"median\": %.3f, \"min\": %.3f},\n", median(b, c->cpu),
		       c->cpu[0]);
		printf("   \"peak_kb\": %lu, \"calls\": %lu, \"tasks\": %lu}%s\n", c->trace.peak_kb,
		       c->trace.calls, c->trace.tasks, i + 1 < b->cases_n ? "," : "");
	}
	printf("]\n");
}

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: bench [-n ROUNDS] [-w ROUNDS] [-j] [-p PROGRAM] <CASES\n"
			"  -w  rounds before those, that are not counted (3)\n"
			"  -p  the file that the containers execute, as seen from here;\n"
			"      without it no system calls are counted\n"
			"  -j  print JSON\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct bench b = { .rounds = 20, .warm_up = 3 };
	const char *program = NULL;
	int json = 0;
	int option;

	while ((option = getopt(argc, argv, "n:w:jp:")) != -1) {
		if (option == 'n')
			b.rounds = strtoul(optarg, NULL, 10);
		else if (option == 'w')
			b.warm_up = strtoul(optarg, NULL, 10);
		else if (option == 'j')
			json = 1;
		else if (option == 'p')
			program = optarg;
		else
			usage();
	}
	if (optind != argc || b.rounds == 0)
		usage();
	if (program != NULL && stat(program, &b.program) < 0)
		die("cannot find", program);
	read_cases(&b, program != NULL);
	run_rounds(&b);
	trace_cases(&b);
	sort_all(&b);
	if (json)
		print_json(&b);
	else
		print_table(&b);
	return 0;
}
