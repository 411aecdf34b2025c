/*
 * Planning the mounts (S-066 to S-091): kind, absolute source, destination in normal form, and
 * which of them must stay writable until hull has made what lies below them.
 */
#include <linux/mount.h>
#include <string.h>

#include "base/str.h"
#include "plan/parts.h"

/* What may be mounted below /proc: files that make a container's view of the host smaller or
 * truer. Everything else there would let an image forge what hull itself trusts. */
static const char *const proc_targets[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/loadavg",
	"/proc/slabinfo",
	"/proc/net/dev",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
};

static bool is_proc_target(const char *destination)
{
	for (size_t i = 0; i < ARRAY_SIZE(proc_targets); i++)
		if (str_eq(destination, proc_targets[i]))
			return true;
	return str_eq(destination, "/proc");
}

static int check_destination(const struct spec_mount *spec, const struct plan_mount *m,
			     struct err *err)
{
	const char *d = m->destination;
	int r = 0;
	if (plan_path_is_root(d)) {
		r = err_say(err, ERR_CONFIG, EINVAL, "a mount cannot replace the root filesystem");
		err_hint(err, "name another root in root.path");
	} else if (plan_path_is_below(d, "/proc") && !m->on_proc) {
		r = err_say(err, ERR_CONFIG, EPERM, "'%s' cannot be mounted on: it is inside /proc",
			    d);
		err_hint(err, "only a few files such as /proc/cpuinfo may be replaced");
	}
	if (r < 0)
		err_at(err, spec->destination.at);
	return r;
}

static bool is_cgroup_type(const char *type)
{
	return str_eq(type, "cgroup") || str_eq(type, "cgroup2");
}

/* The cgroup file system is the container's own part of cgroup v2, whatever the host has. */
static int plan_cgroup_mount(const struct planner *p, struct plan_mount *m, struct err *err)
{
	m->type = "cgroup2";
	if (p->plan->ns.unshare_flags & CLONE_NEWCGROUP)
		return 0;
	if (m->options_n > 0) {
		err_say(err, ERR_CONFIG, EINVAL,
			"without a cgroup namespace a cgroup mount takes no option '%s'",
			m->options[0].key);
		err_at(err, m->options[0].at);
		return -EINVAL;
	}
	if (p->options->flags & PLAN_NO_CGROUP) {
		err_say(err, ERR_CONFIG, EINVAL,
			"there is no cgroup to mount: --cgroup-manager=disabled asks for none");
		err_hint(err,
			 "add {\"type\": \"cgroup\"} to linux.namespaces, or leave the mount out");
		err_at(err, m->at);
		return -EINVAL;
	}
	m->kind = PLAN_MOUNT_CGROUP;
	m->attr_recursive = (struct plan_attr) { 0 };
	return 0;
}

static bool has_option(const struct plan_mount *m, const char *key)
{
	for (size_t i = 0; i < m->options_n; i++)
		if (str_eq(m->options[i].key, key))
			return true;
	return false;
}

static int plan_sources(const struct planner *p, const struct spec_mount *spec,
			struct plan_mount *m, struct err *err)
{
	m->source_at = spec->source.at;
	if (m->kind == PLAN_MOUNT_REMOUNT)
		return 0;
	if (m->kind == PLAN_MOUNT_BIND) {
		if (!spec->source.s || !*spec->source.s) {
			err_say(err, ERR_CONFIG, EINVAL, "a bind mount needs a source");
			err_at(err, spec->source.at ? spec->source.at : spec->at);
			return -EINVAL;
		}
		m->source = plan_bundle_path(p, spec->source.s);
		return 0;
	}
	m->type = spec->type.s;
	if (!m->type || !*m->type || str_eq(m->type, "bind")) {
		bool is_bind = m->type && *m->type;
		err_say(err, ERR_CONFIG, EINVAL, "%s",
			is_bind ? "type 'bind' alone does not make a bind mount"
				: "a mount needs a type, or the option bind or rbind");
		err_at(err, spec->type.at ? spec->type.at : spec->at);
		err_hint(err, "%s the option rbind: \"options\": [\"rbind\"%s]",
			 is_bind ? "add" : "it becomes a bind mount by",
			 spec->options.n ? ", ..." : "");
		return -EINVAL;
	}
	m->source = spec->source.s && *spec->source.s ? spec->source.s : m->type;
	m->takes_mode = str_eq(m->type, "tmpfs") && !has_option(m, "mode");
	return is_cgroup_type(m->type) ? plan_cgroup_mount(p, m, err) : 0;
}

