/*
 * Planning the memory policy (S-196, S-197): from which memory nodes the program gets its pages.
 * The kernel leaves out in silence what is not there; a node that config.json names and this host
 * does not have is an error here. Lists of numbers are read here, too, those of CPUs as well. Pure.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "plan/parts.h"

/* A number that *text begins with, behind which it then stands; -1: none. */
static long parse_number(const char **text)
{
	char *end;
	*text += strspn(*text, " ");
	if (!isdigit((unsigned char)**text))
		return -1;
	unsigned long n = strtoul(*text, &end, 10);
	*text = end + strspn(end, " ");
	return n < CPU_SETSIZE ? (long)n : -1;
}

bool plan_parse_list(const char *text, cpu_set_t *set)
{
	for (;; text++) {
		long first = parse_number(&text), last = first;
		if (*text == '-') {
			text++;
			last = parse_number(&text);
		}
		if (first < 0 || last < first)
			return false;
		for (; first <= last; first++)
			CPU_SET((size_t)first, set);
		if (*text != ',')
			return *text == '\0';
	}
}

/* "0-1,4" */
static void append_list(struct str *out, const cpu_set_t *set)
{
	const char *separator = "";
	for (size_t i = 0; i < CPU_SETSIZE; i++) {
		size_t first = i;
		if (!CPU_ISSET(i, set))
			continue;
		while (i + 1 < CPU_SETSIZE && CPU_ISSET(i + 1, set))
			i++;
		str_printf(out, "%s%zu", separator, first);
		if (i > first)
			str_printf(out, "-%zu", i);
		separator = ",";
	}
}

static int check_nodes(const struct planner *p, const struct spec_str *list,
		       const cpu_set_t *wanted, struct err *err)
{
	const cpu_set_t *known = &p->host->memory_nodes;
	if (CPU_COUNT(known) == 0)
		return 0;
	for (size_t i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, wanted) || CPU_ISSET(i, known))
			continue;
		err_say(err, ERR_HOST, EINVAL, "this host has no memory node %zu", i);
		struct str list_of;
		str_init(&list_of, p->arena);
		append_list(&list_of, known);
		err_hint(err, "it has %s", list_of.text);
		err_at(err, list->at);
		return -EINVAL;
	}
	return 0;
}

int plan_make_memory_policy(const struct planner *p, struct err *err)
{
	const struct spec_memory_policy *spec = &p->spec->linux.memory_policy;
	struct plan_memory_policy *policy = &p->plan->process.memory_policy;

	if (!spec->at)
		return 0;
	policy->is_wanted = true;
	policy->mode = (int)spec->mode.v;
	policy->flags = spec->flags;
	policy->at = spec->at;
	if (!spec->nodes.s || !*spec->nodes.s)
		return 0;
	if (!plan_parse_list(spec->nodes.s, &policy->nodes)) {
		err_say(err, ERR_CONFIG, EINVAL,
			"expected a list of memory nodes below %d such as 0-1, found \"%s\"",
			CPU_SETSIZE, spec->nodes.s);
		err_at(err, spec->nodes.at);
		return -EINVAL;
	}
	return check_nodes(p, &spec->nodes, &policy->nodes, err);
}

void plan_print_memory_policy(const struct plan_process *process, struct str *out)
{
	const struct plan_memory_policy *policy = &process->memory_policy;
	if (!policy->is_wanted)
		return;
	str_printf(out, "drop        memory policy %s",
		   str_name_of(spec_memory_modes, policy->mode));
	if (CPU_COUNT(&policy->nodes) > 0) {
		str_append(out, ", nodes ");
		append_list(out, &policy->nodes);
	}
	for (const struct str_name *f = spec_memory_flags; f->name; f++)
		if (policy->flags & (unsigned)f->value)
			str_printf(out, ", %s", f->name);
	str_append(out, "\n");
}
