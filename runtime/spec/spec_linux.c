/* config-linux.md, but for control groups and seccomp: namespaces, devices, sysctl and the rest. */
#include "spec/spec_tables.h"

#include <linux/mempolicy.h>
#include <string.h>
#include <sys/personality.h>

/* ---- namespaces ---- */

static const struct str_name namespace_names[] = {
	{ "pid", SPEC_NS_PID },       { "network", SPEC_NS_NETWORK }, { "mount", SPEC_NS_MOUNT },
	{ "ipc", SPEC_NS_IPC },       { "uts", SPEC_NS_UTS },         { "user", SPEC_NS_USER },
	{ "cgroup", SPEC_NS_CGROUP }, { "time", SPEC_NS_TIME },       { NULL, 0 },
};

const char *spec_ns_name(enum spec_ns_type type)
{
	return str_name_of(namespace_names, type);
}

static const struct bind_key namespace_keys[] = {
	BIND(ENUM, "type", struct spec_namespace, type, .names = namespace_names,
	     .what = "namespace type", .flags = BIND_REQUIRED),
	BIND(STR, "path", struct spec_namespace, path, .flags = BIND_ABSOLUTE),
	{ .key = NULL },
};
static const struct bind_object namespace_object = BIND_TABLE(struct spec_namespace,
							      namespace_keys);

static const struct str_name clock_names[] = {
	{ "boottime", 0 },
	{ "monotonic", 0 },
	{ NULL, 0 },
};
static const struct bind_key time_offset_keys[] = {
	BIND(INT, "secs", struct spec_time_offset, secs, BIND_I64),
	BIND(UINT, "nanosecs", struct spec_time_offset, nanosecs, BIND_RANGE(0, 999999999)),
	{ .key = NULL },
};
static const struct bind_object time_offset_object = BIND_TABLE(struct spec_time_offset,
								time_offset_keys);

/* ---- devices ---- */

static const struct str_name device_types[] = {
	{ "b", 0 }, { "c", 0 }, { "p", 0 }, { "u", 0 }, { NULL, 0 },
};

static void check_device_number(struct bind *b, const struct json *node, const char *key)
{
	if (!json_get(node, key))
		bind_error_member(b, node, key, "required for this type of device, but missing");
}

static void check_device(struct bind *b, const struct json *node, void *object)
{
	struct spec_device *d = object;
	d->file_mode.v &= 07777; /* podman sends the whole st_mode */
	if (!d->type.at || str_eq(d->type.s, "p"))
		return;
	check_device_number(b, node, "major");
	check_device_number(b, node, "minor");
}

static const struct bind_key device_keys[] = {
	BIND(STR, "type", struct spec_device, type, .names = device_types, .what = "device type",
	     .flags = BIND_REQUIRED),
	BIND(STR, "path", struct spec_device, path, .flags = BIND_REQUIRED | BIND_ABSOLUTE),
	BIND(INT, "major", struct spec_device, major, BIND_RANGE(0, UINT32_MAX)),
	BIND(INT, "minor", struct spec_device, minor, BIND_RANGE(0, UINT32_MAX)),
	BIND(UINT, "fileMode", struct spec_device, file_mode, BIND_U32),
	BIND(UINT, "uid", struct spec_device, uid, BIND_ID),
	BIND(UINT, "gid", struct spec_device, gid, BIND_ID),
	{ .key = NULL },
};
static const struct bind_object device_object = BIND_TABLE(struct spec_device, device_keys,
							   .check = check_device);

static const struct bind_key net_device_keys[] = {
	BIND(STR, "name", struct spec_net_device, name, .is = spec_is_interface_template,
	     .what = "a name of at most 15 bytes without '/', ':' and blanks, and no % but one %d",
	     .flags = BIND_EMPTY_UNSET),
	{ .key = NULL },
};
static const struct bind_object net_device_object = BIND_TABLE(struct spec_net_device,
							       net_device_keys);

/* ---- memory policy, personality, resctrl ---- */

#define POLICY_WEIGHTED_INTERLEAVE 6 /* of Linux 6.9; Debian 12's headers are older */

const struct str_name spec_memory_modes[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT },
	{ "MPOL_PREFERRED", MPOL_PREFERRED },
	{ "MPOL_BIND", MPOL_BIND },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
	{ "MPOL_LOCAL", MPOL_LOCAL },
	{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
	{ "MPOL_WEIGHTED_INTERLEAVE", POLICY_WEIGHTED_INTERLEAVE },
	{ NULL, 0 },
};
const struct str_name spec_memory_flags[] = {
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ NULL, 0 },
};

/* Which modes go with nodes: must have some, may have some, must have none. */
enum policy_nodes { POLICY_NEEDS_NODES, POLICY_TAKES_NODES, POLICY_HAS_NO_NODES };