/* Others would ignore the option, and the program would miss what it was promised. */
static int check_copy_up(const struct spec_mount *spec, const struct plan_mount *m, struct err *err)
{
	if (!m->copies_up || (m->kind == PLAN_MOUNT_NEW && str_eq(m->type, "tmpfs")))
		return 0;
	err_say(err, ERR_CONFIG, EINVAL, "the option tmpcopyup is for a new tmpfs only");
	for (size_t i = 0; i < spec->options.n; i++)
		if (str_eq(spec->options.v[i].s, "tmpcopyup"))
			err_at(err, spec->options.v[i].at);
	return -EINVAL;
}

/*
 * The kernel gives a /proc only to who has rights over the pid namespace that it shows, and a new
 * user namespace has none over an existing one. It is not tried: what procfs.c makes for it would
 * be in that pid namespace already, with all that the child has.
 */
static int check_proc(const struct planner *p, const struct spec_mount *spec,
		      const struct plan_mount *m, struct err *err)
{
	if (m->kind != PLAN_MOUNT_NEW || !str_eq(m->type, "proc") || !plan_unshares(p->plan))
		return 0;
	err_say(err, ERR_CONFIG, EPERM,
		"the /proc of an existing pid namespace cannot be mounted from a new user namespace");
	err_hint(err,
		 "leave this mount out, join the user namespace that the pid namespace belongs "
		 "to, or make a new pid namespace");
	err_at(err, spec->type.at);
	return -EPERM;
}

static int plan_one_mount(const struct planner *p, const struct spec_mount *spec,
			  struct plan_mount *m, struct err *err)
{
	m->at = spec->at;
	m->destination_at = spec->destination.at;
	m->destination = plan_path_normal(p->arena, spec->destination.s);
	m->on_proc = is_proc_target(m->destination);
	int r = check_destination(spec, m, err);
	if (r == 0)
		r = plan_parse_mount_options(p, spec, m, err);
	if (r == 0)
		r = plan_sources(p, spec, m, err);
	if (r == 0)
		r = check_copy_up(spec, m, err);
	if (r == 0)
		r = check_proc(p, spec, m, err);
	return r < 0 ? r : plan_make_shift(p, spec, m, err);
}

/* Does hull make something below this mount after it is mounted: a mount point, a device? */
static bool is_built_on(const struct plan *plan, size_t index)
{
	const char *dir = plan->mounts[index].destination;
	for (size_t i = index + 1; i < plan->mounts_n; i++)
		if (plan_path_is_below(plan->mounts[i].destination, dir))
			return true;
	for (size_t i = 0; i < plan->devices_n; i++)
		if (plan_path_is_below(plan->devices[i].path, dir))
			return true;
	/* The links, and the terminal's /dev/console. */
	return (plan->links_n > 0 || plan->spec->process.terminal.v) && str_eq(dir, "/dev");
}

/*
 * A read-only new file system in which hull still has to make mount points or devices, or to
 * copy what is below it, is made read-only after that, in one place and before anything of the
 * container runs.
 */
static void plan_late_readonly(struct plan *plan)
{
	for (size_t i = 0; i < plan->mounts_n; i++) {
		struct plan_mount *m = &plan->mounts[i];
		if (m->kind == PLAN_MOUNT_NEW && (m->attr.set & MOUNT_ATTR_RDONLY) &&
		    str_eq(m->type, "tmpfs") && (m->copies_up || is_built_on(plan, i))) {
			m->late_readonly = true;
			m->attr.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		}
	}
}

/*
 * May it show or use the network namespace of who makes it, as sysfs does, and file systems over a
 * network? Those in the table are known not to.
 */
static bool may_be_of_network(const struct plan_mount *m)
{
	static const char *const independent[] = { "proc", "tmpfs", "devpts", "mqueue", "cgroup2" };

	if (m->kind != PLAN_MOUNT_NEW)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(independent); i++)
		if (str_eq(m->type, independent[i]))
			return false;
	return true;
}

static void count_before_network(struct plan *plan)
{
	size_t n = 0;
	/* Who waits for the network does not wait for what is copied. */
	while (n < plan->mounts_n && !may_be_of_network(&plan->mounts[n]) &&
	       !plan->mounts[n].copies_up)
		n++;
	plan->mounts_before_network_n = n;
}

int plan_make_mounts(const struct planner *p, struct err *err)
{
	struct plan *plan = p->plan;

	plan->mounts_n = p->spec->mounts.n;
	plan->mounts = arena_array(p->arena, plan->mounts_n + 2, sizeof(*plan->mounts));
	plan->shifts = arena_array(p->arena, plan->mounts_n + 1, sizeof(*plan->shifts));
	for (size_t i = 0; i < plan->mounts_n; i++) {
		int r = plan_one_mount(p, &p->spec->mounts.v[i], &plan->mounts[i], err);
		if (r < 0)
			return r;
	}
	plan_add_resolv_conf(p);
	plan_make_devices(p); /* after the mounts: they depend on what /dev is */
	plan_late_readonly(plan);
	count_before_network(plan);
	return 0;
}
