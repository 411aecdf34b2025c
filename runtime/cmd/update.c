/*
 * hull update: new limits for a running container, from options or from a file that looks like
 * linux.resources of config.json. Both become the same text, are checked by the same rules, and
 * written by the same code as at a start. What is not given, or zero as engines send it, stays.
 */
#include "cgroup/update.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/systemd.h"
#include "cmd/container.h"
#include "cmd/update_class.h"
#include "plan/plan.h"

#define UPDATE_SIZE_MAX ((size_t)1024 * 1024)

/* ---- the options ---- */

enum update_kind {
	UPDATE_NUMBER,
	UPDATE_BYTES, /* with k, m, g, t behind it */
	UPDATE_TEXT,
};

/* An option, and the member that it stands for. */
#define UPDATE_ROWS(ROW)                                                                          \
	ROW(BLKIO_WEIGHT, "blkio-weight", "blockIO", "weight", UPDATE_NUMBER, "N",                \
	    "share of block io, 10 to 1000")                                                      \
	ROW(CPU_PERIOD, "cpu-period", "cpu", "period", UPDATE_NUMBER, "USEC",                     \
	    "what the quota is counted in")                                                       \
	ROW(CPU_QUOTA, "cpu-quota", "cpu", "quota", UPDATE_NUMBER, "USEC",                        \
	    "CPU time in each period; -1: unlimited")                                             \
	ROW(CPU_BURST, "cpu-burst", "cpu", "burst", UPDATE_NUMBER, "USEC",                        \
	    "what may be saved up of the quota")                                                  \
	ROW(CPU_SHARE, "cpu-share", "cpu", "shares", UPDATE_NUMBER, "N",                          \
	    "share of CPU time, 2 to 262144")                                                     \
	ROW(CPU_RT_PERIOD, "cpu-rt-period", "cpu", "realtimePeriod", UPDATE_NUMBER, "USEC",       \
	    "of cgroup v1 only")                                                                  \
	ROW(CPU_RT_RUNTIME, "cpu-rt-runtime", "cpu", "realtimeRuntime", UPDATE_NUMBER, "USEC",    \
	    "of cgroup v1 only")                                                                  \
	ROW(CPUSET_CPUS, "cpuset-cpus", "cpu", "cpus", UPDATE_TEXT, "LIST", "CPUs such as 0-3,7") \
	ROW(CPUSET_MEMS, "cpuset-mems", "cpu", "mems", UPDATE_TEXT, "LIST",                       \
	    "memory nodes such as 0-1")                                                           \
	ROW(CPU_IDLE, "cpu-idle", "cpu", "idle", UPDATE_NUMBER, "N",                              \
	    "1: only when nobody else wants the CPU")                                             \
	ROW(MEMORY, "memory", "memory", "limit", UPDATE_BYTES, "BYTES",                           \
	    "memory, as in 512m; -1: unlimited")                                                  \
	ROW(MEMORY_RESERVATION, "memory-reservation", "memory", "reservation", UPDATE_BYTES,      \
	    "BYTES", "memory that is not reclaimed")                                              \
	ROW(MEMORY_SWAP, "memory-swap", "memory", "swap", UPDATE_BYTES, "BYTES",                  \
	    "memory and swap together; -1: unlimited swap")                                       \
	ROW(PIDS_LIMIT, "pids-limit", "pids", "limit", UPDATE_NUMBER, "N",                        \
	    "processes and threads; -1: unlimited")

#define ROW_INDEX(index, ...) UPDATE_##index,
enum update_index { UPDATE_ROWS(ROW_INDEX) UPDATE_COUNT };

struct update_options {
	const char *resources;
	const char *cache_schema, *bandwidth_schema; /* of the class of service (resctrl) */
	const char *values[UPDATE_COUNT];
};

