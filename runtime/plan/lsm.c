/*
 * Planning what security modules are told: the label that the program gets by its execve
 * (S-102, S-110), and the label of the files on new file systems (S-225). A pure function of the
 * plan; whether the kernel has the module is a fact of the host.
 */
#include "plan/parts.h"

#include "base/str.h"

/* Where SELinux labels by a mount option; others have one superblock for all who mount them. */
static const char *const labelled_types[] = { "tmpfs", "devpts", "ramfs" };

static bool is_set(const struct spec_str *s)
{
	return s->s && *s->s;
}

static int no_module(const struct spec_str *value, const char *module, const char *hint,
		     struct err *err)
{
	err_say(err, ERR_HOST, ENOTSUP, "%s is not in force on this host", module);
	err_hint(err, "%s", hint);
	err_at(err, value->at);
	return -ENOTSUP;
}

static const char selinux_hint[] =
	"boot with selinux=1 security=selinux and load a policy, or leave it out";

static void add_label(const struct planner *p, const struct plan_label *label)
{
	p->plan->labels[p->plan->labels_n++] = *label;
}

static int plan_apparmor(const struct planner *p, struct err *err)
{
	const struct spec_str *profile = &p->spec->process.apparmor_profile;

	if (!is_set(profile))
		return 0;
	if (!p->host->has_apparmor) {
		if (str_eq(profile->s, "unconfined")) /* as everything is, then */
			return 0;
		return no_module(profile, "AppArmor",
				 "boot with apparmor=1 security=apparmor, or leave it out", err);
	}
	add_label(p, &(struct plan_label) {
			     .module = "AppArmor profile",
			     .file = "thread-self/attr/apparmor/exec",
			     .name = profile->s,
			     .value = arena_printf(p->arena, "exec %s", profile->s),
			     .now_file = "thread-self/attr/apparmor/current",
			     .now_value = arena_printf(p->arena, "changeprofile %s", profile->s),
			     .at = profile->at,
		     });
	return 0;
}

static int plan_selinux(const struct planner *p, struct err *err)
{
	const struct spec_str *label = &p->spec->process.selinux_label;

	if (!is_set(label))
		return 0;
	if (!p->host->has_selinux)
		return no_module(label, "SELinux", selinux_hint, err);
	add_label(p, &(struct plan_label) {
			     .module = "SELinux label",
			     .file = "thread-self/attr/exec",
			     .name = label->s,
			     .value = label->s,
			     .now_file = "thread-self/attr/current",
			     .now_value = label->s,
			     .at = label->at,
		     });
	return 0;
}

static bool is_labelled(const struct plan_mount *m)
{
	if (m->kind != PLAN_MOUNT_NEW)
		return false;
	for (size_t i = 0; i < m->options_n; i++)
		if (str_eq(m->options[i].key, "context"))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(labelled_types); i++)
		if (str_eq(m->type, labelled_types[i]))
			return true;
	return false;
}

static int plan_mount_label(const struct planner *p, struct err *err)
{
	const struct spec_str *label = &p->spec->linux.mount_label;

	if (!is_set(label))
		return 0;
	if (!p->host->has_selinux)
		return no_module(label, "SELinux", selinux_hint, err);
	if (p->plan->root.kind == PLAN_ROOT_OVERLAY) {
		err_say(err, ERR_CONFIG, ENOTSUP, "hull cannot label an overlay root yet");
		err_hint(err, "the root must be a directory that has its labels already");
		err_at(err, label->at);
		return -ENOTSUP;
	}
	for (size_t i = 0; i < p->plan->mounts_n; i++) {
		struct plan_mount *m = &p->plan->mounts[i];
		if (is_labelled(m)) /* there is room for one more: options.c */
			m->options[m->options_n++] = (struct plan_fs_option) { .key = "context",
									       .value = label->s,
									       .at = label->at };
	}
	return 0;
}

int plan_make_labels(const struct planner *p, struct err *err)
{
	int r = plan_apparmor(p, err);
	if (r == 0)
		r = plan_selinux(p, err);
	return r < 0 ? r : plan_mount_label(p, err);
}
