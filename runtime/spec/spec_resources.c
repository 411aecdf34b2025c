/*
 * config-linux.md, Control groups. Only types and forms are checked here: what cgroup v2 cannot
 * express is an error of cgroup/, which knows why.
 */
#include "spec/spec_tables.h"

#include <string.h>

/* ---- devices ---- */

static const struct str_name device_rule_types[] = {
	{ "a", 0 },
	{ "b", 0 },
	{ "c", 0 },
	{ NULL, 0 },
};

static bool is_access(const char *s)
{
	return strspn(s, "rwm") == strlen(s);
}

/* -1 is "all" in configs that were written for runc. */
#define DEVICE_OR_ALL BIND_RANGE(-1, UINT32_MAX)
#define DEVICE_NUMBER BIND_RANGE(0, UINT32_MAX)

static const struct bind_key device_rule_keys[] = {
	BIND(BOOL, "allow", struct spec_device_rule, allow, .flags = BIND_REQUIRED),
	BIND(STR, "type", struct spec_device_rule, type, .names = device_rule_types,
	     .what = "device type", .flags = BIND_EMPTY_UNSET),
	BIND(INT, "major", struct spec_device_rule, major, DEVICE_OR_ALL),
	BIND(INT, "minor", struct spec_device_rule, minor, DEVICE_OR_ALL),
	BIND(STR, "access", struct spec_device_rule, access, .is = is_access,
	     .what = "letters of rwm", .flags = BIND_EMPTY_UNSET),
	{ .key = NULL },
};
static const struct bind_object device_rule_object = BIND_TABLE(struct spec_device_rule,
								device_rule_keys);

/* ---- memory, cpu, pids ---- */

#define BYTES_OR_MAX BIND_RANGE(-1, INT64_MAX)

static const struct bind_key memory_keys[] = {
	BIND(INT, "limit", struct spec_memory, limit, BYTES_OR_MAX),
	BIND(INT, "reservation", struct spec_memory, reservation, BYTES_OR_MAX),
	BIND(INT, "swap", struct spec_memory, swap, BYTES_OR_MAX),
	BIND(INT, "kernel", struct spec_memory, kernel, BYTES_OR_MAX),
	BIND(INT, "kernelTCP", struct spec_memory, kernel_tcp, BYTES_OR_MAX),
	BIND(UINT, "swappiness", struct spec_memory, swappiness, BIND_U64),
	BIND(BOOL, "disableOOMKiller", struct spec_memory, disable_oom_killer),
	BIND(BOOL, "useHierarchy", struct spec_memory, use_hierarchy),
	BIND(BOOL, "checkBeforeUpdate", struct spec_memory, check_before_update),
	{ .key = NULL },
};
static const struct bind_object memory_object = BIND_TABLE(struct spec_memory, memory_keys);

static const struct bind_key cpu_keys[] = {
	BIND(UINT, "shares", struct spec_cpu, shares, BIND_U64),
	BIND(INT, "quota", struct spec_cpu, quota, BIND_I64),
	BIND(UINT, "burst", struct spec_cpu, burst, BIND_U64),
	BIND(UINT, "period", struct spec_cpu, period, BIND_U64),
	BIND(INT, "realtimeRuntime", struct spec_cpu, realtime_runtime, BIND_I64),
	BIND(UINT, "realtimePeriod", struct spec_cpu, realtime_period, BIND_U64),
	BIND(STR, "cpus", struct spec_cpu, cpus, .is = spec_is_list,
	     .what = "a list of CPUs such as 0-3,7", .flags = BIND_EMPTY_UNSET),
	BIND(STR, "mems", struct spec_cpu, mems, .is = spec_is_list,
	     .what = "a list of memory nodes such as 0-1", .flags = BIND_EMPTY_UNSET),
	BIND(INT, "idle", struct spec_cpu, idle, BIND_RANGE(0, 1)),
	{ .key = NULL },
};
static const struct bind_object cpu_object = BIND_TABLE(struct spec_cpu, cpu_keys);

static const struct bind_key pids_keys[] = {
	BIND(INT, "limit", struct spec_pids, limit, BYTES_OR_MAX),
	{ .key = NULL },
};
static const struct bind_object pids_object = BIND_TABLE(struct spec_pids, pids_keys);

/* ---- block io ---- */

static void check_weight_device(struct bind *b, const struct json *node, void *object)
{
	const struct spec_weight_device *d = object;
	if (!d->weight.at && !d->leaf_weight.at && !json_get(node, "weight") &&
	    !json_get(node, "leafWeight"))
		bind_error(b, node->at, "expected a weight or a leafWeight, found neither");
}

static const struct bind_key weight_device_keys[] = {
	BIND(INT, "major", struct spec_weight_device, major, DEVICE_NUMBER, .flags = BIND_REQUIRED),
	BIND(INT, "minor", struct spec_weight_device, minor, DEVICE_NUMBER, .flags = BIND_REQUIRED),
	BIND(UINT, "weight", struct spec_weight_device, weight, BIND_U16),
	BIND(UINT, "leafWeight", struct spec_weight_device, leaf_weight, BIND_U16),
	{ .key = NULL },
};
static const struct bind_object weight_device_object = BIND_TABLE(
	struct spec_weight_device, weight_device_keys, .check = check_weight_device);