struct update_member {
	const char *option, *object, *key;
	enum update_kind kind;
};
#define ROW_MEMBER(index, option, object, key, kind, ...) { option, object, key, kind },
static const struct update_member members[] = { UPDATE_ROWS(ROW_MEMBER) };

#define ROW_OPTION(index, option, object, key, kind, value, help)                          \
	{ option,                                                                          \
	  0,                                                                               \
	  OPTION_TEXT,                                                                     \
	  offsetof(struct update_options, values) + UPDATE_##index * sizeof(const char *), \
	  value,                                                                           \
	  help },
static const struct option update_table[] = {
	{ "resources", 'r', OPTION_TEXT, offsetof(struct update_options, resources), "FILE",
	  "JSON like linux.resources of config.json; -: standard input" },
	UPDATE_ROWS(ROW_OPTION) { "kernel-memory", 0, OPTION_IGNORED, 0, "BYTES",
				  "accepted; cgroup v2 has no such limit" },
	{ "kernel-memory-tcp", 0, OPTION_IGNORED, 0, "BYTES",
	  "accepted; cgroup v2 has no such limit" },
	{ "l3-cache-schema", 0, OPTION_TEXT, offsetof(struct update_options, cache_schema), "TEXT",
	  "shares of the cache, such as L3:0=ff (Intel RDT)" },
	{ "mem-bw-schema", 0, OPTION_TEXT, offsetof(struct update_options, bandwidth_schema),
	  "TEXT", "shares of memory bandwidth, such as MB:0=50 (Intel RDT)" },
	{ 0 },
};

/* ---- from options to a text ---- */

/* "512m", "1GiB", "-1". */
static bool parse_bytes(const char *text, int64_t *ret)
{
	static const struct str_name units[] = {
		{ "", 0 },     { "b", 0 },   { "k", 10 },   { "kb", 10 },  { "kib", 10 },
		{ "m", 20 },   { "mb", 20 }, { "mib", 20 }, { "g", 30 },   { "gb", 30 },
		{ "gib", 30 }, { "t", 40 },  { "tb", 40 },  { "tib", 40 }, { NULL, 0 },
	};
	uint64_t number;
	char digits[24];
	size_t n = strspn(text, "0123456789");
	if (str_eq(text, "-1")) {
		*ret = -1;
		return true;
	}
	const struct str_name *unit = str_name_find_nocase(units, text + n);
	if (!unit || n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (str_to_u64(digits, (uint64_t)INT64_MAX >> unit->value, &number) < 0)
		return false;
	*ret = (int64_t)(number << unit->value);
	return true;
}

static int put_value(struct json_out *o, const struct update_member *m, const char *value,
		     struct err *err)
{
	int64_t number = 0;
	bool is_right = true;
	if (m->kind == UPDATE_NUMBER)
		is_right = str_to_i64(value, &number) == 0;
	else if (m->kind == UPDATE_BYTES)
		is_right = parse_bytes(value, &number);
	if (!is_right) {
		err_say(err, ERR_CONFIG, EINVAL, "--%s takes a number%s, not '%s'", m->option,
			m->kind == UPDATE_BYTES ? " of bytes" : "", value);
		if (m->kind == UPDATE_BYTES)
			err_hint(err, "as in 536870912, 512m or 1g; -1 is unlimited");
		return -EINVAL;
	}
	json_out_key(o, m->key);
	if (m->kind == UPDATE_TEXT)
		json_out_string(o, value);
	else
		json_out_int(o, number);
	return 0;
}

/* The table has the members of one object beside each other or not: so once for each object. */
static int put_object(struct json_out *o, const struct update_options *options, const char *object,
		      struct err *err)
{
	int r = 0;
	json_out_key(o, object);
	json_out_object(o);
	for (size_t i = 0; r == 0 && i < UPDATE_COUNT; i++)
		if (options->values[i] && str_eq(members[i].object, object))
			r = put_value(o, &members[i], options->values[i], err);
	json_out_object_end(o);
	return r;
}

static int write_options(const struct update_options *options, struct str *ret, struct err *err)
{
	static const char *const objects[] = { "blockIO", "cpu", "memory", "pids" };
	struct json_out o;
	int r = 0;
	json_out_init(&o, ret, JSON_OUT_COMPACT);
	json_out_object(&o);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(objects); i++)
		r = put_object(&o, options, objects[i], err);
	json_out_object_end(&o);
	return r;
}

