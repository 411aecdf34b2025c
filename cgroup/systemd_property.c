/*
 * The properties of a container's scope: what each one has, and its limits in systemd's words, so
 * that what systemd writes when it comes by again (daemon-reload, a change of another property) is
 * what hull has written. Made from the same list of writes as the cgroup's files, so that both say
 * the same. What systemd does not know (hugetlb, rdma, misc, cpu.max.burst, memory.oom.group)
 * stands in the files alone. Pure; no privilege. Names and versions: systemd.resource-control(5)
 * and NEWS of systemd, types: org.freedesktop.systemd1(5).
 */
#include "cgroup/systemd_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INFINITE     UINT64_MAX /* "max" of the kernel */
#define CPU_MAX      8191
#define CPU_PERIOD   100000 /* the kernel's, of a new cgroup */
#define USEC_PER_SEC 1000000

/* ---- the list ---- */

const struct systemd_property *systemd_get(const struct systemd_properties *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].name, name))
			return &all->v[i];
	return NULL;
}

static struct systemd_property *add(struct systemd_list *list)
{
	struct systemd_properties *all = list->all;
	if (all->n == list->room) {
		list->room = list->room ? list->room * 2 : 32;
		struct systemd_property *grown = arena_array(list->arena, list->room,
							     sizeof(*grown));
		if (all->n > 0)
			memcpy(grown, all->v, all->n * sizeof(*grown));
		all->v = grown;
	}
	return &all->v[all->n++];
}

void systemd_put(struct systemd_list *list, const struct systemd_property *property)
{
	struct systemd_properties *all = list->all;
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].name, property->name)) {
			all->v[i] = *property;
			return;
		}
	*add(list) = *property;
}

static void put_number(struct systemd_list *list, const char *name, uint64_t value, unsigned since)
{
	systemd_put(list, &(struct systemd_property) {
				  .name = name,
				  .signature = "t",
				  .number = value,
				  .since = since,
			  });
}

/* ---- values of the kernel's files ---- */

/* "max" or a number; false: it is for the kernel to refuse. */
static bool parse_number(const char *text, uint64_t *ret)
{
	if (str_eq(text, "max")) {
		*ret = INFINITE;
		return true;
	}
	return str_to_u64(text, INFINITE - 1, ret) == 0;
}

/* The next number of a list of processors; its end is behind it. */
static bool read_cpu(const char **text, unsigned *ret)
{
	size_t n = strspn(*text, "0123456789");
	if (n == 0 || n > 4)
		return false;
	*ret = 0;
	for (; n > 0; n--)
		*ret = *ret * 10 + (unsigned)(*(*text)++ - '0');
	return *ret <= CPU_MAX;
}

/* "0-2,7" as a bit for each, lowest byte first; false: hull does not understand it. */
static bool parse_set(const char *text, struct arena *arena, const uint8_t **ret, size_t *ret_n)
{
	uint8_t *bits = arena_alloc(arena, CPU_MAX / 8 + 1);
	*ret_n = 0;
	do {
		unsigned from, to;
		if (!read_cpu(&text, &from))
			return false;
		to = from;
		if (*text == '-' && (text++, !read_cpu(&text, &to)))
			return false;
		for (unsigned i = from; i <= to; i++)
			bits[i / 8] |= (uint8_t)(1u << i % 8);
		if (to / 8 >= *ret_n)
			*ret_n = to / 8 + 1;
	} while (*text == ',' && *++text);
	*ret = bits;
	return *text == '\0';
}

/* ---- the limits ---- */

struct limit {
	const char *file; /* of the cgroup */
	const char *name;
	unsigned since;
	void (*put)(struct systemd_list *list, const struct limit *limit, const char *value);
};

static void put_plain(struct systemd_list *list, const struct limit *limit, const char *value)
{
	uint64_t number;
	if (parse_number(value, &number))
		put_number(list, limit->name, number, limit->since);
}

/* systemd takes no TasksMax below 1; the file has the 0. */
static void put_tasks(struct systemd_list *list, const struct limit *limit, const char *value)
{
	uint64_t number;
	if (parse_number(value, &number))
		put_number(list, limit->name, number ? number : 1, limit->since);
}

/*
 * "idle" is a weight of 0 (CPUWeight=idle). Taken back it is no weight at all, unless there is one
 * among the writes: else the unit would go on to say "idle".
 */
static void put_idle(struct systemd_list *list, const struct limit *limit, const char *value)
{
	if (str_eq(value, "1"))
		put_number(list, limit->name, 0, limit->since);
	else if (str_eq(value, "0") && !systemd_get(list->all, limit->name))
		put_number(list, limit->name, INFINITE, limit->since);
}

