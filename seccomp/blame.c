/*
 * Which rule of a profile has killed: from the numbers that the kernel logs back to the place in
 * config.json; and whether it forbids a call before one is made. Pure; runs in the parent. The
 * arguments of the call are not logged, so of several rules that fit the first one is named.
 */
#include "seccomp/profile.h"

#include <seccomp.h>

static const struct str_name arch_names[] = {
	{ "x86_64", SCMP_ARCH_X86_64 },   { "x86", SCMP_ARCH_X86 },
	{ "x32", SCMP_ARCH_X32 },         { "aarch64", SCMP_ARCH_AARCH64 },
	{ "arm", SCMP_ARCH_ARM },         { "ppc64le", SCMP_ARCH_PPC64LE },
	{ "s390x", SCMP_ARCH_S390X },     { "s390", SCMP_ARCH_S390 },
	{ "riscv64", SCMP_ARCH_RISCV64 }, { NULL, 0 },
};

/* For the kernel x32 is x86_64 with a bit in the number, for libseccomp it is another one. */
#define BLAME_X32_BIT 0x40000000

static uint32_t arch_of(const struct seccomp_event *event)
{
	bool is_x32 = event->arch == SCMP_ARCH_X86_64 && (event->number & BLAME_X32_BIT);
	return is_x32 ? SCMP_ARCH_X32 : event->arch;
}

static const char *name_of(uint32_t arch, int number, struct arena *arena)
{
	_cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(arch, number);
	return name ? arena_strdup(arena, name) : NULL;
}

static bool is_named(const struct spec_seccomp *spec, uint32_t arch)
{
	if (arch == seccomp_arch_native())
		return true;
	for (size_t i = 0; i < spec->architectures.n; i++)
		if (profile_arch_token(spec->architectures.v[i].s) == arch)
			return true;
	return false;
}

static bool blame_rule(const struct spec_seccomp_rule *rule, struct seccomp_blame *ret)
{
	for (size_t i = 0; i < rule->names.n; i++) {
		if (!str_eq(rule->names.v[i].s, ret->syscall))
			continue;
		ret->at = rule->names.v[i].at;
		ret->action_at = rule->action.at;
		return true;
	}
	return false;
}

void seccomp_blame(const struct spec_seccomp *spec, const struct seccomp_event *event,
		   struct arena *arena, struct seccomp_blame *ret)
{
	*ret = (struct seccomp_blame) { .at = spec->at };
	uint32_t arch = arch_of(event);
	ret->syscall = name_of(arch, event->number, arena);
	if (arch != seccomp_arch_native())
		ret->arch = str_name_of(arch_names, arch);
	if (!is_named(spec, arch)) { /* libseccomp's filter kills those that it is not for */
		ret->at = spec->architectures.at ? spec->architectures.at : spec->at;
		return;
	}
	for (size_t i = 0; ret->syscall && i < spec->syscalls.n; i++)
		if ((uint32_t)spec->syscalls.v[i].action.v == event->action &&
		    blame_rule(&spec->syscalls.v[i], ret))
			return;
	if ((uint32_t)spec->default_action.v == event->action)
		ret->at = ret->action_at = spec->default_action.at;
}

/* ---- before a start ---- */

static bool names(const struct spec_seccomp_rule *rule, const char *syscall)
{
	for (size_t i = 0; i < rule->names.n; i++)
		if (str_eq(rule->names.v[i].s, syscall))
			return true;
	return false;
}

/* Not what a tracer or an agent decides. */
static bool is_forbidding(int64_t action)
{
	return action == SCMP_ACT_KILL || action == SCMP_ACT_KILL_PROCESS ||
	       action == SCMP_ACT_TRAP || action == SCMP_ACT_ERRNO(0);
}

bool seccomp_forbids(const struct spec_seccomp *spec, const char *syscall,
		     struct seccomp_event *ret, int *ret_errno)
{
	const struct spec_int *action = &spec->default_action;
	const struct spec_uint *errno_ret = &spec->default_errno_ret;
	uint32_t value;

	if (!spec->at)
		return false;
	for (size_t i = 0; i < spec->syscalls.n; i++) {
		const struct spec_seccomp_rule *rule = &spec->syscalls.v[i];
		if (!names(rule, syscall) || rule->action.v == spec->default_action.v)
			continue;
		if (rule->args.n) /* who knows which arguments they will be */
			return false;
		action = &rule->action;
		errno_ret = &rule->errno_ret;
	}
	if (!is_forbidding(action->v) || profile_action(action, errno_ret, &value, NULL) < 0)
		return false;
	*ret = (struct seccomp_event) {
		.arch = seccomp_arch_native(),
		.number = seccomp_syscall_resolve_name(syscall),
		.action = (uint32_t)action->v,
	};
	*ret_errno = action->v == SCMP_ACT_ERRNO(0) ? (int)(value & SECCOMP_RET_DATA) : 0;
	return true;
}
