/*
 * config-linux.md, resources: the limits of a container, and what `hull update` changes. Part of
 * spec.h.
 */
#ifndef HULL_SPEC_RESOURCES_H
#define HULL_SPEC_RESOURCES_H

#include "spec/values.h"

struct spec_device_rule {
	struct spec_bool allow;
	struct spec_str type;         /* "a", "b", "c"; not given: "a" */
	struct spec_int major, minor; /* not given or -1: all */
	struct spec_str access;       /* letters of "rwm"; not given: all */
	uint32_t at;
};
struct spec_memory { /* bytes; -1 is unlimited */
	struct spec_int limit, reservation, swap, kernel, kernel_tcp;
	struct spec_uint swappiness;
	struct spec_bool disable_oom_killer, use_hierarchy, check_before_update;
	uint32_t at;
};
struct spec_cpu { /* times in microseconds */
	struct spec_uint shares, period, burst, realtime_period;
	struct spec_int quota, realtime_runtime, idle;
	struct spec_str cpus, mems;
	uint32_t at;
};
struct spec_pids {
	struct spec_int limit;
	uint32_t at;
};
struct spec_weight_device {
	struct spec_int major, minor;
	struct spec_uint weight, leaf_weight;
	uint32_t at;
};
struct spec_throttle_device { /* rate: bytes or operations per second */
	struct spec_int major, minor;
	struct spec_uint rate;
	uint32_t at;
};
struct spec_throttle_list SPEC_LIST(struct spec_throttle_device);

struct spec_block_io {
	struct spec_uint weight, leaf_weight;
	struct SPEC_LIST(struct spec_weight_device) weight_device;
	struct spec_throttle_list read_bps, write_bps, read_iops, write_iops;
	uint32_t at;
};
struct spec_hugepage_limit {
	struct spec_str page_size; /* "2MB" */
	struct spec_uint limit;    /* bytes */
	uint32_t at;
};
struct spec_rdma {
	const char *device; /* the key */
	uint32_t key_at;
	struct spec_uint hca_handles, hca_objects;
	uint32_t at;
};
struct spec_net_priority {
	struct spec_str name;
	struct spec_uint priority;
	uint32_t at;
};
struct spec_network { /* cgroup v1 only (S-177) */
	struct spec_uint class_id;
	struct SPEC_LIST(struct spec_net_priority) priorities;
	uint32_t at;
};
struct spec_resources {
	struct SPEC_LIST(struct spec_device_rule) devices;
	struct spec_memory memory;
	struct spec_cpu cpu;
	struct spec_pids pids;
	struct spec_block_io block_io;
	struct SPEC_LIST(struct spec_hugepage_limit) hugepage_limits;
	struct SPEC_LIST(struct spec_rdma) rdma;
	struct spec_network network;
	struct spec_map unified;
	uint32_t at;
};

#endif
