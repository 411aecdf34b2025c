/*
 * linux.resources.blockIO as writes to io.*. Pure; no privilege. Weights go to the BFQ scheduler
 * where the kernel has it, which knows the scale of cgroup v1 (10 to 1000), else to io.weight with
 * its own scale (1 to 10000): the order and the conversion of runc and crun.
 */
#include "cgroup/limits.h"

#include <inttypes.h>

#define IO_WEIGHT_MIN 10
#define IO_WEIGHT_MAX 1000

/* The straight line from 10..1000 to 1..10000, rounded down. */
static uint64_t io_weight_of(uint64_t weight)
{
	return 1 + (weight - IO_WEIGHT_MIN) * 9999 / (IO_WEIGHT_MAX - IO_WEIGHT_MIN);
}

/* `device` is "8:0 " for one device, "" for all that have no weight of their own. */
static int add_weight(struct limits *l, const char *device, const struct spec_uint *weight,
		      struct err *err)
{
	if (weight->v < IO_WEIGHT_MIN || weight->v > IO_WEIGHT_MAX) {
		int r = err_say(err, ERR_CONFIG, EINVAL,
				"the weight %" PRIu64 " is not between %d and %d", weight->v,
				IO_WEIGHT_MIN, IO_WEIGHT_MAX);
		err_at(err, weight->at);
		return r;
	}
	struct cgroup_write write = {
		.file = "io.bfq.weight",
		.value = arena_printf(l->arena, "%s%" PRIu64, device, weight->v),
		.or_file = "io.weight",
		.or_value = arena_printf(l->arena, "%s%" PRIu64, device, io_weight_of(weight->v)),
		.controller = "io",
		.at = weight->at,
	};
	return limits_add(l, &write, err);
}

static int plan_weights(struct limits *l, const struct spec_block_io *io, struct err *err)
{
	if (io->weight.at && io->weight.v != 0) {
		int r = add_weight(l, "", &io->weight, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < io->weight_device.n; i++) {
		const struct spec_weight_device *d = &io->weight_device.v[i];
		if (d->leaf_weight.at && d->leaf_weight.v != 0)
			return limits_refuse_v1("blockIO.weightDevice[].leafWeight",
						d->leaf_weight.at, err);
		if (!d->weight.at && !d->leaf_weight.at) {
			int r = err_say(err, ERR_CONFIG, EINVAL, "the device has no weight");
			err_at(err, d->at);
			return r;
		}
		if (d->weight.v == 0)
			continue;
		const char *device = arena_printf(l->arena, "%" PRId64 ":%" PRId64 " ", d->major.v,
						  d->minor.v);
		int r = add_weight(l, device, &d->weight, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A rate of zero took a limit away in v1, which "max" does now. */
static int plan_throttles(struct limits *l, const char *key, const struct spec_throttle_list *list,
			  struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_throttle_device *d = &list->v[i];
		const char *rate = d->rate.v ? arena_printf(l->arena, "%" PRIu64, d->rate.v)
					     : "max";
		const char *line = arena_printf(l->arena, "%" PRId64 ":%" PRId64 " %s=%s",
						d->major.v, d->minor.v, key, rate);
		int r = limits_set(l, "io.max", line, d->at, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int limits_plan_io(struct limits *l, const struct spec_block_io *io, struct err *err)
{
	const struct {
		const char *key;
		const struct spec_throttle_list *list;
	} throttles[] = {
		{ "rbps", &io->read_bps },
		{ "wbps", &io->write_bps },
		{ "riops", &io->read_iops },
		{ "wiops", &io->write_iops },
	};
	if (io->leaf_weight.at && io->leaf_weight.v != 0)
		return limits_refuse_v1("blockIO.leafWeight", io->leaf_weight.at, err);
	int r = plan_weights(l, io, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(throttles); i++)
		r = plan_throttles(l, throttles[i].key, throttles[i].list, err);
	return r;
}
