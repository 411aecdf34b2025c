/*
 * The last part of the plan as text: what becomes of the container's process, from the privileges
 * that it loses to the program that it executes.
 */
#include <sys/capability.h>
#include <sys/personality.h>

#include "base/str.h"
#include "plan/parts.h"

static void print_caps(const struct plan_process *process, struct str *out)
{
	for (int set = 0; set < PLAN_CAP_SETS; set++) {
		str_printf(out, "drop        %s:", plan_capset_names[set]);
		for (int cap = 0; cap < 64; cap++) {
			if (!(process->caps[set] >> cap & 1))
				continue;
			char *name = cap_to_name(cap);
			str_printf(out, " %s", name ? name : "?");
			cap_free(name);
		}
		str_append(out, process->caps[set] ? "\n" : " none\n");
	}
}

static void print_drop(const struct plan *plan, struct str *out)
{
	const struct plan_process *process = &plan->process;

	if (process->no_new_privs)
		str_append(out, "drop        no new privileges\n");
	if (process->has_personality)
		str_printf(out, "drop        personality %s\n",
			   process->personality == PER_LINUX32 ? "LINUX32" : "LINUX");
	plan_print_memory_policy(process, out);
	str_printf(out, "drop        user %u, group %u", process->uid, process->gid);
	for (size_t i = 0; i < process->groups_n; i++)
		str_printf(out, "%s%u", i ? " " : ", additional groups ", process->groups[i]);
	if (process->has_umask)
		str_printf(out, ", umask %04o", process->umask);
	str_append(out, "\n");
	print_caps(process, out);
	str_printf(out, "cwd         %s\n", process->cwd);
	if (plan_moves(plan))
		str_append(out, "clone       again, into the joined pid namespace\n");
}

static void print_env(const struct plan_process *process, struct str *out)
{
	for (size_t i = 0; process->env[i]; i++) {
		if ((int)i == process->home_index)
			str_append(out, "env         HOME= from the container's /etc/passwd\n");
		else if (process->env[i] == process->listen_pid)
			str_append(out, "env         LISTEN_PID= the program's number\n");
		else
			str_printf(out, "env         %s\n", process->env[i]);
	}
}

static void print_exec(const struct plan *plan, struct str *out)
{
	const struct plan_process *process = &plan->process;

	print_env(process, out);
	str_printf(out, "files       all from %u on are closed\n", process->first_closed_fd);
	for (size_t i = 0; i < process->rlimits_n; i++)
		str_printf(out, "rlimit      %d: %llu, at most %llu\n",
			   process->rlimits[i].resource,
			   (unsigned long long)process->rlimits[i].limit.rlim_cur,
			   (unsigned long long)process->rlimits[i].limit.rlim_max);
	plan_print_scheduling(process, out);
	plan_print_hooks(plan, PLAN_HOOK_START_CONTAINER, out);
	if (plan->flags & PLAN_INIT)
		str_append(out,
			   "init        process 1 is hull's own: it forwards signals and reaps, "
			   "the program is its child\n");
	for (int n = 1; n <= 64; n++)
		if (process->reset_signals >> (n - 1) & 1)
			str_printf(out, "signals     %d is no longer ignored\n", n);
	if (plan->listener.is_wanted)
		str_printf(out, "listener    of seccomp, to %s%s\n", plan->listener.path,
			   plan->listener.hears_of_exec ? ", which must let the program start"
							: "");
	if (plan->spec->linux.seccomp.at)
		str_printf(out, "filter      seccomp, %zu rules\n",
			   plan->spec->linux.seccomp.syscalls.n);
	str_append(out,
		   process->args[0] ? "exec       " : "exec        nothing: there is no process");
	for (size_t i = 0; process->args[i]; i++)
		str_printf(out, " %s", process->args[i]);
	str_append(out, "\n");
}

void plan_print_process(const struct plan *plan, struct str *out)
{
	print_drop(plan, out);
	print_exec(plan, out);
}
