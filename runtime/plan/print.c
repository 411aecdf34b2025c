/*
 * The plan as text: one line a step, in the order in which they are made, the parent's first. It
 * is what `hull plan` shows and what the golden tests compare, so it names everything that is
 * decided and nothing that differs between two runs.
 */
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/str.h"
#include "plan/plan.h"
#include "plan/parts.h"

static const struct str_name attr_names[] = {
	{ "ro", MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC },
	{ "noatime", MOUNT_ATTR_NOATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
	{ NULL, 0 },
};

static void line(struct str *out, const char *step)
{
	str_printf(out, "%-12s", step);
}

/* " +ro +nosuid -noexec" with a prefix for recursive ones. */
static void print_attr(struct str *out, const struct plan_attr *attr, const char *prefix)
{
	for (const struct str_name *a = attr_names; a->name; a++) {
		if (attr->set & (uint64_t)a->value)
			str_printf(out, " +%s%s", prefix, a->name);
		if ((attr->clear & (uint64_t)a->value) == (uint64_t)a->value &&
		    !(attr->set & MOUNT_ATTR__ATIME & attr->clear) &&
		    !((uint64_t)a->value & MOUNT_ATTR__ATIME))
			str_printf(out, " -%s%s", prefix, a->name);
	}
	if ((attr->clear & MOUNT_ATTR__ATIME) && !(attr->set & MOUNT_ATTR__ATIME))
		str_printf(out, " +%srelatime", prefix);
}

static void print_scope(const struct systemd_scope *scope, struct str *out)
{
	if (!scope->unit)
		return;
	line(out, "systemd");
	str_printf(out, "scope %s in %s, of %s\n", scope->unit, scope->slice,
		   scope->is_user ? "the user" : "the system");
	for (size_t i = 0; i < scope->properties.n; i++) {
		line(out, "systemd");
		systemd_print_property(&scope->properties, i, out);
		str_append(out, "\n");
	}
}

static void print_cgroup(const struct plan *plan, struct str *out)
{
	line(out, "cgroup");
	str_printf(out, "%s\n", plan->flags & PLAN_NO_CGROUP ? "none" : plan->cgroup_path);
	print_scope(&plan->scope, out);
	for (size_t i = 0; plan->cgroup.controllers[i]; i++) {
		line(out, "controller");
		str_printf(out, "%s\n", plan->cgroup.controllers[i]);
	}
	for (size_t i = 0; i < plan->cgroup.writes_n; i++) {
		const struct cgroup_write *w = &plan->cgroup.writes[i];
		line(out, "limit");
		str_printf(out, "%s = %s\n", w->file, w->value);
	}
	if (plan->cgroup.device_insns) {
		line(out, "limit");
		str_printf(out, "devices: a program of %zu instructions\n",
			   plan->cgroup.device_insns_n);
	}
	if (plan->delegates_cgroup)
		str_printf(out, "cgroup      given to user %u of the host\n", plan->cgroup_owner);
}

static void print_time_offsets(const struct plan_namespaces *ns, struct str *out)
{
	for (const char *s = ns->time_offsets; s && *s; s += strcspn(s, "\n") + 1) {
		line(out, "namespaces");
		str_printf(out, "time offset %.*s\n", (int)strcspn(s, "\n"), s);
	}
}

static void print_map(const struct plan_id_map *map, const char *who, struct str *out)
{
	if (map->writer == PLAN_MAP_BY_NOBODY)
		return;
	for (size_t i = 0; i < map->lines->n; i++) {
		const struct spec_id_mapping *m = &map->lines->v[i];
		line(out, "map");
		str_printf(out, "%s %llu is %llu of the host, %llu in a row%s\n", who,
			   (unsigned long long)m->container_id.v, (unsigned long long)m->host_id.v,
			   (unsigned long long)m->size.v,
			   map->writer == PLAN_MAP_BY_HELPER ? ", by a helper" : "");
	}
}

static bool joins_in_stage(const struct plan *plan, enum spec_ns_type type)
{
	return plan->user.has_stage && type != SPEC_NS_PID;
}

static void print_join(const struct plan_join *join, const char *step, struct str *out)
{
	line(out, step);
	str_printf(out, "join %s %s %s\n", spec_ns_name(join->type),
		   join->container ? "of container" : "at", join->path);
}

/* What happens before the container's process exists, when it is not made by hull itself. */
static void print_stage(const struct plan *plan, struct str *out)
{
	const struct plan_namespaces *ns = &plan->ns;
	if (!plan->user.has_stage)
		return;
	if (plan->user.trees == PLAN_TREES_STAGE)
		str_append(out,
			   "stage       new mount, where the host's flags of root and binds are "
			   "locked\n");
	for (unsigned i = 0; i < ns->join_n; i++)
		if (joins_in_stage(plan, ns->join[i].type))
			print_join(&ns->join[i], "stage", out);
}

static void print_user(const struct plan *plan, struct str *out)
{
	const struct plan_user *user = &plan->user;
	if (user->denies_setgroups)
		str_append(out, "map         setgroups is denied\n");
	print_map(&user->gids, "group", out);
	print_map(&user->uids, "user", out);
}

static void print_clone(const struct plan *plan, struct str *out)
{
	const struct plan_namespaces *ns = &plan->ns;
	bool later = plan_unshares(plan);

	line(out, "clone");
	if (later)
		str_append(out, "into the cgroup\n");
	for (unsigned i = 0; later && i < ns->join_n; i++)
		if (ns->join[i].type == SPEC_NS_PID)
			print_join(&ns->join[i], "namespaces", out);
	if (later)
		line(out, "namespaces");
	const char *separator = "";
	for (int t = 0; t < SPEC_NS_COUNT; t++)
		if (ns->clone_flags & plan_namespace_flag((enum spec_ns_type)t)) {
			str_printf(out, "%snew %s", separator, spec_ns_name((enum spec_ns_type)t));
			separator = ", ";
		}
	if (!later)
		str_printf(out, "%sinto the cgroup", separator);
	str_append(out, "\n");
}

static void print_network(const struct plan_network *n, struct str *out)
{
	if (n->bridge) {
		str_printf(out, "network     eth0, a cable to the bridge %s", n->bridge);
		if (n->prefix)
			str_printf(out, ", subnet %u.%u.%u.%u/%u", n->subnet >> 24,
				   n->subnet >> 16 & 255, n->subnet >> 8 & 255, n->subnet & 255,
				   n->prefix);
		str_append(out, "\n");
	}
	for (size_t i = 0; i < n->devices_n; i++) {
		const struct plan_net_device *d = &n->devices[i];
		str_printf(out, "network     the host's device %s", d->name);
		if (d->as)
			str_printf(out, ", as %s", d->as);
		str_append(out, "\n");
	}
}

static void print_isolate(const struct plan *plan, struct str *out)
{
	const struct plan_namespaces *ns = &plan->ns;

	if (plan->new_keyring)
		str_append(out, "process     new session keyring\n");
	if (plan->process.has_oom_score_adj)
		str_printf(out, "process     oom score adjustment %d\n",
			   plan->process.oom_score_adj);
	for (int t = 0; t < SPEC_NS_COUNT; t++)
		if (ns->unshare_flags & plan_namespace_flag((enum spec_ns_type)t)) {
			line(out, "namespaces");
			str_printf(out, "new %s\n", spec_ns_name((enum spec_ns_type)t));
		}
	for (unsigned i = 0; i < ns->join_n; i++) {
		bool is_done = ns->join[i].type == SPEC_NS_PID && plan_unshares(plan);
		if (!is_done && !joins_in_stage(plan, ns->join[i].type))
			print_join(&ns->join[i], "namespaces", out);
	}
	print_time_offsets(ns, out);
	if (ns->hostname)
		str_printf(out, "hostname    %s\n", ns->hostname);
	if (ns->domainname)
		str_printf(out, "hostname    domain %s\n", ns->domainname);
}

static void print_root(const struct plan *plan, struct str *out)
{
	const struct plan_root *root = &plan->root;
	static const char *const kinds[] = { "directory", "overlay over", "chroot to" };

	line(out, "root");
	str_printf(out, "%s %s%s%s\n", kinds[root->kind], root->path,
		   root->readonly ? ", read-only in the end" : "",
		   root->pivot || root->kind == PLAN_ROOT_CHROOT ? "" : ", without pivot_root");
	for (size_t i = 0; i < root->overlay.lower_n; i++) {
		line(out, "root");
		str_printf(out, "layer %s\n", root->overlay.lower[i].s);
	}
	if (root->kind == PLAN_ROOT_OVERLAY) {
		line(out, "root");
		if (root->overlay.upper)
			str_printf(out, "writable layer %s, work %s\n", root->overlay.upper,
				   root->overlay.work);
		else
			str_append(out, "writable layer in memory\n");
	}
	if (root->propagation != MS_PRIVATE)
		str_printf(out, "root        propagation %s%s\n",
			   str_name_of(plan_propagation_names, (int64_t)root->propagation),
			   root->propagation_recursive ? ", recursive" : "");
}

static void print_shift(const struct plan_id_map *map, const char *who, struct str *out)
{
	for (size_t i = 0; map->lines && i < map->lines->n; i++) {
		const struct spec_id_mapping *l = &map->lines->v[i];
		line(out, "mount");
		str_printf(out, "  %s %llu of its files is %llu of the host, %llu in a row\n", who,
			   (unsigned long long)l->container_id.v, (unsigned long long)l->host_id.v,
			   (unsigned long long)l->size.v);
	}
}

static void print_mount(const struct plan_mount *m, struct str *out)
{
	line(out, "mount");
	switch (m->kind) {
	case PLAN_MOUNT_NEW:
		str_printf(out, "%s: new %s", m->destination, m->type);
		break;
	case PLAN_MOUNT_BIND:
		str_printf(out, "%s: %s %s", m->destination, m->recursive ? "rbind" : "bind",
			   m->source);
		break;
	case PLAN_MOUNT_CGROUP:
		str_printf(out, "%s: the container's own cgroup", m->destination);
		break;
	case PLAN_MOUNT_FILE:
		str_printf(out, "%s: bind hull's own %s", m->destination, m->source);
		break;
	case PLAN_MOUNT_REMOUNT:
		str_printf(out, "%s: change attributes", m->destination);
		break;
	}
	for (size_t i = 0; i < m->options_n; i++)
		str_printf(out, " %s%s%s", m->options[i].key, m->options[i].value ? "=" : "",
			   m->options[i].value ? m->options[i].value : "");
	print_attr(out, &m->attr_recursive, "r");
	print_attr(out, &m->attr, "");
	if (m->propagation && m->propagation != MS_PRIVATE)
		str_printf(out, " %s",
			   str_name_of(plan_propagation_names, (int64_t)m->propagation));
	if (m->copies_up)
		str_append(out, ", with what the image has there");
	if (m->shift)
		str_printf(out, ", id-mapped%s%s", m->shift_recursive ? " recursively" : "",
			   m->shift->is_joined ? " as the joined user namespace" : "");
	str_append(out, m->late_readonly ? ", read-only in the end\n" : "\n");
	if (m->shift) {
		print_shift(&m->shift->uids, "user", out);
		print_shift(&m->shift->gids, "group", out);
	}
}

static void print_terminal(const struct plan *plan, struct str *out)
{
	const struct plan_terminal *t = &plan->terminal;

	if (!t->is_wanted)
		return;
	str_printf(out, "terminal    a new one of %s, also on /dev/console", t->devpts);
	if (t->rows || t->columns)
		str_printf(out, ", %u rows of %u columns", t->rows, t->columns);
	if (t->socket)
		str_printf(out, "\nterminal    its other side goes to %s\n", t->socket);
	else
		str_append(out, "\nterminal    its other side is hull's, which copies\n");
}

static void print_tree(const struct plan *plan, struct str *out)
{
	for (size_t i = 0; i < plan->mounts_before_network_n; i++)
		print_mount(&plan->mounts[i], out);
	if (plan->ns.loopback)
		str_append(out, "network     loopback up\n");
	print_network(&plan->network, out);
	for (size_t i = plan->mounts_before_network_n; i < plan->mounts_n; i++)
		print_mount(&plan->mounts[i], out);
	for (size_t i = 0; i < plan->devices_n; i++) {
		const struct plan_device *d = &plan->devices[i];
		line(out, "device");
		if (d->how == PLAN_DEVICE_BIND) {
			str_printf(out, "%s bind the host's %u:%u\n", d->path, major(d->rdev),
				   minor(d->rdev));
			continue;
		}
		str_printf(out, "%s %s %u:%u mode %04o owner %u:%u\n", d->path,
			   S_ISBLK(d->mode)    ? "block"
			   : S_ISFIFO(d->mode) ? "fifo"
					       : "char",
			   major(d->rdev), minor(d->rdev), d->mode & 07777, d->uid, d->gid);
	}
	for (size_t i = 0; i < plan->links_n; i++)
		str_printf(out, "link        %s -> %s\n", plan->links[i].path,
			   plan->links[i].target);
	print_terminal(plan, out);
	plan_print_hooks(plan, PLAN_HOOK_PRESTART, out);
	plan_print_hooks(plan, PLAN_HOOK_CREATE_RUNTIME, out);
	plan_print_hooks(plan, PLAN_HOOK_CREATE_CONTAINER, out);
	for (size_t i = 0; i < plan->labels_n; i++)
		str_printf(out, "label       %s %s\n", plan->labels[i].module,
			   plan->labels[i].name);
	for (size_t i = 0; i < plan->sysctls_n; i++)
		str_printf(out, "sysctl      %s = %s\n", plan->sysctls[i].path,
			   plan->sysctls[i].value);
	for (size_t i = 0; i < plan->readonly->n; i++)
		str_printf(out, "read-only   %s\n", plan->readonly->v[i].s);
	for (size_t i = 0; i < plan->masked->n; i++)
		str_printf(out, "mask        %s\n", plan->masked->v[i].s);
	if (plan->root.kind == PLAN_ROOT_CHROOT)
		str_append(out, "pivot       none, only a change of the root\n");
	else if (!plan->root.pivot)
		str_append(out, "pivot       none, the host's root stays hidden below\n");
	else
		str_append(out, "pivot       into the new root, the host's is detached\n");
}

void plan_print(const struct plan *plan, struct str *out)
{
	str_printf(out, "container   %s from %s\n", plan->id, plan->bundle);
	print_cgroup(plan, out);
	plan_print_rdt(plan, out);
	print_stage(plan, out);
	print_clone(plan, out);
	print_user(plan, out);
	print_isolate(plan, out);
	print_root(plan, out);
	print_tree(plan, out);
	plan_print_process(plan, out);
	plan_print_hooks(plan, PLAN_HOOK_POSTSTART, out);
	plan_print_hooks(plan, PLAN_HOOK_POSTSTOP, out);
}
