/*
 * The template of `hull spec`: a shell in ./rootfs, with its own namespaces, three capabilities
 * and none of them inheritable, and the kernel's dangerous files masked. Data, written as JSON.
 */
#include "spec/spec.h"

static const char *const args[] = { "sh", NULL };
static const char *const env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL
};
static const char *const capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE",
					    NULL };
static const char *const capability_sets[] = { "bounding", "effective", "permitted", NULL };
static const char *const namespaces[] = { "pid", "network", "ipc", "uts", "mount", "cgroup", NULL };

/* Who a config.json without privilege is for. */
struct owner {
	uint32_t uid, gid;
};

static const struct {
	const char *destination, *type, *source;
	const char *options[8];
} mounts[] = {
	{ "/proc", "proc", "proc", { "nosuid", "noexec", "nodev" } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

static const char *const masked_paths[] = { "/proc/acpi",
					    "/proc/asound",
					    "/proc/interrupts",
					    "/proc/kcore",
					    "/proc/keys",
					    "/proc/latency_stats",
					    "/proc/sched_debug",
					    "/proc/scsi",
					    "/proc/timer_list",
					    "/proc/timer_stats",
					    "/sys/devices/virtual/powercap",
					    "/sys/firmware",
					    NULL };
static const char *const readonly_paths[] = { "/proc/bus",           "/proc/fs",
					      "/proc/irq",           "/proc/sys",
					      "/proc/sysrq-trigger", NULL };

static void write_strings(struct json_out *o, const char *key, const char *const *strings)
{
	json_out_key(o, key);
	json_out_array(o);
	for (; *strings; strings++)
		json_out_string(o, *strings);
	json_out_array_end(o);
}

static void write_flag(struct json_out *o, const char *key)
{
	json_out_key(o, key);
	json_out_bool(o, true);
}

static void write_user(struct json_out *o)
{
	json_out_key(o, "user");
	json_out_object(o);
	json_out_key(o, "uid");
	json_out_uint(o, 0);
	json_out_key(o, "gid");
	json_out_uint(o, 0);
	json_out_object_end(o);
}

static void write_process(struct json_out *o, bool terminal)
{
	json_out_key(o, "process");
	json_out_object(o);
	if (terminal)
		write_flag(o, "terminal");
	write_user(o);
	write_strings(o, "args", args);
	write_strings(o, "env", env);
	json_out_member(o, "cwd", "/");
	json_out_key(o, "capabilities");
	json_out_object(o);
	for (const char *const *set = capability_sets; *set; set++)
		write_strings(o, *set, capabilities);
	json_out_object_end(o);
	write_flag(o, "noNewPrivileges");
	json_out_object_end(o);
}

static void write_root(struct json_out *o)
{
	json_out_key(o, "root");
	json_out_object(o);
	json_out_member(o, "path", "rootfs");
	write_flag(o, "readonly");
	json_out_object_end(o);
}

/* Of the options that name a group only root's maps may have one. */
static void write_options(struct json_out *o, const char *const *options, const struct owner *owner)
{
	json_out_key(o, "options");
	json_out_array(o);
	for (; *options; options++)
		if (!owner || !str_has_prefix(*options, "gid="))
			json_out_string(o, *options);
	json_out_array_end(o);
}

static void write_mounts(struct json_out *o, const struct owner *owner)
{
	json_out_key(o, "mounts");
	json_out_array(o);
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		json_out_object(o);
		json_out_member(o, "destination", mounts[i].destination);
		json_out_member(o, "type", mounts[i].type);
		json_out_member(o, "source", mounts[i].source);
		write_options(o, mounts[i].options, owner);
		json_out_object_end(o);
	}
	json_out_array_end(o);
}

static void write_map(struct json_out *o, const char *key, uint32_t id)
{
	json_out_key(o, key);
	json_out_array(o);
	json_out_object(o);
	json_out_key(o, "containerID");
	json_out_uint(o, 0);
	json_out_key(o, "hostID");
	json_out_uint(o, id);
	json_out_key(o, "size");
	json_out_uint(o, 1);
	json_out_object_end(o);
	json_out_array_end(o);
}

static void write_namespace(struct json_out *o, const char *type)
{
	json_out_object(o);
	json_out_member(o, "type", type);
	json_out_object_end(o);
}

static void write_linux(struct json_out *o, const struct owner *owner)
{
	json_out_key(o, "linux");
	json_out_object(o);
	json_out_key(o, "namespaces");
	json_out_array(o);
	for (const char *const *ns = namespaces; *ns; ns++)
		write_namespace(o, *ns);
	if (owner)
		write_namespace(o, "user");
	json_out_array_end(o);
	if (owner) {
		write_map(o, "uidMappings", owner->uid);
		write_map(o, "gidMappings", owner->gid);
	}
	write_strings(o, "maskedPaths", masked_paths);
	write_strings(o, "readonlyPaths", readonly_paths);
	json_out_object_end(o);
}

static void write_spec(struct str *ret, const struct owner *owner, bool terminal)
{
	struct json_out o;
	json_out_init(&o, ret, JSON_OUT_PRETTY);
	json_out_object(&o);
	json_out_member(&o, "ociVersion", "1.3.0");
	write_process(&o, terminal);
	write_root(&o);
	json_out_member(&o, "hostname", "hull");
	write_mounts(&o, owner);
	write_linux(&o, owner);
	json_out_object_end(&o);
	str_append(ret, "\n");
}

void spec_write_default(struct str *ret, bool terminal)
{
	write_spec(ret, NULL, terminal);
}

void spec_write_rootless(struct str *ret, uint32_t uid, uint32_t gid, bool terminal)
{
	const struct owner owner = { uid, gid };
	write_spec(ret, &owner, terminal);
}