static enum policy_nodes policy_nodes(int64_t mode)
{
	switch (mode) {
	case MPOL_DEFAULT:
	case MPOL_LOCAL:
		return POLICY_HAS_NO_NODES;
	case MPOL_PREFERRED: /* without one it is as MPOL_LOCAL */
		return POLICY_TAKES_NODES;
	default:
		return POLICY_NEEDS_NODES;
	}
}

/* What set_mempolicy(2) refuses, and it does not say which of them. */
static void check_policy_nodes(struct bind *b, const struct json *node,
			       const struct spec_memory_policy *p)
{
	const char *mode = str_name_of(spec_memory_modes, p->mode.v);
	enum policy_nodes nodes = policy_nodes(p->mode.v);
	const struct json *given = json_get(node, "nodes");

	if (nodes == POLICY_HAS_NO_NODES && p->nodes.at)
		bind_error(b, p->nodes.at, "%s has no nodes", mode);
	else if (nodes == POLICY_NEEDS_NODES && !p->nodes.at &&
		 (!given || (given->type == JSON_STRING && !*given->text)))
		bind_error_member(b, node, "nodes", "%s needs nodes, but there are none", mode);
}

static void check_policy_flags(struct bind *b, const struct spec_memory_policy *p)
{
	const unsigned both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
	const char *mode = str_name_of(spec_memory_modes, p->mode.v);

	if ((p->flags & both) == both)
		bind_error(b, p->flags_text.at,
			   "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
	else if ((p->flags & both) && !p->nodes.at)
		bind_error(b, p->flags_text.at, "without nodes %s has none of these flags", mode);
	if ((p->flags & MPOL_F_NUMA_BALANCING) && p->mode.v != MPOL_BIND &&
	    p->mode.v != MPOL_PREFERRED_MANY)
		bind_error(b, p->flags_text.at, "%s has no MPOL_F_NUMA_BALANCING", mode);
}

static void check_memory_policy(struct bind *b, const struct json *node, void *object)
{
	struct spec_memory_policy *p = object;
	p->flags = (unsigned)bind_bits(&p->flags_text, spec_memory_flags);
	if (!p->mode.at)
		return;
	check_policy_nodes(b, node, p);
	check_policy_flags(b, p);
}

static const struct bind_key memory_policy_keys[] = {
	BIND(ENUM, "mode", struct spec_memory_policy, mode, .names = spec_memory_modes,
	     .what = "memory policy", .flags = BIND_REQUIRED),
	BIND(STR, "nodes", struct spec_memory_policy, nodes, .is = spec_is_list,
	     .what = "a list of memory nodes such as 0-1", .flags = BIND_EMPTY_UNSET),
	BIND(STRV, "flags", struct spec_memory_policy, flags_text, .names = spec_memory_flags,
	     .what = "memory policy flag"),
	{ .key = NULL },
};
static const struct bind_object memory_policy_object = BIND_TABLE(
	struct spec_memory_policy, memory_policy_keys, .check = check_memory_policy);

static const struct str_name personality_domains[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
	{ NULL, 0 },
};

/* The specification knows no flag yet, so each one is an unsupported value (S-199). */
static void check_personality(struct bind *b, const struct json *node _unused_, void *object)
{
	const struct spec_personality *p = object;
	for (size_t i = 0; i < p->flags.n; i++)
		bind_error(b, p->flags.v[i].at, "unknown personality flag '%s'", p->flags.v[i].s);
}

static const struct bind_key personality_keys[] = {
	BIND(ENUM, "domain", struct spec_personality, domain, .names = personality_domains,
	     .what = "personality", .flags = BIND_REQUIRED),
	BIND(STRV, "flags", struct spec_personality, flags),
	{ .key = NULL },
};
static const struct bind_object personality_object = BIND_TABLE(
	struct spec_personality, personality_keys, .check = check_personality);

/* The name of a directory below the resctrl file system, or "/" for its root (S-187). */
static bool is_clos(const char *s)
{
	return str_eq(s, "/") || spec_is_file_name(s);
}

static bool is_bandwidth_schema(const char *s)
{
	return str_has_prefix(s, "MB:") && spec_is_line(s);
}

static void check_intel_rdt(struct bind *b, const struct json *node _unused_, void *object)
{
	const struct spec_intel_rdt *r = object;
	if (r->l3_cache_schema.at && !str_has_prefix(r->l3_cache_schema.s, "L3:"))
		bind_warn(b, r->l3_cache_schema.at,
			  "a schema of the L3 cache should begin with L3:");
}

static const struct bind_key intel_rdt_keys[] = {
	BIND(STR, "closID", struct spec_intel_rdt, clos_id, .is = is_clos,
	     .what = "the name of a directory, or /", .flags = BIND_EMPTY_UNSET),
	BIND(STR, "l3CacheSchema", struct spec_intel_rdt, l3_cache_schema,
	     .flags = BIND_EMPTY_UNSET),
	BIND(STR, "memBwSchema", struct spec_intel_rdt, mem_bw_schema, .is = is_bandwidth_schema,
	     .what = "one line that begins with MB:", .flags = BIND_EMPTY_UNSET),
	BIND(STRV, "schemata", struct spec_intel_rdt, schemata, .is = spec_is_line,
	     .what = "one line"),
	BIND(BOOL, "enableMonitoring", struct spec_intel_rdt, enable_monitoring),
	{ .key = NULL },
};
static const struct bind_object intel_rdt_object = BIND_TABLE(struct spec_intel_rdt, intel_rdt_keys,
							      .check = check_intel_rdt);

/* ---- all of it ---- */

/* The r- forms are not in the text of the specification, but all engines write them. */
static const struct str_name propagation_names[] = {
	{ "private", 0 },    { "rprivate", 0 },    { "shared", 0 },
	{ "rshared", 0 },    { "slave", 0 },       { "rslave", 0 },
	{ "unbindable", 0 }, { "runbindable", 0 }, { NULL, 0 },
};

static void check_namespaces(struct bind *b, const struct spec_linux *l)
{
	const struct spec_namespace *first[SPEC_NS_COUNT] = { NULL };
	for (size_t i = 0; i < l->namespaces.n; i++) {
		const struct spec_int *type = &l->namespaces.v[i].type;
		if (!type->at)
			continue;
		if (!first[type->v]) {
			first[type->v] = &l->namespaces.v[i];
			continue;
		}
		struct err *err = bind_error(b, type->at, "the %s namespace is given twice",
					     spec_ns_name((enum spec_ns_type)type->v));
		err_hint(err, "the first one is on line %u", bind_line(b, first[type->v]->type.at));
	}
}

static void check_net_devices(struct bind *b, const struct spec_linux *l)
{
	for (size_t i = 0; i < l->net_devices.n; i++) {
		const struct spec_net_device *d = &l->net_devices.v[i];
		if (spec_is_interface(d->host_name))
			continue;
		struct err *err = bind_error(b, d->key_at, "'%s' cannot be a network device",
					     d->host_name);
		err_hint(err, "a name has at most 15 bytes, without '/', ':' and blanks");
	}
}

static void check_linux(struct bind *b, const struct json *node _unused_, void *object)
{
	check_namespaces(b, object);
	check_net_devices(b, object);
}

static const struct bind_key linux_keys[] = {
	BIND(LIST, "namespaces", struct spec_linux, namespaces, .object = &namespace_object),
	BIND(LIST, "uidMappings", struct spec_linux, uid_mappings,
	     .object = &spec_id_mapping_object),
	BIND(LIST, "gidMappings", struct spec_linux, gid_mappings,
	     .object = &spec_id_mapping_object),
	BIND(KEYED, "timeOffsets", struct spec_linux, time_offsets, .object = &time_offset_object,
	     .names = clock_names, .what = "clock"),
	BIND(LIST, "devices", struct spec_linux, devices, .object = &device_object),
	BIND(KEYED, "netDevices", struct spec_linux, net_devices, .object = &net_device_object,
	     .flags = BIND_NONEMPTY),
	BIND(STR, "cgroupsPath", struct spec_linux, cgroups_path, .flags = BIND_EMPTY_UNSET),
	BIND(OBJECT, "resources", struct spec_linux, resources, .object = &spec_resources_object),
	BIND(OBJECT, "intelRdt", struct spec_linux, intel_rdt, .object = &intel_rdt_object),
	BIND(OBJECT, "memoryPolicy", struct spec_linux, memory_policy,
	     .object = &memory_policy_object),
	BIND(OBJECT, "personality", struct spec_linux, personality, .object = &personality_object),
	BIND(MAP, "sysctl", struct spec_linux, sysctl, .flags = BIND_NONEMPTY,
	     .example = "{\"net.ipv4.ip_forward\": \"1\"}"),
	BIND(OBJECT, "seccomp", struct spec_linux, seccomp, .object = &spec_seccomp_object),
	BIND(STR, "rootfsPropagation", struct spec_linux, rootfs_propagation,
	     .names = propagation_names, .what = "propagation", .flags = BIND_EMPTY_UNSET),
	BIND(STR, "mountLabel", struct spec_linux, mount_label, .flags = BIND_EMPTY_UNSET),
	BIND(STRV, "maskedPaths", struct spec_linux, masked_paths, .flags = BIND_ABSOLUTE),
	BIND(STRV, "readonlyPaths", struct spec_linux, readonly_paths, .flags = BIND_ABSOLUTE),
	{ .key = NULL },
};
const struct bind_object spec_linux_object = BIND_TABLE(struct spec_linux, linux_keys,
							.check = check_linux);
