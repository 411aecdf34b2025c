/*
 * The list of problems of one file: in the order of the file, and bounded, so that a file that is
 * wrong in a million places costs no more than one that is wrong in twenty. Pure.
 */
#include "spec/spec.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned count_kept(const struct spec_problems *problems)
{
	unsigned n = 0;
	for (const struct spec_problem *p = problems->first; p; p = p->next)
		n++;
	return n;
}

/* The one that is missed least: the last warning, or the last error when there is no warning. */
static struct spec_problem **find_least(struct spec_problems *problems)
{
	struct spec_problem **least = &problems->first;
	for (struct spec_problem **p = &problems->first; *p; p = &(*p)->next)
		if ((*p)->severity == SPEC_WARNING || (*least)->severity == SPEC_ERROR)
			least = p;
	return least;
}

/* Memory for one more problem; NULL when those that are kept matter more. */
static struct spec_problem *make_room(struct arena *arena, struct spec_problems *problems,
				      enum spec_severity severity, uint32_t at)
{
	if (count_kept(problems) < SPEC_MAX_PROBLEMS)
		return arena_new(arena, struct spec_problem);
	struct spec_problem **least = find_least(problems), *freed = *least;
	if (severity == freed->severity ? at >= freed->err.at : severity == SPEC_WARNING)
		return NULL;
	*least = freed->next;
	return freed;
}

static void insert(struct spec_problems *problems, struct spec_problem *new)
{
	struct spec_problem **p = &problems->first;
	while (*p && (*p)->err.at <= new->err.at)
		p = &(*p)->next;
	new->next = *p;
	*p = new;
}

struct err *spec_problem_add(struct arena *arena, struct spec_problems *problems,
			     enum spec_severity severity, uint32_t at, const char *fmt, ...)
{
	if (severity == SPEC_ERROR)
		problems->errors++;
	else
		problems->warnings++;
	struct spec_problem *new = make_room(arena, problems, severity, at);
	if (!new)
		return NULL;
	char text[sizeof(new->err.message) + 8]; /* err marks a text that is cut */
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	new->severity = severity;
	(void)!err_say(&new->err, ERR_CONFIG, EINVAL, "%s", text);
	err_at(&new->err, at);
	insert(problems, new);
	return &new->err;
}

struct err *spec_problem_copy(struct arena *arena, struct spec_problems *problems,
			      enum spec_severity severity, const struct err *found)
{
	struct err *copy = spec_problem_add(arena, problems, severity, found->at, "%s",
					    found->message);
	if (copy)
		*copy = *found;
	return copy;
}
