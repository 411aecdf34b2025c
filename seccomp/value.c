/*
 * The values of a profile: names of architectures, flags and actions in config.json, and what
 * libseccomp and seccomp(2) call them. Tables and arithmetic; runs in the parent.
 */
#include "seccomp/profile.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#define VALUE_MAX_ERRNO 4094 /* libseccomp takes no more; the kernel cuts down to 4095 */
#define VALUE_MAX_TRACE 0xffff

/* ---- architectures ---- */

uint32_t profile_arch_token(const char *name)
{
	static const char prefix[] = "SCMP_ARCH_";
	char lower[32];
	size_t i;

	if (!str_has_prefix(name, prefix))
		return 0;
	name += sizeof(prefix) - 1;
	for (i = 0; name[i] && i < sizeof(lower) - 1; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
	lower[i] = '\0';
	return name[i] ? 0 : seccomp_arch_resolve_name(lower);
}

bool seccomp_knows_arch(const char *name)
{
	return profile_arch_token(name) != 0;
}

/*
 * No kernel runs programs of the other byte order: what a profile says of them is as true without,
 * and libseccomp takes no filter for both.
 */
static bool is_of_this_byte_order(uint32_t token)
{
	return ((token ^ seccomp_arch_native()) & __AUDIT_ARCH_LE) == 0;
}

static void add_arch(struct profile_arches *arches, uint32_t token)
{
	if (!is_of_this_byte_order(token))
		return;
	for (size_t i = 0; i < arches->n; i++)
		if (arches->tokens[i] == token)
			return;
	arches->tokens[arches->n++] = token;
}

/* The native one always: without it the program itself could not run (it would be killed). */
int profile_arches(const struct spec_seccomp *spec, struct arena *arena, struct profile_arches *ret,
		   struct err *err)
{
	const struct spec_strv *names = &spec->architectures;
	struct profile_arches arches = {
		.tokens = arena_array(arena, names->n + 1, sizeof(*arches.tokens)),
	};

	add_arch(&arches, seccomp_arch_native());
	for (size_t i = 0; i < names->n; i++) {
		uint32_t token = profile_arch_token(names->v[i].s);
		if (token == 0) {
			int r = err_say(err, ERR_HOST, EINVAL,
					"this libseccomp does not know the architecture '%s'",
					names->v[i].s);
			err_at(err, names->v[i].at);
			return r;
		}
		add_arch(&arches, token);
	}
	*ret = arches;
	return 0;
}

/* ---- flags ---- */

static const struct str_name flag_names[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ NULL, 0 },
};

unsigned profile_flag(const char *name)
{
	const struct str_name *flag = str_name_find(flag_names, name);
	return flag ? (unsigned)flag->value : 0;
}

static bool has_notify(const struct spec_seccomp *spec)
{
	if (spec->default_action.v == SCMP_ACT_NOTIFY)
		return true;
	for (size_t i = 0; i < spec->syscalls.n; i++)
		if (spec->syscalls.v[i].action.v == SCMP_ACT_NOTIFY)
			return true;
	return false;
}

int profile_flags(const struct spec_seccomp *spec, struct seccomp_filter *ret, struct err *err)
{
	/* What runc and crun do where nothing is said (S-208); an empty list says: none. */
	unsigned flags = spec->flags.at ? 0 : SECCOMP_FILTER_FLAG_SPEC_ALLOW;

	for (size_t i = 0; i < spec->flags.n; i++) {
		unsigned flag = profile_flag(spec->flags.v[i].s);
		if (!flag) {
			int r = err_say(err, ERR_CONFIG, EINVAL, "unknown seccomp flag '%s'",
					spec->flags.v[i].s);
			err_at(err, spec->flags.v[i].at);
			return r;
		}
		flags |= flag;
	}
	ret->has_notify = has_notify(spec);
	/* It says how to wait for a listener; the kernel refuses it where there is none. */
	if (!ret->has_notify)
		flags &= ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	ret->flags = flags;
	return 0;
}

/* ---- actions ---- */

int profile_action(const struct spec_int *action, const struct spec_uint *errno_ret, uint32_t *ret,
		   struct err *err)
{
	uint32_t base = (uint32_t)action->v;
	bool takes_errno = base == SCMP_ACT_ERRNO(0) || base == SCMP_ACT_TRACE(0);
	uint64_t max = base == SCMP_ACT_ERRNO(0) ? VALUE_MAX_ERRNO : VALUE_MAX_TRACE;
	uint64_t value = errno_ret->at ? errno_ret->v : EPERM;
	int r;

	if (!action->at)
		return err_say(err, ERR_CONFIG, EINVAL, "a seccomp action is missing");
	if (takes_errno && value <= max) {
		*ret = base | (uint32_t)value;
		return 0;
	}
	if (!takes_errno && !errno_ret->at) {
		*ret = base;
		return 0;
	}
	if (takes_errno)
		r = err_say(err, ERR_CONFIG, ERANGE, "seccomp errno %llu is larger than %llu",
			    (unsigned long long)value, (unsigned long long)max);
	else
		r = err_say(err, ERR_CONFIG, EINVAL,
			    "errnoRet is given for a seccomp action that returns no errno");
	err_at(err, errno_ret->at);
	return r;
}
