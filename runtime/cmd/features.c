/*
 * hull features: what this build of hull carries out, for engines, in the shape of the
 * specification's features.md. Everything comes from the tables that parse and plan a config.json,
 * so that nothing is claimed that would be refused; it does not depend on the host.
 */
#include "cmd/cmd.h"

#include <linux/capability.h>
#include <stdio.h>
#include <seccomp.h>
#include <sys/capability.h>

#include "plan/plan.h"
#include "seccomp/seccomp.h"

static const struct option no_options[] = { { 0 } };

static void put_bool(struct json_out *o, const char *key, bool value)
{
	json_out_key(o, key);
	json_out_bool(o, value);
}

/* A member {"enabled": ...}. */
static void put_enabled(struct json_out *o, const char *key, bool value)
{
	json_out_key(o, key);
	json_out_object(o);
	put_bool(o, "enabled", value);
	json_out_object_end(o);
}

static void begin_list(struct json_out *o, const char *key)
{
	json_out_key(o, key);
	json_out_array(o);
}

/* ---- lists ---- */

static void put_hooks(struct json_out *o)
{
	begin_list(o, "hooks");
	for (int i = 0; i < PLAN_HOOK_KINDS; i++)
		json_out_string(o, plan_hook_name((enum plan_hook_kind)i));
	json_out_array_end(o);
}

static void put_mount_options(struct json_out *o)
{
	size_t index = 0;
	begin_list(o, "mountOptions");
	for (const char *name; (name = plan_next_mount_option(&index));)
		json_out_string(o, name);
	json_out_array_end(o);
}

static bool has_mount_option(const char *wanted)
{
	size_t index = 0;
	for (const char *name; (name = plan_next_mount_option(&index));)
		if (str_eq(name, wanted))
			return true;
	return false;
}

static void put_namespaces(struct json_out *o)
{
	begin_list(o, "namespaces");
	for (int i = 0; i < SPEC_NS_COUNT; i++)
		json_out_string(o, spec_ns_name((enum spec_ns_type)i));
	json_out_array_end(o);
}

/* libcap has small letters. */
static void put_capability(struct json_out *o, cap_value_t value)
{
	char upper[64];
	size_t n = 0;
	char *name = cap_to_name(value);
	for (; name && name[n] && n < sizeof(upper) - 1; n++)
		upper[n] = name[n] >= 'a' && name[n] <= 'z' ? (char)(name[n] & ~0x20) : name[n];
	upper[n] = '\0';
	(void)cap_free(name);
	json_out_string(o, upper);
}

static void put_capabilities(struct json_out *o)
{
	begin_list(o, "capabilities");
	for (cap_value_t value = 0; value <= CAP_LAST_CAP; value++)
		put_capability(o, value);
	json_out_array_end(o);
}

/* ---- objects ---- */

static void put_cgroup(struct json_out *o)
{
	json_out_key(o, "cgroup");
	json_out_object(o);
	put_bool(o, "v1", false);
	put_bool(o, "v2", true);
	put_bool(o, "systemd", true);
	put_bool(o, "systemdUser", true);
	put_bool(o, "rdma", true);
	json_out_object_end(o);
}

static void put_names(struct json_out *o, const char *key, const struct str_name *names)
{
	begin_list(o, key);
	for (; names->name; names++)
		json_out_string(o, names->name);
	json_out_array_end(o);
}

static void put_seccomp(struct json_out *o)
{
	json_out_key(o, "seccomp");
	json_out_object(o);
	put_bool(o, "enabled", true);
	put_names(o, "actions", spec_seccomp_actions);
	put_names(o, "operators", spec_seccomp_operators);
	begin_list(o, "archs");
	for (const struct str_name *n = spec_seccomp_archs; n->name; n++)
		if (seccomp_knows_arch(n->name))
			json_out_string(o, n->name);
	json_out_array_end(o);
	put_names(o, "knownFlags", spec_seccomp_flags);
	begin_list(o, "supportedFlags");
	for (const struct str_name *n = spec_seccomp_flags; n->name; n++)
		if (seccomp_knows_flag(n->name))
			json_out_string(o, n->name);
	json_out_array_end(o);
	json_out_object_end(o);
}

static void put_intel_rdt(struct json_out *o)
{
	json_out_key(o, "intelRdt");
	json_out_object(o);
	put_bool(o, "enabled", true);
	put_bool(o, "schemata", true);
	put_bool(o, "monitoring", true);
	json_out_object_end(o);
}

static void put_memory_policy(struct json_out *o)
{
	json_out_key(o, "memoryPolicy");
	json_out_object(o);
	put_names(o, "modes", spec_memory_modes);
	put_names(o, "flags", spec_memory_flags);
	json_out_object_end(o);
}

static void put_linux(struct json_out *o)
{
	json_out_key(o, "linux");
	json_out_object(o);
	put_namespaces(o);
	put_capabilities(o);
	put_cgroup(o);
	put_seccomp(o);
	put_enabled(o, "apparmor", true);
	put_enabled(o, "selinux", true);
	put_intel_rdt(o);
	put_memory_policy(o);
	json_out_key(o, "mountExtensions");
	json_out_object(o);
	put_enabled(o, "idmap", has_mount_option("idmap"));
	json_out_object_end(o);
	put_enabled(o, "netDevices", true);
	json_out_object_end(o);
}

static void put_annotations(struct json_out *o)
{
	const struct scmp_version *v = seccomp_version();
	char version[64];
	snprintf(version, sizeof(version), "%u.%u.%u", v->major, v->minor, v->micro);
	json_out_key(o, "annotations");
	json_out_object(o);
	json_out_member(o, "dev.hull.version", HULL_VERSION);
	if (HULL_COMMIT[0])
		json_out_member(o, "dev.hull.commit", HULL_COMMIT);
	json_out_member(o, "io.github.seccomp.libseccomp.version", version);
	json_out_member(o, "org.opencontainers.runc.checkpoint.enabled", "false");
	json_out_object_end(o);
	/* What changes the start, with all that begin with it. */
	begin_list(o, "potentiallyUnsafeConfigAnnotations");
	json_out_string(o, "dev.hull.");
	json_out_string(o, SYSTEMD_ANNOTATION);
	json_out_array_end(o);
}

static int features(struct cmd *cmd, void *options _unused_, struct err *err)
{
	struct json_out o;
	struct str out;

	str_init(&out, &cmd->arena);
	json_out_init(&o, &out, JSON_OUT_PRETTY);
	json_out_object(&o);
	json_out_member(&o, "ociVersionMin", "1.0.0");
	json_out_member(&o, "ociVersionMax", STATE_OCI_VERSION);
	put_hooks(&o);
	put_mount_options(&o);
	put_linux(&o);
	put_annotations(&o);
	json_out_object_end(&o);
	str_append(&out, "\n");
	return cmd_print(&out, err);
}

const struct command command_features = {
	.name = "features",
	.group = "diagnose",
	.synopsis = "",
	.summary = "show what hull can carry out, as JSON",
	.options = no_options,
	.options_size = 0,
	.min_args = 0,
	.max_args = 0,
	.run = features,
	.failure = 1,
};