/* "50000 100000": systemd has the quota of a second, and the period. */
static void put_quota(struct systemd_list *list, const struct limit *limit, const char *value)
{
	char quota[32];
	uint64_t number, period = CPU_PERIOD;
	int n = sscanf(value, "%31s %" SCNu64, quota, &period);
	if (n < 1 || !parse_number(quota, &number) || period == 0)
		return;
	if (number != INFINITE && number > INFINITE / USEC_PER_SEC)
		return;
	put_number(list, limit->name,
		   number == INFINITE ? INFINITE : number * USEC_PER_SEC / period, limit->since);
	if (n == 2)
		put_number(list, "CPUQuotaPeriodUSec", period, 242);
}

/* The empty line clears a list. */
static void put_set(struct systemd_list *list, const struct limit *limit, const char *value)
{
	struct systemd_property p = { .name = limit->name,
				      .signature = "ay",
				      .since = limit->since };
	if (str_eq(value, "\n") || parse_set(value, list->arena, &p.bytes, &p.n))
		systemd_put(list, &p);
}

/* One more device of a property that has a number for each, a(st). */
static void put_device(struct systemd_list *list, const char *name, unsigned since,
		       const char *device, uint64_t number)
{
	struct systemd_property p = { .name = name, .signature = "a(st)", .since = since };
	const struct systemd_property *old = systemd_get(list->all, name);
	size_t n = old ? old->n : 0;
	struct systemd_item *items = arena_array(list->arena, n + 1, sizeof(*items));
	if (n > 0)
		memcpy(items, old->items, n * sizeof(*items));
	items[n] = (struct systemd_item) {
		.text = arena_printf(list->arena, "/dev/block/%s", device),
		.number = number,
	};
	p.items = items;
	p.n = n + 1;
	systemd_put(list, &p);
}

/* "8:0 rest": copies the device's numbers, and returns the rest; NULL: there is no device. */
static const char *take_device(const char *value, char device[32])
{
	size_t n = strspn(value, "0123456789:");
	if (n == 0 || n >= 32 || value[n] != ' ')
		return NULL;
	snprintf(device, 32, "%.*s", (int)n, value);
	return value + n + 1;
}

/* "100", "default 100" or "8:0 100". */
static void put_weight(struct systemd_list *list, const struct limit *limit, const char *value)
{
	char device[32];
	uint64_t number;
	const char *rest = take_device(value, device);
	if (rest && parse_number(rest, &number))
		put_device(list, "IODeviceWeight", limit->since, device, number);
	else if (!rest &&
		 parse_number(value + (str_has_prefix(value, "default ") ? 8 : 0), &number))
		put_number(list, limit->name, number, limit->since);
}

/* "8:0 rbps=1048576 wiops=max" and "8:0 target=100". */
static void put_rates(struct systemd_list *list, const struct limit *limit, const char *value)
{
	static const struct {
		const char *file, *key, *name;
		unsigned since;
	} rates[] = {
		{ "io.max", "rbps=", "IOReadBandwidthMax", 230 },
		{ "io.max", "wbps=", "IOWriteBandwidthMax", 230 },
		{ "io.max", "riops=", "IOReadIOPSMax", 230 },
		{ "io.max", "wiops=", "IOWriteIOPSMax", 230 },
		{ "io.latency", "target=", "IODeviceLatencyTargetUSec", 240 },
	};
	char device[32], word[64];
	int used = 0;
	for (const char *rest = take_device(value, device);
	     rest && sscanf(rest, "%63s%n", word, &used) == 1; rest += used)
		for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
			uint64_t number;
			if (str_eq(rates[i].file, limit->file) &&
			    str_has_prefix(word, rates[i].key) &&
			    parse_number(word + strlen(rates[i].key), &number))
				put_device(list, rates[i].name, rates[i].since, device, number);
		}
}

static const struct limit limits[] = {
	{ "memory.min", "MemoryMin", 240, put_plain },
	{ "memory.low", "MemoryLow", 231, put_plain },
	{ "memory.high", "MemoryHigh", 231, put_plain },
	{ "memory.max", "MemoryMax", 231, put_plain },
	{ "memory.swap.max", "MemorySwapMax", 232, put_plain },
	{ "memory.zswap.max", "MemoryZSwapMax", 253, put_plain },
	{ "pids.max", "TasksMax", 227, put_tasks },
	{ "cpu.weight", "CPUWeight", 232, put_plain },
	{ "cpu.idle", "CPUWeight", 252, put_idle },
	{ "cpu.max", "CPUQuotaPerSecUSec", 213, put_quota },
	{ "cpuset.cpus", "AllowedCPUs", 244, put_set },
	{ "cpuset.mems", "AllowedMemoryNodes", 244, put_set },
	{ "io.weight", "IOWeight", 230, put_weight },
	{ "io.max", NULL, 230, put_rates },
	{ "io.latency", NULL, 240, put_rates },
};

