/*
 * config-linux.md, Seccomp. Constants are libseccomp's; whether the library that is linked knows
 * an architecture or a system call is found out by seccomp/.
 */
#include "spec/spec_tables.h"

#include <seccomp.h>

const struct str_name spec_seccomp_actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
	{ NULL, 0 },
};

const struct str_name spec_seccomp_operators[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ NULL, 0 },
};

const struct str_name spec_seccomp_archs[] = {
	{ "SCMP_ARCH_X86", 0 },         { "SCMP_ARCH_X86_64", 0 },  { "SCMP_ARCH_X32", 0 },
	{ "SCMP_ARCH_ARM", 0 },         { "SCMP_ARCH_AARCH64", 0 }, { "SCMP_ARCH_LOONGARCH64", 0 },
	{ "SCMP_ARCH_M68K", 0 },        { "SCMP_ARCH_MIPS", 0 },    { "SCMP_ARCH_MIPS64", 0 },
	{ "SCMP_ARCH_MIPS64N32", 0 },   { "SCMP_ARCH_MIPSEL", 0 },  { "SCMP_ARCH_MIPSEL64", 0 },
	{ "SCMP_ARCH_MIPSEL64N32", 0 }, { "SCMP_ARCH_PPC", 0 },     { "SCMP_ARCH_PPC64", 0 },
	{ "SCMP_ARCH_PPC64LE", 0 },     { "SCMP_ARCH_S390", 0 },    { "SCMP_ARCH_S390X", 0 },
	{ "SCMP_ARCH_SH", 0 },          { "SCMP_ARCH_SHEB", 0 },    { "SCMP_ARCH_PARISC", 0 },
	{ "SCMP_ARCH_PARISC64", 0 },    { "SCMP_ARCH_RISCV64", 0 }, { NULL, 0 },
};

const struct str_name spec_seccomp_flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", 0 },
	{ "SECCOMP_FILTER_FLAG_LOG", 0 },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", 0 },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0 },
	{ NULL, 0 },
};

/* ---- rules ---- */

#define ERRNO_MAX    4095 /* the kernel's own limit for a filter's errno */
#define TRACE_MAX    UINT16_MAX
#define ARGUMENT_MAX 5

static const struct bind_key arg_keys[] = {
	BIND(UINT, "index", struct spec_seccomp_arg, index, BIND_RANGE(0, ARGUMENT_MAX),
	     .flags = BIND_REQUIRED),
	BIND(UINT, "value", struct spec_seccomp_arg, value, BIND_U64, .flags = BIND_REQUIRED),
	BIND(UINT, "valueTwo", struct spec_seccomp_arg, value_two, BIND_U64),
	BIND(ENUM, "op", struct spec_seccomp_arg, op, .names = spec_seccomp_operators,
	     .what = "operator", .flags = BIND_REQUIRED),
	{ .key = NULL },
};
static const struct bind_object arg_object = BIND_TABLE(struct spec_seccomp_arg, arg_keys);

/* Only two actions carry a number; with any other it would silently mean nothing (S-206). */
static void check_errno(struct bind *b, const struct spec_int *action, const struct spec_uint *ret)
{
	if (!action->at || !ret->at)
		return;
	uint64_t max = action->v == SCMP_ACT_ERRNO(0)   ? ERRNO_MAX
		       : action->v == SCMP_ACT_TRACE(0) ? TRACE_MAX
							: 0;
	if (max == 0)
		bind_error(b, ret->at, "%s takes no errno",
			   str_name_of(spec_seccomp_actions, action->v));
	else if (ret->v > max)
		bind_error(b, ret->at, "expected at most %llu, found %llu", (unsigned long long)max,
			   (unsigned long long)ret->v);
}

static void check_rule(struct bind *b, const struct json *node _unused_, void *object)
{
	const struct spec_seccomp_rule *rule = object;
	check_errno(b, &rule->action, &rule->errno_ret);
}

static const struct bind_key rule_keys[] = {
	BIND(STRV, "names", struct spec_seccomp_rule, names, .flags = BIND_REQUIRED | BIND_NONEMPTY,
	     .separators = " ,"),
	BIND(ENUM, "action", struct spec_seccomp_rule, action, .names = spec_seccomp_actions,
	     .what = "action", .flags = BIND_REQUIRED),
	BIND(UINT, "errnoRet", struct spec_seccomp_rule, errno_ret, BIND_U32),
	BIND(LIST, "args", struct spec_seccomp_rule, args, .object = &arg_object),
	{ .key = NULL },
};
static const struct bind_object rule_object = BIND_TABLE(struct spec_seccomp_rule, rule_keys,
							 .check = check_rule);

/* ---- the profile ---- */

static const struct spec_int *find_notify(const struct spec_seccomp *s)
{
	if (s->default_action.at && s->default_action.v == SCMP_ACT_NOTIFY)
		return &s->default_action;
	for (size_t i = 0; i < s->syscalls.n; i++) {
		const struct spec_int *action = &s->syscalls.v[i].action;
		if (action->at && action->v == SCMP_ACT_NOTIFY)
			return action;
	}
	return NULL;
}

static void check_seccomp(struct bind *b, const struct json *node _unused_, void *object)
{
	const struct spec_seccomp *s = object;
	check_errno(b, &s->default_action, &s->default_errno_ret);
	const struct spec_int *notify = find_notify(s);
	if (notify && !s->listener_path.at)
		bind_error(b, notify->at,
			   "SCMP_ACT_NOTIFY needs a listenerPath, but it is missing");
	if (s->listener_metadata.at && !s->listener_path.at)
		bind_error(b, s->listener_metadata.at,
			   "listenerMetadata needs a listenerPath, but it is missing");
}

static const struct bind_key seccomp_keys[] = {
	BIND(ENUM, "defaultAction", struct spec_seccomp, default_action,
	     .names = spec_seccomp_actions, .what = "action", .flags = BIND_REQUIRED),
	BIND(UINT, "defaultErrnoRet", struct spec_seccomp, default_errno_ret, BIND_U32),
	BIND(STRV, "architectures", struct spec_seccomp, architectures, .names = spec_seccomp_archs,
	     .what = "architecture"),
	BIND(STRV, "flags", struct spec_seccomp, flags, .names = spec_seccomp_flags,
	     .what = "filter flag"),
	BIND(STR, "listenerPath", struct spec_seccomp, listener_path, .flags = BIND_EMPTY_UNSET),
	BIND(STR, "listenerMetadata", struct spec_seccomp, listener_metadata,
	     .flags = BIND_EMPTY_UNSET),
	BIND(LIST, "syscalls", struct spec_seccomp, syscalls, .object = &rule_object),
	{ .key = NULL },
};
const struct bind_object spec_seccomp_object = BIND_TABLE(struct spec_seccomp, seccomp_keys,
							  .check = check_seccomp);
