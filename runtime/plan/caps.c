/*
 * Planning the capabilities: five sets of names become five masks. A name that is unknown or that
 * this host cannot grant is a warning and is left out (S-103); an absent set is empty.
 */
#include <sys/capability.h>

#include "plan/parts.h"

const char *const plan_capset_names[PLAN_CAP_SETS] = {
	[PLAN_CAP_BOUNDING] = "bounding",       [PLAN_CAP_EFFECTIVE] = "effective",
	[PLAN_CAP_INHERITABLE] = "inheritable", [PLAN_CAP_PERMITTED] = "permitted",
	[PLAN_CAP_AMBIENT] = "ambient",
};

/* The bit of a name, or 0 with a warning. `granted` is what this host can give to that set. */
static uint64_t cap_bit(const struct planner *p, const struct spec_str *name, const char *set,
			uint64_t granted)
{
	cap_value_t value;

	if (cap_from_name(name->s, &value) != 0 || value < 0 || value >= 64)
		return 0; /* unknown: spec_check has warned */
	uint64_t bit = UINT64_C(1) << value;
	if (granted & bit)
		return bit;
	struct err *warning = spec_problem_add(p->arena, p->problems, SPEC_WARNING, name->at,
					       "%s cannot be granted here and is left out",
					       name->s);
	if (warning)
		err_hint(warning, "the %s set of hull's caller lacks it",
			 set == plan_capset_names[PLAN_CAP_BOUNDING] ? "bounding" : "permitted");
	return 0;
}

static uint64_t cap_mask(const struct planner *p, const struct spec_strv *names, const char *set,
			 uint64_t granted)
{
	uint64_t mask = 0;
	for (size_t i = 0; i < names->n; i++)
		mask |= cap_bit(p, &names->v[i], set, granted);
	return mask;
}

/* Those of a set that the kernel does not give, or not for long, because another set lacks them. */
static void warn_outside(const struct planner *p, const struct spec_strv *names, uint64_t outside,
			 const char *why, const char *lacking)
{
	struct str list;
	uint32_t at = 0;
	cap_value_t value;

	if (!outside)
		return;
	str_init(&list, p->arena);
	for (size_t i = 0; i < names->n; i++) {
		if (cap_from_name(names->v[i].s, &value) != 0 || !(outside >> value & 1))
			continue;
		str_printf(&list, "%s%s", at ? ", " : "", names->v[i].s);
		at = at ? at : names->v[i].at;
	}
	struct err *warning = spec_problem_add(p->arena, p->problems, SPEC_WARNING, at,
					       "not in capabilities.%s, and so %s: %.1000s",
					       lacking, why, list.text);
	err_hint(warning, "add to capabilities.%s what the program is to have", lacking);
}

/* One warning for all of them: buildah lists a dozen that are not inheritable. */
static void warn_ambient(const struct planner *p)
{
	struct err *warning = spec_problem_add(
		p->arena, p->problems, SPEC_WARNING, p->spec->process.capabilities.ambient.at,
		"ambient capabilities that are not permitted and inheritable are left out");
	err_hint(warning, "add them to capabilities.permitted and capabilities.inheritable");
}

/* The kernel's own rules (capabilities(7)): each set bounds the next one. */
static void apply_rules(const struct planner *p)
{
	const struct spec_capabilities *spec = &p->spec->process.capabilities;
	uint64_t *caps = p->plan->process.caps;
	uint64_t bounding = caps[PLAN_CAP_BOUNDING];

	warn_outside(p, &spec->effective, caps[PLAN_CAP_EFFECTIVE] & ~caps[PLAN_CAP_PERMITTED],
		     "left out", "permitted");
	warn_outside(p, &spec->inheritable, caps[PLAN_CAP_INHERITABLE] & ~bounding, "left out",
		     "bounding");
	warn_outside(p, &spec->permitted, caps[PLAN_CAP_PERMITTED] & ~bounding,
		     "lost when the program is executed", "bounding");
	caps[PLAN_CAP_EFFECTIVE] &= caps[PLAN_CAP_PERMITTED];
	caps[PLAN_CAP_INHERITABLE] &= bounding;
	uint64_t ambient_needs = caps[PLAN_CAP_PERMITTED] & caps[PLAN_CAP_INHERITABLE];
	if (caps[PLAN_CAP_AMBIENT] & ~ambient_needs) {
		warn_ambient(p);
		caps[PLAN_CAP_AMBIENT] &= ambient_needs;
	}
}

void plan_make_capabilities(const struct planner *p)
{
	const struct spec_capabilities *spec = &p->spec->process.capabilities;
	struct plan_process *process = &p->plan->process;
	const struct plan_user *user = &p->plan->user;
	/* In a user namespace the first process has them all, over what is the namespace's. */
	bool has_all = user->is_new || user->is_joined;
	uint64_t permitted = has_all ? p->host->caps_known : p->host->caps_permitted;
	uint64_t bounding = has_all ? p->host->caps_known : p->host->caps_bounding;
	const struct spec_strv *const sets[PLAN_CAP_SETS] = {
		[PLAN_CAP_BOUNDING] = &spec->bounding,
		[PLAN_CAP_EFFECTIVE] = &spec->effective,
		[PLAN_CAP_INHERITABLE] = &spec->inheritable,
		[PLAN_CAP_PERMITTED] = &spec->permitted,
		[PLAN_CAP_AMBIENT] = &spec->ambient,
	};

	for (int i = 0; i < PLAN_CAP_SETS; i++)
		process->caps[i] = cap_mask(p, sets[i], plan_capset_names[i],
					    i == PLAN_CAP_BOUNDING ? bounding : permitted);
	apply_rules(p);
	process->caps_drop = bounding & ~process->caps[PLAN_CAP_BOUNDING];
	process->caps_at = spec->at;
}