static void put_write(struct systemd_list *list, const char *file, const char *value)
{
	for (size_t i = 0; file && i < ARRAY_SIZE(limits); i++)
		if (str_eq(limits[i].file, file))
			limits[i].put(list, &limits[i], value);
}

/* Where a write has two names (io.bfq.weight or io.weight), systemd knows the second. */
void systemd_plan_limits(const struct cgroup_plan *plan, struct systemd_list *list)
{
	for (size_t i = 0; i < plan->writes_n; i++) {
		put_write(list, plan->writes[i].file, plan->writes[i].value);
		put_write(list, plan->writes[i].or_file, plan->writes[i].or_value);
	}
}

/* ---- all of them ---- */

/*
 * What every scope of a container has, as runc and crun make it: the tree below it is the
 * container's, which also keeps systemd's OOM policy away, all controllers are there, and the
 * shutdown of the system does not end it before whoever has started it.
 */
static void put_fixed(struct systemd_list *list)
{
	static const struct {
		const char *name;
		bool value;
	} fixed[] = {
		{ "Delegate", true },        { "DefaultDependencies", false },
		{ "CPUAccounting", true },   { "MemoryAccounting", true },
		{ "TasksAccounting", true }, { "IOAccounting", true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		systemd_put(list, &(struct systemd_property) {
					  .name = fixed[i].name,
					  .signature = "b",
					  .number = fixed[i].value,
				  });
}

int systemd_plan_properties(const struct spec_resources *resources, const struct cgroup_plan *plan,
			    const struct spec_map *annotations, struct arena *arena,
			    struct systemd_properties *ret, struct err *err)
{
	struct systemd_list list = { .arena = arena, .all = ret };
	*ret = (struct systemd_properties) { 0 };
	put_fixed(&list);
	systemd_plan_limits(plan, &list);
	int r = systemd_plan_devices(resources, plan, false, &list, err);
	return r < 0 ? r : systemd_plan_annotations(annotations, &list, err);
}

int systemd_plan_update(const struct spec_resources *resources, const struct cgroup_plan *plan,
			struct arena *arena, struct systemd_properties *ret, struct err *err)
{
	struct systemd_list list = { .arena = arena, .all = ret };
	*ret = (struct systemd_properties) { 0 };
	systemd_plan_limits(plan, &list);
	if (resources->devices.n == 0)
		return 0;
	return systemd_plan_devices(resources, plan, true, &list, err);
}

/* ---- for people ---- */

static void print_items(const struct systemd_property *p, struct str *out)
{
	for (size_t i = 0; i < p->n; i++) {
		str_printf(out, "%s%s", i ? ", " : "", p->items[i].text);
		if (str_eq(p->signature, "a(ss)"))
			str_printf(out, " %s", p->items[i].second);
		else if (str_eq(p->signature, "a(st)") && p->items[i].number == INFINITE)
			str_append(out, " infinity");
		else if (str_eq(p->signature, "a(st)"))
			str_printf(out, " %" PRIu64, p->items[i].number);
	}
}

void systemd_print_property(const struct systemd_properties *properties, size_t index,
			    struct str *out)
{
	const struct systemd_property *p = &properties->v[index];
	str_printf(out, "%s = ", p->name);
	if (str_eq(p->signature, "ay"))
		for (size_t i = p->n; i > 0; i--)
			str_printf(out, "%02x", p->bytes[i - 1]);
	else if (p->signature[0] == 'a')
		print_items(p, out);
	else if (p->signature[0] == 's')
		str_append(out, p->text);
	else if (p->signature[0] == 'd')
		str_printf(out, "%g", p->real);
	else if (p->signature[0] == 'b')
		str_append(out, p->number ? "yes" : "no");
	else if (strchr("nix", p->signature[0]))
		str_printf(out, "%" PRId64, (int64_t)p->number);
	else if (p->signature[0] == 't' && p->number == INFINITE)
		str_append(out, "infinity");
	else
		str_printf(out, "%" PRIu64, p->number);
}