/* Nobody has seen the text that the place is in: the option's name stands for it. */
static void name_option(struct err *err)
{
	char path[64];
	for (size_t i = 0; i < UPDATE_COUNT; i++) {
		snprintf(path, sizeof(path), "%s.%s", members[i].object, members[i].key);
		if (str_eq(err->path, path))
			err_wrap(err, "--%s", members[i].option);
	}
	err_at(err, 0);
	err->path[0] = '\0';
	err->line = err->column = 0;
}

static int resources_of_options(struct cmd *cmd, const struct update_options *options,
				struct spec_resources *ret, struct err *err)
{
	struct spec_problems problems;
	struct str text;
	str_init(&text, &cmd->arena);
	int r = write_options(options, &text, err);
	if (r < 0)
		return r;
	struct json_doc doc = { .name = "options", .text = text.text, .size = text.used };
	r = spec_parse_resources(&cmd->arena, &doc, ret, &problems, err);
	if (r < 0)
		name_option(err);
	return r;
}

/* ---- from a file ---- */

static int read_stdin(struct cmd *cmd, struct json_doc *doc, struct err *err)
{
	char *text = arena_alloc(&cmd->arena, UPDATE_SIZE_MAX + 1);
	ssize_t n = fd_read_all(STDIN_FILENO, text, UPDATE_SIZE_MAX);
	if (n < 0)
		return err_sys(err, (int)-n, "cannot read standard input");
	if ((size_t)n == UPDATE_SIZE_MAX)
		return err_say(err, ERR_LIMIT, EFBIG, "standard input has too much");
	*doc = (struct json_doc) { .name = "standard input", .text = text, .size = (size_t)n };
	return 0;
}

static int read_doc(struct cmd *cmd, const char *path, struct json_doc *doc, struct err *err)
{
	char *text;
	size_t size;
	if (str_eq(path, "-"))
		return read_stdin(cmd, doc, err);
	int r = fd_read_file(AT_FDCWD, path, UPDATE_SIZE_MAX, &cmd->arena, &text, &size, err);
	if (r == 0)
		*doc = (struct json_doc) { .name = path, .text = text, .size = size };
	return r;
}

static int resources_of_file(struct cmd *cmd, const struct update_options *options,
			     struct spec_resources *ret, struct err *err)
{
	for (size_t i = 0; i < UPDATE_COUNT; i++)
		if (options->values[i])
			return err_say(err, ERR_CONFIG, EINVAL,
				       "--resources and --%s cannot be given together",
				       members[i].option);
	int r = read_doc(cmd, options->resources, &cmd->doc, err);
	return r < 0 ? r : spec_parse_resources(&cmd->arena, &cmd->doc, ret, &cmd->problems, err);
}

/* ---- the update ---- */

struct unit_update {
	const struct container *container;
	const struct spec_resources *resources;
	const struct cgroup_plan *plan;
	struct arena *arena;
};

/* After the files: what the kernel refuses, systemd is not told. */
static int update_unit(void *context, struct err *err)
{
	const struct unit_update *u = context;
	struct systemd_properties properties;
	int r = systemd_plan_update(u->resources, u->plan, u->arena, &properties, err);
	const struct container *c = u->container;
	return r < 0 ? r
		     : systemd_update(c->state.unit, c->state.unit_is_user, &properties,
				      state_time_left(&c->entry, STATE_BY_STOP), err);
}

