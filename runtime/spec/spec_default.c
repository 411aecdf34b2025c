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

static void write_process(struct json_out *o)
{
	json_out_key(o, "process");
	json_out_object(o);
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

static void write_mounts(struct json_out *o)
{
	json_out_key(o, "mounts");
	json_out_array(o);
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		json_out_object(o);
		json_out_member(o, "destination", mounts[i].destination);
		json_out_member(o, "type", mounts[i].type);
		json_out_member(o, "source", mounts[i].source);
		write_strings(o, "options", mounts[i].options);
		json_out_object_end(o);
	}
	json_out_array_end(o);
}

static void write_linux(struct json_out *o)
{
	json_out_key(o, "linux");
	json_out_object(o);
	json_out_key(o, "namespaces");
	json_out_array(o);
	for (const char *const *ns = namespaces; *ns; ns++) {
		json_out_object(o);
		json_out_member(o, "type", *ns);
		json_out_object_end(o);
	}
	json_out_array_end(o);
	write_strings(o, "maskedPaths", masked_paths);
	write_strings(o, "readonlyPaths", readonly_paths);
	json_out_object_end(o);
}

void spec_write_default(struct str *ret)
{
	struct json_out o;
	json_out_init(&o, ret, JSON_OUT_PRETTY);
	json_out_object(&o);
	json_out_member(&o, "ociVersion", "1.3.0");
	write_process(&o);
	write_root(&o);
	json_out_member(&o, "hostname", "hull");
	write_mounts(&o);
	write_linux(&o);
	json_out_object_end(&o);
	str_append(ret, "\n");
}
