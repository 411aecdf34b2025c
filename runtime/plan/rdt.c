/*
 * Planning the share of the processor's caches and memory bandwidth (S-186 to S-195): which class
 * of service of resctrl the container is in, and what is written for it, in the order of the items.
 * Pure.
 */
#include <string.h>

#include "plan/parts.h"

/* What stands in resctrl's root beside the classes. */
static bool is_reserved(const char *name)
{
	static const char *const names[] = { "info", "mon_groups", "mon_data" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

static int check_class(const struct planner *p, const struct plan_rdt *rdt, struct err *err)
{
	if (!is_reserved(rdt->class))
		return 0;
	err_say(err, ERR_CONFIG, EINVAL, "'%s' is no class of service: resctrl uses that name",
		rdt->class);
	err_hint(err, rdt->is_named ? "choose another closID"
				    : "without a closID it is the container's id");
	err_at(err, p->spec->linux.intel_rdt.at);
	return -EINVAL;
}

/* Lines of the memory bandwidth in the other schema give way to that of its own (S-189). */
static void append_cache_schema(struct str *out, const char *schema, bool has_bandwidth)
{
	while (*schema) {
		size_t n = strcspn(schema, "\n");
		if (n > 0 && !(has_bandwidth && str_has_prefix(schema, "MB:"))) {
			str_append_n(out, schema, n);
			str_append(out, "\n");
		}
		schema += n + (schema[n] == '\n');
	}
}

/* One write: the kernel takes all of its lines, or none. */
const char *plan_rdt_schemas(const char *cache, const char *bandwidth, struct arena *arena)
{
	struct str out;

	str_init(&out, arena);
	if (cache)
		append_cache_schema(&out, cache, bandwidth != NULL);
	if (bandwidth)
		str_printf(&out, "%s\n", bandwidth);
	return out.used ? out.text : NULL;
}

static const char *schemas_text(const struct planner *p, const struct spec_intel_rdt *spec)
{
	return plan_rdt_schemas(spec->l3_cache_schema.at ? spec->l3_cache_schema.s : NULL,
				spec->mem_bw_schema.at ? spec->mem_bw_schema.s : NULL, p->arena);
}

/* Another one: they may say something else of the same resource, and count then. */
static const char *schemata_text(const struct planner *p, const struct spec_intel_rdt *spec)
{
	struct str out;
	str_init(&out, p->arena);
	for (size_t i = 0; i < spec->schemata.n; i++)
		str_printf(&out, "%s\n", spec->schemata.v[i].s);
	return out.used ? out.text : NULL;
}

int plan_make_rdt(const struct planner *p, struct err *err)
{
	const struct spec_intel_rdt *spec = &p->spec->linux.intel_rdt;
	struct plan_rdt *rdt = &p->plan->rdt;

	if (!spec->at)
		return 0;
	*rdt = (struct plan_rdt) {
		.class = spec->clos_id.at ? spec->clos_id.s : p->options->id,
		.is_named = spec->clos_id.at,
		.schemas = schemas_text(p, spec),
		.schemata = schemata_text(p, spec),
		.is_monitored = spec->enable_monitoring.v,
		.at = spec->at,
	};
	return check_class(p, rdt, err);
}

/* ---- as text ---- */

static void print_lines(const char *text, struct str *out)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");
		str_printf(out, "rdt         schemata %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

void plan_print_rdt(const struct plan *plan, struct str *out)
{
	const struct plan_rdt *rdt = &plan->rdt;
	bool has_schemas = rdt->schemas || rdt->schemata;

	if (!rdt->class)
		return;
	str_printf(out, "rdt         class of service %s, %s\n", rdt->class,
		   !rdt->is_named ? "made, and removed with the container"
		   : has_schemas  ? "made if it is missing, else it must have these schemata"
				  : "which must be there");
	print_lines(rdt->schemas, out);
	print_lines(rdt->schemata, out);
	if (rdt->is_monitored)
		str_printf(out, "rdt         monitoring group %s\n", plan->id);
}