static int enable(const char *path, const struct cgroup_plan *plan, struct err *err)
{
	struct cgroup_root root;
	int r = cgroup_root_open(&root, err);
	if (r < 0)
		return r;
	r = cgroup_enable(&root, path, plan, err);
	cgroup_root_close(&root);
	return r;
}

/* In the container's cgroup, which is open at `fd`. */
static int apply(const struct container *c, int fd, struct spec_resources *resources,
		 struct arena *arena, struct err *err)
{
	struct cgroup_plan plan;
	struct unit_update unit = { c, resources, &plan, arena };
	const struct cgroup_update wanted = {
		.plan = &plan,
		.has_devices = resources->devices.n > 0,
		.agree = c->state.unit ? update_unit : NULL,
		.context = &unit,
	};
	const struct cgroup_update letter = { .plan = &plan };

	int r = cgroup_complete_resources(fd, resources, err);
	if (r == 0)
		r = cgroup_plan_resources(resources, arena, &plan, err);
	if (r == 0)
		r = enable(c->state.cgroup, &plan, err);
	if (r == 0)
		r = cgroup_update(fd, &wanted, arena, err);
	if (r == 0 && c->state.unit) /* to the letter again: systemd rounds */
		r = cgroup_update(fd, &letter, arena, err);
	return r;
}

/* The class of service first: the kernel checks its text as a whole, and it can be put back. */
static int apply_all(struct cmd *cmd, const struct container *c, int fd,
		     const struct update_options *options, struct spec_resources *resources,
		     struct err *err)
{
	struct update_class class;
	const char *text = plan_rdt_schemas(options->cache_schema, options->bandwidth_schema,
					    &cmd->arena);

	int r = update_class_write(&class, &c->state, text, &cmd->arena, err);
	if (r == 0)
		r = apply(c, fd, resources, &cmd->arena, err);
	if (r < 0)
		update_class_undo(&class, err);
	fd_close(&class.root);
	return r;
}

static int update_container(struct cmd *cmd, const struct update_options *options,
			    struct spec_resources *resources, struct err *err)
{
	_cleanup_container_ struct container c;
	_cleanup_close_ int cgroup = -EBADF;
	const char *id = cmd->args[0];

	int r = container_open(cmd, id, CONTAINER_LOCK, &c, err);
	if (r < 0)
		return r;
	if (c.state.status == STATE_STOPPED || c.state.status == STATE_CREATING)
		return container_not_running(id, err);
	r = container_open_cgroup(&c, &cgroup, err);
	return r < 0 ? r : apply_all(cmd, &c, cgroup, options, resources, err);
}

/* Without an option; those without an opinion, as engines send them, are fine. */
static int check_given(const struct cmd *cmd, struct err *err)
{
	if (cmd->args[-1][0] == '-')
		return 0;
	if (!str_eq(cmd->args[-1], command_update.name))
		return 0; /* the value of one */
	err_say(err, ERR_CONFIG, EINVAL, "there is nothing to change");
	err_hint(err, "limits are options, as in: hull update --memory 512m %s", cmd->args[0]);
	return -EINVAL;
}

static int update_command(struct cmd *cmd, void *options, struct err *err)
{
	const struct update_options *o = options;
	struct spec_resources resources;

	int r = check_given(cmd, err);
	if (r == 0)
		r = o->resources ? resources_of_file(cmd, o, &resources, err)
				 : resources_of_options(cmd, o, &resources, err);
	if (r < 0)
		return r;
	r = update_container(cmd, o, &resources, err);
	if (r < 0 && !o->resources)
		err_at(err, 0);
	if (r == 0)
		cmd_report_warnings(cmd);
	return r;
}

const struct command command_update = {
	.name = "update",
	.group = "lifecycle",
	.synopsis = "[--resources FILE | limits] ID",
	.summary = "change the limits of a running container",
	.options = update_table,
	.options_size = sizeof(struct update_options),
	.min_args = 1,
	.max_args = 1,
	.run = update_command,
	.failure = 1,
};