static const struct bind_key throttle_keys[] = {
	BIND(INT, "major", struct spec_throttle_device, major, DEVICE_NUMBER,
	     .flags = BIND_REQUIRED),
	BIND(INT, "minor", struct spec_throttle_device, minor, DEVICE_NUMBER,
	     .flags = BIND_REQUIRED),
	BIND(UINT, "rate", struct spec_throttle_device, rate, BIND_U64, .flags = BIND_REQUIRED),
	{ .key = NULL },
};
static const struct bind_object throttle_object = BIND_TABLE(struct spec_throttle_device,
							     throttle_keys);

static const struct bind_key block_io_keys[] = {
	BIND(UINT, "weight", struct spec_block_io, weight, BIND_U16),
	BIND(UINT, "leafWeight", struct spec_block_io, leaf_weight, BIND_U16),
	BIND(LIST, "weightDevice", struct spec_block_io, weight_device,
	     .object = &weight_device_object),
	BIND(LIST, "throttleReadBpsDevice", struct spec_block_io, read_bps,
	     .object = &throttle_object),
	BIND(LIST, "throttleWriteBpsDevice", struct spec_block_io, write_bps,
	     .object = &throttle_object),
	BIND(LIST, "throttleReadIOPSDevice", struct spec_block_io, read_iops,
	     .object = &throttle_object),
	BIND(LIST, "throttleWriteIOPSDevice", struct spec_block_io, write_iops,
	     .object = &throttle_object),
	{ .key = NULL },
};
static const struct bind_object block_io_object = BIND_TABLE(struct spec_block_io, block_io_keys);

/* ---- huge pages, rdma, network ---- */

static const struct bind_key hugepage_keys[] = {
	BIND(STR, "pageSize", struct spec_hugepage_limit, page_size, .is = spec_is_page_size,
	     .what = "a size such as 64KB, 2MB or 1GB", .flags = BIND_REQUIRED),
	BIND(UINT, "limit", struct spec_hugepage_limit, limit, BIND_U64, .flags = BIND_REQUIRED),
	{ .key = NULL },
};
static const struct bind_object hugepage_object = BIND_TABLE(struct spec_hugepage_limit,
							     hugepage_keys);

static void check_rdma(struct bind *b, const struct json *node, void *object)
{
	const struct spec_rdma *r = object;
	if (!r->hca_handles.at && !r->hca_objects.at && !json_get(node, "hcaHandles") &&
	    !json_get(node, "hcaObjects"))
		bind_error(b, node->at, "expected hcaHandles or hcaObjects, found neither");
}

static const struct bind_key rdma_keys[] = {
	BIND(UINT, "hcaHandles", struct spec_rdma, hca_handles, BIND_U32),
	BIND(UINT, "hcaObjects", struct spec_rdma, hca_objects, BIND_U32),
	{ .key = NULL },
};
static const struct bind_object rdma_object = BIND_TABLE(struct spec_rdma, rdma_keys,
							 .check = check_rdma);

static const struct bind_key net_priority_keys[] = {
	BIND(STR, "name", struct spec_net_priority, name, .flags = BIND_REQUIRED | BIND_NONEMPTY),
	BIND(UINT, "priority", struct spec_net_priority, priority, BIND_U32,
	     .flags = BIND_REQUIRED),
	{ .key = NULL },
};
static const struct bind_object net_priority_object = BIND_TABLE(struct spec_net_priority,
								 net_priority_keys);

static const struct bind_key network_keys[] = {
	BIND(UINT, "classID", struct spec_network, class_id, BIND_U32),
	BIND(LIST, "priorities", struct spec_network, priorities, .object = &net_priority_object),
	{ .key = NULL },
};
static const struct bind_object network_object = BIND_TABLE(struct spec_network, network_keys);

/* ---- all of them ---- */

/* A name of `unified` is a file of the cgroup, never a path out of it (S-183). */
static void check_resources(struct bind *b, const struct json *node _unused_, void *object)
{
	const struct spec_resources *r = object;
	for (size_t i = 0; i < r->unified.n; i++)
		if (!spec_is_file_name(r->unified.v[i].key))
			bind_error(
				b, r->unified.v[i].key_at,
				"expected the name of a cgroup file such as memory.high, found \"%s\"",
				r->unified.v[i].key);
}

static const struct bind_key resources_keys[] = {
	BIND(LIST, "devices", struct spec_resources, devices, .object = &device_rule_object),
	BIND(OBJECT, "memory", struct spec_resources, memory, .object = &memory_object),
	BIND(OBJECT, "cpu", struct spec_resources, cpu, .object = &cpu_object),
	BIND(OBJECT, "pids", struct spec_resources, pids, .object = &pids_object),
	BIND(OBJECT, "blockIO", struct spec_resources, block_io, .object = &block_io_object),
	BIND(LIST, "hugepageLimits", struct spec_resources, hugepage_limits,
	     .object = &hugepage_object),
	BIND(KEYED, "rdma", struct spec_resources, rdma, .object = &rdma_object,
	     .flags = BIND_NONEMPTY),
	BIND(OBJECT, "network", struct spec_resources, network, .object = &network_object),
	BIND(MAP, "unified", struct spec_resources, unified),
	{ .key = NULL },
};
const struct bind_object spec_resources_object = BIND_TABLE(struct spec_resources, resources_keys,
							    .check = check_resources);
